//! Whatever the bytes: no panic, no error, little read, bounded strings.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there, and say why it skips"
)]

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_detect::{Content, Detection, Fact, Format, Inside, detect};
use imsprep_source::{Error, MemoryImage, ReadAt, Result};
use imsprep_testdata::{ZipMember, zip_archive};
use proptest::prelude::*;

/// Most bytes that detection may read of any file: 72 KiB of head, a descriptor or VHDX's tables, and change.
const BUDGET: u64 = 512 << 10;
/// The same of a compressed file: a block of LZ4's largest kind.
const COMPRESSED_BUDGET: u64 = BUDGET + (5 << 20);
/// The same of a tar archive: its headers, names, records and maps, and sixteen members.
const ARCHIVE_BUDGET: u64 = BUDGET + (2 << 20) + (32 << 20) + 16 * BUDGET;

/// A file of any size that holds `start` and, in its last bytes, `end`; zeros between. Counts what is read.
struct Counting {
    start: Vec<u8>,
    end: Vec<u8>,
    size: u64,
    read: AtomicU64,
}

impl ReadAt for Counting {
    fn path(&self) -> &Path {
        Path::new("image")
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let len = buf.len() as u64;
        self.read.fetch_add(len, Ordering::Relaxed);
        if offset.checked_add(len).is_none_or(|end| end > self.size) {
            return Err(Error::UnexpectedEnd { path: "image".into(), offset: self.size });
        }
        let tail = self.size - self.end.len() as u64;
        for (at, byte) in (offset..).zip(buf) {
            let part = if at < tail { (&self.start, at) } else { (&self.end, at - tail) };
            *byte = usize::try_from(part.1).ok().and_then(|at| part.0.get(at)).copied().unwrap_or(0);
        }
        Ok(())
    }
}

fn look(start: Vec<u8>, end: Vec<u8>, hole: u64) -> Detection {
    let size = (start.len() + end.len()) as u64 + hole;
    let source = Counting { start, end, size, read: AtomicU64::new(0) };
    let found = detect(&source).unwrap();
    let formats = || std::iter::once(&found.format).chain(&found.also);
    let budget = if formats().any(|format| format.is_archive()) {
        ARCHIVE_BUDGET
    } else if formats().any(|format| format.is_compressed() || format.is_archive()) {
        COMPRESSED_BUDGET
    } else {
        BUDGET
    };
    assert!(source.read.into_inner() <= budget, "{found:?}");
    assert_bounded(&found.facts);
    found
}

fn assert_bounded(facts: &[Fact]) {
    assert!(facts.len() <= 600, "{}", facts.len());
    for fact in facts {
        match fact {
            Fact::BackingFile(name) | Fact::Parent(Some(name)) | Fact::ExternalDataFile(Some(name)) => {
                assert!(name.len() <= 1024);
            }
            Fact::ExtentFiles(names) => {
                assert!(names.len() <= 256 && names.iter().all(|name| name.len() <= 1024));
            }
            Fact::Inside(Inside { name, content, .. }) => {
                assert!(name.as_ref().is_none_or(|name| name.len() <= 2049));
                if let Content::Found { facts, .. } = content {
                    assert_bounded(facts);
                    // A compressed file in an archive shows what it holds.
                    let inner = facts.iter().filter_map(|fact| match fact {
                        Fact::Inside(Inside { content: Content::Found { facts, .. }, .. }) => Some(facts),
                        _ => None,
                    });
                    let is_deeper =
                        |facts: &Vec<Fact>| facts.iter().any(|fact| matches!(fact, Fact::Inside(_)));
                    assert!(!inner.into_iter().any(is_deeper), "two levels deep");
                }
            }
            _ => {}
        }
    }
}

/// A start of each format, complete enough that its prober goes all the way.
fn seeds() -> Vec<Vec<u8>> {
    let at = |parts: &[(usize, &[u8])]| {
        let mut bytes = vec![0; 4096];
        for (offset, part) in parts {
            bytes[*offset..offset + part.len()].copy_from_slice(part);
        }
        bytes
    };
    let mut vhdx = at(&[(0, b"vhdxfile")]);
    vhdx.resize(2 << 20, 0);
    let mut regions = vec![0; 64 << 10];
    regions[..4].copy_from_slice(b"regi");
    regions[8] = 1;
    regions[16..32].copy_from_slice(&imsprep_ondisk::format::vhdx::REGION_METADATA);
    regions[34] = 0x10;
    let sum = imsprep_ondisk::format::vhdx::checksum(&regions);
    regions[4..8].copy_from_slice(&sum.to_le_bytes());
    vhdx[192 << 10..256 << 10].copy_from_slice(&regions);
    vhdx[1 << 20..][..12].copy_from_slice(b"metadata\0\0\x02\0");
    for (n, item) in [
        imsprep_ondisk::format::vhdx::ITEM_FILE_PARAMETERS,
        imsprep_ondisk::format::vhdx::ITEM_PARENT_LOCATOR,
    ]
    .iter()
    .enumerate()
    {
        let entry = &mut vhdx[(1 << 20) + 32 + 32 * n..][..24];
        entry[..16].copy_from_slice(item);
        entry[18] = 1 + u8::try_from(n).unwrap();
        entry[20..24].fill(0xff);
    }
    vhdx[(1 << 20) + (1 << 16) + 4] = 2;
    vhdx[(1 << 20) + (2 << 16) + 18] = 0xff;
    vec![
        at(&[
            (0, b"QFI\xfb\0\0\0\x03"),
            (14, b"\x01\0\0\0\x01\0\0\0\0\x10"),
            (72, b"\0\0\0\0\0\0\0\x07\0"),
            (103, b"h"),
        ]),
        at(&[(0, b"QFI\xfb\0\0\0\x01"), (14, b"\x01\0\0\0\x01\0")]),
        at(&[(0, b"QED\0\0\0\x01\0"), (16, b"\x07"), (56, b"\x40\0\0\0\xff\xff\xff\xff")]),
        at(&[
            (0, b"KDMV\x01"),
            (28, b"\x01"),
            (36, b"\xff\xff"),
            (512, b"# Disk DescriptorFile\nRW 9 SPARSE \"x\"\n"),
        ]),
        at(&[(0, b"# Disk DescriptorFile\nversion=1\nparentFileNameHint=\"x\"\nRW 99 FLAT \"y\" 0\n")]),
        at(&[(0, b"conectix"), (22, b"\x02\0"), (63, b"\x04"), (512, b"cxsparse"), (576, b"\0a\0b")]),
        at(&[(64, b"\x7f\x10\xda\xbe\x01\0\x01\0"), (76, b"\x01")]),
        at(&[(0, b"LUKS\xba\xbe\0\x01")]),
        at(&[(0, b"z2strm\0\0")]),
        at(&[(510, b"\x55\xaa"), (512, b"EFI PART\0\0\x01\0\x5c\0\0\0"), (1080, b"\x53\xef")]),
        vhdx,
    ]
}

/// A start of each wrapper and of each format that no cloud takes, with something in it that is worth looking at.
fn wrapper_seeds() -> Vec<Vec<u8>> {
    let at = |parts: &[(usize, &[u8])]| {
        let mut bytes = vec![0; 4096];
        for (offset, part) in parts {
            bytes[*offset..offset + part.len()].copy_from_slice(part);
        }
        bytes
    };
    let padded = |mut bytes: Vec<u8>| {
        bytes.resize(bytes.len().max(4096), 0);
        bytes
    };
    let disk = at(&[(0, b"QFI\xfb\0\0\0\x02"), (15, b"\x80\0\0\0\x08\0\0\0\x10"), (128, b"base.img")]);
    let deflated = |bytes: &[u8]| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let body = deflated(&disk);
    let gzip = [b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0".to_vec(), body].concat();
    let zip = zip_archive(&[ZipMember::deflated("d", &disk), ZipMember::stored("n.txt", &[b'a'; 4096])]);
    let tar = |name: &str, kind: u8, body: &[u8]| {
        let mut b = at(&[(0, name.as_bytes()), (156, &[kind]), (257, b"ustar\x0000")])[..512].to_vec();
        b[124..135].copy_from_slice(format!("{:011o}", body.len()).as_bytes());
        b[148..156].fill(b' ');
        let sum = b.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        b[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        b.extend(body);
        b.resize(b.len().next_multiple_of(512), 0);
        b
    };
    let records = b"12 path=a/b\n12 size=512\n";
    let archive = [
        tar("d.ovf", b'0', b"<Envelope/>"),
        tar("x", b'x', records),
        tar("a.img", b'0', &disk[..512]),
        tar("y", b'L', b"a long name"),
        tar("b.img", b'0', &gzip),
    ];
    vec![
        padded(gzip),
        zip,
        padded(zstd::bulk::compress(&disk, 3).unwrap()),
        // 4096 zeros each.
        padded(XZ.to_vec()),
        padded(BZIP2.to_vec()),
        padded(LZ4.to_vec()),
        padded(archive.concat()),
        at(&[(0, b"WithouFreSpacExt\x02"), (29, b"\x08\0\0\x08"), (36, b"\0\x40"), (44, b"v2.1\x01"), (64, b"\x01")]),
        at(&[(0, b"<?xml?><Parallels_disk_image><Disk_size>9</Disk_size><File>x</File><Shot></Shot><Engine>y</Engine>")]),
        at(&[(0, b"Bochs Virtual HD Image"), (32, b"Redolog"), (48, b"Undoable"), (66, b"\x02"), (69, b"\x02"), (72, b"\x08")]),
        at(&[(0, b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop"), (130, b"\x02\0\0\0\0\x04")]),
        at(&[(0, b"koly\0\0\0\x04\0\0\x02\0"), (39, b"\x10"), (63, b"\x02"), (498, b"\x08")]),
        at(&[(0, b"\x3a\xff\x26\xed\x01\0\0\0\x1c\0\x0c\0\0\x10\0\0\x08")]),
        at(&[(0, b"EVF\x09\x0d\x0a\xff\0\x01\x01\0\0\0header"), (29, b"\xb7"), (183, b"volume"), (272, b"\x02\0\0\x08")]),
        at(&[(0, b"AFF10\r\n\0AFF\0\0\0\0\x01\0\0\0\x08\0\0\0\0x"), (41, b"AFF\0\0\0\0\x09\0\0\0\x08\0\0\0\x02imagesize")]),
        at(&[(0, b"MSWIM\0\0\0"), (40, b"\x01\0\x02")]),
        at(&[(0, b"LUKS\xba\xbe\0\x02\0\0\0\0\0\0\x40\0")]),
    ]
}

/// What the expanders are let loose on.
const MAGICS: [&[u8]; 7] = [
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x16\0\0\0t/\xe5\xa3",
    b"\x28\xb5\x2f\xfd",
    b"BZh91AY&SY",
    b"\x04\x22\x4d\x18\x64\x40\xa7",
    b"\x02\x21\x4c\x18",
    b"PK\x03\x04\x14\0\0\0\x08\0",
];
const XZ: &[u8] = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x16\0\0\0t/\xe5\xa3\xe0\x0f\xff\0\x19]\0\0o\xfd\xff\xff\xa3\xb7\xffG>\
    H\x15r9aQ\xb8\x92(\xe6\xa3\x84\x9e)F\0\0\0\0\xa5\xf0\xea%\x94\xd3\xd3&\0\x015\x80 \0\0\0o]6\x86\xb1\xc4g\xfb\x02\0\0\0\0\x04YZ";
const BZIP2: &[u8] = b"BZh91AY&SY\x88\0\x38\xe3\0\0\x08\x40\0\xc0\x04\0\x08\x20\0\x30\xcc\x05SjAG\x0f\x17\x72\x45\x38\x50\x90\x88\0\x38\xe3";
const LZ4: &[u8] = b"\x04\x22\x4d\x18\x64\x40\xa7\x1a\0\0\0\x1f\0\x01\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf6\x50\0\0\0\0\0\0\0\0\0\
    \xf5\x46\x55\x47";

#[test]
fn every_wrapper_seed_is_what_it_should_be() {
    use Format::*;
    let formats = [
        Gzip,
        Zip,
        Zstd,
        Xz,
        Bzip2,
        Lz4,
        Tar,
        Parallels,
        Parallels,
        Bochs,
        Cloop,
        Raw,
        AndroidSparse,
        Ewf,
        Aff,
        Wim,
        Luks,
    ];
    let seeds = wrapper_seeds();
    assert_eq!(seeds.len(), formats.len());
    for (seed, format) in seeds.into_iter().zip(formats) {
        let found = look(seed, vec![], 0);
        assert_eq!(found.format, format);
        let expands = format.is_compressed() || format.is_archive();
        let is_open = |fact: &Fact| {
            matches!(fact, Fact::Inside(Inside { content: Content::Found { .. } | Content::Nothing, .. }))
        };
        assert_eq!(found.facts.iter().any(is_open), expands, "{found:?}");
    }
}

#[test]
fn every_wrapper_seed_may_end_anywhere() {
    for seed in wrapper_seeds() {
        for len in (0..700).chain([1535, 1536, 4095]) {
            look(seed[..len.min(seed.len())].to_vec(), seed[..512].to_vec(), 0);
        }
    }
}

#[test]
fn a_huge_sparse_file_costs_as_little_as_any_other() {
    for seed in seeds() {
        look(seed.clone(), vec![], 1 << 40);
        look(seed.clone(), seed[..512].to_vec(), 1 << 62);
    }
    assert_eq!(look(vec![], vec![], 1 << 40).format, Format::Raw);
}

#[test]
fn a_long_text_is_not_read_to_its_end() {
    look(b"# comment\n".repeat(100_000), vec![], 0);
    look(vec![b'#'; 1 << 20], vec![], 0);
    look([b"version=1\n".to_vec(), b"RW 1 FLAT \"\xff\xff\xff\"\n".repeat(100_000)].concat(), vec![], 0);
}

#[test]
fn every_seed_may_end_anywhere() {
    for seed in seeds() {
        for len in (0..700).chain([1535, 1536, 4095]) {
            look(seed[..len.min(seed.len())].to_vec(), vec![], 0);
        }
    }
}

#[test]
fn a_file_that_can_not_be_read_is_an_error() {
    struct Broken;
    impl ReadAt for Broken {
        fn path(&self) -> &Path {
            Path::new("broken")
        }
        fn size(&self) -> u64 {
            1 << 30
        }
        fn read_at(&self, _: &mut [u8], offset: u64) -> Result<()> {
            let source = std::io::Error::other("the disk is on fire");
            Err(Error::Read { path: "broken".into(), offset, source })
        }
    }
    assert!(matches!(detect(&Broken), Err(Error::Read { .. })));
}

proptest! {
    #[test]
    fn altered_wrappers_are_something(
        seed in prop::sample::select(wrapper_seeds()),
        changes in prop::collection::vec((0_usize..700, any::<u8>()), 0..6),
        more in prop::collection::vec(any::<u8>(), 0..2000),
        end in prop::sample::select(wrapper_seeds()),
        hole in prop::sample::select(vec![0_u64, 511, 4096, 1 << 40]),
    ) {
        let mut start = seed;
        for (at, byte) in changes {
            start[at] = byte;
        }
        start.extend(more);
        look(start, end[..512].to_vec(), hole);
    }

    #[test]
    fn arbitrary_bytes_behind_a_magic_are_something(
        magic in prop::sample::select(MAGICS.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        hole in prop::sample::select(vec![0_u64, 4096, 1 << 40]),
    ) {
        look([magic, &bytes].concat(), vec![], hole);
    }

    #[test]
    fn arbitrary_bytes_are_something(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        let found = detect(&MemoryImage::new("image", bytes.clone())).unwrap();
        prop_assert_eq!(found.file_size, bytes.len() as u64);
    }

    #[test]
    fn altered_headers_are_something(
        seed in prop::sample::select(seeds()),
        changes in prop::collection::vec((0_usize..1600, any::<u8>()), 0..12),
        end in prop::sample::select(seeds()),
        hole in prop::sample::select(vec![0_u64, 511, 4096, 1 << 40]),
    ) {
        let mut start = seed;
        for (at, byte) in changes {
            start[at] = byte;
        }
        look(start, end[..512].to_vec(), hole);
    }

    #[test]
    fn altered_vhdx_metadata_is_something(
        changes in prop::collection::vec((0_usize..200, any::<u8>()), 0..12),
        locator in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut start = seeds().pop().unwrap();
        for (at, byte) in changes {
            start[(1 << 20) + at] = byte;
        }
        start[(1 << 20) + (2 << 16) + 16..][..locator.len()].copy_from_slice(&locator);
        look(start, vec![], 0);
    }
}
