//! `imsprep compare`

use imsprep_toolkit::{compare_images, compare_used};

use crate::args::CompareArgs;
use crate::emit;
use crate::exit::Status;
use crate::render;
use crate::setup::Setup;
use crate::wire;

pub(crate) fn run(args: &CompareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let compare = if args.sparsify { compare_used } else { compare_images };
    let compared = compare(&args.a, &args.b, &args.temp.folder(), setup.work())?;
    let status = if compared.difference.is_some() { Status::Wrong } else { Status::Fine };
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.compare", status, wire::compare::Body::from(&compared)),
        |_| render::compare::text(&compared),
    )?;
    Ok(status)
}
