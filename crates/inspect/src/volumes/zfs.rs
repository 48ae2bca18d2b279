//! Members of a ZFS pool.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::zfs::{
    LIST_OFFSET, LIST_SIZE, LIST_XDR, UBERBLOCK_MAGIC, UBERBLOCK_STEP, UBERBLOCKS_OFFSET, UBERBLOCKS_SIZE,
    VALUE_STRING, VALUE_U64,
};
use imsprep_source::Result;

use crate::view::View;
use crate::{Volume, VolumeKind};

/// Most pairs of a list that are read.
const PAIRS_MAX: usize = 256;
/// Bytes before the pairs: encoding, byte order and two more bytes, then version and flags.
const LIST_HEADER: usize = 12;

/// By the first of its four labels: a list of names and values, and at least one uberblock.
pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let start = view.head_array::<4>(LIST_OFFSET);
    let is_list = start.is_some_and(|[encoding, order, ..]| encoding == LIST_XDR && order <= 1);
    if !is_list {
        return Ok(None);
    }
    let Some(list) = view.bytes(LIST_OFFSET, LIST_SIZE)? else { return Ok(None) };
    let Some(uberblocks) = view.bytes(UBERBLOCKS_OFFSET, UBERBLOCKS_SIZE)? else { return Ok(None) };
    let is_uberblock = |block: &[u8]| {
        let magic = block.first_chunk::<8>();
        magic.is_some_and(|magic| {
            [u64::from_le_bytes(*magic), u64::from_be_bytes(*magic)].contains(&UBERBLOCK_MAGIC)
        })
    };
    if !uberblocks.chunks(UBERBLOCK_STEP).any(is_uberblock) {
        return Ok(None);
    }
    let (mut name, mut pool) = (None, None);
    for (key, value) in pairs(&list) {
        match (key, value) {
            (b"name", Value::String(value)) => name = text::label(value),
            (b"pool_guid", Value::Number(number)) => pool = Some(number.to_string()),
            _ => {}
        }
    }
    Ok(Some(Volume { label: name, uuid: pool, ..Volume::new(VolumeKind::Zfs) }))
}

enum Value<'a> {
    String(&'a [u8]),
    Number(u64),
    Other,
}

/// The pairs of a list, up to its end or to what makes no sense. All numbers are big-endian.
fn pairs(list: &[u8]) -> impl Iterator<Item = (&[u8], Value<'_>)> {
    let mut rest = list.get(LIST_HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        // A pair begins with the bytes that it takes up, 0 at the end.
        let size = usize::try_from(u32_at(rest, 0)?).ok().filter(|size| *size >= 8)?;
        let (pair, after) = rest.split_at_checked(size)?;
        rest = after;
        let (name, fields) = string(pair.get(8..)?)?;
        let (kind, data) = (u32_at(fields, 0)?, fields.get(8..)?);
        let value = match kind {
            VALUE_STRING => Value::String(string(data)?.0),
            VALUE_U64 => Value::Number(u64::from_be_bytes(*data.first_chunk()?)),
            _ => Value::Other,
        };
        Some((name, value))
    })
    .take(PAIRS_MAX)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// A string, and what follows after it has been filled up to a multiple of 4.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let text = bytes.get(4..)?.get(..length)?;
    Some((text, bytes.get(4 + length.checked_next_multiple_of(4)?..)?))
}
