//! Linux swap space: every page behind the first one, unless a hibernated system is in it.

use std::collections::BTreeSet;

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::volume::md;
use imsprep_ondisk::volume::swap::{
    BAD_PAGES_AT, HIBERNATION_MAGICS, Header, MAGIC, MAGIC_SIZE, OFFSET, PAGES,
};

use crate::cached::Cached;
use crate::free::FreeSpace;
use crate::{Error, Result};

/// The size of a page, if there is a swap header; it is at the end of the first page.
pub(super) fn page_size(disk: &Cached<'_>) -> Result<Option<u64>> {
    let mut found = None;
    for page in PAGES.into_iter().filter(|page| *page <= disk.size()) {
        let magic = disk.array::<{ MAGIC.len() }>(page - MAGIC_SIZE)?;
        if HIBERNATION_MAGICS.iter().any(|known| magic.starts_with(known)) {
            return Err(Error::refused("holds the memory of a hibernated system"));
        }
        if magic == MAGIC && found.replace(page).is_some() {
            return Err(Error::refused("has swap headers for two sizes of a page"));
        }
    }
    Ok(found)
}

pub(crate) fn free_space(disk: &Cached<'_>) -> Result<FreeSpace> {
    let no_swap = || Error::refused("is no swap space");
    let page = page_size(disk)?.ok_or_else(no_swap)?;
    let header = Header::decode(&disk.array(OFFSET)?);
    if header.version != 1 {
        return Err(Error::refused(format!("has version {} of swap space", header.version)));
    }
    let last = u64::from(header.last_page);
    let size = (last + 1) * page;
    if last == 0 || size > disk.size() {
        return Err(Error::corrupt(format!(
            "it has {} pages of {page} bytes in a volume of {} bytes",
            last + 1,
            disk.size()
        )));
    }
    let bad = bad_pages(disk, &header, page)?;
    check_no_raid(disk, page)?;
    let mut free = FreeSpace::new(size);
    let mut start = 1;
    for bad in bad.into_iter().chain([last + 1]) {
        if start < bad {
            free.push(start * page..bad * page)?;
        }
        start = bad + 1;
    }
    Ok(free)
}

/// The pages that can't be used. Checks as well that the first page holds nothing else, as `mkswap` writes it: what overwrites
/// a swap space, such as LVM, may leave the magic where it is, and then all of it would be called free.
fn bad_pages(disk: &Cached<'_>, header: &Header, page: u64) -> Result<BTreeSet<u64>> {
    let mut first = vec![0; usize::try_from(page - MAGIC_SIZE).unwrap_or_default()];
    disk.read(0, &mut first)?;
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    let (head, rest) = first.split_at_checked(at(OFFSET)).unwrap_or_default();
    let (padding, list) = rest.split_at_checked(at(BAD_PAGES_AT - OFFSET)).unwrap_or_default();
    let padding = padding.get(Header::SIZE..).unwrap_or_default();
    let (words, _) = list.as_chunks::<4>();
    let (listed, after) = words.split_at_checked(at(header.bad_pages.into())).ok_or_else(|| {
        Error::corrupt(format!("it has {} bad pages, more than it can list", header.bad_pages))
    })?;
    let is_empty = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    if !is_empty(head) || !is_empty(padding) || !is_empty(after.as_flattened()) {
        return Err(Error::refused("has more in its first page than a swap header"));
    }
    let mut bad = BTreeSet::new();
    for number in listed.iter().map(|word| u32::from_le_bytes(*word)) {
        if !(1..=header.last_page).contains(&number) || !bad.insert(u64::from(number)) {
            return Err(Error::corrupt("its list of bad pages makes no sense"));
        }
    }
    Ok(bad)
}

/// Refuses a member of a RAID, which is not read as a volume by itself. Other signatures have been looked for.
fn check_no_raid(disk: &Cached<'_>, page: u64) -> Result<()> {
    let has = |offset: u64, magic: &[u8]| {
        let mut bytes = vec![0; magic.len()];
        let is_there = offset.saturating_add(magic.len() as u64) <= disk.size();
        Ok::<_, Error>(is_there && disk.read(offset, &mut bytes).map(|()| bytes == magic)?)
    };
    // It may have its superblock at the end.
    let sectors = disk.size() / SECTOR;
    for sector in [sectors.saturating_sub(16) & !7, (sectors & !127).saturating_sub(128)] {
        if sector * SECTOR >= page && has(sector * SECTOR, &md::MAGIC.to_le_bytes())? {
            return Err(Error::refused("is a swap space and has a signature of linux-raid as well"));
        }
    }
    Ok(())
}
