//! Which blocks of an image that was given hold data, found in the plainest way.

use std::path::Path;

use imsprep_source::{BlockMap, BlockSize, ImageFile, ReadAt, Stage, Work};

use crate::Result;

/// Reads every byte of the image, holes too, one block after the other: slow, and with nothing in common with the scan that is
/// held against it.
pub(crate) fn read_truth(path: &Path, work: Work<'_>) -> Result<BlockMap> {
    let image = ImageFile::open(path)?;
    let mut map = BlockMap::zeroed(path, image.size(), BlockSize::MIB_2)?;
    let stage =
        Stage::begin(work.progress, "reading the image with a simple loop, for comparison", image.size());
    let zeros = vec![0; 2 << 20];
    let mut buffer = zeros.clone();
    for block in 0..map.block_count() {
        work.cancel.check()?;
        let start = block * BlockSize::MIB_2.bytes();
        let length = BlockSize::MIB_2.bytes().min(image.size() - start);
        let length = usize::try_from(length).unwrap_or(buffer.len());
        let (Some(piece), Some(zeros)) = (buffer.get_mut(..length), zeros.get(..length)) else { break };
        image.read_at(piece, start)?;
        if piece != zeros {
            map.set(block, true);
        }
        stage.advance(length as u64);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use imsprep_source::Cancel;

    #[test]
    fn the_last_byte_of_a_part_of_a_block_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image.raw");
        let mut bytes = vec![0; (9 << 20) + 5];
        bytes[(4 << 20) - 1] = 1;
        *bytes.last_mut().unwrap() = 1;
        std::fs::write(&path, bytes).unwrap();
        let map = read_truth(&path, Work::new(&(), &Cancel::new())).unwrap();
        let data = (0..map.block_count()).filter(|block| map.is_data(*block)).collect::<Vec<_>>();
        assert_eq!((data, map.block_count()), (vec![1, 4], 5));
    }
}
