//! Is it still the same file?

use std::time::SystemTime;

use crate::sys;

/// What distinguishes one state of a file from another: device and inode (on Windows, volume and file index), size, and the times
/// of the last change.
///
/// Two equal identities do not prove that nothing was written in between (a write can be undone within the clock's
/// grain); two different ones prove that something was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    volume: u64,
    index: u64,
    size: u64,
    modified: Option<SystemTime>,
    changed: Option<(i64, i64)>,
}

impl FileIdentity {
    /// The identity that the system reports. `size` is given apart, as it does not tell the one of a block device.
    pub(crate) fn new(status: &sys::Status, size: u64) -> Self {
        let sys::Status { volume, index, modified, changed, .. } = *status;
        Self { volume, index, size, modified, changed }
    }

    /// Whether both are the same file, whatever happened to its content.
    pub fn same_file(&self, other: &Self) -> bool {
        (self.volume, self.index) == (other.volume, other.index)
    }

    /// Whether both are the same file, and nothing shows that its content changed. Its name may have.
    pub fn same_content(&self, other: &Self) -> bool {
        self.same_file(other) && (self.size, self.modified) == (other.size, other.modified)
    }

    /// Time of the last modification of the content, if the system reports it.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// What is different in `later`, in words, or `None` if nothing is.
    pub fn difference(&self, later: &Self) -> Option<String> {
        if !self.same_file(later) {
            Some("another file has its name now".into())
        } else if self.size != later.size {
            Some(format!("its size was {} bytes and is {} now", self.size, later.size))
        } else if self.modified != later.modified {
            Some("its modification time changed".into())
        } else if self.changed != later.changed {
            Some("its change time changed".into())
        } else {
            None
        }
    }
}
