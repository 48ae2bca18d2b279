//! The types of MBR partitions.
//!
//! Sources: UEFI Specification 2.10, chapter 5.2, for 0xee and 0xef; for the rest the list that fdisk of util-linux prints.

/// An extended partition, which holds logical ones: of old, addressed by LBA, and Linux' own.
pub const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
/// EFI system partition.
pub const EFI_SYSTEM: u8 = 0xef;
/// A dynamic disk of Windows.
pub const WINDOWS_DYNAMIC: u8 = 0x42;
/// Where the disk's signature is.
pub const SIGNATURE_OFFSET: usize = 440;

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
