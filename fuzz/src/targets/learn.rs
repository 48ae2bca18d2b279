//! Input: a layout and some images, drawn.
//!
//! Oracle: files in the layout are written by the naive twin, bit by bit, and given to the learner. It may say that it can't
//! tell, but not that there is none; each layout that it names writes every sample as it is; and one that it is sure of writes
//! an image that it has not seen as the twin does.

use arbitrary::{Result, Unstructured};
use imsprep_bitmap::learn::{Learned, Sample, finest_block_size, learn};
use imsprep_bitmap::{BitOrder, Field, Form, Layout, MapForm};
use imsprep_source::{BlockMap, BlockSize};

use crate::naive_bitmap::{self, Image};
use crate::plant::planted;
use crate::random::drawn_seeds;

/// See the module.
pub fn run(data: &[u8]) {
    // Too few bytes make no layout.
    let _ = run_drawn(&mut Unstructured::new(data));
}

struct Written {
    image: Image,
    map: BlockMap,
    file: Vec<u8>,
    /// The image's content as the learner is given it.
    content: BlockMap,
}

fn run_drawn(u: &mut Unstructured<'_>) -> Result<()> {
    let block = BlockSize::new(4096 << u.int_in_range(0..=9)?).expect("a block size");
    let layout = naive_bitmap::drawn_layout(u, block)?;
    let mut samples = Vec::new();
    for number in 0..u.int_in_range(1..=3)? {
        // The images of an input that is used up are not all the same one.
        let blocks = if u.is_empty() { 60 + 87 * number } else { u.int_in_range(60..=400)? };
        // A number that does not fit its field: no file is in such a layout.
        let Some(written) = written(u, &layout, blocks)? else { return Ok(()) };
        samples.push(written);
    }
    let given = samples.iter().map(|sample| Sample { bytes: &sample.file, content: &sample.content });
    match learn(&given.collect::<Vec<_>>()) {
        Learned::One(one) => {
            let learned = planted(one.layout.clone(), |learned| {
                // The other bit order, or a byte more, is the bug to be found.
                let Form::Binary(binary) = &mut learned.form else { return };
                match &mut binary.map {
                    MapForm::Bits(bits) => {
                        bits.bit_order = match bits.bit_order {
                            BitOrder::LeastSignificantFirst => BitOrder::MostSignificantFirst,
                            BitOrder::MostSignificantFirst => BitOrder::LeastSignificantFirst,
                        };
                    }
                    _ => binary.trailer.to_mut().push(Field::Constant(vec![0].into())),
                }
            });
            assert_writes(&learned, &layout, &samples);
            if one.assumptions.is_empty() {
                let blocks = u.int_in_range(1..=900)?;
                if let Some(unseen) = written(u, &layout, blocks)? {
                    assert_writes(&learned, &layout, &[unseen]);
                }
            }
        }
        Learned::Several { hypotheses, and_more, .. } => {
            assert!(!hypotheses.is_empty() || and_more);
            for hypothesis in &hypotheses {
                assert_writes(&hypothesis.layout, &layout, &samples);
            }
        }
        // Images that are nearly all alike have too little in them; else what was written is what is looked for.
        Learned::None { nearest, looks_like } => {
            let is_plain = |sample: &Written| {
                let data = sample.map.data_count();
                data.min(sample.map.block_count() - data) < 16
            };
            assert!(samples.iter().all(is_plain), "{layout:?}: {nearest:?}, {looks_like:?}");
        }
    }
    Ok(())
}

fn written(u: &mut Unstructured<'_>, layout: &Layout, blocks: usize) -> Result<Option<Written>> {
    let image = Image::drawn(u, layout.block_size.bytes(), blocks)?;
    let map = image.map(layout.block_size);
    let Some(file) = naive_bitmap::encode(layout, &image) else { return Ok(None) };
    // What a scan would find: data at the beginning of each block that has any.
    let finest = finest_block_size(file.len() as u64, image.size).unwrap_or(BlockSize::MAX);
    let finest = finest.min(layout.block_size);
    let mut content =
        BlockMap::zeroed(std::path::Path::new("drawn"), image.size, finest).expect("a small image");
    for block in map.data_blocks() {
        content.set(block * (layout.block_size.bytes() / finest.bytes()), true);
    }
    Ok(Some(Written { image, map, file, content }))
}

fn assert_writes(learned: &Layout, drawn: &Layout, samples: &[Written]) {
    for sample in samples {
        let map = sample.content.in_blocks_of(learned.block_size).expect("not too many blocks");
        let file = learned.encode(&map).ok();
        assert!(
            file.as_deref() == Some(&sample.file),
            "an image of {}: {learned:?} for {drawn:?}",
            sample.image.size
        );
    }
}

/// Draws.
pub fn seeds() -> Vec<Vec<u8>> {
    drawn_seeds(16, 40)
}
