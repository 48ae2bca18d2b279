//! What Linux and macOS have in common.

use std::ffi::OsString;
use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{OFlags, SeekFrom};
use rustix::io::Errno;

use super::{Access, Status};
use crate::{Extent, FileKind};

pub(crate) fn kind_of(metadata: &Metadata) -> FileKind {
    let t = metadata.file_type();
    if t.is_file() {
        FileKind::Regular
    } else if t.is_dir() {
        FileKind::Directory
    } else if t.is_block_device() {
        FileKind::BlockDevice
    } else if t.is_fifo() {
        FileKind::Fifo
    } else if t.is_socket() {
        FileKind::Socket
    } else if t.is_char_device() {
        FileKind::CharDevice
    } else {
        FileKind::Other
    }
}

pub(crate) fn status(file: &File) -> io::Result<Status> {
    file.metadata().map(|metadata| status_of(&metadata))
}

pub(crate) fn status_at(path: &Path) -> io::Result<Status> {
    std::fs::metadata(path).map(|metadata| status_of(&metadata))
}

pub(crate) fn belongs_to_user(path: &Path) -> io::Result<bool> {
    let user = rustix::process::geteuid().as_raw();
    // Set by sudo, so it says nothing to anybody but root. git takes it in the same way.
    let caller = std::env::var("SUDO_UID").ok().filter(|_| user == 0).and_then(|uid| uid.parse().ok());
    let is_ours = |owner: u32| owner == 0 || owner == user || Some(owner) == caller;
    Ok(is_ours(std::fs::metadata(path)?.uid()) && is_ours(std::fs::symlink_metadata(path)?.uid()))
}

fn status_of(metadata: &Metadata) -> Status {
    let kind = kind_of(metadata);
    // The times of a device node say nothing of what is on the device.
    let times = kind != FileKind::BlockDevice;
    Status {
        kind,
        size: metadata.len(),
        volume: metadata.dev(),
        index: metadata.ino(),
        modified: times.then(|| metadata.modified().ok()).flatten(),
        changed: times.then(|| (metadata.ctime(), metadata.ctime_nsec())),
        access: Some(Access { mode: metadata.mode() & 0o777, group: metadata.gid() }),
    }
}

/// Opens with these flags added.
pub(super) fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    File::options().read(true).custom_flags(flags).open(path)
}

pub(crate) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(buf, offset)
}

pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    FileExt::write_all_at(file, bytes, offset)
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

pub(crate) fn standard_input() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

pub(crate) fn standard_output() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

pub(crate) fn file_size_signal() -> Option<i32> {
    Some(libc::SIGXFSZ)
}

#[expect(unsafe_code, reason = "to ask what is done with a signal has no safe form")]
pub(crate) fn hangup_signal() -> Option<i32> {
    // SAFETY: `sigaction` is plain data for which all zeros are valid; without a new action the call only writes to it.
    let (asked, action) = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(libc::SIGHUP, std::ptr::null(), &raw mut action), action)
    };
    (asked == 0 && action.sa_sigaction != libc::SIG_IGN).then_some(libc::SIGHUP)
}

/// A map of the whole file through which nothing is read: the system reports only for mapped pages whether they are in
/// memory.
pub(crate) struct Residency(memmap2::Mmap);

impl Residency {
    #[expect(unsafe_code, reason = "a memory map of a file that others may write to can't be safe")]
    pub(crate) fn new(file: &File, size: u64) -> Option<Self> {
        let size = usize::try_from(size).ok().filter(|size| *size > 0)?;
        // SAFETY: nothing reads through the map.
        unsafe { memmap2::MmapOptions::new().len(size).map(file) }.ok().map(Self)
    }

    #[expect(unsafe_code, reason = "mincore has no safe form")]
    pub(crate) fn pages(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let page = rustix::param::page_size();
        let start = usize::try_from(offset).ok()? / page * page;
        let end = usize::try_from(offset).ok()?.checked_add(length)?.min(self.0.len());
        let range = self.0.get(start..end)?;
        let mut pages = vec![0u8; range.len().div_ceil(page)];
        // SAFETY: the range lies within a live map and begins at a page, as the map does; `pages` has a byte for each of
        // its pages.
        let result = unsafe {
            libc::mincore(range.as_ptr().cast_mut().cast(), range.len(), pages.as_mut_ptr().cast())
        };
        (result == 0).then_some(pages)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "other systems do not tell")]
pub(crate) fn allocated(metadata: &Metadata) -> Option<u64> {
    // Counted in units of 512 bytes whatever the file system's block is.
    Some(metadata.blocks().saturating_mul(512))
}

pub(crate) use std::os::unix::net::UnixStream as LocalStream;

pub(crate) fn connect_local(path: &Path) -> io::Result<LocalStream> {
    LocalStream::connect(path)
}

/// A socket with a name in the file system.
#[derive(Debug)]
pub(crate) struct LocalListener {
    listener: std::os::unix::net::UnixListener,
    path: std::path::PathBuf,
    /// Device and number of the name, by which it is known again.
    identity: (u64, u64),
}

impl LocalListener {
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        // Linux gives the name the permissions that the socket has, less the umask. Other systems refuse: there the umask alone
        // decides.
        let _ = rustix::fs::fchmod(&socket, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        let metadata = std::fs::symlink_metadata(path)?;
        // From here on the name is removed if something fails.
        let made = Self {
            listener: socket.into(),
            path: path.to_owned(),
            identity: (metadata.dev(), metadata.ino()),
        };
        listen(&made.listener, LISTEN_BACKLOG)?;
        made.listener.set_nonblocking(true)?;
        Ok(made)
    }

    pub(crate) fn accept(&self, time: Duration) -> io::Result<Option<LocalStream>> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.listener, PollFlags::IN)], Some(&time)) {
            Ok(0) | Err(Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                Ok(Some(stream))
            }
            // The client may have gone meanwhile.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionAborted) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        let now = std::fs::symlink_metadata(&self.path).map(|metadata| (metadata.dev(), metadata.ino()));
        if now.is_ok_and(|now| now == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Connections that wait to be taken.
const LISTEN_BACKLOG: i32 = 16;

pub(crate) fn set_local_timeout(stream: &LocalStream, time: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(time))?;
    stream.set_write_timeout(Some(time))
}

/// For all threads of this process.
pub(crate) fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).ok()
}

pub(crate) fn free_space(folder: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(folder)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

#[expect(clippy::unnecessary_wraps, reason = "other systems have no such permissions")]
pub(crate) fn new_file_permissions(limits: &[Access]) -> Option<Permissions> {
    // Which group it will have is not known yet.
    Some(Permissions::from_mode(narrowed(0o666, None, limits)))
}

pub(crate) fn narrow(file: &File, limits: &[Access]) -> io::Result<()> {
    let metadata = file.metadata()?;
    let mode = metadata.mode() & 0o777;
    match narrowed(mode, Some(metadata.gid()), limits) {
        same if same == mode => Ok(()),
        narrower => file.set_permissions(Permissions::from_mode(narrower)),
    }
}

/// The mode of a file of this group after it was narrowed by `limits`. If the group of a limit is another group, its members count as
/// others. A user who may be a member of the group, with fewer rights than others, never gets the rights of others.
fn narrowed(mode: u32, group: Option<u32>, limits: &[Access]) -> u32 {
    limits.iter().fold(mode, |mode, limit| {
        let of_group = limit.mode >> 3 & 0o7;
        let of_others = limit.mode & of_group & 0o7;
        let of_group = if group == Some(limit.group) { of_group } else { of_others };
        mode & (0o700 | of_group << 3 | of_others)
    })
}

/// Every sequence of bytes may be a path.
#[expect(clippy::unnecessary_wraps, reason = "not every system has a path for all bytes")]
pub(crate) fn path_from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    Some(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_do_with_a_file_what_he_may_not_do_with_another() {
        let limit = |mode, group| Access { mode, group };
        for (limits, group, expected) in [
            (&[][..], Some(1), 0o666),
            (&[limit(0o600, 1)], Some(1), 0o600),
            (&[limit(0o640, 1)], Some(1), 0o640),
            (&[limit(0o640, 1)], Some(2), 0o600),
            (&[limit(0o640, 1)], None, 0o600),
            (&[limit(0o664, 1)], Some(2), 0o644),
            (&[limit(0o604, 1)], Some(2), 0o600),
            (&[limit(0o444, 1)], Some(1), 0o644),
            (&[limit(0o000, 1)], Some(1), 0o600),
            (&[limit(0o660, 1), limit(0o644, 1)], Some(1), 0o640),
        ] {
            assert_eq!(narrowed(0o666, group, limits), expected, "{limits:?} {group:?}");
        }
        assert_eq!(narrowed(0o600, Some(1), &[limit(0o666, 1)]), 0o600, "the umask's");
    }
}
