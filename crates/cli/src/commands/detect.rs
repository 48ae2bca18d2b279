//! `imsprep detect`

use std::path::Path;
use std::time::Instant;

use imsprep_findings::Report;
use imsprep_rules::{HUAWEI, check_detection};
use imsprep_source::Cancel;
use imsprep_toolkit::{OpenedImage, Targets, detect_export, expand_targets};

use super::address::address_of;
use super::folders::{note_skipped, subfolders};
use crate::args::DetectArgs;
use crate::emit::Emitter;
use crate::exit::Status;
use crate::failure::report_failure;
use crate::outcome::{DetectedFile, Outcome, as_notes};
use crate::policy::Warnings;
use crate::setup::Setup;
use crate::{render, wire};

pub(crate) fn run(args: &DetectArgs, setup: &Setup) -> anyhow::Result<Status> {
    let emitter = Emitter::of(&args.format, setup.output);
    let mut outcomes = Vec::new();
    let Targets { targets, skipped } = expand_targets(&args.files, subfolders(args.recursive));
    note_skipped(&skipped, setup);
    for target in targets {
        if setup.cancel().is_cancelled() {
            return Ok(Status::Interrupted);
        }
        let begun = Instant::now();
        let (path, result) = match target {
            Ok(target) => {
                let found = look_at(&target.path, setup);
                (target.path, found)
            }
            Err(error) => (error.path().to_owned(), Err(error.into())),
        };
        let status = result.as_ref().err().map_or(Status::Fine, report_failure);
        if status == Status::Interrupted {
            return Ok(status);
        }
        let outcome = Outcome { path, status, elapsed: begun.elapsed(), result };
        emitter.file(|| wire::detect::one(&outcome), |_| render::detect::text(&outcome))?;
        outcomes.push(outcome);
    }
    let worst = outcomes.iter().map(|outcome| outcome.status).max().unwrap_or(Status::Fine);
    let judged = outcomes.iter().map(|outcome| outcome.judged()).collect::<Vec<_>>();
    let table = || if outcomes.len() > 1 { render::detect::overview(&outcomes) } else { String::new() };
    emitter.files((&judged, worst), Warnings::Pass, || wire::detect::all(&outcomes, worst), table)?;
    Ok(worst)
}

fn look_at(path: &Path, setup: &Setup) -> anyhow::Result<DetectedFile> {
    let (kind, detection) = match address_of(path)? {
        Some(address) => (None, detect_export(&address, setup.cancel())?),
        None => {
            let image = OpenedImage::open(path, &Cancel::new())?;
            image.file().verify_unchanged()?;
            (Some(image.file().kind()), image.detection().clone())
        }
    };
    let mut report = Report::new();
    // The profile is of use for advice alone.
    check_detection(path, &detection, &HUAWEI, &mut report);
    Ok(DetectedFile { kind, detection, report: as_notes(&report) })
}
