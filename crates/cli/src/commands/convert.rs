//! `imsprep convert`

use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, bail};
use imsprep_detect::Format;
use imsprep_source::{Overwrite, Sink, StreamOutput, standard_output};
use imsprep_toolkit::{
    Converted, Direction, Plan, PlanOptions, RawOptions, RawWritten, Zvhd2Options, Zvhd2Written,
    plan_conversion, stream_raw, stream_zvhd2, write_raw, write_zvhd2,
};

use crate::args::{ConvertArgs, Io};
use crate::exit::Status;
use crate::render;
use crate::setup::{Output, Setup};
use crate::signals::STREAM_STOPPED;
use crate::terminal::{print, print_error, print_json, print_json_error};
use crate::{moment, wire};

pub(crate) fn run(args: &ConvertArgs, setup: &Setup) -> anyhow::Result<Status> {
    let to_stream = args.output.as_os_str() == "-";
    let output = (!to_stream).then_some(args.output.as_path());
    let options =
        PlanOptions { output, allowed: &args.from.allowed, disk: args.from.disk, ..PlanOptions::default() };
    let plan = plan_conversion(&args.source, &options, setup.cancel())?;
    if plan.is_refused() {
        return refuse(&plan, to_stream, setup);
    }
    refuse_what_does_not_apply(args, &plan)?;
    if !to_stream {
        plan.check_name(&args.output)?;
    }
    if let Output::Text(detail) = setup.output {
        // Before the work: perhaps it is better mended first.
        print_error(&render::convert::planned(&plan, detail));
    }
    if to_stream {
        setup.goes_to_stream();
    }
    let converted = match plan.direction {
        Direction::ToZvhd2 => to_zvhd2(args, to_stream, setup).map(Converted::Zvhd2),
        Direction::ToRaw => to_raw(args, to_stream, setup).map(Converted::Raw),
    };
    let converted = match converted {
        Err(error) if to_stream && is_stop(&error) => {
            print_error(STREAM_STOPPED);
            return Ok(Status::Interrupted);
        }
        other => other?,
    };
    report(&plan, &converted, args, to_stream, setup)?;
    Ok(Status::Fine)
}

/// Says why the source is not converted.
fn refuse(plan: &Plan, to_stream: bool, setup: &Setup) -> anyhow::Result<Status> {
    match setup.output {
        Output::Json => {
            let body = wire::convert::Converted::refused(plan);
            let document = wire::Document::new("imsprep.convert", Status::Wrong, body);
            if to_stream { print_json_error(&document)? } else { print_json(&document)? }
        }
        // Nobody reads standard output of a conversion for its words.
        Output::Text(detail) => print_error(&render::convert::refused(plan, detail)),
        Output::Quiet => {}
    }
    Ok(Status::Wrong)
}

fn is_stop(error: &anyhow::Error) -> bool {
    error.downcast_ref::<imsprep_toolkit::Error>().is_some_and(imsprep_toolkit::Error::is_cancelled)
}

/// A flag that has no effect is a misunderstanding, and better told before the work than after it.
fn refuse_what_does_not_apply(args: &ConvertArgs, plan: &Plan) -> anyhow::Result<()> {
    let of_zvhd2 = [
        ("--level", args.level.is_some()),
        ("--uuid", args.uuid.is_some()),
        ("--timestamp", args.timestamp.is_some()),
        ("--io", args.io.is_some()),
    ];
    let of_raw = [("--size", args.size.is_some()), ("--no-bitmap", args.no_bitmap)];
    let format = plan.detection.format;
    if args.size.is_some() && !matches!(format, Format::Raw | Format::Zvhd2 | Format::Zvhd) {
        bail!("--size has no meaning here: a disk in {format} has one size");
    }
    if args.from.disk.is_some() && format != Format::Tar {
        bail!("--disk has no meaning here: {} is {format} and holds one disk", args.source.display());
    }
    let (flags, to) = match plan.direction {
        Direction::ToZvhd2 => (&of_raw[..], "ZVHD2"),
        Direction::ToRaw => (&of_zvhd2[..], "RAW"),
    };
    if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
        bail!("{flag} has no meaning here: {} is converted to {to}", args.source.display());
    }
    Ok(())
}

fn to_zvhd2(args: &ConvertArgs, to_stream: bool, setup: &Setup) -> anyhow::Result<Zvhd2Written> {
    let timestamp = match args.timestamp {
        Some(timestamp) => Some(timestamp),
        None => moment::from_environment()?,
    };
    let options = Zvhd2Options {
        io: args.io.unwrap_or(Io::Auto).into(),
        disk: args.from.disk,
        level: args.level.unwrap_or_default(),
        uuid: args.uuid,
        timestamp,
    };
    let (progress, cancel) = (setup.progress(), setup.cancel());
    if to_stream {
        return to_standard_output(args, |out| {
            Ok(stream_zvhd2(&args.source, out, &options, progress, cancel)?)
        });
    }
    let (overwrite, output) = (overwrite(args), &args.output);
    Ok(write_zvhd2(&args.source, output, overwrite, args.verify, &options, progress, cancel)?)
}

fn to_raw(args: &ConvertArgs, to_stream: bool, setup: &Setup) -> anyhow::Result<RawWritten> {
    let length = args.size.map(Into::into).unwrap_or_default();
    let (progress, cancel) = (setup.progress(), setup.cancel());
    if to_stream {
        return to_standard_output(args, |out| {
            Ok(stream_raw(&args.source, out, (length, args.from.disk), progress, cancel)?)
        });
    }
    let options = RawOptions {
        length,
        overwrite: overwrite(args),
        verify: args.verify,
        bitmap: !args.no_bitmap,
        disk: args.from.disk,
    };
    Ok(write_raw(&args.source, &args.output, options, progress, cancel)?)
}

fn overwrite(args: &ConvertArgs) -> Overwrite {
    if args.force { Overwrite::Replace } else { Overwrite::Refuse }
}

/// Runs `work` with standard output as its output, past the buffer that splits it into lines.
fn to_standard_output<T>(
    args: &ConvertArgs,
    work: impl FnOnce(&mut dyn Sink) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if args.verify {
        bail!("--verify: what went to standard output can't be read back");
    }
    let file = standard_output().context("cannot use standard output")?;
    if file.is_terminal() {
        bail!("standard output is a terminal; name a file, or send it into a pipe");
    }
    let mut out = StreamOutput::new(Path::new("standard output"), file);
    let done = work(&mut out)?;
    out.finish().map_err(imsprep_toolkit::Error::from)?;
    Ok(done)
}

fn report(
    plan: &Plan,
    converted: &Converted,
    args: &ConvertArgs,
    to_stream: bool,
    setup: &Setup,
) -> anyhow::Result<()> {
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let body = wire::convert::Converted::new(plan, converted, (!to_stream).then_some(&args.output));
            let document = wire::Document::new("imsprep.convert", Status::Fine, body);
            // Standard output holds the image.
            if to_stream { print_json_error(&document)? } else { print_json(&document)? }
        }
        Output::Text(detail) => {
            let text = render::convert::done(plan, converted, &args.output, detail);
            if to_stream { print_error(&text) } else { print(&text)? }
        }
    }
    Ok(())
}
