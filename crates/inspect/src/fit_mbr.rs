//! The protective MBR of a disk that is enlarged.

use imsprep_ondisk::disk::{Mbr, MbrPartition, PARTITION_PROTECTIVE};
use imsprep_ondisk::mbr::{EXTENDED, encode};
use imsprep_source::Result;

use crate::view::View;
use crate::{mbr, volumes};

/// The status of an active partition.
const ACTIVE: u8 = 0x80;

/// Sector 0 of a disk of `sectors` whose GPT is as large as the disk. `None` if it does not protect the GPT, or has logical partitions, which
/// nothing but the GPT may be relied on for: it stays as it is.
pub(crate) fn fitted(view: &View<'_>, sectors: u64) -> Result<Option<Vec<u8>>> {
    let whole = volumes::recognise(view)?;
    let found = mbr::decode(view).filter(|mbr| mbr::fits(mbr, &whole.kind, view.size()));
    let Some((found, mut bytes)) = found.filter(mbr::is_protective).zip(view.head_array::<{ Mbr::SIZE }>(0))
    else {
        return Ok(None);
    };
    let table =
        if mbr::has_partitions(&found) { hybrid(&found, sectors) } else { Some(pure(&found, sectors)) };
    let Some(table) = table else { return Ok(None) };
    let (places, _) = bytes[Mbr::TABLE_OFFSET..510].as_chunks_mut::<{ MbrPartition::SIZE }>();
    for (place, partition) in places.iter_mut().zip(table) {
        match partition {
            Some(partition) => *place = encode(&partition),
            // What an entry without sectors holds is kept beside partitions.
            None if mbr::has_partitions(&found) => {}
            None => *place = [0; MbrPartition::SIZE],
        }
    }
    Ok(Some(bytes.to_vec()))
}

/// One partition over all sectors but the first. Some firmware starts nothing unless it is active.
fn pure(found: &Mbr, sectors: u64) -> [Option<MbrPartition>; 4] {
    let is_active = found.partitions.iter().any(|p| p.kind == PARTITION_PROTECTIVE && p.status == ACTIVE);
    let status = if is_active { ACTIVE } else { 0 };
    let count = u32::try_from(sectors.saturating_sub(1)).unwrap_or(u32::MAX);
    [Some(MbrPartition { status, kind: PARTITION_PROTECTIVE, first: 1, count }), None, None, None]
}

/// Protective partitions beside others are extended over the sectors that no partition has, before and behind them.
fn hybrid(found: &Mbr, sectors: u64) -> Option<[Option<MbrPartition>; 4]> {
    if found.partitions.iter().any(|partition| EXTENDED.contains(&partition.kind)) {
        return None;
    }
    let limit = sectors.min(u64::from(u32::MAX));
    let mut partitions = found.partitions;
    for number in 0..partitions.len() {
        let Some(one) = partitions.get(number).filter(|one| one.kind == PARTITION_PROTECTIVE).copied() else {
            continue;
        };
        let others = || {
            let others =
                partitions.iter().enumerate().filter(move |(at, other)| *at != number && other.count > 0);
            others.map(|(_, other)| (u64::from(other.first), u64::from(other.first) + u64::from(other.count)))
        };
        let (first, end) = (u64::from(one.first), u64::from(one.first) + u64::from(one.count));
        let is_free = |sector: u64| {
            sector > 0 && sector < sectors && !others().any(|(first, end)| (first..end).contains(&sector))
        };
        let start = match first.checked_sub(1).filter(|before| is_free(*before)) {
            Some(_) => others().map(|(_, end)| end).filter(|end| *end < first).max().unwrap_or(1),
            None => first,
        };
        let end = if end > limit {
            limit
        } else if is_free(end) {
            others().map(|(first, _)| first).filter(|first| *first > end).min().unwrap_or(limit)
        } else {
            end
        };
        let (first, count) = (u32::try_from(start).ok()?, u32::try_from(end.checked_sub(start)?).ok()?);
        if let Some(place) = partitions.get_mut(number) {
            *place = MbrPartition { first, count, ..one };
        }
    }
    Some(partitions.map(|partition| (partition.count > 0).then_some(partition)))
}
