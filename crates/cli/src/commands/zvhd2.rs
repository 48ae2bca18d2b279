//! `imsprep zvhd2`

use imsprep_findings::{Overrides, Report};
use imsprep_rules::shell_quoted;
use imsprep_source::ImageFile;
use imsprep_toolkit::Error;

use super::Warnings;
use crate::args::{Zvhd2CheckArgs, Zvhd2InfoArgs};
use crate::exit::Status;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json};
use crate::wire;

pub(crate) fn check(args: &Zvhd2CheckArgs, setup: &Setup) -> anyhow::Result<Status> {
    let depth = if args.quick { imsprep_zvhd2::Depth::Structure } else { imsprep_zvhd2::Depth::Content };
    let image = ImageFile::open(&args.file).map_err(Error::from)?;
    let mut report = Report::under(args.overrides.above(Overrides::new())?);
    let mut checked =
        imsprep_zvhd2::check(&image, depth, setup.progress(), setup.cancel()).map_err(Error::from)?;
    report.merge(checked.report);
    report.name_file(&shell_quoted(&args.file));
    checked.report = report;
    image.verify_unchanged().map_err(Error::from)?;
    let status = Warnings::from_flag(args.strict).status(&checked.report);
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let body = wire::zvhd2::Checked::new(&args.file, &checked);
            print_json(&wire::Document::new("imsprep.zvhd2.check", status, body))?;
        }
        Output::Text(detail) => print(&render::zvhd2::checked(&args.file, &checked, depth, detail))?,
    }
    Ok(status)
}

pub(crate) fn info(args: &Zvhd2InfoArgs, setup: &Setup) -> anyhow::Result<Status> {
    let image = ImageFile::open(&args.file).map_err(Error::from)?;
    let info = imsprep_zvhd2::info(&image).map_err(Error::from)?;
    image.verify_unchanged().map_err(Error::from)?;
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let body = wire::zvhd2::Described::new(&args.file, &info);
            print_json(&wire::Document::new("imsprep.zvhd2.info", Status::Fine, body))?;
        }
        Output::Text(_) => print(&render::zvhd2::info(&args.file, &info))?,
    }
    Ok(Status::Fine)
}
