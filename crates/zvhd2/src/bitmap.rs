//! The bitmap: which blocks have a record.

use imsprep_findings::{Finding, Report, Severity};
use imsprep_ondisk::format::zvhd2 as disk;
use imsprep_source::{Cancel, ReadAt, is_zero};

use crate::footer::{self, Placed};
use crate::span::Span;
use crate::{Error, rules};

/// The most records that one check looks at: 4 TiB of data, four times what the service takes. What is beyond is
/// counted and reported as not checked, so that a hostile file can't ask for memory.
pub(crate) const MAX_RECORDS: usize = 1 << 21;

/// Bytes that are read at once.
const CHUNK: u64 = 256 << 10;

/// The set bits of a bitmap that lies in the file.
#[derive(Debug)]
pub(crate) struct Bitmap {
    /// Where its needed bytes are.
    pub(crate) span: Span,
    /// The data blocks, ascending, at most [`MAX_RECORDS`] of them.
    pub(crate) blocks: Vec<u32>,
    /// Data blocks in all.
    pub(crate) total: u64,
    /// The last data block.
    pub(crate) last: Option<u64>,
}

/// Reads the bitmap that END points to; `None`, with a finding, if it is not in the file.
pub(crate) fn read_bitmap(
    source: &dyn ReadAt,
    end: &Placed,
    report: &mut Report,
    cancel: &Cancel,
) -> Result<Option<Bitmap>, Error> {
    let f = &end.footer;
    let needed = u64::from(f.max_blk_num).div_ceil(8);
    let Some(span) = Span::within(f.bitmap_lba, needed, end.offset) else {
        report.push(
            Finding::new(&rules::BITMAP_BOUNDS, "the bitmap is not between HEAD and END")
                .at(end.at("bitmap_lba"))
                .expected(format!("{needed} bytes between 4096 and {}", end.offset))
                .found(format!("bitmap_lba {}", f.bitmap_lba)),
        );
        return Ok(None);
    };
    let segments = u64::from(f.max_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT));
    let whole = segments * u64::from(disk::BITMAP_SEGMENT_SIZE);
    let exposed = footer::exposed_size(f).div_ceil(footer::block_size(f));
    // Unused bits are read as far as the last segment goes. Readers take it whole, even where END begins within it: of
    // what they take from there the bits of blocks that they expose matter.
    let taken = end.offset.max(span.start.saturating_add(exposed.div_ceil(8)));
    let stop = span.start.saturating_add(whole).min(taken).min(source.size());

    let mut bitmap = Bitmap { span, blocks: Vec::new(), total: 0, last: None };
    let mut strays = Strays { exposed, ..Strays::default() };
    let mut buffer = Vec::new();
    let mut at = span.start;
    while at < stop {
        cancel.check()?;
        let length = CHUNK.min(stop - at);
        buffer.resize(usize::try_from(length).unwrap_or(0), 0);
        source.read_at(&mut buffer, at)?;
        at += length;
        // Most of a large disk has no data, and a byte at a time would take long to say so.
        if is_zero(&buffer) {
            continue;
        }
        for (byte, position) in buffer.iter().zip(at - length - span.start..).filter(|(byte, _)| **byte != 0)
        {
            for block in (0..8).filter(|bit| byte & (1 << bit) != 0).map(|bit| position * 8 + bit) {
                match u32::try_from(block) {
                    Ok(number) if number < f.max_blk_num => bitmap.push(number),
                    _ => strays.push(block, span.start + position),
                }
            }
        }
    }
    strays.report(f.max_blk_num, report);
    Ok(Some(bitmap))
}

impl Bitmap {
    fn push(&mut self, block: u32) {
        self.total += 1;
        self.last = Some(block.into());
        if self.blocks.len() < MAX_RECORDS {
            self.blocks.push(block);
        }
    }
}

/// Set bits past the last block.
#[derive(Default)]
struct Strays {
    exposed: u64,
    within: u64,
    beyond: u64,
    first_within: Option<(u64, u64)>,
    first_beyond: Option<(u64, u64)>,
}

impl Strays {
    fn push(&mut self, block: u64, offset: u64) {
        let (count, first) = if block < self.exposed {
            (&mut self.within, &mut self.first_within)
        } else {
            (&mut self.beyond, &mut self.first_beyond)
        };
        *count += 1;
        first.get_or_insert((block, offset));
    }

    fn report(&self, blocks: u32, report: &mut Report) {
        let parts = [
            (self.within, self.first_within, Severity::Error),
            (self.beyond, self.first_beyond, Severity::Warning),
        ];
        for (count, first, severity) in parts {
            let Some((block, offset)) = first else { continue };
            let message = format!("the bitmap marks block {block} of a disk of {blocks} blocks");
            let finding = Finding::new(&rules::STRAY_BITS, message)
                .at(offset)
                .in_block(block)
                .expected("unused bits that are 0")
                .found(format!("{count} set"))
                .severity(severity);
            report.push_counted(finding, count);
        }
    }
}
