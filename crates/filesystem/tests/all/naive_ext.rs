//! The free space of ext2, ext3 and ext4 without their bitmaps of blocks: what no inode and no structure holds. Nothing is
//! checked: it is for volumes that e2fsck calls clean.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::ops::Range;
use std::path::Path;

struct Naive {
    image: Vec<u8>,
    block: usize,
    used: Vec<bool>,
}

/// The free ranges of a volume, in bytes.
pub(crate) fn naive_free(path: &Path) -> Vec<Range<u64>> {
    let image = std::fs::read(path).unwrap();
    let sb = |at: usize| get32(&image, 1024 + at);
    let half = |at: usize| usize::from(u16::from_le_bytes([image[1024 + at], image[1025 + at]]));
    let (compatible, incompatible, read_only) = (sb(92), sb(96), sb(100));
    let block = 1024 << sb(24);
    let is_64 = incompatible & 0x80 != 0;
    let has_checksums = read_only & 0x410 != 0;
    let (blocks, first, per_group) = (sb(4), sb(20), sb(32));
    let ratio = if read_only & 0x200 != 0 { 1 << (sb(28) - sb(24)) } else { 1 };
    let inode_size = if sb(76) == 0 { 128 } else { half(88) };
    let inodes_per_group = sb(40);
    let descriptor = if is_64 { half(254) } else { 32 };
    let groups = (blocks - first).div_ceil(per_group);
    let per_block = block / descriptor;
    let descriptor_blocks = groups.div_ceil(per_block);
    let has_meta = incompatible & 0x10 != 0;
    let first_meta = if has_meta { sb(260) } else { descriptor_blocks };
    let has_super = |group: usize| match group {
        0 => true,
        _ if compatible & 0x200 != 0 => group == sb(0x24c) || group == sb(0x250),
        1 => true,
        _ => {
            read_only & 1 == 0
                || [3_usize, 5, 7].iter().any(|base| (1..30).any(|n| base.checked_pow(n) == Some(group)))
        }
    };
    let mmp = if incompatible & 0x100 != 0 { sb(0x168) } else { 0 };
    let mut naive = Naive { block, used: vec![false; blocks], image: Vec::new() };
    naive.mark(0, first);
    naive.mark(mmp, usize::from(mmp > 0));
    let super_at =
        |group: usize| first + group * per_group + usize::from(group == 0 && block == 1024 && first == 0);
    let mut tables = Vec::new();
    for group in 0..groups {
        let meta = group / per_block;
        let copy = usize::from(has_super(group));
        naive.mark(super_at(group), copy);
        if meta < first_meta {
            naive.mark(super_at(group), copy * (1 + first_meta.min(descriptor_blocks)));
        } else if [0, 1, per_block - 1].contains(&(group % per_block)) {
            naive.mark(super_at(group) + copy, 1);
        }
        let at = if meta < first_meta {
            super_at(0) + 1 + meta
        } else {
            super_at(meta * per_block) + usize::from(has_super(meta * per_block))
        };
        let at = at * block + group % per_block * descriptor;
        let (bitmap, inodes, table) = (get32(&image, at), get32(&image, at + 4), get32(&image, at + 8));
        naive.mark(bitmap, 1);
        naive.mark(inodes, 1);
        naive.mark(table, (inodes_per_group * inode_size).div_ceil(block));
        if !(has_checksums && image[at + 18] & 1 != 0) {
            tables.push((inodes * block, table * block));
        }
    }
    naive.image = image;
    for (bitmap, table) in tables {
        for number in 0..inodes_per_group {
            if naive.image[bitmap + number / 8] >> (number % 8) & 1 != 0 {
                naive.inode(table + number * inode_size);
            }
        }
    }
    let mut free: Vec<Range<u64>> = Vec::new();
    for start in (first..blocks).step_by(ratio) {
        let end = (start + ratio).min(blocks);
        if naive.used[start..end].contains(&true) {
            continue;
        }
        let (start, end) = ((start * block) as u64, (end * block) as u64);
        match free.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => free.push(start..end),
        }
    }
    free
}

fn get32(image: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(image[at..at + 4].try_into().unwrap())).unwrap()
}

impl Naive {
    fn mark(&mut self, start: usize, count: usize) {
        self.used[start..start + count].fill(true);
    }

    fn inode(&mut self, at: usize) {
        let mode = get32(&self.image, at) & 0xf000;
        let flags = get32(&self.image, at + 32);
        let attributes = get32(&self.image, at + 104);
        let size = get32(&self.image, at + 4);
        self.mark(attributes, usize::from(attributes > 0));
        let is_short_link = mode == 0xa000 && flags & 0x8_0000 == 0 && size < 60;
        if is_short_link || flags & 0x1000_0000 != 0 || ![0, 0x4000, 0x8000, 0xa000].contains(&mode) {
            return;
        }
        if flags & 0x8_0000 != 0 {
            self.extents(at + 40);
        } else {
            for number in 0..15 {
                let pointer = get32(&self.image, at + 40 + number * 4);
                self.pointer(pointer, number.saturating_sub(11));
            }
        }
    }

    fn pointer(&mut self, pointer: usize, level: usize) {
        self.mark(pointer, usize::from(pointer > 0));
        if pointer > 0 && level > 0 {
            for at in (pointer * self.block..(pointer + 1) * self.block).step_by(4) {
                self.pointer(get32(&self.image, at), level - 1);
            }
        }
    }

    fn extents(&mut self, at: usize) {
        let half = |at: usize| usize::from(u16::from_le_bytes([self.image[at], self.image[at + 1]]));
        let (entries, depth) = (half(at + 2), half(at + 6));
        for entry in (1..=entries).map(|number| at + number * 12) {
            if depth == 0 {
                let length = usize::from(u16::from_le_bytes([self.image[entry + 4], self.image[entry + 5]]));
                self.mark(
                    get32(&self.image, entry + 8),
                    if length > 32768 { length - 32768 } else { length },
                );
            } else {
                let node = get32(&self.image, entry + 4);
                self.mark(node, 1);
                self.extents(node * self.block);
            }
        }
    }
}
