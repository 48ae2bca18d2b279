//! `imsprep prepare` of several images: the table below them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use imsprep_rules::Size;
use imsprep_toolkit::{Converted, Prepared};

use super::table::{Align, Cell, table as aligned};
use crate::exit::Status;
use crate::style;
use crate::terminal::shown;
use crate::words::check::{codes_that_count, verdict_text};
use crate::words::{counted, seconds};

/// What is said of an image on which there is no verdict.
const FAILED: &str = "could not be prepared";

/// One image.
pub(crate) struct Row {
    source: PathBuf,
    verdict: String,
    pub(crate) status: Status,
    /// The file that was written.
    pub(crate) output: Option<PathBuf>,
    /// Bytes of the image to upload.
    size: Option<u64>,
    elapsed: Option<Duration>,
}

impl Row {
    pub(crate) fn failed(source: &Path, status: Status, elapsed: Duration) -> Self {
        Self { status, elapsed: Some(elapsed), ..Self::none(source, FAILED) }
    }

    /// Whether nothing but an error was printed of the image.
    pub(crate) fn is_failure(&self) -> bool {
        self.verdict == FAILED
    }

    pub(crate) fn interrupted(source: &Path) -> Self {
        Self::none(source, "not prepared")
    }

    fn none(source: &Path, verdict: &str) -> Self {
        let (source, verdict) = (source.to_owned(), verdict.to_owned());
        Self { source, verdict, status: Status::CouldNotLook, output: None, size: None, elapsed: None }
    }

    pub(crate) fn prepared(prepared: &Prepared, status: Status, elapsed: Duration) -> Self {
        let conversion = prepared.conversion.as_ref();
        let with_codes = |verdict: &str, report| {
            let codes = codes_that_count(report, status);
            if codes.is_empty() { verdict.to_owned() } else { format!("{verdict} ({codes})") }
        };
        let Some(checked) = &prepared.checked else {
            let verdict = conversion.map(|conversion| with_codes("not converted", &conversion.plan.report));
            let verdict = verdict.unwrap_or_default();
            return Self { status, elapsed: Some(elapsed), ..Self::none(&prepared.source, &verdict) };
        };
        let verdict = with_codes(&verdict_text(&checked.verdict(), false), &checked.report);
        let made = conversion
            .and_then(|conversion| conversion.made.as_ref().zip(conversion.plan.options.output.as_ref()));
        let (output, size) = match made {
            Some((Converted::Zvhd2(zvhd2), output)) => (Some(output.clone()), zvhd2.written.file_size),
            Some((Converted::Raw(raw), output)) => (Some(output.clone()), raw.length),
            None => (None, checked.detection.file_size),
        };
        let none = Self::none(&prepared.source, &verdict);
        Self { status, output, size: Some(size), elapsed: Some(elapsed), ..none }
    }
}

/// The table of all images, and how many came to what.
pub(crate) fn table(rows: &[Row]) -> String {
    let head = [
        ("IMAGE", Align::Left),
        ("VERDICT", Align::Left),
        ("OUTPUT", Align::Left),
        ("SIZE", Align::Right),
        ("TIME", Align::Right),
    ];
    let path = |path: &Path| shown(&path.display().to_string()).to_string();
    let cells = rows.iter().map(|row| -> [Cell; 5] {
        let style = match row.status {
            Status::Fine => style::GOOD,
            _ => style::BAD,
        };
        [
            path(&row.source).into(),
            Cell::new(&row.verdict, style),
            row.output.as_deref().map_or_else(|| "-".into(), path).into(),
            row.size.map_or_else(|| "-".into(), |size| Size(size).scaled()).into(),
            row.elapsed.map_or_else(|| "-".into(), seconds).into(),
        ]
    });
    let number = |is: fn(Status) -> bool| rows.iter().filter(|row| is(row.status)).count();
    let good = number(|status| status == Status::Fine);
    let rest = rows.iter().filter(|row| row.status == Status::CouldNotLook || row.is_failure()).count();
    let bad = rows.len() - good - rest;
    let all = counted(rows.len() as u64, "image");
    let table = aligned(head, &cells.collect::<Vec<_>>());
    format!("\n{table}{all}: {good} prepared, {bad} not importable, {rest} could not be prepared\n")
}
