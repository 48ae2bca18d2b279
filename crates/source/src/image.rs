//! An image file or block device, open for reading.

use std::fs::{File, Metadata};
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::extents::ExtentCursor;
use crate::holes::{ASKED_FROM, LastExtent};
use crate::{Error, Extent, FileIdentity, FileKind, InUse, ReadAt, ReadPattern, Result, Window, sys};

impl FileKind {
    /// The kind that the system's metadata shows.
    pub fn of(metadata: &Metadata) -> Self {
        sys::kind_of(metadata)
    }
}

/// A regular file or block device, open for reading. Symbolic links are followed; pipes, sockets and directories are
/// refused without being opened.
#[derive(Debug)]
pub struct ImageFile {
    path: PathBuf,
    file: File,
    kind: FileKind,
    size: u64,
    identity: FileIdentity,
    access: Option<sys::Access>,
    /// Whether the path is the name of the file, and not what a file without a name is called.
    has_name: bool,
    /// Determined when extents are first requested.
    trusts_holes: OnceLock<bool>,
    last_extent: LastExtent,
}

impl ImageFile {
    /// Opens the image at `path` and takes down its size and identity.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the system refuses, [`Error::NotAnImage`] if it is no file and no block device.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let open_error = |source| Error::Open { path: path.clone(), source };
        // Looked at before it is opened: opening a FIFO would wait for a writer, opening a device may do things.
        refuse_unless_image(&path, &sys::status_at(&path).map_err(open_error)?)?;
        let file = sys::open(&path, None).map_err(open_error)?;
        Self::from_file(path, file)
    }

    pub(crate) fn from_file(path: PathBuf, file: File) -> Result<Self> {
        let status = sys::status(&file).map_err(|e| Error::query(&path, "read its metadata", e))?;
        let kind = refuse_unless_image(&path, &status)?;
        let size = size_of(&file, &status).map_err(|e| Error::query(&path, "find its size", e))?;
        let identity = FileIdentity::new(&status, size);
        let (access, trusts_holes, last_extent) = (status.access, OnceLock::new(), LastExtent::default());
        Ok(Self { path, file, kind, size, identity, access, has_name: true, trusts_holes, last_extent })
    }

    /// The same of a file without a name, which is called `shown`.
    pub(crate) fn without_name(shown: PathBuf, file: File) -> Result<Self> {
        Ok(Self { has_name: false, ..Self::from_file(shown, file)? })
    }

    /// The same file, of which holes are read as well: for file systems that report holes where there is data.
    #[must_use]
    pub fn reading_holes(self) -> Self {
        Self { trusts_holes: OnceLock::from(false), last_extent: LastExtent::default(), ..self }
    }

    /// Whether this machine has a volume mounted that is on the device or in the file, and what else it uses the device for. A file may be
    /// mounted through loop devices. `None` if nothing is known, also where the system does not tell; of virtual machines those of
    /// qemu are seen, on this machine, and over a network file system that has locks.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] if the file can't be asked.
    pub fn in_use(&self) -> Result<Option<InUse>> {
        sys::in_use(&self.file).map_err(|e| Error::query(&self.path, "find out what uses it", e))
    }

    /// A second descriptor of the same file, so that each can have its own [`ReadPattern`].
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). The system opens the file that is held, whatever its name leads to by now; where it can only open
    /// a name, [`Error::Changed`] if that leads to another file.
    pub fn reopen(&self) -> Result<Self> {
        self.open_again(|path| sys::open(path, None))
    }

    /// A second descriptor, with advice how it is going to be read: for systems that take the pattern when a file is opened, and
    /// no longer by [`advise`](Self::advise).
    ///
    /// # Errors
    ///
    /// As [`reopen`](Self::reopen).
    pub fn reopen_for(&self, pattern: ReadPattern) -> Result<Self> {
        let again = self.open_again(|path| sys::open(path, Some(pattern)))?;
        again.advise(pattern);
        Ok(again)
    }

    /// A descriptor whose reads go past the page cache (`O_DIRECT` and its like). Its reads must begin at a multiple of
    /// [`DIRECT_ALIGN`](crate::DIRECT_ALIGN), be as long, and go into memory that is aligned so:
    /// [`AlignedBuffer`](crate::AlignedBuffer).
    ///
    /// # Errors
    ///
    /// As [`reopen`](Self::reopen), and [`Error::Open`] where file system or system have no such reads.
    pub fn reopen_direct(&self) -> Result<Self> {
        self.open_again(sys::open_direct)
    }

    fn open_again(&self, open: impl FnOnce(&Path) -> io::Result<File>) -> Result<Self> {
        let held = sys::path_of_open(&self.file);
        let opened = open(held.as_deref().unwrap_or(&self.path));
        let file = opened.map_err(|source| Error::Open { path: self.path.clone(), source })?;
        let again = Self::from_file(self.path.clone(), file)?;
        if again.identity.same_file(&self.identity) {
            return Ok(Self { has_name: self.has_name, trusts_holes: self.trusts_holes.clone(), ..again });
        }
        let what = "another file has its name now".into();
        Err(Error::Changed { path: self.path.clone(), what })
    }

    /// Gives this very file to the program that `command` starts, as its standard input. Returns the path by which the program
    /// opens it; `None` where the system has no such path, so that only the file's name can be given.
    ///
    /// # Errors
    ///
    /// If the descriptor can't be copied.
    pub fn give_to(&self, command: &mut Command) -> io::Result<Option<&'static Path>> {
        let path = sys::path_of_standard_input();
        if path.is_some() {
            command.stdin(self.file.try_clone()?);
        }
        Ok(path)
    }

    /// Regular file or block device.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// The identity taken when the file was opened.
    pub fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// Who may read it.
    pub(crate) fn access(&self) -> Option<sys::Access> {
        self.access
    }

    /// Compares the file, and what its path leads to now if that is its name, with the identity taken when it was opened.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] if anything differs.
    pub fn verify_unchanged(&self) -> Result<()> {
        let held = sys::status(&self.file).map_err(|e| Error::query(&self.path, "read its metadata", e))?;
        let size = size_of(&self.file, &held).map_err(|e| Error::query(&self.path, "find its size", e))?;
        let now = FileIdentity::new(&held, size);
        let is_at_its_name = !self.has_name || {
            let named = sys::status_at(&self.path).map_err(|_| Error::Changed {
                path: self.path.clone(),
                what: "it was deleted or renamed".into(),
            })?;
            FileIdentity::new(&named, size).same_file(&now)
        };
        let difference = if is_at_its_name {
            self.identity.difference(&now)
        } else {
            Some("another file has its name now".into())
        };
        match difference {
            Some(what) => Err(Error::Changed { path: self.path.clone(), what }),
            None => Ok(()),
        }
    }

    /// Tells the kernel how this descriptor is going to be read. Advice only: failure has no effect.
    pub fn advise(&self, pattern: ReadPattern) {
        sys::advise(&self.file, pattern);
    }

    /// Tells the kernel that these bytes are wanted soon. Advice only: failure has no effect.
    pub fn announce(&self, offset: u64, len: u64) {
        if let Some(len) = NonZeroU64::new(len) {
            sys::announce(&self.file, offset, len);
        }
    }

    /// Asks the kernel to forget what it keeps of the file in memory, so that the next reads come from the disk. What has
    /// not been written to the disk yet is written first. Advice only: [`resident_share`](Self::resident_share) shows
    /// what came of it.
    pub fn forget_cached(&self) {
        let _ = self.file.sync_data();
        sys::forget(&self.file, 0, None);
    }

    /// Bytes that the file system keeps for the file: less than its size where it has holes. The size where the system
    /// does not tell.
    ///
    /// # Errors
    ///
    /// [`Error::Query`] if the system fails.
    pub fn allocated(&self) -> Result<u64> {
        if self.kind != FileKind::Regular {
            return Ok(self.size);
        }
        let metadata = self.file.metadata().map_err(|e| Error::query(&self.path, "read its metadata", e))?;
        Ok(allocated_size(&metadata))
    }

    /// One read of what is there, up to the end of the file: what direct reads can do. Returns the bytes read.
    ///
    /// # Errors
    ///
    /// [`Error::Read`] if the system fails.
    pub fn read_once(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        loop {
            match sys::read_at(&self.file, buf, offset) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(|e| Error::read(&self.path, offset, e)),
            }
        }
    }

    /// The share of the file's data that is in the page cache, from 0 to 1, by a sample; `None` where the system does
    /// not tell, or where there is no data.
    pub fn resident_share(&self) -> Option<f64> {
        crate::residency::resident_share(&self.file, &mut self.extents(), self.size)
    }

    /// The name of the network or user-space file system that the file is on; `None` for local ones.
    pub fn remote_file_system(&self) -> Option<&'static str> {
        sys::remote_file_system(&self.file)
    }

    /// Bytes that the system reads ahead of a file on the same disk that is read in order; `None` where it does not tell.
    pub fn read_ahead(&self) -> Option<u64> {
        sys::read_ahead(&self.file)
    }

    /// A cursor over the file's data and holes, for one thread.
    pub fn extents(&self) -> ExtentCursor<'_> {
        let trusted = *self.trusts_holes.get_or_init(|| sys::holes_can_be_trusted(&self.file, self.size));
        ExtentCursor::new(&self.path, &self.file, self.size, trusted)
    }

    /// Maps `len` bytes from `offset` on, or `None` where that can't be done safely: no bus error guard installed, no
    /// free slot, or the system refuses. The caller then reads.
    pub fn map(&self, offset: u64, len: usize) -> Option<Window<'_>> {
        Window::new(&self.path, &self.file, offset, len)
    }
}

impl ReadAt for ImageFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        // Of what ends beyond the file the system's answer says where.
        if buf.len() < ASKED_FROM || offset.saturating_add(buf.len() as u64) > self.size {
            return self.read_all(buf, offset);
        }
        let read = |buf: &mut [u8], offset| self.read_all(buf, offset);
        self.last_extent.read_around_holes(|| self.extents(), read, buf, offset)
    }
}

impl ImageFile {
    /// The first data from an offset on and before another one.
    pub(crate) fn data_in(&self, from: u64, end: u64) -> Result<Option<Extent>> {
        self.last_extent.data_in(self.extents(), from, end)
    }

    /// Fills the buffer from the file, holes included.
    fn read_all(&self, mut buf: &mut [u8], mut offset: u64) -> Result<()> {
        // Piece by piece, so that an error names the place where it happened and not where the read began.
        while !buf.is_empty() {
            match sys::read_at(&self.file, buf, offset) {
                Ok(0) => return Err(Error::UnexpectedEnd { path: self.path.clone(), offset }),
                Ok(n) => {
                    buf = buf.get_mut(n..).unwrap_or_default();
                    offset += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::read(&self.path, offset, e)),
            }
        }
        Ok(())
    }
}

fn refuse_unless_image(path: &Path, status: &sys::Status) -> Result<FileKind> {
    match status.kind {
        kind @ (FileKind::Regular | FileKind::BlockDevice) => Ok(kind),
        kind => Err(Error::NotAnImage { path: path.to_owned(), kind }),
    }
}

fn size_of(file: &File, status: &sys::Status) -> io::Result<u64> {
    if status.kind == FileKind::Regular { Ok(status.size) } else { sys::device_size(file) }
}

/// Bytes that the file system keeps for a file: fewer than its size where it has holes. On systems that do not tell, the size.
pub fn allocated_size(metadata: &std::fs::Metadata) -> u64 {
    sys::allocated(metadata).unwrap_or(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReadAtExt;

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    #[test]
    fn reads_at_a_position_and_names_the_offset_where_the_file_ends() {
        let (_dir, path) = file_with(b"0123456789");
        let image = ImageFile::open(&path).unwrap();
        assert_eq!(image.size(), 10);
        assert_eq!(&image.read_array::<3>(7).unwrap(), b"789");
        let error = image.read_array::<4>(7).unwrap_err();
        assert!(matches!(error, Error::UnexpectedEnd { offset: 10, .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn holes_are_not_allocated_and_a_forgotten_file_is_not_in_memory() {
        let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = dir.path().join("image.raw");
        std::fs::write(&path, vec![1; 4 << 20]).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(1 << 30).unwrap();
        let image = ImageFile::open(&path).unwrap();
        image.forget_cached();
        assert!((4 << 20..5 << 20).contains(&image.allocated().unwrap()), "{:?}", image.allocated());
        assert!(image.resident_share().unwrap() < 0.1, "{:?}", image.resident_share());
    }

    #[test]
    fn holes_that_are_read_are_data_of_every_descriptor() {
        let (_dir, path) = file_with(b"start");
        File::options().write(true).open(&path).unwrap().set_len(1 << 30).unwrap();
        let image = ImageFile::open(&path).unwrap().reading_holes();
        for image in [image.reopen().unwrap(), image] {
            let all = image.extents().data_from(0).unwrap().unwrap();
            assert_eq!((all.start, all.end), (0, 1 << 30));
            let rest = image.extents().data_from(77 << 20).unwrap().unwrap();
            assert_eq!((rest.start, rest.end), (77 << 20, 1 << 30));
        }
    }

    #[test]
    fn refuses_what_is_no_file_without_waiting_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let error = ImageFile::open(dir.path()).unwrap_err();
        assert!(matches!(error, Error::NotAnImage { kind: FileKind::Directory, .. }), "{error}");
        let error = ImageFile::open("/dev/null").unwrap_err();
        assert!(matches!(error, Error::NotAnImage { kind: FileKind::CharDevice, .. }), "{error}");
        let error = ImageFile::open(dir.path().join("none")).unwrap_err();
        assert!(matches!(error, Error::Open { .. }), "{error}");
    }

    #[test]
    fn sees_that_a_file_was_written_to_cut_or_replaced() {
        let (_dir, path) = file_with(&[1; 8192]);
        let image = ImageFile::open(&path).unwrap();
        image.verify_unchanged().unwrap();
        image.reopen().unwrap();

        File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
        let error = image.verify_unchanged().unwrap_err().to_string();
        assert!(error.contains("its size was 8192 bytes and is 100 now"), "{error}");

        let (_dir, path) = file_with(&[1; 8192]);
        let image = ImageFile::open(&path).unwrap();
        let other = path.with_extension("new");
        std::fs::write(&other, [2; 8192]).unwrap();
        std::fs::rename(&other, &path).unwrap();
        let error = image.verify_unchanged().unwrap_err().to_string();
        assert!(error.contains("another file has its name now"), "{error}");
        match image.reopen() {
            Ok(again) => assert_eq!(&again.read_array::<2>(0).unwrap(), &[1, 1], "the file that is held"),
            Err(error) => assert!(matches!(error, Error::Changed { .. }), "{error}"),
        }

        let (_dir, path) = file_with(&[1; 8192]);
        let image = ImageFile::open(&path).unwrap();
        let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        File::options().write(true).open(&path).unwrap().set_modified(hour_ago).unwrap();
        let error = image.verify_unchanged().unwrap_err().to_string();
        assert!(error.contains("modification time"), "{error}");
    }
}
