//! Holding a bitmap against a few blocks of its image, picked at random.

use std::collections::BTreeSet;

use imsprep_source::{BlockMap, ImageFile, ReadAt, Stage, Work, is_zero};
use rayon::prelude::*;

use crate::{Error, Result};

/// What is read at once of a block.
const PIECE: u64 = 1 << 20;

/// A look at some blocks of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledBlocks {
    /// Blocks of the image.
    pub blocks: u64,
    /// Blocks that were read.
    pub read: u64,
    /// Blocks read that hold data and are marked zero, ascending.
    pub data_marked_zero: Vec<u64>,
    /// Blocks read that hold zeros only and are marked data, ascending.
    pub zero_marked_data: Vec<u64>,
}

impl SampledBlocks {
    /// How likely such a look misses every one of `wrong` wrong blocks: each set of blocks is as likely to be read as any
    /// other of that number.
    #[expect(clippy::cast_precision_loss, reason = "a probability needs no more digits than a double has")]
    pub fn chance_to_miss(&self, wrong: u64) -> f64 {
        let unread = self.blocks.saturating_sub(self.read);
        (0..wrong)
            .map(|i| unread.saturating_sub(i) as f64 / self.blocks.saturating_sub(i).max(1) as f64)
            .product()
    }

    /// So many blocks may be wrong and the look miss all of them with a chance of more than one in twenty: if there were
    /// more, it would have met one in 19 cases of 20. `None` where nothing was left unread.
    pub fn wrong_at_most(&self) -> Option<u64> {
        let unread = self.blocks.saturating_sub(self.read);
        if unread == 0 {
            return None;
        }
        // The chance falls with the number, so halving finds where it passes.
        let (mut low, mut high) = (0, unread);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.log_chance_to_miss(middle) > 0.05f64.ln() { low = middle } else { high = middle - 1 }
        }
        Some(low)
    }

    /// The same chance for many wrong blocks, without a step for each of them.
    #[expect(clippy::cast_precision_loss, reason = "a probability needs no more digits than a double has")]
    fn log_chance_to_miss(&self, wrong: u64) -> f64 {
        // Read the other way round: none of the blocks that are read is among the wrong ones.
        let right = self.blocks.saturating_sub(wrong);
        let steps = self.read.min(wrong);
        if steps == wrong {
            return self.chance_to_miss(wrong).ln();
        }
        (0..self.read).map(|i| (right.saturating_sub(i) as f64 / (self.blocks - i) as f64).ln()).sum()
    }
}

/// Reads `count` blocks, picked at random, and holds what `claimed` says of them against their content.
pub(crate) fn sample_blocks(
    image: &ImageFile,
    claimed: &BlockMap,
    count: u64,
    work: Work<'_>,
) -> Result<SampledBlocks> {
    let blocks = claimed.block_count();
    let chosen = choose(blocks, count)?;
    let block_size = claimed.block_size().bytes();
    let stage =
        Stage::begin(work.progress, "reading blocks", (chosen.len() as u64).saturating_mul(block_size));
    let wrong = chosen.par_iter().map(|block| -> Result<Option<u64>> {
        work.cancel.check()?;
        let data = has_data(image, *block, block_size)?;
        stage.advance(block_size);
        Ok((data != claimed.is_data(*block)).then_some(*block))
    });
    let wrong = wrong.collect::<Result<Vec<_>>>()?;
    drop(stage);
    let (zero_marked_data, data_marked_zero) =
        wrong.into_iter().flatten().partition(|block| claimed.is_data(*block));
    Ok(SampledBlocks { blocks, read: chosen.len() as u64, data_marked_zero, zero_marked_data })
}

fn has_data(image: &ImageFile, block: u64, block_size: u64) -> Result<bool> {
    let start = block.saturating_mul(block_size);
    let end = start.saturating_add(block_size).min(image.size());
    let mut extents = image.extents();
    let mut buffer = Vec::new();
    let mut at = start;
    while at < end {
        // Holes are zeros that need not be read.
        let Some(extent) = extents.data_from(at)?.filter(|extent| extent.start < end) else { break };
        let piece = (end.min(extent.end) - extent.start).min(PIECE);
        buffer.resize(usize::try_from(piece).unwrap_or(0), 0);
        image.read_at(&mut buffer, extent.start)?;
        if !is_zero(&buffer) {
            return Ok(true);
        }
        at = extent.start + piece;
    }
    Ok(false)
}

/// Different blocks, each set of that many as likely as any other (Floyd's way), ascending.
fn choose(blocks: u64, count: u64) -> Result<Vec<u64>> {
    if count >= blocks {
        return Ok((0..blocks).collect());
    }
    let mut chosen = BTreeSet::new();
    for last in blocks - count..blocks {
        let pick = below(last + 1)?;
        chosen.insert(if chosen.contains(&pick) { last } else { pick });
    }
    Ok(chosen.into_iter().collect())
}

/// A number from 0 to below `end`, each as likely.
fn below(end: u64) -> Result<u64> {
    // Numbers beyond the last whole multiple would make the small ones likelier.
    let limit = u64::MAX - u64::MAX % end;
    loop {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| Error::Random { source: error.into() })?;
        let number = u64::from_le_bytes(bytes);
        if number < limit {
            return Ok(number % end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(blocks: u64, read: u64) -> SampledBlocks {
        SampledBlocks { blocks, read, data_marked_zero: vec![], zero_marked_data: vec![] }
    }

    #[test]
    fn the_chance_to_miss_is_that_of_drawing_without_putting_back() {
        let look = looked(10, 4);
        assert!((look.chance_to_miss(1) - 0.6).abs() < 1e-12);
        assert!((look.chance_to_miss(2) - 6.0 / 10.0 * 5.0 / 9.0).abs() < 1e-12);
        assert!(look.chance_to_miss(7).abs() < 1e-12);
        assert_eq!(look.chance_to_miss(0), 1.0);
        for (blocks, read) in [(10, 4), (1000, 50), (1000, 999), (524_288, 1000)] {
            let look = looked(blocks, read);
            let most = look.wrong_at_most().unwrap();
            assert!(look.chance_to_miss(most) > 0.05, "{blocks} {read} {most}");
            assert!(look.chance_to_miss(most + 1) <= 0.05, "{blocks} {read} {most}");
        }
        assert_eq!(looked(10, 10).wrong_at_most(), None);
    }

    #[test]
    fn every_block_is_picked_as_often_as_another() {
        let mut counts = [0u32; 10];
        for _ in 0..2000 {
            let chosen = choose(10, 3).unwrap();
            assert_eq!(chosen.len(), 3);
            assert!(chosen.is_sorted() && chosen.windows(2).all(|pair| pair[0] != pair[1]));
            chosen.iter().for_each(|block| counts[usize::try_from(*block).unwrap()] += 1);
        }
        // 600 each; 200 away from that is less likely than a broken machine.
        assert!(counts.iter().all(|count| (400..800).contains(count)), "{counts:?}");
        assert_eq!(choose(3, 9).unwrap(), [0, 1, 2]);
    }
}
