//! `imsprep bitmap create --json` and `verify --json`, and what a scan found.

use std::path::Path;

use imsprep_bitmap::Layout;
use imsprep_scan::Scan;
use imsprep_toolkit::{BitmapCreated, BitmapState, BitmapVerified, ComparedBlocks, SampledBlocks};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::proof::WireProof;
use super::report::WireReport;
use crate::words::gigabytes_per_second;

/// What a scan found.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireScan {
    image_size: u64,
    block_size: u64,
    blocks: u64,
    data_blocks: u64,
    zero_blocks: u64,
    bytes_read: u64,
    seconds: f64,
    gb_per_second: f64,
    io: WireIo,
}

/// How the bytes were brought in.
#[derive(Debug, JsonSchema, Serialize)]
struct WireIo {
    mode: String,
    reason: String,
}

impl From<&Scan> for WireScan {
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits than a double has")]
    fn from(scan: &Scan) -> Self {
        let map = &scan.map;
        Self {
            image_size: map.image_size(),
            block_size: map.block_size().bytes(),
            blocks: map.block_count(),
            data_blocks: map.data_count(),
            zero_blocks: map.zero_count(),
            bytes_read: scan.bytes_read,
            seconds: scan.elapsed.as_secs_f64(),
            gb_per_second: gigabytes_per_second(map.image_size() as f64, scan.elapsed),
            io: WireIo { mode: scan.io.mode.to_string(), reason: scan.io.reason.clone() },
        }
    }
}

/// A bitmap file.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireBitmap {
    #[serde(flatten)]
    path: WirePath,
    /// `missing`, `written`, `known`, `unfit` or `unrecognised`.
    state: &'static str,
    layout: Option<String>,
    /// How the layout was proven against the program that writes it.
    layout_proof: Option<WireProof>,
    /// Whether it was compared with the image's content.
    compared: bool,
}

impl From<&BitmapState> for WireBitmap {
    fn from(state: &BitmapState) -> Self {
        let new = |path: &Path, state, layout: Option<&Layout>, compared| {
            let layout_proof = layout.and_then(WireProof::of);
            let layout = layout.map(|layout| layout.name.clone().into_owned());
            Self { path: path.into(), state, layout, layout_proof, compared }
        };
        match state {
            BitmapState::Missing { path } => new(path, "missing", None, false),
            BitmapState::Written { path, layout } => new(path, "written", Some(layout), true),
            BitmapState::Known { path, layout, compared } => new(path, "known", Some(layout), *compared),
            BitmapState::Unfit { path, layout } => new(path, "unfit", Some(layout), false),
            BitmapState::Unrecognised { path } => new(path, "unrecognised", None, false),
        }
    }
}

/// A bitmap that was written.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Created {
    image: WirePath,
    bitmap: WirePath,
    layout: String,
    /// Whether the layout was learned from genuine files; that the service takes any other is not known.
    layout_proven: bool,
    layout_proof: Option<WireProof>,
    length: u64,
    scan: WireScan,
    report: WireReport,
}

impl From<&BitmapCreated> for Created {
    fn from(created: &BitmapCreated) -> Self {
        Self {
            image: created.image.as_path().into(),
            bitmap: created.path.as_path().into(),
            layout: created.layout.name.clone().into_owned(),
            layout_proven: created.layout.origin.is_genuine(),
            layout_proof: WireProof::of(&created.layout),
            length: created.length,
            scan: (&created.scan).into(),
            report: (&created.report).into(),
        }
    }
}

/// A bitmap that was compared.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Verified {
    image: WirePath,
    bitmap: WireBitmap,
    /// Null if not all of the image was read.
    scan: Option<WireScan>,
    /// Null if not only some blocks were read.
    sample: Option<WireBlocks>,
    report: WireReport,
}

/// A look at some blocks.
#[derive(Debug, JsonSchema, Serialize)]
struct WireBlocks {
    blocks: u64,
    read: u64,
    data_marked_zero: usize,
    zero_marked_data: usize,
    /// How likely one wrong block would have been missed.
    chance_to_miss_one: f64,
    /// The most wrong blocks that would have been missed with a chance of more than 0.05.
    wrong_at_most: Option<u64>,
}

impl From<&SampledBlocks> for WireBlocks {
    fn from(sampled: &SampledBlocks) -> Self {
        Self {
            blocks: sampled.blocks,
            read: sampled.read,
            data_marked_zero: sampled.data_marked_zero.len(),
            zero_marked_data: sampled.zero_marked_data.len(),
            chance_to_miss_one: sampled.chance_to_miss(1),
            wrong_at_most: sampled.wrong_at_most(),
        }
    }
}

impl From<&BitmapVerified> for Verified {
    fn from(verified: &BitmapVerified) -> Self {
        let (scan, sample) = match &verified.compared {
            ComparedBlocks::All(scan) => (Some(scan.into()), None),
            ComparedBlocks::Some(sampled) => (None, Some(sampled.into())),
            ComparedBlocks::Nothing => (None, None),
        };
        Self {
            image: verified.image.as_path().into(),
            bitmap: (&verified.state).into(),
            scan,
            sample,
            report: (&verified.report).into(),
        }
    }
}
