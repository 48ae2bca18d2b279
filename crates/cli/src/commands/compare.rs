//! `imsprep compare`

use anyhow::bail;
use imsprep_toolkit::{CompareOptions, compare_images};

use super::address::place_of;
use super::convert_flags::free_space;
use crate::args::CompareArgs;
use crate::emit;
use crate::exit::Status;
use crate::failure::report_unread;
use crate::render;
use crate::setup::Setup;
use crate::wire;

pub(crate) fn run(args: &CompareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let options = CompareOptions {
        free_space: free_space(args.sparsify),
        disk: args.disk.disk.clone(),
        temp_folder: args.temp.folder(),
    };
    let (a, b) = (place_of(&args.a)?, place_of(&args.b)?);
    let compared = match compare_images(a, b, &options, setup.work()) {
        Ok(compared) => compared,
        Err(error) => return Ok(report_unread(&error.into())),
    };
    if args.disk.disk.is_some() && compared.a.member.is_none() && compared.b.member.is_none() {
        bail!("--disk does not apply here: neither image is an archive");
    }
    let status = if compared.difference.is_some() { Status::Wrong } else { Status::Fine };
    emit::result(
        setup.output,
        || wire::Document::new("imsprep.compare", status, wire::compare::Body::from(&compared)),
        |_| render::compare::text(&compared),
    )?;
    Ok(status)
}
