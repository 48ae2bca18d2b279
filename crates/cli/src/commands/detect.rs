//! `imsprep detect`

use imsprep_detect::detect;
use imsprep_source::ImageFile;

use crate::args::DetectArgs;
use crate::exit::Status;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{failure_text, print, print_json, report_failure};
use crate::wire;

pub(crate) fn run(args: &DetectArgs, setup: &Setup) -> anyhow::Result<Status> {
    let mut worst = Status::Fine;
    let mut rows = Vec::new();
    for path in &args.files {
        let found = ImageFile::open(path).and_then(|image| detect(&image)).map_err(anyhow::Error::new);
        match found {
            Ok(found) => {
                if let Output::Text(_) = setup.output {
                    print(&render::detect::text(path, &found))?;
                }
                rows.push(wire::detect::Row::found(path, &found));
            }
            Err(error) => {
                worst = worst.max(report_failure(&error));
                rows.push(wire::detect::Row::failed(path, failure_text(&error)));
            }
        }
    }
    if setup.output == Output::Json {
        print_json(&wire::Document::new("imsprep.detect", worst, wire::detect::Files { files: rows }))?;
    }
    Ok(worst)
}
