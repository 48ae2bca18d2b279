//! Formats of other programs that imsprep recognises by their signatures and reads nothing of.
//!
//! Sources: the specification or the source code of each program where there is one (Proxmox VE vma_spec.txt; Ceph
//! `src/include/rbd_types.h`; libvirt `qemu_saveimage.h`; QEMU `migration/qemu-file.h`; OpenZFS `sys/zfs_ioctl.h`; Linux
//! `fs/btrfs/send.h`, `drivers/mtd/ubi/ubi-media.h`, `fs/ubifs/ubifs-media.h`; xfsprogs `xfs_metadump.h`; POSIX and GNU cpio;
//! lzop, lzip and xz; Macrium's `mrimgx_file_layout`), and the database of file(1) for the others.

use byteorder::{ByteOrder, LittleEndian as LE};

use crate::disk::Magic;

/// What kind of thing a format is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OtherKind {
    /// One thing compressed.
    Compressed,
    /// Files in one file.
    Archive,
    /// A copy of disks or volumes in the form of a backup or imaging program.
    Backup,
    /// What changed, or what is there, as a stream for a program that applies it.
    Stream,
    /// The memory of a machine, with or without its devices.
    Memory,
    /// A virtual disk of another program.
    Disk,
    /// A volume in which images lie as files.
    Store,
    /// Something encrypted as a whole.
    Encrypted,
    /// A program, or what a device or a boot loader is given as it is.
    Program,
}

/// A format that is recognised and not read.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Other {
    /// The short name that people and scripts use, such as `vma`.
    pub name: &'static str,
    /// What a file of the format is, to follow on "the file is": `a Proxmox VE backup`.
    pub title: &'static str,
    /// What kind of thing that is.
    pub kind: OtherKind,
}

const fn other(name: &'static str, kind: OtherKind, title: &'static str) -> Other {
    Other { name, title, kind }
}

/// All of them, by name.
pub static OTHERS: &[Other] = {
    use OtherKind::{Archive, Backup, Compressed, Disk, Encrypted, Memory, Program, Store, Stream};
    &[
        other("acronis", Backup, "an Acronis backup"),
        other("ad1", Backup, "an AccessData logical image"),
        other("android-boot", Program, "an Android boot image"),
        other("android-ota", Archive, "an Android update"),
        other("ar", Archive, "an ar archive, such as a Debian package"),
        other("asif", Disk, "an Apple sparse disk image"),
        other("btrfs-send", Stream, "a stream of btrfs send"),
        other("cab", Archive, "a cabinet archive"),
        other("chd", Disk, "a compressed disk image of MAME"),
        other("compress", Compressed, "compressed with compress"),
        other("cow", Disk, "a copy-on-write file of User-mode Linux or an old QEMU"),
        other("cpio", Archive, "a cpio archive"),
        other("elf", Program, "an ELF file: a program, or a memory dump"),
        other("encrypted-file", Encrypted, "encrypted with a password or a key"),
        other("ewf-logical", Backup, "a logical evidence file of EnCase"),
        other("fsarchiver", Backup, "an archive of fsarchiver"),
        other("ghost", Backup, "a Norton Ghost image"),
        other("kdump", Memory, "the dump of a kernel's memory"),
        other("libvirt-save", Memory, "a machine's memory, saved by libvirt"),
        other("lime", Memory, "the dump of a machine's memory"),
        other("lrzip", Compressed, "compressed with lrzip"),
        other("lzip", Compressed, "compressed with lzip"),
        other("lzma", Compressed, "compressed with lzma"),
        other("lzop", Compressed, "compressed with lzop"),
        other("macrium", Backup, "a Macrium Reflect backup"),
        other("ntfsclone", Backup, "an image of ntfsclone"),
        other("partclone", Backup, "an image of partclone"),
        other("partimage", Backup, "an image of Partimage"),
        other("qemu-migration", Memory, "a machine's memory, saved by QEMU"),
        other("rar", Archive, "a RAR archive"),
        other("rbd-diff", Stream, "a difference that rbd export-diff wrote"),
        other("rbd-export", Stream, "an image of Ceph with its snapshots, as rbd export wrote it"),
        other("rpm", Archive, "an RPM package"),
        other("sif", Program, "a container image of Singularity"),
        other("snappy", Compressed, "compressed with Snappy"),
        other("sparseimage", Disk, "an Apple sparse image"),
        other("ubi", Program, "an image of flash memory"),
        other("ubifs", Program, "a file system for flash memory"),
        other("virtualbox-save", Memory, "a machine's memory, saved by VirtualBox"),
        other("vma", Backup, "a Proxmox VE backup"),
        other("vmfs", Store, "a VMFS volume, in which ESXi keeps disks as files"),
        other("vmware-state", Memory, "a machine's memory, saved by VMware"),
        other("xar", Archive, "a xar archive"),
        other("xen-save", Memory, "a machine's memory, saved by Xen"),
        other("xfs-metadump", Backup, "a dump of XFS's metadata"),
        other("xfsdump", Backup, "a backup of xfsdump"),
        other("zfs-send", Stream, "a stream of zfs send"),
        other("zlib", Compressed, "compressed with zlib"),
    ]
};

const fn magic(name: &'static str, offset: usize, bytes: &'static [u8]) -> Magic {
    Magic { name, offset, bytes }
}

/// Signatures that suffice by themselves: five bytes or more, with the version where the format has one.
pub const MAGICS: &[Magic] = &[
    magic("vma", 0, b"VMA\0\0\0\0\x01"),
    magic("partclone", 0, b"partclone-image"),
    magic("partimage", 0, b"PaRtImAgE-VoLuMe"),
    magic("ntfsclone", 0, b"\0ntfsclone-image"),
    magic("fsarchiver", 0, b"FsArCh_"),
    magic("acronis", 0, &[0xce, 0x24, 0xb9, 0xa2, 0x20, 0, 0, 0]),
    magic("rbd-export", 0, b"rbd image v"),
    magic("rbd-diff", 0, b"rbd diff v"),
    magic("libvirt-save", 0, b"LibvirtQemudSave"),
    magic("libvirt-save", 0, b"LibvirtQemudPart"),
    magic("qemu-migration", 0, b"QEVM\0\0\0\x03"),
    magic("qemu-migration", 0, b"QEVM\0\0\0\x02"),
    magic("xen-save", 0, b"LinuxGuestRecord"),
    magic("xen-save", 0, b"Xen saved domain"),
    magic("xen-save", 0, b"\xff\xff\xff\xff\xff\xff\xff\xffXENF"),
    magic("virtualbox-save", 0, b"\x7fVirtualBox SavedState V"),
    magic("kdump", 0, b"KDUMP   "),
    magic("kdump", 0, b"DISKDUMP"),
    magic("lime", 0, b"EMiL\x01\0\0\0"),
    magic("sparseimage", 0, b"sprs\0\0\0\x03"),
    magic("asif", 0, b"shdw\0\0\0\x01"),
    magic("cow", 0, b"OOOM\0\0\0\x02"),
    magic("cow", 0, b"OOOM\0\0\0\x03"),
    magic("lzop", 0, b"\x89LZO\0\r\n\x1a\n"),
    magic("lzip", 0, b"LZIP\0"),
    magic("lzip", 0, b"LZIP\x01"),
    magic("lrzip", 0, b"LRZI\0"),
    magic("snappy", 0, b"\xff\x06\0\0sNaPpY"),
    magic("rar", 0, b"Rar!\x1a\x07\0"),
    magic("rar", 0, b"Rar!\x1a\x07\x01\0"),
    magic("cpio", 0, b"070701"),
    magic("cpio", 0, b"070702"),
    magic("cpio", 0, b"070707"),
    magic("cab", 0, b"MSCF\0\0\0\0"),
    magic("ar", 0, b"!<arch>\n"),
    magic("rpm", 0, &[0xed, 0xab, 0xee, 0xdb, 3]),
    magic("rpm", 0, &[0xed, 0xab, 0xee, 0xdb, 4]),
    magic("xar", 0, b"xar!\0\x1c\0\x01"),
    magic("xar", 0, b"xar!\0\x40\0\x01"),
    magic("btrfs-send", 0, b"btrfs-stream\0"),
    magic("xfsdump", 0, b"xFSdump0"),
    magic("xfs-metadump", 0, b"XMD2\0\0\0\x02"),
    magic("ad1", 0, b"ADSEGMENTEDFILE\0"),
    magic("ad1", 0, b"ADCRYPT\0"),
    magic("ewf-logical", 0, b"LVF\x09\x0d\x0a\xff\0"),
    magic("ewf-logical", 0, b"LEF2\x0d\x0a\x81\0"),
    magic("chd", 0, b"MComprHD"),
    magic("sif", 32, b"SIF_MAGIC"),
    magic("ubi", 0, b"UBI#\x01\0\0\0"),
    magic("android-boot", 0, b"ANDROID!"),
    magic("android-ota", 0, b"CrAU\0\0\0\0\0\0\0\x02"),
    magic("encrypted-file", 0, b"Salted__"),
    magic("encrypted-file", 0, b"age-encryption.org/v1\n"),
];

/// A signature at the end of the file, and the bytes from its first one to the end.
pub const END_MAGICS: &[(Magic, u64)] = &[(magic("macrium", 0, b"MACRIUM_FILE"), 12)];

/// Magic of the first record of a ZFS send stream, as a number of the sender's byte order.
pub const ZFS_SEND_MAGIC: u64 = 0x2_f5ba_cbac;
/// Where it is looked for: after the record's type, which is 0, and its payload's length; one word later if those are two words.
pub const ZFS_SEND_OFFSETS: [u64; 2] = [8, 16];

/// First bytes of a Norton Ghost image, before the kind of image and the kind of compression.
pub const GHOST_MAGIC: [u8; 3] = [0xfe, 0xef, 1];
/// The largest value of each of the two bytes behind [`GHOST_MAGIC`].
pub const GHOST_KIND_MAX: u8 = 10;

/// First bytes of what `compress` writes; the next byte has the longest code.
pub const COMPRESS_MAGIC: [u8; 2] = [0x1f, 0x9d];
/// Bit of that byte: the table of codes may be cleared. All but the oldest versions set it.
pub const COMPRESS_BLOCK_MODE: u8 = 0x80;

/// First bytes of an ELF file; class, byte order and version follow.
pub const ELF_MAGIC: [u8; 4] = [0x7f, b'E', b'L', b'F'];

/// First bytes of a UBIFS node, little-endian 0x06101831.
pub const UBIFS_MAGIC: [u8; 4] = [0x31, 0x18, 0x10, 0x06];
/// Where a UBIFS node has its type.
pub const UBIFS_KIND_OFFSET: usize = 20;
/// The type of a superblock node, which is the first of a volume.
pub const UBIFS_SUPERBLOCK: u8 = 6;

/// First bytes of `xfs_metadump`'s version 1. The number of blocks follows in two bytes.
pub const XFS_METADUMP_MAGIC: [u8; 4] = *b"XFSM";
/// Where it has the log2 of its block size, and what that always is.
pub const XFS_METADUMP_BLOCK_LOG: (usize, u8) = (6, 9);

/// The first four bytes of VMware's saved states (`.vmss`, `.vmsn`), as little-endian numbers.
pub const VMWARE_STATE_MAGICS: [u32; 4] = [0xbed2_bed0, 0xbed2_bed2, 0xbed3_bed3, 0xbad1_bad1];
/// Where they have the number of groups, as u32.
pub const VMWARE_STATE_GROUPS_OFFSET: u64 = 8;
/// Most groups that such a file is known to have, with a margin.
pub const VMWARE_STATE_GROUPS_MAX: u32 = 4096;

/// What begins a volume of VMFS, ESXi's file system.
pub mod vmfs {
    /// Where the member's description is: 1 MiB from the start of the partition.
    pub const MEMBER_OFFSET: u64 = 1 << 20;
    /// Its first four bytes, little-endian 0xc001d00d.
    pub const MEMBER_MAGIC: [u8; 4] = [0x0d, 0xd0, 0x01, 0xc0];
    /// Where the file system's description is, on the first member: 2 MiB from the start of the partition.
    pub const FILE_SYSTEM_OFFSET: u64 = 2 << 20;
    /// Its first four bytes, little-endian 0x2fabf15e.
    pub const FILE_SYSTEM_MAGIC: [u8; 4] = [0x5e, 0xf1, 0xab, 0x2f];
    /// Largest version of either that is believed; 6 is the newest.
    pub const VERSION_MAX: u32 = 255;

    /// Whether these eight bytes, a magic and a version, begin one of the two.
    pub fn is_start(bytes: [u8; 8], magic: [u8; 4]) -> bool {
        let [a, b, c, d, version @ ..] = bytes;
        [a, b, c, d] == magic && (1..=VERSION_MAX).contains(&u32::from_le_bytes(version))
    }
}

/// The header of a member of a cpio archive in the old binary form: 13 numbers of 16 bits in the writer's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinaryCpio {
    /// [`BinaryCpio::MAGIC`].
    pub magic: u16,
    /// Kind and permissions.
    pub mode: u16,
    /// Bytes of the name, with the NUL at its end.
    pub name_size: u16,
}

impl BinaryCpio {
    /// Bytes of the header.
    pub const SIZE: usize = 26;
    /// Value of `magic`: octal 070707.
    pub const MAGIC: u16 = 0x71c7;
    /// Bits of `mode` that have the kind.
    pub const KIND_MASK: u16 = 0o170_000;
    /// Kinds of file: pipe, character device, folder, block device, regular, contiguous, link, socket.
    pub const KINDS: [u16; 8] =
        [0o010_000, 0o020_000, 0o040_000, 0o060_000, 0o100_000, 0o110_000, 0o120_000, 0o140_000];
    /// Longest `name_size` that is believed.
    pub const NAME_MAX: u16 = 4096;

    /// The fields as a writer of that byte order stores them.
    pub fn decode(b: &[u8; Self::SIZE], is_big_endian: bool) -> Self {
        let number = |at: usize| {
            let bytes = [b.get(at).copied().unwrap_or(0), b.get(at + 1).copied().unwrap_or(0)];
            if is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
        };
        Self { magic: number(0), mode: number(6), name_size: number(20) }
    }
}

/// The header of the `.lzma` format, which has no magic. Source: the LZMA SDK's `lzma-specification.txt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LzmaHeader {
    /// `(pb * 5 + lp) * 9 + lc`.
    pub properties: u8,
    /// Bytes of the dictionary.
    pub dictionary: u32,
    /// Bytes when it is unpacked; [`LzmaHeader::UNKNOWN`] = until a marker.
    pub size: u64,
    /// The first byte of the compressed data, always 0.
    pub first: u8,
}

impl LzmaHeader {
    /// Bytes that are decoded here: the header, and one byte of the data.
    pub const SIZE: usize = 14;
    /// `size` if it is unknown.
    pub const UNKNOWN: u64 = u64::MAX;
    /// What encoders write into `properties` by default: lc 3, lp 0, pb 2.
    pub const USUAL: u8 = 0x5d;
    /// Values of `properties` are below this.
    pub const PROPERTIES_END: u8 = 9 * 5 * 5;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            properties: b[0],
            dictionary: LE::read_u32(&b[1..5]),
            size: LE::read_u64(&b[5..13]),
            first: b[13],
        }
    }
}

/// Whether two bytes may begin a zlib stream: method 8, a window of at most 32 KiB, no preset dictionary, and a right
/// check. RFC 1950, 2.2.
pub fn is_zlib_header(bytes: [u8; 2]) -> bool {
    let [method, flags] = bytes;
    method & 0x0f == 8
        && method >> 4 <= 7
        && flags & 0x20 == 0
        && u16::from_be_bytes(bytes).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_has_five_bytes_or_more() {
        let all = MAGICS.iter().chain(END_MAGICS.iter().map(|(magic, _)| magic));
        assert!(all.clone().all(|magic| magic.bytes.len() >= 5));
        assert!(all.clone().all(|magic| magic.offset + magic.bytes.len() <= 512));
    }

    /// Without it the fuzzer would not get beyond the first bytes of these.
    #[test]
    fn the_dictionary_of_the_fuzzer_has_every_signature() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/magics.dict");
        let words = std::fs::read_to_string(path).unwrap();
        for magic in MAGICS.iter().chain(END_MAGICS.iter().map(|(magic, _)| magic)) {
            let word = magic.bytes.iter().map(|byte| match byte {
                b'"' | b'\\' => format!("\\x{byte:02x}"),
                b' '..=b'~' => char::from(*byte).to_string(),
                _ => format!("\\x{byte:02x}"),
            });
            let line = format!("\"{}\"", word.collect::<String>());
            assert!(words.lines().any(|known| known == line), "{}: {line}", magic.name);
        }
    }

    #[test]
    fn headers_are_decoded_in_their_byte_order() {
        let mut b = [0; BinaryCpio::SIZE];
        b[..2].copy_from_slice(&[0x71, 0xc7]);
        b[6..8].copy_from_slice(&0o100_644_u16.to_be_bytes());
        b[21] = 9;
        let header = BinaryCpio::decode(&b, true);
        assert_eq!((header.magic, header.mode, header.name_size), (BinaryCpio::MAGIC, 0o100_644, 9));
        assert_ne!(BinaryCpio::decode(&b, false).magic, BinaryCpio::MAGIC);
        let lzma = LzmaHeader::decode(b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\x07");
        assert_eq!((lzma.properties, lzma.dictionary, lzma.size, lzma.first), (93, 1 << 23, u64::MAX, 7));
        for (bytes, is_header) in [
            ([0x78, 0x9c], true),
            ([0x78, 0x01], true),
            ([0x78, 0xda], true),
            ([0x78, 0x9d], false),
            ([0x78, 0xbb], false),
            ([0x88, 0x1c], false),
        ] {
            assert_eq!(is_zlib_header(bytes), is_header, "{bytes:x?}");
        }
    }

    #[test]
    fn a_vmfs_volume_has_a_version() {
        assert!(vmfs::is_start(*b"\x0d\xd0\x01\xc0\x05\0\0\0", vmfs::MEMBER_MAGIC));
        assert!(!vmfs::is_start(*b"\x0d\xd0\x01\xc0\0\0\0\0", vmfs::MEMBER_MAGIC));
        assert!(!vmfs::is_start(*b"\x0d\xd0\x01\xc0\0\0\0\x01", vmfs::MEMBER_MAGIC));
    }
}
