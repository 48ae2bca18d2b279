//! `imsprep zvhd2 map`

use std::fmt::Write as _;
use std::path::Path;

use imsprep_rules::Size;
use imsprep_source::ReadAt;
use imsprep_toolkit::DiskRange;
use imsprep_zvhd2::Reader;

use crate::style;
use crate::terminal::shown;
use crate::words::{counted, percent};

/// What stands before the ranges.
pub(crate) fn head(path: &Path, disk: &Reader<'_>) -> String {
    let bold = style::BOLD;
    let name = path.display().to_string();
    let size = Size(disk.size());
    format!("{bold}{}{bold:#}: disk of {size}\n  {:>16}  {:>16}\n", shown(&name), "offset", "length")
}

/// The ranges, and what they come to.
#[derive(Default)]
pub(crate) struct Table {
    ranges: u64,
    data: u64,
    all: u64,
}

impl Table {
    pub(crate) fn line(&mut self, range: &DiskRange) -> String {
        self.all += range.length;
        if range.data {
            self.ranges += 1;
            self.data += range.length;
        }
        let kind = if range.data { "data" } else { "zero" };
        format!("  {:>16}  {:>16}  {kind}\n", range.start, range.length)
    }

    pub(crate) fn sum(&self) -> String {
        let mut text = String::new();
        let ranges = counted(self.ranges, "range");
        let _ = writeln!(text, "  {ranges} of data: {}, {}", Size(self.data), percent(self.data, self.all));
        text
    }
}
