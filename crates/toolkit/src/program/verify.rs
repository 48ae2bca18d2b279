//! Any image with its bitmap file, held against the program that writes bitmap files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use imsprep_bitmap::layout::LONGEST;
use imsprep_bitmap::{ProvenFile, bitmap_path};
use imsprep_source::{Cancel, ImageFile, Leftover, ProgramEnd, ReadAt, run_program};

use super::behaviour::difference;
use super::files::ProgramFiles;
use super::runner::{RunFailure, command_of, read_bitmap, text_of};
use super::{ProgramOptions, words_of};
use crate::{Error, Result};

/// What came of holding an image's bitmap file against a program.
#[derive(Clone, Debug)]
pub struct ProgramVerified {
    /// The image.
    pub image: PathBuf,
    /// Its bitmap file.
    pub bitmap: PathBuf,
    /// The command.
    pub command: String,
    /// The files that its words name.
    pub files: Vec<ProvenFile>,
    /// Bytes of the bitmap file, and of the one that the program wrote.
    pub lengths: [u64; 2],
    /// Where both differ, the bitmap file first; `None` if they are the same.
    pub difference: Option<String>,
    /// Processes that the program left behind, which were killed.
    pub left_behind: usize,
    /// How long the program ran.
    pub wall: Duration,
}

/// Runs a program on an image that is there, and compares what it writes with the image's bitmap file, byte for byte. The program
/// gets a place in the temporary folder to write to.
///
/// # Errors
///
/// [`Error::ProgramFailed`]; if image or bitmap can't be read; if the program changed the image.
pub fn verify_against_program(
    image: &Path,
    bitmap: Option<&Path>,
    options: &ProgramOptions,
    cancel: &Cancel,
) -> Result<ProgramVerified> {
    let words = words_of(&options.command)?;
    let files = ProgramFiles::of(&words, cancel)?;
    let path = bitmap.map_or_else(|| bitmap_path(image), Path::to_owned);
    let opened = ImageFile::open(image)?;
    let file = ImageFile::open(&path)?;
    if file.size() > LONGEST {
        return Err(Error::NoSample {
            path,
            why: "it is larger than 64 MiB, the most that a bitmap file may have",
        });
    }
    let mut ours = vec![0; usize::try_from(file.size()).unwrap_or(0)];
    file.read_at(&mut ours, 0)?;
    let _leftover = Leftover::new();
    let temp_error = |source| Error::TempFolder { path: options.temp_folder.clone(), source };
    let within = std::path::absolute(&options.temp_folder).map_err(temp_error)?;
    let folder = tempfile::Builder::new().prefix("imsprep-verify-").tempdir_in(within).map_err(temp_error)?;
    let made = folder.path().join(path.file_name().unwrap_or("image.mf".as_ref()));
    let command = command_of(&words, image, &made);
    let program = command.get_program().to_string_lossy().into_owned();
    let run = run_program(command, options.run_limit, cancel).map_err(|source| match source.kind() {
        std::io::ErrorKind::Interrupted => imsprep_source::Error::Cancelled.into(),
        _ => Error::Program { program, source },
    })?;
    let found = match run.end {
        ProgramEnd::TimedOut => Err(RunFailure::TimedOut(options.run_limit)),
        ProgramEnd::Exited(status) if !status.success() => Err(RunFailure::Status(status.to_string())),
        ProgramEnd::Exited(_) => read_bitmap(&made)?,
    };
    let theirs = found.map_err(|failure| {
        let output = text_of(&run.output);
        let output = if output.is_empty() { output } else { format!("; its output: {output}") };
        Error::ProgramFailed { path: image.to_owned(), why: format!("{failure}{output}") }
    })?;
    opened.verify_unchanged()?;
    files.verify_unchanged()?;
    Ok(ProgramVerified {
        image: image.to_owned(),
        bitmap: path,
        command: options.command.clone(),
        files: files.proven,
        lengths: [ours.len() as u64, theirs.len() as u64],
        difference: (ours != theirs).then(|| difference(&ours, &theirs)),
        left_behind: run.left_behind,
        wall: run.wall,
    })
}
