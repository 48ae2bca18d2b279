//! `imsprep prepare`

use std::path::Path;
use std::time::Instant;

use imsprep_source::Overwrite;
use imsprep_toolkit::{ConvertOptions, Prepared, prepare_image};

use super::Warnings;
use crate::args::PrepareArgs;
use crate::exit::Status;
use crate::policy::profile_of;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json, report_failure};
use crate::{moment, render, wire};

pub(crate) fn run(args: &PrepareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let options = ConvertOptions {
        output: args.output.clone(),
        overwrite: if args.force { Overwrite::Replace } else { Overwrite::Refuse },
        allowed: args.from.allowed.clone(),
        disk: args.from.disk,
        profile: profile_of(args.profile),
        timestamp: moment::from_environment()?,
        ..ConvertOptions::default()
    };
    let begun = Instant::now();
    let prepared = match prepare_image(&args.source, &options, setup.progress(), setup.cancel()) {
        Ok(prepared) => prepared,
        Err(error) => return fail(&args.source, &error.into(), &options, begun, setup),
    };
    let warnings = Warnings::from_flag(args.strict);
    let status = status(&prepared, warnings);
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let body = wire::prepare::Body::new(&prepared, options.profile, status, begun.elapsed());
            print_json(&wire::Document::new("imsprep.prepare", status, body))?;
        }
        Output::Text(detail) => {
            print(&render::prepare::text(&prepared, warnings, options.profile, status, detail))?;
        }
    }
    Ok(status)
}

/// Says why the image could not be prepared. Where documents of many images are joined, this one must not be missing.
fn fail(
    source: &Path,
    error: &anyhow::Error,
    options: &ConvertOptions,
    begun: Instant,
    setup: &Setup,
) -> anyhow::Result<Status> {
    let status = report_failure(error);
    if setup.output == Output::Json && matches!(status, Status::Wrong | Status::CouldNotLook) {
        let body = wire::prepare::Body::failed(source, error, options.profile, begun.elapsed());
        print_json(&wire::Document::new("imsprep.prepare", status, body))?;
    }
    Ok(status)
}

fn status(prepared: &Prepared, warnings: Warnings) -> Status {
    let of_plan = prepared.conversion.as_ref().map(|conversion| warnings.status(&conversion.plan.report));
    let of_result = prepared.checked.as_ref().map(|checked| warnings.status(&checked.report));
    of_plan.into_iter().chain(of_result).max().unwrap_or(Status::Wrong)
}
