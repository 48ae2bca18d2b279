//! The system on a disk.

use std::time::Duration;

use imsprep_filesystem::{Access, Limits};
use imsprep_guest::{Guest, NotKnown, System, VolumeSources};
use imsprep_inspect::Inspection;
use imsprep_source::{Cancel, Error as SourceError, ReadAt};

use crate::Result;

/// What reading the system of one image may cost. A Debian needs 20 MB, most of it for its initramfs.
pub const GUEST_LIMITS: Limits =
    Limits { disk_bytes: 64 << 20, steps: 20_000_000, time: Duration::from_secs(60) };

/// Reads the system on a disk that was inspected: its files, as far as they matter to an import. Reads no more than the limits
/// allow; what lies beyond them, and what can't be read, is "not known" with the reason. If no volume has a file system, nothing is
/// read beyond the superblocks.
///
/// # Errors
///
/// If the work was interrupted, or the file of the image can't be read. A damaged image is no error: what is on it is not known.
pub fn read_guest(
    inspection: &Inspection,
    disk: &dyn ReadAt,
    limits: Limits,
    cancel: &Cancel,
) -> Result<Guest> {
    let read = || {
        let access = Access::new(limits, cancel);
        let sources = VolumeSources::find(inspection, disk, cancel)?;
        imsprep_guest::read_guest(&sources.open(&access)?)
    };
    match read() {
        Ok(guest) => Ok(guest),
        Err(error @ (SourceError::Damaged { .. } | SourceError::NotExpanded { .. })) => {
            let reason = NotKnown::because(error.to_string());
            Ok(Guest { system: System::NotKnown(vec![reason]), volumes: Vec::new() })
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use imsprep_inspect::inspect;
    use imsprep_source::MemoryImage;

    use super::*;

    #[test]
    fn an_empty_disk_has_no_system_and_an_interrupted_look_tells_nothing() {
        let disk = MemoryImage::new("disk", vec![0; 1 << 20]);
        let inspection = inspect(&disk, &Cancel::new()).unwrap();
        let guest = read_guest(&inspection, &disk, GUEST_LIMITS, &Cancel::new()).unwrap();
        assert_eq!(guest.system, System::None);
        let stop = Cancel::new();
        stop.cancel();
        let interrupted = read_guest(&inspection, &disk, GUEST_LIMITS, &stop).unwrap_err();
        assert!(matches!(interrupted, crate::Error::Source(SourceError::Cancelled)), "{interrupted}");
    }
}
