//! `imsprep check`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Error;
use imsprep_rules::{HUAWEI, OTC, Profile};
use imsprep_scan::ScanOptions;
use imsprep_toolkit::{CheckOptions, Checked, Depth, check_image_file, expand_targets};

use super::Warnings;
use crate::args::{CheckArgs, ProfileName};
use crate::exit::Status;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json, report_failure};
use crate::wire;

/// What came of one file: found out, or why not.
pub(crate) struct Outcome {
    pub(crate) path: PathBuf,
    pub(crate) status: Status,
    pub(crate) result: Result<Checked, Error>,
}

pub(crate) fn run(args: &CheckArgs, setup: &Setup) -> anyhow::Result<Status> {
    let options = CheckOptions {
        depth: if args.quick { Depth::Quick } else { Depth::Content },
        profile: profile(args.profile),
        write_bitmap: args.write_bitmap,
        scan: ScanOptions { io: args.io.into(), ..ScanOptions::default() },
    };
    let warnings = Warnings::from_flag(args.strict);
    let mut outcomes = Vec::new();
    for target in expand_targets(&args.files) {
        let (path, result) = match target {
            Ok(target) => {
                (target.path.clone(), check_image_file(&target, &options, setup.progress(), setup.cancel()))
            }
            Err(error) => (error.path().to_owned(), Err(error)),
        };
        let result = result.map_err(Error::new);
        let status = match &result {
            Ok(checked) => warnings.status(&checked.report),
            Err(error) => report_failure(error),
        };
        if status == Status::Interrupted {
            return Ok(status);
        }
        let outcome = Outcome { path, status, result };
        if let (Output::Text(detail), Ok(checked)) = (setup.output, &outcome.result) {
            // One at a time, as each is done: the first verdict should not wait for the last file.
            let mut text = String::new();
            if !outcomes.is_empty() {
                text.push('\n');
            }
            let _ = write!(
                text,
                "{}",
                render::check::Block { checked, warnings, profile: options.profile, detail }
            );
            print(&text)?;
        }
        outcomes.push(outcome);
    }
    let worst = outcomes.iter().map(|o| o.status).max().unwrap_or(Status::Fine);
    match setup.output {
        Output::Quiet => {}
        Output::Json => print_json(&wire::check::Document::new_check(&outcomes, options.profile, worst))?,
        Output::Text(_) if outcomes.len() > 1 => print(&render::check::table(&outcomes))?,
        Output::Text(_) => {}
    }
    Ok(worst)
}

pub(crate) fn profile(name: ProfileName) -> &'static Profile {
    match name {
        ProfileName::Huawei => &HUAWEI,
        ProfileName::Otc => &OTC,
    }
}
