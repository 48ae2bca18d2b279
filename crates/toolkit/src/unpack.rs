//! A disk that can't be read within a compressed file is unpacked to a temporary file and read there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use imsprep_detect::{Access, Content, Detection, Fact, Format};
use imsprep_formats::{Unwrapped, Watch, Wrapper, XzAtRandom};
use imsprep_rules::PROFILES;
use imsprep_source::{Error as SourceError, ReadAt, ScratchFile, Stage, Work, free_space};

use crate::holes::write_data;
use crate::{Error, OpenedImage, Result};

/// Bytes that are unpacked at once.
const PIECE: usize = 2 << 20;
/// A file of a format with tables may be this much larger than the disk in it.
const TABLES: u64 = 64 << 30;

/// Where large temporary files belong if nothing else was said: the folder that `TMPDIR` names, else `/var/tmp` where there is one, as
/// `/tmp` is often in memory, else the system's folder.
pub fn large_temp_folder() -> PathBuf {
    let large = Path::new("/var/tmp");
    if std::env::var_os("TMPDIR").is_none() && large.is_dir() {
        large.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// What is unpacked of compressed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpack {
    /// Disks that can be read only at random: in formats with tables, and in archives. A RAW is read as it comes.
    Formats,
    /// Every disk.
    Every,
}

impl OpenedImage {
    /// Unpacks what is compressed to a temporary file in `folder`, if it holds a disk of that kind and nothing else is wrong with it. The
    /// image is then what was unpacked, under the same name. All other images stay as they are.
    ///
    /// The file is sparse, has no name where the system has such files, and goes with this value.
    ///
    /// # Errors
    ///
    /// [`Error::NoSpaceToUnpack`](crate::Error::NoSpaceToUnpack) before anything is written, if the compressed file says how large its
    /// content is; [`Error::WrongChecksum`](crate::Error::WrongChecksum); damage in the compressed data; what reading and writing brings; a stop.
    pub fn unpacked(self, what: Unpack, folder: &Path, work: Work<'_>) -> Result<Self> {
        let is_unpacked = self.is_to_be_unpacked(what)?;
        let Some(wrapper) = Wrapper::of(self.format()).filter(|_| is_unpacked) else {
            return self.with_archive_unpacked(folder, work);
        };
        if let Some(needed) = self.content_size() {
            check_space(self.path(), folder, needed)?;
        }
        let scratch = ScratchFile::create_in(folder, &[self.file()])?;
        let watch = self.hash().map(|hash| hash as Arc<dyn Watch>);
        let stream = Unwrapped::open_file(self.file(), wrapper, rayon::current_num_threads(), watch)?;
        unpack(stream, self.path(), self.content_size(), &scratch, work)?;
        self.file().verify_unchanged()?;
        self.verify_hash(work)?;
        let content = scratch.into_image(self.path())?;
        self.with_content(content, work.cancel)?.with_archive_unpacked(folder, work)
    }

    /// Opens a disk in a format with tables, in an xz file of several blocks, where it is: nothing is written, unless what is read jumps
    /// about in the file. That pays if most of it is read once, and nearly in order. All other images stay as they are.
    ///
    /// # Errors
    ///
    /// As [`unpacked`](Self::unpacked).
    pub(crate) fn opened_at_random(self, folder: &Path, work: Work<'_>) -> Result<Self> {
        let is_ours = |fact: &Fact| match fact {
            Fact::Inside(inside) => matches!(
                &inside.content,
                Content::Found { format, .. } if matches!(format.access(), Access::Own(_))
            ),
            _ => false,
        };
        let is_sound = self.format() == Format::Xz && self.is_to_be_unpacked(Unpack::Formats)?;
        if !is_sound || !self.detection().facts.iter().all(is_ours) {
            return Ok(self);
        }
        if let Some(needed) = self.content_size() {
            check_space(self.path(), folder, needed)?;
        }
        // What is read at random is not seen from its first byte to its last.
        self.verify_hash(work)?;
        let threads = rayon::current_num_threads();
        let (file, folder, size) = (self.file().reopen()?, folder.to_owned(), self.content_size());
        let cancel = work.cancel.clone();
        let unpack_all = move || {
            let scratch = ScratchFile::create_in(&folder, &[&file])?;
            let stream = Unwrapped::open_file(&file, Wrapper::Xz, threads, None)?;
            unpack(stream, file.path(), size, &scratch, Work::new(&(), &cancel)).map_err(
                |error| match error {
                    Error::Source(error) => error,
                    other => {
                        let what = other.to_string();
                        SourceError::NotExpanded { path: file.path().to_owned(), what }
                    }
                },
            )?;
            scratch.into_image(file.path())
        };
        match XzAtRandom::open(self.file(), threads, unpack_all)? {
            Some(content) => self.with_content_at_random(content, work.cancel),
            None => Ok(self),
        }
    }

    /// Whether it is a compressed file with a disk of that kind in it, of which nothing else is wrong.
    ///
    /// # Errors
    ///
    /// If the archive that it is can't be read.
    pub(crate) fn is_to_be_unpacked(&self, what: Unpack) -> Result<bool> {
        let is_sound = |fact: &Fact| match fact {
            Fact::Inside(inside) => match &inside.content {
                Content::Found { format: Format::Raw, .. } | Content::Nothing => what == Unpack::Every,
                Content::Found { format, .. } => matches!(
                    format.access(),
                    Access::Container | Access::Own(_) | Access::Qemu(_) | Access::Archive
                ),
                Content::NotLookedAt(_) => false,
            },
            _ => false,
        };
        let Detection { also, facts, .. } = self.detection();
        // The disk in an archive may be compressed as well.
        if self.is_archive() {
            return if also.is_empty() { self.is_member_to_be_unpacked(what) } else { Ok(false) };
        }
        Ok(Wrapper::of(self.format()).is_some()
            && also.is_empty()
            && !facts.is_empty()
            && facts.iter().all(is_sound))
    }
}

pub(crate) fn check_space(path: &Path, folder: &Path, needed: u64) -> Result<()> {
    match free_space(folder) {
        Ok(free) if free < needed => {
            let (path, folder) = (path.to_owned(), folder.to_owned());
            Err(Error::NoSpaceToUnpack { path, folder, needed, free })
        }
        // Where it is not known, or the folder is not there, writing tells.
        _ => Ok(()),
    }
}

/// Writes all that comes from the stream.
pub(crate) fn unpack(
    mut stream: Unwrapped<'_>,
    path: &Path,
    size: Option<u64>,
    scratch: &ScratchFile,
    work: Work<'_>,
) -> Result<()> {
    let most = PROFILES.iter().map(|profile| profile.max_disk).max().unwrap_or(0) + TABLES;
    let stage = Stage::begin(work.progress, "unpacking to a temporary file", size.unwrap_or(0));
    let mut piece = vec![0; PIECE];
    let mut length = 0;
    loop {
        work.cancel.check()?;
        let filled = stream.fill(&mut piece)?;
        let bytes = piece.get(..filled).unwrap_or_default();
        if length + filled as u64 > most {
            let (path, size) = (path.to_owned(), length + filled as u64);
            return Err(imsprep_zvhd2::Error::DiskTooLarge { path, size }.into());
        }
        write_data(scratch, bytes, length)?;
        length += filled as u64;
        stage.advance(filled as u64);
        if filled < PIECE {
            scratch.set_len(length)?;
            return Ok(());
        }
    }
}
