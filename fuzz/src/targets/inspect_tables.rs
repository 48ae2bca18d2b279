//! Input: flags, then a sparse disk. By the flags the CRCs of a GPT are put right: of the header and entries in sector 1, of
//! those that it names as its backup, and of one in the last sector; with sectors of 512 or 4096 bytes.
//!
//! Oracle: the partitions are those that a naive walk over the same bytes finds; problems are reported where two partitions overlap,
//! one reaches beyond the disk or is badly aligned, and nowhere else; no read goes beyond the disk, and all of them together
//! stay small.

use imsprep_inspect::{
    Inspection, MAX_PARTITIONS, MAX_PROBLEMS, Partition, TableKind, TableProblem, VolumeKind, inspect,
};
use imsprep_source::{Cancel, ReadAt};

use crate::plant::planted;
use crate::sparse::SparseFile;

/// Bytes that are read of a disk at most, and of each partition.
const READ_OF_DISK: u64 = 48 << 20;
const READ_OF_PARTITION: u64 = 8 << 20;
/// Bytes of a list of entries at most.
const ENTRIES: u64 = 1 << 20;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((flags, rest)) = data.split_first() else { return };
    let (disk, _) = disk_of(*flags, rest);
    let found = look(&disk);
    // Two partitions in each other's place is the bug to be found.
    let found = planted(found, |found| {
        if let Some(partition) = found.partitions.first_mut() {
            partition.start += 512;
        }
    });
    check_partitions(&disk, &found);
    check_problems(&found);
}

/// The disk, and the bytes of its sectors.
pub(super) fn disk_of(flags: u8, rest: &[u8]) -> (SparseFile, u64) {
    let mut disk = SparseFile::decode(rest, 1 << 41);
    let sector = if flags & 4 == 0 { 512 } else { 4096 };
    if flags & 1 != 0 {
        seal_gpt(&mut disk, sector);
    }
    (disk, sector)
}

/// Inspects, and holds the reads against their bounds.
pub(super) fn look(disk: &SparseFile) -> Inspection {
    disk.take_reads();
    let found = inspect(disk, &Cancel::new()).expect("a disk in memory can be read");
    let reads = disk.take_reads();
    assert_eq!(reads.outside, 0, "reads beyond the disk");
    let count = found.partitions.len() as u64;
    assert!(
        reads.bytes <= READ_OF_DISK + count * READ_OF_PARTITION,
        "{} bytes were read: {found:?}",
        reads.bytes
    );
    assert_eq!(found.disk_size, disk.size());
    assert!(found.partitions.len() <= MAX_PARTITIONS + 4, "{} partitions", found.partitions.len());
    found
}

/// Makes CRCs right, so that changes of what they guard get further.
fn seal_gpt(disk: &mut SparseFile, sector: u64) {
    seal_header(disk, sector, sector);
    let alternate = disk.peek(sector + 32).map(u64::from_le_bytes).and_then(|lba| lba.checked_mul(sector));
    let last = (disk.size() / sector).checked_sub(1).map(|last| last * sector);
    for at in [alternate, last].into_iter().flatten() {
        seal_header(disk, sector, at);
    }
}

fn seal_header(disk: &mut SparseFile, sector: u64, at: u64) {
    let Some(header) = disk.peek::<92>(at).filter(|header| header.starts_with(b"EFI PART")) else { return };
    if let Some(entries) = entries_of(disk, sector, &header) {
        disk.write(at + 88, crc32fast::hash(&entries).to_le_bytes().to_vec());
    }
    let size = u64::from(u32_at(&header, 12)).min(sector);
    disk.write(at + 16, vec![0; 4]);
    if let Some(bytes) = bytes_of(disk, at, size) {
        disk.write(at + 16, crc32fast::hash(&bytes).to_le_bytes().to_vec());
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("within the structure"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("within the structure"))
}

fn bytes_of(disk: &SparseFile, at: u64, length: u64) -> Option<Vec<u8>> {
    at.checked_add(length).filter(|end| *end <= disk.size() && length <= ENTRIES)?;
    let mut bytes = vec![0; length as usize];
    disk.read_at(&mut bytes, at).ok()?;
    Some(bytes)
}

/// The entries that a header describes, if they are in the disk.
fn entries_of(disk: &SparseFile, sector: u64, header: &[u8; 92]) -> Option<Vec<u8>> {
    let length = u64::from(u32_at(header, 80)).checked_mul(u32_at(header, 84).into())?;
    bytes_of(disk, u64_at(header, 72).checked_mul(sector)?, length)
}

/// Number, start and length, as the naive walk has them.
type Plain = (u32, u64, u64);

fn plain(partition: &Partition) -> Plain {
    (partition.number, partition.start, partition.length)
}

fn check_partitions(disk: &SparseFile, found: &Inspection) {
    let Some(table) = &found.table else {
        assert!(found.partitions.is_empty(), "partitions without a table");
        return;
    };
    let told = found.partitions.iter().map(plain).collect::<Vec<_>>();
    match table.kind {
        TableKind::Mbr { .. } => assert_eq!(told, naive_mbr(disk), "{:?}", table.problems),
        TableKind::Gpt { .. } => {
            let last = (disk.size() / table.sector).saturating_sub(1) * table.sector;
            let alternate = disk.peek(table.sector + 32).map(u64::from_le_bytes);
            let alternate = alternate.and_then(|lba| lba.checked_mul(table.sector));
            let places = [Some(table.sector), alternate, Some(last)];
            let lists = places.into_iter().flatten().filter_map(|at| naive_gpt(disk, table.sector, at));
            let lists = lists.collect::<Vec<_>>();
            // Of entries that are not in the disk none is reported.
            let unread =
                table.problems.iter().any(|problem| matches!(problem, TableProblem::EntriesPastEnd { .. }));
            assert!(
                lists.contains(&told) || unread && told.is_empty(),
                "{told:?}, and no header has these: {lists:?}"
            );
        }
    }
}

/// The partitions that the header at `at` has.
fn naive_gpt(disk: &SparseFile, sector: u64, at: u64) -> Option<Vec<Plain>> {
    let header = disk.peek::<92>(at).filter(|header| header.starts_with(b"EFI PART"))?;
    let entries = entries_of(disk, sector, &header)?;
    let size = u32_at(&header, 84) as usize;
    let mut partitions = Vec::new();
    for (number, entry) in (1..).zip(entries.chunks_exact(size.max(128))) {
        if entry[..16] != [0; 16] {
            let start = u64_at(entry, 32).saturating_mul(sector);
            let end = u64_at(entry, 40).saturating_add(1).saturating_mul(sector);
            partitions.push((number, start, end.saturating_sub(start)));
        }
    }
    partitions.truncate(MAX_PARTITIONS);
    Some(partitions)
}

/// The partitions of an MBR, and what the chain of the first extended one leads to.
fn naive_mbr(disk: &SparseFile) -> Vec<Plain> {
    let record = |at: u64| disk.peek::<512>(at).filter(|record| record[510..] == [0x55, 0xaa]);
    let entry = |record: &[u8; 512], number: usize| {
        let entry = &record[446 + 16 * number..][..16];
        (entry[4], u64::from(u32_at(entry, 8)) * 512, u64::from(u32_at(entry, 12)) * 512)
    };
    let is_extended = |kind| matches!(kind, 0x05 | 0x0f | 0x85);
    let first = record(0).expect("an MBR was found");
    let mut partitions = Vec::new();
    let mut extended = None;
    for number in 0..4 {
        let (kind, start, length) = entry(&first, number);
        if kind != 0 && length > 0 {
            partitions.push((number as u32 + 1, start, length));
            if is_extended(kind) && extended.is_none() {
                extended = Some((start, length));
            }
        }
    }
    let Some((base, length)) = extended else { return partitions };
    let (mut at, mut seen, mut number) = (base, Vec::new(), 5);
    while seen.len() < imsprep_inspect::MAX_LOGICAL
        && !seen.contains(&at)
        && (base..base + length).contains(&at)
    {
        seen.push(at);
        let Some(link) = record(at) else { break };
        let (kind, start, length) = entry(&link, 0);
        if kind != 0 && length > 0 {
            partitions.push((number, at + start, length));
            number += 1;
        }
        let (kind, start, _) = entry(&link, 1);
        if !is_extended(kind) {
            break;
        }
        at = base + start;
    }
    partitions
}

fn check_problems(found: &Inspection) {
    let Some(table) = &found.table else { return };
    assert!(table.problems.len() <= MAX_PROBLEMS);
    for (number, problem) in table.problems.iter().enumerate() {
        assert!(!table.problems[..number].contains(problem), "{problem} twice");
    }
    let is_full = table.problems.len() == MAX_PROBLEMS;
    let is_iso = found.whole.as_ref().is_some_and(|whole| whole.kind == VolumeKind::Iso9660);
    for partition in &found.partitions {
        let told = |is_it: &dyn Fn(&TableProblem) -> bool| table.problems.iter().any(is_it);
        let beyond = told(
            &|problem| matches!(problem, TableProblem::PastEnd { number, .. } if *number == partition.number),
        );
        // What stands for a GPT, and what only holds others, proves nothing by its size.
        let proves = !partition.kind.is_protective() && !partition.kind.is_extended();
        let is_beyond = proves && partition.end() > found.source_size;
        assert!(
            beyond == is_beyond || is_full,
            "partition {} of a disk of {}",
            partition.number,
            found.disk_size
        );
        let misaligned = told(
            &|problem| matches!(problem, TableProblem::Misaligned { number, .. } if *number == partition.number),
        );
        let counts = !is_iso && !partition.kind.is_bios_boot() && !partition.kind.is_extended();
        assert!(misaligned == (counts && partition.start % 4096 != 0) || is_full, "{partition:?}");
    }
    let overlapping = table.problems.iter().any(|problem| matches!(problem, TableProblem::Overlap { .. }));
    let overlap = |a: &Partition, b: &Partition| a.start.max(b.start) < a.end().min(b.end());
    let expected = found.partitions.iter().enumerate().any(|(number, one)| {
        found.partitions[..number].iter().any(|other| {
            // An extended partition holds the logical ones, and nothing else.
            let nested = |a: &Partition, b: &Partition| a.logical && b.kind.is_extended();
            !nested(one, other) && !nested(other, one) && overlap(one, other)
        })
    });
    assert!(overlapping == (expected && !is_iso) || is_full, "{:?}", table.problems);
    for pair in found.partitions.windows(2) {
        assert!(pair[0].number < pair[1].number, "numbers in order");
    }
    let alignment =
        found.partitions.iter().map(|partition| 1 << partition.start.trailing_zeros().min(20)).min();
    assert_eq!(table.alignment, alignment);
}

/// Disks with a GPT of each size of sectors, with an MBR, with a chain of logical partitions.
pub fn seeds() -> Vec<Vec<u8>> {
    let raw = std::fs::read(imsprep_testdata::folder().join("small.raw")).expect("small.raw");
    let gpt = |flags, sector| [vec![flags], gpt_disk(sector)].concat();
    vec![
        gpt(1, 512),
        gpt(5, 4096),
        [vec![0], SparseFile::encode_bytes(&raw)].concat(),
        [vec![0], mbr_disk(&[(0x83, 2048, 2048), (0x83, 4096, 4096), (0x07, 9000, 100)], &[])].concat(),
        [vec![0], mbr_disk(&[(0x83, 2048, 2048), (0x05, 4096, 16384)], &[(4096, 2048), (8192, 2048)])]
            .concat(),
    ]
}

/// A disk of 64 MiB with a GPT of two partitions.
fn gpt_disk(sector: u64) -> Vec<u8> {
    let size = 64 << 20;
    let last = size / sector - 1;
    let mut entries = vec![0; 8 * 128];
    for (number, (first, end)) in [(2048, 4095), (4096, 6143)].into_iter().enumerate() {
        let entry = &mut entries[number * 128..][..128];
        entry[..16].fill(0x11 + number as u8);
        entry[16..32].fill(0x21 + number as u8);
        entry[32..40].copy_from_slice(&u64::to_le_bytes(first));
        entry[40..48].copy_from_slice(&u64::to_le_bytes(end));
        entry[56] = b'a';
    }
    let header = |own: u64, other: u64, entries_at: u64| {
        let mut header = vec![0; 92];
        header[..8].copy_from_slice(b"EFI PART");
        header[8..12].copy_from_slice(&[0, 0, 1, 0]);
        header[12] = 92;
        for (at, number) in [(24, own), (32, other), (40, 34), (48, last - 34), (72, entries_at)] {
            header[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        header[56..72].fill(9);
        header[80] = 8;
        header[84] = 128;
        header
    };
    let mut mbr = vec![0; 512];
    mbr[446 + 4] = 0xee;
    mbr[446 + 8] = 1;
    mbr[446 + 12..446 + 16].fill(0xff);
    mbr[510..].copy_from_slice(&[0x55, 0xaa]);
    let chunks = [
        (0, mbr),
        (sector, header(1, last, 2)),
        (2 * sector, entries.clone()),
        ((last - 4) * sector, entries),
        (last * sector, header(last, 1, last - 4)),
    ];
    SparseFile::encode(size, chunks)
}

/// A disk of 64 MiB with these partitions as kind, first sector and sectors; and logical ones by their record's place and their
/// sectors, in the last of the others.
fn mbr_disk(partitions: &[(u8, u32, u32)], logical: &[(u32, u32)]) -> Vec<u8> {
    let record = |entries: &[(u8, u32, u32)]| {
        let mut record = vec![0; 512];
        for (number, (kind, first, count)) in entries.iter().enumerate() {
            let entry = &mut record[446 + 16 * number..][..16];
            entry[4] = *kind;
            entry[8..12].copy_from_slice(&first.to_le_bytes());
            entry[12..].copy_from_slice(&count.to_le_bytes());
        }
        record[510..].copy_from_slice(&[0x55, 0xaa]);
        record
    };
    let base = partitions.last().map_or(0, |(_, first, _)| *first);
    let mut chunks = vec![(0, record(partitions))];
    for (number, (at, count)) in logical.iter().enumerate() {
        let mut entries = vec![(0x83, 63, *count)];
        if let Some((next, count)) = logical.get(number + 1) {
            entries.push((0x05, next - base, *count));
        }
        chunks.push((u64::from(*at) * 512, record(&entries)));
    }
    SparseFile::encode(64 << 20, chunks)
}
