//! Input: the bytes of a structure, whatever structure. Each is decoded from the same bytes, cut to its size.
//!
//! Oracle: what can be encoded comes out as it went in, and every number of the others is the one that stands at the place
//! that the format's specification gives, read here byte by byte. Sums and sizes that are reckoned are reckoned again.

use imsprep_ondisk::format::{
    aff, android, bochs, cloop, container, dmg, ewf, parallels, qcow, tar, vdi, vhd, vhdx, vmdk, wim, zip,
    zvhd2,
};
use imsprep_ondisk::volume::{btrfs, exfat, ext, f2fs, fat, iso, luks, lvm, md, ntfs, pe, swap, xfs};
use imsprep_ondisk::{disk, gpt};

use crate::plant::planted;
use crate::random::noise;

/// The largest structure.
const LONGEST: usize = 4096;

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}
use Order::{Big, Little};

/// The number of `size` bytes that begins at `at`.
fn number(bytes: &[u8], order: Order, at: usize, size: usize) -> u64 {
    let step = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    let bytes = &bytes[at..at + size];
    match order {
        Little => bytes.iter().rev().fold(0, step),
        Big => bytes.iter().fold(0, step),
    }
}

/// Compares fields of a decoded structure with the bytes at their places.
macro_rules! same {
    ($bytes:expr, $order:expr, $decoded:expr, $($($field:ident).+ @ $at:expr),+ $(,)?) => {
        $(assert_eq!(
            u64::from($decoded.$($field).+),
            number($bytes, $order, $at, size_of_val(&$decoded.$($field).+)),
            concat!(stringify!($decoded), ".", stringify!($($field).+)),
        );)+
    };
}

/// See the module.
pub fn run(data: &[u8]) {
    let mut bytes = [0; LONGEST];
    let length = data.len().min(LONGEST);
    bytes[..length].copy_from_slice(&data[..length]);
    containers(&bytes);
    partition_tables(&bytes);
    qemu(&bytes);
    microsoft(&bytes);
    vmware(&bytes);
    volumes(&bytes);
    wrappers(&bytes);
    decode_the_rest(&bytes);
}

fn cut<const N: usize>(bytes: &[u8; LONGEST]) -> &[u8; N] {
    bytes.first_chunk().expect("no structure is longer")
}

fn containers(b: &[u8; LONGEST]) {
    let bytes = cut(b);
    // A field that encoding forgets is the bug to be found.
    let footer = planted(zvhd2::Footer::decode(bytes), |footer| footer.crtr_os = 0);
    assert_eq!(&footer.encode(), bytes, "a footer");
    let sum =
        bytes.iter().enumerate().filter(|(at, _)| !(64..68).contains(at)).map(|(_, byte)| u32::from(*byte));
    assert_eq!(zvhd2::checksum(bytes), !sum.sum::<u32>());
    let sealed = footer.clone().sealed();
    assert_eq!(zvhd2::checksum(&sealed.encode()), sealed.checksum);
    same!(
        b, Little, footer, orig_size @ 40, curr_size @ 48, max_blk_num @ 92, index_lba @ 96, bitmap_lba @ 104,
        index_seg_num @ 128, non_zero_blk_num @ 136, compress_method @ 141,
    );
    let covered = zvhd2::FIELDS.iter().map(|field| field.bytes(bytes).len()).sum::<usize>();
    assert_eq!(covered, bytes.len(), "the field table covers the footer");
    for field in zvhd2::FIELDS.iter().filter(|field| field.size <= 8) {
        assert_eq!(field.value(bytes), Some(number(b, Little, field.offset, field.size)), "{}", field.name);
    }
    let geometry = zvhd2::geometry(footer.orig_size);
    let (cylinders, heads, sectors) = (geometry >> 16, geometry >> 8 & 0xff, geometry & 0xff);
    let told = u64::from(cylinders) * u64::from(heads) * u64::from(sectors);
    assert!(matches!(sectors, 17 | 31 | 63 | 255) && (4..=16).contains(&heads), "{geometry:#x}");
    assert!(told <= footer.orig_size / 512, "a geometry of {told} sectors");

    let record = zvhd2::RecordHeader::decode(cut(b));
    assert_eq!(&record.encode(), cut(b), "a record's header");
    let length = record.record_length();
    assert!(
        length % 4096 == 0
            && length >= u64::from(record.size) + 52
            && length - u64::from(record.size) < 52 + 4096
    );
    assert_eq!(&zvhd2::IndexEntry::decode(cut(b)).encode(), cut(b), "an index entry");
}

fn partition_tables(b: &[u8; LONGEST]) {
    let mbr = disk::Mbr::decode(cut(b));
    for (partition, at) in mbr.partitions.iter().zip([446, 462, 478, 494]) {
        same!(b, Little, partition, status @ at, kind @ at + 4, first @ at + 8, count @ at + 12);
    }
    assert_eq!(mbr.signature, b[510..512]);
    let header = gpt::Header::decode(cut(b));
    same!(
        b, Little, header, basic.header_size @ 12, basic.header_crc @ 16, basic.my_lba @ 24, basic.alternate_lba @ 32,
        revision @ 8, first_usable @ 40, last_usable @ 48, entries_lba @ 72, entries @ 80, entry_size @ 84,
        entries_crc @ 88,
    );
    assert_eq!((&header.basic.signature[..], header.guid.0), (&b[..8], *b[56..].first_chunk().unwrap()));
    let entry = gpt::Entry::decode(cut(b));
    same!(b, Little, entry, first @ 32, last @ 40, attributes @ 48);
    for (unit, at) in entry.name.iter().zip((56..).step_by(2)) {
        assert_eq!(u64::from(*unit), number(b, Little, at, 2));
    }
    // As it is printed: the digits of the first three fields turned around.
    let text = entry.kind.to_string();
    assert_eq!(&text[..8], format!("{:08x}", number(b, Little, 0, 4)));
    assert_eq!(&text[24..], format!("{:012x}", number(b, Big, 10, 6)));
}

fn qemu(b: &[u8; LONGEST]) {
    let header = qcow::Qcow2Header::decode(cut(b));
    same!(
        b, Big, header, version @ 4, backing_file_offset @ 8, backing_file_size @ 16, cluster_bits @ 20, size @ 24,
        crypt_method @ 32, l1_size @ 36, l1_table_offset @ 40, refcount_table_offset @ 48, refcount_table_clusters @ 56, nb_snapshots @ 60,
        snapshots_offset @ 64,
    );
    let header = qcow::QedHeader::decode(cut(b));
    same!(
        b, Little, header, cluster_size @ 4, table_size @ 8, header_size @ 12, features @ 16, l1_table_offset @ 40,
        image_size @ 48, backing_name_offset @ 56, backing_name_size @ 60,
    );
    let _ = (
        qcow::Qcow2HeaderV3::decode(cut(b)),
        qcow::Qcow2Extension::decode(cut(b)),
        qcow::QcowHeader::decode(cut(b)),
    );
}

fn microsoft(b: &[u8; LONGEST]) {
    let footer = vhd::Footer::decode(cut(b));
    same!(
        b, Big, footer, data_offset @ 16, original_size @ 40, current_size @ 48, cylinders @ 56, heads @ 58,
        sectors_per_track @ 59, disk_type @ 60, checksum @ 64, saved_state @ 84,
    );
    let sectors = number(b, Big, 56, 2) * number(b, Big, 58, 1) * number(b, Big, 59, 1);
    let by_geometry = matches!(&b[28..32], b"vpc " | b"qemu") && sectors != 65535 * 16 * 255;
    assert_eq!(footer.virtual_size(), if by_geometry { sectors * 512 } else { footer.current_size });
    let sum = |range: &[u8]| range.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    assert_eq!(vhd::checksum::<512>(cut(b), 64), !(sum(&b[..64]) + sum(&b[68..512])));
    let header = vhd::DynamicHeader::decode(cut(b));
    same!(b, Big, header, table_offset @ 16, max_table_entries @ 28, block_size @ 32, checksum @ 36);

    let header = vhdx::Header::decode(cut(b));
    same!(b, Little, header, checksum @ 4, sequence_number @ 8, version @ 66);
    let entry = vhdx::RegionEntry::decode(cut(b));
    same!(b, Little, entry, offset @ 16, length @ 24, required @ 28);
    let entry = vhdx::MetadataEntry::decode(cut(b));
    same!(b, Little, entry, offset @ 16, length @ 20, flags @ 24);
    let _ = (vhdx::RegionTableHeader::decode(cut(b)), vhdx::MetadataHeader::decode(cut(b)));
    let _ = vhdx::LocatorEntry::decode(cut(b));
    // The sum leaves its own bytes out.
    let mut other = *b;
    other[4..8].fill(0x5a);
    assert_eq!(vhdx::checksum(b), vhdx::checksum(&other));
    other[8] ^= 1;
    assert_ne!(vhdx::checksum(b), vhdx::checksum(&other));
}

fn vmware(b: &[u8; LONGEST]) {
    let header = vmdk::SparseHeader::decode(cut(b));
    same!(
        b, Little, header, version @ 4, flags @ 8, capacity @ 12, grain_size @ 20, descriptor_offset @ 28,
        descriptor_size @ 36, table_entries @ 44, gd_offset @ 56, unclean_shutdown @ 72, compress_algorithm @ 77,
    );
    let marker = vmdk::GrainMarker::decode(cut(b));
    same!(b, Little, marker, sector @ 0, size @ 8);
    let header = vmdk::CowdHeader::decode(cut(b));
    same!(b, Little, header, version @ 4, capacity @ 12, grain_size @ 16, gd_offset @ 20);
    let header = vmdk::SeSparseHeader::decode(cut(b));
    same!(b, Little, header, magic @ 0, version @ 8, capacity @ 16);
}

fn volumes(b: &[u8; LONGEST]) {
    let block = ext::Superblock::decode(cut(b));
    same!(b, Little, block, state @ 58, blocks_high @ 0x150);
    assert_eq!((&block.uuid[..], &block.label[..]), (&b[104..120], &b[120..136]));
    let block = xfs::Superblock::decode(cut(b));
    same!(
        b, Big, block, blocks @ 8, log_start @ 48, group_blocks @ 84, log_blocks @ 96, version @ 100, group_log @ 124,
        in_progress @ 126, incompatible @ 216,
    );
    let block = btrfs::Superblock::decode(cut(b));
    same!(b, Little, block, own_offset @ 0x30, log_root @ 0x60, total_bytes @ 0x70, devices @ 0x88, sector_size @ 0x90);
    let block = f2fs::Superblock::decode(cut(b));
    same!(b, Little, block, log_block_size @ 16, log_segment @ 20, blocks @ 36, checkpoint @ 76);
    let record = fat::BootRecord::decode(cut(b));
    same!(
        b, Little, record, root_entries @ 17, sectors_16 @ 19, table_16 @ 22, sectors_32 @ 32, table_32 @ 36,
        root_cluster @ 44, extended_16.serial @ 39, extended_32.serial @ 67,
    );
    let entry = fat::DirectoryEntry::decode(cut(b));
    assert_eq!(u64::from(entry.cluster), number(b, Little, 20, 2) << 16 | number(b, Little, 26, 2));
    let name = fat::LongName::decode(cut(b));
    let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain([28, 30]);
    for (unit, at) in name.units.iter().zip(places) {
        assert_eq!(u64::from(*unit), number(b, Little, at, 2));
    }
    let record = exfat::BootRecord::decode(cut(b));
    same!(
        b, Little, record, sectors @ 72, table @ 80, heap @ 88, clusters @ 92, root_cluster @ 96, serial @ 100,
        flags @ 106, sector_shift @ 108, cluster_shift @ 109,
    );
    let record = ntfs::BootRecord::decode(cut(b));
    same!(b, Little, record, bytes_per_sector @ 11, sectors_per_cluster @ 13, sectors @ 40, mft @ 48, serial @ 72);
    let attribute = ntfs::Attribute::decode(cut(b));
    same!(
        b, Little, attribute, kind @ 0, length @ 4, non_resident @ 8, name_length @ 9, name_offset @ 10,
        value_length @ 16, value_offset @ 20,
    );
    let entry = ntfs::IndexEntry::decode(cut(b));
    assert_eq!(entry.record, number(b, Little, 0, 6));
    let block = md::Superblock1::decode(cut(b));
    same!(
        b, Little, block, magic @ 0, major @ 4, features @ 8, devices @ 92, sectors @ 136, own_sector @ 144,
        device @ 160, resync @ 208, checksum @ 216, roles @ 220,
    );
    let block = md::Superblock0::decode(cut(b));
    same!(b, Little, block, magic @ 0, major @ 4, minor @ 8, devices @ 40);
    let header = lvm::MetadataHeader::decode(cut(b));
    same!(b, Little, header, start @ 24, size @ 32, text_offset @ 40, text_size @ 48, text_checksum @ 56);
    let header = swap::Header::decode(cut(b));
    same!(b, Little, header, version @ 0, last_page @ 4);
}

fn wrappers(b: &[u8; LONGEST]) {
    let header = tar::Header::decode(cut(b));
    let sum = (0..512).map(|at| if (148..156).contains(&at) { 32 } else { u32::from(b[at]) }).sum::<u32>();
    assert_eq!(header.sum, sum, "the sum of a tar header");
    // Plain octal digits, as every archiver writes them.
    let digits = b[124..136].iter().take_while(|digit| matches!(digit, b'0'..=b'7')).collect::<Vec<_>>();
    if digits.len() == 11 && b[135] == 0 {
        let size = digits.iter().fold(0, |size, digit| size * 8 + u64::from(*digit - b'0'));
        assert_eq!(header.member_size(), Some(size));
    }
    let header = container::LuksHeader::decode(cut(b));
    same!(b, Big, header, version @ 6, payload_offset @ 104, key_bytes @ 108, header_size @ 8);
    let start = container::ZstdFrameStart::decode(cut(b));
    same!(b, Little, start, magic @ 0, skippable_size @ 4);
}

/// Those of which nothing is compared with the bytes.
fn decode_the_rest(b: &[u8; LONGEST]) {
    let _ = (aff::Segment::decode(cut(b)), android::Header::decode(cut(b)), bochs::Header::decode(cut(b)));
    let _ = (cloop::Header::decode(cut(b)), dmg::Trailer::decode(cut(b)), parallels::Header::decode(cut(b)));
    let _ = (ewf::Volume::decode(cut(b)), ewf::Section::decode(cut(b)), vdi::Header::decode(cut(b)));
    let _ =
        (wim::Header::decode(cut(b)), zip::Zip64Locator::decode(cut(b)), zip::EndOfDirectory::decode(cut(b)));
    let _ = (
        f2fs::Checkpoint::decode(cut(b)),
        iso::VolumeDescriptor::decode(cut(b)),
        luks::Header::decode(cut(b)),
    );
    let _ = (lvm::Label::decode(cut(b)), lvm::PhysicalVolume::decode(cut(b)), lvm::Area::decode(cut(b)));
    let _ = (ntfs::RecordHeader::decode(cut(b)), ntfs::VolumeInformation::decode(cut(b)));
    let _ =
        (ntfs::RestartArea::decode(cut(b)), ntfs::IndexHeader::decode(cut(b)), pe::Header::decode(cut(b)));
    let _ = (xfs::LogBlock::decode(cut(b)), fat::LongName::checksum_of(cut(b)));
}

/// Real structures, and noise.
pub fn seeds() -> Vec<Vec<u8>> {
    let golden = imsprep_testdata::golden("zstd_a_8m.zvhd2");
    let folder = imsprep_testdata::folder();
    let raw = std::fs::read(folder.join("small.raw")).expect("small.raw");
    let qcow2 = std::fs::read(folder.join("disk.qcow2")).expect("disk.qcow2");
    let mut tar = vec![0; 512];
    tar[..4].copy_from_slice(b"disk");
    tar[124..136].copy_from_slice(b"00000001750\0");
    vec![
        golden[..512].to_vec(),
        golden[4096..4160].to_vec(),
        golden[golden.len() - 4096..][..512].to_vec(),
        raw[..512].to_vec(),
        raw[64 * 512..][..512].to_vec(),
        qcow2[..112].to_vec(),
        tar,
        noise(1, LONGEST),
        noise(2, 512),
        vec![0xff; LONGEST],
    ]
}
