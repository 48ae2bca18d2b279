//! Partition tables made by the real tools, held against what these say of them; and tables that are wrong.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use crate::support::{Folder, MIB};
use imsprep_inspect::{
    Header, Inspection, Partition, PartitionType, Table, TableKind, TableProblem, VolumeKind,
};
use imsprep_testdata::each;

const GPT: &str = "label: gpt
label-id: 11111111-2222-3333-4444-555555555555
start=2048, size=20480, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=\"EFI system\", bootable
start=22528, size=2048, type=21686148-6449-6E6F-744E-656564454649, name=\"grub\"
start=24576, size=20480, name=\"root\"
";

const MBR: &str = "label: dos
label-id: 0x12345678
2048,20480,83,*
22528,20480,7
43008,,E
45056,8192,82
55296,8192,8e
65536,8192,83
";

/// A disk of 64 MiB with a table that sfdisk makes of the script.
fn disk(script: &str) -> Folder {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    std::fs::write(folder.path("script"), script).unwrap();
    folder.run(&["sfdisk", "sgdisk"], "sfdisk -q image < script");
    folder
}

/// What sfdisk tells of each partition: number, first sector, sectors, type, name, GUID, active.
fn sfdisk_says(folder: &Folder) -> Vec<String> {
    let text = folder.output("sfdisk -d image");
    let lines = text.lines().filter(|line| line.starts_with("image"));
    lines
        .map(|line| {
            let (node, rest) = line.split_once(" : ").unwrap();
            let field = |key: &str| {
                let mut fields = rest.split(", ").map(str::trim);
                let value = fields.find_map(|field| field.strip_prefix(key)).unwrap_or_default();
                value.trim().trim_matches('"').to_lowercase()
            };
            let is_active = rest.contains("bootable") || rest.contains("LegacyBIOSBootable");
            format!(
                "{} {} {} {} {} {} {is_active}",
                &node["image".len()..],
                field("start="),
                field("size="),
                field("type="),
                field("name="),
                field("uuid=")
            )
        })
        .collect()
}

fn we_say(partition: &Partition) -> String {
    let kind = partition.kind.code();
    format!(
        "{} {} {} {} {} {} {}",
        partition.number,
        partition.start / 512,
        partition.length / 512,
        if kind.len() == 2 { kind.trim_start_matches('0') } else { &kind },
        partition.name.clone().unwrap_or_default().to_lowercase(),
        partition.guid.map(|guid| guid.to_string()).unwrap_or_default(),
        partition.active
    )
}

fn table(folder: &Folder) -> Table {
    folder.inspect("image").table.unwrap()
}

/// What is wrong, without what goes with it.
fn problems(folder: &Folder) -> Vec<TableProblem> {
    table(folder).problems
}

/// Whether `sgdisk -v` is content.
fn sgdisk_is_content(folder: &Folder) -> bool {
    // Of a damaged backup it says so, and then goes by the other one.
    let text = folder.output("sgdisk -v image");
    text.contains("No problems found") && !text.contains("invalid") && !text.contains("damaged")
}

#[test]
fn a_gpt_is_what_sfdisk_says() {
    let folder = disk(GPT);
    let Inspection { table, partitions, whole, .. } = folder.inspect("image");
    let table = table.unwrap();
    assert_eq!(table.kind.id(), "11111111-2222-3333-4444-555555555555");
    assert_eq!((table.sector, table.alignment), (512, Some(MIB)));
    assert_eq!((table.problems, whole), (vec![], None));
    assert_eq!(partitions.iter().map(we_say).collect::<Vec<_>>(), sfdisk_says(&folder));
    assert!(sgdisk_is_content(&folder));
    assert!(partitions[0].kind.is_efi_system() && partitions[1].kind.is_bios_boot());
}

#[test]
fn an_mbr_is_what_sfdisk_says() {
    let folder = disk(MBR);
    let Inspection { table, partitions, whole, .. } = folder.inspect("image");
    let table = table.unwrap();
    assert_eq!(table.kind, TableKind::Mbr { signature: 0x1234_5678 });
    assert_eq!((table.alignment, table.problems, whole), (Some(MIB), vec![], None));
    let ours = partitions.iter().map(we_say).collect::<Vec<_>>();
    assert_eq!(ours, sfdisk_says(&folder));
    assert_eq!(partitions.iter().filter(|p| p.logical).map(|p| p.number).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(partitions[2].content.kind, VolumeKind::Extended);
}

#[test]
fn names_may_have_letters_of_any_kind() {
    let folder = disk(GPT);
    folder.run(&["sgdisk"], "sgdisk -c 1:'Grüße, 世界' image");
    assert_eq!(folder.inspect("image").partitions[0].name.as_deref(), Some("Grüße, 世界"));
}

#[test]
fn many_partitions_of_both_kinds() {
    let lines = (0..100).map(|n| format!("{},1024\n", 2048 + n * 1024)).collect::<String>();
    let folder = disk(&format!("label: gpt\n{lines}"));
    let Inspection { partitions, .. } = folder.inspect("image");
    assert_eq!(partitions.len(), 100);
    assert_eq!(partitions.iter().map(we_say).collect::<Vec<_>>(), sfdisk_says(&folder));
    let logical = |n: u64| format!("image{} : start={}, size=1024, type=83\n", 5 + n, 4096 + n * 4096);
    let lines = (0..28).map(logical).collect::<String>();
    let folder = disk(&format!("label: dos\nimage1 : start=2048, type=5\n{lines}"));
    let Inspection { partitions, table, .. } = folder.inspect("image");
    assert_eq!(partitions.iter().map(we_say).collect::<Vec<_>>(), sfdisk_says(&folder));
    assert_eq!((partitions.len(), table.unwrap().problems), (29, vec![]));
}

#[test]
fn a_table_without_partitions_is_one() {
    for (label, name) in [("gpt", "GPT"), ("dos", "MBR")] {
        let folder = disk(&format!("label: {label}\n"));
        let Inspection { partitions, table, .. } = folder.inspect("image");
        let table = table.unwrap();
        assert_eq!((table.kind.name(), table.alignment, partitions), (name, None, vec![]));
    }
}

const LAST: u64 = 64 * MIB - 512;

#[test]
fn damage_of_a_gpt_is_told_and_sgdisk_is_not_content_either() {
    // What is altered, and which CRC is wrong then: of a header or of entries.
    for (at, which, is_header) in [
        (512 + 40, Header::Primary, true),
        (1024 + 33, Header::Primary, false),
        (LAST + 56, Header::Backup, true),
        (LAST - 32 * 512 + 130, Header::Backup, false),
    ] {
        let folder = disk(GPT);
        let byte = folder.read_at("image", at, 1);
        folder.write_at("image", at, &[byte[0] ^ 1]);
        let found = folder.inspect("image");
        let is_told = found.table.as_ref().unwrap().problems.iter().any(|problem| match problem {
            TableProblem::HeaderCrc { which: of, .. } => is_header && *of == which,
            TableProblem::EntriesCrc { which: of, .. } => !is_header && *of == which,
            _ => false,
        });
        assert!(is_told, "{at}: {found:?}");
        assert_eq!(found.partitions.iter().map(|p| p.start).collect::<Vec<_>>(), [MIB, 11 * MIB, 12 * MIB]);
        assert!(!sgdisk_is_content(&folder), "{at}");
    }
}

#[test]
fn a_lost_header_is_told_and_the_other_one_serves() {
    let folder = disk(GPT);
    folder.write_at("image", 512, &[0; 512]);
    assert_eq!(problems(&folder), [TableProblem::HeaderMissing { which: Header::Primary, at: 512 }]);
    assert_eq!(folder.inspect("image").partitions.len(), 3);
    let folder = disk(GPT);
    folder.write_at("image", LAST, &[0; 512]);
    assert_eq!(problems(&folder), [TableProblem::HeaderMissing { which: Header::Backup, at: LAST }]);
    // Both.
    folder.write_at("image", 512, &[0; 512]);
    let found = folder.inspect("image");
    assert!(found.table.unwrap().problems.contains(&TableProblem::ProtectsNothing));
    assert_eq!(found.partitions.len(), 1, "the protective entry");
}

#[test]
fn a_disk_that_was_enlarged_or_cut_off() {
    let folder = disk(GPT);
    let resize = |size| {
        std::fs::File::options().write(true).open(folder.path("image")).unwrap().set_len(size).unwrap()
    };
    resize(100 * MIB);
    assert_eq!(problems(&folder), [TableProblem::BackupNotAtEnd { at: LAST, end: 100 * MIB - 512 }]);
    assert!(!sgdisk_is_content(&folder));
    folder.run(&["sgdisk"], "sgdisk -e image");
    assert_eq!(problems(&folder), []);
    resize(20 * MIB);
    let at = 100 * MIB - 512;
    assert_eq!(
        problems(&folder),
        [
            TableProblem::HeaderMissing { which: Header::Backup, at },
            TableProblem::PastEnd { number: 3, end: 22 * MIB, limit: 20 * MIB }
        ]
    );
}

#[test]
fn what_the_first_sector_says_beside_a_gpt() {
    let folder = disk(GPT);
    let first = folder.read_at("image", 0, 512);
    folder.write_at("image", 0, &[0; 512]);
    assert_eq!(problems(&folder), [TableProblem::NotProtective]);
    folder.write_at("image", 0, &first);
    folder.run(&["sgdisk"], "sgdisk -h 3 image");
    assert_eq!(problems(&folder), [TableProblem::Hybrid]);
    // A partition of the MBR's own, and nothing that protects the GPT.
    let mut own = first.clone();
    own[450] = 0x83;
    folder.write_at("image", 0, &own);
    let found = table(&folder);
    assert_eq!(found.kind.name(), "MBR");
    assert!(found.problems.contains(&TableProblem::UnprotectedGpt), "{found:?}");
}

/// Alters an entry of both copies, number from 0, and makes the CRCs right again.
fn alter_entry(folder: &Folder, number: u64, within: u64, bytes: &[u8]) {
    for (header, entries) in [(512, 1024), (LAST, LAST - 32 * 512)] {
        folder.write_at("image", entries + number * 128 + within, bytes);
        let crc = crc(&folder.read_at("image", entries, 128 * 128));
        folder.write_at("image", header + 88, &crc.to_le_bytes());
        folder.write_at("image", header + 16, &[0; 4]);
        let crc = self::crc(&folder.read_at("image", header, 92));
        folder.write_at("image", header + 16, &crc.to_le_bytes());
    }
}

/// CRC-32, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn partitions_that_can_not_be_are_told() {
    let overlap = TableProblem::Overlap { first: 1, second: 2, at: 10 * MIB };
    let cases: [(u64, u64, u64, TableProblem); 5] = [
        (1, 32, 10 * MIB / 512, overlap),
        (2, 40, 1 << 40, TableProblem::PastEnd { number: 3, end: ((1 << 40) + 1) * 512, limit: 64 * MIB }),
        (2, 40, 5, TableProblem::Backwards { number: 3 }),
        (0, 32, 3, TableProblem::OutsideUsable { number: 1, start: 3 * 512, end: 11 * MIB }),
        (2, 32, 24577, TableProblem::Misaligned { number: 3, start: 24577 * 512 }),
    ];
    for (entry, within, value, problem) in cases {
        let folder = disk(GPT);
        alter_entry(&folder, entry, within, &value.to_le_bytes());
        let found = problems(&folder);
        assert!(found.contains(&problem), "{problem:?}: {found:?}");
    }
    let folder = disk(GPT);
    let guid = folder.read_at("image", 1024 + 16, 16);
    alter_entry(&folder, 2, 16, &guid);
    assert_eq!(problems(&folder), [TableProblem::SameGuid { first: 1, second: 3 }]);
}

#[test]
fn headers_that_differ_are_told() {
    let folder = disk(GPT);
    folder.write_at("image", LAST + 56, &[9]);
    folder.write_at("image", LAST + 16, &[0; 4]);
    let crc = crc(&folder.read_at("image", LAST, 92));
    folder.write_at("image", LAST + 16, &crc.to_le_bytes());
    assert_eq!(problems(&folder), [TableProblem::HeadersDisagree { what: "the disk's GUID" }]);
}

/// The same table in sectors of 4096 bytes, as of a disk that has such.
#[test]
fn sectors_of_4096_bytes() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    let last = 64 * MIB / 4096 - 1;
    let mut entries = vec![0_u8; 128 * 128];
    entries[..16].copy_from_slice(&[
        0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
    ]);
    entries[16] = 1;
    entries[32..40].copy_from_slice(&256_u64.to_le_bytes());
    entries[40..48].copy_from_slice(&511_u64.to_le_bytes());
    let header = |mine: u64, other: u64, at: u64| {
        let mut header = vec![0_u8; 92];
        header[..8].copy_from_slice(b"EFI PART");
        header[10] = 1;
        header[12] = 92;
        for (place, value) in [(24, mine), (32, other), (40, 6), (48, last - 5), (56, 7), (72, at)] {
            header[place..place + 8].copy_from_slice(&value.to_le_bytes());
        }
        (header[80], header[84]) = (128, 128);
        header[88..].copy_from_slice(&crc(&entries).to_le_bytes());
        let crc = crc(&header);
        header[16..20].copy_from_slice(&crc.to_le_bytes());
        header
    };
    folder.write_at("image", 4096, &header(1, last, 2));
    folder.write_at("image", 8192, &entries);
    folder.write_at("image", last * 4096, &header(last, 1, last - 4));
    folder.write_at("image", (last - 4) * 4096, &entries);
    folder.write_at("image", 450, &[0xee, 0, 0, 0, 1, 0, 0, 0, 0xff, 0x3f]);
    folder.write_at("image", 510, &[0x55, 0xaa]);
    let found = folder.inspect("image");
    let table = found.table.unwrap();
    assert_eq!((table.sector, table.problems), (4096, vec![]));
    assert_eq!((found.partitions[0].start, found.partitions[0].length), (MIB, MIB));
}

#[test]
fn a_chain_of_logical_partitions_that_goes_astray() {
    // The first link is at sector 43008: its second entry leads on, counted from there.
    for (link, problem) in [
        (0_u32, TableProblem::ExtendedLoop { at: 43008 * 512 }),
        (500, TableProblem::ExtendedBroken { at: 43508 * 512 }),
        (u32::MAX, TableProblem::ExtendedBroken { at: (43008 + 0xffff_ffff) * 512 }),
    ] {
        let folder = disk(MBR);
        folder.write_at("image", 43008 * 512 + 462 + 8, &link.to_le_bytes());
        let found = folder.inspect("image");
        assert_eq!(found.table.unwrap().problems, [problem], "{link}");
        assert_eq!(found.partitions.iter().map(|p| p.number).collect::<Vec<_>>(), [1, 2, 3, 5]);
    }
}

#[test]
fn what_is_wrong_with_an_mbr_is_told() {
    let folder = disk(MBR);
    folder.write_at("image", 446 + 16, &[0x80]);
    folder.write_at("image", 446 + 16 + 8, &22001_u32.to_le_bytes());
    folder.write_at("image", 446 + 16 + 12, &0xffff_ffff_u32.to_le_bytes());
    let found = problems(&folder);
    for problem in [
        TableProblem::SeveralActive { numbers: vec![1, 2] },
        TableProblem::Overlap { first: 1, second: 2, at: 22001 * 512 },
        TableProblem::PastEnd { number: 2, end: (22001 + 0xffff_ffff) * 512, limit: 64 * MIB },
        TableProblem::Misaligned { number: 2, start: 22001 * 512 },
    ] {
        assert!(found.contains(&problem), "{problem:?}: {found:?}");
    }
    let folder = disk("label: dos\n2048,2048,83\n");
    folder.write_at("image", 450, &[0xee]);
    let found = problems(&folder);
    assert!(found.contains(&TableProblem::ProtectsNothing), "{found:?}");
}

#[test]
fn a_boot_record_of_a_file_system_is_no_table() {
    each(
        [
            ("mkfs.vfat", "mkfs.vfat -F 32 image"),
            ("mkfs.vfat", "mkfs.vfat -F 16 --mbr=y image"),
            ("mkntfs", "mkntfs -q -F image"),
            ("mkfs.exfat", "mkfs.exfat image"),
        ],
        |(tool, script)| {
            let folder = Folder::new();
            folder.image("image", 64 * MIB);
            folder.run(&[tool], script);
            assert_eq!(folder.read_at("image", 510, 2), [0x55, 0xaa]);
            let found = folder.inspect("image");
            assert_eq!((found.table, found.partitions.len()), (None, 0), "{script}");
        },
    );
}

#[test]
fn signs_of_a_file_system_beside_a_table_show() {
    let folder = disk(GPT);
    folder.image("other", 64 * MIB);
    folder.run(&["mkfs.btrfs"], "truncate -s 256M other && mkfs.btrfs -q other");
    // A superblock in the gap before the first partition.
    folder.write_at("image", 65536, &folder.read_at("other", 65536, 4096));
    let found = folder.inspect("image");
    assert_eq!(found.whole.unwrap().kind, VolumeKind::Btrfs { devices: 1 });
    assert_eq!(found.partitions.len(), 3);
}

#[test]
fn types_have_their_names() {
    let folder = disk(MBR);
    let names = folder.inspect("image").partitions.iter().map(|p| p.kind.name()).collect::<Vec<_>>();
    let names = names.into_iter().map(Option::unwrap).collect::<Vec<_>>();
    assert_eq!(names, ["Linux", "NTFS or exFAT", "extended", "Linux swap", "Linux LVM", "Linux"]);
    assert_eq!(PartitionType::Mbr(0x77).name(), None);
}

fn cut(folder: &Folder, size: u64) {
    std::fs::File::options().write(true).open(folder.path("image")).unwrap().set_len(size).unwrap();
}

/// The numbers of the partitions that a table says are cut, and whether its chain of logical ones is.
fn lost(folder: &Folder) -> (Vec<u32>, bool) {
    let problems = problems(folder);
    let number = |problem: &TableProblem| match problem {
        TableProblem::PastEnd { number, .. } => Some(*number),
        _ => None,
    };
    let is_chain = |problem: &TableProblem| matches!(problem, TableProblem::ExtendedPastEnd { .. });
    (problems.iter().filter_map(number).collect(), problems.iter().any(is_chain))
}

#[test]
fn a_disk_that_is_cut_keeps_its_table_and_says_what_is_lost() {
    for script in [MBR, GPT] {
        let folder = disk(script);
        let whole = folder.inspect("image").partitions;
        let whole = whole.iter().filter(|one| !one.kind.is_extended()).collect::<Vec<_>>();
        std::fs::copy(folder.path("image"), folder.path("first")).unwrap();
        let places = whole.iter().flat_map(|one| [one.start, one.end()]);
        let around = places.flat_map(|at| [at - 512, at - 1, at, at + 1, at + 512]);
        // A GPT's list of partitions ends here; beyond the last partition, nothing of either is lost.
        let sizes = around.chain([34 * 512, MIB / 2, 60 * MIB, 64 * MIB - 512, 64 * MIB]);
        for size in sizes {
            std::fs::copy(folder.path("first"), folder.path("image")).unwrap();
            cut(&folder, size);
            let (numbers, is_chain) = lost(&folder);
            let expected = whole.iter().filter(|one| one.end() > size).collect::<Vec<_>>();
            assert_eq!(!numbers.is_empty() || is_chain, !expected.is_empty(), "{size}: {numbers:?}");
            for one in &expected {
                // A logical partition whose record is lost as well is lost with the chain.
                assert!(numbers.contains(&one.number) || one.logical && is_chain, "{size}: {}", one.number);
            }
            assert!(numbers.len() <= expected.len(), "{size}: {numbers:?}");
            let is_missing = problems(&folder)
                .iter()
                .any(|problem| matches!(problem, TableProblem::HeaderMissing { which: Header::Backup, .. }));
            assert_eq!(is_missing, script == GPT && size < 64 * MIB, "{size}");
        }
    }
}

/// Sizes that prove nothing: of what protects a GPT, and of an extended partition.
#[test]
fn what_only_stands_for_others_may_end_beyond_the_disk() {
    let folder = disk(GPT);
    folder.write_at("image", 446 + 12, &[0xff; 4]);
    assert_eq!(problems(&folder), []);
    folder.write_at("image", 512, &[0; 512]);
    cut(&folder, 32 * MIB);
    assert!(problems(&folder).contains(&TableProblem::ProtectsNothing));
    assert_eq!(lost(&folder), (vec![], false));
    let folder = disk(MBR);
    folder.write_at("image", 446 + 32 + 12, &[0xff; 4]);
    assert_eq!(lost(&folder), (vec![], false));
}

/// What has the signature of an MBR and no table, or no possible one.
#[test]
fn a_first_sector_that_is_no_table_is_none() {
    let folder = Folder::new();
    for (name, entries) in [
        // One begins behind the end, and both share sectors.
        ("overlap", &[(0x83, 2048, 1 << 20), (0x83, 1 << 19, 1 << 19)][..]),
        // All begin behind the end, of a type that nobody knows.
        ("type", &[(0x77, 1 << 19, 2048)]),
        ("zero", &[(0x83, 0, 2048)]),
    ] {
        let path = folder.image("image", 64 * MIB);
        let mut sector = [0_u8; 512];
        for (entry, (kind, first, count)) in sector[446..].chunks_mut(16).zip(entries) {
            entry[4] = *kind;
            entry[8..12].copy_from_slice(&u32::to_le_bytes(*first));
            entry[12..].copy_from_slice(&u32::to_le_bytes(*count));
        }
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        folder.write_at("image", 0, &sector);
        assert_eq!(folder.inspect("image").table, None, "{name}");
        std::fs::remove_file(path).unwrap();
    }
}

/// The superblock of a Btrfs that had the whole disk lies where a GPT leaves it alone.
#[test]
fn a_protective_mbr_counts_beside_the_signs_of_a_file_system() {
    let folder = Folder::new();
    folder.image("image", 256 * MIB);
    folder.run(&["mkfs.btrfs", "sgdisk"], "mkfs.btrfs -q image; sgdisk -n1:2048:+100M image");
    let found = folder.inspect("image");
    assert_eq!(found.whole.unwrap().kind, VolumeKind::Btrfs { devices: 1 });
    assert_eq!(found.table.unwrap().problems, []);
    // Without the GPT the disk is the file system's.
    folder.write_at("image", 512, &[0; 512]);
    folder.write_at("image", 256 * MIB - 512, &[0; 512]);
    assert_eq!(folder.inspect("image").table, None);
}
