//! The locks by which qemu shows what it does with an image.
//!
//! Source: qemu, `block/file-posix.c` (`RAW_LOCK_PERM_BASE`, `raw_check_lock_bytes`) and `include/block/block-common.h` (`BLK_PERM_*`). A
//! program that has an image open holds a shared lock on one byte for each permission that it uses; another one asks whether it could lock
//! that byte for itself alone. The file need not have these bytes.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Offset of the byte of the first permission.
const PERMISSIONS: libc::off_t = 100;
/// Number of the permission to write.
const WRITE: libc::off_t = 1;
/// Number of the permission to change the size.
const RESIZE: libc::off_t = 3;

/// Whether a program shows by its locks that it has the file open and may write to it. Where the kernel or the file system has no such
/// locks, none is seen.
pub(crate) fn is_written_to(file: &File) -> bool {
    [WRITE, RESIZE].into_iter().any(|permission| is_locked(file, PERMISSIONS + permission).unwrap_or(false))
}

/// Whether a lock on this byte would have to wait, as another open file has one. Nothing is locked.
#[expect(unsafe_code, reason = "rustix does not ask about locks")]
fn is_locked(file: &File, byte: libc::off_t) -> io::Result<bool> {
    let kind = |kind: libc::c_int| libc::c_short::try_from(kind).map_err(io::Error::other);
    // SAFETY: `flock` is plain data for which all zeros are valid.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    (lock.l_type, lock.l_whence) = (kind(libc::F_WRLCK)?, kind(libc::SEEK_SET)?);
    (lock.l_start, lock.l_len) = (byte, 1);
    // SAFETY: the descriptor is open while `file` is borrowed, and the call writes to `lock` alone.
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    if asked == 0 { Ok(lock.l_type != kind(libc::F_UNLCK)?) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a shared lock on a byte, as qemu does it.
    #[expect(unsafe_code, reason = "rustix has no locks of open files on ranges")]
    fn lock(file: &File, byte: libc::off_t) {
        // SAFETY: `flock` is plain data for which all zeros are valid.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = libc::c_short::try_from(libc::F_RDLCK).unwrap();
        (lock.l_start, lock.l_len) = (byte, 1);
        // SAFETY: the descriptor is open, and the call only reads `lock`.
        assert_eq!(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) }, 0);
    }

    #[test]
    fn the_locks_of_a_writer_are_seen_and_those_of_a_reader_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.raw");
        std::fs::write(&path, b"short").unwrap();
        let ours = File::open(&path).unwrap();
        for (byte, is_writer) in [(100, false), (101, true), (102, false), (103, true), (201, false)] {
            let theirs = File::open(&path).unwrap();
            lock(&theirs, byte);
            assert_eq!(is_written_to(&ours), is_writer, "{byte}");
            drop(theirs);
            assert!(!is_written_to(&ours), "{byte}");
        }
        // A program is no hindrance to itself.
        lock(&ours, 101);
        assert!(!is_written_to(&ours));
    }
}
