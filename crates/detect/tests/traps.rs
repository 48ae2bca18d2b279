//! Each trap that a widely used tool has fallen into, and the attacks, as bytes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there, and say why it skips"
)]

use imsprep_detect::{Detection, Evidence, Fact, Format, detect};
use imsprep_ondisk::format::vhd::{self, Footer};
use imsprep_ondisk::format::{vhdx, zvhd2};
use imsprep_source::MemoryImage;

const MIB: usize = 1 << 20;

fn found(bytes: impl Into<Vec<u8>>) -> Detection {
    detect(&MemoryImage::new("image", bytes.into())).unwrap()
}

fn put(bytes: &mut [u8], offset: usize, what: &[u8]) {
    bytes[offset..offset + what.len()].copy_from_slice(what);
}

/// The bytes with `what` at `offset`.
fn with(mut bytes: Vec<u8>, offset: usize, what: &[u8]) -> Vec<u8> {
    put(&mut bytes, offset, what);
    bytes
}

fn vhd_footer(kind: u32, creator: &[u8; 4], size: u64, chs: (u16, u8, u8)) -> Vec<u8> {
    let mut b = [0; Footer::SIZE];
    put(&mut b, 0, &Footer::COOKIE);
    put(&mut b, 16, &u64::MAX.to_be_bytes());
    put(&mut b, 28, creator);
    put(&mut b, 48, &size.to_be_bytes());
    put(&mut b, 56, &chs.0.to_be_bytes());
    put(&mut b, 58, &[chs.1, chs.2]);
    put(&mut b, 60, &kind.to_be_bytes());
    let sum = vhd::checksum(&b, Footer::CHECKSUM_OFFSET);
    put(&mut b, Footer::CHECKSUM_OFFSET, &sum.to_be_bytes());
    b.to_vec()
}

fn fixed_vhd(mut disk: Vec<u8>) -> Vec<u8> {
    disk.extend(vhd_footer(vhd::TYPE_FIXED, b"win ", disk.len() as u64, (1, 4, 17)));
    disk
}

fn gpt(mut disk: Vec<u8>, sector: usize) -> Vec<u8> {
    let mut header = [0; 92];
    put(&mut header, 0, b"EFI PART\0\0\x01\0\x5c\0\0\0");
    put(&mut header, 24, &1_u64.to_le_bytes());
    let crc = crc32fast::hash(&header);
    put(&mut header, 16, &crc.to_le_bytes());
    put(&mut disk, sector, &header);
    mbr(disk, &[(0, 0xee, 1, u32::MAX)])
}

fn mbr(mut disk: Vec<u8>, partitions: &[(u8, u8, u32, u32)]) -> Vec<u8> {
    for (n, (status, kind, first, count)) in partitions.iter().enumerate() {
        let at = 446 + 16 * n;
        put(&mut disk, at, &[*status, 0, 0, 0, *kind]);
        put(&mut disk, at + 8, &first.to_le_bytes());
        put(&mut disk, at + 12, &count.to_le_bytes());
    }
    with(disk, 510, &[0x55, 0xaa])
}

fn ext4(disk: Vec<u8>) -> Vec<u8> {
    let disk = with(disk, 1024 + 4, &256_u32.to_le_bytes());
    let disk = with(disk, 1024 + 24, &2_u32.to_le_bytes());
    let disk = with(disk, 1024 + 32, &32768_u32.to_le_bytes());
    with(with(disk, 1024 + 56, &[0x53, 0xef]), 1024 + 96, &[0x40])
}

fn iso(disk: Vec<u8>) -> Vec<u8> {
    let blocks = u32::try_from(disk.len() / 2048).unwrap();
    let disk = with(disk, 32768, b"\x01CD001\x01");
    with(with(disk, 32768 + 80, &blocks.to_le_bytes()), 32768 + 128, &2048_u16.to_le_bytes())
}

fn qcow2_header(version: u32) -> Vec<u8> {
    let mut b = vec![0; 104];
    put(&mut b, 0, b"QFI\xfb");
    put(&mut b, 4, &version.to_be_bytes());
    put(&mut b, 20, &16_u32.to_be_bytes());
    put(&mut b, 24, &(1_u64 << 30).to_be_bytes());
    put(&mut b, 100, &104_u32.to_be_bytes());
    b
}

fn zvhd_footer(cookie: [u8; 8]) -> Vec<u8> {
    let mut footer = zvhd2::Footer::decode(&[0; 512]);
    (footer.cookie, footer.curr_size, footer.zvhd2_version) = (cookie, 1 << 30, 1);
    let mut bytes = footer.sealed().encode().to_vec();
    bytes.resize(4096, 0xa5);
    bytes
}

fn has_damage(found: &Detection, words: &str) -> bool {
    found.facts.iter().any(|fact| match fact {
        Fact::Damaged(what) | Fact::OutsideFile(what) => what.contains(words),
        _ => false,
    })
}

#[test]
fn a_fixed_vhd_is_known_by_its_end_and_is_no_polyglot() {
    for disk in [vec![0; MIB], gpt(vec![0; MIB], 512), ext4(vec![0; MIB])] {
        let found = found(fixed_vhd(disk.clone()));
        assert_eq!((found.format, found.variant), (Format::Vhd, Some("fixed")));
        assert_eq!((found.virtual_size, found.facts, found.also), (Some(MIB as u64), vec![], vec![]));
        let mut short = fixed_vhd(disk);
        short.pop();
        assert_eq!(self::found(short).variant, Some("fixed"));
    }
    let mut cut = fixed_vhd(vec![0; MIB]);
    cut.drain(..512);
    assert!(has_damage(&found(cut), "precede it"));
    let bad = with(fixed_vhd(vec![0; MIB]), MIB + 100, &[1]);
    assert!(has_damage(&found(bad), "checksum"));
}

#[test]
fn the_size_of_a_vhd_depends_on_who_made_it() {
    let size = |creator, chs| {
        let mut bytes = vec![0; MIB];
        bytes.extend(vhd_footer(vhd::TYPE_FIXED, creator, 1_000_448, chs));
        found(bytes).virtual_size.unwrap()
    };
    for (creator, sectors) in
        [(b"vpc ", Some(10 * 4 * 17)), (b"qemu", Some(10 * 4 * 17)), (b"win ", None), (b"qem2", None)]
    {
        assert_eq!(size(creator, (10, 4, 17)), sectors.map_or(1_000_448, |n: u64| n * 512), "{creator:?}");
        assert_eq!(size(creator, (65535, 16, 255)), 1_000_448);
    }
}

#[test]
fn a_differencing_vhd_names_its_parent_in_utf16() {
    let mut bytes = vhd_footer(vhd::TYPE_DIFFERENCING, b"win ", 2 << 20, (1, 4, 17));
    put(&mut bytes, 16, &512_u64.to_be_bytes());
    let sum = vhd::checksum(bytes.first_chunk::<512>().unwrap(), 64);
    put(&mut bytes, 64, &sum.to_be_bytes());
    let end = bytes.clone();
    let mut header = [0; 1024];
    put(&mut header, 0, b"cxsparse");
    put(&mut header, 28, &[0, 0, 0, 1, 0, 0x20, 0, 0]);
    put(&mut header, 64, &"größe.vhd".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    let sum = vhd::checksum(&header, 36);
    put(&mut header, 36, &sum.to_be_bytes());
    bytes.extend(header);
    bytes.extend(&end);
    let whole = found(bytes.clone());
    assert_eq!((whole.variant, whole.virtual_size), (Some("differencing"), Some(2 << 20)));
    assert_eq!(whole.facts, [Fact::Parent(Some("größe.vhd".into()))]);
    bytes.truncate(1600);
    assert!(has_damage(&found(bytes.clone()), "not at the end"));
    bytes.extend(vhd_footer(vhd::TYPE_FIXED, b"win ", 1600, (1, 4, 17)));
    assert!(has_damage(&found(bytes), "different disk types"));
}

#[test]
fn a_vhdx_tells_size_log_and_parent() {
    let mut b = vec![0; 3 << 20];
    put(&mut b, 0, &vhdx::FILE_SIGNATURE);
    // The second header is newer and has a log.
    for (at, sequence, log) in [(64 << 10, 7_u64, 0), (128 << 10, 8, 1)] {
        put(&mut b, at, b"head");
        put(&mut b, at + 8, &sequence.to_le_bytes());
        put(&mut b, at + 48, &[log]);
        let sum = vhdx::checksum(&b[at..at + 4096]);
        put(&mut b, at + 4, &sum.to_le_bytes());
    }
    let table = 256 << 10;
    put(&mut b, table, b"regi\0\0\0\0\x01");
    put(&mut b, table + 16, &vhdx::REGION_METADATA);
    put(&mut b, table + 32, &(2_u64 << 20).to_le_bytes());
    let sum = vhdx::checksum(&b[table..table + (64 << 10)]);
    put(&mut b, table + 4, &sum.to_le_bytes());
    let region = 2 << 20;
    put(&mut b, region, b"metadata\0\0\x03");
    for (n, (item, offset, length)) in [
        (vhdx::ITEM_FILE_PARAMETERS, 65536_u32, 8_u32),
        (vhdx::ITEM_DISK_SIZE, 65544, 8),
        (vhdx::ITEM_PARENT_LOCATOR, 65552, 200),
    ]
    .into_iter()
    .enumerate()
    {
        let at = region + 32 + 32 * n;
        put(&mut b, at, &item);
        put(&mut b, at + 16, &[offset.to_le_bytes(), length.to_le_bytes()].concat());
    }
    put(&mut b, region + 65540, &[2]);
    put(&mut b, region + 65544, &(5_u64 << 30).to_le_bytes());
    let locator = region + 65552;
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    put(&mut b, locator + 18, b"\x01\0\x40\0\0\0\x80\0\0\0");
    put(&mut b, locator + 28, &[26, 0, 24, 0]);
    put(&mut b, locator + 0x40, &utf16("relative_path"));
    put(&mut b, locator + 0x80, &utf16(".\\größe.vhdx"));
    let whole = found(b.clone());
    assert_eq!((whole.variant, whole.virtual_size), (Some("differencing"), Some(5 << 30)), "{whole:?}");
    let parent = Fact::Parent(Some(".\\größe.vhdx".into()));
    assert_eq!(whole.facts, [Fact::Dirty, parent.clone()]);
    // With a wrong checksum the newer header does not count, and without headers nothing does.
    put(&mut b, (128 << 10) + 100, &[1]);
    assert_eq!(found(b.clone()).facts, [parent]);
    put(&mut b, (64 << 10) + 100, &[1]);
    put(&mut b, table + 5, &[1, 2, 3]);
    let broken = found(b);
    assert!(has_damage(&broken, "headers") && has_damage(&broken, "region tables"));
}

#[test]
fn a_flat_vmdk_descriptor_is_known_however_it_is_dressed() {
    let body =
        "version=1\nCID=1\nparentCID=ffffffff\ncreateType=\"MONOLITHICflat\"\nRW 2048 FLAT \"a.vmdk\" 0\n";
    let plain = format!("# Disk DescriptorFile\n{body}");
    let mut padded = plain.clone().into_bytes();
    padded.resize(64 * MIB / 32, 0);
    for text in [
        plain.clone().into_bytes(),
        padded,
        format!("\u{feff}{plain}").into_bytes(),
        format!("\n\n  \n# written by hand\n{plain}").into_bytes(),
        plain.replace('\n', "\r\n").into_bytes(),
        plain.to_uppercase().replace("A.VMDK", "a.vmdk").into_bytes(),
        body.into(),
        with(gpt(vec![0; MIB], 4096), 0, plain.as_bytes()),
    ] {
        let found = found(text);
        assert_eq!((found.format, found.variant), (Format::Vmdk, Some("monolithicFlat")));
        assert_eq!(found.facts, [Fact::ExtentFiles(vec!["a.vmdk".into()])]);
        assert_eq!(found.virtual_size, Some(MIB as u64));
    }
    assert_eq!(found("# Disk DescriptorFile\nversion=1\ncreateType=\"x\"\n").variant, None);
    for text in [
        "# Not a descriptor\nname = x\n",
        "#!/bin/sh\necho version=1\n",
        "version=1.2.3\n",
        "# Cargo's\nversion = 3\n\n[[package]]\n",
    ] {
        assert_eq!(found(text).format, Format::Raw, "{text}");
    }
}

#[test]
fn a_sparse_vmdk_cannot_smuggle_in_another_file() {
    let mut bytes = vec![0; 4096];
    put(&mut bytes, 0, b"KDMV\x01");
    put(&mut bytes, 28, &1_u64.to_le_bytes());
    put(&mut bytes, 36, &2_u64.to_le_bytes());
    put(&mut bytes, 512, b"# Disk DescriptorFile\nversion=1\nRW 8 FLAT \"/etc/shadow\" 0\n");
    let shadow = [Fact::ExtentFiles(vec!["/etc/shadow".into()])];
    let without_size = found(bytes.clone());
    assert_eq!((&without_size.facts[..], without_size.virtual_size), (&shadow[..], Some(4096)));
    put(&mut bytes, 12, &64_u64.to_le_bytes());
    let with_size = found(bytes);
    assert_eq!((&with_size.facts[..], with_size.virtual_size), (&shadow[..], Some(32768)));
}

#[test]
fn qcow_and_qcow2_share_a_magic() {
    let variant = |version| {
        let found = found(qcow2_header(version));
        (found.format, found.variant)
    };
    assert_eq!(variant(1), (Format::Qcow, Some("v1")));
    assert_eq!(variant(2), (Format::Qcow2, Some("v2")));
    assert_eq!(variant(3), (Format::Qcow2, Some("v3")));
    assert_eq!(variant(4), (Format::Qcow2, None));
    assert!(has_damage(&found(qcow2_header(0)), "version 0"));
    assert_eq!(found(b"QFI\xfb".to_vec()).format, Format::Qcow2);
}

#[test]
fn feature_bits_of_qcow2_are_facts() {
    let mut bytes = qcow2_header(3);
    put(&mut bytes, 72, &0x8000_0000_0000_0107_u64.to_be_bytes());
    bytes.extend(b"\xe2\x79\x2a\xca\0\0\0\x03raw\0\0\0\0\0DATA\0\0\0\x04/etc\0\0\0\0");
    let unknown = Fact::UnknownIncompatibleFeatures(0x8000_0000_0000_0100);
    let data_file = Fact::ExternalDataFile(Some("/etc".into()));
    assert_eq!(found(bytes).facts, [data_file, Fact::Dirty, Fact::Corrupt, unknown]);
}

#[test]
fn hostile_lengths_and_offsets_are_bounded() {
    let mut bytes = qcow2_header(3);
    put(&mut bytes, 72, &4_u64.to_be_bytes());
    for (offset, length) in [(8_u64, u32::MAX), (u64::MAX, u32::MAX), (50, 1023), (1, 0)] {
        put(&mut bytes, 8, &offset.to_be_bytes());
        put(&mut bytes, 16, &length.to_be_bytes());
        let found = found(bytes.clone());
        assert!(found.facts.iter().any(|f| matches!(f, Fact::BackingFile(name) if name.len() <= 1024)));
    }
    let mut bytes = vec![0xff; 8192];
    put(&mut bytes, 0, b"KDMV");
    assert!(has_damage(&found(bytes), "version"));
    let mut text = String::from("# Disk DescriptorFile\n");
    for n in 0..20_000 {
        text += &format!("RW {} FLAT \"{n}\" 0\n", u64::MAX);
    }
    let found = found(text);
    assert!(has_damage(&found, "more than 262144 bytes") && has_damage(&found, "size"));
    assert!(
        matches!(&found.facts[1], Fact::ExtentFiles(names) if names.len() == 256),
        "{:?}",
        found.facts[1]
    );
}

#[test]
fn partition_tables_are_evidence_only_if_they_make_sense() {
    let evidence = |disk: Vec<u8>| found(disk).evidence;
    assert_eq!(evidence(gpt(vec![0; MIB], 512)), [Evidence::Gpt]);
    assert_eq!(evidence(gpt(vec![0; MIB], 4096)), [Evidence::Gpt]);
    // A protective MBR without its GPT protects nothing.
    assert_eq!(evidence(with(gpt(vec![0; MIB], 512), 540, &[1])), []);
    assert_eq!(evidence(mbr(vec![0; MIB], &[(0x80, 0x83, 1, 100), (0, 7, 101, 5000)])), [Evidence::Mbr]);
    for bad in [(0x81, 0x83, 1, 100), (0, 0x83, 0, 100), (0, 0x83, 1, 0), (0, 0x83, 1 << 20, 100)] {
        assert_eq!(evidence(mbr(vec![0; MIB], &[bad])), [], "{bad:?}");
    }
    assert_eq!(evidence(mbr(vec![0; MIB], &[(0, 0x83, 1, 100), (0, 0x83, 100, 100)])), []);
    assert_eq!(evidence(with(vec![0; MIB], 510, &[0x55, 0xaa])), []);
}

#[test]
fn a_boot_record_is_no_mbr_even_if_its_code_looks_like_a_table() {
    let record = mbr(vec![0; MIB], &[(0x80, 0x83, 1, 100)]);
    let ntfs = with(record.clone(), 0, b"\xeb\x52\x90NTFS    ");
    assert_eq!(found(ntfs).evidence, [Evidence::Content("ntfs")]);
    let fat = with(record.clone(), 0, b"\xeb\x3c\x90mkfs.fat\0\x02\x04\x04\0\x02\0\x02\0\0\xf8");
    assert_eq!(found(fat).evidence, [Evidence::Content("fat")]);
    let bitlocker = found(with(record, 0, b"\xeb\x58\x90-FVE-FS-"));
    assert_eq!(bitlocker.facts, [Fact::Encrypted("BitLocker")]);
    assert_eq!(found(ext4(vec![0; MIB])).evidence, [Evidence::Content("ext4")]);
}

#[test]
fn a_hybrid_iso_is_an_iso_and_nothing_else() {
    for (disk, variant) in [
        (vec![0; MIB], None),
        (mbr(vec![0; MIB], &[(0x80, 0, 0, 2048), (0, 0xef, 4, 4)]), Some("hybrid")),
        (gpt(vec![0; MIB], 512), Some("hybrid")),
    ] {
        let found = found(iso(disk));
        assert_eq!((found.format, found.variant, found.also), (Format::Iso9660, variant, vec![]));
        assert_eq!((found.virtual_size, found.facts), (Some(MIB as u64), vec![]));
    }
}

#[test]
fn two_formats_in_one_file_both_show() {
    let both = |bytes: Vec<u8>| {
        let found = found(bytes);
        (found.format, found.also)
    };
    let qcow2 = || with(vec![0; MIB], 0, &qcow2_header(3));
    assert_eq!(both(qcow2()), (Format::Qcow2, vec![]));
    assert_eq!(both(fixed_vhd(qcow2())), (Format::Qcow2, vec![Format::Vhd]));
    assert_eq!(both(iso(qcow2())), (Format::Qcow2, vec![Format::Iso9660]));
    // What a guest leaves that writes a header into the first sector of its own raw disk.
    let guest = |disk| with(disk, 0, &qcow2_header(3));
    assert_eq!(both(guest(gpt(vec![0; MIB], 512))), (Format::Qcow2, vec![Format::Raw]));
    assert_eq!(both(guest(ext4(vec![0; MIB]))), (Format::Qcow2, vec![Format::Raw]));
    // The guest's own table, somewhere in the container's data, is no sign of anything.
    let inside = with(gpt(vec![0; MIB], 512), 0, &[0; 510]);
    let mut container = qcow2();
    container.extend(inside);
    assert_eq!(both(container), (Format::Qcow2, vec![]));
    let vdi = with(qcow2(), 64, &[0x7f, 0x10, 0xda, 0xbe, 1, 0, 1, 0]);
    assert_eq!(both(vdi), (Format::Qcow2, vec![Format::Vdi]));
}

#[test]
fn a_zvhd_footer_is_believed_for_its_checksum() {
    let v1 = zvhd_footer(zvhd2::COOKIE_V1);
    assert_eq!((found(v1.clone()).format, found(v1).virtual_size), (Format::Zvhd, Some(1 << 30)));
    let mut text = b"stream of consciousness\n".to_vec();
    assert_eq!(found(text.clone()).format, Format::Raw);
    text.resize(8192, b' ');
    assert_eq!(found(text).format, Format::Raw);

    let v2 = zvhd_footer(zvhd2::COOKIE);
    let whole = found([v2.clone(), v2.clone()].concat());
    assert_eq!((whole.format, whole.virtual_size, whole.facts), (Format::Zvhd2, Some(1 << 30), vec![]));
    assert_eq!(found(with(v2.clone(), 6, b"xx")).format, Format::Zvhd2);
    assert_eq!(found(b"z2strm".to_vec()).format, Format::Zvhd2);

    let headless = found([vec![0; 4096], v2.clone()].concat());
    assert_eq!((headless.format, headless.also.len()), (Format::Zvhd2, 0));
    assert!(has_damage(&headless, "HEAD"));
    let overwritten = found([gpt(vec![0; MIB], 512), v2.clone()].concat());
    assert_eq!((overwritten.format, overwritten.also), (Format::Zvhd2, vec![Format::Raw]));
    let unsealed = [vec![0; 4096], with(v2, 300, &[1])].concat();
    assert_eq!(found(unsealed).format, Format::Raw);
}

#[test]
fn small_and_other_files_are_told_apart() {
    assert_eq!((found([]).format, found([]).virtual_size), (Format::Empty, Some(0)));
    for size in [1, 3, 8, 511, 512, 513, 4095] {
        let found = found(vec![0; size]);
        assert_eq!((found.format, found.evidence), (Format::Raw, vec![]), "{size}");
        assert_eq!(found.virtual_size, Some(size as u64));
    }
    assert_eq!(found(b"WithoutFreeSpace".to_vec()).format, Format::Parallels);
    let dmg = with(vec![0; 2048], 1536, b"koly\0\0\0\x04\0\0\x02\0");
    assert_eq!(found(dmg).format, Format::Dmg);
    let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd\x28\xb5\x2f\xfd\0\0\0\0".to_vec();
    assert_eq!(found(skipped).format, Format::Zstd);
    assert_eq!(found(b"BZhello".to_vec()).format, Format::Raw);
}

#[test]
fn what_lies_uninitialised_behind_a_footer_is_no_second_format() {
    // Stale memory of the program that wrote the file, here a GPT of the disk it had just read.
    let mut bytes = imsprep_testdata::golden("zstd_h2_gpt_esp_ext4.zvhd2").to_vec();
    let disk = gpt(vec![0; MIB], 512);
    bytes[512..4096].copy_from_slice(&disk[512..4096]);
    let found = found(bytes);
    assert_eq!((found.format, found.also), (Format::Zvhd2, vec![]));
}

#[test]
fn luks_and_vmfs_sparse() {
    let luks = |version| {
        let found = found(with(with(vec![0; MIB], 0, b"LUKS\xba\xbe\0"), 7, &[version]));
        (found.format, found.variant, found.facts)
    };
    assert_eq!(luks(1), (Format::Luks, Some("v1"), vec![Fact::Encrypted("LUKS1")]));
    let (format, variant, facts) = luks(2);
    assert_eq!((format, variant, &facts[0]), (Format::Luks, Some("v2"), &Fact::Encrypted("LUKS2")));
    let cowd = found(with(vec![0; 2048], 0, b"COWD\x01\0\0\0\x03\0\0\0\0\x08\0\0\x01\0\0\0\x04\0\0\0"));
    assert_eq!((cowd.variant, cowd.virtual_size), (Some("vmfsSparse"), Some(MIB as u64)));
    let se = with(with(vec![0; 512], 0, &0xcafe_babe_u64.to_le_bytes()), 8, &0x2_0000_0001_u64.to_le_bytes());
    assert_eq!(found(with(se, 16, &[8])).variant, Some("seSparse"));
}
