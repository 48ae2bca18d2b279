//! The GUID partition table.
//!
//! Sources: UEFI Specification 2.10, chapter 5.3; for partition types that, the Discoverable Partitions Specification of the
//! UAPI group, and Microsoft's documentation of `CREATE_PARTITION_PARAMETERS`.

use std::fmt;

use byteorder::{ByteOrder, LittleEndian as LE};

use crate::disk::GptHeader;

/// A GUID in the byte order of the disk: its first three fields are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// No GUID: the type of an entry that is free.
    pub const ZERO: Self = Self([0; 16]);

    /// The GUID with these digits, in the order in which it is written.
    pub const fn of(digits: u128) -> Self {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, d2, d3, d4, d5, d6, d7] = digits.to_be_bytes();
        Self([a3, a2, a1, a0, b1, b0, c1, c0, d0, d1, d2, d3, d4, d5, d6, d7])
    }
}

/// In lower case.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a3, a2, a1, a0, b1, b0, c1, c0, rest @ ..] = self.0;
        let a = u32::from_be_bytes([a0, a1, a2, a3]);
        let (b, c) = (u16::from_be_bytes([b0, b1]), u16::from_be_bytes([c0, c1]));
        let rest = u64::from_be_bytes(rest);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", rest >> 48, rest & 0xffff_ffff_ffff)
    }
}

/// All of a GPT's header that means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The signature.
    pub basic: GptHeader,
    /// Version of the table: 0x10000.
    pub revision: u32,
    /// First sector that a partition may use.
    pub first_usable: u64,
    /// Last sector that a partition may use.
    pub last_usable: u64,
    /// The disk's GUID.
    pub guid: Guid,
    /// Where the partition entries begin, in sectors.
    pub entries_lba: u64,
    /// Partition entries, free ones included.
    pub entries: u32,
    /// Bytes of an entry: 128 times a power of two.
    pub entry_size: u32,
    /// CRC-32 of all entries.
    pub entries_crc: u32,
}

impl Header {
    /// Bytes of the defined part.
    pub const SIZE: usize = GptHeader::SIZE;
    /// Most bytes of entries that are read: a few times what any tool writes.
    pub const ENTRIES_MAX: u64 = 1 << 20;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            basic: GptHeader::decode(b),
            revision: LE::read_u32(&b[8..12]),
            first_usable: LE::read_u64(&b[40..48]),
            last_usable: LE::read_u64(&b[48..56]),
            guid: guid(&b[56..72]),
            entries_lba: LE::read_u64(&b[72..80]),
            entries: LE::read_u32(&b[80..84]),
            entry_size: LE::read_u32(&b[84..88]),
            entries_crc: LE::read_u32(&b[88..92]),
        }
    }
}

/// The fields of a header that follow from the size of the disk, and from which of the two headers it is. All in sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderPlace {
    /// The sector that this header is in.
    pub my_lba: u64,
    /// The sector of the other header.
    pub alternate_lba: u64,
    /// Last sector that a partition may use.
    pub last_usable: u64,
    /// Where the partition entries of this header begin.
    pub entries_lba: u64,
}

impl HeaderPlace {
    /// Writes the fields into a header. Its CRC is then out of date.
    pub fn encode(&self, header: &mut [u8; Header::SIZE]) {
        LE::write_u64(&mut header[24..32], self.my_lba);
        LE::write_u64(&mut header[32..40], self.alternate_lba);
        LE::write_u64(&mut header[48..56], self.last_usable);
        LE::write_u64(&mut header[72..80], self.entries_lba);
    }
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is for; [`Guid::ZERO`]: the entry is free.
    pub kind: Guid,
    /// Its own GUID.
    pub guid: Guid,
    /// First sector.
    pub first: u64,
    /// Last sector; it belongs to the partition.
    pub last: u64,
    /// Attribute bits.
    pub attributes: u64,
    /// Name, UTF-16, padded with NULs.
    pub name: [u16; 36],
}

impl Entry {
    /// Bytes of the defined part, and the least that an entry has.
    pub const SIZE: usize = 128;
    /// Attribute: a BIOS may boot from it.
    pub const LEGACY_BOOTABLE: u64 = 1 << 2;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        let mut name = [0; 36];
        LE::read_u16_into(&b[56..128], &mut name);
        Self {
            kind: guid(&b[..16]),
            guid: guid(&b[16..32]),
            first: LE::read_u64(&b[32..40]),
            last: LE::read_u64(&b[40..48]),
            attributes: LE::read_u64(&b[48..56]),
            name,
        }
    }
}

fn guid(b: &[u8]) -> Guid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(b);
    Guid(bytes)
}

/// EFI system partition.
pub const EFI_SYSTEM: Guid = Guid::of(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
/// BIOS boot partition, where GRUB keeps what does not fit elsewhere.
pub const BIOS_BOOT: Guid = Guid::of(0x21686148_6449_6e6f_744e_656564454649);
/// FreeBSD boot: gptboot or gptzfsboot, which pmbr starts.
pub const FREEBSD_BOOT: Guid = Guid::of(0x83bd6b9d_7f41_11dc_be0b_001560b84f0f);
/// illumos and Solaris boot.
pub const ILLUMOS_BOOT: Guid = Guid::of(0x6a82cb45_1dd2_11b2_99a6_080020736631);
/// PowerPC PReP boot.
pub const PREP_BOOT: Guid = Guid::of(0x9e1a2d38_c612_4316_aa26_8b49521e5a8b);
/// Microsoft's reserved partition, which holds nothing.
pub const MICROSOFT_RESERVED: Guid = Guid::of(0xe3c9e316_0b5c_4db8_817d_f92df00215ae);
/// The database of a dynamic disk of Windows.
pub const MICROSOFT_LDM_METADATA: Guid = Guid::of(0x5808c8aa_7e8f_42e0_85d2_e1e90434cfb3);
/// The volumes of a dynamic disk of Windows.
pub const MICROSOFT_LDM_DATA: Guid = Guid::of(0xaf9b60a0_1431_4f62_bc68_3311714a69ad);
/// Microsoft basic data: NTFS or FAT, and of old Linux, too.
pub const BASIC_DATA: Guid = Guid::of(0xebd0a0a2_b9e5_4433_87c0_68b6b72699c7);
/// Microsoft's recovery environment.
pub const WINDOWS_RECOVERY: Guid = Guid::of(0xde94bba4_06d1_4d40_a16a_bfd50179d6ac);
/// Linux root of x86-64.
pub const ROOT_X64: Guid = Guid::of(0x4f68bce3_e8cd_4db1_96e7_fbcaf984b709);
/// Linux root of x86, 32 bits.
pub const ROOT_IA32: Guid = Guid::of(0x44479540_f297_41b2_9af7_d131d5f0458a);
/// Linux root of ARM, 64 bits.
pub const ROOT_AA64: Guid = Guid::of(0xb921b045_1df0_41c3_af44_4c6f280d3fae);
/// Linux root of ARM, 32 bits.
pub const ROOT_ARM: Guid = Guid::of(0x69dad710_2ce4_4e3c_b16c_21a1d49abed3);
/// Linux /usr of x86-64.
pub const USR_X64: Guid = Guid::of(0x8484680c_9521_48c6_9c11_b0720656f69e);
/// Linux /usr of ARM, 64 bits.
pub const USR_AA64: Guid = Guid::of(0xb0e01050_ee5f_4390_949a_9101b17104e9);

/// Partition types with the names that people use.
pub const TYPES: &[(Guid, &str)] = &[
    (EFI_SYSTEM, "EFI system"),
    (BIOS_BOOT, "BIOS boot"),
    (PREP_BOOT, "PReP boot"),
    (MICROSOFT_RESERVED, "Microsoft reserved"),
    (BASIC_DATA, "Microsoft basic data"),
    (WINDOWS_RECOVERY, "Windows recovery"),
    (MICROSOFT_LDM_METADATA, "Microsoft LDM metadata"),
    (MICROSOFT_LDM_DATA, "Microsoft LDM data"),
    (Guid::of(0xe75caf8f_f680_4cee_afa3_b001e56efc2d), "Microsoft storage spaces"),
    (Guid::of(0x0fc63daf_8483_4772_8e79_3d69d8477de4), "Linux filesystem"),
    (ROOT_X64, "Linux root (x86-64)"),
    (ROOT_IA32, "Linux root (x86)"),
    (ROOT_AA64, "Linux root (ARM64)"),
    (ROOT_ARM, "Linux root (ARM)"),
    (USR_X64, "Linux /usr (x86-64)"),
    (USR_AA64, "Linux /usr (ARM64)"),
    (Guid::of(0xbc13c2ff_59e6_4262_a352_b275fd6f7172), "Linux extended boot"),
    (Guid::of(0x933ac7e1_2eb4_4f13_b844_0e14e2aef915), "Linux /home"),
    (Guid::of(0x3b8f8425_20e0_4f3b_907f_1a25a76f98e8), "Linux /srv"),
    (Guid::of(0x4d21b016_b534_45c2_a9fb_5c16e091fd2d), "Linux /var"),
    (Guid::of(0x7ec6f557_3bc5_4aca_b293_16ef5df639d1), "Linux /var/tmp"),
    (Guid::of(0x0657fd6d_a4ab_43c4_84e5_0933c84b4f4f), "Linux swap"),
    (Guid::of(0xe6d6d379_f507_44c2_a23c_238f2a3df928), "Linux LVM"),
    (Guid::of(0xa19d880f_05fc_4d3b_a006_743f0f84911e), "Linux RAID"),
    (Guid::of(0x8da63339_0007_60c0_c436_083ac8230908), "Linux reserved"),
    (Guid::of(0xca7d7ccb_63ed_4c53_861c_1742536059cc), "Linux LUKS"),
    (Guid::of(0x6a898cc3_1dd2_11b2_99a6_080020736631), "ZFS"),
    (FREEBSD_BOOT, "FreeBSD boot"),
    (ILLUMOS_BOOT, "illumos boot"),
    (Guid::of(0x516e7cb5_6ecf_11d6_8ff8_00022d09712b), "FreeBSD swap"),
    (Guid::of(0x516e7cb6_6ecf_11d6_8ff8_00022d09712b), "FreeBSD UFS"),
    (Guid::of(0x516e7cba_6ecf_11d6_8ff8_00022d09712b), "FreeBSD ZFS"),
    (Guid::of(0x48465300_0000_11aa_aa11_00306543ecac), "Apple HFS+"),
    (Guid::of(0x7c3457ef_0000_11aa_aa11_00306543ecac), "Apple APFS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_fields_are_turned_around() {
        let bytes =
            [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
        assert_eq!(EFI_SYSTEM, Guid(bytes));
        assert_eq!(EFI_SYSTEM.to_string(), "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
        assert_eq!(&BIOS_BOOT.0, b"Hah!IdontNeedEFI");
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let mut bytes = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let before = Header::decode(&bytes);
        HeaderPlace { my_lba: 1, alternate_lba: 2, last_usable: 3, entries_lba: 4 }.encode(&mut bytes);
        let after = Header::decode(&bytes);
        let basic = GptHeader { my_lba: 1, alternate_lba: 2, ..before.basic };
        assert_eq!(after, Header { basic, last_usable: 3, entries_lba: 4, ..before });
    }

    #[test]
    fn no_type_is_listed_twice() {
        let all = TYPES.iter().map(|(guid, _)| guid).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(all.len(), TYPES.len());
    }
}
