use std::io::Write;

use proptest::prelude::*;

use super::*;

fn member(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "070701{:08x}{mode:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}",
        1,
        0,
        0,
        1,
        0,
        content.len(),
        0,
        0,
        0,
        0,
        name.len() + 1,
        0
    )
    .into_bytes();
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = member("lib", 0o120_777, b"usr/lib");
    bytes.extend(files.iter().flat_map(|(name, content)| member(name, 0o100_644, content)));
    bytes.extend(member("TRAILER!!!", 0, b""));
    bytes
}

const VERSION: &str = "6.1.0-18-amd64";

fn main_archive() -> Vec<u8> {
    archive(&[
        ("./usr/lib/modules/6.1.0-18-amd64/kernel/drivers/block/virtio_blk.ko.xz", b"x"),
        ("usr/lib/modules/6.1.0-18-amd64/kernel/drivers/net/virtio-net.ko", b"x"),
        ("usr/lib/modules/6.1.0-18-amd64/kernel/drivers/scsi/virtio_scsi.ko", b""),
        ("usr/lib/modules/6.1.0-18-amd64/modules.builtin", b"kernel/drivers/virtio/virtio.ko\n"),
        ("etc/udev/rules.d/70-persistent-net.rules", b"SUBSYSTEM==\"net\"\n"),
        ("lib/old.ko", b"x"),
        ("usr/lib/dracut/hostonly-kernel-modules.txt", b"x"),
    ])
}

fn early() -> Vec<u8> {
    let mut bytes = archive(&[("kernel/x86/microcode/AuthenticAMD.bin", &[7; 5000])]);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn check(found: &Initramfs) {
    assert_eq!(found.incomplete, None, "{:?}", found.compressors);
    assert_eq!(found.has_module(Some(VERSION), "virtio_blk"), Some(true));
    assert_eq!(found.has_module(Some(VERSION), "virtio_net"), Some(true));
    // A file without content is no driver.
    assert_eq!(found.has_module(Some(VERSION), "virtio_scsi"), Some(false));
    assert_eq!(found.has_module(Some(VERSION), "old"), Some(true));
    // Those of another kernel don't count.
    assert_eq!(found.has_module(Some("6.1.0-17-amd64"), "virtio_blk"), Some(false));
    assert!(found.builtin[VERSION].contains("virtio"));
    assert_eq!(found.net_rules["/etc/udev/rules.d/70-persistent-net.rules"], b"SUBSYSTEM==\"net\"\n");
    assert_eq!((found.generator, found.hostonly), (Some(Generator::Dracut), true));
}

fn lz4_legacy(bytes: &[u8]) -> Vec<u8> {
    let mut file = 0x184c_2102_u32.to_le_bytes().to_vec();
    for block in bytes.chunks(1000) {
        let packed = lz4_flex::block::compress(block);
        file.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        file.extend(packed);
    }
    file
}

/// As lzop writes it with `--no-checksum` and stored blocks. What is compressed is tested with the program.
fn lzop_stored(bytes: &[u8]) -> Vec<u8> {
    let mut file = b"\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40\x01\x05".to_vec();
    file.extend([0; 4 + 12]);
    file.push(0);
    file.extend([0; 4]);
    for block in bytes.chunks(1000) {
        let length = u32::try_from(block.len()).unwrap().to_be_bytes();
        file.extend(length.into_iter().chain(length).chain(block.iter().copied()));
    }
    file.extend([0; 4]);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_compressor_is_read_after_an_archive_in_the_clear() {
    let main = main_archive();
    let zstd = |bytes: &[u8]| zstd::bulk::compress(bytes, 3).unwrap();
    for (name, packed) in [
        ("none", main.clone()),
        ("gzip", gzip(&main)),
        ("bzip2", bzip2(&main)),
        ("lz4", lz4_legacy(&main)),
        ("lzo", lzop_stored(&main)),
        ("zstd", zstd(&main)),
    ] {
        let file = [early(), early(), packed.clone(), vec![0; 7]].concat();
        let found = read_initramfs(&file);
        assert_eq!(found.compressors, ["none", "none", name]);
        check(&found);
        // Another archive after a compressed one; lz4 does not tell where it ends.
        if name != "lz4" {
            let file = [packed, vec![0; 4], gzip(&archive(&[("late", b"x")])), vec![0; 512]].concat();
            let found = read_initramfs(&file);
            assert_eq!(found.compressors, [name, "gzip"]);
            check(&found);
        }
    }
}

#[test]
fn what_is_left_out_is_not_read() {
    struct Counted(Vec<u8>, std::cell::Cell<u64>);
    impl ArchiveFile for Counted {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
            let count = self.0.read_at(buf, offset)?;
            self.1.set(self.1.get() + count as u64);
            Ok(count)
        }
    }
    let large = archive(&[("firmware", &vec![7; 20 << 20])]);
    let file = Counted([large, main_archive()].concat(), std::cell::Cell::new(0));
    check(&read_initramfs(&file));
    assert!(file.1.get() < 256 << 10, "{}", file.1.get());
}

#[test]
fn what_can_not_be_read_is_told() {
    for (file, reason) in [
        (vec![], "empty"),
        (vec![0; 600], "empty"),
        (b"what is this".to_vec(), "not known"),
        (b"\x04\x22\x4d\x18 a frame that the kernel does not read".to_vec(), "not known"),
        ([early(), b"junk".to_vec()].concat(), "follows"),
        (gzip(b"no archive"), "no cpio"),
        (main_archive()[..400].to_vec(), "at byte 0"),
        (gzip(&main_archive())[..100].to_vec(), "at byte 0"),
    ] {
        let found = read_initramfs(&file);
        let told = found.incomplete.clone().unwrap_or_default();
        assert!(told.contains(reason), "{told} {reason}");
        // What is not there is not known to be absent.
        assert_eq!(found.has_module(None, "virtio_pci"), None);
    }
}

#[test]
fn what_expands_without_end_is_bounded() {
    const MAX: u64 = 8 << 20;
    let bomb = |start: Vec<u8>| {
        zstd::encode_all(io::Cursor::new(start).chain(io::repeat(0).take(4 * MAX)), 1).unwrap()
    };
    // Zeros after an archive, and a member whose content has no end.
    let mut endless = member("large", 0o100_644, b"");
    endless[54..62].copy_from_slice(b"ffffffff");
    for start in [archive(&[]), endless] {
        let packed = bomb(start);
        assert!(packed.len() < 1 << 20);
        let told = read_up_to(&packed, MAX).incomplete.unwrap();
        assert!(told.contains("expands to more"), "{told}");
    }
    let many = [early().as_slice(); 65].concat();
    assert!(read_initramfs(&many).incomplete.unwrap().contains("64"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn altered_archives_are_read(
        compressor in 0..5_usize, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        end in any::<prop::sample::Index>(),
    ) {
        let main = main_archive();
        let packed = match compressor {
            0 => main,
            1 => gzip(&main),
            2 => bzip2(&main),
            3 => lz4_legacy(&main),
            _ => lzop_stored(&main),
        };
        let mut file = [early(), packed].concat();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        read_initramfs(&file);
        file.truncate(end.index(file.len()));
        read_initramfs(&file);
    }
}
