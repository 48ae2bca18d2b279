//! The extents of an LVM2 physical volume that no logical volume maps.

use std::ops::Range;

use imsprep_ondisk::volume::lvm::Area;

use super::lvm_text::{Metadata, VOLUMES_MAX};
use crate::{LogicalVolume, Segment};

/// The bytes of the physical volume `uuid` of `size` bytes that no segment maps, from its start; or what makes that doubtful. `areas`
/// are those of its metadata.
pub(super) fn unmapped(
    metadata: &Metadata,
    uuid: &str,
    areas: &[Area],
    size: u64,
) -> Result<Vec<Range<u64>>, String> {
    let group = &metadata.group;
    if group.physical != [uuid] {
        return Err("the volume group has several physical volumes".to_owned());
    }
    if group.logical.len() >= VOLUMES_MAX {
        return Err("the volume group has too many logical volumes".to_owned());
    }
    let unread =
        |volume: &LogicalVolume| Some(format!("logical volume {}: {}", volume.name, volume.unread.as_ref()?));
    if let Some(reason) = group.layout.iter().find_map(unread) {
        return Err(reason);
    }
    let extents = metadata.extents(uuid).filter(|extents| extents.end <= size);
    let extents = extents.ok_or("its extents go on after its end")?;
    let is_apart =
        |area: &Area| area.offset.saturating_add(area.size) <= extents.start || area.offset >= extents.end;
    if !areas.iter().all(is_apart) {
        return Err("its metadata is within its extents".to_owned());
    }
    let segments = group.layout.iter().flat_map(|volume| &volume.segments);
    let mut mapped = segments
        .map(|segment| pieces(segment, metadata.extent_size()?))
        .collect::<Option<Vec<_>>>()
        .ok_or("a segment is not of whole extents")?
        .concat();
    mapped.sort_by_key(|piece| (piece.start, piece.end));
    gaps(extents, &mapped).ok_or_else(|| "its segments overlap, or are outside of its extents".to_owned())
}

/// The bytes of the physical volume that a segment maps, one piece for each stripe: each has as many extents.
fn pieces(segment: &Segment, extent: u64) -> Option<Vec<Range<u64>>> {
    let stripes = segment.stripes.len() as u64;
    let length = segment.length.checked_div(stripes)?;
    let is_even =
        length.checked_mul(stripes) == Some(segment.length) && length.checked_rem(extent) == Some(0);
    let length = is_even.then_some(length)?;
    segment.stripes.iter().map(|(_, start)| Some(*start..start.checked_add(length)?)).collect()
}

/// What lies between the pieces, which are sorted; `None` if they overlap or go beyond `all`.
fn gaps(all: Range<u64>, pieces: &[Range<u64>]) -> Option<Vec<Range<u64>>> {
    let (mut at, mut found) = (all.start, Vec::new());
    for piece in pieces {
        if piece.start < at || piece.end > all.end {
            return None;
        }
        if piece.start > at {
            found.push(at..piece.start);
        }
        at = piece.end;
    }
    if at < all.end {
        found.push(at..all.end);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::super::lvm_text::metadata;
    use super::*;

    const EXTENT: u64 = 4 << 20;
    const START: u64 = 1 << 20;

    /// A group of one physical volume with ten extents.
    fn of(segments: &str, pv: &str, size: u64) -> Result<Vec<Range<u64>>, String> {
        let text = format!(
            r#"vg {{ id = "u" extent_size = 8192
            physical_volumes {{ pv0 {{ id = "one" pe_start = 2048 pe_count = 10 }} {pv} }}
            logical_volumes {{ a {{ segment1 {{ start_extent = 0 extent_count = 2 type = "striped" stripes = ["pv0", 1] }} }}
            {segments} }} }}"#
        );
        let areas = [Area { offset: 4096, size: START - 4096 }];
        unmapped(&metadata(text.as_bytes()).unwrap(), "one", &areas, size)
    }

    fn extents(first: u64, end: u64) -> Range<u64> {
        START + first * EXTENT..START + end * EXTENT
    }

    #[test]
    fn what_no_segment_maps_is_free() {
        let size = START + 10 * EXTENT;
        assert_eq!(of("", "", size).unwrap(), [extents(0, 1), extents(3, 10)]);
        let b = r#"b { segment1 { start_extent = 0 extent_count = 1 type = "linear" stripes = ["pv0", 9] }
            segment2 { start_extent = 1 extent_count = 2 type = "striped" stripe_size = 128 stripes = ["pv0", 4, "pv0", 6] } }"#;
        assert_eq!(of(b, "", size).unwrap(), [extents(0, 1), extents(3, 4), extents(5, 6), extents(7, 9)]);
    }

    #[test]
    fn what_is_doubtful_is_kept() {
        let size = START + 10 * EXTENT;
        let segment = |text: &str| format!("b {{ segment1 {{ start_extent = 0 {text} }} }}");
        for (segments, pv, size, reason) in [
            (segment(r#"extent_count = 2 type = "striped" stripes = ["pv0", 2]"#), "", size, "overlap"),
            (segment(r#"extent_count = 2 type = "striped" stripes = ["pv0", 9]"#), "", size, "outside"),
            (
                segment(
                    r#"extent_count = 3 type = "striped" stripe_size = 8 stripes = ["pv0", 4, "pv0", 8]"#,
                ),
                "",
                size,
                "whole extents",
            ),
            (segment(r#"extent_count = 1 type = "thin-pool""#), "", size, "type thin-pool"),
            (String::new(), r#"pv1 { id = "two" pe_start = 2048 pe_count = 10 }"#, size, "several"),
            (String::new(), "", size - 1, "after its end"),
        ] {
            let found = of(&segments, pv, size);
            assert!(found.as_ref().is_err_and(|found| found.contains(reason)), "{segments} {pv} {found:?}");
        }
    }
}
