//! `imsprep bitmap learn` and `make-sample`

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::bail;
use imsprep_bitmap::learn::Learned;
use imsprep_bitmap::{SPECIMEN_SIZE, Specimen};
use imsprep_source::{Input, OutputFile, Overwrite};
use imsprep_toolkit::{
    Error, ProgramOptions, ProgramOutcome, SamplePair, learn_from_program, learn_layout, make_specimen,
    write_description, write_proven,
};

use crate::args::{BitmapLearnArgs, BitmapMakeSampleArgs, ProgramRunArgs};
use crate::emit;
use crate::exit::Status;
use crate::render;
use crate::setup::Setup;
use crate::{version, wire};

fn overwrite(force: bool) -> Overwrite {
    if force { Overwrite::Replace } else { Overwrite::Refuse }
}

pub(crate) fn learn(args: &BitmapLearnArgs, setup: &Setup) -> anyhow::Result<Status> {
    match &args.program {
        Some(command) => learn_program(command, args, setup),
        None => learn_samples(args, setup),
    }
}

/// How a program is run, by the flags.
pub(crate) fn program_options(command: &str, args: &ProgramRunArgs) -> ProgramOptions {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let now = render::time::utc(now);
    ProgramOptions {
        command: command.to_owned(),
        temp_folder: args.temp_dir.clone().unwrap_or_else(std::env::temp_dir),
        time_limit: args.time_limit,
        run_limit: args.run_limit,
        date: now.split('T').next().unwrap_or_default().to_owned(),
        version: version::SHORT.to_owned(),
    }
}

fn learn_program(command: &str, args: &BitmapLearnArgs, setup: &Setup) -> anyhow::Result<Status> {
    if let Some(output) = &args.output {
        // That it can't be written should not come out after a minute of runs.
        OutputFile::create_from(output, overwrite(args.force), &[]).map_err(Error::from)?;
    }
    let learned = learn_from_program(&program_options(command, &args.runs), setup.cancel())?;
    let status =
        if matches!(learned.outcome, ProgramOutcome::Proven(_)) { Status::Fine } else { Status::Wrong };
    let written = match (&args.output, learned.description()) {
        (Some(output), Some(text)) => {
            write_proven(output, &text, overwrite(args.force), &learned)?;
            Some(output.as_path())
        }
        _ => None,
    };
    emit::result(
        setup.output,
        || {
            let body = wire::learn::Body::of_program(&learned, written);
            wire::Document::new("imsprep.bitmap.learn", status, body)
        },
        |detail| render::learn_program::learned(&learned, written, detail),
    )?;
    Ok(status)
}

fn learn_samples(args: &BitmapLearnArgs, setup: &Setup) -> anyhow::Result<Status> {
    if args.image.len() != args.sample.len() {
        let (images, samples) = (args.image.len(), args.sample.len());
        bail!(
            "{images} times --image and {samples} times --sample: each sample needs the image that it was made from"
        );
    }
    let pairs = args.image.iter().zip(&args.sample);
    let pairs = pairs.map(|(image, sample)| SamplePair { image: image.clone(), sample: sample.clone() });
    let pairs = pairs.collect::<Vec<_>>();
    if let Some(output) = &args.output {
        // A sample may be the only one of its kind: it is never replaced, whatever the flags.
        let inputs = pairs.iter().flat_map(|pair| [&pair.image, &pair.sample]).map(Input::at);
        let inputs = inputs.collect::<Result<Vec<_>, _>>().map_err(Error::from)?;
        OutputFile::create_from(output, overwrite(args.force), &inputs).map_err(Error::from)?;
    }
    let learned = learn_layout(&pairs, args.io.into(), setup.work())?;
    let status = if matches!(learned.learned, Learned::One(_)) { Status::Fine } else { Status::Wrong };
    let written = match (&args.output, learned.description()) {
        (Some(output), Some(text)) => {
            write_description(output, &text, overwrite(args.force), &pairs)?;
            Some(output.as_path())
        }
        _ => None,
    };
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.bitmap.learn", status, wire::learn::Body::new(&learned, written)),
        |detail| render::learn::learned(&learned, written, detail),
    )?;
    Ok(status)
}

pub(crate) fn make_sample(args: &BitmapMakeSampleArgs, setup: &Setup) -> anyhow::Result<Status> {
    let specimen = Specimen::new(args.size.unwrap_or(SPECIMEN_SIZE));
    let made = make_specimen(&args.output, specimen, overwrite(args.force), setup.cancel())?;
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.bitmap.make-sample", Status::Fine, wire::learn::Made::from(&made)),
        |_| render::learn::made(&made),
    )?;
    Ok(Status::Fine)
}
