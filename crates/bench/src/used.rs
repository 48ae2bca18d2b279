//! A volume in use: an ext4 in which files were written and most of them deleted again, made without root.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use imsprep_source::{Cancel, Stage, measure_child};

use crate::content::Content;
use crate::foreign::find_program;
use crate::{Error, Result};

const MKFS: &str = "mkfs.ext4";
const DEBUGFS: &str = "debugfs";

/// Parts that the files of one cycle have: of several sizes, so that what is deleted leaves gaps of several sizes.
const PARTS: [u64; 4] = [1, 2, 4, 9];
const CYCLES: u64 = 50;
/// Cycles that one call of debugfs writes: between calls the work can be interrupted.
const CYCLES_IN_A_CALL: u64 = 5;
/// Of so many files in a row, so many are deleted: 65 %.
const DELETED: (u64, u64) = (13, 20);

/// The program that is missing to make such volumes, if one is.
pub(crate) fn missing() -> Option<&'static str> {
    [MKFS, DEBUGFS].into_iter().find(|name| find_program(name).is_none())
}

/// Makes `volume` of `size` bytes: two thirds of it are written, and 65 % of that deleted again. `fresh` gets the files that
/// are left, copied into a new file system of the same size.
pub(crate) fn make(volume: &Path, fresh: &Path, size: u64, stage: &Stage<'_>, cancel: &Cancel) -> Result<()> {
    Maker::new(volume, size, cancel)?.make(Written::All, |bytes| stage.advance(bytes))?;
    Maker::new(fresh, size, cancel)?.make(Written::Kept, |_| {})
}

/// Which files a volume gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    All,
    Kept,
}

/// The numbers of the files of some cycles.
fn numbers(cycles: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let kinds = PARTS.len() as u64;
    cycles.start * kinds..cycles.end * kinds
}

/// Whether a file is deleted again: each size in the same share, and not always its neighbours, too.
fn is_deleted(number: u64) -> bool {
    let (cycle, kind) = (number / PARTS.len() as u64, number % PARTS.len() as u64);
    (cycle * 7 + kind * 5) % DELETED.1 < DELETED.0
}

/// Makes one volume.
struct Maker<'a> {
    volume: PathBuf,
    size: u64,
    /// The files to copy into it, a few at a time.
    folder: tempfile::TempDir,
    cancel: &'a Cancel,
}

impl<'a> Maker<'a> {
    /// Makes the file system, without files.
    fn new(volume: &Path, size: u64, cancel: &'a Cancel) -> Result<Self> {
        let volume = std::path::absolute(volume).map_err(error(volume, "find its complete path"))?;
        let made = File::create(&volume).and_then(|file| file.set_len(size));
        made.map_err(error(&volume, "write the image"))?;
        let beside = volume.parent().unwrap_or(&volume);
        let folder = tempfile::tempdir_in(beside).map_err(error(beside, "make a temporary folder in it"))?;
        run(Command::new(MKFS).args(["-q", "-F"]).arg(&volume), MKFS, &volume, cancel)?;
        Ok(Self { volume, size, folder, cancel })
    }

    /// Writes the files and deletes those that are to be deleted.
    fn make(&self, written: Written, advance: impl Fn(u64)) -> Result<()> {
        // The same bytes in each volume, and in no two files: what is in two files would be compressed better.
        let mut content = Content::new();
        for first in (0..CYCLES).step_by(usize::try_from(CYCLES_IN_A_CALL).unwrap_or(1)) {
            self.write(numbers(first..first + CYCLES_IN_A_CALL), written, &mut content)?;
            advance(self.size / CYCLES * CYCLES_IN_A_CALL);
        }
        if written == Written::All {
            let lines = numbers(0..CYCLES).filter(|number| is_deleted(*number));
            self.debugfs(lines.map(|number| format!("rm f{number}")))?;
        }
        // Brings it to the disk, so that its writing does not go on while something is measured.
        let synced = File::open(&self.volume).and_then(|file| file.sync_all());
        synced.map_err(error(&self.volume, "flush the image"))
    }

    fn write(&self, numbers: std::ops::Range<u64>, written: Written, content: &mut Content) -> Result<()> {
        let part = self.size / 3 * 2 / (CYCLES * PARTS.iter().sum::<u64>());
        let mut lines = Vec::new();
        for (number, parts) in numbers.zip(PARTS.iter().cycle()) {
            let mut bytes = vec![0; usize::try_from(part * parts).unwrap_or(0)];
            content.fill(&mut bytes);
            if written == Written::Kept && is_deleted(number) {
                continue;
            }
            let path = self.folder.path().join(format!("f{number}"));
            std::fs::write(&path, bytes).map_err(error(&path, "write a file for the image"))?;
            // Without a folder, whose name could have spaces, at which debugfs splits.
            lines.push(format!("write f{number} f{number}"));
            self.cancel.check()?;
        }
        self.debugfs(lines.into_iter())?;
        let copied = std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten();
        copied.for_each(|file| drop(std::fs::remove_file(file.path())));
        Ok(())
    }

    /// Runs debugfs on the volume, in the folder of the files.
    fn debugfs(&self, lines: impl Iterator<Item = String>) -> Result<()> {
        let folder = self.folder.path();
        let (script, said) = (folder.join("script"), folder.join("said"));
        let text = lines.fold(String::new(), |text, line| text + &line + "\n");
        std::fs::write(&script, text).map_err(error(&script, "write to it"))?;
        let errors = File::create(&said).map_err(error(&said, "write to it"))?;
        let mut command = Command::new(DEBUGFS);
        command.args(["-w", "-f", "script"]).arg(&self.volume).current_dir(folder).stderr(errors);
        run(&mut command, DEBUGFS, &self.volume, self.cancel)?;
        // Its status is that of success even if a command of the script failed. The first line is its version.
        let said = std::fs::read(&said).unwrap_or_default();
        match String::from_utf8_lossy(&said).lines().find(|line| !line.starts_with(DEBUGFS)) {
            Some(line) => Err(failed(DEBUGFS, &self.volume, line)),
            None => Ok(()),
        }
    }
}

fn error(path: &Path, what: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::File { path, what, source }
}

fn run(command: &mut Command, program: &'static str, volume: &Path, cancel: &Cancel) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).env("LC_ALL", "C");
    let usage = measure_child(command, cancel).map_err(|source| match source.kind() {
        std::io::ErrorKind::Interrupted => Error::Source(imsprep_source::Error::Cancelled),
        _ => Error::Run { program: program.to_owned(), source },
    })?;
    if usage.status.success() { Ok(()) } else { Err(failed(program, volume, &usage.status.to_string())) }
}

fn failed(program: &str, volume: &Path, why: &str) -> Error {
    let message = format!("it does not make {}: {}", volume.display(), why.trim());
    Error::Failed { program: program.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_size_two_thirds_are_deleted() {
        for kind in 0..PARTS.len() as u64 {
            let of_kind = numbers(0..CYCLES).filter(|number| number % PARTS.len() as u64 == kind);
            let deleted = of_kind.filter(|number| is_deleted(*number)).count();
            assert!((30..=35).contains(&deleted), "{deleted} of {CYCLES}");
        }
    }

    #[test]
    fn what_debugfs_could_not_do_is_an_error() {
        if missing().is_some() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        let maker = Maker::new(&dir.path().join("a volume"), 16 << 20, &cancel).unwrap();
        maker.debugfs(["mkdir f0".to_owned()].into_iter()).unwrap();
        let error = maker.debugfs(["rm none".to_owned()].into_iter()).unwrap_err();
        assert!(
            error.to_string().contains("it does not make ") && error.to_string().contains("rm: "),
            "{error}"
        );
    }
}
