//! Bytes of a disk that are together a volume: a partition, or the segments of a logical one.

use std::ops::Range;
use std::path::Path;

use imsprep_inspect::LogicalVolume;
use imsprep_source::{Error, ReadAt, Result};

use crate::text;

/// Most pieces that one range of a striped volume is in.
const PIECES_MAX: usize = 1 << 20;

/// Bytes of a disk that are together a volume.
pub(crate) struct Mapped<'d> {
    disk: &'d dyn ReadAt,
    size: u64,
    /// In order, without gaps.
    segments: Vec<MappedSegment>,
}

struct MappedSegment {
    start: u64,
    length: u64,
    stripe_size: u64,
    /// Where each stripe begins on the disk.
    stripes: Vec<u64>,
}

impl<'d> Mapped<'d> {
    /// One stretch of the disk.
    pub(crate) fn stretch(disk: &'d dyn ReadAt, start: u64, length: u64) -> Self {
        let size = disk.size().saturating_sub(start).min(length);
        Self {
            disk,
            size,
            segments: vec![MappedSegment { start: 0, length: size, stripe_size: 0, stripes: vec![start] }],
        }
    }

    /// A logical volume; or why it can't be put together.
    pub(crate) fn logical(
        disk: &'d dyn ReadAt,
        volume: &LogicalVolume,
        physical: &[(String, u64)],
    ) -> std::result::Result<Self, String> {
        if let Some(reason) = &volume.unread {
            return Err(format!("could not be put together: {}", text::name(reason)));
        }
        let mut segments = Vec::new();
        for segment in &volume.segments {
            let place = |(uuid, offset): &(String, u64)| {
                let (_, start) = physical.iter().find(|(found, _)| found == uuid)?;
                start.checked_add(*offset)
            };
            let stripes = segment.stripes.iter().map(place).collect::<Option<Vec<_>>>();
            let stripes = stripes.ok_or("has parts on physical volumes that are not on this disk")?;
            let MappedSegment { start, length, stripe_size, .. } = MappedSegment {
                start: segment.start,
                length: segment.length,
                stripe_size: segment.stripe_size,
                stripes: Vec::new(),
            };
            segments.push(MappedSegment { start, length, stripe_size, stripes });
        }
        let size = segments.last().map_or(0, |last| last.start.saturating_add(last.length));
        Ok(Self { disk, size, segments })
    }

    /// Where on the disk the byte at `offset` is, and how many bytes follow it there.
    fn place(&self, offset: u64) -> Option<(u64, u64)> {
        let index = self.segments.partition_point(|segment| segment.start <= offset).checked_sub(1)?;
        let segment = self.segments.get(index)?;
        let within = offset.checked_sub(segment.start)?;
        let left = segment.length.checked_sub(within).filter(|left| *left > 0)?;
        if segment.stripe_size == 0 {
            return Some((segment.stripes.first()?.checked_add(within)?, left));
        }
        let count = segment.stripes.len() as u64;
        let (chunk, rest) = (within / segment.stripe_size, within % segment.stripe_size);
        let stripe = segment.stripes.get(usize::try_from(chunk % count).ok()?)?;
        let on_stripe = (chunk / count).checked_mul(segment.stripe_size)?.checked_add(rest)?;
        Some((stripe.checked_add(on_stripe)?, left.min(segment.stripe_size - rest)))
    }
}

impl Mapped<'_> {
    /// Where the bytes of a range are on the disk, in pieces, in the order of the range; `None` if it goes beyond the volume.
    pub(crate) fn on_disk(&self, range: Range<u64>) -> Option<Vec<Range<u64>>> {
        let (mut at, mut pieces) = (range.start, Vec::<Range<u64>>::new());
        while at < range.end {
            let (start, left) = self.place(at)?;
            let length = left.min(range.end - at);
            let end = start.checked_add(length)?;
            let is_full = pieces.len() == PIECES_MAX;
            match pieces.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ if is_full => return None,
                _ => pieces.push(start..end),
            }
            at = at.checked_add(length)?;
        }
        Some(pieces)
    }
}

impl ReadAt for Mapped<'_> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let (mut buf, mut offset) = (buf, offset);
        while !buf.is_empty() {
            let end = || Error::UnexpectedEnd { path: self.disk.path().to_owned(), offset: self.size };
            let (at, length) = self.place(offset).ok_or_else(end)?;
            let count = usize::try_from(length).map_or(buf.len(), |length| length.min(buf.len()));
            let (part, rest) = buf.split_at_mut(count);
            self.disk.read_at(part, at)?;
            offset = offset.saturating_add(count as u64);
            buf = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use imsprep_inspect::Segment;
    use imsprep_source::MemoryImage;

    use super::*;

    #[test]
    fn segments_and_stripes_are_put_together() {
        let bytes = (0..4096_u32).map(|n| u8::try_from(n / 16).unwrap()).collect::<Vec<_>>();
        let disk = MemoryImage::new("disk", bytes);
        let segment = |start, length, stripe_size, stripes: &[(&str, u64)]| Segment {
            start,
            length,
            stripe_size,
            stripes: stripes.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect(),
        };
        let volume = LogicalVolume {
            name: "x".into(),
            segments: vec![segment(0, 32, 0, &[("a", 64)]), segment(32, 64, 16, &[("b", 0), ("a", 0)])],
            unread: None,
        };
        let physical = [("a".to_owned(), 0), ("b".to_owned(), 2048)];
        let mapped = Mapped::logical(&disk, &volume, &physical).unwrap();
        assert_eq!(mapped.size(), 96);
        let mut buf = [0; 96];
        mapped.read_at(&mut buf, 0).unwrap();
        let blocks = buf.chunks(16).map(|block| (block[0], block[15])).collect::<Vec<_>>();
        // Blocks 4 and 5 of the disk; then in turn from 128 (where b begins) and 0.
        assert_eq!(blocks, [(4, 4), (5, 5), (128, 128), (0, 0), (129, 129), (1, 1)]);
        let mut part = [0; 20];
        mapped.read_at(&mut part, 40).unwrap();
        assert_eq!(part[..], buf[40..60]);
        assert!(mapped.read_at(&mut part, 80).is_err());
        assert_eq!(mapped.on_disk(16..40).unwrap(), [80..96, 2048..2056]);
        assert_eq!(mapped.on_disk(40..80).unwrap(), [2056..2064, 0..16, 2064..2080]);
        assert_eq!(mapped.on_disk(90..97), None);
        assert!(Mapped::logical(&disk, &volume, &physical[..1]).is_err());
    }
}
