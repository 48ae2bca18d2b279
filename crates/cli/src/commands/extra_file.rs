//! One file that a command writes beside its report.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use imsprep_source::{Input, OutputFile, Overwrite};
use imsprep_toolkit::{Error, Target};

use crate::failure::warning;
use crate::terminal::shown;

/// Where such a file will be, and what it may never take the place of.
pub(super) struct ExtraFile {
    path: PathBuf,
    overwrite: Overwrite,
    inputs: Vec<PathBuf>,
}

impl ExtraFile {
    /// Looks at the place now, so that hours of work do not end in "exists already".
    pub(super) fn begin<'a>(
        path: &Path,
        force: bool,
        targets: impl Iterator<Item = &'a Target>,
    ) -> anyhow::Result<Self> {
        let overwrite = if force { Overwrite::Replace } else { Overwrite::Refuse };
        let inputs = targets.flat_map(Target::files).collect();
        let file = Self { path: path.to_owned(), overwrite, inputs };
        file.create()?;
        Ok(file)
    }

    /// Whether its name is that of a list of `sha256sum`: it ends in `.sha256` or `.sha256sum`, or is `SHA256SUMS`.
    pub(super) fn is_checksum_list(&self) -> bool {
        let is = |part: Option<&OsStr>, name: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(name));
        let extension = self.path.extension();
        is(extension, "sha256") || is(extension, "sha256sum") || is(self.path.file_name(), "SHA256SUMS")
    }

    pub(super) fn leave_out(&self, why: &str) {
        let path = self.path.display().to_string();
        warning(format!("{}: not written, as {why}", shown(&path)));
    }

    fn create(&self) -> anyhow::Result<OutputFile> {
        // Of what is not there the check says so itself. There may be more images than a process may have open files.
        let inputs = Input::existing(&self.inputs);
        Ok(OutputFile::create_from(&self.path, self.overwrite, &inputs).map_err(Error::from)?)
    }

    /// Writes it whole or not at all.
    pub(super) fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut file = self.create()?;
        file.write_all(bytes).map_err(Error::from)?;
        file.commit().map_err(Error::from)?;
        Ok(())
    }
}
