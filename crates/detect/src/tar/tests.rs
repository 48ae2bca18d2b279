//! The walk on archives that are built here, whole and altered.

use std::path::Path;

use imsprep_source::{Error, MemoryImage, ReadAt, Result, Sparse};
use proptest::prelude::*;

use super::forward::{Forward, Seeking};
use super::look_into_tar;
use super::walk::{Entry, Stop, Walk};
use crate::Role;
use crate::{Content, Fact, Format};

/// Magic and version of the forms of headers.
const V7: &[u8; 8] = &[0; 8];
const USTAR: &[u8; 8] = b"ustar\x0000";
const GNU: &[u8; 8] = b"ustar  \0";

/// A header, with `fields` written over what is in it.
fn header(name: &str, kind: u8, size: u64, magic: &[u8; 8], fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut b = vec![0; 512];
    b[..name.len()].copy_from_slice(name.as_bytes());
    b[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    b[156] = kind;
    b[257..265].copy_from_slice(magic);
    for (at, bytes) in fields {
        b[*at..][..bytes.len()].copy_from_slice(bytes);
    }
    seal(&mut b);
    b
}

fn seal(b: &mut [u8]) {
    b[148..156].fill(b' ');
    let sum = b[..512].iter().map(|byte| u32::from(*byte)).sum::<u32>();
    b[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn member(name: &str, kind: u8, magic: &[u8; 8], data: &[u8]) -> Vec<u8> {
    [header(name, kind, data.len() as u64, magic, &[]), padded(data.to_vec())].concat()
}

fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length += 1;
    }
    format!("{length} {key}={value}\n")
}

fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let data = records.iter().map(|(key, value)| record(key, value)).collect::<String>();
    member("PaxHeaders/x", kind, USTAR, data.as_bytes())
}

/// Pieces of a sparse file: where, and what. The file goes on in a hole.
type Pieces<'a> = &'a [(u64, &'a [u8])];

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap()
}

fn condensed(pieces: Pieces<'_>) -> Vec<u8> {
    pieces.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect()
}

fn expanded(size: u64, pieces: Pieces<'_>) -> Vec<u8> {
    let mut bytes = vec![0; index(size)];
    for (at, data) in pieces {
        bytes[index(*at)..][..data.len()].copy_from_slice(data);
    }
    bytes
}

/// A sparse member in GNU's pax form of this version.
fn sparse_pax(version: &str, name: &str, size: u64, pieces: Pieces<'_>) -> Vec<u8> {
    let real = size.to_string();
    let mut map = pieces.iter().map(|(at, data)| (*at, data.len())).collect::<Vec<_>>();
    map.push((size, 0));
    let count = map.len().to_string();
    let mut data = condensed(pieces);
    let numbers = map.iter().map(|(at, length)| (at.to_string(), length.to_string())).collect::<Vec<_>>();
    let list = numbers.iter().map(|(at, length)| format!("{at},{length}")).collect::<Vec<_>>().join(",");
    let mut records = match version {
        "1.0" => {
            let lines = numbers.iter().map(|(at, length)| format!("{at}\n{length}\n")).collect::<String>();
            data = [padded(format!("{count}\n{lines}").into_bytes()), data].concat();
            vec![("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", &*real)]
        }
        _ => vec![("GNU.sparse.size", &*real), ("GNU.sparse.numblocks", &*count)],
    };
    match version {
        "0.0" => numbers.iter().for_each(|(at, length)| {
            records.extend([("GNU.sparse.offset", &**at), ("GNU.sparse.numbytes", &**length)]);
        }),
        "0.1" => records.push(("GNU.sparse.map", &*list)),
        _ => {}
    }
    let inner = if version == "0.0" { name.to_owned() } else { format!("GNUSparseFile.0/{name}") };
    if version != "0.0" {
        records.push(("GNU.sparse.name", name));
    }
    [pax(b'x', &records), member(&inner, b'0', USTAR, &data)].concat()
}

/// A sparse member in GNU's older form, with as many blocks of map as that takes.
fn sparse_gnu(name: &str, size: u64, pieces: Pieces<'_>) -> Vec<u8> {
    let entry = |(at, data): &(u64, &[u8])| format!("{at:011o}\0{:011o}\0", data.len()).into_bytes();
    let (first, rest) = pieces.split_at(pieces.len().min(4));
    let map = first.iter().flat_map(entry).collect::<Vec<_>>();
    let real = format!("{size:011o}\0");
    let data = condensed(pieces);
    let fields: [(usize, &[u8]); 3] =
        [(386, &map), (482, &[u8::from(!rest.is_empty())]), (483, real.as_bytes())];
    let mut member = header(name, b'S', data.len() as u64, GNU, &fields);
    let mut chunks = rest.chunks(21).peekable();
    while let Some(chunk) = chunks.next() {
        let mut block = chunk.iter().flat_map(entry).collect::<Vec<_>>();
        block.resize(504, 0);
        block.push(u8::from(chunks.peek().is_some()));
        block.resize(512, 0);
        member.extend(block);
    }
    [member, padded(data)].concat()
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1024]].concat()
}

/// A stream: it knows no size and does not go back.
struct OneWay<'a> {
    rest: &'a [u8],
    at: u64,
}

impl Forward for OneWay<'_> {
    fn position(&self) -> u64 {
        self.at
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let length = buf.len().min(self.rest.len());
        let (now, rest) = self.rest.split_at(length);
        buf[..length].copy_from_slice(now);
        (self.rest, self.at) = (rest, self.at + length as u64);
        Ok(length)
    }

    fn skip_to(&mut self, offset: u64) -> Result<()> {
        let length = index(offset.checked_sub(self.at).unwrap()).min(self.rest.len());
        self.read(&mut vec![0; length]).map(|_| ())
    }
}

/// All files, and how the walk ended, in words.
fn walk(input: impl Forward) -> (Vec<Entry>, Option<String>) {
    let mut walk = Walk::new(input);
    let mut entries = Vec::new();
    loop {
        match walk.next() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => return (entries, None),
            Err(Stop::Source(error)) => panic!("{error}"),
            Err(stop) => return (entries, Some(format!("{stop:?}"))),
        }
    }
}

/// The same from a file and from a stream.
fn walked(bytes: &[u8]) -> (Vec<Entry>, Option<String>) {
    let found = walk(Seeking::new(&MemoryImage::new("a.tar", bytes.to_vec())));
    assert_eq!(walk(OneWay { rest: bytes, at: 0 }), found);
    found
}

/// Names and content of all files.
fn files(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (entries, stop) = walked(bytes);
    assert_eq!(stop, None);
    let image = MemoryImage::new("a.tar", bytes.to_vec());
    let read = |entry: Entry| {
        let file = Sparse::new(&image, entry.data.unwrap().into());
        let mut content = vec![9; index(entry.size)];
        file.read_at(&mut content, 0).unwrap();
        (String::from_utf8(entry.name).unwrap(), content)
    };
    entries.into_iter().map(read).collect()
}

#[test]
fn members_of_all_forms_are_found_in_any_order() {
    let long = "folder/".repeat(60) + "disk.raw";
    let plain = (1..=250).cycle().take(1300).collect::<Vec<u8>>();
    let many = (0..40).map(|n| (n * 1000, &b"piece"[..])).collect::<Vec<_>>();
    let pieces: Pieces<'_> = &[(512, &[1; 600]), (4096, &[2; 5]), (4101, &[3; 9])];
    let mut forms = vec![
        (member("v7", 0, V7, &plain), "v7".to_owned(), plain.clone()),
        (member("ustar", b'0', USTAR, &plain), "ustar".into(), plain.clone()),
        (member("contiguous", b'7', USTAR, &plain), "contiguous".into(), plain.clone()),
        (member("unknown", b'Z', USTAR, &plain), "unknown".into(), plain.clone()),
        (
            [
                header("gnu", b'0', 0, GNU, &[(124, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1])]),
                padded(vec![5; 513]),
            ]
            .concat(),
            "gnu".into(),
            vec![5; 513],
        ),
        (
            [member("@LongLink", b'L', GNU, long.as_bytes()), member("cut", b'0', GNU, b"x")].concat(),
            long.clone(),
            b"x".to_vec(),
        ),
        (
            [pax(b'x', &[("path", &long), ("mtime", "1.5")]), member("cut", b'0', USTAR, b"y")].concat(),
            long.clone(),
            b"y".to_vec(),
        ),
        (
            [pax(b'x', &[("size", "700")]), header("size", b'0', 0, USTAR, &[]), padded(vec![6; 700])]
                .concat(),
            "size".into(),
            vec![6; 700],
        ),
        // A size of nothing is that of the header; so is one of all that nothing undoes.
        (
            [pax(b'x', &[("size", "7"), ("size", "")]), member("undone", b'0', USTAR, b"undone")].concat(),
            "undone".into(),
            b"undone".to_vec(),
        ),
        (header("prefixed", b'0', 0, USTAR, &[(345, b"dir")]), "dir/prefixed".into(), vec![]),
        (sparse_gnu("few", 5000, pieces), "few".into(), expanded(5000, pieces)),
        (sparse_gnu("many", 1 << 16, &many), "many".into(), expanded(1 << 16, &many)),
        (sparse_gnu("hole", 7000, &[]), "hole".into(), vec![0; 7000]),
    ];
    for version in ["0.0", "0.1", "1.0"] {
        for (size, pieces) in [(5000, pieces), (1 << 16, &many), (9, &[])] {
            let name = format!("{version} {size}");
            forms.push((sparse_pax(version, &name, size, pieces), name, expanded(size, pieces)));
        }
    }
    // What is no file, with data or without.
    let others = [
        member("d", b'5', USTAR, b""),
        header("l", b'1', 700, V7, &[]),
        header("s", b'2', 0, USTAR, &[]),
        member("@LongLink", b'K', GNU, b"target"),
        member("dump", b'D', GNU, &[b'Y'; 600]),
        pax(b'g', &[("comment", "of all")]),
        member("folder/", 0, V7, b""),
        header("label", b'V', 0, GNU, &[(124, &[0; 12])]),
    ];
    for (n, (bytes, name, content)) in forms.iter().enumerate() {
        assert_eq!(files(&archive(std::slice::from_ref(bytes))), [(name.clone(), content.clone())], "{name}");
        for other in &others {
            let (next, next_name, next_content) = &forms[(n + 1) % forms.len()];
            let both = [(name.clone(), content.clone()), (next_name.clone(), next_content.clone())];
            assert!(
                files(&archive(&[other.clone(), bytes.clone(), other.clone(), next.clone()])) == both,
                "{name}"
            );
        }
    }
}

#[test]
fn records_about_all_members_hold_until_one_says_otherwise() {
    let bytes = archive(&[
        pax(b'g', &[("path", "all"), ("size", "3")]),
        header("a", b'0', 0, USTAR, &[]),
        padded(b"abc".to_vec()),
        pax(b'x', &[("path", "own"), ("size", "4")]),
        header("b", b'0', 0, USTAR, &[]),
        padded(b"defg".to_vec()),
        pax(b'x', &[("path", ""), ("size", "")]),
        header("c", b'0', 5, USTAR, &[]),
        padded(b"hijkl".to_vec()),
    ]);
    let found = files(&bytes);
    let found = found.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect::<Vec<_>>();
    assert_eq!(found, [("all", &b"abc"[..]), ("own", b"defg"), ("c", b"hijkl")]);
}

#[test]
fn what_contradicts_itself_is_an_error_with_its_place() {
    let first = member("first", b'0', USTAR, b"x");
    let data = |records: &[(&str, &str)]| [pax(b'x', records), member("d", b'0', USTAR, &[7; 600])].concat();
    let version = |map: &str, data: &[u8]| {
        let records = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "5000")];
        let data = [padded(map.as_bytes().to_vec()), data.to_vec()].concat();
        [pax(b'x', &records), member("d", b'0', USTAR, &data)].concat()
    };
    let map = |map: &str| data(&[("GNU.sparse.size", "5000"), ("GNU.sparse.map", map)]);
    for bad in [
        data(&[("size", "99999999999999999999")]),
        data(&[("size", "9223372036854775808")]),
        data(&[("size", "9223372036854775807")]),
        data(&[("size", "-1")]),
        data(&[("size", "600 ")]),
        member("x", b'x', USTAR, b"9999 size=1\n"),
        header("odd", b'0', 0, USTAR, &[(124, b"not a number")]),
        header("negative", b'0', 0, USTAR, &[(124, &[0xff; 12])]),
        header("link", b'2', 5, USTAR, &[]),
        [pax(b'x', &[("path", "l")]), header("link", b'1', 5, USTAR, &[])].concat(),
        // Maps that overlap, descend, end beyond the file, or are of other data.
        map("0,300,200,300"),
        map("4000,300,0,300"),
        map("0,300,4900,300"),
        map("0,599"),
        map("0,601"),
        data(&[("GNU.sparse.map", "0,600")]),
        data(&[("GNU.sparse.size", "5000"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.map", "0,600")]),
        version("1\n0\n599\n", &[7; 600]),
        version("1\n0\nx\n", &[7; 600]),
        version("1\n0\n99999999999999999999\n", &[7; 600]),
        version("2\n0\n600\n", &[7; 600]),
        version(&format!("1\n{}", "0".repeat(600)), &[7; 600]),
        sparse_gnu("d", 100, &[(0, &[7; 600])]),
        vec![b'!'; 512],
    ] {
        let bytes = [first.clone(), bad, vec![0; 1024]].concat();
        let (entries, stop) = walked(&bytes);
        assert_eq!(entries.len(), 1, "{stop:?}");
        let stop = stop.unwrap();
        assert!(
            stop.starts_with("Damaged { offset: 1024") || stop.starts_with("Damaged { offset: 2048"),
            "{stop}"
        );
        let found = look_into_tar(&MemoryImage::new("a.tar", bytes)).unwrap();
        assert!(matches!(&found.facts[..], [Fact::Damaged(what)] if what.contains("at offset")), "{found:?}");
    }
}

#[test]
fn what_is_known_but_not_read_is_no_damage() {
    let first = member("first", b'0', USTAR, b"x");
    let next = member("next", b'0', USTAR, &[7; 600]);
    // The file alone.
    for (records, word) in [
        (
            &[("GNU.sparse.major", "2"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "5000")][..],
            "version 2.0",
        ),
        (
            &[("GNU.sparse.odd", "1"), ("GNU.sparse.size", "600"), ("GNU.sparse.map", "0,600")],
            "GNU.sparse.odd",
        ),
        (&[("SCHILY.realsize", "5000")], "star"),
        (&[("SUN.holesdata", " 0 4096")], "SUN.holesdata"),
        (&[("GNU.volume.offset", "512")], "GNU.volume.offset"),
    ] {
        let (entries, stop) =
            walked(&archive(&[first.clone(), pax(b'x', records), next.clone(), first.clone()]));
        assert_eq!((entries.len(), stop), (3, None));
        assert!(entries[1].data.as_ref().unwrap_err().contains(word), "{:?}", entries[1]);
    }
    // And what follows.
    for bad in [header("star", b'S', 600, USTAR, &[]), member("rest", b'M', GNU, &[7; 600])] {
        let (entries, stop) = walked(&archive(&[first.clone(), bad]));
        assert!(entries.len() == 1 && stop.as_deref().unwrap().starts_with("Unread"), "{stop:?}");
    }
    let many = archive(&vec![first; 5000]);
    assert!(walked(&many).1.unwrap().contains("after the first 4096 headers"));
    let huge = archive(&[[header("x", b'x', 1 << 30, USTAR, &[]), vec![b' '; 512]].concat()]);
    assert!(walked(&huge).1.unwrap().starts_with("Unread"));
}

#[test]
fn an_archive_may_end_without_its_blocks_of_zeros_and_nowhere_else() {
    let whole =
        [member("first", b'0', USTAR, &[1; 700]), sparse_gnu("second", 5000, &[(100, &[2; 700])])].concat();
    let (all, _) = walked(&archive(std::slice::from_ref(&whole)));
    // Padding is not needed either.
    let (ends, last) = ([1536, whole.len()], whole.len() - (1024 - 700));
    for length in 512..=whole.len() {
        let (entries, stop) = walked(&whole[..length]);
        let is_complete = ends.contains(&length) || length >= last || (512 + 700..1536).contains(&length);
        assert_eq!(stop.is_none(), is_complete, "{length}: {stop:?}");
        assert!(stop.is_none_or(|stop| stop.starts_with("Cut")), "{length}");
        assert!(entries.iter().zip(&all).all(|(entry, whole)| entry == whole), "{length}");
    }
    for zeros in [1, 511, 512, 513, 1024, 10_240] {
        let more = [whole.clone(), vec![0; zeros]].concat();
        assert_eq!(walked(&more), (all.clone(), None), "{zeros}");
    }
    // What follows a block of zeros is no part of it.
    assert_eq!(walked(&[archive(std::slice::from_ref(&whole)), b"rest".to_vec()].concat()), (all, None));
    let lonely = [whole, pax(b'x', &[("path", "gone")])].concat();
    assert!(walked(&lonely).1.unwrap().starts_with("Cut"));
}

/// A file of any size: `start`, then zeros.
struct Huge {
    start: Vec<u8>,
    size: u64,
}

impl ReadAt for Huge {
    fn path(&self) -> &Path {
        Path::new("huge.tar")
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.size);
        end.ok_or_else(|| Error::UnexpectedEnd { path: "huge.tar".into(), offset: self.size })?;
        let start = self.start.get(index(offset)..).unwrap_or_default();
        let length = start.len().min(buf.len());
        buf[..length].copy_from_slice(&start[..length]);
        buf[length..].fill(0);
        Ok(())
    }
}

#[test]
fn members_may_be_larger_than_twelve_octal_digits_say() {
    let size = 100_u64 << 30;
    let base_256 = [&[0x80, 0, 0, 0][..], &size.to_be_bytes()].concat();
    for start in [
        header("d.raw", b'0', 0, GNU, &[(124, &base_256)]),
        [pax(b'x', &[("size", &size.to_string())]), header("d.raw", b'0', 0, USTAR, &[])].concat(),
    ] {
        let file = Huge { size: start.len() as u64 + size, start };
        let found = look_into_tar(&file).unwrap();
        assert_eq!((found.facts.len(), found.members.len()), (0, 1));
        assert_eq!((found.members[0].inside.size, found.members[0].role), (Some(size), Role::Disk));
        let cut = Huge { size: file.size - 1, ..file };
        assert!(
            matches!(&look_into_tar(&cut).unwrap().facts[..], [Fact::OutsideFile(what)] if what.contains("d.raw"))
        );
    }
}

/// Names, roles, contents in a word.
fn told(members: &[Vec<u8>]) -> Vec<(String, Role, String)> {
    let found = look_into_tar(&MemoryImage::new("a.tar", archive(members))).unwrap();
    assert_eq!(found.facts, []);
    let word = |content: &Content| match content {
        Content::Found { format, .. } => format.name().to_owned(),
        Content::Nothing => "nothing".into(),
        Content::NotLookedAt(why) => why.clone(),
    };
    let members = found.members.into_iter();
    members.map(|member| (member.inside.name.unwrap(), member.role, word(&member.inside.content))).collect()
}

#[test]
fn a_member_is_a_disk_by_its_content_or_its_name_or_because_it_is_the_only_one() {
    let file = |name: &str, data: &[u8]| member(name, b'0', USTAR, data);
    let mut mbr = vec![0; 4096];
    mbr[446..462].copy_from_slice(b"\0\x20\x21\0\x83\0\0\0\x01\0\0\0\x07\0\0\0");
    mbr[510..512].copy_from_slice(b"\x55\xaa");
    let qcow2 = [b"QFI\xfb\0\0\0\x03".to_vec(), vec![0; 600]].concat();
    let data = vec![0xa0; 2000];
    let mut iso = vec![0; 40 << 10];
    iso[32768..32775].copy_from_slice(b"\x01CD001\x01");
    let (notes, ovf) = (file("notes.txt", b"some words\n"), file("d.ovf", b"<Envelope/>"));
    let expect = |members: &[Vec<u8>], expected: &[(&str, Role, &str)]| {
        let found = told(members);
        let found = found.iter().map(|(name, role, word)| (name.as_str(), *role, word.as_str()));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    };
    expect(&[notes.clone(), ovf.clone(), file("box", &mbr)], &[("box", Role::Disk, "raw")]);
    expect(&[file("box", &qcow2), file("b.bin", &data)], &[("box", Role::Disk, "qcow2")]);
    expect(&[file("a.IMG", &data), file("other", &data)], &[("a.IMG", Role::Disk, "nothing")]);
    expect(&[notes.clone(), file("other", &data), ovf.clone()], &[("other", Role::Disk, "nothing")]);
    expect(&[file("one", &data), file("two", &data)], &[]);
    expect(&[notes.clone(), ovf.clone()], &[]);
    expect(
        &[file("d.vmdk", &data), notes.clone()],
        &[("d.vmdk", Role::Other, "its content does not have the format of its extension")],
    );
    expect(&[file("d.raw", &mbr), file("._d.raw", &mbr)], &[("d.raw", Role::Disk, "raw")]);
    expect(
        &[file("s.iso", &iso), file("d", &qcow2)],
        &[("s.iso", Role::Cd, "iso"), ("d", Role::Disk, "qcow2")],
    );
    expect(
        &[file("d.vmdk.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0\0"), notes.clone()],
        &[("d.vmdk.gz", Role::Other, "gzip")],
    );
    let chunks =
        told(&[ovf, file("a.vmdk.000000000", &qcow2), file("b", &mbr), file("a.vmdk.000000001", &data)]);
    let [(name, role, why), (other, ..)] = &chunks[..] else { panic!("{chunks:?}") };
    assert_eq!((&**name, *role, &**other), ("a.vmdk", Role::Other, "b"));
    assert!(why.contains("in 2 chunks"), "{why}");
    // Chunks of an XVA, of which those of zeros are left out.
    let xva = told(&[
        file("ova.xml", b"<value/>"),
        file("Ref:4/00000000", &mbr),
        file("Ref:4/00000000.checksum", b"abc"),
        file("Ref:4/00000005", &data),
        file("Ref:17/00000000", &qcow2),
        file("Ref:x/00000000", &mbr),
    ]);
    let [(first, _, why), (second, role, _), (other, ..)] = &xva[..] else { panic!("{xva:?}") };
    assert_eq!((&**first, &**second, *role, &**other), ("Ref:4", "Ref:17", Role::Other, "Ref:x/00000000"));
    assert!(why.contains("XVA") && why.contains("in 2 chunks"), "{why}");
    // A disk that is stored without its holes is known by what it is with them.
    let sparse = sparse_pax("1.0", "s", 1 << 20, &[(446, &mbr[446..512])]);
    expect(&[notes, sparse], &[("s", Role::Disk, "raw")]);
}

/// Archives with something of everything.
fn seeds() -> Vec<Vec<u8>> {
    let pieces: Pieces<'_> =
        &[(512, &[1; 600]), (4096, &[2; 5]), (8192, &[3; 9]), (9000, b"x"), (9002, b"y"), (9004, b"z")];
    let mut seeds =
        ["0.0", "0.1", "1.0"].map(|version| archive(&[sparse_pax(version, "d", 10_000, pieces)])).to_vec();
    seeds.push(archive(&[sparse_gnu("d", 10_000, pieces), member("n", b'0', USTAR, b"next")]));
    seeds.push(archive(&[
        pax(b'g', &[("size", "3")]),
        pax(b'x', &[("path", "long/name"), ("size", "600")]),
        header("a", b'0', 0, USTAR, &[]),
        vec![7; 1024],
        member("@LongLink", b'L', GNU, b"another"),
        member("b", b'0', V7, b"abc"),
    ]));
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn altered_archives_are_walked_the_same_way_from_a_file_and_from_a_stream(
        seed in prop::sample::select(seeds()), changes in prop::collection::vec((0usize..4096, any::<u8>()), 0..6),
        sealed in any::<bool>(), cut in prop::option::of(0usize..6000)
    ) {
        let mut bytes = seed;
        for (at, byte) in changes {
            let length = bytes.len();
            bytes[at % length] = byte;
        }
        if sealed {
            bytes.chunks_mut(512).filter(|block| block.get(257..262) == Some(b"ustar")).for_each(seal);
        }
        bytes.truncate(cut.unwrap_or(usize::MAX));
        let (entries, stop) = walked(&bytes);
        // What is reported lies in the archive, but for a last member that is cut off.
        for (n, entry) in entries.iter().enumerate() {
            let is_last = n + 1 == entries.len() && stop.as_ref().is_some_and(|stop| stop.starts_with("Cut"));
            if let Ok(map) = &entry.data {
                prop_assert_eq!(map.size(), entry.size);
                prop_assert!(is_last || map.end_in_source() <= bytes.len() as u64, "{:?}", entry);
            }
        }
        let image = MemoryImage::new("a.tar", bytes);
        let found = look_into_tar(&image).unwrap();
        prop_assert!(found.facts.len() <= 2 && found.members.len() <= entries.len());
        let detection = crate::detect(&image).unwrap();
        prop_assert!(detection.format != Format::Tar || detection.facts.len() == found.facts.len() + found.members.len());
    }
}
