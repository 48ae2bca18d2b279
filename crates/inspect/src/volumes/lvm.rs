//! LVM2 physical volumes.

use std::collections::BTreeSet;

use imsprep_ondisk::disk::{LVM_LABEL, LVM_LABEL_SECTORS, LVM_TYPE, SECTOR};
use imsprep_ondisk::text;
use imsprep_ondisk::volume::lvm::{Area, Label, MetadataHeader, PhysicalVolume};
use imsprep_source::Result;

use super::lvm_text::{self, Metadata};
use super::lvm_unmapped::unmapped;
use crate::view::View;
use crate::{Lvm, Volume, VolumeGroup, VolumeKind};

/// Most areas of a list that are read.
const AREAS_MAX: u64 = 16;
/// Most areas of metadata that are read; tools make no more than two.
const TEXTS_MAX: usize = 4;
/// Most bytes of metadata that are read.
const TEXT_MAX: u64 = 1 << 20;
/// The flags of the first place of a text end the part of its header that is decoded; the offset and the size of the second
/// place, of metadata that are not in force yet, follow. All are zero while nothing changes.
const LOCATION_FLAGS: usize = 4;
const LOCATION_REST: usize = LOCATION_FLAGS + 16;
/// Lengths of the parts that hyphens separate in a UUID.
const UUID_PARTS: [usize; 7] = [6, 4, 4, 4, 4, 4, 6];

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    for sector in 0..LVM_LABEL_SECTORS as u64 {
        let at = sector * SECTOR;
        let Some(bytes) = view.head_array(at) else { break };
        let label = Label::decode(&bytes);
        if label.magic != LVM_LABEL || label.kind != LVM_TYPE || label.sector != sector {
            continue;
        }
        let header_at = at + u64::from(label.offset);
        let Some(bytes) = view.array(header_at)? else { continue };
        let header = PhysicalVolume::decode(&bytes);
        let uuid = uuid(&header.uuid);
        let (lvm, content_end) =
            metadata(view, header_at + PhysicalVolume::SIZE as u64, uuid.as_deref().unwrap_or_default())?;
        return Ok(Some(Volume {
            uuid,
            size: Some(header.size),
            content_end,
            ..Volume::new(VolumeKind::Lvm(lvm))
        }));
    }
    Ok(None)
}

/// The UUID with its hyphens.
fn uuid(characters: &[u8; 32]) -> Option<String> {
    let mut rest = characters.as_slice();
    let mut parts = Vec::new();
    for length in UUID_PARTS {
        let (part, after) = rest.split_at_checked(length)?;
        parts.push(text::utf8(part));
        rest = after;
    }
    Some(parts.join("-"))
}

/// What the metadata say of the physical volume `uuid`, by the lists of areas at `at`: first those of data, then those of
/// metadata; and where its content ends, if that is known.
fn metadata(view: &View<'_>, at: u64, uuid: &str) -> Result<(Lvm, Option<u64>)> {
    let no_end = || (unread("the list of its areas is not terminated"), None);
    let Some((_, after)) = areas(view, at)? else { return Ok(no_end()) };
    let Some((areas, _)) = areas(view, after)? else { return Ok(no_end()) };
    // It may have none on purpose; then others of the group tell.
    let mut content_end = areas.iter().map(|area| area.offset.saturating_add(area.size)).max();
    let mut why = None;
    for area in areas.iter().take(TEXTS_MAX) {
        match group(view, *area)? {
            Ok(Some(mut metadata)) => {
                content_end = content_end.max(metadata.end_of_extents(uuid));
                let doubt = doubt(view, &areas, *area, &metadata)?;
                metadata.group.unmapped = match doubt {
                    Some(doubt) => Err(doubt.to_owned()),
                    None => unmapped(&metadata, uuid, &areas, view.size()),
                };
                return Ok((Lvm { group: Some(metadata.group), unread: None }, content_end));
            }
            Ok(None) => why = None,
            Err(unread) => why = Some(unread),
        }
    }
    Ok((why.map_or_else(Lvm::default, unread), content_end))
}

/// Why the metadata, which were read from the area `of`, may not be all that is known of the group.
fn doubt(view: &View<'_>, areas: &[Area], of: Area, metadata: &Metadata) -> Result<Option<&'static str>> {
    if areas.len() > TEXTS_MAX {
        return Ok(Some("it has too many areas of metadata"));
    }
    for area in areas {
        let is_same = *area == of || matches!(group(view, *area)?, Ok(Some(other)) if other == *metadata);
        if !is_same {
            return Ok(Some("the copies of its metadata differ"));
        }
        let rest = area.offset.checked_add(MetadataHeader::SIZE as u64 - LOCATION_FLAGS as u64);
        let rest = rest.map_or(Ok(None), |at| view.array::<LOCATION_REST>(at))?;
        if rest.is_none_or(|bytes| bytes != [0; LOCATION_REST]) {
            return Ok(Some("a change of its metadata is not finished"));
        }
    }
    Ok(None)
}

fn unread(why: &'static str) -> Lvm {
    Lvm { group: None, unread: Some(why) }
}

/// The areas of the list at `at`, and where it ends; `None` if it doesn't.
fn areas(view: &View<'_>, at: u64) -> Result<Option<(Vec<Area>, u64)>> {
    let mut areas = Vec::new();
    for number in 0..AREAS_MAX {
        let at = at + number * Area::SIZE as u64;
        let Some(area) = view.array(at)?.map(|bytes| Area::decode(&bytes)) else { return Ok(None) };
        if area.offset == 0 {
            return Ok(Some((areas, at + Area::SIZE as u64)));
        }
        areas.push(area);
    }
    Ok(None)
}

/// The group by the text in one area of metadata: `None` if there is none yet, or why it can't be read.
fn group(view: &View<'_>, area: Area) -> Result<std::result::Result<Option<Metadata>, &'static str>> {
    let Some(bytes) = view.array(area.offset)? else { return Ok(Err("its metadata is beyond its end")) };
    let header = MetadataHeader::decode(&bytes);
    if header.magic != MetadataHeader::MAGIC || header.start != area.offset {
        return Ok(Err("its metadata has no header"));
    }
    // No group yet.
    if header.text_offset == 0 || header.text_size == 0 {
        return Ok(Ok(None));
    }
    if header.text_size > TEXT_MAX {
        return Ok(Err("its metadata is larger than 1 MiB"));
    }
    let is_within = header.text_offset >= MetadataHeader::ROOM
        && header.text_offset < header.size
        && header.text_size <= header.size - MetadataHeader::ROOM;
    if !is_within {
        return Ok(Err("its metadata is outside of its area"));
    }
    let Some(bytes) = ring(view, &header)? else { return Ok(Err("its metadata is beyond its end")) };
    let mut hasher = crc32fast::Hasher::new_with_initial(!MetadataHeader::CRC_START);
    hasher.update(&bytes);
    if !hasher.finalize() != header.text_checksum {
        return Ok(Err("the checksum of its metadata is wrong"));
    }
    Ok(lvm_text::metadata(&bytes).map(Some).ok_or("its metadata cannot be parsed"))
}

/// The text, which may go on at the start of its area.
fn ring(view: &View<'_>, header: &MetadataHeader) -> Result<Option<Vec<u8>>> {
    let first = header.text_size.min(header.size - header.text_offset);
    let at = header.start.saturating_add(header.text_offset);
    let Some(mut bytes) = view.bytes(at, first)? else { return Ok(None) };
    let wrapped = view.bytes(header.start.saturating_add(MetadataHeader::ROOM), header.text_size - first)?;
    Ok(wrapped.map(|wrapped| {
        bytes.extend(wrapped);
        bytes
    }))
}

/// Notes in each group which of its physical volumes are on none of `volumes`.
pub(crate) fn find_missing<'a>(volumes: impl Iterator<Item = &'a mut Volume>) {
    let mut there = BTreeSet::new();
    let mut groups: Vec<&mut VolumeGroup> = Vec::new();
    for volume in volumes {
        if let VolumeKind::Lvm(lvm) = &mut volume.kind {
            there.extend(volume.uuid.clone());
            groups.extend(lvm.group.as_mut());
        }
    }
    for group in groups {
        group.missing = group.physical.iter().filter(|uuid| !there.contains(*uuid)).cloned().collect();
    }
}
