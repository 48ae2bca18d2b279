//! `imsprep prepare`

use std::time::Instant;

use imsprep_rules::output_beside;
use imsprep_source::Overwrite;
use imsprep_toolkit::{CheckOptions, ConvertOptions, Target, prepare_image};

use super::checksums::Expected;
use super::convert::{disk_fit, file_holes, free_space};
use super::extra_files::ExtraFiles;
use crate::args::PrepareArgs;
use crate::emit::Emitter;
use crate::exit::Status;
use crate::failure::report_failure;
use crate::layouts::in_force;
use crate::outcome::{Judged, MAY_BE_CONVERTED, Outcome};
use crate::page;
use crate::policy::{Policy, Warnings};
use crate::setup::Setup;
use crate::terminal::print;
use crate::{moment, render, wire};

const SCHEMA: &str = "imsprep.prepare";

pub(crate) fn run(args: &PrepareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let policy = Policy::resolve(&args.policy, &args.intent, setup)?;
    let options = ConvertOptions {
        output: args.output.clone(),
        overwrite: if args.force { Overwrite::Replace } else { Overwrite::Refuse },
        strict: policy.warnings == Warnings::Count,
        checksums: Expected::read(&args.checksums, 1)?.of(&args.source)?,
        disk: args.disk,
        temp_folder: args.temp.temp_dir.clone(),
        holes: file_holes(args.read_holes),
        io: args.report.io.into(),
        free_space: free_space(args.sparsify),
        fit: disk_fit(args.fit),
        timestamp: moment::from_environment()?,
        ..ConvertOptions::default()
    };
    let emitter = Emitter::of(&args.format, setup.output);
    let check = CheckOptions {
        profile: policy.profile,
        intent: policy.intent.clone(),
        overrides: policy.overrides.clone(),
        digest: args.report.manifest.is_some(),
        layout: in_force(args.report.layout.as_deref(), policy.layout.as_ref(), setup)?,
        overview: (args.report.html.is_some() || emitter.is_page()).then(|| page::pieces_of_each(1)),
        holes: file_holes(args.read_holes),
        io: args.report.io.into(),
        ..CheckOptions::default()
    };
    let output = args.output.clone().unwrap_or_else(|| output_beside(&args.source));
    let targets = [Target::new(&args.source), Target::new(&output)];
    let extra = ExtraFiles::begin(&args.report, args.force, targets.iter())?;
    let begun = Instant::now();
    let result = prepare_image(&args.source, &options, &check, setup.work());
    let elapsed = begun.elapsed();
    let mut prepared = match result {
        Ok(prepared) => prepared,
        // Where documents of many images are joined, this one must not be missing.
        Err(error) => {
            let error = error.into();
            let status = report_failure(&error);
            if status == Status::Interrupted {
                return Ok(status);
            }
            let body = wire::prepare::Body::failed(&args.source, &error, elapsed);
            let outcome = Outcome { path: args.source.clone(), status, elapsed, result: Err(error) };
            let status = status.max(extra.write(std::slice::from_ref(&outcome), &policy)?);
            let document = || wire::Document::under(&policy, SCHEMA, status, body);
            emitter.judged((&[outcome.judged()], status), policy.warnings, document, |_| String::new())?;
            return Ok(status);
        }
    };
    let of_plan =
        prepared.conversion.as_ref().map(|conversion| policy.warnings.status(&conversion.plan.report));
    let mut outcomes = Vec::from_iter(prepared.checked.take().map(|checked| Outcome {
        path: checked.path.clone(),
        status: policy.warnings.status(&checked.report),
        elapsed,
        result: Ok(checked),
    }));
    let of_result = outcomes.first().map(|outcome| outcome.status);
    let mut status = of_plan.into_iter().chain(of_result).max().unwrap_or(Status::Wrong);
    if outcomes.is_empty() {
        extra.leave_out("the image was not converted");
    } else {
        status = status.max(extra.write(&outcomes, &policy)?);
    }
    if emitter.is_page() && !outcomes.is_empty() {
        print(&page::check::page(&outcomes, &policy, moment::now()))?;
        return Ok(status);
    }
    prepared.checked = outcomes.pop().and_then(|outcome| outcome.result.ok());
    let source = prepared.conversion.as_ref().zip(of_plan).map(|(conversion, status)| Judged {
        path: conversion.plan.source.path(),
        question: MAY_BE_CONVERTED,
        status,
        elapsed,
        size: Some(conversion.plan.source.detection().file_size),
        would_start: None,
        result: Ok(&conversion.plan.report),
    });
    let result = prepared
        .checked
        .as_ref()
        .zip(of_result)
        .map(|(checked, status)| Judged::of(checked, status, elapsed));
    let judged = source.into_iter().chain(result).collect::<Vec<_>>();
    let document = || {
        let body = wire::prepare::Body::new(&prepared, &policy, status, elapsed);
        wire::Document::under(&policy, SCHEMA, status, body)
    };
    let text = |detail| render::prepare::text(&prepared, &policy, status, detail);
    emitter.judged((&judged, status), policy.warnings, document, text)?;
    Ok(status)
}
