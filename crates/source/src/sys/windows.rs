//! Windows. **Untested on Windows**: written from the documentation, type-checked for x86_64-pc-windows-gnu; its tests have
//! run under Wine 8, which knows no sparse files. Only the repository's own CI builds and tests it on Windows.
//!
//! Files alone are supported: of a disk (`\\.\PhysicalDriveN`) the system does not answer what is asked here, so opening
//! it is an error. Nothing is mapped, since nothing guards a map; the scanner reads.

#![expect(
    unsafe_code,
    reason = "what Windows tells of an open file has no safe form in the standard library"
)]

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::num::NonZeroU64;
use std::os::windows::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_MORE_DATA, ERROR_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_OFFLINE, FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS,
    FILE_ATTRIBUTE_RECALL_ON_OPEN, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_SPARSE_FILE,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_NO_BUFFERING, FILE_FLAG_RANDOM_ACCESS, FILE_FLAG_SEQUENTIAL_SCAN,
    FILE_READ_ATTRIBUTES, GetFileInformationByHandle,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{FILE_ALLOCATED_RANGE_BUFFER, FSCTL_QUERY_ALLOCATED_RANGES};

use super::ranges::{self, Ranges};
use super::{Access, Status};
use crate::{Cancel, ChildUsage, Extent, FileKind, InUse, ReadPattern};

pub(crate) fn kind_of(metadata: &Metadata) -> FileKind {
    if metadata.is_file() {
        FileKind::Regular
    } else if metadata.is_dir() {
        FileKind::Directory
    } else {
        FileKind::Other
    }
}

pub(crate) fn status(file: &File) -> io::Result<Status> {
    let metadata = file.metadata()?;
    let (volume, index) = number_of(file)?;
    let (kind, size) = (kind_of(&metadata), metadata.len());
    Ok(Status { kind, size, volume, index, modified: metadata.modified().ok(), changed: None, access: None })
}

/// The folders of others can't be written to by an ordinary user, and who owns a file takes the security API to tell.
#[expect(clippy::unnecessary_wraps, reason = "on the other systems it can fail")]
pub(crate) fn belongs_to_user(_path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Who a file is can only be asked through a handle. This one may neither read nor write, and directories have one too.
pub(crate) fn status_at(path: &Path) -> io::Result<Status> {
    let mut options = File::options();
    options.access_mode(FILE_READ_ATTRIBUTES).custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    status(&options.open(path)?)
}

/// The serial number of the volume, and the file's index in it. ReFS has longer numbers than these; two of its files
/// that look the same are refused as input and output of one command, which is the safe side.
fn number_of(file: &File) -> io::Result<(u64, u64)> {
    let mut information = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open as long as `file` lives, and the structure is there to be written to.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut information) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let index = u64::from(information.nFileIndexHigh) << 32 | u64::from(information.nFileIndexLow);
    Ok((information.dwVolumeSerialNumber.into(), index))
}

pub(crate) fn standard_input() -> io::Result<File> {
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

pub(crate) fn standard_output() -> io::Result<File> {
    io::stdout().as_handle().try_clone_to_owned().map(File::from)
}

/// The standard library has no such sockets here; nothing ever makes one.
pub(crate) use std::fs::File as LocalStream;

pub(crate) fn connect_local(_path: &Path) -> io::Result<LocalStream> {
    Err(io::ErrorKind::Unsupported.into())
}

#[derive(Debug)]
pub(crate) struct LocalListener;

impl LocalListener {
    pub(crate) fn bind(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[expect(clippy::unused_self, reason = "other systems have such sockets")]
    pub(crate) fn accept(&self, _time: Duration) -> io::Result<Option<LocalStream>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

pub(crate) fn set_local_timeout(_stream: &LocalStream, _time: Duration) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn file_size_signal() -> Option<i32> {
    None
}

pub(crate) fn hangup_signal() -> Option<i32> {
    None
}

pub(crate) fn allocated(_metadata: &Metadata) -> Option<u64> {
    None
}

pub(crate) fn cpu_time() -> Option<Duration> {
    None
}

pub(crate) fn free_space(_folder: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing is known that does so for one file.
pub(crate) fn forget(_file: &File, _offset: u64, _len: Option<NonZeroU64>) {}

pub(crate) fn wait_for_child(_child: &Child, _begun: Instant, _cancel: &Cancel) -> io::Result<ChildUsage> {
    Err(io::ErrorKind::Unsupported.into())
}

/// There are only names: what they lead to is compared with the file that is held.
pub(crate) fn path_of_open(_file: &File) -> Option<PathBuf> {
    None
}

pub(crate) fn path_of_standard_input() -> Option<&'static Path> {
    None
}

pub(crate) fn device_size(_file: &File) -> io::Result<u64> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "only files are supported here"))
}

pub(crate) fn open(path: &Path, pattern: Option<ReadPattern>) -> io::Result<File> {
    let hint = match pattern {
        Some(ReadPattern::Random) => FILE_FLAG_RANDOM_ACCESS,
        Some(ReadPattern::Sequential) => FILE_FLAG_SEQUENTIAL_SCAN,
        None => 0,
    };
    File::options().read(true).custom_flags(hint).open(path)
}

/// Such reads must be of whole sectors, into memory that begins at one; `DIRECT_ALIGN` is a multiple of every sector.
pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(FILE_FLAG_NO_BUFFERING).open(path)
}

/// Also moves the position of the handle, which this crate does not use.
pub(crate) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buf, offset)
}

/// Moves the handle's own position, too.
pub(crate) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.seek_write(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

pub(crate) fn next_data(file: &File, offset: u64, size: u64) -> io::Result<Option<Extent>> {
    let rest = Some(Extent { start: offset, end: size });
    match ranges::next_data(offset, size, |from| allocated_ranges(file, from, size)) {
        Err(e) if knows_no_holes(&e) => Ok(rest),
        other => other,
    }
}

/// Only a sparse file has holes. Where a reparse point or a remote copy stands in for the content (deduplicated, stored
/// elsewhere), what is not allocated here may be data there.
pub(crate) fn holes_can_be_trusted(file: &File, _size: u64) -> bool {
    file.metadata().is_ok_and(|metadata| is_sparse_and_here(&metadata))
}

fn is_sparse_and_here(metadata: &Metadata) -> bool {
    const ELSEWHERE: u32 = FILE_ATTRIBUTE_REPARSE_POINT
        | FILE_ATTRIBUTE_OFFLINE
        | FILE_ATTRIBUTE_RECALL_ON_OPEN
        | FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS;
    let attributes = metadata.file_attributes();
    attributes & FILE_ATTRIBUTE_SPARSE_FILE != 0 && attributes & ELSEWHERE == 0
}

/// File systems that have no such question answer so.
fn knows_no_holes(e: &io::Error) -> bool {
    [ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED].iter().any(|code| is(e, *code))
}

fn is(e: &io::Error, code: u32) -> bool {
    e.raw_os_error().map(i32::cast_unsigned) == Some(code)
}

/// Ranges asked for at a time. One is wanted; but the first may end before the place that is asked about.
const RANGES: usize = 8;
/// Bytes of one.
const RANGE_BYTES: u32 = 16;
/// Bytes of all.
const ANSWER_BYTES: u32 = 128;
const _: () = assert!(size_of::<FILE_ALLOCATED_RANGE_BUFFER>() == RANGE_BYTES as usize);
const _: () = assert!(RANGES * RANGE_BYTES as usize == ANSWER_BYTES as usize);

fn allocated_ranges(file: &File, from: u64, to: u64) -> io::Result<Ranges> {
    let too_far = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let asked = FILE_ALLOCATED_RANGE_BUFFER {
        FileOffset: i64::try_from(from).map_err(too_far)?,
        Length: i64::try_from(to.saturating_sub(from)).map_err(too_far)?,
    };
    let mut found = [FILE_ALLOCATED_RANGE_BUFFER::default(); RANGES];
    let mut bytes = 0;
    // SAFETY: the handle is open as long as `file` lives and was not opened for overlapped requests, so the call is over
    // when it returns. Both buffers are of the lengths that are given with them, and plain numbers.
    let done = unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            FSCTL_QUERY_ALLOCATED_RANGES,
            (&raw const asked).cast(),
            RANGE_BYTES,
            found.as_mut_ptr().cast(),
            ANSWER_BYTES,
            &raw mut bytes,
            std::ptr::null_mut(),
        )
    };
    let mut more = false;
    if done == 0 {
        let error = io::Error::last_os_error();
        more = is(&error, ERROR_MORE_DATA);
        if !more {
            return Err(error);
        }
    }
    let count = usize::try_from(bytes / RANGE_BYTES).unwrap_or(RANGES);
    let ranges = found.iter().take(count).map(extent_of).collect::<io::Result<_>>()?;
    Ok(Ranges { ranges, more })
}

fn extent_of(range: &FILE_ALLOCATED_RANGE_BUFFER) -> io::Result<Extent> {
    let nonsense = |_| io::Error::new(io::ErrorKind::InvalidData, "the system reported an impossible extent");
    let start = u64::try_from(range.FileOffset).map_err(nonsense)?;
    let length = u64::try_from(range.Length).map_err(nonsense)?;
    Ok(Extent { start, end: start.saturating_add(length) })
}

/// The pattern is passed when the file is opened.
pub(crate) fn advise(_file: &File, _pattern: ReadPattern) {}

/// There is no such call on Windows.
pub(crate) fn announce(_file: &File, _offset: u64, _len: NonZeroU64) {}

/// Windows does not report it.
pub(crate) enum Residency {}

impl Residency {
    pub(crate) fn new(_file: &File, _size: u64) -> Option<Self> {
        None
    }

    pub(crate) fn pages(&self, _offset: u64, _length: usize) -> Option<Vec<u8>> {
        match *self {}
    }
}

/// Not asked for: it matters to maps alone, and there are none.
pub(crate) fn remote_file_system(_file: &File) -> Option<&'static str> {
    None
}

/// It is not asked.
pub(crate) fn read_ahead(_file: &File) -> Option<u64> {
    None
}

pub(crate) fn new_file_permissions(_limits: &[Access]) -> Option<Permissions> {
    None
}

/// A new file takes its permissions from its folder.
#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
pub(crate) fn narrow(_file: &File, _limits: &[Access]) -> io::Result<()> {
    Ok(())
}

/// There is no such signal, and nothing to guard.
#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
pub(crate) fn install_guard() -> io::Result<()> {
    Ok(())
}

/// There is none.
#[derive(Debug)]
pub(crate) enum GuardedMap {}

impl GuardedMap {
    pub(crate) fn new(_file: &File, _offset: u64, _len: usize) -> Option<Self> {
        None
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match *self {}
    }

    pub(crate) fn fault(&self) -> Option<usize> {
        match *self {}
    }
}

pub(crate) fn settings_folder() -> Option<PathBuf> {
    std::env::var_os("APPDATA").map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Nothing is known of what a program has started.
pub(crate) struct Family;

impl Family {
    pub(crate) fn prepare(_command: &mut Command) -> Self {
        Self
    }

    pub(crate) fn kill(&self, _program: u32) {}

    pub(crate) fn end(self, _program: u32, _ended_itself: bool) -> usize {
        0
    }
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

/// Paths are text; what is none can't be a path that was read from a file.
pub(crate) fn path_from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::Ioctl::FSCTL_SET_SPARSE;

    use super::*;
    use crate::{Error, ImageFile, ReadAt};

    const SIZE: u64 = 64 << 20;
    const PLACES: [u64; 4] = [0, 5 << 20, (9 << 20) + 17, SIZE - 1];

    /// Marks the file as sparse, where the file system has such files.
    fn make_sparse(file: &File) {
        let mut bytes = 0;
        // SAFETY: no buffers; the handle is open as long as `file` lives.
        let _ = unsafe {
            let (none, handle) = (std::ptr::null_mut(), file.as_raw_handle());
            DeviceIoControl(handle, FSCTL_SET_SPARSE, none, 0, none, 0, &raw mut bytes, none.cast())
        };
    }

    fn extents(image: &ImageFile) -> Vec<Extent> {
        let (mut cursor, mut at, mut found) = (image.extents(), 0, Vec::new());
        while let Some(extent) = cursor.data_from(at).unwrap() {
            assert!(extent.start >= at && extent.end > extent.start && extent.end <= SIZE);
            at = extent.end;
            found.push(extent);
        }
        found
    }

    #[test]
    fn every_byte_that_is_not_zero_lies_in_an_extent_and_a_sparse_file_has_holes() {
        let dir = tempfile::tempdir().unwrap();
        for sparse in [false, true] {
            let path = dir.path().join(format!("{sparse}.raw"));
            let file = File::create(&path).unwrap();
            if sparse {
                make_sparse(&file);
            }
            file.set_len(SIZE).unwrap();
            for place in PLACES {
                file.seek_write(&[1], place).unwrap();
            }
            let image = ImageFile::open(&path).unwrap();
            let found = extents(&image);
            for place in PLACES {
                assert!(found.iter().any(|e| (e.start..e.end).contains(&place)), "{place} in {found:?}");
            }
            if file.metadata().unwrap().file_attributes() & FILE_ATTRIBUTE_SPARSE_FILE == 0 {
                assert_eq!(found, [Extent { start: 0, end: SIZE }]);
            } else {
                assert!(found.iter().map(|e| e.end - e.start).sum::<u64>() < SIZE / 2, "{found:?}");
            }
        }
    }

    #[test]
    fn a_file_that_is_not_sparse_is_one_range_where_the_system_knows_ranges() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![1; 1 << 20]).unwrap();
        match allocated_ranges(&File::open(&path).unwrap(), 4096, 1 << 20) {
            Ok(answer) => {
                assert!(!answer.more && answer.ranges.len() == 1, "{:?}", answer.ranges);
                assert!(answer.ranges[0].start <= 4096 && answer.ranges[0].end >= 1 << 20);
            }
            Err(e) => assert!(knows_no_holes(&e), "{e}"),
        }
    }

    #[test]
    fn direct_reads_give_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![7; 10_000]).unwrap();
        let image = ImageFile::open(&path).unwrap();
        let mut buffer = crate::AlignedBuffer::zeroed(8192);
        let direct = image.reopen_direct().unwrap();
        assert_eq!(direct.read_once(buffer.bytes_mut(), 0).unwrap(), 8192);
        assert_eq!(direct.read_once(buffer.bytes_mut(), 8192).unwrap(), 10_000 - 8192);
        assert!(buffer.bytes_mut().iter().all(|b| *b == 7));
        assert!(matches!(
            image.read_at(&mut [0; 8], 9_999).unwrap_err(),
            Error::UnexpectedEnd { offset: 10_000, .. }
        ));
    }

    #[test]
    fn two_names_of_one_file_are_one_file_and_a_directory_is_no_image() {
        let dir = tempfile::tempdir().unwrap();
        let (path, hard) = (dir.path().join("image.raw"), dir.path().join("hard"));
        std::fs::write(&path, "a").unwrap();
        std::fs::hard_link(&path, &hard).unwrap();
        let other = dir.path().join("other");
        std::fs::write(&other, "a").unwrap();
        let image = ImageFile::open(&path).unwrap();
        assert!(image.identity().same_file(ImageFile::open(&hard).unwrap().identity()));
        assert!(!image.identity().same_file(ImageFile::open(&other).unwrap().identity()));
        let error = ImageFile::open(dir.path()).unwrap_err();
        assert!(matches!(error, Error::NotAnImage { kind: FileKind::Directory, .. }), "{error}");
    }
}
