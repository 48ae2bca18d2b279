//! The header of a hive, and its transaction logs: what was not yet written into the hive.
//!
//! Logs of Windows 8.1 and later (`HvLE` entries) are applied; those of older systems are not read.

use std::collections::BTreeMap;
use std::io;

use crate::initramfs::ArchiveFile;
use crate::windows::bytes::u32_at;

/// Bytes of a header that count.
const HEADER: usize = 512;
/// Type of a file: a log with entries.
const NEW_LOG: u32 = 6;
/// Most bytes of a log.
const LOG_MAX: u64 = 64 << 20;
/// Most entries of a log that are applied.
const ENTRIES_MAX: usize = 4096;
/// Most pages of all entries.
const PAGES_MAX: usize = 65_536;
/// The seed of the hashes of entries.
const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// The header of a hive or a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base {
    first: u32,
    second: u32,
    kind: u32,
    /// The offset of the root key.
    pub(super) root: u32,
}

impl Base {
    /// Whether everything was written before the file was closed.
    pub(super) fn is_clean(&self) -> bool {
        self.first == self.second
    }
}

/// Reads the header; `None` if it is none, or its checksum is wrong.
pub(super) fn read_base(file: &dyn ArchiveFile) -> io::Result<Option<Base>> {
    let mut bytes = [0; HEADER];
    if file.read_at(&mut bytes, 0)? < HEADER {
        return Ok(None);
    }
    Ok(decode_base(&bytes))
}

fn decode_base(bytes: &[u8; HEADER]) -> Option<Base> {
    let checksum = bytes.as_chunks().0.iter().take(127).fold(0, |sum, word| sum ^ u32::from_le_bytes(*word));
    // 0 and -1 stand for their neighbours.
    let checksum = match checksum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    };
    (bytes.starts_with(b"regf") && u32_at(bytes, 508)? == checksum).then_some(())?;
    Some(Base {
        first: u32_at(bytes, 4)?,
        second: u32_at(bytes, 8)?,
        kind: u32_at(bytes, 28)?,
        root: u32_at(bytes, 36)?,
    })
}

/// Pieces of a hive's data, by offset.
#[derive(Default)]
pub(super) struct Pages(BTreeMap<u32, Vec<u8>>);

impl Pages {
    /// Puts what is newer over bytes that were read from `offset` on. Whether all of them are covered.
    pub(super) fn lay_over(&self, buf: &mut [u8], offset: u32) -> bool {
        let mut covered = 0;
        let (from, to) = (u64::from(offset), u64::from(offset) + buf.len() as u64);
        for (start, bytes) in self.0.range(..u32::try_from(to).unwrap_or(u32::MAX)) {
            let start = u64::from(*start);
            let (begin, end) = (start.max(from), (start + bytes.len() as u64).min(to));
            if begin >= end {
                continue;
            }
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let target = buf.get_mut(index(begin - from)..index(end - from));
            let source = bytes.get(index(begin - start)..index(end - start));
            if let (Some(target), Some(source)) = (target, source) {
                target.copy_from_slice(source);
                covered += source.len();
            }
        }
        covered >= buf.len()
    }

    /// Adds a page; pages are of 512 bytes and multiples, so earlier ones are cut up by that.
    fn add(&mut self, offset: u32, bytes: &[u8]) {
        for (index, part) in (0_u32..).zip(bytes.chunks(512)) {
            self.0.insert(offset.saturating_add(index.saturating_mul(512)), part.to_vec());
        }
    }
}

/// What the logs of a hive have newer than it; `None` if they have not what is missing.
pub(super) fn newer_pages(base: Base, logs: &[&dyn ArchiveFile]) -> Option<Pages> {
    let mut entries = BTreeMap::new();
    for log in logs {
        let size = log.size().min(LOG_MAX);
        let mut bytes = vec![0; usize::try_from(size).ok()?];
        let count = log.read_at(&mut bytes, 0).ok()?;
        bytes.truncate(count);
        let header = bytes.first_chunk().and_then(decode_base);
        if header.is_some_and(|header| header.kind == NEW_LOG) {
            collect_entries(&bytes, &mut entries);
        }
    }
    let mut pages = Pages::default();
    let mut count = 0;
    // Entries are applied one after the other. Those between the hive and the first of them were carried out before their log
    // was written anew: Windows does not update the numbers in the hive when it does that.
    let mut next = None;
    for (sequence, entry) in entries.range(base.second..) {
        if next.is_some_and(|next| next != *sequence) {
            return None;
        }
        next = sequence.checked_add(1);
        for (offset, bytes) in entry {
            count += bytes.len() / 512;
            if count > PAGES_MAX * 8 {
                return None;
            }
            pages.add(*offset, bytes);
        }
    }
    next.is_some().then_some(pages)
}

type Entry = Vec<(u32, Vec<u8>)>;

fn collect_entries(log: &[u8], entries: &mut BTreeMap<u32, Entry>) {
    let mut rest = log.get(HEADER..).unwrap_or_default();
    for _ in 0..ENTRIES_MAX {
        let Some((sequence, entry, size)) = entry(rest) else { return };
        entries.insert(sequence, entry);
        rest = rest.get(size..).unwrap_or_default();
    }
}

/// An entry whose hashes are right: its number, its pages, its size.
fn entry(bytes: &[u8]) -> Option<(u32, Entry, usize)> {
    if !bytes.starts_with(b"HvLE") {
        return None;
    }
    let size = usize::try_from(u32_at(bytes, 4)?).ok()?;
    let entry = bytes.get(..size).filter(|_| size >= 40 && size.is_multiple_of(512))?;
    let hash = |at: usize| Some(u64::from(u32_at(entry, at)?) | u64::from(u32_at(entry, at + 4)?) << 32);
    if marvin32(entry.get(..32)?) != hash(32)? || marvin32(entry.get(40..)?) != hash(24)? {
        return None;
    }
    let count = usize::try_from(u32_at(entry, 20)?).ok()?;
    let table = entry.get(40..)?.as_chunks::<8>().0;
    let mut data = entry.get(40 + count.checked_mul(8)?..)?;
    let mut pages = Vec::new();
    for row in table.iter().take(count.min(PAGES_MAX)) {
        let (offset, length) = (u32_at(row, 0)?, usize::try_from(u32_at(row, 4)?).ok()?);
        let (page, after) = data.split_at_checked(length)?;
        pages.push((offset, page.to_vec()));
        data = after;
    }
    Some((u32_at(entry, 12)?, pages, size))
}

/// The hash function Marvin32.
pub(super) fn marvin32(bytes: &[u8]) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the seed")]
    let mut state = (SEED as u32, (SEED >> 32) as u32);
    let (words, tail) = bytes.as_chunks();
    for word in words {
        state.0 = state.0.wrapping_add(u32::from_le_bytes(*word));
        mix(&mut state);
    }
    let mut last = [0; 4];
    for (place, byte) in last.iter_mut().zip(tail.iter().chain([&0x80])) {
        *place = *byte;
    }
    state.0 = state.0.wrapping_add(u32::from_le_bytes(last));
    mix(&mut state);
    mix(&mut state);
    u64::from(state.1) << 32 | u64::from(state.0)
}

fn mix((low, high): &mut (u32, u32)) {
    *high ^= *low;
    *low = low.rotate_left(20).wrapping_add(*high);
    *high = high.rotate_left(9) ^ *low;
    *low = low.rotate_left(27).wrapping_add(*high);
    *high = high.rotate_left(19);
}
