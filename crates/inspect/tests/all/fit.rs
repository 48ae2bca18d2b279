//! A GPT that moves to the end of a larger disk: held against a naive twin, and against sgdisk byte for byte.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::fs;

use imsprep_inspect::{BackupMove, CannotFit, Fitting, Inspection, TableProblem, fit_table, inspect};
use imsprep_source::{Cancel, MemoryImage};
use imsprep_testdata::{each, need_tools};
use proptest::prelude::*;

use crate::support::{Folder, MIB};

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap()
}

fn look(bytes: &[u8]) -> Inspection {
    inspect(&MemoryImage::new("disk", bytes.to_vec()), &Cancel::new()).unwrap()
}

fn fit(bytes: &[u8], size: u64) -> Result<Fitting, CannotFit> {
    fit_table(&MemoryImage::new("disk", bytes.to_vec()), &look(bytes), size).unwrap()
}

/// The disk after it was fitted.
fn apply(mut bytes: Vec<u8>, fitting: &Fitting) -> Vec<u8> {
    bytes.resize(index(fitting.size_after), 0);
    let mut end = 0;
    for patch in &fitting.patches {
        assert!(patch.offset >= end && !patch.bytes.is_empty());
        end = patch.offset + patch.bytes.len() as u64;
        bytes[index(patch.offset)..index(end)].copy_from_slice(&patch.bytes);
    }
    bytes
}

/// A table, by its numbers.
#[derive(Clone, Debug)]
struct Made {
    sector: u64,
    entries: u32,
    entry_size: u32,
    first_usable: u64,
    last_usable: u64,
    entries_lba: u64,
    backup_entries_lba: u64,
    sectors: u64,
    /// First and last sectors.
    partitions: Vec<(u64, u64)>,
}

impl Made {
    fn entry_sectors(&self) -> u64 {
        (u64::from(self.entries) * u64::from(self.entry_size)).div_ceil(self.sector)
    }

    fn entry_bytes(&self) -> Vec<u8> {
        let size = self.entry_size as usize;
        let mut bytes = vec![0; self.entries as usize * size];
        for (n, (first, last)) in self.partitions.iter().enumerate() {
            let entry = &mut bytes[n * size..];
            entry[..16].fill(7);
            entry[16..32].fill(u8::try_from(n + 1).unwrap());
            entry[32..40].copy_from_slice(&first.to_le_bytes());
            entry[40..48].copy_from_slice(&last.to_le_bytes());
        }
        bytes
    }

    fn header(&self, is_primary: bool) -> Vec<u8> {
        let mut b = vec![0; index(self.sector)];
        let (one, end) = (1_u64, self.sectors - 1);
        let (my, other) = if is_primary { (one, end) } else { (end, one) };
        let entries_lba = if is_primary { self.entries_lba } else { self.backup_entries_lba };
        b[..8].copy_from_slice(b"EFI PART");
        b[8..12].copy_from_slice(&0x1_0000_u32.to_le_bytes());
        b[12..16].copy_from_slice(&92_u32.to_le_bytes());
        for (at, value) in
            [(24, my), (32, other), (40, self.first_usable), (48, self.last_usable), (72, entries_lba)]
        {
            b[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        b[56..72].fill(0x11);
        b[80..84].copy_from_slice(&self.entries.to_le_bytes());
        b[84..88].copy_from_slice(&self.entry_size.to_le_bytes());
        b[88..92].copy_from_slice(&crc32(&self.entry_bytes()).to_le_bytes());
        let crc = crc32(&b[..92]);
        b[16..20].copy_from_slice(&crc.to_le_bytes());
        b
    }

    /// Writes the table over the bytes of a disk.
    fn write(&self, disk: &mut [u8]) {
        let mut put = |sector: u64, bytes: &[u8]| {
            let at = index(sector * self.sector);
            disk[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(self.entries_lba, &self.entry_bytes());
        put(self.backup_entries_lba, &self.entry_bytes());
        put(1, &self.header(true));
        put(self.sectors - 1, &self.header(false));
        let count = u32::try_from(self.sectors - 1).unwrap();
        let last = self.sectors - 1;
        let chs = |lba: u64| {
            let (c, h, s) = (lba / (255 * 63), lba / 63 % 255, lba % 63 + 1);
            [
                u8::try_from(h).unwrap(),
                u8::try_from(s + (c >> 8) * 64).unwrap(),
                u8::try_from(c % 256).unwrap(),
            ]
        };
        disk[446..510].fill(0);
        disk[446..450].copy_from_slice(&[0, 0, 2, 0]);
        disk[450] = 0xee;
        disk[451..454].copy_from_slice(&chs(last));
        disk[454..458].copy_from_slice(&1_u32.to_le_bytes());
        disk[458..462].copy_from_slice(&count.to_le_bytes());
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    }

    /// The same table on a disk of other sectors: where sgdisk has the backup, or right before the end.
    fn on(&self, sectors: u64) -> Option<Self> {
        let last_used = self.partitions.iter().map(|one| one.1).max().unwrap_or(0);
        let mirrored = sectors - self.first_usable;
        let latest = sectors - 2 - self.entry_sectors();
        let least = last_used.max(self.first_usable - 1);
        let has_space = |last: u64| last >= least && last + self.entry_sectors() < sectors - 1;
        let last_usable = if has_space(mirrored) { mirrored } else { latest };
        has_space(last_usable).then(|| Self {
            sectors,
            last_usable,
            backup_entries_lba: last_usable + 1,
            ..self.clone()
        })
    }
}

/// CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
    !bytes.iter().fold(!0, |crc: u32, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn made() -> impl Strategy<Value = Made> {
    let shape = (any::<bool>(), 1_u32..140, 0_u32..3, 0_u64..70, 0_u64..20, any::<bool>());
    let partitions = prop::collection::vec((0_u64..30, 1_u64..40), 0..5);
    (shape, partitions).prop_map(|((large, entries, shift, gap, free, late), lengths)| {
        let (sector, entry_size) = (if large { 4096 } else { 512 }, 128 << shift);
        let mut made = Made {
            sector,
            entries: entries.max(u32::try_from(lengths.len()).unwrap()),
            entry_size,
            first_usable: 0,
            last_usable: 0,
            entries_lba: 2,
            backup_entries_lba: 0,
            sectors: 0,
            partitions: Vec::new(),
        };
        if late {
            // The entries right before the first sector for partitions.
            made.entries_lba += gap;
        }
        made.first_usable = 2 + made.entry_sectors() + gap;
        let mut at = made.first_usable;
        for (gap, length) in lengths {
            made.partitions.push((at + gap, at + gap + length - 1));
            at += gap + length;
        }
        made.backup_entries_lba = at + free;
        made.last_usable = at + free - 1;
        made.sectors = at + free + made.entry_sectors() + 1;
        made
    })
}

/// Bytes of the disk, of which no two places next to each other are the same.
fn disk_of(made: &Made, more: u64) -> Vec<u8> {
    let size = index(made.sectors * made.sector + more);
    let mut disk = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect::<Vec<_>>();
    // What could be taken for a signature of a file system is none.
    disk[..index(2 * made.sector)].fill(0);
    made.write(&mut disk);
    disk
}

fn result_of(made: &Made, before: &[u8], size: u64) -> Option<Vec<u8>> {
    let after = made.on(size / made.sector)?;
    let mut bytes = before.to_vec();
    bytes.resize(index(size), 0);
    // The table of the smaller disk stays where nothing is written over it.
    after.write(&mut bytes);
    Some(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_table_is_that_of_the_naive_twin(
        made in made(), grow in 0_u64..80, tail in 0_u64..512, damage in prop::option::of((any::<bool>(), 1_u8..)),
    ) {
        let mut disk = disk_of(&made, 0);
        let size = (made.sectors + grow) * made.sector + tail;
        let expected = result_of(&made, &disk, size);
        let backup_at = (made.sectors - 1) * made.sector;
        let mut from = Some(backup_at);
        if let Some((of_header, by)) = damage {
            // A backup that is damaged is made anew.
            let at = if of_header { index(backup_at) + 20 } else { index(made.backup_entries_lba * made.sector) };
            disk[at] ^= by;
            from = None;
        }
        let before = disk.clone();
        match (fit(&disk, size), expected) {
            (Ok(fitting), _) if size == disk.len() as u64 && from.is_some() => {
                prop_assert!(fitting.is_unchanged() && fitting.backup.is_none());
            }
            (Ok(fitting), Some(mut expected)) => {
                let to = (size / made.sector - 1) * made.sector;
                prop_assert_eq!(fitting.backup, Some(BackupMove { from, to }));
                // The damage stays where nothing is written over it.
                let clean = disk_of(&made, 0);
                for (at, byte) in before.iter().enumerate().filter(|(at, byte)| clean[*at] != **byte) {
                    if expected[at] == clean[at] && !covers(&fitting, at) {
                        expected[at] = *byte;
                    }
                }
                let result = apply(disk, &fitting);
                // An MBR of a disk that keeps its size is right as it is.
                prop_assert!(result == expected, "{:?}", first_difference(&result, &expected));
                let after = look(&result);
                prop_assert_eq!(after.partitions.len(), made.partitions.len());
                let mut problems = after.table.unwrap().problems;
                problems.retain(|problem| !matches!(problem, TableProblem::Misaligned { .. }));
                prop_assert_eq!(problems, vec![]);
            }
            (Err(CannotFit::NoSpace), None) => {}
            (found, expected) => panic!("{found:?} {}", expected.is_some()),
        }
    }

    /// Whatever a header says whose checksum is right: it is refused, or the result is a sound table of the same partitions.
    #[test]
    fn a_hostile_header_is_refused_or_fits(
        made in made(), changes in prop::collection::vec((0_usize..92, any::<u8>()), 0..4),
        of_entries in prop::collection::vec((0_usize..2000, any::<u8>()), 0..4), grow in 0_u64..40,
    ) {
        let mut disk = disk_of(&made, 0);
        let entries_at = index(made.entries_lba * made.sector);
        let length = made.entry_bytes().len();
        for (at, byte) in of_entries {
            disk[entries_at + at % length] = byte;
        }
        let sector = index(made.sector);
        let crc = crc32(&disk[entries_at..entries_at + length]);
        disk[sector + 88..sector + 92].copy_from_slice(&crc.to_le_bytes());
        for (at, byte) in changes {
            disk[sector + at] = byte;
        }
        disk[sector + 16..sector + 20].fill(0);
        let crc = crc32(&disk[sector..sector + 92]);
        disk[sector + 16..sector + 20].copy_from_slice(&crc.to_le_bytes());
        let before = look(&disk);
        let size = (made.sectors + grow) * made.sector;
        if let Ok(fitting) = fit(&disk, size) {
            let result = apply(disk.clone(), &fitting);
            let after = look(&result);
            let places = |inspection: &Inspection| {
                inspection.partitions.iter().map(|one| (one.number, one.start, one.length)).collect::<Vec<_>>()
            };
            prop_assert_eq!(places(&before), places(&after));
            if fitting.backup.is_some() {
                for problem in after.table.unwrap().problems {
                    let is_harmless =
                        matches!(problem, TableProblem::Misaligned { .. } | TableProblem::SameGuid { .. });
                    prop_assert!(is_harmless, "{}", problem);
                }
            }
            // No partition has other bytes.
            for one in before.partitions {
                let range = index(one.start)..index(one.end());
                prop_assert!(disk[range.clone()] == result[range]);
            }
        }
    }
}

fn covers(fitting: &Fitting, at: usize) -> bool {
    fitting.patches.iter().any(|patch| {
        let start = index(patch.offset);
        (start..start + patch.bytes.len()).contains(&at)
    })
}

fn first_difference(a: &[u8], b: &[u8]) -> Option<(usize, u8, u8)> {
    let at = a.iter().zip(b).position(|(a, b)| a != b)?;
    Some((at, a[at], b[at]))
}

/// What makes a disk of 32 MiB in `image`.
const TABLES: [(&str, &[&str], &str); 12] = [
    ("sgdisk", &["sgdisk"], "sgdisk -n1:0:+10M -n2:0:0 image"),
    ("empty", &["sgdisk"], "sgdisk -o image"),
    ("256 entries", &["sgdisk"], "sgdisk -S 256 -n1:0:+10M -n2:0:+5M image"),
    ("12 entries", &["sgdisk"], "sgdisk -S 12 -n1:0:+10M image"),
    ("entries elsewhere", &["sgdisk"], "sgdisk -j 100 -n1:0:+10M image"),
    ("sfdisk", &["sfdisk"], "printf 'label: gpt\\nsize=10M\\nsize=5M\\n' | sfdisk -q image"),
    ("sfdisk, full", &["sfdisk"], "printf 'label: gpt\\nsize=10M\\nsize=+\\n' | sfdisk -q image"),
    ("parted", &["parted"], "parted -s image mklabel gpt mkpart one 1MiB 20MiB mkpart two 20MiB 100%"),
    ("hybrid", &["sgdisk"], "sgdisk -n1:0:+10M -n2:0:+10M image; sgdisk -h 1:2 image"),
    ("hybrid, GPT last", &["sgdisk"], "sgdisk -n1:0:+10M -n2:0:+10M image; sgdisk -h 1:2:EE image"),
    (
        "no backup",
        &["sgdisk"],
        "sgdisk -n1:0:+10M image; dd if=/dev/zero of=image bs=512 seek=65503 count=33 conv=notrunc",
    ),
    (
        "backup not at the end",
        &["sgdisk"],
        "truncate -s 20M image; sgdisk -n1:0:+10M image; truncate -s 32M image",
    ),
];

#[test]
fn the_result_is_what_sgdisk_makes() {
    need_tools(["sgdisk", "truncate"]);
    each(TABLES, |(name, tools, script)| {
        let folder = Folder::new();
        folder.image("image", 32 * MIB);
        folder.run(tools, &format!("{script} > /dev/null 2>&1"));
        let before = fs::read(folder.path("image")).unwrap();
        for size in [32 * MIB, 33 * MIB, 48 * MIB] {
            let fitting = fit(&before, size).unwrap();
            let result = apply(before.clone(), &fitting);
            fs::write(folder.path("result"), &result).unwrap();
            let text = folder.output("sgdisk -v result");
            let is_sound =
                text.contains("No problems found") && !text.contains("invalid") && !text.contains("damaged");
            assert!(is_sound, "{name} {size}: {text}");
            folder.run(&["sfdisk"], "sfdisk --verify result > /dev/null");
            folder.run(&[], &format!("cp image theirs; truncate -s {size} theirs"));
            let text = folder.output("sgdisk -e theirs");
            let done = text.contains("completed successfully");
            let theirs = fs::read(folder.path("theirs")).unwrap();
            if done && !fitting.is_unchanged() {
                assert!(result == theirs, "{name} {size}: {:?}", first_difference(&result, &theirs));
            } else {
                // sgdisk does nothing where it would put the backup into a partition, and may rearrange what is right.
                assert!(fitting.is_unchanged() || name == "sfdisk, full", "{name} {size}: {text}");
            }
        }
    });
}

#[test]
fn what_is_only_a_part_or_damaged_is_refused() {
    need_tools(["sgdisk", "truncate", "dd"]);
    let cases = [
        (
            "cut",
            "sgdisk -n1:0:+10M image; truncate -s 60M image",
            "the disk is truncated: the backup GPT header is missing",
        ),
        ("cut in a partition", "sgdisk -n1:0:0 image; truncate -s 60M image", "the disk is truncated: "),
        (
            "cut MBR",
            "printf 'size=+\\n' | sfdisk -q image; truncate -s 60M image",
            "the disk is truncated: partition 1 ends",
        ),
        (
            "no primary",
            "sgdisk -n1:0:+10M image; dd if=/dev/zero of=image bs=512 seek=1 count=1 conv=notrunc",
            "its partition table is damaged: the primary GPT header is missing",
        ),
        (
            "primary entries",
            "sgdisk -n1:0:+10M image; printf x | dd of=image bs=1 seek=1060 conv=notrunc",
            "its partition table is damaged: the CRC of the primary GPT's partition entries",
        ),
        (
            "two tables",
            "sgdisk -n1:0:+10M image; cp image other; sgdisk -n2:0:+5M other; dd if=other of=image bs=512 count=34 conv=notrunc",
            "its partition table is damaged: the two GPT headers differ in the partitions",
        ),
        (
            "no GPT at all",
            "sgdisk -n1:0:+10M image; dd if=/dev/zero of=image bs=512 seek=1 count=1 conv=notrunc;
             dd if=/dev/zero of=image bs=512 seek=131071 count=1 conv=notrunc",
            "its partition table is damaged: the primary GPT header is missing",
        ),
    ];
    each(cases, |(name, script, reason)| {
        let folder = Folder::new();
        folder.image("image", 64 * MIB);
        folder.run(&["sfdisk"], &format!("({script}) > /dev/null 2>&1"));
        let why = fit(&fs::read(folder.path("image")).unwrap(), 100 * MIB).unwrap_err().to_string();
        assert!(why.starts_with(reason), "{name}: {why}");
    });
}

#[test]
fn entries_in_the_sector_of_the_mbr_are_refused() {
    need_tools(["sgdisk"]);
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.run(&["sgdisk"], "sgdisk -n1:0:+10M image > /dev/null");
    let mut disk = fs::read(folder.path("image")).unwrap();
    // Four entries from sector 0 on, none of which is in use; with the right checksums.
    let entries = crc32(&disk[..512]);
    let header = &mut disk[512..512 + 92];
    header[72..80].fill(0);
    header[80..84].copy_from_slice(&4_u32.to_le_bytes());
    header[88..92].copy_from_slice(&entries.to_le_bytes());
    header[16..20].fill(0);
    let sum = crc32(header);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    // The backup describes other partitions.
    let end = disk.len();
    disk[end - 512..].fill(0);
    let why = fit(&disk, 100 * MIB).unwrap_err().to_string();
    assert!(why.contains("its entries overlap the MBR"), "{why}");
}

#[test]
fn other_tables_are_only_enlarged() {
    each(["printf 'size=10M\\n' | sfdisk -q image", "true"], |script| {
        let folder = Folder::new();
        folder.image("image", 64 * MIB);
        folder.run(&["sfdisk"], script);
        let fitting = fit(&fs::read(folder.path("image")).unwrap(), 100 * MIB).unwrap();
        let expected =
            Fitting { size_before: 64 * MIB, size_after: 100 * MIB, backup: None, patches: vec![] };
        assert_eq!(fitting, expected);
    });
}

#[test]
fn a_disk_starts_from_an_active_protective_partition_as_before() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.run(&["parted"], "parted -s image mklabel gpt mkpart one 1MiB 20MiB disk_set pmbr_boot on");
    folder.write_at("image", 440, &[1, 2, 3, 4, 5, 6]);
    let before = fs::read(folder.path("image")).unwrap();
    let after = apply(before.clone(), &fit(&before, 100 * MIB).unwrap());
    assert!(before[440..447] == after[440..447] && after[446] == 0x80);
    assert_eq!(after[454..462], [&1_u32.to_le_bytes()[..], &204_799_u32.to_le_bytes()].concat());
}

#[test]
fn sectors_of_4096_bytes_are_as_fdisk_has_them() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    let script =
        r"printf 'g\nn\n\n\n+10M\nn\n\n\n+20M\nw\n' | fdisk -b 4096 -w always -W always image > /dev/null";
    folder.run(&["fdisk"], script);
    let before = fs::read(folder.path("image")).unwrap();
    let fitting = fit(&before, 100 * MIB).unwrap();
    assert_eq!(fitting.backup, Some(BackupMove { from: Some(64 * MIB - 4096), to: 100 * MIB - 4096 }));
    fs::write(folder.path("image"), apply(before, &fitting)).unwrap();
    let text = folder.output(r"printf 'v\np\nq\n' | fdisk -b 4096 image");
    assert!(text.contains("No errors detected") && !text.contains("corrupt"), "{text}");
    assert!(text.contains("image2") && !text.contains("not match"), "{text}");
}
