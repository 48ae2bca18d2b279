//! `imsprep compare`

use imsprep_toolkit::compare_images;

use crate::args::CompareArgs;
use crate::exit::Status;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json};
use crate::wire;

pub(crate) fn run(args: &CompareArgs, setup: &Setup) -> anyhow::Result<Status> {
    let compared = compare_images(&args.a, &args.b, setup.progress(), setup.cancel())?;
    let status = if compared.difference.is_some() { Status::Wrong } else { Status::Fine };
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let body = wire::compare::Body::from(&compared);
            print_json(&wire::Document::new("imsprep.compare", status, body))?;
        }
        Output::Text(_) => print(&render::compare::text(&compared))?,
    }
    Ok(status)
}
