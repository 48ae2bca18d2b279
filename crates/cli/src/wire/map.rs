//! `imsprep zvhd2 map --json`: not a document of ours but the shape of `qemu-img map --output=json`, for programs that read
//! that.

use imsprep_toolkit::DiskRange;
use schemars::JsonSchema;
use serde::Serialize;

/// A stretch of the disk, in qemu-img's words. Data is compressed, so that there is no offset in the file to give.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireRange {
    start: u64,
    length: u64,
    /// 0: no other file lies under this one.
    depth: u32,
    /// Whether the file has something for it.
    present: bool,
    /// Whether it is known to be zero.
    zero: bool,
    data: bool,
    compressed: bool,
}

/// One element of the array, with what divides it from the next.
pub(crate) fn line(range: &DiskRange) -> anyhow::Result<String> {
    let DiskRange { start, length, data } = *range;
    let wire = WireRange { start, length, depth: 0, present: data, zero: !data, data, compressed: data };
    Ok(serde_json::to_string(&wire)? + ",\n")
}
