//! macOS. **Untested**: written from the documentation and type-checked for aarch64-apple-darwin, but never run by us;
//! only the repository's own CI builds it.
//!
//! Not supported are disks. `/dev/rdiskN` is a character device here, which is no image; and the end of `/dev/diskN`
//! may not be found by seeking, in which case it is an error. Copy such a disk to a file first.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Child;
use std::time::Instant;

use rustix::fs::OFlags;

pub(crate) use super::guard::install as install_guard;
pub(crate) use super::map::GuardedMap;
pub(crate) use super::unix::{
    Residency, allocated, cpu_time, free_space, hangup_signal, kind_of, new_file_permissions, read_at,
    standard_output, status, status_at, write_all_at,
};
use crate::{Cancel, ChildUsage, Extent, ReadPattern};

pub(crate) fn open(path: &Path, _pattern: Option<ReadPattern>) -> io::Result<File> {
    super::unix::open_with(path, OFlags::NONBLOCK)
}

/// There is no O_DIRECT; the descriptor is told not to keep what it reads.
pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    let file = super::unix::open_with(path, OFlags::empty())?;
    rustix::fs::fcntl_nocache(&file, true)?;
    Ok(file)
}

pub(crate) fn device_size(file: &File) -> io::Result<u64> {
    match io::Seek::seek(&mut &*file, io::SeekFrom::End(0))? {
        0 => Err(io::Error::new(io::ErrorKind::Unsupported, "the system tells no size of this device")),
        size => Ok(size),
    }
}

/// There are SEEK_DATA and SEEK_HOLE, but they are not asked: reports against GNU cp and qemu say that APFS named holes
/// where there was data, and that ENXIO does not always mean that only holes follow. A wrong hole is a block of zeros in
/// the cloud; a hole that is read as if it were data costs time alone.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail, and have holes")]
pub(crate) fn next_data(_file: &File, offset: u64, size: u64) -> io::Result<Option<Extent>> {
    Ok(Some(Extent { start: offset, end: size }))
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
