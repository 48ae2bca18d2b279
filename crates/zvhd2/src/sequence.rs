//! What a sequential reader finds where no index entry points to.
//!
//! It goes from HEAD on, record by record, and knows neither bitmap nor index. Where it fails, no reader gets wrong data. Where it
//! goes on, over a record that the index does not have, or stops at a footer that stands among the records, it gives another
//! disk than the index reader, and nothing says which is right.

use imsprep_findings::Finding;
use imsprep_ondisk::format::zvhd2::{self as disk, RecordHeader};
use imsprep_source::{ReadAt, ReadAtExt, is_zero};

use crate::expand::Expander;
use crate::index::{BLOCK, RecordLocation};
use crate::record::POSTFIX;
use crate::{Method, rules};

/// The records that an index has, and what bounds a search beside them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence<'a> {
    /// Ascending by block.
    pub(crate) places: &'a [RecordLocation],
    pub(crate) method: Method,
    /// Bytes of the disk that readers expose.
    pub(crate) disk_size: u64,
}

impl Sequence<'_> {
    /// Looks where a sequential reader goes on after the record at this position among the places, or after HEAD: at `from`.
    /// A finding, if it goes on to something else than the next record and does not fail there.
    pub(crate) fn check_after(
        &self,
        source: &dyn ReadAt,
        number: Option<usize>,
        from: u64,
    ) -> imsprep_source::Result<Option<Finding>> {
        let after = number.map_or(0, |number| number + 1);
        let next = self.places.get(after);
        if next.is_some_and(|next| next.offset <= from) {
            return Ok(None);
        }
        let before = number.and_then(|number| self.places.get(number)).map(|place| u64::from(place.block));
        let end = next.map_or(self.disk_size.div_ceil(BLOCK), |next| next.block.into());
        let mut free = before.map_or(0, |block| block + 1);
        let mut at = from;
        let mut hidden = Vec::new();
        loop {
            let left = source.size().saturating_sub(at);
            if next.is_some_and(|next| next.offset == at) {
                break;
            }
            if !at.is_multiple_of(disk::ALIGN) || left < RecordHeader::SIZE as u64 {
                return Ok(None);
            }
            let bytes = source.read_array::<{ RecordHeader::SIZE }>(at)?;
            if bytes.starts_with(&disk::COOKIE[..disk::COOKIE_COMPARED]) {
                match next {
                    Some(next) if free <= u64::from(next.block) => return Ok(Some(early_end(at, next))),
                    _ => break,
                }
            }
            let header = RecordHeader::decode(&bytes);
            let length = header.record_length();
            let block = u64::from(header.curr_blk);
            let whole = header.prefix == disk::RECORD_PREFIX
                && header.size != 0
                && length <= left
                && source.read_array(at + length - POSTFIX as u64)? == disk::RECORD_POSTFIX;
            if !whole || block < free || block >= end {
                return Ok(None);
            }
            hidden.push((at, header));
            free = block + 1;
            at += length;
        }
        self.judge(source, &hidden)
    }

    /// What records that the index does not have do to a sequential reader.
    fn judge(
        &self,
        source: &dyn ReadAt,
        hidden: &[(u64, RecordHeader)],
    ) -> imsprep_source::Result<Option<Finding>> {
        let block_size = usize::try_from(BLOCK).unwrap_or(0);
        let mut differs = None;
        let (mut payload, mut block) = (Vec::new(), Vec::new());
        for (at, header) in hidden {
            payload.resize(usize::try_from(header.size).unwrap_or(0), 0);
            block.resize(block_size, 0);
            source.read_at(&mut payload, at + RecordHeader::SIZE as u64)?;
            if Expander::new(self.method, block_size).expand(&payload, &mut block).is_err() {
                // There it fails.
                return Ok(None);
            }
            if differs.is_none() && !is_zero(&block) {
                differs = Some((*at, header.curr_blk));
            }
        }
        Ok(differs.map(|(at, block)| {
            let message =
                format!("the record of block {block} at {at} is neither in the bitmap nor in the index");
            Finding::new(&rules::READERS_DIFFER, message)
                .at(at)
                .in_block(block.into())
                .expected("an index entry")
                .found("data for the sequential reader, zeros for the index reader")
        }))
    }
}

/// A footer where the next record should be.
fn early_end(at: u64, next: &RecordLocation) -> Finding {
    let message = format!("there is a footer before the record of block {}", next.block);
    Finding::new(&rules::READERS_DIFFER, message)
        .at(at)
        .in_block(next.block.into())
        .expected("the record")
        .found("z2strm, which ends the records for the sequential reader")
}
