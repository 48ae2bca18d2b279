//! The files that a program consists of, as far as its command names them.

use std::path::{Path, PathBuf};

use imsprep_bitmap::ProvenFile;
use imsprep_source::{Cancel, FileKind, ImageFile, ReadAt, Work};

use super::words::{BITMAP, IMAGE};
use crate::Result;
use crate::digest::digest;

/// Files with their hashes, held open.
pub(super) struct ProgramFiles {
    pub(super) proven: Vec<ProvenFile>,
    open: Vec<ImageFile>,
}

impl ProgramFiles {
    /// Those that the words name: the program itself, as it is found, and every argument that is the path of a regular file.
    pub(super) fn of(words: &[String], cancel: &Cancel) -> Result<Self> {
        let program = words.first().and_then(|word| found(word));
        let arguments = words.iter().skip(1).filter(|word| !word.contains(IMAGE) && !word.contains(BITMAP));
        // `-cp=x.jar` names a file as well.
        let arguments = arguments.filter_map(|word| {
            let behind = word.split_once('=').map_or(word.as_str(), |(_, behind)| behind);
            [word.as_str(), behind].into_iter().map(PathBuf::from).find(|path| path.is_file())
        });
        let mut files = Self { proven: Vec::new(), open: Vec::new() };
        for path in program.into_iter().chain(arguments) {
            let file = ImageFile::open(&path)?;
            if file.kind() != FileKind::Regular {
                continue;
            }
            let sha256 = digest(&file, Work::new(&(), cancel))?.sha256;
            files.proven.push(ProvenFile {
                name: path.to_string_lossy().into_owned(),
                size: file.size(),
                sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            });
            files.open.push(file);
        }
        Ok(files)
    }

    /// # Errors
    ///
    /// If one of them changed meanwhile: then it is not known which one wrote what.
    pub(super) fn verify_unchanged(&self) -> Result<()> {
        Ok(self.open.iter().try_for_each(ImageFile::verify_unchanged)?)
    }
}

/// The file that the system takes for a program of this name.
fn found(name: &str) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 || name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}
