//! VHDX.

use byteorder::{ByteOrder, LittleEndian as LE};
use imsprep_ondisk::format::vhdx::{
    FILE_SIGNATURE, HEADER_OFFSETS, Header, ITEM_DISK_SIZE, ITEM_FILE_PARAMETERS, ITEM_PARENT_LOCATOR,
    ITEM_REQUIRED, ITEMS_KNOWN, LOCATOR_COUNT_OFFSET, LOCATOR_HEADER_SIZE, LocatorEntry, MetadataEntry,
    MetadataHeader, PARAMETER_HAS_PARENT, PARAMETER_LEAVE_ALLOCATED, REGION_BAT, REGION_METADATA,
    REGION_REQUIRED, REGION_TABLE_OFFSETS, RegionEntry, RegionTableHeader, checksum,
};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Regions that are read: two exist.
const REGIONS_MAX: usize = 16;
/// Metadata items that are read: six exist, and a file may add some of its own.
const ITEMS_MAX: u64 = 64;
/// Bytes of a parent locator that are read.
const LOCATOR_MAX: u64 = 64 << 10;
/// Keys of the parent locator, most telling first.
const PARENT_KEYS: [&str; 3] = ["absolute_win32_path", "relative_path", "volume_path"];

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !input.starts_with(&FILE_SIGNATURE) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Vhdx);
    match current_header(input)? {
        Some(header) if header.log_guid != [0; 16] => found.facts.push(Fact::Dirty),
        Some(_) => {}
        None => found.damaged("neither of its two headers is valid"),
    }
    match regions(input)? {
        Some(regions) => {
            for region in &regions {
                let place = (region.offset, region.length.into());
                found.check_within("a region of the file", place, input.size());
                let is_known = [REGION_METADATA, REGION_BAT].contains(&region.guid);
                if !is_known && region.required & REGION_REQUIRED != 0 {
                    found.facts.push(Fact::UnknownRequired(format!("region {}", guid_text(&region.guid))));
                }
            }
            match regions.iter().find(|region| region.guid == REGION_METADATA) {
                Some(region) => metadata(input, region.offset, &mut found)?,
                None => found.damaged("its region table lacks the metadata"),
            }
        }
        None => found.damaged("neither of its two region tables is valid"),
    }
    found.check_size();
    Ok(Some(found))
}

/// The valid header that was written last.
fn current_header(input: &Input<'_>) -> Result<Option<Header>> {
    let mut current: Option<Header> = None;
    for offset in HEADER_OFFSETS {
        let Some(bytes) = input.array::<{ Header::SIZE }>(offset)? else { continue };
        let header = Header::decode(&bytes);
        let is_valid = header.signature == Header::SIGNATURE && checksum(&bytes) == header.checksum;
        let is_newer = current.as_ref().is_none_or(|other| header.sequence_number > other.sequence_number);
        if is_valid && is_newer {
            current = Some(header);
        }
    }
    Ok(current)
}

/// The regions, from the first region table that is valid. Two kinds exist; of a hostile table the first few count.
fn regions(input: &Input<'_>) -> Result<Option<Vec<RegionEntry>>> {
    for offset in REGION_TABLE_OFFSETS {
        let table = input.read(offset, RegionTableHeader::TABLE_SIZE as u64)?;
        let Some((header, rest)) = table.split_first_chunk() else { continue };
        let header = RegionTableHeader::decode(header);
        let is_whole = table.len() == RegionTableHeader::TABLE_SIZE;
        if !is_whole
            || header.signature != RegionTableHeader::SIGNATURE
            || checksum(&table) != header.checksum
        {
            continue;
        }
        let count = usize::try_from(header.entry_count).unwrap_or(REGIONS_MAX).min(REGIONS_MAX);
        let (entries, _) = rest.as_chunks::<{ RegionEntry::SIZE }>();
        return Ok(Some(entries.iter().take(count).map(RegionEntry::decode).collect()));
    }
    Ok(None)
}

fn metadata(input: &Input<'_>, region: u64, found: &mut Candidate) -> Result<()> {
    let table = input.read(region, MetadataHeader::SIZE as u64 + ITEMS_MAX * MetadataEntry::SIZE as u64)?;
    let header = table.split_first_chunk().map(|(header, rest)| (MetadataHeader::decode(header), rest));
    let Some((header, rest)) = header.filter(|(header, _)| header.signature == MetadataHeader::SIGNATURE)
    else {
        found.damaged("the metadata is not where the region table says");
        return Ok(());
    };
    let (entries, _) = rest.as_chunks::<{ MetadataEntry::SIZE }>();
    let entries =
        entries.iter().take(header.entry_count.into()).map(MetadataEntry::decode).collect::<Vec<_>>();
    for entry in entries.iter().filter(|entry| entry.flags & ITEM_REQUIRED != 0) {
        if !ITEMS_KNOWN.contains(&entry.guid) {
            found.facts.push(Fact::UnknownRequired(format!("metadata item {}", guid_text(&entry.guid))));
        }
    }
    let item = |guid| {
        let entry = entries.iter().find(|entry| entry.guid == guid)?;
        Some((region.checked_add(entry.offset.into())?, entry.length))
    };
    if let Some((at, _)) = item(ITEM_DISK_SIZE) {
        found.virtual_size = input.array(at)?.map(u64::from_le_bytes);
    }
    if found.virtual_size.is_none() {
        found.damaged("the metadata lacks the size of the disk");
    }
    let parameters = item(ITEM_FILE_PARAMETERS).map(|(at, _)| input.array::<8>(at)).transpose()?.flatten();
    let Some(parameters) = parameters else {
        found.damaged("the metadata lacks the file parameters");
        return Ok(());
    };
    let flags = LE::read_u32(&parameters[4..8]);
    if flags & PARAMETER_HAS_PARENT != 0 {
        found.variant = Some("differencing");
        let name = match item(ITEM_PARENT_LOCATOR) {
            Some((at, length)) => parent_name(&input.read(at, u64::from(length).min(LOCATOR_MAX))?),
            None => None,
        };
        found.facts.push(Fact::Parent(name));
    } else {
        let is_fixed = flags & PARAMETER_LEAVE_ALLOCATED != 0;
        found.variant = Some(if is_fixed { "fixed" } else { "dynamic" });
    }
    Ok(())
}

/// A GUID as Windows writes it.
fn guid_text(guid: &[u8; 16]) -> String {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d @ ..] = *guid;
    let (a, b, c) = (u32::from_le_bytes([a0, a1, a2, a3]), [b1, b0], [c1, c0]);
    let (b, c, d) = (u16::from_be_bytes(b), u16::from_be_bytes(c), u64::from_be_bytes(d));
    format!("{a:08X}-{b:04X}-{c:04X}-{:04X}-{:012X}", d >> 48, d & 0xffff_ffff_ffff)
}

fn parent_name(locator: &[u8]) -> Option<String> {
    let count = LE::read_u16(locator.get(LOCATOR_COUNT_OFFSET..LOCATOR_HEADER_SIZE)?);
    let (entries, _) = locator.get(LOCATOR_HEADER_SIZE..)?.as_chunks::<{ LocatorEntry::SIZE }>();
    let string = |offset: u32, length: u16| {
        let bytes = locator.get(usize::try_from(offset).ok()?..)?.get(..usize::from(length))?;
        Some(text::utf16_le(bytes))
    };
    // Four keys exist; the bound keeps a hostile count from being walked once for each key.
    let entries = entries.iter().take(count.min(64).into()).map(LocatorEntry::decode).collect::<Vec<_>>();
    PARENT_KEYS.iter().find_map(|key| {
        let entry = entries.iter().find(|e| string(e.key_offset, e.key_length).as_deref() == Some(key))?;
        string(entry.value_offset, entry.value_length)
    })
}
