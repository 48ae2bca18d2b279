//! Bounded reading: what readers see of a disk or of a part of it.

use imsprep_ondisk::disk::CONTENT_MAGICS;
use imsprep_source::{ReadAt, ReadAtExt, Result};

/// Bytes read from the start: up to the farthest magic, those of btrfs, ReiserFS and UFS2 beyond 64 KiB.
const HEAD: u64 = 72 << 10;

/// A stretch of a disk, cut to what is there, and its first bytes.
pub(crate) struct View<'a> {
    disk: &'a dyn ReadAt,
    start: u64,
    size: u64,
    head: Vec<u8>,
}

impl<'a> View<'a> {
    /// The stretch of `length` bytes from `start` on. What lies beyond the end of the disk is not in it.
    pub(crate) fn new(disk: &'a dyn ReadAt, start: u64, length: u64) -> Result<Self> {
        let size = disk.size().saturating_sub(start).min(length);
        let mut view = Self { disk, start, size, head: Vec::new() };
        view.head = view.up_to(0, HEAD)?;
        Ok(view)
    }

    /// Bytes that are there.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The first bytes: fewer than 72 KiB only if there are no more.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the magic of the content of this name is there.
    pub(crate) fn has_magic(&self, name: &str) -> bool {
        CONTENT_MAGICS.iter().any(|magic| magic.name == name && self.has(magic.offset, magic.bytes))
    }

    /// Whether these bytes are at that offset of the head.
    pub(crate) fn has(&self, at: usize, bytes: &[u8]) -> bool {
        self.head.get(at..).is_some_and(|rest| rest.starts_with(bytes))
    }

    /// `N` bytes of the head, or `None` if they aren't all there.
    pub(crate) fn head_array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        self.head.get(usize::try_from(at).ok()?..)?.first_chunk().copied()
    }

    /// `N` bytes from anywhere, or `None` if they aren't all there.
    pub(crate) fn array<const N: usize>(&self, at: u64) -> Result<Option<[u8; N]>> {
        if let Some(bytes) = self.head_array(at) {
            return Ok(Some(bytes));
        }
        match at.checked_add(N as u64) {
            Some(end) if end <= self.size => self.disk.read_array(self.start + at).map(Some),
            _ => Ok(None),
        }
    }

    /// `length` bytes from `at` on, or `None` if they aren't all there. The caller bounds `length`: it is what is allocated.
    pub(crate) fn bytes(&self, at: u64, length: u64) -> Result<Option<Vec<u8>>> {
        match at.checked_add(length) {
            Some(end) if end <= self.size => self.up_to(at, length).map(Some),
            _ => Ok(None),
        }
    }

    /// As many bytes as there are from `at` on, at most `max`.
    fn up_to(&self, at: u64, max: u64) -> Result<Vec<u8>> {
        let there = self.size.saturating_sub(at).min(max);
        let mut bytes = vec![0; usize::try_from(there).unwrap_or_default()];
        if !bytes.is_empty() {
            self.disk.read_at(&mut bytes, self.start + at)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use imsprep_source::MemoryImage;

    use super::*;

    #[test]
    fn a_view_ends_where_it_or_the_disk_ends() {
        let disk = MemoryImage::new("disk", (0..=255).collect());
        let view = View::new(&disk, 250, 100).unwrap();
        assert_eq!((view.size(), view.head()), (6, &[250, 251, 252, 253, 254, 255][..]));
        assert_eq!(view.array(4).unwrap(), Some([254, 255]));
        assert_eq!(view.array::<3>(4).unwrap(), None);
        assert_eq!(view.bytes(1, 2).unwrap(), Some(vec![251, 252]));
        assert_eq!(view.bytes(u64::MAX, 2).unwrap(), None);
        assert_eq!(View::new(&disk, u64::MAX, u64::MAX).unwrap().size(), 0);
        assert_eq!(View::new(&disk, 10, 4).unwrap().array::<5>(0).unwrap(), None);
    }
}
