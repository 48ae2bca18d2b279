//! `imsprep detect`

use std::path::{Path, PathBuf};

use anyhow::Error;
use imsprep_detect::Detection;
use imsprep_source::{Cancel, FileKind};
use imsprep_toolkit::{OpenedImage, expand_targets};

use crate::args::DetectArgs;
use crate::exit::Status;
use crate::failure::report_failure;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json};
use crate::wire;

/// What came of one file: found out, or why not.
pub(crate) struct Outcome {
    pub(crate) path: PathBuf,
    pub(crate) result: Result<(FileKind, Detection), Error>,
}

pub(crate) fn run(args: &DetectArgs, setup: &Setup) -> anyhow::Result<Status> {
    let mut worst = Status::Fine;
    let mut outcomes = Vec::new();
    for target in expand_targets(&args.files) {
        if setup.cancel().is_cancelled() {
            return Ok(Status::Interrupted);
        }
        let (path, result) = match target {
            Ok(target) => {
                let found = look_at(&target.path);
                (target.path, found)
            }
            Err(error) => (error.path().to_owned(), Err(error.into())),
        };
        match (&result, setup.output) {
            (Err(error), _) => worst = worst.max(report_failure(error)),
            (Ok((kind, found)), Output::Text(_)) => print(&render::detect::text(&path, *kind, found))?,
            _ => {}
        }
        outcomes.push(Outcome { path, result });
    }
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            print_json(&wire::Document::new("imsprep.detect", worst, wire::detect::Files::from(&*outcomes)))?;
        }
        Output::Text(_) if outcomes.len() > 1 => print(&render::detect::overview(&outcomes))?,
        Output::Text(_) => {}
    }
    Ok(worst)
}

fn look_at(path: &Path) -> Result<(FileKind, Detection), Error> {
    let image = OpenedImage::open(path, &Cancel::new())?;
    image.file().verify_unchanged()?;
    Ok((image.file().kind(), image.detection().clone()))
}
