//! Linux: the system that everything is tested on.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

pub(crate) use super::child::{end_with_parent, wait as wait_for_child};
pub(crate) use super::family::Family;
pub(crate) use super::guard::install as install_guard;
pub(crate) use super::map::GuardedMap;
pub(crate) use super::mounts::in_use;
pub(crate) use super::unix::{
    LocalListener, LocalStream, Residency, allocated, belongs_to_user, connect_local, cpu_time,
    file_size_signal, free_space, hangup_signal, kind_of, narrow, new_file_permissions, next_data,
    path_from_bytes, read_at, set_local_timeout, standard_input, standard_output, status, status_at,
    write_all_at,
};
use crate::ReadPattern;

pub(crate) fn open(path: &Path, _pattern: Option<ReadPattern>) -> io::Result<File> {
    super::unix::open_with(path, OFlags::NONBLOCK)
}

pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    super::unix::open_with(path, OFlags::DIRECT)
}

pub(crate) fn path_of_open(file: &File) -> Option<PathBuf> {
    Some(path_of(file)).filter(|path| path.exists())
}

pub(crate) fn path_of_standard_input() -> Option<&'static Path> {
    // A child has /proc where we have it.
    Some(Path::new("/proc/self/fd/0")).filter(|_| Path::new("/proc/self/fd").exists())
}

pub(crate) fn device_size(file: &File) -> io::Result<u64> {
    io::Seek::seek(&mut &*file, io::SeekFrom::End(0))
}

pub(crate) fn holes_can_be_trusted(_file: &File, _size: u64) -> bool {
    true
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

pub(crate) fn read_ahead(file: &File) -> Option<u64> {
    let status = rustix::fs::fstat(file).ok()?;
    let is_device = FileType::from_raw_mode(status.st_mode) == FileType::BlockDevice;
    let device = if is_device { status.st_rdev } else { status.st_dev };
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    // A disk, a partition, and file systems that have a device of their own, such as NFS.
    let places = [
        format!("/sys/dev/block/{major}:{minor}/queue/read_ahead_kb"),
        format!("/sys/dev/block/{major}:{minor}/../queue/read_ahead_kb"),
        format!("/sys/class/bdi/{major}:{minor}/read_ahead_kb"),
    ];
    let text = places.iter().find_map(|place| std::fs::read_to_string(place).ok())?;
    text.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Not every file system has them (NFS and FUSE do not), and to name one later takes /proc.
pub(crate) fn unnamed_file(folder: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666)) {
        Ok(file) => {
            let file = File::from(file);
            Ok(path_of(&file).exists().then_some(file))
        }
        // Kernels that do not know the flag see a folder that is opened for writing.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOSYS) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

pub(crate) fn name_file(file: &File, path: &Path) -> io::Result<()> {
    Ok(rustix::fs::linkat(CWD, path_of(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

pub(crate) fn reopen_unnamed(file: &File) -> io::Result<File> {
    File::open(path_of(file))
}

/// A path that leads to an open file.
fn path_of(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// By the XDG Base Directory Specification: a relative path in the variable does not count.
pub(crate) fn settings_folder() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    of("XDG_CONFIG_HOME").or_else(|| Some(of("HOME")?.join(".config")))
}
