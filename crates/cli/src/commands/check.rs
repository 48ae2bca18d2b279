//! `imsprep check`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Error, bail};
use imsprep_toolkit::{CheckOptions, Checked, Depth, Target, check_image_file, expand_targets, find_layout};

use super::extra_file::ExtraFile;
use super::manifest;
use crate::args::{CheckArgs, FormatName};
use crate::exit::Status;
use crate::page;
use crate::policy::Policy;
use crate::render;
use crate::setup::{Detail, Output, Setup};
use crate::terminal::{print, print_json, print_json_line, report_failure};
use crate::wire;

/// What came of one file: found out, or why not.
pub(crate) struct Outcome {
    pub(crate) path: PathBuf,
    pub(crate) status: Status,
    pub(crate) elapsed: Duration,
    pub(crate) result: Result<Checked, Error>,
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Quiet,
    Text(Detail),
    Json,
    Ndjson,
    Sarif,
    Junit,
}

impl Form {
    fn of(asked: Option<FormatName>, output: Output) -> Self {
        match (asked, output) {
            (Some(FormatName::Json), _) | (None, Output::Json) => Self::Json,
            (Some(FormatName::Ndjson), _) => Self::Ndjson,
            (Some(FormatName::Sarif), _) => Self::Sarif,
            (Some(FormatName::Junit), _) => Self::Junit,
            (_, Output::Text(detail)) => Self::Text(detail),
            // Neither goes with --format: the command line refuses it.
            (_, Output::Quiet) => Self::Quiet,
            (Some(FormatName::Text), Output::Json) => Self::Text(Detail::Normal),
        }
    }
}

pub(crate) fn run(args: &CheckArgs, setup: &Setup) -> anyhow::Result<Status> {
    let policy = Policy::resolve(&args.policy, args.profile, args.strict, setup)?;
    if let (Some(page), Some(manifest)) = (&args.html, &args.manifest)
        && std::path::absolute(page)? == std::path::absolute(manifest)?
    {
        bail!("--html and --manifest name the same file");
    }
    let targets = expand_targets(&args.files);
    let options = CheckOptions {
        depth: if args.quick { Depth::Quick } else { Depth::Content },
        profile: policy.profile,
        intent: policy.intent.clone(),
        overrides: policy.overrides.clone(),
        write_bitmap: args.write_bitmap,
        digest: args.manifest.is_some(),
        layout: args.layout.as_deref().map(find_layout).transpose()?,
        overview: args.html.is_some().then(|| page::pieces_of_each(targets.len())),
        io: args.io.into(),
    };
    let form = Form::of(args.format, setup.output);
    let begin = |path: &PathBuf| ExtraFile::begin(path, args.force, targets.iter().flatten());
    let manifest = args.manifest.as_ref().map(begin).transpose()?;
    let page = args.html.as_ref().map(begin).transpose()?;
    let mut outcomes = Vec::new();
    for target in targets {
        let outcome = look_at(target, &options, &policy, setup);
        if outcome.status == Status::Interrupted {
            return Ok(outcome.status);
        }
        // One at a time, as each is done: the first verdict should not wait for the last file.
        match form {
            Form::Text(detail) => print_block(&outcome, outcomes.is_empty(), &policy, detail)?,
            Form::Ndjson => print_json_line(&wire::check::Document::of_file(&outcome, &policy))?,
            _ => {}
        }
        outcomes.push(outcome);
    }
    let mut worst = outcomes.iter().map(|o| o.status).max().unwrap_or(Status::Fine);
    // Before the document, which would else tell of a success that was none.
    if let Some(file) = manifest {
        manifest::write(&file, &outcomes, &policy)?;
    }
    if let Some(file) = page {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        if let Err(error) = file.write(&page::check::page(&outcomes, &policy, now)) {
            // The verdicts are still printed: they took long enough.
            worst = worst.max(report_failure(&error));
        }
    }
    match form {
        Form::Quiet | Form::Ndjson => {}
        Form::Json => print_json(&wire::check::Document::new_check(&outcomes, &policy, worst))?,
        Form::Sarif => print_json(&wire::sarif::log(&outcomes, worst))?,
        Form::Junit => print(&wire::junit::document(&outcomes, policy.warnings))?,
        Form::Text(_) if outcomes.len() > 1 => print(&render::check::table(&outcomes))?,
        Form::Text(_) => {}
    }
    Ok(worst)
}

fn look_at(
    target: imsprep_toolkit::Result<Target>,
    options: &CheckOptions,
    policy: &Policy,
    setup: &Setup,
) -> Outcome {
    let begun = Instant::now();
    let (path, result) = match target {
        Ok(target) => {
            (target.path.clone(), check_image_file(&target, options, setup.progress(), setup.cancel()))
        }
        Err(error) => (error.path().to_owned(), Err(error)),
    };
    let result = result.map_err(Error::new);
    let status = match &result {
        Ok(checked) => policy.warnings.status(&checked.report),
        Err(error) => report_failure(error),
    };
    Outcome { path, status, elapsed: begun.elapsed(), result }
}

fn print_block(outcome: &Outcome, first: bool, policy: &Policy, detail: Detail) -> anyhow::Result<()> {
    let Ok(checked) = &outcome.result else { return Ok(()) };
    let mut text = String::new();
    if !first {
        text.push('\n');
    }
    let block = render::check::Block { checked, warnings: policy.warnings, profile: policy.profile, detail };
    let _ = write!(text, "{block}");
    print(&text)
}
