//! `imsprep convert`

use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, bail};
use imsprep_source::{InputStream, Overwrite, Sink, StreamOutput, standard_output};
use imsprep_toolkit::{
    ConvertOptions, Converted, Direction, Plan, plan_conversion, plan_remote, plan_stream,
};

use super::address::{DRY_RUN_NEEDS_FILE, address_of};
use super::checksums::Expected;
use super::convert_flags::{
    disk_fit, file_holes, free_space, refuse_what_does_not_apply, refuse_what_needs_a_file,
};
use super::dry_run;
use crate::args::{ConvertArgs, IntentArgs, Io};
use crate::exit::Status;
use crate::failure::{self, STREAM_STOPPED, is_stop};
use crate::layouts::in_force;
use crate::policy::{Policy, Warnings};
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_error, print_json, print_json_error};
use crate::{moment, wire};

pub(crate) fn run(args: &ConvertArgs, setup: &Setup) -> anyhow::Result<Status> {
    let to_stream = args.output.as_os_str() == "-";
    let from_stream = args.source.as_os_str() == "-";
    let policy = Policy::resolve(&args.policy, &IntentArgs::default(), setup)?;
    let options = ConvertOptions {
        output: (!to_stream).then(|| args.output.clone()),
        overwrite: if args.force { Overwrite::Replace } else { Overwrite::Refuse },
        verify: args.verify,
        overrides: policy.overrides.clone(),
        strict: policy.warnings == Warnings::Count,
        profile: policy.profile,
        checksums: Expected::read(&args.checksums, 1)?.of(&args.source)?,
        disk: args.disk.disk.clone(),
        temp_folder: args.temp.temp_dir.clone(),
        free_space: free_space(args.sparsify),
        fit: disk_fit(args.fit),
        length: args.size.map(Into::into).unwrap_or_default(),
        bitmap: !args.no_bitmap,
        layout: None,
        holes: file_holes(args.read_holes),
        io: args.io.unwrap_or(Io::Auto).into(),
        level: args.level.unwrap_or_default(),
        uuid: args.uuid,
        timestamp: args.timestamp,
    };
    let address = address_of(&args.source)?;
    if args.dry_run && (from_stream || address.is_some()) {
        bail!(DRY_RUN_NEEDS_FILE);
    }
    if args.dry_run {
        return dry_run::convert(args, options, &policy, setup);
    }
    let mut plan = if let Some(address) = address {
        refuse_what_needs_a_file(args, "an NBD export")?;
        if !options.checksums.is_empty() {
            bail!("checksums do not apply to an NBD export, which is not the file that was published");
        }
        plan_remote(&address, options, setup.work())?
    } else if from_stream {
        refuse_what_needs_a_file(
            args,
            "standard input, which is read once, from its first byte to its last",
        )?;
        plan_stream(InputStream::standard_input()?, options, setup.work())?
    } else {
        plan_conversion(&args.source, options, setup.work())?
    };
    if plan.is_refused() {
        return refuse(&plan, &policy, to_stream, setup);
    }
    refuse_what_does_not_apply(args, &plan)?;
    if !to_stream {
        plan.check_name(&args.output)?;
    }
    if plan.direction == Direction::ToRaw && !to_stream && !args.no_bitmap {
        plan.options.layout = in_force(args.layout.as_deref(), policy.layout.as_ref(), setup)?;
    }
    if let Output::Text(detail) = setup.output {
        // Before the work: perhaps it is better fixed first.
        print_error(&render::convert::planned(&plan, detail));
        print_error(&render::convert::open_until_end(&plan));
    }
    if to_stream {
        setup.goes_to_stream();
    }
    if plan.direction == Direction::ToZvhd2 && args.timestamp.is_none() {
        plan.options.timestamp = moment::from_environment()?;
    }
    let work = setup.work();
    let planned = plan.report.findings().len();
    let conversion = if to_stream {
        to_standard_output(args, |out| Ok(plan.stream(out, work)?))
    } else {
        plan.convert(work).map_err(Into::into)
    };
    let conversion = match conversion {
        Err(error) if to_stream && is_stop(&error) => {
            failure::error(STREAM_STOPPED);
            return Ok(Status::Interrupted);
        }
        other => other?,
    };
    let plan = &conversion.plan;
    let Some(made) = &conversion.made else {
        return refuse(plan, &policy, to_stream, setup);
    };
    if let Output::Text(detail) = setup.output
        && plan.report.findings().len() > planned
    {
        // What showed only when the disk was unpacked.
        print_error(&render::convert::planned(plan, detail));
    }
    report(plan, made, &policy, to_stream, setup)?;
    Ok(Status::Fine)
}

/// Says why the source is not converted.
fn refuse(plan: &Plan, policy: &Policy, to_stream: bool, setup: &Setup) -> anyhow::Result<Status> {
    match setup.output {
        Output::Json => {
            let body = wire::convert::Converted::refused(plan);
            let document = wire::Document::under(policy, "imsprep.convert", Status::Wrong, body);
            if to_stream { print_json_error(&document)? } else { print_json(&document)? }
        }
        // The standard output of a conversion has the disk, not text.
        Output::Text(detail) => print_error(&render::convert::refused(plan, detail)),
        Output::Quiet => {}
    }
    Ok(Status::Wrong)
}

/// Runs `work` with standard output as its output, past the buffer that splits it into lines.
fn to_standard_output<T>(
    args: &ConvertArgs,
    work: impl FnOnce(&mut dyn Sink) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if args.verify {
        bail!("--verify does not apply to standard output, which cannot be read back");
    }
    let file = standard_output().context("cannot use standard output")?;
    if file.is_terminal() {
        bail!("standard output is a terminal; use a file or a pipe");
    }
    let mut out = StreamOutput::new(Path::new("standard output"), file);
    let done = work(&mut out)?;
    out.finish().map_err(imsprep_toolkit::Error::from)?;
    Ok(done)
}

fn report(
    plan: &Plan,
    made: &Converted,
    policy: &Policy,
    to_stream: bool,
    setup: &Setup,
) -> anyhow::Result<()> {
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let body = wire::convert::Converted::new(plan, made);
            let document = wire::Document::under(policy, "imsprep.convert", Status::Fine, body);
            // Standard output holds the image.
            if to_stream { print_json_error(&document)? } else { print_json(&document)? }
        }
        Output::Text(detail) => {
            let text = render::convert::done(plan, made, detail) + &render::convert::saved(made);
            if to_stream { print_error(&text) } else { print(&text)? }
        }
    }
    Ok(())
}
