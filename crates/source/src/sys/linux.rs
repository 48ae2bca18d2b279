//! Linux: the system that everything is tested on.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::path::Path;

use rustix::fs::{Advice, OFlags, SeekFrom};
use rustix::io::Errno;

pub(crate) use super::child::wait as wait_for_child;
pub(crate) use super::guard::install as install_guard;
pub(crate) use super::map::GuardedMap;
pub(crate) use super::unix::{
    Residency, allocated, cpu_time, free_space, hangup_signal, kind_of, new_file_permissions, read_at,
    standard_output, status, status_at, write_all_at,
};
use crate::{Extent, ReadPattern};

pub(crate) fn open(path: &Path, _pattern: Option<ReadPattern>) -> io::Result<File> {
    super::unix::open_with(path, OFlags::NONBLOCK)
}

pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    super::unix::open_with(path, OFlags::DIRECT)
}

pub(crate) fn device_size(file: &File) -> io::Result<u64> {
    io::Seek::seek(&mut &*file, io::SeekFrom::End(0))
}

pub(crate) fn next_data(file: &File, offset: u64, size: u64) -> io::Result<Option<Extent>> {
    let rest = Extent { start: offset, end: size };
    let start = match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(start) if start >= size => return Ok(None),
        // A file system that answers with an earlier place does not know what it says.
        Ok(start) if start < offset => return Ok(Some(rest)),
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        Err(e) if knows_no_holes(e) => return Ok(Some(rest)),
        Err(e) => return Err(e.into()),
    };
    let end = match rustix::fs::seek(file, SeekFrom::Hole(start)) {
        // An empty extent would be asked for again and again.
        Ok(end) if end > start => end.min(size),
        Ok(_) => size,
        // The file shrank: the reads that follow will say so.
        Err(Errno::NXIO) => size,
        Err(e) => return Err(e.into()),
    };
    Ok(Some(Extent { start, end }))
}

/// Block devices and file systems without holes answer so.
fn knows_no_holes(e: Errno) -> bool {
    [Errno::INVAL, Errno::OPNOTSUPP, Errno::NOTTY, Errno::SPIPE, Errno::NOSYS].contains(&e)
}

pub(crate) fn advise(file: &File, pattern: ReadPattern) {
    let advice = match pattern {
        ReadPattern::Random => Advice::Random,
        ReadPattern::Sequential => Advice::Sequential,
    };
    let _ = rustix::fs::fadvise(file, 0, None, advice);
}

pub(crate) fn forget(file: &File, offset: u64, len: Option<NonZeroU64>) {
    let _ = rustix::fs::fadvise(file, offset, len, Advice::DontNeed);
}

pub(crate) fn announce(file: &File, offset: u64, len: NonZeroU64) {
    let _ = rustix::fs::fadvise(file, offset, Some(len), Advice::WillNeed);
}

pub(crate) fn remote_file_system(file: &File) -> Option<&'static str> {
    // The numbers of linux/magic.h and of the file systems' own headers.
    const REMOTE: &[(u64, &str)] = &[
        (0x6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x517b, "SMB"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x6573_5546, "FUSE"),
        (0x7375_7245, "Coda"),
        (0x0bd0_0bd0, "Lustre"),
        (0x4750_4653, "GPFS"),
        (0x1983_0326, "BeeGFS"),
        (0x5346_4f41, "AFS"),
    ];
    let kind = rustix::fs::fstatfs(file).ok()?.f_type;
    let kind = u64::try_from(kind).unwrap_or(0) & 0xffff_ffff;
    REMOTE.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}
