//! What the flags of `imsprep prepare` come to, for one image and for many.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use imsprep_source::{OutputFolder, Overwrite};
use imsprep_toolkit::{CheckOptions, ConvertOptions, Prepared, PreparedPlace};

use super::convert_flags::{disk_fit, file_holes, free_space};
use crate::args::PrepareArgs;
use crate::emit::Emitter;
use crate::exit::Status;
use crate::layouts::in_force;
use crate::policy::{Policy, Warnings};
use crate::setup::Setup;
use crate::{moment, page};

pub(super) const SCHEMA: &str = "imsprep.prepare";

/// What the flags say of each image.
pub(super) struct Request {
    pub(super) policy: Policy,
    /// Without the output and the checksums.
    pub(super) convert: ConvertOptions,
    pub(super) check: CheckOptions,
    pub(super) place: PreparedPlace,
    pub(super) emitter: Emitter,
}

impl Request {
    /// For so many images.
    pub(super) fn new(args: &PrepareArgs, images: usize, setup: &Setup) -> anyhow::Result<Self> {
        let policy = Policy::resolve(&args.policy, &args.intent, setup)?;
        let convert = ConvertOptions {
            overwrite: if args.force { Overwrite::Replace } else { Overwrite::Refuse },
            strict: policy.warnings == Warnings::Count,
            disk: args.disk.disk.clone(),
            temp_folder: args.temp.temp_dir.clone(),
            holes: file_holes(args.read_holes),
            io: args.report.io.into(),
            free_space: free_space(args.sparsify),
            fit: disk_fit(args.fit),
            timestamp: moment::from_environment()?,
            ..ConvertOptions::default()
        };
        let emitter = Emitter::of(&args.format, setup.output);
        let has_page = args.report.html.is_some() || emitter.is_page();
        let check = CheckOptions {
            profile: policy.profile,
            intent: policy.intent.clone(),
            overrides: policy.overrides.clone(),
            digest: args.report.manifest.is_some(),
            layout: in_force(args.report.layout.as_deref(), policy.layout.as_ref(), setup)?,
            overview: has_page.then(|| page::pieces_of_each(images)),
            holes: file_holes(args.read_holes),
            io: args.report.io.into(),
            ..CheckOptions::default()
        };
        Ok(Self { policy, convert, check, place: place(args), emitter })
    }

    /// Refuses flags that are for one image, and those that are for folders.
    pub(super) fn refuse_flags_of_one(&self, args: &PrepareArgs, is_one: bool) -> anyhow::Result<()> {
        match (&self.place, is_one) {
            (_, true) if args.recursive => bail!("--recursive is for folders"),
            (PreparedPlace::File(path), false) => {
                let path = path.display();
                bail!(
                    "--output {path} is one file, and there may be several images; for a folder use --output {path}/"
                )
            }
            (_, false) if args.disk.disk.is_some() => {
                bail!("--disk is for one archive; prepare it on its own")
            }
            _ => Ok(()),
        }
    }

    /// Whether the folder of the outputs is not there and would be made.
    ///
    /// # Errors
    ///
    /// If it can't be made, as its parent is not there.
    pub(super) fn is_folder_missing(&self) -> anyhow::Result<bool> {
        let PreparedPlace::Folder(path) = &self.place else { return Ok(false) };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        ensure!(
            path.exists() || parent.is_none_or(Path::is_dir),
            "{}: cannot create the folder: its parent folder does not exist; create that with mkdir -p",
            path.display()
        );
        Ok(!path.exists())
    }

    /// Makes the folder of the outputs if it is not there.
    pub(super) fn folder(&self) -> anyhow::Result<Option<OutputFolder>> {
        match &self.place {
            PreparedPlace::Folder(path) => {
                Ok(Some(OutputFolder::open(path).map_err(imsprep_toolkit::Error::from)?))
            }
            PreparedPlace::Beside | PreparedPlace::File(_) => Ok(None),
        }
    }
}

/// A folder is there, or ends in `/`.
fn place(args: &PrepareArgs) -> PreparedPlace {
    match &args.output {
        None => PreparedPlace::Beside,
        Some(path) if ends_in_separator(path) || path.is_dir() => PreparedPlace::Folder(path.clone()),
        Some(path) => PreparedPlace::File(path.clone()),
    }
}

fn ends_in_separator(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last();
    last.is_some_and(|byte| std::path::is_separator(char::from(*byte)))
}

/// Refuses the run if two of these images, each with its output, would be written to one file.
pub(super) fn refuse_shared_outputs<'a>(
    planned: impl Iterator<Item = (&'a Path, &'a Path)>,
) -> anyhow::Result<()> {
    let mut sources = BTreeMap::<PathBuf, &Path>::new();
    for (source, output) in planned {
        let folder = output.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
        let whole = folder.zip(output.file_name()).map(|(folder, name)| folder.join(name));
        if let Some(other) = sources.insert(whole.unwrap_or_else(|| output.to_owned()), source) {
            bail!(
                "{} and {} would both be written to {}; nothing was written; prepare them into different folders, \
                 or each on its own with another --output",
                other.display(),
                source.display(),
                output.display()
            );
        }
    }
    Ok(())
}

/// What the reports on one image come to.
pub(super) struct Statuses {
    pub(super) of_plan: Option<Status>,
    pub(super) of_result: Option<Status>,
    pub(super) worst: Status,
}

impl Statuses {
    pub(super) fn of(prepared: &Prepared, policy: &Policy) -> Self {
        let conversion = prepared.conversion.as_ref();
        let of_plan = conversion.map(|conversion| policy.warnings.status(&conversion.plan.report));
        let of_result = prepared.checked.as_ref().map(|checked| policy.warnings.status(&checked.report));
        let worst = of_plan.into_iter().chain(of_result).max().unwrap_or(Status::Wrong);
        Self { of_plan, of_result, worst }
    }
}
