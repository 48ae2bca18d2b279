//! Formats of other programs, which must not be taken for RAW; and disks, which must not be taken for them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::io::Write as _;

use imsprep_detect::{Content, Detection, Fact, Format, Inside, OTHERS, detect};
use imsprep_ondisk::format::other::{END_MAGICS, MAGICS};
use imsprep_source::MemoryImage;

fn found(bytes: &[u8]) -> Detection {
    detect(&MemoryImage::new("image", bytes.to_vec())).unwrap()
}

/// 8 KiB that no disk begins with, and these bytes in it.
fn file(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0xa5; 8192];
    for (at, part) in parts {
        bytes[*at..at + part.len()].copy_from_slice(part);
    }
    bytes
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What is known by more than a signature, or at another place than the start.
fn by_fields() -> Vec<(&'static str, Vec<u8>)> {
    let zfs = 0x2_f5ba_cbac_u64;
    let cpio = |numbers: [u16; 13], bytes: fn(u16) -> [u8; 2]| {
        let header = numbers.into_iter().flat_map(bytes).collect::<Vec<_>>();
        file(&[(0, &header), (26, b"disk.raw\0")])
    };
    let numbers = [0o070_707, 1, 2, 0o100_644, 0, 0, 1, 0, 0, 0, 9, 0, 4096];
    let mut vmfs = vec![0; 3 << 20];
    vmfs[1 << 20..][..8].copy_from_slice(b"\x0d\xd0\x01\xc0\x05\0\0\0");
    let macrium = [file(&[]), b"\0\x10\0\0\0\0\0\0MACRIUM_FILE".to_vec()].concat();
    vec![
        ("zfs-send", file(&[(0, &[0; 8]), (8, &zfs.to_le_bytes())])),
        ("zfs-send", file(&[(0, &[0; 8]), (8, &zfs.to_be_bytes())])),
        ("zfs-send", file(&[(0, &[0, 0, 0, 0, 0, 0, 3, 0]), (8, &zfs.to_be_bytes())])),
        ("cpio", cpio(numbers, u16::to_le_bytes)),
        ("cpio", cpio(numbers, u16::to_be_bytes)),
        ("ghost", file(&[(0, b"\xfe\xef\x01\x01\x03")])),
        ("compress", file(&[(0, b"\x1f\x9d\x90\x42\x44")])),
        ("elf", file(&[(0, b"\x7fELF\x02\x01\x01")])),
        ("ubifs", file(&[(0, b"\x31\x18\x10\x06"), (20, &[6])])),
        ("xfs-metadump", file(&[(0, b"XFSM\0\x10\x09\0")])),
        ("vmware-state", file(&[(0, b"\xd2\xbe\xd2\xbe\x08\0\0\0\x20\0\0\0")])),
        ("vmfs", vmfs),
        ("macrium", macrium),
        ("zlib", zlib(&[7; 100_000])),
        ("zlib", zlib(b"a short text")),
        ("zlib", zlib(b"")),
    ]
}

#[test]
fn each_format_is_named_and_is_no_raw() {
    let by_magic = MAGICS.iter().map(|magic| (magic.name, file(&[(magic.offset, magic.bytes)])));
    let all = by_magic.chain(by_fields()).collect::<Vec<_>>();
    for (name, bytes) in &all {
        let found = found(bytes);
        assert!(matches!(found.format, Format::Other(other) if other.name == *name), "{name}: {found:?}");
        assert_eq!((found.format.name(), &found.also[..], &found.evidence[..]), (*name, &[][..], &[][..]));
        // In a wrapper it shows as well, where its sign is at the beginning.
        if ["vmfs", "macrium"].contains(name) || found.format.is_compressed() {
            continue;
        }
        let wrapped = zstd::bulk::compress(bytes, 1).unwrap();
        let outside = self::found(&wrapped);
        let inside = outside.facts.iter().find_map(|fact| match fact {
            Fact::Inside(Inside { content: Content::Found { format, .. }, .. }) => Some(format.name()),
            _ => None,
        });
        assert_eq!((outside.format, inside), (Format::Zstd, Some(*name)), "{outside:?}");
    }
    for other in OTHERS {
        let is_shown = all.iter().any(|(name, _)| *name == other.name) || other.name == "lzma";
        assert!(is_shown, "{} has no specimen", other.name);
    }
    assert!(
        MAGICS
            .iter()
            .chain(END_MAGICS.iter().map(|(magic, _)| magic))
            .all(|magic| { OTHERS.iter().any(|other| other.name == magic.name) })
    );
}

#[test]
fn no_byte_of_a_signature_may_be_wrong() {
    for magic in MAGICS {
        for at in 0..magic.bytes.len() {
            let mut bytes = file(&[(magic.offset, magic.bytes)]);
            bytes[magic.offset + at] ^= 0x80;
            assert_ne!(found(&bytes).format.name(), magic.name, "byte {at}");
        }
        let cut = &file(&[(magic.offset, magic.bytes)])[..magic.offset + magic.bytes.len() - 1];
        assert_ne!(found(cut).format.name(), magic.name);
    }
    for (name, bytes) in by_fields() {
        if name == "zlib" {
            continue;
        }
        let start = if name == "vmfs" { 1 << 20 } else { 0 };
        let start = if name == "macrium" { bytes.len() - 12 } else { start };
        let mut altered = bytes.clone();
        let first = (start..start + 16).find(|at| altered[*at] != 0 && altered[*at] != 0xa5).unwrap();
        // A payload's length is no part of the sign.
        let first = if name == "zfs-send" { 10 } else { first };
        altered[first] ^= 0x80;
        assert_ne!(found(&altered).format.name(), name);
    }
}

#[test]
fn a_zlib_stream_has_to_expand() {
    for bytes in
        [&b"\x78\x9c"[..], &file(&[(0, b"\x78\x9c")]), &file(&[(0, b"\x78\x01")]), &file(&[(0, b"\x08\x1d")])]
    {
        assert_eq!(found(bytes).format, Format::Raw);
    }
    let mut damaged = zlib(&[7; 1000]);
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(found(&damaged).format, Format::Raw);
    // One that does not compress, of which more comes than is looked at.
    let mut noise = vec![0_u8; 300_000];
    let mut state = 1_u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    assert_eq!(found(&zlib(&noise)).format.name(), "zlib");
}

#[test]
fn small_numbers_are_no_lzma() {
    for start in [
        &[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &[0x5d, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0; 14],
    ] {
        let bytes = [start, &[0; 4096]].concat();
        assert_eq!(found(&bytes).format, Format::Raw, "{start:x?}");
    }
}

#[test]
fn a_disk_that_begins_with_such_bytes_by_chance_is_a_disk() {
    let mut disk = std::fs::read(imsprep_testdata::folder().join("small.raw")).unwrap();
    let stream = zlib(b"boot code");
    for start in [
        &b"\x78\x9c"[..],
        &stream,
        b"\x1f\x9d\x90\0\0",
        b"\x7fELF\x02\x01\x01",
        b"\xfe\xef\x01\x01\x01",
        b"XFSM\0\0\x09",
    ] {
        disk[..start.len()].copy_from_slice(start);
        let found = found(&disk);
        assert_eq!(found.format, Format::Raw, "{start:x?}");
        assert!(!found.evidence.is_empty() && found.also.is_empty(), "{found:?}");
    }
}
