//! What the indexes at the end of an xz file say that it holds.
//!
//! Source: The .xz File Format 1.2.1, 2.1.2 and 4.

use imsprep_ondisk::format::container::{XZ_ENDS, XZ_FOOTER_MAGIC, XzFooter, take_xz_number};
use imsprep_source::Result;

use crate::input::Input;

/// Streams that are read, and bytes of their indexes.
const STREAMS_MAX: usize = 64;
const INDEX_MAX: u64 = 1 << 16;
/// Bytes of padding that are passed over.
const PADDING_MAX: usize = 4096;

/// Bytes of the content, of all streams together; `None` if there is no telling.
pub(crate) fn content_size(input: &Input<'_>) -> Result<Option<u64>> {
    let Some(mut end) = input.known_size() else { return Ok(None) };
    let mut sum = 0_u64;
    for _ in 0..STREAMS_MAX {
        let Some(start) = skip_padding(input, end)? else { return Ok(None) };
        end = start;
        let footer_at = end.checked_sub(XZ_ENDS);
        let footer = footer_at.map(|at| input.array(at)).transpose()?.flatten();
        let Some(footer) =
            footer.map(|bytes| XzFooter::decode(&bytes)).filter(|footer| footer.magic == XZ_FOOTER_MAGIC)
        else {
            return Ok(None);
        };
        let size = footer.index_size();
        let Some(index_at) = footer_at.and_then(|at| at.checked_sub(size)).filter(|_| size <= INDEX_MAX)
        else {
            return Ok(None);
        };
        let Some((packed, content)) = sums(&input.read(index_at, size)?) else { return Ok(None) };
        let begin = index_at.checked_sub(packed).and_then(|at| at.checked_sub(XZ_ENDS));
        let (Some(begin), Some(more)) = (begin, sum.checked_add(content)) else { return Ok(None) };
        sum = more;
        if begin == 0 {
            return Ok(Some(sum));
        }
        end = begin;
    }
    Ok(None)
}

/// Where the stream ends before its padding of zeros.
fn skip_padding(input: &Input<'_>, end: u64) -> Result<Option<u64>> {
    let start = end.saturating_sub(PADDING_MAX as u64);
    let bytes = input.read(start, end - start)?;
    let last = bytes.iter().rposition(|byte| *byte != 0);
    Ok(last.map(|last| start + last as u64 + 1))
}

/// Bytes of the blocks in the stream, and of their content.
fn sums(index: &[u8]) -> Option<(u64, u64)> {
    let mut rest = index.strip_prefix(&[0])?;
    let count = take_xz_number(&mut rest)?;
    let (mut packed, mut content) = (0_u64, 0_u64);
    for _ in 0..count {
        packed = packed.checked_add(take_xz_number(&mut rest)?.checked_next_multiple_of(4)?)?;
        content = content.checked_add(take_xz_number(&mut rest)?)?;
    }
    Some((packed, content))
}
