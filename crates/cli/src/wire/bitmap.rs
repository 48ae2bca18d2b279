//! `imsprep bitmap create --json` and `verify --json`, and what a scan found.

use std::path::Path;

use imsprep_scan::Scan;
use imsprep_toolkit::{BitmapCreated, BitmapState, BitmapVerified};
use serde::Serialize;

use super::WirePath;
use super::report::WireReport;
use crate::render::gigabytes_per_second;

/// What a scan found.
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
pub(crate) struct WireBitmap {
    #[serde(flatten)]
    path: WirePath,
    /// `missing`, `written`, `known` or `unrecognised`.
    state: &'static str,
    layout: Option<&'static str>,
    /// Whether it was held against the image's content.
    compared: bool,
}

impl From<&BitmapState> for WireBitmap {
    fn from(state: &BitmapState) -> Self {
        let new = |path: &Path, state, layout, compared| Self { path: path.into(), state, layout, compared };
        match state {
            BitmapState::Missing { path } => new(path, "missing", None, false),
            BitmapState::Written { path, layout } => new(path, "written", Some(layout.name), true),
            BitmapState::Known { path, layout, compared } => new(path, "known", Some(layout.name), *compared),
            BitmapState::Unrecognised { path } => new(path, "unrecognised", None, false),
        }
    }
}

/// A bitmap that was written.
#[derive(Debug, Serialize)]
pub(crate) struct Created {
    image: WirePath,
    bitmap: WirePath,
    layout: &'static str,
    /// That the service takes this layout is not known.
    layout_proven: bool,
    length: u64,
    scan: WireScan,
}

impl From<&BitmapCreated> for Created {
    fn from(created: &BitmapCreated) -> Self {
        Self {
            image: created.image.as_path().into(),
            bitmap: created.path.as_path().into(),
            layout: created.layout.name,
            layout_proven: false,
            length: created.length,
            scan: (&created.scan).into(),
        }
    }
}

/// A bitmap that was compared.
#[derive(Debug, Serialize)]
pub(crate) struct Verified {
    image: WirePath,
    bitmap: WireBitmap,
    scan: WireScan,
    report: WireReport,
}

impl From<&BitmapVerified> for Verified {
    fn from(verified: &BitmapVerified) -> Self {
        Self {
            image: verified.image.as_path().into(),
            bitmap: (&verified.state).into(),
            scan: (&verified.scan).into(),
            report: (&verified.report).into(),
        }
    }
}
