//! Input: a flag, then a sparse file; by the flag, bytes as they are.
//!
//! Oracle: the file in a tar archive is found to be the same thing; texts are bounded, wrappers are opened one level, formats
//! are listed once each; no read goes beyond the file, and all of them together stay small.

use std::path::Path;

use imsprep_detect::{Content, Detection, Fact, Format, Inside, detect};
use imsprep_ondisk::format::other::{END_MAGICS, MAGICS};
use imsprep_source::{Error, ReadAt, Result};

use super::zvhd2_file::{bytes_of, small};
use crate::plant::planted;
use crate::sparse::SparseFile;

/// Bytes of a text from a file at most.
const TEXT: usize = 1024;
/// Bytes of a sentence with such texts in it at most.
const SENTENCE: usize = 8 * TEXT;
/// Bytes that are read of a file at most: sixteen members of an archive, each looked at as a file is.
const READ: u64 = 64 << 20;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((flag, rest)) = data.split_first() else { return };
    let input = if flag & 1 == 0 { rest.to_vec() } else { SparseFile::encode_bytes(rest) };
    let file = SparseFile::decode(&input, 1 << 45);
    let found = detect(&file).expect("a file in memory can be read");
    let reads = file.take_reads();
    assert_eq!(reads.outside, 0, "reads beyond the file");
    assert!(reads.bytes <= READ, "{} bytes were read", reads.bytes);
    assert_bounded(&file, &found);
    assert_same_in_archive(&file, &found);
}

fn assert_bounded(file: &SparseFile, found: &Detection) {
    assert_eq!(found.file_size, file.size());
    assert_eq!(found.format == Format::Empty, file.size() == 0);
    for (number, format) in found.also.iter().enumerate() {
        assert!(
            *format != found.format && !found.also[..number].contains(format),
            "{format} twice: {found:?}"
        );
    }
    assert!(found.format == Format::Raw || found.evidence.is_empty(), "{found:?}");
    if found.format == Format::Raw {
        assert_eq!(found.virtual_size, Some(file.size()));
        assert!(found.also.is_empty(), "{found:?}");
    }
    found.facts.iter().for_each(|fact| assert_fact_bounded(fact, 0));
}

fn assert_fact_bounded(fact: &Fact, depth: usize) {
    let text = |text: &String, most: usize| assert!(text.len() <= most, "{} bytes: {fact:?}", text.len());
    match fact {
        Fact::BackingFile(name) => text(name, TEXT),
        Fact::ExternalDataFile(name) | Fact::Parent(name) => name.iter().for_each(|name| text(name, TEXT)),
        Fact::ExtentFiles(names) => names.iter().for_each(|name| text(name, TEXT)),
        Fact::UnknownRequired(what)
        | Fact::OutsideFile(what)
        | Fact::NotLookedAt(what)
        | Fact::Damaged(what) => {
            text(what, SENTENCE);
        }
        Fact::Inside(Inside { name, content, .. }) => {
            assert!(depth <= 1, "a wrapper in a compressed member of an archive was opened: {fact:?}");
            name.iter().for_each(|name| text(name, TEXT));
            if let Content::Found { facts, format, evidence, .. } = content {
                assert!(*format != Format::Raw || !evidence.is_empty(), "raw for no reason: {fact:?}");
                facts.iter().for_each(|fact| assert_fact_bounded(fact, depth + 1));
            }
        }
        _ => {}
    }
}

/// The same file as the only member of an archive is the same thing, but that a wrapper stays closed.
fn assert_same_in_archive(file: &SparseFile, found: &Detection) {
    // A size of twelve octal digits at most.
    if found.format == Format::Empty || file.size() >= 1 << 33 {
        return;
    }
    if found.format.is_compressed() || found.format.is_archive() {
        return;
    }
    let outside = detect(&Archive::new(file)).expect("a file in memory can be read");
    // What begins a few KiB into the file may make the archive look like something else.
    if outside.format != Format::Tar {
        return;
    }
    let members = outside.facts.iter().filter_map(|fact| match fact {
        Fact::Inside(inside) => Some(inside),
        _ => None,
    });
    let [inside] = &members.collect::<Vec<_>>()[..] else { panic!("not the one member: {outside:?}") };
    let inside = planted((*inside).clone(), |inside| {
        // The variant forgotten is the bug to be found.
        if let Content::Found { variant, .. } = &mut inside.content {
            *variant = Some("planted");
        }
    });
    assert_eq!(inside.size, Some(file.size()));
    let expected = if found.format == Format::Raw && found.evidence.is_empty() {
        Content::Nothing
    } else {
        Content::Found {
            format: found.format,
            variant: found.variant,
            virtual_size: found.virtual_size,
            evidence: found.evidence.clone(),
            facts: found.facts.clone(),
        }
    };
    assert_eq!(inside.content, expected);
}

/// A tar archive with a file in it.
struct Archive<'a> {
    header: [u8; 512],
    file: &'a SparseFile,
}

impl<'a> Archive<'a> {
    fn new(file: &'a SparseFile) -> Self {
        let mut header = [0; 512];
        header[..8].copy_from_slice(b"disk.raw");
        header[124..136].copy_from_slice(format!("{:011o}\0", file.size()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum = header.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        Self { header, file }
    }
}

impl ReadAt for Archive<'_> {
    fn path(&self) -> &Path {
        Path::new("box.tar")
    }

    fn size(&self) -> u64 {
        512 + self.file.size().next_multiple_of(512) + 1024
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset + buf.len() as u64;
        if end > self.size() {
            return Err(Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size() });
        }
        buf.fill(0);
        for (place, byte) in buf.iter_mut().enumerate().take(512_u64.saturating_sub(offset) as usize) {
            *byte = self.header[offset as usize + place];
        }
        let (from, to) = (offset.max(512), end.min(512 + self.file.size()));
        if from < to {
            self.file.read_at(&mut buf[(from - offset) as usize..(to - offset) as usize], from - 512)?;
        }
        Ok(())
    }
}

/// A file of each format, as small as it can be.
pub fn seeds() -> Vec<Vec<u8>> {
    let sparse = |file: &[u8]| [vec![0], SparseFile::encode_bytes(file)].concat();
    let plain = |file: &[u8]| [&[1], file].concat();
    let folder = imsprep_testdata::folder();
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a file of testdata");
    let put = |length: usize, parts: &[(usize, &[u8])]| {
        let mut bytes = vec![0; length];
        for (at, part) in parts {
            bytes[*at..at + part.len()].copy_from_slice(part);
        }
        bytes
    };
    let sectors = || Some(vec![(true, [7; 512]); 8]);
    let descriptor = "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n\
                      RW 2048 FLAT \"disk-flat.vmdk\" 0\n";
    let parallels = "<?xml version='1.0'?><Parallels_disk_image Version=\"1.0\"><Disk_Parameters><Disk_size>64</Disk_size>\
                     </Disk_Parameters></Parallels_disk_image>";
    let grains = [super::build_vmdk::Kind::There(vec![7; 4096]), super::build_vmdk::Kind::Absent];
    let gzip = {
        let mut encoder =
            flate2::GzBuilder::new().filename("disk.raw").write(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &read("small.raw")[..32 << 10]).expect("into memory");
        encoder.finish().expect("into memory")
    };
    let mut seeds = vec![
        plain(b"text that is no disk"),
        sparse(&read("small.raw")),
        sparse(&read("disk.qcow2")),
        sparse(&bytes_of(&small(imsprep_zvhd2::Method::Zstd))),
        sparse(&super::build_vhd::dynamic(4096, &[sectors(), None, sectors()], 3 * 4096)),
        sparse(&super::build_vmdk::build(super::build_vmdk::Form::Plain, 4096, 16, &grains).bytes),
        sparse(&super::build_vmdk::build(super::build_vmdk::Form::Stream, 4096, 16, &grains).bytes),
        plain(descriptor.as_bytes()),
        plain(parallels.as_bytes()),
        plain(&gzip),
        plain(&zstd::bulk::compress(&read("small.raw"), 1).expect("a compressor")),
        plain(&read("golden.tar.xz")[..8192]),
    ];
    // Formats of which a header suffices to be known by.
    seeds.extend([
        plain(&put(512, &[(0, b"QFI\xfb\0\0\0\x01"), (30, &[1]), (32, &[12, 9])])),
        plain(&put(512, &[(0, b"QED\0"), (6, &[1]), (8, &[4]), (12, &[1]), (49, &[0, 16])])),
        plain(&put(
            512,
            &[(64, &[0x7f, 0x10, 0xda, 0xbe]), (68, &[1, 0, 1]), (72, &[0x90, 1]), (76, &[1]), (370, &[1])],
        )),
        plain(&put(
            512,
            &[(0, b"WithoutFreeSpace"), (16, &[2]), (20, &[16]), (28, &[8]), (32, &[1]), (36, &[0, 8])],
        )),
        plain(&put(600, &[(0, b"LUKS\xba\xbe\x00\x01"), (106, &[16]), (111, &[32])])),
        plain(&put(512, &[(88, b"koly"), (92, &[0, 0, 0, 4, 0, 0, 2, 0])])),
        plain(&put(64, &[(0, b"PK\x03\x04\x14"), (26, &[8]), (30, b"disk.raw")])),
        plain(&put(64, &[(0, b"7z\xbc\xaf\x27\x1c\x00\x04")])),
        plain(&put(64, &[(0, &[0x3a, 0xff, 0x26, 0xed, 1, 0, 0, 0, 28, 0, 12, 0, 0, 16, 0, 0, 16])])),
        plain(&put(256, &[(0, b"MSWIM\0\0\0\xd0"), (12, &[0, 13, 1])])),
        plain(&put(256, &[(0, b"EVF\x09\x0d\x0a\xff\x00\x01\x01"), (13, b"header")])),
        plain(&put(64, &[(0, b"BZh91AY&SY")])),
        plain(&put(64, &[(0, b"\x04\x22\x4d\x18\x64\x40\xa7")])),
        [
            vec![0],
            SparseFile::encode(
                1 << 20,
                [(32 << 10, put(2048, &[(0, b"\x01CD001\x01"), (80, &[16]), (128, &[0, 8])]))],
            ),
        ]
        .concat(),
        [vec![0], vhdx()].concat(),
    ]);
    // Formats that are named and not read, which none of the above is.
    seeds.extend(MAGICS.iter().map(|magic| plain(&put(1024, &[(magic.offset, magic.bytes)]))));
    seeds.extend(END_MAGICS.iter().map(|(magic, from_end)| {
        plain(&put(1024, &[(1024 - usize::try_from(*from_end).expect("a small number"), magic.bytes)]))
    }));
    seeds
}

/// Headers and region tables of a VHDX.
fn vhdx() -> Vec<u8> {
    let mut header = vec![0; 4096];
    header[..4].copy_from_slice(b"head");
    header[8] = 1;
    header[66] = 1;
    let sum = imsprep_ondisk::format::vhdx::checksum(&header);
    header[4..8].copy_from_slice(&sum.to_le_bytes());
    let kib = 1 << 10;
    SparseFile::encode(4 << 20, [(0, b"vhdxfile".to_vec()), (64 * kib, header.clone()), (128 * kib, header)])
}
