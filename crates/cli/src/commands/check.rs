//! `imsprep check`

use std::time::Instant;

use anyhow::bail;
use imsprep_toolkit::{
    CheckOptions, CheckedImage, Depth, Error, MissingBitmap, Target, Targets, check_export, check_image_file,
    expand_targets,
};

use super::address::{address_of, is_address, refuse_flags_for_files};
use super::checksums::Expected;
use super::convert_flags::file_holes;
use super::extra_files::ExtraFiles;
use super::folders::{note_skipped, subfolders};
use crate::args::{CheckArgs, ChecksumArgs, Io};
use crate::emit::Emitter;
use crate::exit::Status;
use crate::failure::{report_failure, report_unread};
use crate::layouts::in_force;
use crate::moment;
use crate::outcome::Outcome;
use crate::page;
use crate::policy::Policy;
use crate::render;
use crate::setup::{Detail, Setup};
use crate::terminal::print;
use crate::wire;

pub(crate) fn run(args: &CheckArgs, setup: &Setup) -> anyhow::Result<Status> {
    let policy = Policy::resolve(&args.policy, &args.intent, setup)?;
    let Targets { targets, skipped } = expand_targets(&args.files, subfolders(args.recursive));
    note_skipped(&skipped, setup);
    let emitter = Emitter::of(&args.format, setup.output);
    let options = CheckOptions {
        temp_folder: args.temp.temp_dir.clone(),
        depth: if args.quick { Depth::Quick } else { Depth::Content },
        profile: policy.profile,
        intent: policy.intent.clone(),
        overrides: policy.overrides.clone(),
        missing_bitmap: if args.write_bitmap { MissingBitmap::Write } else { MissingBitmap::Report },
        digest: args.report.manifest.is_some(),
        checksums: Vec::new(),
        disk: args.disk.disk.clone(),
        layout: in_force(args.report.layout.as_deref(), policy.layout.as_ref(), setup)?,
        overview: (args.report.html.is_some() || emitter.is_page())
            .then(|| page::pieces_of_each(targets.len())),
        holes: file_holes(args.read_holes),
        io: args.report.io.into(),
    };
    if args.disk.disk.is_some() && targets.len() > 1 {
        bail!("--disk is for one archive; check it on its own");
    }
    if args.files.iter().any(|file| is_address(file)) {
        let ChecksumArgs { sha256, sha512, checksums } = &args.checksums;
        refuse_flags_for_files(&[
            ("--write-bitmap", args.write_bitmap),
            ("--manifest", args.report.manifest.is_some()),
            ("--layout", args.report.layout.is_some()),
            ("--disk", args.disk.disk.is_some()),
            ("--io", args.report.io != Io::Auto),
            ("--read-holes", args.read_holes),
            ("--sha256", sha256.is_some()),
            ("--sha512", sha512.is_some()),
            ("--checksums", checksums.is_some()),
        ])?;
    }
    let expected = Expected::read(&args.checksums, targets.len())?;
    let extra = ExtraFiles::begin(&args.report, args.force, targets.iter().flatten())?;
    let mut outcomes = Vec::new();
    for target in targets {
        let outcome = look_at(target, &options, &expected, &policy, setup);
        if outcome.status == Status::Interrupted {
            return Ok(outcome.status);
        }
        // One at a time, as each is done: the first verdict should not wait for the last file.
        emitter.file(
            || wire::check::Document::of_file(&outcome, &policy),
            |detail| block(&outcome, outcomes.is_empty(), &policy, detail),
        )?;
        outcomes.push(outcome);
    }
    let worst = outcomes.iter().map(|o| o.status).max().unwrap_or(Status::Fine);
    // Before the document, which would else tell of a success that was none.
    let worst = worst.max(extra.write(&outcomes, &policy)?);
    if emitter.is_page() {
        print(&page::check::page(&outcomes, &policy, moment::now()))?;
        return Ok(worst);
    }
    let judged = outcomes.iter().map(|outcome| outcome.judged()).collect::<Vec<_>>();
    let document = || wire::check::Document::new_check(&outcomes, &policy, worst);
    let table = || if outcomes.len() > 1 { render::check::table(&outcomes) } else { String::new() };
    emitter.files((&judged, worst), policy.warnings, document, table)?;
    Ok(worst)
}

fn look_at(
    target: imsprep_toolkit::Result<Target>,
    options: &CheckOptions,
    expected: &Expected,
    policy: &Policy,
    setup: &Setup,
) -> Outcome {
    let begun = Instant::now();
    let (path, result) = match target {
        Ok(target) => (target.path.clone(), check_one(&target, options, expected, setup)),
        Err(error) => (error.path().to_owned(), Err(error.into())),
    };
    let status = match &result {
        Ok(checked) => policy.warnings.status(&checked.report),
        // The disk that the server should export was not looked at.
        Err(error) if matches!(error.downcast_ref(), Some(Error::RemoteImage { .. })) => report_unread(error),
        Err(error) => report_failure(error),
    };
    Outcome { path, status, elapsed: begun.elapsed(), result }
}

fn check_one(
    target: &Target,
    options: &CheckOptions,
    expected: &Expected,
    setup: &Setup,
) -> anyhow::Result<CheckedImage> {
    if let Some(address) = address_of(&target.path)? {
        return Ok(check_export(&address, options, setup.work())?);
    }
    let options = CheckOptions { checksums: expected.of(&target.path)?, ..options.clone() };
    let checked = check_image_file(target, &options, setup.work())?;
    let format = checked.detection.format;
    if options.disk.is_some() && !format.is_archive() && !format.is_compressed() {
        bail!("--disk does not apply here: {} is {format} and contains one disk", target.path.display());
    }
    Ok(checked)
}

fn block(outcome: &Outcome, is_first: bool, policy: &Policy, detail: Detail) -> String {
    let Ok(checked) = &outcome.result else { return String::new() };
    let gap = if is_first { "" } else { "\n" };
    let block = render::check::Block { checked, warnings: policy.warnings, profile: policy.profile, detail };
    format!("{gap}{block}")
}
