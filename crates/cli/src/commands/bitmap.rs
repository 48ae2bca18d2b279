//! `imsprep bitmap`

use std::time::Instant;

use imsprep_bitmap::layout::ZVHD2;
use imsprep_source::Overwrite;
use imsprep_toolkit::{BitmapState, CreateOptions, VerifyOptions, create_bitmap, verify_bitmap};

use super::convert_flags::file_holes;
use crate::args::{BitmapCreateArgs, BitmapVerifyArgs, IntentArgs};
use crate::emit;
use crate::emit::Emitter;
use crate::exit::Status;
use crate::layouts::{in_force, in_force_here};
use crate::outcome::{BITMAP_FITS, Judged};
use crate::policy::Policy;
use crate::render;
use crate::setup::Setup;
use crate::wire;

pub(crate) fn create(args: &BitmapCreateArgs, setup: &Setup) -> anyhow::Result<Status> {
    let options = CreateOptions {
        output: args.output.clone(),
        overwrite: if args.force { Overwrite::Replace } else { Overwrite::Refuse },
        layout: in_force_here(args.layout.as_deref(), setup)?.unwrap_or_else(|| ZVHD2.clone()),
        holes: file_holes(args.read_holes),
        io: args.io.into(),
    };
    let created = create_bitmap(&args.file, &options, setup.work())?;
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.bitmap.create", Status::Fine, wire::bitmap::Created::from(&created)),
        |detail| render::bitmap::created(&created, detail),
    )?;
    Ok(Status::Fine)
}

pub(crate) fn verify(args: &BitmapVerifyArgs, setup: &Setup) -> anyhow::Result<Status> {
    if let Some(command) = &args.program {
        return super::learn::verify(command, args, setup);
    }
    let begun = Instant::now();
    let policy = Policy::resolve(&args.policy, &IntentArgs::default(), setup)?;
    let options = VerifyOptions {
        bitmap: args.bitmap.clone(),
        layout: in_force(args.layout.as_deref(), policy.layout.as_ref(), setup)?,
        overrides: policy.overrides.clone(),
        sample: args.sample,
        io: args.io.into(),
    };
    let verified = verify_bitmap(&args.file, &options, setup.work())?;
    let status = match policy.warnings.status(&verified.report) {
        // Nothing can be said of it, which is neither yes nor no.
        _ if is_unrecognised(&verified) => Status::CouldNotLook,
        status => status,
    };
    let judged = Judged {
        path: &args.file,
        question: BITMAP_FITS,
        status,
        elapsed: begun.elapsed(),
        size: None,
        would_start: None,
        result: Ok(&verified.report),
    };
    let document = || {
        let body = wire::bitmap::Verified::from(&verified);
        wire::Document::under(&policy, "imsprep.bitmap.verify", status, body)
    };
    let text = |detail| render::bitmap::verified(&verified, detail);
    Emitter::of(&args.format, setup.output).judged((&[judged], status), policy.warnings, document, text)?;
    Ok(status)
}

/// In no known layout, and not wrong for certain either.
fn is_unrecognised(verified: &imsprep_toolkit::BitmapVerified) -> bool {
    matches!(verified.state, BitmapState::Unrecognised { .. }) && !verified.report.has_errors()
}
