//! Room on a disk.

use std::io;
use std::path::Path;

/// Bytes that an ordinary user may still write in the file system that `folder` is on.
///
/// # Errors
///
/// What the system says; of kind [`io::ErrorKind::Unsupported`] where it does not tell.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    crate::sys::free_space(folder)
}

#[cfg(all(test, unix))]
mod tests {
    #[test]
    fn a_folder_has_room_and_what_is_not_there_has_none() {
        let dir = tempfile::tempdir().unwrap();
        assert!(super::free_space(dir.path()).unwrap() > 0);
        assert!(super::free_space(&dir.path().join("none")).is_err());
    }
}
