//! Is it still the same file?

use std::fs::Metadata;
use std::time::SystemTime;

/// What tells one state of a file from another: device, inode, size, and the times of the last change.
///
/// Two equal identities do not prove that nothing was written in between (a write can be undone within the clock's
/// grain); two different ones prove that something was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    size: u64,
    modified: Option<SystemTime>,
    changed: Option<(i64, i64)>,
}

impl FileIdentity {
    /// The identity that the system's metadata shows. `size` is given apart, as metadata has 0 for block devices.
    #[cfg(unix)]
    pub(crate) fn new(metadata: &Metadata, size: u64) -> Self {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        // The times of a device node say nothing of what is on the device.
        let times = !metadata.file_type().is_block_device();
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size,
            modified: times.then(|| metadata.modified().ok()).flatten(),
            changed: times.then(|| (metadata.ctime(), metadata.ctime_nsec())),
        }
    }

    /// Whether both are the same file, whatever happened to its content.
    pub fn same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Time of the last modification of the content, where the system tells it.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// What is different in `later`, in words, or `None` if nothing is.
    pub fn difference(&self, later: &Self) -> Option<String> {
        if !self.same_file(later) {
            Some("another file has its name now".into())
        } else if self.size != later.size {
            Some(format!("it had {} bytes and has {} now", self.size, later.size))
        } else if self.modified != later.modified {
            Some("its modification time is another".into())
        } else if self.changed != later.changed {
            Some("its change time is another".into())
        } else {
            None
        }
    }
}
