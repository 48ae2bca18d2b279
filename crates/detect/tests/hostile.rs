//! Whatever the bytes: no panic, no error, little read, bounded strings.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there, and say why it skips"
)]

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_detect::{Detection, Fact, Format, detect};
use imsprep_source::{Error, MemoryImage, ReadAt, Result};
use proptest::prelude::*;

/// Most bytes that detection may read of any file: 72 KiB of head, a descriptor or VHDX's tables, and change.
const BUDGET: u64 = 512 << 10;

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
    assert!(source.read.into_inner() <= BUDGET, "{found:?}");
    for fact in &found.facts {
        match fact {
            Fact::BackingFile(name) | Fact::Parent(Some(name)) | Fact::ExternalDataFile(Some(name)) => {
                assert!(name.len() <= 1024);
            }
            Fact::ExtentFiles(names) => {
                assert!(names.len() <= 256 && names.iter().all(|name| name.len() <= 1024));
            }
            _ => {}
        }
    }
    found
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
    regions[16..32].copy_from_slice(&imsprep_ondisk::vhdx::REGION_METADATA);
    regions[34] = 0x10;
    let sum = imsprep_ondisk::vhdx::checksum(&regions);
    regions[4..8].copy_from_slice(&sum.to_le_bytes());
    vhdx[192 << 10..256 << 10].copy_from_slice(&regions);
    vhdx[1 << 20..][..12].copy_from_slice(b"metadata\0\0\x02\0");
    for (n, item) in [imsprep_ondisk::vhdx::ITEM_FILE_PARAMETERS, imsprep_ondisk::vhdx::ITEM_PARENT_LOCATOR]
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
