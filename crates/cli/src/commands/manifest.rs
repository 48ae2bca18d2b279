//! The manifest of a check: what an upload of these images must amount to.

use std::path::{Path, PathBuf};

use imsprep_source::{ImageFile, OutputFile, Overwrite};
use imsprep_toolkit::{Error, Target};

use super::check::Outcome;
use crate::exit::Status;
use crate::policy::Policy;
use crate::terminal::{json_text, print_error, shown};
use crate::wire;

/// Where the manifest will be, and what it may never take the place of.
pub(crate) struct Manifest {
    path: PathBuf,
    overwrite: Overwrite,
    inputs: Vec<PathBuf>,
}

impl Manifest {
    /// Looks at the place now, so that hours of hashing do not end in "exists already".
    pub(crate) fn begin<'a>(
        path: &Path,
        force: bool,
        targets: impl Iterator<Item = &'a Target>,
    ) -> anyhow::Result<Self> {
        let overwrite = if force { Overwrite::Replace } else { Overwrite::Refuse };
        let inputs = targets.flat_map(Target::files).collect();
        let manifest = Self { path: path.to_owned(), overwrite, inputs };
        manifest.create()?;
        Ok(manifest)
    }

    fn create(&self) -> anyhow::Result<OutputFile> {
        // What can't be opened is no file that could be replaced, or the check says so itself.
        let inputs = self.inputs.iter().filter_map(|path| ImageFile::open(path).ok()).collect::<Vec<_>>();
        let inputs = inputs.iter().collect::<Vec<_>>();
        Ok(OutputFile::create(&self.path, self.overwrite, &inputs).map_err(Error::from)?)
    }

    /// Writes it whole. Of a run in which a file could not be looked at there is none: it would prove less than it seems to.
    pub(crate) fn write(&self, outcomes: &[Outcome], policy: &Policy) -> anyhow::Result<()> {
        if outcomes.iter().any(|outcome| outcome.status == Status::CouldNotLook) {
            let path = self.path.display().to_string();
            print_error(&format!(
                "imsprep: {}: not written, as not every file could be looked at\n",
                shown(&path)
            ));
            return Ok(());
        }
        let document = wire::manifest::document(outcomes, policy);
        let text = json_text(&document)?;
        let mut file = self.create()?;
        file.write_all(text.as_bytes()).map_err(Error::from)?;
        file.commit().map_err(Error::from)?;
        Ok(())
    }
}
