//! `imsprep zvhd2 --json`

use std::collections::BTreeMap;
use std::path::Path;

use imsprep_ondisk::format::zvhd2::{FIELDS, Footer};
use imsprep_zvhd2::{Info, Version};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::report::WireReport;
use crate::words::time::utc;
use crate::words::zvhd2::{uuid, value};

/// A container that was checked.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireContainer {
    #[serde(flatten)]
    path: WirePath,
    info: WireInfo,
    report: WireReport,
}

impl WireContainer {
    pub(crate) fn new(path: &Path, checked: &imsprep_zvhd2::CheckedContainer) -> Self {
        Self { path: path.into(), info: (&checked.info).into(), report: (&checked.report).into() }
    }
}

/// A container that was described.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Described {
    #[serde(flatten)]
    path: WirePath,
    info: WireInfo,
    /// The fields of each footer that is there, by name, as text.
    footers: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
}

impl Described {
    pub(crate) fn new(path: &Path, info: &Info) -> Self {
        let footers = [("head", &info.head), ("mid", &info.mid), ("end", &info.end)];
        let fields = |footer: &Footer| {
            let bytes = footer.encode();
            FIELDS.iter().map(|field| (field.name, value(field, &bytes))).collect()
        };
        let footers = footers.into_iter().filter_map(|(name, f)| Some((name, fields(f.as_ref()?)))).collect();
        Self { path: path.into(), info: info.into(), footers }
    }
}

/// What the footers say, and what a check counted.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireInfo {
    /// 1 for ZVHD, 2 for ZVHD2.
    version: u8,
    file_size: u64,
    orig_size: u64,
    disk_size: u64,
    block_size: u64,
    blocks: u64,
    data_blocks: Option<u64>,
    compression: Option<&'static str>,
    compress_method: u8,
    created: String,
    uuid: String,
    payload_bytes: Option<u64>,
    stored_ratio: Option<f64>,
    regions: Vec<WireRegion>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRegion {
    name: &'static str,
    offset: u64,
    length: u64,
}

impl From<&Info> for WireInfo {
    fn from(info: &Info) -> Self {
        let regions = info.regions.iter();
        Self {
            version: match info.version {
                Version::Zvhd1 => 1,
                Version::Zvhd2 => 2,
            },
            file_size: info.file_size.0,
            orig_size: info.orig_size.0,
            disk_size: info.disk_size.0,
            block_size: info.block_size.0,
            blocks: info.block_count,
            data_blocks: info.data_blocks,
            compression: info.method.map(|method| method.as_str()),
            compress_method: info.method_number,
            created: utc(info.created),
            uuid: uuid(&info.uuid),
            payload_bytes: info.payload_bytes.map(|bytes| bytes.0),
            stored_ratio: info.stored_ratio(),
            regions: regions
                .map(|region| WireRegion {
                    name: region.name,
                    offset: region.offset.0,
                    length: region.length.0,
                })
                .collect(),
        }
    }
}
