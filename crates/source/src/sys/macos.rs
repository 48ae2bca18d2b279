//! macOS. **Untested**: written from the documentation and type-checked for aarch64-apple-darwin, but never run by us;
//! only the repository's own CI builds it.
//!
//! Not supported are disks. `/dev/rdiskN` is a character device here, which is no image; and the end of `/dev/diskN`
//! may not be found by seeking, in which case it is an error. Copy such a disk to a file first.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Instant;

use rustix::fs::OFlags;

pub(crate) use super::group::Family;
pub(crate) use super::guard::install as install_guard;
pub(crate) use super::map::GuardedMap;
pub(crate) use super::unix::{
    LocalListener, LocalStream, Residency, allocated, belongs_to_user, connect_local, cpu_time,
    file_size_signal, free_space, hangup_signal, kind_of, narrow, new_file_permissions, next_data,
    path_from_bytes, read_at, set_local_timeout, standard_input, standard_output, status, status_at,
    write_all_at,
};
use crate::{Cancel, ChildUsage, InUse, ReadPattern};

pub(crate) fn open(path: &Path, _pattern: Option<ReadPattern>) -> io::Result<File> {
    super::unix::open_with(path, OFlags::NONBLOCK)
}

/// There is no O_DIRECT; the descriptor is advised not to cache what it reads.
pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    let file = super::unix::open_with(path, OFlags::empty())?;
    rustix::fs::fcntl_nocache(&file, true)?;
    Ok(file)
}

/// There are only names: what they lead to is compared with the file that is held.
pub(crate) fn path_of_open(_file: &File) -> Option<PathBuf> {
    None
}

pub(crate) fn path_of_standard_input() -> Option<&'static Path> {
    None
}

pub(crate) fn device_size(file: &File) -> io::Result<u64> {
    match io::Seek::seek(&mut &*file, io::SeekFrom::End(0))? {
        0 => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the system does not report the size of this device",
        )),
        size => Ok(size),
    }
}

/// Reports against GNU cp, qemu and tar say that APFS named holes where there was data: data that was not on the disk yet, and
/// data after an ENXIO. A wrong hole is a block of zeros in the cloud. So the file is flushed first, and then what is named as
/// data must make up all that the file system keeps for the file; if it is less, no hole of it is believed. A hole
/// that is read as if it were data costs time alone.
pub(crate) fn holes_can_be_trusted(file: &File, size: u64) -> bool {
    if file.sync_all().is_err() {
        return false;
    }
    let Ok(kept) = file.metadata().map(|metadata| allocated(&metadata).unwrap_or(u64::MAX)) else {
        return false;
    };
    let (mut at, mut named) = (0, 0u64);
    while at < size {
        match next_data(file, at, size) {
            Ok(Some(extent)) => {
                named = named.saturating_add(extent.end - extent.start);
                at = extent.end;
            }
            Ok(None) => break,
            Err(_) => return false,
        }
    }
    // The last extent ends with the file, what is kept for it with a block.
    named.next_multiple_of(4096) >= kept
}

#[expect(unsafe_code, reason = "F_RDAHEAD has no safe form")]
pub(crate) fn advise(file: &File, pattern: ReadPattern) {
    let read_ahead: libc::c_int = match pattern {
        ReadPattern::Random => 0,
        ReadPattern::Sequential => 1,
    };
    // SAFETY: the descriptor is open as long as `file` lives, and F_RDAHEAD takes an int and touches no memory.
    let _ = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_RDAHEAD, read_ahead) };
}

/// Nothing is known that does so for one file.
pub(crate) fn forget(_file: &File, _offset: u64, _len: Option<NonZeroU64>) {}

pub(crate) fn wait_for_child(_child: &Child, _begun: Instant, _cancel: &Cancel) -> io::Result<ChildUsage> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn announce(file: &File, offset: u64, len: NonZeroU64) {
    let _ = rustix::fs::fcntl_rdadvise(file, offset, len.get());
}

/// The system says whether a file system is local; a FUSE one may say that it is.
pub(crate) fn remote_file_system(file: &File) -> Option<&'static str> {
    let flags = rustix::fs::fstatfs(file).ok()?.f_flags;
    let local = flags & libc::MNT_LOCAL.cast_unsigned() != 0;
    (!local).then_some("a network file system")
}

/// It is not asked.
pub(crate) fn read_ahead(_file: &File) -> Option<u64> {
    None
}

/// It is not asked.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub(crate) fn in_use(_file: &File) -> io::Result<Option<InUse>> {
    Ok(None)
}

/// Nothing is known that does so.
pub(crate) fn end_with_parent(_command: &mut Command) {}

/// There are none.
#[expect(clippy::unnecessary_wraps, reason = "other systems have them")]
pub(crate) fn unnamed_file(_folder: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

pub(crate) fn name_file(_file: &File, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn reopen_unnamed(_file: &File) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn settings_folder() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute())?;
    Some(home.join("Library/Application Support"))
}
