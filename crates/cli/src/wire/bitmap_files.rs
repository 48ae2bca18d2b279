//! `imsprep bitmap show --json`, `diff --json` and `convert --json`

use imsprep_bitmap::{Layout, Origin};
use imsprep_source::{BlockMap, BlockRun};
use imsprep_toolkit::{BitmapConverted, BitmapShown, BitmapsCompared, SizeFrom};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::proof::WireProof;

/// A layout.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireLayout {
    name: String,
    summary: String,
    /// `built-in`, `described`, `learned` or `proven`.
    origin: &'static str,
    /// How it was proven, of `proven`.
    proof: Option<WireProof>,
}

/// The word for where a layout comes from.
pub(crate) fn origin_name(origin: &Origin) -> &'static str {
    match origin {
        Origin::BuiltIn => "built-in",
        Origin::Described => "described",
        Origin::Learned { .. } => "learned",
        Origin::Proven(_) => "proven",
    }
}

impl From<&Layout> for WireLayout {
    fn from(layout: &Layout) -> Self {
        Self {
            name: layout.name.clone().into_owned(),
            summary: layout.summary(),
            origin: origin_name(&layout.origin),
            proof: WireProof::of(layout),
        }
    }
}

/// What a bitmap says, in numbers.
#[derive(Debug, JsonSchema, Serialize)]
struct WireCounts {
    image_size: u64,
    block_size: u64,
    blocks: u64,
    data_blocks: u64,
    zero_blocks: u64,
}

impl From<&BlockMap> for WireCounts {
    fn from(map: &BlockMap) -> Self {
        Self {
            image_size: map.image_size(),
            block_size: map.block_size().bytes(),
            blocks: map.block_count(),
            data_blocks: map.data_count(),
            zero_blocks: map.zero_count(),
        }
    }
}

/// Neighbouring blocks.
#[derive(Debug, JsonSchema, Serialize)]
struct WireRun {
    first: u64,
    last: u64,
}

impl From<BlockRun> for WireRun {
    fn from(run: BlockRun) -> Self {
        Self { first: run.first, last: run.first + run.count - 1 }
    }
}

/// A bitmap file that was read.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Shown {
    bitmap: WirePath,
    length: u64,
    layout: WireLayout,
    /// `file`, `caller` or `image`.
    size_from: &'static str,
    image: Option<WirePath>,
    #[serde(flatten)]
    counts: WireCounts,
    ranges: Vec<WireRun>,
}

impl From<&BitmapShown> for Shown {
    fn from(shown: &BitmapShown) -> Self {
        let (size_from, image) = match &shown.size_from {
            SizeFrom::File => ("file", None),
            SizeFrom::Caller => ("caller", None),
            SizeFrom::Image(image) => ("image", Some(image.as_path().into())),
        };
        Self {
            bitmap: shown.path.as_path().into(),
            length: shown.length,
            layout: (&shown.layout).into(),
            size_from,
            image,
            counts: (&shown.map).into(),
            ranges: shown.map.runs().filter(|run| run.data).map(WireRun::from).collect(),
        }
    }
}

/// One of two bitmap files.
#[derive(Debug, JsonSchema, Serialize)]
struct Side {
    #[serde(flatten)]
    path: WirePath,
    layout: WireLayout,
    #[serde(flatten)]
    counts: WireCounts,
}

impl From<&BitmapShown> for Side {
    fn from(shown: &BitmapShown) -> Self {
        Self {
            path: shown.path.as_path().into(),
            layout: (&shown.layout).into(),
            counts: (&shown.map).into(),
        }
    }
}

/// Two bitmap files.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Diff {
    a: Side,
    b: Side,
    same: bool,
    block_size: u64,
    blocks: u64,
    data_in_a_alone: u64,
    data_in_b_alone: u64,
    only_a: Vec<WireRun>,
    only_b: Vec<WireRun>,
}

impl From<&BitmapsCompared> for Diff {
    fn from(compared: &BitmapsCompared) -> Self {
        let difference = &compared.difference;
        let runs =
            |data| difference.runs.iter().filter(move |run| run.data == data).copied().map(WireRun::from);
        Self {
            a: (&compared.a).into(),
            b: (&compared.b).into(),
            same: compared.are_same(),
            block_size: difference.block_size.bytes(),
            blocks: difference.blocks,
            data_in_a_alone: difference.only_first,
            data_in_b_alone: difference.only_second,
            only_a: runs(true).collect(),
            only_b: runs(false).collect(),
        }
    }
}

/// A bitmap file in another layout.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Converted {
    source: Side,
    output: WirePath,
    layout: WireLayout,
    length: u64,
    #[serde(flatten)]
    counts: WireCounts,
}

impl From<&BitmapConverted> for Converted {
    fn from(converted: &BitmapConverted) -> Self {
        Self {
            source: (&converted.source).into(),
            output: converted.path.as_path().into(),
            layout: (&converted.layout).into(),
            length: converted.length,
            counts: (&converted.map).into(),
        }
    }
}
