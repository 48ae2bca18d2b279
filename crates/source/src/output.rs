//! Files that appear complete or not at all.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::temporary::{Temporary, folder_of};
use crate::{Error, FileKind, ImageFile, Input, Overwrite, Result, sys};

/// A file being written. Until [`commit`](Self::commit) it has no name, or a temporary one in the folder of its place where
/// the system has no files without names; dropped before that, it is gone.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    temporary: Temporary,
    overwrite: Overwrite,
    written: u64,
    /// What lies before this is on its way to the disk.
    pushed: u64,
}

/// Bytes that are written before the system is asked to bring them to the disk. Left to itself it may keep gigabytes in
/// memory, and the flush at the end would wait for all of them.
const PUSH: u64 = 8 << 20;

impl OutputFile {
    /// Begins an output at `path`, made from `inputs`.
    ///
    /// The place is checked now, so that a long work does not end in "exists already", and again at the end.
    ///
    /// # Errors
    ///
    /// [`Error::OutputIsInput`] if `path` leads to one of the inputs, by whatever name and whatever `overwrite`;
    /// [`Error::Exists`]; [`Error::NotAFile`] if a directory, a device or a pipe is there; [`Error::Write`] if no file
    /// can be made beside it.
    pub fn create(path: impl Into<PathBuf>, overwrite: Overwrite, inputs: &[&ImageFile]) -> Result<Self> {
        let inputs = inputs.iter().map(|image| Input::from(*image)).collect::<Vec<_>>();
        Self::create_from(path, overwrite, &inputs)
    }

    /// The same, of inputs of which there may be too many to be open at once.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn create_from(path: impl Into<PathBuf>, overwrite: Overwrite, inputs: &[Input]) -> Result<Self> {
        let path = path.into();
        may_be_made(&path, overwrite, inputs)?;
        // Through a link to a file it is that file that is replaced, not the link.
        let path = if path.is_symlink() { path.canonicalize().unwrap_or(path) } else { path };
        // What may not be read by everybody is not readable in another form, nor in the place of a file that was not.
        let replaced = Input::at(&path).ok();
        let limits = inputs.iter().chain(&replaced).filter_map(Input::access).collect::<Vec<_>>();
        let temporary = temporary_beside(&path, &limits)?;
        Ok(Self { path, temporary, overwrite, written: 0, pushed: 0 })
    }

    /// Whether an output may be made at `path`; the same errors as [`create`](Self::create), but nothing is left there.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub fn check_place(path: &Path, overwrite: Overwrite, inputs: &[&ImageFile]) -> Result<()> {
        Self::create(path, overwrite, inputs).map(drop)
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of `bytes` at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Write`]; the temporary file goes when `self` does.
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.temporary.file().write_all(bytes).map_err(|e| write_error(&self.path, "write to it", e))?;
        self.written += bytes.len() as u64;
        if self.written - self.pushed >= PUSH {
            self.push();
        }
        Ok(())
    }

    /// Makes the system begin to write what it holds of the file: Linux does this when advised that the bytes are not needed
    /// in memory. Advice only.
    fn push(&mut self) {
        let length = std::num::NonZeroU64::new(self.written - self.pushed);
        sys::forget(self.temporary.file(), self.pushed, length);
        self.pushed = self.written;
    }

    /// The file as it is so far, to be read: from the disk, as far as the system lets us ask for that, and not from the
    /// memory that the writes left behind. Errors call it by the path that it will have.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] if it can't be flushed, or what opening it brings.
    pub fn read_back(&self) -> Result<ImageFile> {
        let file = self.temporary.file();
        file.sync_all().map_err(|e| write_error(&self.path, "flush it to the disk", e))?;
        let image = self.reopen()?;
        image.forget_cached();
        Ok(image)
    }

    /// The same without the flush, for what looks at the content and need not know that the disk has it.
    ///
    /// # Errors
    ///
    /// What opening it brings.
    pub fn reopen(&self) -> Result<ImageFile> {
        let again =
            self.temporary.reopen().map_err(|source| Error::Open { path: self.path.clone(), source })?;
        ImageFile::from_file(self.path.clone(), again)
    }

    /// Makes the file `length` bytes long. What is never written of it reads as zeros, and takes no room where the file
    /// system has holes.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn set_len(&mut self, length: u64) -> Result<()> {
        let result = self.temporary.file().set_len(length);
        result.map_err(|e| write_error(&self.path, "set its length", e))
    }

    /// Writes all of `bytes` from `offset` on; several threads may do so at once.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let result = sys::write_all_at(self.temporary.file(), bytes, offset);
        result.map_err(|e| write_error(&self.path, "write to it", e))
    }

    /// Makes the file durable and puts it in its place: fsync, name, fsync of the folder.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish) and [`FinishedFile::place`].
    pub fn commit(self) -> Result<()> {
        self.finish()?.place()
    }

    /// Makes the file durable. Who writes two files that belong together does so with both before either gets its name.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn finish(self) -> Result<FinishedFile> {
        let Self { path, temporary, overwrite, .. } = self;
        temporary.file().sync_all().map_err(|e| write_error(&path, "flush it to the disk", e))?;
        Ok(FinishedFile { path, temporary, overwrite })
    }
}

/// A file that is complete and on the disk, and lacks its name alone. Dropped before it gets that, it is gone.
#[derive(Debug)]
pub struct FinishedFile {
    path: PathBuf,
    temporary: Temporary,
    overwrite: Overwrite,
}

impl FinishedFile {
    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes away the file that this one is going to replace, so that it is never found beside the new partner of this one.
    /// Does nothing where nothing may be replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Write`].
    pub fn remove_old(&self) -> Result<()> {
        match self.overwrite {
            Overwrite::Refuse => Ok(()),
            Overwrite::Replace => match std::fs::remove_file(&self.path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    Err(write_error(&self.path, "remove the old file", e))
                }
                _ => Ok(()),
            },
        }
    }

    /// Puts the file in its place: name, fsync of the folder.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if that file was created meanwhile and must not be replaced; [`Error::Write`].
    pub fn place(self) -> Result<()> {
        let Self { path, temporary, overwrite } = self;
        if let Err(e) = temporary.place(&path, overwrite) {
            return Err(match e.kind() {
                io::ErrorKind::AlreadyExists => Error::Exists { path },
                _ => write_error(&path, "rename the finished file into place", e),
            });
        }
        // The file is in place; some file systems can't fsync a folder, and that does not undo it.
        if let Ok(folder) = File::open(folder_of(&path)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// Looks at what is at the place of an output.
fn may_be_made(path: &Path, overwrite: Overwrite, inputs: &[Input]) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) => {
            let not_a_file = |kind| Error::NotAFile { path: path.to_owned(), kind };
            let kind = FileKind::of(&metadata);
            if !matches!(kind, FileKind::Regular | FileKind::BlockDevice) {
                return Err(not_a_file(kind));
            }
            let there = ImageFile::open(path)?;
            for input in inputs {
                if there.identity().same_file(input.identity()) {
                    let input = input.path().to_owned();
                    return Err(Error::OutputIsInput { path: path.to_owned(), input });
                }
            }
            if there.kind() != FileKind::Regular {
                return Err(not_a_file(there.kind()));
            }
        }
        // A link that leads nowhere is a name that is taken, too.
        Err(_) if path.symlink_metadata().is_ok() => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Open { path: path.to_owned(), source }),
    }
    match overwrite {
        Overwrite::Refuse => Err(Error::Exists { path: path.to_owned() }),
        Overwrite::Replace => Ok(()),
    }
}

fn temporary_beside(path: &Path, limits: &[sys::Access]) -> Result<Temporary> {
    let folder = folder_of(path);
    Temporary::create_in(folder, limits).map_err(|source| {
        let what = if folder.exists() {
            "create a temporary file beside it"
        } else {
            "create it: its folder does not exist; create the folder with mkdir -p"
        };
        Error::Write { path: path.to_owned(), what, source }
    })
}

fn write_error(path: &Path, what: &'static str, source: io::Error) -> Error {
    Error::Write { path: path.to_owned(), what, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.mf");
        let mut output = OutputFile::create(&path, Overwrite::Refuse, &[]).unwrap();
        output.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(output);
        assert!(names(dir.path()).is_empty());

        let mut output = OutputFile::create(&path, Overwrite::Refuse, &[]).unwrap();
        output.write_all(b"whole").unwrap();
        output.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(dir.path()), ["out.mf"]);
    }

    #[test]
    fn what_was_written_can_be_read_before_it_is_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.mf");
        let mut output = OutputFile::create(&path, Overwrite::Refuse, &[]).unwrap();
        output.write_all(b"hidden").unwrap();
        let back = output.read_back().unwrap();
        assert_eq!((crate::ReadAt::size(&back), crate::ReadAt::path(&back)), (6, path.as_path()));
        assert_eq!(&crate::ReadAtExt::read_array::<6>(&back, 0).unwrap(), b"hidden");
        assert!(!path.exists());
        output.commit().unwrap();
    }

    #[test]
    fn what_was_not_written_reads_as_zeros() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.raw");
        let mut output = OutputFile::create(&path, Overwrite::Refuse, &[]).unwrap();
        output.set_len(1 << 20).unwrap();
        output.write_at(b"end", (1 << 20) - 3).unwrap();
        output.write_at(b"start", 0).unwrap();
        output.commit().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(
            (bytes.len(), &bytes[..5], &bytes[(1 << 20) - 3..]),
            (1 << 20, &b"start"[..], &b"end"[..])
        );
        assert!(bytes[5..(1 << 20) - 3].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn of_a_pair_the_old_file_can_go_before_the_new_one_comes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.mf");
        let finished = |overwrite| {
            let mut output = OutputFile::create(&path, overwrite, &[]).unwrap();
            output.write_all(b"new").unwrap();
            output.finish().unwrap()
        };
        // Nothing there: nothing to take away.
        finished(Overwrite::Replace).remove_old().unwrap();
        let first = finished(Overwrite::Refuse);
        std::fs::write(&path, "old").unwrap();
        first.remove_old().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let second = finished(Overwrite::Replace);
        second.remove_old().unwrap();
        assert!(!path.exists());
        second.place().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["out.mf"]);
    }

    #[test]
    fn what_exists_stays_unless_it_may_be_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.mf");
        std::fs::write(&path, "old").unwrap();
        let error = OutputFile::create(&path, Overwrite::Refuse, &[]).unwrap_err();
        assert!(matches!(error, Error::Exists { .. }), "{error}");
        let mut output = OutputFile::create(&path, Overwrite::Replace, &[]).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_file_made_meanwhile_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.mf");
        let mut output = OutputFile::create(&path, Overwrite::Refuse, &[]).unwrap();
        output.write_all(b"mine").unwrap();
        std::fs::write(&path, "theirs").unwrap();
        assert!(matches!(output.commit().unwrap_err(), Error::Exists { .. }));
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(dir.path()), ["out.mf"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_input_is_never_an_output_by_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image.raw");
        std::fs::write(&image, "precious").unwrap();
        std::os::unix::fs::symlink(&image, dir.path().join("soft")).unwrap();
        std::fs::hard_link(&image, dir.path().join("hard")).unwrap();
        let input = ImageFile::open(&image).unwrap();
        for name in ["image.raw", "soft", "hard", "./image.raw"] {
            let error = OutputFile::create(dir.path().join(name), Overwrite::Replace, &[&input]).unwrap_err();
            assert!(matches!(error, Error::OutputIsInput { .. }), "{name}: {error}");
        }
        let error = OutputFile::create(dir.path(), Overwrite::Replace, &[]).unwrap_err();
        assert!(matches!(error, Error::NotAFile { kind: FileKind::Directory, .. }), "{error}");
        let error = OutputFile::create("/dev/null", Overwrite::Replace, &[]).unwrap_err();
        assert_eq!(error.to_string(), "/dev/null: is a character device; the output must be a file");
        assert_eq!(std::fs::read(&image).unwrap(), b"precious");
    }

    #[cfg(unix)]
    #[test]
    fn through_a_link_the_file_is_replaced_and_the_link_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("real.mf"), dir.path().join("link.mf"));
        std::fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink("real.mf", &link).unwrap();
        let mut output = OutputFile::create(&link, Overwrite::Replace, &[]).unwrap();
        output.write_all(b"new").unwrap();
        output.commit().unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn a_dangling_link_is_a_name_that_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).unwrap();
        let error = OutputFile::create(&link, Overwrite::Refuse, &[]).unwrap_err();
        assert!(matches!(error, Error::Exists { .. }), "{error}");
    }
}
