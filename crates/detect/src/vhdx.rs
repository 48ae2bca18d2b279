//! VHDX.

use byteorder::{ByteOrder, LittleEndian as LE};
use imsprep_ondisk::vhdx::{
    FILE_SIGNATURE, HEADER_OFFSETS, Header, ITEM_DISK_SIZE, ITEM_FILE_PARAMETERS, ITEM_PARENT_LOCATOR,
    LOCATOR_COUNT_OFFSET, LOCATOR_HEADER_SIZE, LocatorEntry, MetadataEntry, MetadataHeader,
    PARAMETER_HAS_PARENT, PARAMETER_LEAVE_ALLOCATED, REGION_METADATA, REGION_TABLE_OFFSETS, RegionEntry,
    RegionTableHeader, checksum,
};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format, text};

/// Metadata items that are looked at: five exist, and a file may add some of its own.
const ITEMS_MAX: u64 = 128;
/// Bytes of a parent locator that are looked at.
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
    match metadata_offset(input)? {
        Some(offset) => metadata(input, offset, &mut found)?,
        None => found.damaged("neither of its two region tables is valid and has the metadata"),
    }
    found.check_size();
    Ok(Some(found))
}

/// Of the valid headers, the one written last.
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

/// Where the metadata region is, from the first region table that is valid.
fn metadata_offset(input: &Input<'_>) -> Result<Option<u64>> {
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
        let count =
            usize::try_from(header.entry_count.min(RegionTableHeader::ENTRIES_MAX)).unwrap_or_default();
        let (entries, _) = rest.as_chunks::<{ RegionEntry::SIZE }>();
        let mut entries = entries.iter().take(count).map(RegionEntry::decode);
        if let Some(entry) = entries.find(|entry| entry.guid == REGION_METADATA) {
            return Ok(Some(entry.offset));
        }
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
