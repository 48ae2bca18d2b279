//! `imsprep zvhd2 repair`

use imsprep_source::Overwrite;
use imsprep_toolkit::{RepairOptions, repair_zvhd2};
use imsprep_zvhd2::Missing;

use crate::args::Zvhd2RepairArgs;
use crate::emit;
use crate::exit::Status;
use crate::render;
use crate::setup::Setup;
use crate::wire;

pub(crate) fn run(args: &Zvhd2RepairArgs, setup: &Setup) -> anyhow::Result<Status> {
    let options = RepairOptions {
        size: args.size,
        overwrite: if args.force { Overwrite::Replace } else { Overwrite::Refuse },
    };
    let repaired = repair_zvhd2(&args.file, &args.output, options, setup.work())?;
    let status = match repaired.salvage.missing {
        Missing::Nothing => Status::Fine,
        _ => Status::Wrong,
    };
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.zvhd2.repair", status, wire::repair::Body::from(&repaired)),
        |detail| render::repair::text(&repaired, detail),
    )?;
    Ok(status)
}
