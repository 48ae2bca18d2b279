//! What follows the data of a member whose sizes were not known before.

use imsprep_ondisk::format::zip::DESCRIPTOR_MAGIC;
use imsprep_source::{ReadAt, Result};

/// Most bytes of a descriptor.
const SIZE_MAX: u64 = 24;

/// Bytes of the descriptor at `offset` that holds these numbers; `None` if there is none. It may have a magic or not, and sizes of 4 or 8
/// bytes: which, only programs that wrote it know for certain. APPNOTE, 4.3.9.
pub(super) fn length_of(
    source: &dyn ReadAt,
    offset: u64,
    (crc, packed, size): (u32, u64, u64),
) -> Result<Option<u64>> {
    let there = source.size().saturating_sub(offset).min(SIZE_MAX);
    let mut bytes = vec![0; usize::try_from(there).unwrap_or(0)];
    source.read_at(&mut bytes, offset)?;
    let long = [&crc.to_le_bytes()[..], &packed.to_le_bytes(), &size.to_le_bytes()].concat();
    let short = u32::try_from(packed)
        .ok()
        .zip(u32::try_from(size).ok())
        .map(|(packed, size)| [crc.to_le_bytes(), packed.to_le_bytes(), size.to_le_bytes()].concat());
    let forms = [Some(long), short].into_iter().flatten();
    let forms = forms.flat_map(|fields| [[&DESCRIPTOR_MAGIC[..], &fields].concat(), fields]);
    Ok(forms.into_iter().find(|form| bytes.starts_with(form)).map(|form| form.len() as u64))
}
