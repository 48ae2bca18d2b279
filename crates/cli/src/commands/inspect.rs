//! `imsprep inspect`

use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use imsprep_findings::Report;
use imsprep_rules::{DiskPart, Inside, Intent, Medium, MediumKind, check_content};
use imsprep_toolkit::{inspect_export, inspect_image, without_bitmaps_of};

use super::address::address_of;
use crate::args::{InspectArgs, IntentArgs, PolicyArgs};
use crate::emit::Emitter;
use crate::exit::Status;
use crate::failure::report_unread;
use crate::outcome::{InspectedFile, Outcome, as_notes};
use crate::policy::{Policy, Warnings};
use crate::setup::Setup;
use crate::{render, wire};

pub(crate) fn run(args: &InspectArgs, setup: &Setup) -> anyhow::Result<Status> {
    let policy = PolicyArgs { rules: args.rules.clone(), ..PolicyArgs::default() };
    let policy = Policy::resolve(&policy, &IntentArgs::default(), setup)?;
    let emitter = Emitter::of(&args.format, setup.output);
    let mut outcomes = Vec::new();
    for path in without_bitmaps_of(&args.files) {
        let begun = Instant::now();
        let result = look_at(path, args, &policy, setup);
        let status = result.as_ref().err().map_or(Status::Fine, report_unread);
        if status == Status::Interrupted {
            // The other files are no longer needed.
            return Ok(status);
        }
        let outcome = Outcome { path: path.to_owned(), status, elapsed: begun.elapsed(), result };
        emitter.file(
            || wire::inspect::one(&outcome, &policy),
            |detail| render::inspect::text(&outcome, outcomes.is_empty(), policy.profile, detail),
        )?;
        outcomes.push(outcome);
    }
    let worst = outcomes.iter().map(|outcome| outcome.status).max().unwrap_or(Status::Fine);
    let judged = outcomes.iter().map(|outcome| outcome.judged()).collect::<Vec<_>>();
    let document = || wire::inspect::all(&outcomes, &policy, worst);
    emitter.files((&judged, worst), Warnings::Pass, document, String::new)?;
    Ok(worst)
}

fn look_at(path: &Path, args: &InspectArgs, policy: &Policy, setup: &Setup) -> anyhow::Result<InspectedFile> {
    let address = address_of(path)?;
    let is_export = address.is_some();
    let found = match address {
        Some(address) => inspect_export(&address, setup.work())?,
        None => inspect_image(path, args.disk.disk.as_ref(), &args.temp.folder(), setup.work())?,
    };
    if args.disk.disk.is_some() && found.member.is_none() {
        bail!("--disk does not apply here: {} is {} and contains one disk", path.display(), found.format);
    }
    let medium = Medium {
        path,
        kind: if is_export { MediumKind::Export } else { MediumKind::of(found.format) },
        number: None,
    };
    let mut report = Report::new();
    check_content(
        &Inside { inspection: &found.inspection, medium, part: DiskPart::Whole },
        policy.profile,
        &Intent::default(),
        &mut report,
    );
    Ok(InspectedFile { report: as_notes(&report), found })
}
