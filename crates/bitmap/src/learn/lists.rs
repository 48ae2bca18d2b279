//! Which lists of runs the samples may be.

use imsprep_source::{BlockMap, BlockSize};
use memchr::memmem;

use super::{LONGEST_HEADER, LONGEST_TRAILER, Sample};
use crate::binary::MapForm;
use crate::field::SizeUnit;
use crate::number::{ByteOrder, Width};
use crate::runs::{RunNumbers, RunUnit, Runs};

/// Runs that are looked up in a sample before all of them are written.
const FIRST_RUNS: usize = 4;

/// The lists in blocks of the size of `contents` that may be in the samples: those whose lengths leave header and trailer of the same
/// length in all samples, and whose first runs are in the sample that holds the most information.
pub(super) fn lists(samples: &[Sample<'_>], contents: &[BlockMap], information: &[f64]) -> Vec<MapForm> {
    let is_fine = samples.iter().all(|sample| sample.content.block_size() == BlockSize::MIN);
    let telling = information.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    let telling = telling.and_then(|(number, _)| Some((samples.get(number)?, contents.get(number)?)));
    let Some((sample, content)) = telling.filter(|_| is_fine && contents.len() == samples.len()) else {
        return Vec::new();
    };
    let counts = contents.iter().map(|content| content.runs().filter(|run| run.data).count());
    let counts = counts.collect::<Vec<_>>();
    let mut lists = Vec::new();
    for width in [Width::U32, Width::U64] {
        if !lengths_fit(samples, &counts, 2 * width.bytes()) {
            continue;
        }
        for runs in forms(width, content.block_size()) {
            let first = runs.stored_first(content, FIRST_RUNS).unwrap_or_default();
            if !first.is_empty() && memmem::find(sample.bytes, &first).is_some() {
                lists.push(MapForm::Runs(runs));
            }
        }
    }
    lists
}

/// Whether the files are so much longer than their runs that header and trailer have the same length in all of them.
fn lengths_fit(samples: &[Sample<'_>], counts: &[usize], entry: usize) -> bool {
    let around = samples.iter().zip(counts).map(|(sample, count)| {
        let list = count.checked_mul(entry)?;
        sample.bytes.len().checked_sub(list).filter(|around| *around <= LONGEST_HEADER + LONGEST_TRAILER)
    });
    let around = around.collect::<Option<Vec<_>>>().unwrap_or_default();
    !around.is_empty() && around.windows(2).all(|pair| pair.first() == pair.last())
}

/// Every list with numbers of this width that no other one is the same as.
fn forms(width: Width, block_size: BlockSize) -> Vec<Runs> {
    let mut forms = Vec::new();
    for unit in [RunUnit::Byte, RunUnit::Sector, RunUnit::Block] {
        // Blocks of the size of a sector are named blocks.
        if unit == RunUnit::Sector && block_size.bytes() == SizeUnit::Sector.bytes() {
            continue;
        }
        for numbers in [RunNumbers::OffsetLength, RunNumbers::FirstLast, RunNumbers::OffsetEnd] {
            for order in [ByteOrder::Little, ByteOrder::Big] {
                for clipped in [false, true] {
                    if !(clipped && unit == RunUnit::Block) {
                        forms.push(Runs { unit, numbers, width, order, clipped });
                    }
                }
            }
        }
    }
    forms
}
