//! Archives that are built, and what is wrong with them.

use imsprep_source::{MemoryImage, ReadAt, Sparse};
use imsprep_testdata::{ZipMember, zip_archive};
use proptest::prelude::*;

use super::look_into_zip;
use crate::{Archive, Content, Fact, Format, Method, Role, detect};

/// A disk with a partition table.
fn disk(size: usize) -> Vec<u8> {
    let mut disk = (0..size).map(|n| u8::try_from(n / 512 % 251).unwrap()).collect::<Vec<_>>();
    disk[..512].fill(0);
    disk[446..462].copy_from_slice(b"\x80\x20\x21\0\x83\0\0\0\x01\0\0\0\x07\0\0\0");
    disk[510..512].copy_from_slice(b"\x55\xaa");
    disk
}

fn look(bytes: Vec<u8>) -> Archive {
    look_into_zip(&MemoryImage::new("a.zip", bytes)).unwrap()
}

fn damage(bytes: Vec<u8>) -> String {
    let facts = look(bytes).facts;
    match &facts[..] {
        [Fact::Damaged(what) | Fact::OutsideFile(what)] => what.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn members_of_all_forms_are_found_where_they_are() {
    let (disk, other) = (disk(100_000), vec![7; 3000]);
    let forms = [
        ZipMember::stored("a/disk.raw", &disk),
        ZipMember::stored("a/disk.raw", &disk).with_descriptor(true, false),
        ZipMember::deflated("a/disk.raw", &disk),
        ZipMember::deflated("a/disk.raw", &disk).with_descriptor(true, false),
        ZipMember::deflated("a/disk.raw", &disk).with_descriptor(false, false),
        ZipMember::deflated("a/disk.raw", &disk).with_descriptor(true, true),
        ZipMember::deflated("a/disk.raw", &disk).with_descriptor(false, true),
        ZipMember { is_zip64: true, ..ZipMember::deflated("a/disk.raw", &disk) },
        ZipMember { is_zip64: true, ..ZipMember::stored("a/disk.raw", &disk) },
        ZipMember { mode: 0o100_644, ..ZipMember::stored("a/disk.raw", &disk) },
    ];
    for form in forms {
        let folder = ZipMember::stored("a/", &[]);
        let link = ZipMember { mode: 0o120_777, ..ZipMember::stored("a/disk.img", b"disk.raw") };
        let bytes = zip_archive(&[folder, ZipMember::stored("a/notes", &other), form.clone(), link]);
        let found = look(bytes.clone());
        assert_eq!((&found.facts[..], found.has_more), (&[][..], false), "{form:?}");
        assert_eq!(found.files.len(), 2);
        let [member] = &found.members[..] else { panic!("{found:?}") };
        assert_eq!((member.inside.name.as_deref(), member.role), (Some("a/disk.raw"), Role::Disk));
        assert_eq!(member.inside.size, Some(100_000));
        assert!(matches!(member.inside.content, Content::Found { format: Format::Raw, .. }), "{member:?}");
        let image = MemoryImage::new("a.zip", bytes);
        let stored = Sparse::new(&image, member.map.clone().unwrap());
        let mut data = vec![0; usize::try_from(stored.size()).unwrap()];
        stored.read_at(&mut data, 0).unwrap();
        assert!(data == form.data);
        let is_stored = form.central.method == 0;
        assert_eq!(member.zip.unwrap().method, if is_stored { Method::Stored } else { Method::Deflate });
    }
}

#[test]
fn what_contradicts_itself_is_named() {
    let disk = disk(5000);
    let member = || ZipMember::deflated("disk.raw", &disk);
    let altered = |alter: fn(&mut ZipMember)| {
        let mut member = member();
        alter(&mut member);
        zip_archive(&[member, ZipMember::stored("b", b"b")])
    };
    let cases = [
        (altered(|it| it.local.name = b"disk.RAW".into()), "differ in its name"),
        (altered(|it| it.local.method = 0), "differ in its compression method"),
        (altered(|it| it.local.size += 1), "differ in its size"),
        (altered(|it| it.local.packed -= 1), "differ in its size"),
        (altered(|it| it.local.crc ^= 1), "differ in its CRC-32"),
        (altered(|it| it.local.flags |= 1), "differ in its encryption"),
        (altered(|it| it.central.size += 1), "differ in its size"),
        (altered(|it| it.central.name = b"b".into()), "differ in its name"),
        (
            altered(|it| (it.central.packed, it.local.packed) = (1 << 30, 1 << 30)),
            "and the directory begins at",
        ),
        (
            altered(|it| {
                (it.central.packed, it.local.packed) = (it.central.packed + 20, it.local.packed + 20)
            }),
            "\"b\" begins at",
        ),
        (altered(|it| it.offset = Some(1)), "the header of \"disk.raw\" is none, at offset 1"),
        (
            {
                let mut member = member().with_descriptor(true, false);
                member.descriptor[6] ^= 1;
                zip_archive(&[member])
            },
            "what follows the data of \"disk.raw\"",
        ),
        (zip_archive(&[member(), member()]), "two members of the name \"disk.raw\""),
        ([b"MZ and a program".to_vec(), zip_archive(&[member()])].concat(), "precede it"),
        (
            [zip_archive(&[member()]), b"more".to_vec()].concat(),
            "4 bytes that do not belong to the archive follow it",
        ),
        ([zip_archive(&[member()]), vec![0; 70_000]].concat(), "70000 bytes that do not belong"),
        (
            {
                let mut bytes = zip_archive(&[member()]);
                let end = bytes.len() - 12;
                bytes[end] = 9;
                bytes[end - 2] = 9;
                bytes
            },
            "its directory has 1 members, and its end says 9",
        ),
        (
            {
                // The end of another directory in the comment of the first.
                let mut bytes = zip_archive(&[member()]);
                let end = bytes.len();
                bytes[end - 2] = 22;
                bytes.extend(zip_archive(&[]));
                bytes
            },
            "two ends of a directory",
        ),
    ];
    for (bytes, words) in cases {
        let found = damage(bytes.clone());
        assert!(found.contains(words), "{words}: {found}");
        let detection = detect(&MemoryImage::new("a", bytes)).unwrap();
        assert_eq!(detection.format, Format::Zip, "{words}");
    }
}

#[test]
fn a_truncated_archive_says_so_and_parts_of_one_too() {
    let whole = zip_archive(&[ZipMember::deflated("disk.raw", &disk(50_000)), ZipMember::stored("b", b"b")]);
    for length in 30..whole.len() {
        let facts = look(whole[..length].to_vec()).facts;
        assert!(matches!(&facts[..], [Fact::OutsideFile(_)]), "{length}: {facts:?}");
    }
    let mut part = whole.clone();
    let at = part.len() - 18;
    part[at] = 1;
    assert_eq!(look(part).facts, [Fact::ExternalDataFile(None)]);
    let first = [b"PK\x07\x08".to_vec(), whole].concat();
    assert_eq!(look(first[..400].to_vec()).facts, [Fact::ExternalDataFile(None)]);
}

#[test]
fn what_is_not_read_is_named_and_no_damage() {
    let disk = disk(5000);
    let mut locked = ZipMember::deflated("disk.raw", &disk);
    (locked.local.flags, locked.central.flags) = (1, 1);
    let found = look(zip_archive(&[locked.clone()]));
    assert_eq!(found.facts, [Fact::Encrypted("ZIP")]);
    // Beside another member it is one that is not read.
    let found = look(zip_archive(&[locked, ZipMember::stored("b.raw", &disk)]));
    assert!(found.facts.is_empty(), "{found:?}");
    let why = |member: &crate::Member| match &member.inside.content {
        Content::NotLookedAt(why) => why.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((why(&found.members[0]), found.members[0].role), ("it is encrypted".into(), Role::Other));
    let mut lzma = ZipMember::stored("disk.raw", &disk);
    (lzma.local.method, lzma.central.method) = (14, 14);
    assert_eq!(
        why(&look(zip_archive(&[lzma])).members[0]),
        "its compression method 14 (LZMA) is not supported"
    );
    let mut bomb = ZipMember::deflated("disk.raw", &disk);
    (bomb.local.size, bomb.central.size) = (1 << 31, 1 << 31);
    assert!(why(&look(zip_archive(&[bomb])).members[0]).contains("more than deflate makes of"));
    let many = (0..5000).map(|n| ZipMember::stored(&format!("{n}.txt"), b"a")).collect::<Vec<_>>();
    let found = look(zip_archive(&many));
    assert!(found.has_more, "{:?}", found.facts);
    assert_eq!(found.files.len(), 4096);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn an_altered_archive_is_read_the_same_way_or_not_at_all(
        is_long in any::<bool>(), has_magic in any::<bool>(), is_zip64 in any::<bool>(), at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..9), cut in any::<prop::sample::Index>(), is_cut in any::<bool>(),
    ) {
        let first = ZipMember { is_zip64, ..ZipMember::deflated("disk.raw", &disk(3000)) };
        let second = ZipMember::stored("b.raw", &disk(1000)).with_descriptor(has_magic, is_long);
        let mut archive = zip_archive(&[first, second]);
        let at = at.index(archive.len());
        for (place, byte) in archive[at..].iter_mut().zip(bytes) {
            *place = byte;
        }
        if is_cut {
            archive.truncate(cut.index(archive.len()));
        }
        let length = archive.len() as u64;
        let found = look(archive);
        if found.facts.is_empty() {
            for member in &found.members {
                prop_assert!(member.map.as_ref().is_none_or(|map| map.end_in_source() <= length));
            }
        }
    }
}

#[test]
fn a_disk_that_ends_in_an_archive_is_a_disk() {
    let archive = zip_archive(&[ZipMember::stored("notes", b"notes")]);
    let format = |start: &[u8]| {
        let bytes = [start, &archive].concat();
        crate::detect(&imsprep_source::MemoryImage::new("disk", bytes)).unwrap().format
    };
    let mut disk = vec![0; 1 << 20];
    assert_eq!(format(&disk), crate::Format::Zip, "such as a program that unpacks itself");
    // A partition of Linux from sector 64 on.
    disk[446 + 4] = 0x83;
    disk[446 + 8] = 64;
    disk[446 + 13] = 1;
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    assert_eq!(format(&disk), crate::Format::Raw);
}
