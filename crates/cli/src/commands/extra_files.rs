//! Files that a command writes beside its report: the manifest and the page.

use std::path::PathBuf;

use anyhow::ensure;
use imsprep_toolkit::Target;

use super::extra_file::ExtraFile;
use super::manifest;
use crate::args::ReportArgs;
use crate::exit::Status;
use crate::failure::report_failure;
use crate::outcome::Outcome;
use crate::page;
use crate::policy::Policy;

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

    /// Says that the manifest is not written, and why.
    pub(crate) fn without_manifest(mut self, why: &str) -> Self {
        if let Some(file) = self.manifest.take() {
            file.leave_out(why);
        }
        self
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
            let now = crate::moment::now();
            if let Err(error) = file.write(page::check::page(outcomes, policy, now).as_bytes()) {
                return Ok(report_failure(&error));
            }
        }
        Ok(Status::Fine)
    }
}
