//! Input: a first byte that chooses between bytes that are read as a ZIP archive, and bytes that an archive is built from.
//!
//! Oracle: an archive about which nothing is reported is the same to a naive walk from header to header as by its directory; no member
//! lies on another, or beyond the file; what comes out of a member has the size and the CRC-32 of the directory. An archive that is built
//! has its members, with the bytes that were put in.

use arbitrary::Unstructured;
use imsprep_detect::{Archive, Fact, look_into_zip};
use imsprep_formats::{Slice, Unwrapped, Wrapper};
use imsprep_source::MemoryImage;
use imsprep_testdata::{ZipMember, zip_archive};

use crate::plant::planted;

/// Bytes that are expanded at most.
const MOST: usize = 1 << 20;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    if choice % 2 == 0 {
        let found = look(rest);
        check(rest, &found);
    } else {
        let Ok(members) = build(&mut Unstructured::new(rest)) else { return };
        let bytes = zip_archive(&members.iter().map(|(member, _)| member.clone()).collect::<Vec<_>>());
        let found = look(&bytes);
        assert!(found.facts.iter().all(|fact| matches!(fact, Fact::Inside(_))), "{:?}", found.facts);
        check(&bytes, &found);
        let image = MemoryImage::new("a.zip", bytes);
        assert_eq!(found.files.len(), members.len());
        for (file, (member, content)) in found.files.iter().zip(&members) {
            assert_eq!(file.name, member.central.name);
            let (Some(map), Some(data)) = (&file.map, file.zip) else { panic!("{file:?}") };
            let slice = Slice::mapped(&image, map.clone()).expect("a member lies in the archive");
            let out = expand(slice, Wrapper::Member(data)).expect("what was packed can be unpacked");
            assert!(out == *content, "{:?}", member.central);
        }
    }
}

fn look(bytes: &[u8]) -> Archive {
    let image = MemoryImage::new("a.zip", bytes.to_vec());
    let found = look_into_zip(&image).expect("bytes in memory can be read");
    planted(found, |found| {
        // Members that are one byte off.
        for file in &mut found.files {
            let moved = file.map.as_ref().and_then(|map| {
                imsprep_source::SparseMap::plain(map.as_plain()?.saturating_sub(1), map.size())
            });
            file.map = moved.map(std::sync::Arc::new);
        }
    })
}

fn check(bytes: &[u8], found: &Archive) {
    if found.has_more || found.facts.iter().any(|fact| !matches!(fact, Fact::Inside(_))) {
        return;
    }
    let mut ranges = Vec::new();
    let image = MemoryImage::new("a.zip", bytes.to_vec());
    for file in &found.files {
        let (Some(map), Some(data)) = (&file.map, file.zip) else { continue };
        // What has no bytes is nowhere.
        let Some(start) = map.as_plain() else {
            assert_eq!(map.size(), 0);
            continue;
        };
        let end = start + map.size();
        assert!(end <= bytes.len() as u64, "beyond the end");
        ranges.push((start, end));
        // A header with its name comes right before the data, but for extra fields.
        let start = usize::try_from(start).expect("a small file");
        assert!(has_header(bytes, start, &file.name), "no header before {start}");
        let slice = Slice::mapped(&image, map.clone()).expect("a member lies in the archive");
        if file.size <= MOST as u64
            && let Ok(out) = expand(slice, Wrapper::Member(data))
        {
            assert_eq!(out.len() as u64, file.size);
            assert_eq!(crc32fast::hash(&out), data.crc);
        }
    }
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "members lie on each other: {ranges:?}");
    // From header to header, as a reader of streams goes.
    for (name, start) in naive(bytes) {
        let is_it = |file: &&imsprep_detect::ArchiveFile| file.name == name;
        if let Some(map) = found.files.iter().find(is_it).and_then(|file| file.map.as_ref()) {
            assert_eq!(map.as_plain(), Some(start).filter(|_| map.size() > 0), "{name:?}");
        }
    }
}

fn has_header(bytes: &[u8], start: usize, name: &[u8]) -> bool {
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    (0..=start.saturating_sub(30)).rev().take(1 << 17).any(|at| {
        bytes[at..].starts_with(b"PK\x03\x04")
            && at + 30 + number(at + 26) + number(at + 28) == start
            && bytes[at + 30..].starts_with(name)
    })
}

/// Names and places of the members whose headers have their sizes, as far as one follows on another.
fn naive(bytes: &[u8]) -> Vec<(Vec<u8>, u64)> {
    let (mut at, mut found) = (0_usize, Vec::new());
    while let Some(header) =
        bytes.get(at..at.saturating_add(30)).filter(|header| header.starts_with(b"PK\x03\x04"))
    {
        let short = |at: usize| usize::from(u16::from_le_bytes([header[at], header[at + 1]]));
        let packed = u32::from_le_bytes([header[18], header[19], header[20], header[21]]);
        let start = at + 30 + short(26) + short(28);
        let Some(name) = bytes.get(at + 30..at + 30 + short(26)) else { break };
        found.push((name.to_vec(), start as u64));
        if short(6) & 8 != 0 || packed == u32::MAX {
            break;
        }
        at = start + packed as usize;
    }
    found
}

fn expand(bytes: Slice<'_>, wrapper: Wrapper) -> imsprep_source::Result<Vec<u8>> {
    let mut stream = Unwrapped::open(bytes, wrapper)?;
    let mut out = vec![0; MOST + 1];
    let filled = stream.fill(&mut out)?;
    out.truncate(filled);
    Ok(out)
}

/// Members, and what is in them.
fn build(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<(ZipMember, Vec<u8>)>> {
    let count = input.int_in_range(1..=4)?;
    (0..count)
        .map(|number| {
            let content = input.arbitrary::<Vec<u8>>()?;
            let name = format!(
                "{number}{}",
                ["", ".raw", "/a.qcow2", ".txt"][usize::from(input.arbitrary::<u8>()? % 4)]
            );
            let member = if input.arbitrary()? {
                ZipMember::deflated(&name, &content)
            } else {
                ZipMember::stored(&name, &content)
            };
            let member = if input.arbitrary()? {
                member.with_descriptor(input.arbitrary()?, input.arbitrary()?)
            } else {
                ZipMember { is_zip64: input.arbitrary()?, ..member }
            };
            Ok((member, content))
        })
        .collect()
}

/// Bytes without a pattern.
fn noise() -> Vec<u8> {
    (0..400_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

/// Archives of each form.
pub fn seeds() -> Vec<Vec<u8>> {
    let disk = [vec![0; 446], vec![7; 64], vec![0x55, 0xaa], vec![1; 600]].concat();
    let members = [
        ZipMember::stored("a.raw", &disk),
        ZipMember::deflated("b/c.img", &disk),
        ZipMember::deflated("d.qcow2", b"QFI\xfb\0\0\0\x03").with_descriptor(true, false),
        ZipMember { is_zip64: true, ..ZipMember::stored("e", b"e") },
    ];
    let one = |members: &[ZipMember]| [vec![0], zip_archive(members)].concat();
    vec![
        one(&members[..2]),
        one(&members[2..3]),
        one(&members[3..]),
        one(&members),
        [vec![1], noise()].concat(),
        [vec![1], vec![1; 200]].concat(),
    ]
}
