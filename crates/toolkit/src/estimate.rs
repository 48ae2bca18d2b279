//! How large the output of a conversion is going to be, by a sample of its blocks.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_source::{BlockMap, BlockSize, DiskReader, ReadAt, Sink, Stage, Work};
use imsprep_zvhd2::{WriteOptions, size_without_records, timestamp_now};
use rayon::prelude::*;

use crate::holes::{WriteAt, write_data};
use crate::raw::length_of;
use crate::zvhd2::{Source, data_blocks};
use crate::{ConversionSource, Direction, OpenedImage, Plan, Result};

/// The size that the output of a conversion is going to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Bytes of the disk.
    pub disk_size: u64,
    /// Bytes of the output. Those of a RAW are exact.
    pub output_size: u64,
    /// Bytes of the disk that will be stored; the rest are zeros. In a ZVHD2 they are compressed.
    pub data_bytes: u64,
    /// Blocks of 2 MiB that may hold data.
    pub blocks: u64,
    /// How many of them were read.
    pub sampled_blocks: u64,
}

impl Estimate {
    /// A number of blocks to read that gives a good estimate within seconds: 1 GiB.
    pub const ENOUGH: u64 = 512;

    /// Whether every block that may hold data was read, so that nothing is estimated.
    pub fn is_exact(&self) -> bool {
        self.sampled_blocks == self.blocks
    }
}

impl Plan {
    /// Estimates the size of the output. A RAW is scanned for zero blocks; of another format it is known which blocks are allocated. A sample
    /// of `most` of these blocks, which is the same each time, is read and compressed as the conversion does it; all are if there are not
    /// more. Nothing is written.
    ///
    /// `None` if the disk can only be read once, in order.
    ///
    /// # Errors
    ///
    /// What reading brings; a stop.
    pub fn estimate(&self, most: u64, work: Work<'_>) -> Result<Option<Estimate>> {
        let is_stream = matches!(self.source, ConversionSource::Stream(_));
        if is_stream || self.source.image().is_some_and(OpenedImage::is_stream) {
            return Ok(None);
        }
        let disk = self.source_disk(work.cancel)?;
        let estimate = match self.direction {
            Direction::ToZvhd2 => {
                let (map, _) = data_blocks(&disk, self.options.io, work)?;
                let disk = Source::new(disk);
                let options = WriteOptions {
                    level: self.options.level,
                    // None of these changes the size.
                    timestamp: timestamp_now(),
                    uuid: [0; 16],
                    checksums: false,
                };
                let sample = sample_of(&map, most, self.source.path())?;
                let mut out = Nowhere;
                let (written, _) = imsprep_zvhd2::write(&disk, &sample, &options, &mut out, work)?;
                let of_records = written.file_size - size_without_records(disk.size(), written.records);
                let (all, sampled) = (map.data_count(), sample.data_count());
                let records = scaled(written.records, all, sampled);
                Estimate {
                    disk_size: disk.size(),
                    output_size: size_without_records(disk.size(), records)
                        + scaled(of_records, all, sampled),
                    data_bytes: records * BlockSize::MIB_2.bytes(),
                    blocks: all,
                    sampled_blocks: sampled,
                }
            }
            Direction::ToRaw => {
                let length = length_of(&disk, self.options.length);
                let map = disk.allocated_blocks(length, work.cancel)?;
                let sample = sample_of(&map, most, self.source.path())?;
                let data = bytes_to_write(&disk, length, &sample, work)?;
                let (all, sampled) = (map.data_count(), sample.data_count());
                Estimate {
                    disk_size: length,
                    output_size: length,
                    data_bytes: scaled(data, all, sampled),
                    blocks: all,
                    sampled_blocks: sampled,
                }
            }
        };
        if let ConversionSource::Image(image) = &self.source {
            image.file().verify_unchanged()?;
        }
        Ok(Some(estimate))
    }
}

/// What a part of the blocks comes to, for all of them.
fn scaled(found: u64, all: u64, sampled: u64) -> u64 {
    let scaled = u128::from(found) * u128::from(all) / u128::from(sampled.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// The bytes of these blocks that are written to a sparse file.
fn bytes_to_write(disk: &dyn DiskReader, length: u64, sample: &BlockMap, work: Work<'_>) -> Result<u64> {
    let block_size = sample.block_size().bytes();
    let stage = Stage::begin(work.progress, "reading blocks", sample.data_count().saturating_mul(block_size));
    let data = AtomicU64::new(0);
    sample.data_blocks().collect::<Vec<_>>().into_par_iter().try_for_each_init(
        Vec::new,
        |buffer, block| {
            work.cancel.check()?;
            let start = block.saturating_mul(block_size);
            let there = length.saturating_sub(start).min(block_size);
            buffer.resize(usize::try_from(there).unwrap_or(0), 0);
            disk.read_at(buffer, start)?;
            data.fetch_add(write_data(&Nowhere, buffer, start)?, Ordering::Relaxed);
            stage.advance(block_size);
            Ok::<_, crate::Error>(())
        },
    )?;
    Ok(data.into_inner())
}

/// Some of the data blocks of a map: one of each of as many parts, which are equally large. A place that is chosen for each part
/// keeps the sample from being all of one kind on a disk with a regular pattern.
fn sample_of(map: &BlockMap, most: u64, path: &Path) -> Result<BlockMap> {
    let (all, wanted) = (map.data_count(), map.data_count().min(most));
    let mut sample = BlockMap::zeroed(path, map.image_size(), map.block_size())?;
    let mut blocks = map.data_blocks().enumerate();
    for part in 0..wanted {
        let (start, end) = (part * all / wanted, (part + 1) * all / wanted);
        let chosen = start + scrambled(part) % (end - start);
        if let Some((_, block)) = blocks.find(|(index, _)| *index as u64 == chosen) {
            sample.set(block, true);
        }
    }
    Ok(sample)
}

/// A number that follows no simple pattern, and is the same for the same `number`: the last steps of SplitMix64.
fn scrambled(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// An output that keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn path(&self) -> &Path {
        Path::new("estimate")
    }

    fn write_all(&mut self, _: &[u8]) -> imsprep_source::Result<()> {
        Ok(())
    }
}

impl WriteAt for Nowhere {
    fn write_at(&self, _: &[u8], _: u64) -> imsprep_source::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_spread_over_all_data_and_the_same_each_time() {
        let size = 20_000 * BlockSize::MIB_2.bytes();
        let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::MIB_2).unwrap();
        (0..20_000).filter(|block| block % 3 != 0).for_each(|block| map.set(block, true));
        let sample = sample_of(&map, 512, Path::new("x")).unwrap();
        let chosen = sample.data_blocks().collect::<Vec<_>>();
        assert_eq!(chosen.len() as u64, 512);
        assert!(chosen.iter().all(|block| map.is_data(*block)));
        assert_eq!(chosen, sample_of(&map, 512, Path::new("x")).unwrap().data_blocks().collect::<Vec<_>>());
        // One of each part of 26 or 27 data blocks, which are two of three.
        assert!(chosen.windows(2).all(|pair| pair[1] - pair[0] <= 84), "{chosen:?}");
        // Not all at the same distance.
        assert!(chosen.windows(2).any(|pair| pair[1] - pair[0] < 20), "{chosen:?}");

        let mut few = BlockMap::zeroed(Path::new("x"), size, BlockSize::MIB_2).unwrap();
        (0..512).for_each(|block| few.set(block * 7, true));
        assert!(sample_of(&few, 512, Path::new("x")).unwrap().data_blocks().eq(few.data_blocks()));
        let none = BlockMap::zeroed(Path::new("x"), 0, BlockSize::MIB_2).unwrap();
        assert_eq!(sample_of(&none, 512, Path::new("x")).unwrap().data_count(), 0);
    }
}
