//! `imsprep bitmap learn` and `make-sample`

use std::path::Path;

use anyhow::{Context, bail};
use imsprep_bitmap::learn::Learned;
use imsprep_bitmap::{SPECIMEN_SIZE, Specimen};
use imsprep_source::{Input, OutputFile, Overwrite};
use imsprep_toolkit::{
    Error, ProgramOptions, ProgramOutcome, SamplePair, learn_from_program, learn_layout, make_specimen,
    verify_against_program, write_description, write_proven,
};

use crate::args::{BitmapLearnArgs, BitmapMakeSampleArgs, BitmapVerifyArgs, ProgramRunArgs};
use crate::emit;
use crate::exit::Status;
use crate::layouts::installed_path;
use crate::render;
use crate::setup::Setup;
use crate::{version, wire, words};

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
    let now = crate::moment::now();
    let now = words::time::utc(now);
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
    let install = args.install.then(installed_path).transpose()?;
    if let Some(path) = &install {
        prepare_folder(path)?;
    }
    for output in args.output.iter().chain(&install) {
        // That it can't be written should not come out after a minute of runs.
        OutputFile::create_from(output, overwrite(args.force), &[]).map_err(Error::from)?;
    }
    let learned = learn_from_program(&program_options(command, &args.runs), setup.cancel())?;
    let status =
        if matches!(learned.outcome, ProgramOutcome::Proven(_)) { Status::Fine } else { Status::Wrong };
    let text = learned.description();
    for (output, text) in args.output.iter().chain(&install).zip(text.iter().cycle()) {
        write_proven(output, text, overwrite(args.force), &learned)?;
    }
    let written = text.and(args.output.as_deref().or(install.as_deref()));
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

/// `imsprep bitmap verify --program`
pub(crate) fn verify(command: &str, args: &BitmapVerifyArgs, setup: &Setup) -> anyhow::Result<Status> {
    let runs = ProgramRunArgs {
        time_limit: args.run_limit,
        run_limit: args.run_limit,
        temp_dir: args.temp_dir.clone(),
    };
    let options = program_options(command, &runs);
    let verified = verify_against_program(&args.file, args.bitmap.as_deref(), &options, setup.cancel())?;
    let status = if verified.difference.is_none() { Status::Fine } else { Status::Wrong };
    emit::result(
        setup.output,
        || {
            let body = wire::learn::Verified::from(&verified);
            wire::Document::new("imsprep.bitmap.verify-program", status, body)
        },
        |_| render::learn_program::verified(&verified),
    )?;
    Ok(status)
}

/// Makes the folder that a layout is installed in.
fn prepare_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot make this folder", folder.display()))
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
    let install = args.install.then(installed_path).transpose()?;
    if let Some(path) = &install {
        prepare_folder(path)?;
    }
    for output in args.output.iter().chain(&install) {
        // A sample may be the only one of its kind: it is never replaced, whatever the flags.
        let inputs = pairs.iter().flat_map(|pair| [&pair.image, &pair.sample]).map(Input::at);
        let inputs = inputs.collect::<Result<Vec<_>, _>>().map_err(Error::from)?;
        OutputFile::create_from(output, overwrite(args.force), &inputs).map_err(Error::from)?;
    }
    let learned = learn_layout(&pairs, args.io.into(), setup.work())?;
    let status = if matches!(learned.learned, Learned::One(_)) { Status::Fine } else { Status::Wrong };
    let text = learned.description();
    for (output, text) in args.output.iter().chain(&install).zip(text.iter().cycle()) {
        write_description(output, text, overwrite(args.force), &pairs)?;
    }
    let written = text.and(args.output.as_deref().or(install.as_deref()));
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
