//! What programs found, as block maps, and how they differ from the truth.

use std::path::Path;

use imsprep_bitmap::{Recognition, read_bitmap};
use imsprep_source::{BlockMap, BlockSize, ImageFile};
use serde::Deserialize;

use crate::rivals::Yields;
use crate::{MapFaults, MapState};

/// The blocks that a program took for data, or why its output can't be read.
pub(crate) fn read_map(
    yields: Yields,
    output: &Path,
    printed: &Path,
    image_size: u64,
) -> Result<Option<BlockMap>, String> {
    match yields {
        Yields::Nothing | Yields::Zvhd2 | Yields::Zvhd2OfACopy | Yields::Qcow2 | Yields::Zstd => Ok(None),
        Yields::Bitmap => from_bitmap(output, image_size).map(Some),
        Yields::QemuMap => from_qemu_map(&text_of(printed)?, printed, image_size).map(Some),
        Yields::Bmap => from_bmap(&text_of(output)?, output, image_size).map(Some),
        Yields::Copy => from_copy(output, image_size).map(Some),
    }
}

/// Compares a map with the truth.
pub(crate) fn compare(map: &BlockMap, truth: &BlockMap) -> MapState {
    let mut faults: Option<MapFaults> = None;
    for block in map.differing_blocks(truth) {
        let faults =
            faults.get_or_insert(MapFaults { zeros_called_data: 0, data_called_zeros: 0, first: block });
        if truth.is_data(block) {
            faults.data_called_zeros += 1;
        } else {
            faults.zeros_called_data += 1;
        }
    }
    faults.map_or(MapState::Right, MapState::Wrong)
}

fn text_of(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("its output cannot be read: {e}"))
}

fn zeroed(name: &Path, image_size: u64) -> Result<BlockMap, String> {
    BlockMap::zeroed(name, image_size, BlockSize::MIB_2).map_err(|e| e.to_string())
}

fn from_bitmap(path: &Path, image_size: u64) -> Result<BlockMap, String> {
    let file = read_bitmap(path, Some(image_size), None).map_err(|e| e.to_string())?;
    match file.recognition {
        Recognition::Known { map, .. } => Ok(map),
        _ => Err("the layout of its bitmap is unknown".into()),
    }
}

/// One range of `qemu-img map --output=json`.
#[derive(Deserialize)]
struct QemuRange {
    start: u64,
    length: u64,
    data: bool,
    zero: bool,
}

fn from_qemu_map(text: &str, name: &Path, image_size: u64) -> Result<BlockMap, String> {
    let ranges: Vec<QemuRange> = serde_json::from_str(text).map_err(|e| format!("its JSON: {e}"))?;
    let mut map = zeroed(name, image_size)?;
    for range in ranges.iter().filter(|range| range.data && !range.zero) {
        mark(&mut map, range.start, range.start.saturating_add(range.length));
    }
    Ok(map)
}

/// The ranges of a bmap file: `<Range chksum="..">first-last</Range>`, in its own blocks.
fn from_bmap(text: &str, name: &Path, image_size: u64) -> Result<BlockMap, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|e| format!("its ranges: {e}"));
    let element = |text: &str, end: &str| -> Option<String> {
        let content = text.split_once('>')?.1;
        Some(content.split_once(end)?.0.to_owned())
    };
    let after = text.split_once("<BlockSize").and_then(|(_, rest)| element(rest, "</BlockSize>"));
    let block_size = number(&after.ok_or("it has no BlockSize")?)?;
    let mut map = zeroed(name, image_size)?;
    for range in text.split("<Range").skip(1) {
        let range = element(range, "</Range>").ok_or("a Range does not end")?;
        let (first, last) = range.split_once('-').unwrap_or((&range, &range));
        let (first, last) = (number(first)?, number(last)?);
        let start = first.saturating_mul(block_size);
        mark(&mut map, start, last.saturating_add(1).saturating_mul(block_size));
    }
    Ok(map)
}

/// The extents of a copy.
fn from_copy(path: &Path, image_size: u64) -> Result<BlockMap, String> {
    let copy = ImageFile::open(path).map_err(|e| e.to_string())?;
    let mut map = zeroed(path, image_size)?;
    let mut extents = copy.extents();
    let mut at = 0;
    while let Some(extent) = extents.data_from(at).map_err(|e| e.to_string())? {
        mark(&mut map, extent.start, extent.end);
        at = extent.end;
    }
    Ok(map)
}

/// Marks each block that has a byte from `start` up to `end`.
fn mark(map: &mut BlockMap, start: u64, end: u64) {
    let block_size = map.block_size().bytes();
    let end = end.min(map.image_size());
    let mut block = start / block_size;
    while block.saturating_mul(block_size) < end {
        map.set(block, true);
        block += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn blocks(map: &BlockMap) -> Vec<u64> {
        map.data_blocks().collect()
    }

    #[test]
    fn reads_what_qemu_img_prints() {
        let text = r#"[{ "start": 0, "length": 3145728, "depth": 0, "present": true, "zero": false, "data": true, "offset": 0},
            { "start": 3145728, "length": 5242880, "depth": 0, "present": true, "zero": true, "data": false, "offset": 3145728},
            { "start": 8388608, "length": 4096, "depth": 0, "present": true, "zero": false, "data": true, "offset": 8388608}]"#;
        assert_eq!(blocks(&from_qemu_map(text, Path::new("x"), 10 * MIB).unwrap()), [0, 1, 4]);
        assert!(from_qemu_map("[{]", Path::new("x"), MIB).is_err());
    }

    #[test]
    fn reads_what_bmaptool_writes() {
        let text = r#"<?xml version="1.0" ?>
            <bmap version="2.0"><ImageSize> 10485760 </ImageSize><BlockSize> 4096 </BlockSize>
            <BlockMap><Range chksum="ab"> 0-511 </Range><Range> 2048 </Range></BlockMap></bmap>"#;
        assert_eq!(blocks(&from_bmap(text, Path::new("x"), 10 * MIB).unwrap()), [0, 4]);
        assert!(from_bmap("<bmap/>", Path::new("x"), MIB).is_err());
        assert!(from_bmap("<BlockSize>4096</BlockSize><Range>1-x</Range>", Path::new("x"), MIB).is_err());
    }

    #[test]
    fn says_where_a_map_is_wrong_and_how() {
        let truth = from_qemu_map("[]", Path::new("x"), 10 * MIB).unwrap();
        let mut truth = truth;
        mark(&mut truth, 4 * MIB, 6 * MIB);
        let mut map = truth.clone();
        assert_eq!(compare(&map, &truth), MapState::Right);
        map.set(1, true);
        map.set(2, false);
        let faults = MapFaults { zeros_called_data: 1, data_called_zeros: 1, first: 1 };
        assert_eq!(compare(&map, &truth), MapState::Wrong(faults));
    }
}
