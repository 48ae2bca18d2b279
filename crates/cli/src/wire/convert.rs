//! `imsprep convert --json`

use std::path::Path;

use imsprep_ondisk::format::zvhd2::EPOCH_UNIX_SECONDS;
use imsprep_toolkit::{
    ConversionSource, Converted as Made, Direction, Format, OvaManifest, Plan, RawWritten, Zvhd2Written,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::bitmap::WireScan;
use super::checksum::{WireChecksum, checksums};
use super::fit::WireFitting;
use super::proof::WireProof;
use super::report::WireReport;
use super::space::{WireSaving, WireSpace};
use crate::words::disk_choice::choice_name;
use crate::words::time::utc;
use crate::words::zvhd2::uuid;

/// A conversion that was done.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Converted {
    /// `-` is standard input.
    source: WirePath,
    source_format: &'static str,
    unpacked_from: Option<&'static str>,
    /// The name of the disk's file in an archive; else null.
    member: Option<String>,
    /// Why that disk was selected: `requested`, `only`, or `only-system-disk`; null if there is no archive.
    disk_choice: Option<&'static str>,
    /// Null if it went to standard output, or nothing was written.
    output: Option<WirePath>,
    output_format: &'static str,
    /// A rule forbids converting the source, and nothing was written.
    refused: bool,
    /// Bytes of the output.
    length: u64,
    verified: bool,
    /// For a ZVHD2; else null.
    zvhd2: Option<WireZvhd2>,
    /// For a RAW; else null.
    raw: Option<WireRaw>,
    /// The manifest of an OVA, with whose digests the members were compared; null if there is none, or nothing was written.
    manifest: Option<WireOvaManifest>,
    /// Checksums of the source that were asked for and found to be right.
    checksums: Vec<WireChecksum>,
    /// What was left out because no file holds it; null unless that was asked for.
    left_out: Option<WireSpace>,
    /// How the disk was enlarged; null unless that was asked for.
    fitted: Option<WireFitting>,
    /// What leaving out the bytes that no file holds would have saved, in blocks of 2 MiB; null if they were left out, or if it is not
    /// known.
    saving: Option<WireSaving>,
    report: WireReport,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireOvaManifest {
    /// The name of its file in the archive.
    name: String,
    /// The names of members that have the digests that it lists.
    verified: Vec<String>,
}

impl From<&OvaManifest> for WireOvaManifest {
    fn from(manifest: &OvaManifest) -> Self {
        Self { name: manifest.name.clone(), verified: manifest.verified.clone() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireZvhd2 {
    level: i32,
    uuid: String,
    created: String,
    records: u64,
    payload_bytes: u64,
    seconds: f64,
    /// Bytes of the disk.
    disk_size: u64,
    /// For a RAW; else null.
    scan: Option<WireScan>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRaw {
    data_bytes: u64,
    left_out: Option<u64>,
    /// Null if none was written.
    bitmap: Option<WireBitmapWritten>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireBitmapWritten {
    #[serde(flatten)]
    path: WirePath,
    layout: String,
    /// True only of a learned or proven layout: the vendor's own is not published.
    layout_proven: bool,
    layout_proof: Option<WireProof>,
    data_blocks: u64,
}

/// The source as the command names it.
fn source_path(plan: &Plan) -> &Path {
    match &plan.source {
        ConversionSource::Image(image) => image.path(),
        ConversionSource::Stream(_) => Path::new("-"),
        ConversionSource::Remote(remote) => remote.path(),
    }
}

impl Converted {
    /// For a source that must not be converted.
    pub(crate) fn refused(plan: &Plan) -> Self {
        Self {
            source: source_path(plan).into(),
            source_format: plan.source.format().name(),
            unpacked_from: plan.source.unpacked_from().map(Format::name),
            member: plan.source.member().map(|member| member.name.clone()),
            disk_choice: plan.source.member().map(|member| choice_name(member.choice)),
            output: None,
            output_format: match plan.direction {
                Direction::ToZvhd2 => "zvhd2",
                Direction::ToRaw => "raw",
            },
            refused: true,
            length: 0,
            verified: false,
            zvhd2: None,
            raw: None,
            manifest: None,
            checksums: Vec::new(),
            left_out: None,
            fitted: None,
            saving: None,
            report: (&plan.report).into(),
        }
    }

    pub(crate) fn new(plan: &Plan, converted: &Made) -> Self {
        let (output_format, length, verified, saving) = match converted {
            Made::Zvhd2(zvhd2) => ("zvhd2", zvhd2.written.file_size, zvhd2.verified, zvhd2.saving),
            Made::Raw(raw) => ("raw", raw.length, raw.verified, raw.saving),
        };
        let (zvhd2, raw) = match converted {
            Made::Zvhd2(zvhd2) => (Some(zvhd2.into()), None),
            Made::Raw(raw) => (None, Some(raw.into())),
        };
        Self {
            source: source_path(plan).into(),
            source_format: plan.source.format().name(),
            unpacked_from: plan.source.unpacked_from().map(Format::name),
            member: plan.source.member().map(|member| member.name.clone()),
            disk_choice: plan.source.member().map(|member| choice_name(member.choice)),
            output: plan.options.output.as_deref().map(Into::into),
            output_format,
            refused: false,
            length,
            verified,
            zvhd2,
            raw,
            manifest: plan.manifest.as_ref().map(WireOvaManifest::from),
            checksums: checksums(&plan.options.checksums),
            left_out: plan.space.as_ref().map(WireSpace::from),
            fitted: plan.fitting.as_ref().map(WireFitting::from),
            saving: saving.map(WireSaving::from),
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
            disk_size: zvhd2.disk_size,
            scan: zvhd2.scan.as_ref().map(WireScan::from),
        }
    }
}

impl From<&RawWritten> for WireRaw {
    fn from(raw: &RawWritten) -> Self {
        let bitmap = raw.bitmap.as_ref().map(|bitmap| WireBitmapWritten {
            path: bitmap.path.as_path().into(),
            layout: bitmap.layout.name.to_string(),
            layout_proven: bitmap.layout.origin.is_genuine(),
            layout_proof: WireProof::of(&bitmap.layout),
            data_blocks: bitmap.data_blocks,
        });
        Self { data_bytes: raw.data_bytes, left_out: raw.left_out, bitmap }
    }
}
