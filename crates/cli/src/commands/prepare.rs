//! `imsprep prepare`

use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use imsprep_toolkit::{
    ConvertOptions, PreparedPlace, Target, Unpacking, plan_preparation, plan_preparation_of_export,
};

use super::address::{DRY_RUN_NEEDS_FILE, address_of, is_address, refuse_flags_for_files};
use super::checksums::Expected;
use super::extra_files::ExtraFiles;
use super::preparing::{Request, SCHEMA, Statuses};
use super::{dry_run, prepare_many};
use crate::args::{ChecksumArgs, Io, PrepareArgs};
use crate::exit::Status;
use crate::failure::report_failure;
use crate::outcome::{Judged, MAY_BE_CONVERTED, Outcome};
use crate::setup::Setup;
use crate::terminal::print;
use crate::{moment, page, render, wire};

pub(crate) fn run(args: &PrepareArgs, setup: &Setup) -> anyhow::Result<Status> {
    match &args.sources[..] {
        [_, _, ..] if args.sources.iter().any(|source| is_address(source)) => {
            bail!("an NBD export is prepared on its own, with --output FILE")
        }
        [source] if is_address(source) && args.dry_run => bail!(DRY_RUN_NEEDS_FILE),
        _ if args.dry_run => dry_run::prepare(args, setup),
        [source] if !source.is_dir() => one(source, args, setup),
        _ => prepare_many::run(args, setup),
    }
}

/// As those of a conversion.
fn refuse_flags_of_files(args: &PrepareArgs) -> anyhow::Result<()> {
    let ChecksumArgs { sha256, sha512, checksums } = &args.checksums;
    refuse_flags_for_files(&[
        ("--disk", args.disk.disk.is_some()),
        ("--io", args.report.io != Io::Auto),
        ("--read-holes", args.read_holes),
        ("--temp-dir", args.temp.temp_dir.is_some()),
        ("--sha256", sha256.is_some()),
        ("--sha512", sha512.is_some()),
        ("--checksums", checksums.is_some()),
    ])
}

fn one(source: &Path, args: &PrepareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let request = Request::new(args, 1, setup)?;
    let Request { policy, convert, check, place, emitter } = &request;
    let convert =
        ConvertOptions { checksums: Expected::read(&args.checksums, 1)?.of(source)?, ..convert.clone() };
    request.refuse_flags_of_one(args, true)?;
    let address = address_of(source)?;
    if address.is_some() {
        refuse_flags_of_files(args)?;
    }
    let _folder = request.folder()?;
    let targets = [Target::new(source), Target::new(place.output_of(source))];
    let extra = ExtraFiles::begin(&args.report, args.force, targets.iter())?;
    let [target, _] = &targets;
    let begun = Instant::now();
    let planned = match (address, place) {
        (None, _) => plan_preparation(target, place, (&convert, check), Unpacking::Planning, setup.work()),
        (Some(address), PreparedPlace::File(output)) => {
            plan_preparation_of_export(&address, output, (&convert, check), setup.work())
        }
        (Some(_), _) => bail!("{}: an NBD export is in no folder; use --output FILE", source.display()),
    };
    let result = planned.and_then(|planned| planned.carry_out(setup.work()));
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
            let body = wire::prepare::Body::failed(source, &error, elapsed);
            let outcome = Outcome { path: source.to_owned(), status, elapsed, result: Err(error) };
            let status = status.max(extra.write(std::slice::from_ref(&outcome), policy)?);
            let document = || wire::Document::under(policy, SCHEMA, status, body);
            emitter.judged((&[outcome.judged()], status), policy.warnings, document, |_| String::new())?;
            return Ok(status);
        }
    };
    let Statuses { of_plan, of_result, mut worst } = Statuses::of(&prepared, policy);
    let mut outcomes = Vec::from_iter(prepared.checked.take().zip(of_result).map(|(checked, status)| {
        Outcome { path: checked.path.clone(), status, elapsed, result: Ok(checked) }
    }));
    if outcomes.is_empty() {
        extra.leave_out("the image was not converted");
    } else {
        worst = worst.max(extra.write(&outcomes, policy)?);
    }
    if emitter.is_page() && !outcomes.is_empty() {
        print(&page::check::page(&outcomes, policy, moment::now()))?;
        return Ok(worst);
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
        let body = wire::prepare::Body::new(&prepared, policy, worst, elapsed);
        wire::Document::under(policy, SCHEMA, worst, body)
    };
    let text = |detail| render::prepare::text(&prepared, policy, worst, detail);
    emitter.judged((&judged, worst), policy.warnings, document, text)?;
    Ok(worst)
}
