//! `imsprep zvhd2 repair --json`

use imsprep_toolkit::Repaired;
use imsprep_zvhd2::{BlockSpan, Missing, SizeFrom};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::report::WireReport;

#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    image: WirePath,
    output: WirePath,
    file_size: u64,
    orig_size: u64,
    /// `HEAD`, `MID`, `END` or `--size`.
    size_from: &'static str,
    compression: &'static str,
    saved: u64,
    saved_blocks: Vec<WireSpan>,
    dropped: u64,
    missing: WireMissing,
    report: WireReport,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireSpan {
    first: u32,
    count: u32,
}

/// What is lost, as far as that is known.
#[derive(Debug, Default, JsonSchema, Serialize)]
struct WireMissing {
    /// `nothing`, `blocks`, `count` or `unknown`.
    state: &'static str,
    /// Blocks that are missing, if their number is known.
    count: Option<u64>,
    /// Which ones, if that is known.
    blocks: Option<Vec<WireSpan>>,
    /// If nothing is known: the last block that was saved.
    after: Option<u32>,
}

fn spans(spans: &[BlockSpan]) -> Vec<WireSpan> {
    spans.iter().map(|span| WireSpan { first: span.first, count: span.count }).collect()
}

impl From<&Missing> for WireMissing {
    fn from(missing: &Missing) -> Self {
        let none = Self::default();
        match missing {
            Missing::Nothing => Self { state: "nothing", count: Some(0), blocks: Some(vec![]), ..none },
            Missing::Blocks(blocks) => Self {
                state: "blocks",
                count: Some(blocks.iter().map(|span| u64::from(span.count)).sum()),
                blocks: Some(spans(blocks)),
                ..none
            },
            Missing::Count(count) => Self { state: "count", count: Some(*count), ..none },
            Missing::Unknown { after } => Self { state: "unknown", after: *after, ..none },
        }
    }
}

impl From<&Repaired> for Body {
    fn from(repaired: &Repaired) -> Self {
        let salvage = &repaired.salvage;
        Self {
            image: repaired.image.as_path().into(),
            output: repaired.output.as_path().into(),
            file_size: repaired.written.file_size,
            orig_size: salvage.label.orig_size,
            size_from: match salvage.size_from {
                SizeFrom::Footer(name) => name,
                SizeFrom::Caller => "--size",
            },
            compression: salvage.label.method.as_str(),
            saved: salvage.saved(),
            saved_blocks: spans(&salvage.saved_blocks()),
            dropped: salvage.dropped,
            missing: (&salvage.missing).into(),
            report: (&salvage.report).into(),
        }
    }
}
