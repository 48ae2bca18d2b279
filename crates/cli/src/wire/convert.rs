//! `imsprep convert --json`

use std::path::Path;

use imsprep_ondisk::zvhd2::EPOCH_UNIX_SECONDS;
use imsprep_toolkit::{Plan, RawWritten, Zvhd2Written};
use serde::Serialize;

use super::WirePath;
use super::bitmap::WireScan;
use super::report::WireReport;
use crate::commands::convert;
use crate::render::time::utc;
use crate::render::zvhd2::uuid;

/// A conversion that was done.
#[derive(Debug, Serialize)]
pub(crate) struct Converted {
    source: WirePath,
    source_format: &'static str,
    /// Null if it went to standard output.
    output: Option<WirePath>,
    output_format: &'static str,
    /// Bytes of the output.
    length: u64,
    verified: bool,
    /// Of a ZVHD2; else null.
    zvhd2: Option<WireZvhd2>,
    /// Of a RAW; else null.
    raw: Option<WireRaw>,
    report: WireReport,
}

#[derive(Debug, Serialize)]
struct WireZvhd2 {
    level: i32,
    uuid: String,
    created: String,
    records: u64,
    payload_bytes: u64,
    seconds: f64,
    scan: WireScan,
}

#[derive(Debug, Serialize)]
struct WireRaw {
    data_bytes: u64,
    left_out: Option<u64>,
}

impl Converted {
    pub(crate) fn new(plan: &Plan, converted: &convert::Converted, output: Option<&Path>) -> Self {
        let (output_format, length, verified) = match converted {
            convert::Converted::Zvhd2(zvhd2) => ("zvhd2", zvhd2.written.file_size, zvhd2.verified),
            convert::Converted::Raw(raw) => ("raw", raw.length, raw.verified),
        };
        let (zvhd2, raw) = match converted {
            convert::Converted::Zvhd2(zvhd2) => (Some(zvhd2.into()), None),
            convert::Converted::Raw(raw) => (None, Some(raw.into())),
        };
        Self {
            source: plan.source.as_path().into(),
            source_format: plan.detection.format.name(),
            output: output.map(Into::into),
            output_format,
            length,
            verified,
            zvhd2,
            raw,
            report: (&plan.report).into(),
        }
    }
}

impl From<&Zvhd2Written> for WireZvhd2 {
    fn from(zvhd2: &Zvhd2Written) -> Self {
        Self {
            level: zvhd2.level.get(),
            uuid: uuid(&zvhd2.uuid),
            created: utc(EPOCH_UNIX_SECONDS + u64::from(zvhd2.timestamp)),
            records: zvhd2.written.records,
            payload_bytes: zvhd2.written.payload_bytes,
            seconds: zvhd2.elapsed.as_secs_f64(),
            scan: (&zvhd2.scan).into(),
        }
    }
}

impl From<&RawWritten> for WireRaw {
    fn from(raw: &RawWritten) -> Self {
        Self { data_bytes: raw.data_bytes, left_out: raw.left_out }
    }
}
