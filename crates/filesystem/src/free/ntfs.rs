//! NTFS: its `$Bitmap`, compared with the clusters that the records of the master file table hold.
//!
//! NTFS has no checksums. So every record that is in use is read, and each cluster that it holds has to be in use by the bitmap as
//! well; clusters that are in use and that nothing holds are kept.

mod records;
mod shadow;

use imsprep_ondisk::volume::ntfs::{
    Attribute, BootRecord, HIBERNATION_FILE, RECORD_BITMAP, RECORD_BOOT, RECORD_MIRROR, RECORD_TABLE,
    RECORD_UPCASE, RECORD_VOLUME, VolumeInformation,
};
use imsprep_ondisk::volume::ntfs_record::{attribute, attributes, value};

use crate::cached::Cached;
use crate::free::FreeSpace;
use crate::free::clusters::Clusters;
use crate::ntfs::{NtfsVolume, RestartPage};
use crate::{Error, FileSystem, Result};

/// Bytes at the start of the file of a hibernated system that are all zero while nothing is in it.
const HIBERNATION_HEADER: usize = 4096;
/// Records that the copy of the master file table repeats at least.
const MIRRORED: u64 = 4;

pub(crate) fn free_space(disk: &Cached<'_>) -> Result<FreeSpace> {
    let boot = BootRecord::decode(&disk.array(0)?);
    let ntfs = NtfsVolume::open(disk.clone())?;
    let size = volume_size(&boot, disk)?;
    let clusters = size / ntfs.geometry.cluster;
    check_state(&ntfs)?;
    check_mirror(&ntfs, &boot)?;
    shadow::check(disk)?;
    let used = bitmap(&ntfs, clusters)?;
    if !used.are_used(0..1) {
        return Err(Error::corrupt("its bitmap calls the boot record free"));
    }
    records::check(&ntfs, &used)?;
    let mut free = FreeSpace::new(size);
    used.add_free_to(&mut free, 0, ntfs.geometry.cluster)?;
    Ok(free)
}

/// Bytes of the volume without the copy of the boot record, which follows and is in no cluster.
fn volume_size(boot: &BootRecord, disk: &Cached<'_>) -> Result<u64> {
    let sector = u64::from(boot.bytes_per_sector);
    let size = boot.sectors.checked_mul(sector);
    let end = size.and_then(|size| size.checked_add(sector));
    size.filter(|_| end.is_some_and(|end| end <= disk.size())).ok_or_else(|| {
        Error::corrupt(format!(
            "its boot record claims {} sectors of {sector} bytes, in a volume of {} bytes",
            boot.sectors,
            disk.size()
        ))
    })
}

/// Whether Windows left the volume in order, and holds nothing that it reads from outside of files.
fn check_state(ntfs: &NtfsVolume<'_>) -> Result<()> {
    let description = ntfs.record(RECORD_VOLUME)?;
    let information = attribute(&description.bytes, Attribute::VOLUME_INFORMATION, &[]).and_then(value);
    let information = information.and_then(<[u8]>::first_chunk).map(VolumeInformation::decode);
    let information = information.ok_or_else(|| Error::corrupt("its flags are not there"))?;
    if information.major != 3 {
        return Err(Error::refused(format!("has version {} of NTFS", information.major)));
    }
    if information.flags & VolumeInformation::DIRTY != 0 {
        return Err(Error::refused("is marked as dirty: Windows will check it"));
    }
    if information.flags & VolumeInformation::UNFINISHED != 0 {
        return Err(Error::refused(format!(
            "is marked as unfinished (flags {:#x}): Windows will work on it",
            information.flags
        )));
    }
    // Opening the volume has checked the newer page only. A page that was not written as a whole is newer than it looks.
    let pages = ntfs.restart_pages()?;
    let is_clean = pages == [RestartPage::Emptied; 2]
        || pages.iter().all(|page| matches!(page, RestartPage::Area(area) if area.is_clean()));
    if !is_clean {
        return Err(Error::refused("has a log of which the restart pages disagree"));
    }
    let Some(file) = ntfs.lookup(ntfs.root(), HIBERNATION_FILE.as_bytes())? else { return Ok(()) };
    let mut header = vec![0; HIBERNATION_HEADER];
    let read = ntfs.read_at(file, 0, &mut header).map_err(|error| error.at(HIBERNATION_FILE))?;
    if header.iter().take(read).any(|byte| *byte != 0) {
        return Err(Error::refused(format!(
            "holds a hibernated system, or one that was shut down for a fast start: {HIBERNATION_FILE} is not empty"
        )));
    }
    Ok(())
}

/// Compares the first records of the master file table with their copy, and the places of both with the boot record.
fn check_mirror(ntfs: &NtfsVolume<'_>, boot: &BootRecord) -> Result<()> {
    let wrong = || Error::corrupt("the copy of its first records differs from them");
    let mirror = ntfs.record(RECORD_MIRROR)?;
    let mirror = ntfs.stream(&mirror, Attribute::DATA, &[])?.ok_or_else(wrong)?;
    let boot_file = ntfs.record(RECORD_BOOT)?;
    let boot_file = ntfs.stream(&boot_file, Attribute::DATA, &[])?.ok_or_else(wrong)?;
    for (stream, first) in [(&ntfs.table, boot.mft), (&mirror, boot.mirror), (&boot_file, 0)] {
        if stream.has_holes() || stream.places().next().and_then(|(start, _)| start) != Some(first) {
            return Err(Error::corrupt("its boot record and its master file table disagree"));
        }
    }
    for number in 0..MIRRORED {
        let copy = ntfs.record_in(&mirror, number)?;
        // What protects a record while it is written is counted in each place.
        if !attributes(&ntfs.record(number)?.bytes).eq(attributes(&copy)) {
            return Err(wrong());
        }
    }
    // All that has a fixed number is there.
    for number in RECORD_TABLE..=RECORD_UPCASE {
        ntfs.record(number)?;
    }
    Ok(())
}

/// The bitmap of the clusters.
fn bitmap(ntfs: &NtfsVolume<'_>, clusters: u64) -> Result<Clusters> {
    let record = ntfs.record(RECORD_BITMAP)?;
    let stream = ntfs.stream(&record, Attribute::DATA, &[])?;
    let stream = stream.ok_or_else(|| Error::corrupt("it has no bitmap of its clusters"))?;
    /// The bitmap has a multiple of these bytes; its last bits are for clusters that are not there.
    const UNIT: u64 = 8;
    if stream.size.checked_next_multiple_of(UNIT) != Some(clusters.div_ceil(8).next_multiple_of(UNIT)) {
        return Err(Error::corrupt(format!(
            "its bitmap has {} bytes, and does not fit {clusters} clusters",
            stream.size
        )));
    }
    // What is not written reads as zeros, which would be free.
    let is_encoded = stream.flags & (Attribute::COMPRESSED | Attribute::ENCRYPTED) != 0;
    if stream.has_holes() || stream.ends_unwritten() || is_encoded {
        return Err(Error::corrupt("its bitmap has bytes that were never written"));
    }
    Clusters::of_bitmap(clusters, |at, buf| {
        let length = ntfs.read_stream(&stream, at, buf)?;
        if length == buf.len() { Ok(()) } else { Err(Error::corrupt("its bitmap is too short")) }
    })
}
