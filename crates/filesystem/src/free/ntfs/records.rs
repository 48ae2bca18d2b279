//! The clusters that each record of the master file table holds.

use imsprep_ondisk::volume::ntfs::{
    Attribute, NonResident, RECORD_FLAGS_OFFSET, RECORD_IN_USE, RECORD_TABLE, RecordHeader,
};
use imsprep_ondisk::volume::ntfs_record::{attributes, restore, runs};

use crate::free::clusters::Clusters;
use crate::ntfs::NtfsVolume;
use crate::{Error, Result};

/// Bytes of the table that are read at once: a multiple of the size of any record.
const PIECE: usize = 1 << 20;

/// Compares all records that are in use with the bitmap of the clusters.
pub(super) fn check(ntfs: &NtfsVolume<'_>, used: &Clusters) -> Result<()> {
    let size = usize::try_from(ntfs.geometry.record_size).unwrap_or(PIECE);
    let records = ntfs.table.size / ntfs.geometry.record_size;
    let in_use = records_in_use(ntfs, records)?;
    let mut piece = vec![0; PIECE.min(usize::try_from(ntfs.table.size).unwrap_or(PIECE))];
    let mut number = 0;
    while number < records {
        let read = ntfs.read_stream(&ntfs.table, number * ntfs.geometry.record_size, &mut piece)?;
        let whole = piece.get(..read).unwrap_or_default().chunks_exact(size);
        if whole.len() == 0 {
            break;
        }
        // What was never written is not read from the disk, and takes time nevertheless.
        ntfs.spend_steps(whole.len() as u64)?;
        for bytes in whole {
            let flags = bytes.get(RECORD_FLAGS_OFFSET..).and_then(|rest| rest.first_chunk());
            let flags = flags.map_or(0, |flags| u16::from_le_bytes(*flags));
            let is_listed = in_use.are_used(number..number + 1);
            if is_listed || flags & RECORD_IN_USE != 0 {
                check_record(ntfs, used, number, is_listed, bytes)?;
            }
            number += 1;
        }
    }
    Ok(())
}

/// Which records are in use, by the bitmap that the table's own record has.
fn records_in_use(ntfs: &NtfsVolume<'_>, records: u64) -> Result<Clusters> {
    let table = ntfs.record(RECORD_TABLE)?;
    let bitmap = ntfs.stream(&table, Attribute::BITMAP, &[])?;
    let bitmap = bitmap.ok_or_else(|| Error::corrupt("it has no bitmap of its records"))?;
    // Records behind the end of the bitmap are free.
    Clusters::of_bitmap(records, |at, buf| {
        let read = ntfs.read_stream(&bitmap, at, buf)?;
        buf.iter_mut().skip(read).for_each(|byte| *byte = 0);
        Ok(())
    })
}

fn check_record(
    ntfs: &NtfsVolume<'_>,
    used: &Clusters,
    number: u64,
    is_listed: bool,
    bytes: &[u8],
) -> Result<()> {
    let broken = || Error::corrupt(format!("record {number} of its master file table makes no sense"));
    let bytes = restore(bytes.to_vec(), RecordHeader::FILE).ok_or_else(broken)?;
    let flags = bytes.get(RECORD_FLAGS_OFFSET..).and_then(|rest| rest.first_chunk()).ok_or_else(broken)?;
    if u16::from_le_bytes(*flags) & RECORD_IN_USE == 0 {
        // Listed, and deleted: it holds nothing. Some of the first records are kept so for later versions.
        return Ok(());
    }
    if !is_listed {
        return Err(Error::corrupt(format!(
            "record {number} is in use, and its list of records calls it free"
        )));
    }
    let mut end = bytes.first_chunk().map(|head| usize::from(RecordHeader::decode(head).attributes));
    for attribute in attributes(&bytes) {
        ntfs.spend_steps(1)?;
        end = end.and_then(|end| end.checked_add(attribute.len()));
        check_attribute(ntfs, used, number, attribute)?;
    }
    // The list goes on where its end is not marked.
    let mark = end.and_then(|end| bytes.get(end..)).and_then(|rest| rest.first_chunk());
    if mark.map(|mark| u32::from_le_bytes(*mark)) != Some(Attribute::END) {
        return Err(broken());
    }
    Ok(())
}

fn check_attribute(ntfs: &NtfsVolume<'_>, used: &Clusters, number: u64, attribute: &[u8]) -> Result<()> {
    let broken = || Error::corrupt(format!("record {number} has an attribute that makes no sense"));
    let header = attribute.first_chunk().map(Attribute::decode).ok_or_else(broken)?;
    if header.non_resident == 0 {
        return Ok(());
    }
    let place = attribute.first_chunk().map(NonResident::decode).ok_or_else(broken)?;
    let runs = runs(attribute, usize::MAX);
    ntfs.spend_steps(runs.len() as u64)?;
    let count = runs.iter().try_fold(0_u64, |sum, run| sum.checked_add(run.count));
    // An empty value has the number before the first one for its last.
    if count != Some(place.last.wrapping_sub(place.first).wrapping_add(1)) {
        return Err(broken());
    }
    for run in runs {
        let Some(first) = run.first else { continue };
        let end = first.checked_add(run.count).ok_or_else(broken)?;
        if end > used.count() {
            return Err(Error::corrupt(format!("record {number} has clusters behind the volume's end")));
        }
        if !used.are_used(first..end) {
            return Err(Error::corrupt(format!(
                "its bitmap calls clusters from {first} to {end} free, or some of them, which record {number} holds"
            )));
        }
    }
    Ok(())
}
