//! `imsprep zvhd2`

use std::time::Instant;

use imsprep_findings::Report;
use imsprep_rules::shell_quoted;
use imsprep_source::ImageFile;
use imsprep_toolkit::Error;

use crate::args::{IntentArgs, Zvhd2CheckArgs, Zvhd2InfoArgs};
use crate::emit::{self, Emitter};
use crate::exit::Status;
use crate::outcome::{Judged, SOUND};
use crate::policy::Policy;
use crate::render;
use crate::setup::Setup;
use crate::wire;

pub(crate) fn check(args: &Zvhd2CheckArgs, setup: &Setup) -> anyhow::Result<Status> {
    let begun = Instant::now();
    let policy = Policy::resolve(&args.policy, &IntentArgs::default(), setup)?;
    let depth = if args.quick { imsprep_zvhd2::Depth::Structure } else { imsprep_zvhd2::Depth::Content };
    let image = ImageFile::open(&args.file).map_err(Error::from)?;
    let mut report = Report::under(policy.overrides.clone());
    let mut checked = imsprep_zvhd2::check(&image, depth, setup.work()).map_err(Error::from)?;
    report.merge(checked.report);
    report.name_file(&shell_quoted(&args.file));
    checked.report = report;
    image.verify_unchanged().map_err(Error::from)?;
    let status = policy.warnings.status(&checked.report);
    let judged = Judged {
        path: &args.file,
        question: SOUND,
        status,
        elapsed: begun.elapsed(),
        size: Some(checked.info.file_size.0),
        would_start: None,
        result: Ok(&checked.report),
    };
    let document = || {
        let body = wire::zvhd2::WireContainer::new(&args.file, &checked);
        wire::Document::under(&policy, "imsprep.zvhd2.check", status, body)
    };
    let text = |detail| render::zvhd2::checked(&args.file, &checked, depth, detail);
    Emitter::of(&args.format, setup.output).judged((&[judged], status), policy.warnings, document, text)?;
    Ok(status)
}

pub(crate) fn info(args: &Zvhd2InfoArgs, setup: &Setup) -> anyhow::Result<Status> {
    let image = ImageFile::open(&args.file).map_err(Error::from)?;
    let info = imsprep_zvhd2::info(&image).map_err(Error::from)?;
    image.verify_unchanged().map_err(Error::from)?;
    let document = || {
        let body = wire::zvhd2::Described::new(&args.file, &info);
        wire::Document::new("imsprep.zvhd2.info", Status::Fine, body)
    };
    emit::result(setup.output, document, |_| render::zvhd2::info(&args.file, &info))?;
    Ok(Status::Fine)
}
