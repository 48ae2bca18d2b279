//! `--dry-run` of `convert` and `prepare`: what would be written.

use std::path::Path;

use anyhow::bail;
use imsprep_source::{ImageFile, OutputFile};
use imsprep_toolkit::{
    ConvertOptions, Error, Target, Targets, Unpacking, expand_targets, plan_preparation, plan_unless_packed,
};

use super::checksums::Expected;
use super::convert_flags::refuse_what_does_not_apply;
use super::folders::{note_skipped, subfolders};
use super::preparing::{Request, refuse_shared_outputs};
use crate::args::{ConvertArgs, FormatName, PrepareArgs};
use crate::exit::Status;
use crate::failure::report_failure;
use crate::foreseen::{DryRun, Foreseen};
use crate::policy::Policy;
use crate::setup::{Detail, Output, Setup};
use crate::terminal::{print, print_json, print_json_line};
use crate::{render, wire};

/// A conversion. `options` are as the conversion would have them.
pub(super) fn convert(
    args: &ConvertArgs,
    options: ConvertOptions,
    policy: &Policy,
    setup: &Setup,
) -> anyhow::Result<Status> {
    let output = options.output.clone();
    let overwrite = options.overwrite;
    let source = args.source.clone();
    let plan = plan_unless_packed(&source, options, setup.work())?;
    let place = |image: &ImageFile, bitmap: Option<&Path>| -> anyhow::Result<()> {
        for path in output.as_deref().into_iter().chain(bitmap) {
            OutputFile::check_place(path, overwrite, &[image]).map_err(Error::from)?;
        }
        Ok(())
    };
    let Some(plan) = plan else {
        place(&ImageFile::open(&source).map_err(Error::from)?, None)?;
        let run = DryRun { source, status: Status::Fine, result: Ok(Foreseen::Packed { output }) };
        return emit(&[run], policy, Form::of(setup.output));
    };
    if !plan.is_refused() {
        refuse_what_does_not_apply(args, &plan)?;
        if let Some(output) = &plan.options.output {
            plan.check_name(output)?;
        }
        if let Some(image) = plan.source.image() {
            place(image.file(), plan.bitmap().as_deref())?;
        }
    }
    let run = DryRun::of_plan(source, &plan, policy.warnings, setup.work())?;
    emit(&[run], policy, Form::of(setup.output))
}

/// What would be prepared.
pub(super) fn prepare(args: &PrepareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let form = match args.format.format {
        None => Form::of(setup.output),
        Some(FormatName::Text) => Form::Text(Detail::Normal),
        Some(FormatName::Json) => Form::Json,
        Some(FormatName::Ndjson) => Form::Ndjson,
        Some(_) => bail!("--dry-run prints text, JSON or NDJSON"),
    };
    if args.report.manifest.is_some() || args.report.html.is_some() {
        bail!("--manifest and --html do not apply to --dry-run, which writes nothing");
    }
    let Targets { targets, skipped } = expand_targets(&args.sources, subfolders(args.recursive));
    note_skipped(&skipped, setup);
    let request = Request::new(args, targets.len(), setup)?;
    let is_one = matches!(&args.sources[..], [source] if !source.is_dir());
    request.refuse_flags_of_one(args, is_one)?;
    request.is_folder_missing()?;
    let expected = Expected::read(&args.checksums, if is_one { 1 } else { targets.len().max(2) })?;
    let mut runs = Vec::new();
    for target in targets {
        let (source, result) = match target {
            Ok(target) => (target.path.clone(), prepare_one(&target, &request, &expected, setup)),
            Err(error) => (error.path().to_owned(), Err(error.into())),
        };
        let run = result.unwrap_or_else(|error| {
            let status = report_failure(&error);
            DryRun { source, status, result: Err(error) }
        });
        if run.status == Status::Interrupted {
            return Ok(run.status);
        }
        if form == Form::Ndjson {
            print_json_line(&wire::plan::document(std::slice::from_ref(&run), &request.policy))?;
        }
        runs.push(run);
    }
    emit(&runs, &request.policy, form)
}

fn prepare_one(
    target: &Target,
    request: &Request,
    expected: &Expected,
    setup: &Setup,
) -> anyhow::Result<DryRun> {
    let Request { policy, convert, check, place, .. } = request;
    let options = ConvertOptions { checksums: expected.of(&target.path)?, ..convert.clone() };
    let planned = plan_preparation(target, place, (&options, check), Unpacking::CarryingOut, setup.work())?;
    planned.verify_checksums(setup.work())?;
    let output = planned.output().map(Path::to_owned);
    if !planned.is_refused() && !request.is_folder_missing()? {
        planned.check_place(&[])?;
    }
    let source = target.path.clone();
    if let Some(plan) = planned.plan() {
        return DryRun::of_plan(source, plan, policy.warnings, setup.work());
    }
    Ok(match planned.foresee(setup.work())? {
        Some(checked) => DryRun::of_kept(source, checked, planned.bitmap(), policy.warnings),
        None => DryRun { source, status: Status::Fine, result: Ok(Foreseen::Packed { output }) },
    })
}

/// How the result is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text(Detail),
    Json,
    /// A line for each image, which is printed when it was planned.
    Ndjson,
    Quiet,
}

impl Form {
    fn of(output: Output) -> Self {
        match output {
            Output::Text(detail) => Self::Text(detail),
            Output::Json => Self::Json,
            Output::Quiet => Self::Quiet,
        }
    }
}

fn emit(runs: &[DryRun], policy: &Policy, form: Form) -> anyhow::Result<Status> {
    refuse_shared_outputs(runs.iter().filter_map(|run| Some((run.source.as_path(), run.output()?))))?;
    match form {
        Form::Text(detail) => {
            let blocks = runs.iter().map(|run| render::dry_run::text(run, detail));
            print(&blocks.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n"))?;
        }
        Form::Json => print_json(&wire::plan::document(runs, policy))?,
        Form::Ndjson | Form::Quiet => {}
    }
    Ok(runs.iter().map(|run| run.status).max().unwrap_or(Status::Fine))
}
