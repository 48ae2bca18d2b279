//! Tables that lie on each other, on the header or on themselves, and entries that can't be.

use imsprep_source::{Cancel, Error as SourceError, MemoryImage};

use imsprep_ondisk::format::Format;
use imsprep_testdata::noise;

use super::{build_qcow2, build_vmdk};
use crate::{Error, Flaw, Qcow2, Slice, Vmdk, check_tables};

/// A qcow2 that has everything: clusters of 4 KiB, two L2 tables, a refcount table with a block, a snapshot.
struct Whole {
    bytes: Vec<u8>,
    l1: usize,
    l2: [usize; 2],
    refcounts: usize,
    snapshots: usize,
    snapshot_l1: usize,
}

fn whole() -> Whole {
    use build_qcow2::{Form, Kind, build};
    let form = Form { version: 3, cluster_bits: 12, extended: false, zstd: false };
    let mut kinds = vec![Kind::Absent; 514];
    kinds[0] = Kind::Stored(noise(1, 4096));
    kinds[1] = Kind::Packed(noise(2, 64).into_iter().cycle().take(4096).collect());
    kinds[2] = Kind::Packed(noise(3, 3000).into_iter().chain([0; 1096]).collect());
    kinds[3] = Kind::Packed(noise(4, 2000).into_iter().chain([0; 2096]).collect());
    kinds[4] = Kind::Zeros(true);
    kinds[5] = Kind::Stored(noise(5, 4096));
    kinds[512] = Kind::Stored(noise(6, 4096));
    let built = build(form, 514 * 4096, &kinds);
    let mut bytes = built.bytes;
    let entry = |bytes: &[u8], at: usize| u64::from_be_bytes(*bytes[at..].first_chunk().unwrap()) << 1 >> 1;
    let l2 = [0, 8].map(|at| usize::try_from(entry(&bytes, built.l1 + at)).unwrap());
    let mut cluster = |start: &[u8]| {
        bytes.resize(bytes.len().next_multiple_of(4096), 0);
        let at = bytes.len();
        bytes.extend(start);
        bytes.resize(at + 4096, 0);
        at
    };
    let block = cluster(&[]);
    let refcounts = cluster(&(block as u64).to_be_bytes());
    let snapshot_l1 = cluster(&[]);
    let snapshots =
        cluster(&[&(snapshot_l1 as u64).to_be_bytes()[..], &2_u32.to_be_bytes(), &[0, 1, 0, 1]].concat());
    bytes[48..56].copy_from_slice(&(refcounts as u64).to_be_bytes());
    bytes[56..60].copy_from_slice(&1_u32.to_be_bytes());
    bytes[60..64].copy_from_slice(&1_u32.to_be_bytes());
    bytes[64..72].copy_from_slice(&(snapshots as u64).to_be_bytes());
    Whole { bytes, l1: built.l1, l2, refcounts, snapshots, snapshot_l1 }
}

/// What is wrong with the file, and where.
fn flaw(file: &[u8]) -> Option<(u64, String)> {
    let image = MemoryImage::new("disk.qcow2", file.to_vec());
    let flaws = check_tables(Slice::whole(&image), Format::Qcow2, &Cancel::new()).unwrap();
    let opened = Qcow2::open(Slice::whole(&image), &Cancel::new());
    let damage = flaws.into_iter().find_map(|flaw| match flaw {
        Flaw::Damaged { offset, what, .. } => Some((offset, what)),
        Flaw::Outside(_) => None,
    });
    // The reader refuses what the look at the tables does, in the same words.
    match (&damage, opened.err()) {
        (None, None) => {}
        (Some((at, said)), Some(Error::Source(SourceError::Damaged { offset, what, .. }))) => {
            assert_eq!((at, said), (&offset, &what));
        }
        other => panic!("{other:?}"),
    }
    damage
}

#[test]
fn two_things_in_one_place_are_refused_with_the_place() {
    let good = whole();
    assert_eq!(flaw(&good.bytes), None, "several compressed clusters in one host cluster are normal");
    let entry = |at: usize| u64::from_be_bytes(*good.bytes[at..].first_chunk().unwrap());
    let cluster = |number: usize| entry(good.l2[0] + number * 8);
    let plain = |at: usize| at as u64 | 1 << 63;
    let [first, second] = good.l2;
    let l2 = |number: usize| first + number * 8;
    for (at, value, words) in [
        (40, 0, ""),
        (good.l1, plain(good.l1), "L1 table"),
        (good.l1, plain(first + 4096), ""),
        (good.l1 + 8, plain(first), "an L2 table at "),
        (good.l1, plain(good.refcounts), "refcount table"),
        (good.l1, plain(good.snapshots), "snapshot table"),
        (48, first as u64, ""),
        (48, 4096, ""),
        (good.refcounts, first as u64, "refcount block"),
        (good.refcounts, good.refcounts as u64, "refcount block"),
        (good.snapshots, first as u64, "the L1 table of a snapshot"),
        (64, good.l1 as u64, ""),
        (l2(0), plain(good.l1), "the L1 table"),
        (l2(0), plain(first), "an L2 table"),
        (l2(0), plain(second), "an L2 table"),
        (l2(0), plain(good.refcounts), "the refcount table"),
        (l2(0), plain(good.refcounts - 4096), "a refcount block"),
        (l2(0), plain(good.snapshots), "the snapshot table"),
        (l2(0), plain(good.snapshot_l1), "the L1 table of a snapshot"),
        (l2(0), cluster(5), "a cluster of the disk at"),
        (l2(0), cluster(4) & !1, "a cluster of the disk at"),
        (l2(4), cluster(5) | 1, "a cluster of the disk at"),
        (second, cluster(5), "a cluster of the disk at"),
        (l2(0), plain(usize::try_from(cluster(2) & 0x3f_ffff).unwrap() / 4096 * 4096), "compressed cluster"),
        (l2(1), cluster(2), "a compressed cluster at"),
        (l2(1), cluster(2) + 1000, "a compressed cluster at"),
        (l2(1), 1 << 62 | 3 << 58 | (cluster(2) & 0xffff), "a compressed cluster at"),
        (l2(1), 1 << 62 | good.l1 as u64, "the L1 table"),
        (l2(1), 1 << 62 | (first as u64 + 100), "an L2 table"),
        (l2(1), 1 << 62 | 100, "the header"),
        (l2(1), 1 << 62 | (cluster(5) & 0xff_ffff | 7), "a cluster of the disk"),
    ] {
        let mut file = good.bytes.clone();
        file[at..][..8].copy_from_slice(&value.to_be_bytes());
        let (offset, what) = flaw(&file).unwrap_or_else(|| panic!("{at} {value:#x} {words}"));
        // What is read as another kind of table may have entries that can't be.
        let is_told = words.is_empty() || (what.contains("overlaps") && what.contains(words));
        assert!(is_told, "{at} {value:#x}: {offset} {what}");
        // One of the two that collide was altered, or something that it names.
        assert!(offset < good.bytes.len() as u64);
    }
}

#[test]
fn entries_that_can_not_be_are_refused_with_the_place() {
    let good = whole();
    let entry = |at: usize| u64::from_be_bytes(*good.bytes[at..].first_chunk().unwrap());
    let altered = |at: usize, value: u64| {
        let mut file = good.bytes.clone();
        file[at..][..8].copy_from_slice(&value.to_be_bytes());
        flaw(&file)
    };
    let (l1, l2) = (good.l1, good.l2[0]);
    for bit in (0..9).chain(56..63) {
        let (offset, what) = altered(l1, entry(l1) | 1 << bit).unwrap();
        assert!(offset == l1 as u64 && what.contains("reserved bits"), "L1, bit {bit}: {offset} {what}");
    }
    for bit in (1..9).chain(56..62) {
        let (offset, what) = altered(l2, entry(l2) | 1 << bit).unwrap();
        assert!(offset == l2 as u64 && what.contains("reserved bits"), "L2, bit {bit}: {offset} {what}");
    }
    for (at, value, words) in [
        (l1, entry(l1) + 512, "impossible offset"),
        (l1, 1 << 63, "impossible offset"),
        (l2, entry(l2) + 512, "impossible offset"),
        (l2, 1 << 63, "but no offset"),
        (l2 + 8, entry(l2 + 8) | 1 << 63, "the flag of an uncompressed cluster"),
        (good.refcounts, entry(good.refcounts) | 1, "impossible value"),
        (good.refcounts, entry(good.refcounts) + 512, "impossible value"),
    ] {
        let (offset, what) = altered(at, value).unwrap_or_else(|| panic!("{at} {value:#x}"));
        assert!(offset == at as u64 && what.contains(words), "{at}: {offset} {what}");
    }
    // The flag informs writers about the refcount, and matters to no reader.
    assert_eq!(altered(l2, entry(l2) << 1 >> 1), None);
    let mut file = good.bytes.clone();
    file[56..60].fill(0xff);
    assert!(flaw(&file).unwrap().1.contains("larger than any reader supports"));
}

fn vmdk_flaw(file: &[u8]) -> Option<(u64, String)> {
    let image = MemoryImage::new("disk.vmdk", file.to_vec());
    match Vmdk::open(Slice::whole(&image), &Cancel::new()) {
        Ok(_) => None,
        Err(Error::Source(SourceError::Damaged { offset, what, .. })) => Some((offset, what)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn grains_and_tables_of_a_vmdk_lie_apart() {
    use build_vmdk::{Form, Kind, build};
    for form in [Form::Plain, Form::Compressed, Form::Stream] {
        let mut kinds = vec![Kind::Absent; 514];
        kinds[0] = Kind::There(noise(1, 4096));
        kinds[1] = Kind::There(noise(2, 4096));
        kinds[512] = Kind::There(noise(3, 4096));
        let mut good = build(form, 4096, 514 * 8, &kinds);
        // A redundant directory, with tables of its own.
        let sector = |bytes: &[u8]| u32::try_from(bytes.len() / 512).unwrap();
        let tables = [0, 1].map(|_| {
            let at = sector(&good.bytes);
            good.bytes.extend([0; 2048]);
            at
        });
        let redundant = sector(&good.bytes);
        good.bytes.extend(tables.iter().flat_map(|at| at.to_le_bytes()));
        good.bytes.resize(good.bytes.len().next_multiple_of(512), 0);
        if form == Form::Stream {
            // The footer stays last but one.
            let footer = good.bytes[good.header..][..512].to_vec();
            good.header = good.bytes.len();
            good.bytes.extend(footer);
            good.bytes.extend([0; 512]);
        }
        let header = good.header;
        good.bytes[header + 8] |= 2;
        good.bytes[header + 48..][..8].copy_from_slice(&u64::from(redundant).to_le_bytes());
        assert_eq!(vmdk_flaw(&good.bytes), None, "{form:?}");

        let word = |at: usize| u32::from_le_bytes(*good.bytes[at..].first_chunk().unwrap());
        let (directory, table) = (good.directory, good.table.unwrap());
        let at = |sector: usize| u32::try_from(sector / 512).unwrap();
        let mut cases = vec![
            (directory, at(directory), "the grain directory"),
            (directory, word(directory + 4), "a grain table at"),
            (directory + 4, word(directory) + 1, "a grain table at"),
            (directory, redundant, "the redundant grain directory"),
            (directory, tables[1], "a redundant grain table"),
            (table, at(directory), "the grain directory"),
            (table, at(table), "a grain table"),
            (table, at(table) + 3, "a grain table"),
            (table, redundant, "the redundant grain directory"),
            (table, tables[0], "a redundant grain table"),
            (table, word(table + 4), "grain at"),
            (table, word(usize::try_from(word(directory + 4)).unwrap() * 512), "grain at"),
            (usize::try_from(redundant).unwrap() * 512, word(directory + 4), "a redundant grain table"),
        ];
        if form == Form::Plain {
            cases.push((table, word(table + 4) - 3, "a grain at"));
        }
        if form == Form::Stream {
            cases.push((table, at(header), "the footer"));
        }
        for (place, value, words) in cases {
            let mut file = good.bytes.clone();
            file[place..][..4].copy_from_slice(&value.to_le_bytes());
            let (_, what) = vmdk_flaw(&file).unwrap_or_else(|| panic!("{form:?} {place} {value} {words}"));
            assert!(what.contains("overlaps") && what.contains(words), "{form:?} {place} {value}: {what}");
        }
        // A grain within what the header keeps for tables.
        let mut file = good.bytes.clone();
        file[header + 64..][..8].copy_from_slice(&128_u64.to_le_bytes());
        let found = vmdk_flaw(&file);
        assert_eq!(
            found.is_some_and(|(_, what)| what.contains("within the tables of the header")),
            form == Form::Plain
        );
        // Of a directory that says it is its own copy, there is one.
        let mut file = good.bytes.clone();
        file[header + 48..][..8].copy_from_slice(&u64::from(at(directory)).to_le_bytes());
        assert_eq!(vmdk_flaw(&file), None, "{form:?}");
    }
}
