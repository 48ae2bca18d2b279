//! Runs of a program on images that are made for it, with limits, and with nothing left of them.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use imsprep_bitmap::layout::LONGEST;
use imsprep_source::{Cancel, ImageFile, Leftover, ProgramEnd, ReadAt, run_program};

use super::sample_image::SampleImage;
use super::words::{BITMAP, IMAGE};
use crate::{Error, Result};

/// Bytes of a program's output that are told of.
const OUTPUT_SHOWN: usize = 2000;

/// A run that brought no bitmap file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RunFailure {
    /// The program told a failure.
    Status(String),
    /// It was killed at the time limit of one run.
    TimedOut(Duration),
    /// It was killed because no time was left for all runs together.
    NoTimeLeft,
    /// There is no file where the bitmap file should be; these are there instead.
    Nothing(Vec<String>),
    /// What is there is no file that could be a bitmap.
    NoBitmap(String),
}

impl fmt::Display for RunFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "it ended with {status}"),
            Self::TimedOut(limit) => {
                write!(f, "it did not end within {} s and was killed with its children", limit.as_secs_f32())
            }
            Self::NoTimeLeft => f.write_str("it was killed, with its children, as no time was left"),
            Self::Nothing(elsewhere) if elsewhere.is_empty() => f.write_str("it wrote no bitmap file"),
            Self::Nothing(elsewhere) => {
                write!(f, "it wrote no bitmap file where {BITMAP} says, but {}", elsewhere.join(", "))
            }
            Self::NoBitmap(what) => f.write_str(what),
        }
    }
}

/// What came of one run.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    /// The bytes of the bitmap file.
    pub(super) bitmap: Result<Vec<u8>, RunFailure>,
    pub(super) wall: Duration,
    /// What the program printed, without what could not be text.
    pub(super) output: String,
    pub(super) left_behind: usize,
    /// How the image is another than before, if it is.
    pub(super) image_changed: Option<String>,
}

/// How an image is shown to the program, besides what is in it.
#[derive(Clone, Debug)]
pub(super) struct Presentation {
    pub(super) image_name: &'static str,
    pub(super) bitmap_name: &'static str,
    pub(super) modified: Option<SystemTime>,
}

impl Default for Presentation {
    fn default() -> Self {
        Self { image_name: "image.raw", bitmap_name: "image.mf", modified: None }
    }
}

/// Limits of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) total: Duration,
    pub(super) run: Duration,
}

pub(super) struct Runner<'a> {
    words: &'a [String],
    folder: tempfile::TempDir,
    limits: Limits,
    begun: Instant,
    cancel: &'a Cancel,
    /// Sizes of images, and how long their runs took.
    times: Vec<(u64, Duration)>,
    _leftover: Leftover,
}

impl<'a> Runner<'a> {
    /// Makes the folder that the images will lie in.
    pub(super) fn new(
        words: &'a [String],
        within: &Path,
        limits: Limits,
        cancel: &'a Cancel,
    ) -> Result<Self> {
        let leftover = Leftover::new();
        let error = |source| Error::TempFolder { path: within.to_owned(), source };
        // A program may run in another folder than this one.
        let within = std::path::absolute(within).map_err(error)?;
        let folder = tempfile::Builder::new().prefix("imsprep-learn-").tempdir_in(within).map_err(error)?;
        let begun = Instant::now();
        Ok(Self { words, folder, limits, begun, cancel, times: Vec::new(), _leftover: leftover })
    }

    pub(super) fn runs(&self) -> usize {
        self.times.len()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// What is left of the time for all runs.
    pub(super) fn left(&self) -> Duration {
        self.limits.total.saturating_sub(self.begun.elapsed())
    }

    /// What one run may take.
    pub(super) fn run_limit(&self) -> Duration {
        self.limits.run
    }

    /// How long a run on an image of this size will take, by those on smaller ones: the shortest, and for each byte as much as
    /// the largest images took. Of several runs the fastest counts: the others show how busy the machine is.
    pub(super) fn projected(&self, size: u64) -> Duration {
        let Some(least) = self.times.iter().map(|(_, wall)| *wall).min() else { return Duration::ZERO };
        let largest = self.times.iter().map(|(size, _)| *size).max().unwrap_or(0);
        // A moment more or less says nothing about a rate.
        let noise = Duration::from_millis(10);
        let rate =
            self.times.iter().filter(|(size, _)| *size > 0 && *size >= largest / 2).map(|(size, wall)| {
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                let rate = wall.saturating_sub(least + noise).as_secs_f64() / *size as f64;
                rate
            });
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = rate.reduce(f64::min).unwrap_or(0.0) * size as f64;
        least.saturating_add(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }

    /// Makes an image and runs the program on it; whatever is left of them is removed.
    ///
    /// # Errors
    ///
    /// If the image can't be made, the program can't be started, or a stop was asked for.
    pub(super) fn run(&mut self, image: &SampleImage, presentation: &Presentation) -> Result<Ran> {
        let mut image = Made::new(self.folder.path(), image, presentation)?;
        self.run_on(&mut image, presentation)
    }

    /// Makes an image that several runs are made on.
    pub(super) fn make(&self, image: &SampleImage) -> Result<Made> {
        Made::new(self.folder.path(), image, &Presentation::default())
    }

    /// Runs the program on an image that was made.
    pub(super) fn run_on(&mut self, made: &mut Made, presentation: &Presentation) -> Result<Ran> {
        self.cancel.check()?;
        made.present(presentation)?;
        let bitmap = made.folder.join(presentation.bitmap_name);
        let before = identity(&made.path)?;
        let command = command_of(self.words, &made.path, &bitmap);
        let program = command.get_program().to_owned();
        let here = names_in(Path::new("."));
        let limit = self.limits.run.min(self.left());
        let run = run_program(command, limit, self.cancel).map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted => imsprep_source::Error::Cancelled.into(),
            _ => Error::Program { program: program.to_string_lossy().into_owned(), source },
        })?;
        self.times.push((made.image.size, run.wall));
        let others = made.others(&bitmap)?;
        let found = match run.end {
            ProgramEnd::TimedOut if limit < self.limits.run => Err(RunFailure::NoTimeLeft),
            ProgramEnd::TimedOut => Err(RunFailure::TimedOut(limit)),
            ProgramEnd::Exited(status) if !status.success() => Err(RunFailure::Status(status.to_string())),
            ProgramEnd::Exited(_) => read_bitmap(&bitmap)?,
        };
        let bitmap_bytes = found.map_err(|failure| match failure {
            RunFailure::Nothing(_) => {
                let new = names_in(Path::new(".")).into_iter().filter(|name| !here.contains(name));
                let new = new.map(|name| format!("{name:?} in the current folder"));
                let beside = others.iter().map(|name| format!("{name:?} beside the image"));
                RunFailure::Nothing(beside.chain(new).collect())
            }
            failure => failure,
        });
        let image_changed = made.difference(&before)?;
        made.clear(&bitmap)?;
        Ok(Ran {
            bitmap: bitmap_bytes,
            wall: run.wall,
            output: text_of(&run.output),
            left_behind: run.left_behind,
            image_changed,
        })
    }
}

/// The command with its placeholders filled.
pub(super) fn command_of(words: &[String], image: &Path, bitmap: &Path) -> Command {
    let filled = |word: &String| -> OsString {
        let mut filled = OsString::new();
        let mut rest = word.as_str();
        // A path that is filled in is not searched for placeholders.
        while let Some((at, name, path)) = [(IMAGE, image), (BITMAP, bitmap)]
            .into_iter()
            .filter_map(|(name, path)| Some((rest.find(name)?, name, path)))
            .min_by_key(|(at, ..)| *at)
        {
            filled.push(rest.get(..at).unwrap_or_default());
            filled.push(path);
            rest = rest.get(at + name.len()..).unwrap_or_default();
        }
        filled.push(rest);
        filled
    };
    let mut words = words.iter().map(filled);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// An image on the disk, in a folder of its own, which goes with it.
pub(super) struct Made {
    image: SampleImage,
    folder: PathBuf,
    path: PathBuf,
}

impl Made {
    fn new(within: &Path, image: &SampleImage, presentation: &Presentation) -> Result<Self> {
        let folder = within.join("run");
        let path = folder.join(presentation.image_name);
        let made = Self { image: image.clone(), folder, path };
        let write = || {
            std::fs::create_dir(&made.folder)?;
            made.image.write(&made.path)
        };
        write().map_err(|source| made.error(source))?;
        Ok(made)
    }

    fn error(&self, source: io::Error) -> Error {
        Error::TempFolder { path: self.folder.clone(), source }
    }

    /// Gives it name and time.
    fn present(&mut self, presentation: &Presentation) -> Result<()> {
        let path = self.folder.join(presentation.image_name);
        let present = || {
            if path != self.path {
                std::fs::rename(&self.path, &path)?;
            }
            if let Some(time) = presentation.modified {
                File::options().write(true).open(&path)?.set_times(FileTimes::new().set_modified(time))?;
            }
            Ok(())
        };
        present().map_err(|source| self.error(source))?;
        self.path = path;
        Ok(())
    }

    /// Names in its folder besides its own and the bitmap's.
    fn others(&self, bitmap: &Path) -> Result<Vec<String>> {
        let entries = std::fs::read_dir(&self.folder).map_err(|source| self.error(source))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let others = paths.filter(|path| *path != self.path && path != bitmap);
        let mut names = others
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect::<Vec<_>>();
        names.sort();
        Ok(names)
    }

    fn difference(&self, before: &imsprep_source::FileIdentity) -> Result<Option<String>> {
        if !self.path.exists() {
            return Ok(Some("it was deleted or renamed".into()));
        }
        if let Some(difference) = before.difference(&identity(&self.path)?) {
            return Ok(Some(difference));
        }
        let same = self.image.is_as_written(&self.path).map_err(|source| self.error(source))?;
        Ok((!same).then(|| "its content is another".into()))
    }

    /// Removes everything but the image.
    fn clear(&self, bitmap: &Path) -> Result<()> {
        let clear = || {
            for name in self.others(Path::new("")).unwrap_or_default() {
                let path = self.folder.join(name);
                if path.symlink_metadata()?.is_dir() {
                    std::fs::remove_dir_all(path)
                } else {
                    std::fs::remove_file(path)
                }?;
            }
            Ok(())
        };
        clear().map_err(|source: io::Error| Error::TempFolder { path: bitmap.to_owned(), source })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn identity(path: &Path) -> Result<imsprep_source::FileIdentity> {
    Ok(ImageFile::open(path)?.identity().clone())
}

pub(super) fn read_bitmap(path: &Path) -> Result<Result<Vec<u8>, RunFailure>> {
    match path.symlink_metadata() {
        Err(_) => return Ok(Err(RunFailure::Nothing(Vec::new()))),
        Ok(metadata) if !metadata.is_file() => {
            return Ok(Err(RunFailure::NoBitmap("what it wrote is no regular file".into())));
        }
        Ok(_) => {}
    }
    let file = ImageFile::open(path)?;
    if file.size() > LONGEST {
        let what =
            format!("it wrote {} bytes, more than the {LONGEST} that a bitmap file may have", file.size());
        return Ok(Err(RunFailure::NoBitmap(what)));
    }
    let mut bytes = vec![0; usize::try_from(file.size()).unwrap_or(0)];
    file.read_at(&mut bytes, 0)?;
    Ok(Ok(bytes))
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().take(10_000);
    entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect()
}

pub(super) fn text_of(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let text = text.trim_end();
    if text.len() <= OUTPUT_SHOWN {
        return text.to_owned();
    }
    // The end has the reason, most of the time.
    let from = (text.len() - OUTPUT_SHOWN..).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("[..]{}", text.get(from..).unwrap_or_default())
}
