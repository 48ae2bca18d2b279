//! `imsprep zvhd2 map`

use imsprep_source::ImageFile;
use imsprep_toolkit::{Error, disk_ranges};
use imsprep_zvhd2::Reader;

use crate::args::Zvhd2MapArgs;
use crate::exit::Status;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::print;
use crate::wire;

/// Ranges that are printed at once: a large disk may have a million.
const BATCH: usize = 1024;

pub(crate) fn run(args: &Zvhd2MapArgs, setup: &Setup) -> anyhow::Result<Status> {
    let image = ImageFile::open(&args.file).map_err(Error::from)?;
    let disk = Reader::open(&image, setup.cancel()).map_err(Error::from)?;
    image.verify_unchanged().map_err(Error::from)?;
    let mut ranges = disk_ranges(&disk).peekable();
    let mut table = render::map::Table::default();
    match setup.output {
        Output::Quiet => return Ok(Status::Fine),
        Output::Json => print("[")?,
        Output::Text(_) => print(&render::map::head(&args.file, &disk))?,
    }
    while ranges.peek().is_some() {
        let mut text = String::new();
        for range in ranges.by_ref().take(BATCH) {
            let range = range.map_err(Error::from)?;
            match setup.output {
                Output::Json => text += &wire::map::line(&range)?,
                _ => text += &table.line(&range),
            }
        }
        setup.cancel().check().map_err(Error::from)?;
        if setup.output == Output::Json && ranges.peek().is_none() {
            // The last line has no comma after it.
            text.truncate(text.trim_end_matches(",\n").len());
        }
        print(&text)?;
    }
    print(&match setup.output {
        Output::Json => "]\n".to_owned(),
        _ => table.sum(),
    })?;
    Ok(Status::Fine)
}
