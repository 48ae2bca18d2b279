//! Files that a command writes beside its report: the manifest and the page.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use imsprep_source::{Input, OutputFile, Overwrite};
use imsprep_toolkit::{Error, Target};

use super::manifest;
use crate::args::ReportArgs;
use crate::exit::Status;
use crate::failure::{report_failure, warning};
use crate::outcome::Outcome;
use crate::page;
use crate::policy::Policy;
use crate::terminal::shown;

/// What `--manifest` and `--html` name.
pub(crate) struct ExtraFiles {
    manifest: Option<ExtraFile>,
    page: Option<ExtraFile>,
}

impl ExtraFiles {
    /// Looks at the places now. `targets` and what belongs to them are never replaced.
    pub(crate) fn begin<'a>(
        args: &ReportArgs,
        force: bool,
        targets: impl Iterator<Item = &'a Target> + Clone,
    ) -> anyhow::Result<Self> {
        if let (Some(page), Some(manifest)) = (&args.html, &args.manifest) {
            let are_same = std::path::absolute(page)? == std::path::absolute(manifest)?;
            ensure!(!are_same, "--html and --manifest are the same file");
        }
        let begin = |path: &PathBuf| ExtraFile::begin(path, force, targets.clone());
        Ok(Self {
            manifest: args.manifest.as_ref().map(begin).transpose()?,
            page: args.html.as_ref().map(begin).transpose()?,
        })
    }

    /// Says that they are not written, and why.
    pub(crate) fn leave_out(self, why: &str) {
        for file in self.manifest.into_iter().chain(self.page) {
            file.leave_out(why);
        }
    }

    /// Writes them. A page that can't be written is reported, and in the status: the verdicts took long enough to be printed.
    pub(crate) fn write(self, outcomes: &[Outcome], policy: &Policy) -> anyhow::Result<Status> {
        if let Some(file) = self.manifest {
            manifest::write(&file, outcomes, policy)?;
        }
        if let Some(file) = self.page {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
            if let Err(error) = file.write(&page::check::page(outcomes, policy, now)) {
                return Ok(report_failure(&error));
            }
        }
        Ok(Status::Fine)
    }
}

/// Where such a file will be, and what it may never take the place of.
pub(super) struct ExtraFile {
    path: PathBuf,
    overwrite: Overwrite,
    inputs: Vec<PathBuf>,
}

impl ExtraFile {
    /// Looks at the place now, so that hours of work do not end in "exists already".
    fn begin<'a>(
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
    pub(super) fn write(&self, text: &str) -> anyhow::Result<()> {
        let mut file = self.create()?;
        file.write_all(text.as_bytes()).map_err(Error::from)?;
        file.commit().map_err(Error::from)?;
        Ok(())
    }
}
