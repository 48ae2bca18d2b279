//! The types of MBR partitions.
//!
//! Sources: UEFI Specification 2.10, chapter 5.2, for 0xee and 0xef; for the rest the list that fdisk of util-linux prints.

use byteorder::{ByteOrder, LittleEndian as LE};

use crate::disk::MbrPartition;

/// An extended partition, which holds logical ones: of old, addressed by LBA, and Linux' own.
pub const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
/// EFI system partition.
pub const EFI_SYSTEM: u8 = 0xef;
/// A dynamic disk of Windows.
pub const WINDOWS_DYNAMIC: u8 = 0x42;
/// Where the disk's signature is.
pub const SIGNATURE_OFFSET: usize = 440;

/// Where the end of a partition is that has no cylinder: the last one that can be named.
const CHS_MAX: [u8; 3] = [0xfe, 0xff, 0xff];
/// The geometry that addresses by cylinder are for: heads of a cylinder, sectors of a track, cylinders.
const GEOMETRY: [u64; 3] = [255, 63, 1024];

/// The address of a sector by cylinder, head and sector, as an entry of the table has it; the greatest one if it has none.
fn chs(lba: u64) -> [u8; 3] {
    let [heads, sectors, cylinders] = GEOMETRY;
    let (track, sector) = (lba / sectors, lba % sectors + 1);
    let (cylinder, head) = (track / heads, track % heads);
    if cylinder >= cylinders {
        return CHS_MAX;
    }
    // Two bits of the cylinder are with the sector.
    let [low, high, ..] = cylinder.to_le_bytes();
    let [head, ..] = head.to_le_bytes();
    let [sector, ..] = sector.to_le_bytes();
    [head, sector | high << 6, low]
}

/// A partition of at least one sector as an entry of the table. Its addresses by cylinder follow from those by sector.
pub fn encode(partition: &MbrPartition) -> [u8; MbrPartition::SIZE] {
    let MbrPartition { status, kind, first, count } = *partition;
    let last = u64::from(first) + u64::from(count.max(1)) - 1;
    let ([h0, s0, c0], [h1, s1, c1]) = (chs(first.into()), chs(last));
    let mut bytes = [status, h0, s0, c0, kind, h1, s1, c1, 0, 0, 0, 0, 0, 0, 0, 0];
    LE::write_u32(&mut bytes[8..12], first);
    LE::write_u32(&mut bytes[12..16], count);
    bytes
}

/// Partition types with the names that people use.
pub const TYPES: &[(u8, &str)] = &[
    (0x01, "FAT12"),
    (0x04, "FAT16, small"),
    (0x05, "extended"),
    (0x06, "FAT16"),
    (0x07, "NTFS or exFAT"),
    (0x0b, "FAT32"),
    (0x0c, "FAT32 (LBA)"),
    (0x0e, "FAT16 (LBA)"),
    (0x0f, "extended (LBA)"),
    (0x11, "hidden FAT12"),
    (0x17, "hidden NTFS"),
    (0x1b, "hidden FAT32"),
    (0x1c, "hidden FAT32 (LBA)"),
    (0x27, "Windows recovery"),
    (WINDOWS_DYNAMIC, "Windows dynamic disk"),
    (0x82, "Linux swap"),
    (0x83, "Linux"),
    (0x85, "Linux extended"),
    (0x88, "Linux plaintext"),
    (0x8e, "Linux LVM"),
    (0xa5, "FreeBSD"),
    (0xa6, "OpenBSD"),
    (0xa9, "NetBSD"),
    (0xaf, "Apple HFS"),
    (0xda, "data without a file system"),
    (0xee, "protects a GPT"),
    (EFI_SYSTEM, "EFI system"),
    (0xfb, "VMware VMFS"),
    (0xfd, "Linux RAID"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_have_the_addresses_that_partitioning_programs_give_them() {
        for (lba, expected) in [
            (1, [0, 2, 0]),
            (62, [0, 63, 0]),
            (63, [1, 1, 0]),
            (255 * 63, [0, 1, 1]),
            (4_194_303, [0x15, 0x50, 0x05]),
            (255 * 63 * 1024 - 1, [0xfe, 0xff, 0xff]),
            (255 * 63 * 1024, [0xfe, 0xff, 0xff]),
            (u64::from(u32::MAX) * 2, [0xfe, 0xff, 0xff]),
        ] {
            assert_eq!(chs(lba), expected, "{lba}");
        }
    }

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let partition = MbrPartition { status: 0x80, kind: 0xee, first: 1, count: u32::MAX };
        assert_eq!(MbrPartition::decode(&encode(&partition)), partition);
    }
}
