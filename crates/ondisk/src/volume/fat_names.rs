//! Names in a FAT directory: short ones, and the long ones that stand in parts before them.

use super::fat::{DirectoryEntry, LongName};
use crate::text;

/// The part of a long name that was read so far.
#[derive(Debug, Default)]
pub struct Names {
    /// The parts, the last one first, each with the checksum of the short name.
    parts: Vec<LongName>,
}

impl Names {
    /// The name of a directory entry: the long one that was read before it, if it belongs to it. `None` if the entry is
    /// free, or a part of a long name itself.
    pub fn take(&mut self, raw: &[u8; DirectoryEntry::SIZE]) -> Option<String> {
        let entry = DirectoryEntry::decode(raw);
        if entry.name[0] == DirectoryEntry::FREE {
            self.parts.clear();
            return None;
        }
        if entry.attributes & DirectoryEntry::LONG_NAME_MASK == DirectoryEntry::LONG_NAME {
            self.push(LongName::decode(raw));
            return None;
        }
        let parts = std::mem::take(&mut self.parts);
        let checksum = LongName::checksum_of(&entry.name);
        let is_whole = parts.last().is_some_and(|part| part.order & !LongName::LAST == 1)
            && parts.iter().all(|part| part.checksum == checksum);
        if is_whole {
            return Some(text::utf16(parts.iter().rev().flat_map(|part| part.units)));
        }
        Some(short_name(&entry))
    }

    /// The parts come in descending order, the last one marked; what doesn't begins again.
    fn push(&mut self, part: LongName) {
        let order = part.order & !LongName::LAST;
        let begins = part.order & LongName::LAST != 0 && (1..=LongName::PARTS_MAX).contains(&order);
        let follows = self.parts.last().is_some_and(|before| (before.order & !LongName::LAST) == order + 1);
        if begins {
            self.parts.clear();
        } else if !follows {
            self.parts.clear();
            return;
        }
        self.parts.push(part);
    }
}

/// `BOOTX64.EFI`. Bytes beyond ASCII are in an unknown code page.
pub fn short_name(entry: &DirectoryEntry) -> String {
    let (name, extension) = entry.name.split_at(8);
    let part = |bytes: &[u8], lower: u8| {
        let text = text::utf8(bytes).trim_end_matches(' ').to_owned();
        if entry.case & lower != 0 { text.to_ascii_lowercase() } else { text }
    };
    let name = part(name, DirectoryEntry::LOWER_NAME);
    let extension = part(extension, DirectoryEntry::LOWER_EXTENSION);
    if extension.is_empty() { name } else { format!("{name}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(name: &[u8; 11], case: u8) -> [u8; 32] {
        let mut raw = [0; 32];
        raw[..11].copy_from_slice(name);
        raw[12] = case;
        raw
    }

    /// A part of a long name that ends in NUL and padding.
    fn long(order: u8, checksum: u8, text: &str) -> [u8; 32] {
        let mut raw = [0xff; 32];
        (raw[0], raw[11], raw[12], raw[13]) = (order, 0x0f, 0, checksum);
        let places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
        for (place, unit) in places.into_iter().zip(text.encode_utf16().chain([0])) {
            raw[place..place + 2].copy_from_slice(&unit.to_le_bytes());
        }
        raw
    }

    #[test]
    fn a_long_name_belongs_to_the_short_one_with_its_checksum() {
        let entry = short(b"MICROS~1   ", 0);
        let sum = LongName::checksum_of(b"MICROS~1   ");
        let mut names = Names::default();
        assert_eq!(names.take(&long(0x42, sum, "ft")), None);
        assert_eq!(names.take(&long(1, sum, "A name of Mic")), None);
        assert_eq!(names.take(&entry).as_deref(), Some("A name of Micft"));
        for parts in [&[long(0x41, sum + 1, "other")][..], &[long(0x42, sum, "ft")], &[long(1, sum, "x")]] {
            for part in parts {
                assert_eq!(names.take(part), None);
            }
            assert_eq!(names.take(&entry).as_deref(), Some("MICROS~1"));
        }
    }

    #[test]
    fn a_short_name_may_be_in_lower_case() {
        let mut names = Names::default();
        assert_eq!(names.take(&short(b"BOOTX64 EFI", 0)).as_deref(), Some("BOOTX64.EFI"));
        assert_eq!(names.take(&short(b"BOOTX64 EFI", 0x18)).as_deref(), Some("bootx64.efi"));
        assert_eq!(names.take(&short(b"\xe5OOTX64 EFI", 0)), None);
        assert_eq!(names.take(&short(b"EFI        ", 8)).as_deref(), Some("efi"));
    }
}
