//! Tables read in pieces, so that none takes memory by its size.

use imsprep_source::ReadAt;

use crate::Slice;
use crate::claims::Stop;

/// Bytes that are read at once.
const PIECE: u64 = 64 << 10;

/// Hands over each entry of `N` bytes of a table of `count`, with its number and its offset in the file. What lies beyond the
/// end of the file is left out.
pub(super) fn each<const N: usize>(
    file: &Slice<'_>,
    start: u64,
    count: u64,
    mut take: impl FnMut(u64, u64, [u8; N]) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let width = N as u64;
    let there = file.size().saturating_sub(start) / width;
    let count = count.min(there);
    let mut bytes = vec![0; usize::try_from(PIECE.min(count * width)).unwrap_or(0)];
    let mut first = 0;
    while first < count {
        let wanted = (count - first).min(PIECE / width);
        let part = usize::try_from(wanted * width).ok().and_then(|length| bytes.get_mut(..length));
        let part = part.unwrap_or_default();
        let at = start + first * width;
        file.read_at(part, at)?;
        let (entries, _) = part.as_chunks::<N>();
        for (entry, number) in entries.iter().zip(0_u64..) {
            take(first + number, at + number * width, *entry)?;
        }
        first += wanted;
    }
    Ok(())
}
