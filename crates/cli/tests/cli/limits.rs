//! Hostile files, under a limit of 256 MiB of address space and of time.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;

use imsprep_ondisk::format::zvhd2::{self as disk, Footer, IndexEntry, RecordHeader};
use imsprep_testdata::{command, golden, need_tools};

use crate::folder::{Folder, Run};

/// Runs in 256 MiB and 300 seconds of processor time: whatever asks for more fails, and the process with it.
fn run_limited(folder: &Folder, args: &[&str]) -> Run {
    let binary = assert_cmd::cargo::cargo_bin("imsprep");
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 262144 && ulimit -t 300 && exec \"$0\" --threads 2 \"$@\""])
        .arg(binary)
        .args(args)
        .current_dir(folder.path("."))
        // Of the address space that the allocator sets aside for each thread little is ever used.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    Run {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The footers and the one record of a golden file, with a disk of `blocks` blocks.
pub(crate) struct Hostile {
    head: Footer,
    record: Vec<u8>,
}

impl Hostile {
    pub(crate) fn new(blocks: u32) -> Self {
        let bytes = golden("zstd_k_uniform.zvhd2");
        let mut head = Footer::decode(bytes[..512].try_into().unwrap());
        head.max_blk_num = blocks;
        head.orig_size = u64::from(blocks) * u64::from(disk::BLOCK_SIZE);
        head.curr_size = head.orig_size.next_multiple_of(disk::DISK_SIZE_STEP);
        head.geometry = disk::geometry(head.orig_size);
        let header = RecordHeader::decode(bytes[4096..][..48].try_into().unwrap());
        let length = usize::try_from(header.record_length()).unwrap();
        Self { head: head.sealed(), record: bytes[4096..][..length].to_vec() }
    }

    /// Every block a data block, and the index what `entry` makes it. What is not written is a hole.
    pub(crate) fn write(&self, folder: &Folder, name: &str, entry: Option<fn(u32) -> IndexEntry>) {
        let file = File::create(folder.path(name)).unwrap();
        let blocks = self.head.max_blk_num;
        let mid = Footer { non_zero_blk_num: blocks, ..self.head.clone() };
        let mid_at = 4096 + self.record.len() as u64;
        let segments = blocks.div_ceil(disk::BLOCKS_PER_SEGMENT);
        let mut end = mid.clone();
        end.index_lba = mid_at + 4096;
        end.index_seg_num = segments;
        end.index_seg_size = disk::INDEX_SEGMENT_SIZE;
        end.index_size = segments.wrapping_mul(disk::INDEX_SEGMENT_SIZE);
        end.bitmap_lba = end.index_lba + u64::from(segments) * u64::from(disk::INDEX_SEGMENT_SIZE);
        end.bitmap_seg_num = segments;
        end.bitmap_seg_size = disk::BITMAP_SEGMENT_SIZE;
        end.bitmap_size = segments * disk::BITMAP_SEGMENT_SIZE;
        let end_at = end.bitmap_lba + u64::from(end.bitmap_size);
        file.set_len(end_at + 4096).unwrap();
        let write = |bytes: &[u8], at: u64| file.write_all_at(bytes, at).unwrap();
        write(&self.head.encode(), 0);
        write(&self.record, 4096);
        write(&mid.encode(), mid_at);
        if let Some(entry) = entry {
            let index = (0..blocks).flat_map(|block| entry(block).encode()).collect::<Vec<_>>();
            write(&index, end.index_lba);
        }
        let mut bits = vec![0xff; usize::try_from(blocks / 8).unwrap()];
        bits.push(u8::try_from((1_u32 << (blocks % 8)) - 1).unwrap());
        write(&bits, end.bitmap_lba);
        write(&end.sealed().encode(), end_at);
    }
}

/// What each command says of a file; none may fail for want of memory.
fn every_command(folder: &Folder, name: &str) -> Vec<(&'static str, Run)> {
    let commands: [(&str, &[&str]); 6] = [
        ("check", &["check"]),
        ("zvhd2 check", &["zvhd2", "check", "-q"]),
        ("info", &["zvhd2", "info", "-q"]),
        ("map", &["zvhd2", "map", "-q"]),
        ("compare", &["compare", "small.raw"]),
        ("detect", &["detect"]),
    ];
    let mut runs = Vec::new();
    for (what, args) in commands {
        let run = run_limited(folder, &[args, &[name]].concat());
        assert!([0, 1, 2].contains(&run.status), "{what} {name}: {run:?}");
        assert!(!run.err.contains("memory allocation") && !run.err.contains("panicked"), "{what}: {run:?}");
        runs.push((what, run));
    }
    let run = run_limited(folder, &["zvhd2", "repair", "--force", name, "out.zvhd2"]);
    assert!([0, 1, 2].contains(&run.status), "repair {name}: {run:?}");
    assert!(!run.err.contains("memory allocation") && !run.err.contains("panicked"), "repair: {run:?}");
    runs.push(("repair", run));
    runs
}

fn statuses(runs: &[(&'static str, Run)]) -> Vec<(&'static str, i32)> {
    runs.iter().map(|(what, run)| (*what, run.status)).collect()
}

#[test]
fn hundreds_of_millions_of_records_that_are_not_there() {
    let folder = Folder::new();
    folder.sparse("small.raw", 4 << 20, &[0]);
    Hostile::new(128 << 20).write(&folder, "hostile.zvhd2", None);
    let runs = every_command(&folder, "hostile.zvhd2");
    let expected = [
        ("check", 1),
        ("zvhd2 check", 1),
        ("info", 0),
        ("map", 2),
        ("compare", 2),
        ("detect", 0),
        // Its bitmap can't be believed, and the count says that nearly all is missing.
        ("repair", 1),
    ];
    assert_eq!(statuses(&runs), expected, "{runs:#?}");
}

/// As many records as are looked at, all of them in one place of the file.
#[test]
fn two_million_entries_that_point_to_one_record() {
    let folder = Folder::new();
    folder.sparse("small.raw", 4 << 20, &[0]);
    let entry = |block| IndexEntry { offset: 4096, block, length: 4096 };
    Hostile::new(1 << 21).write(&folder, "hostile.zvhd2", Some(entry));
    let runs = every_command(&folder, "hostile.zvhd2");
    let expected = [
        ("check", 1),
        ("zvhd2 check", 1),
        ("info", 0),
        // Where records overlap is seen when they are read.
        ("map", 0),
        ("compare", 1),
        ("detect", 0),
        ("repair", 1),
    ];
    assert_eq!(statuses(&runs), expected, "{runs:#?}");
    // The one record is what it says, block 0's.
    let repaired = &runs.last().unwrap().1.out;
    assert!(repaired.contains("saved   1 record: blocks 0\n"), "{repaired}");
    assert!(repaired.contains("missing 2097151 blocks: 1-2097151\n"), "{repaired}");
}

/// The smallest files that say the largest things.
#[test]
fn fields_at_their_limits() {
    let folder = Folder::new();
    folder.sparse("small.raw", 4 << 20, &[0]);
    let good = golden("zstd_k_uniform.zvhd2");
    let end = good.len() - 4096;
    for field in disk::FIELDS.iter().filter(|field| ![0, 64].contains(&field.offset)) {
        let mut bytes = good.to_vec();
        for at in [0, end] {
            bytes[at + field.offset..][..field.size].fill(0xff);
            let sum = disk::checksum(bytes[at..][..512].try_into().unwrap());
            bytes[at + 64..][..4].copy_from_slice(&sum.to_le_bytes());
        }
        folder.write("hostile.zvhd2", &bytes);
        for args in [
            &["zvhd2", "check", "-q", "hostile.zvhd2"][..],
            &["compare", "-q", "hostile.zvhd2", "small.raw"],
            &["zvhd2", "repair", "-q", "--force", "hostile.zvhd2", "out.zvhd2"],
        ] {
            let run = run_limited(&folder, args);
            assert!(
                [0, 1, 2].contains(&run.status) && !run.err.contains("panicked"),
                "{}: {run:?}",
                field.name
            );
        }
    }
}

/// A record in every page, each of which says that it goes on for 4 MiB.
#[test]
fn repair_does_not_read_false_records_over_and_over() {
    let folder = Folder::new();
    let good = golden("zstd_k_uniform.zvhd2");
    let mut bytes = good[..4096].to_vec();
    let mut header = RecordHeader::decode(good[4096..][..48].try_into().unwrap());
    header.size = 4 << 20;
    for page in 0..16_384 {
        header.curr_blk = page % 6;
        let start = bytes.len();
        bytes.extend(header.encode());
        bytes.extend(&good[4096 + 48..][..600]);
        bytes.resize(start + 4096, 0);
    }
    folder.write("hostile.zvhd2", &bytes);
    let run = run_limited(&folder, &["zvhd2", "repair", "hostile.zvhd2", "out.zvhd2"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.err.contains("no record can be recovered"), "{run:?}");
}

/// Bitmap files of a few bytes that tell of 2^32 blocks, or as many as there can be, in each layout.
#[test]
fn bitmap_files_that_ask_for_memory() {
    let folder = Folder::new();
    folder.sparse("small.raw", 4 << 20, &[0]);
    let learned = "name = \"learned\"\nblock-size = 512\nbit-order = \"most-significant-first\"\nset-bit = \"zero\"\n\
        padding = { unit = 1073741824 }\nheader = [{ number = \"image-size\", bytes = 8, order = \"little\" }]\n\
        learned = { samples = 1 }\n";
    folder.write("learned.toml", learned.as_bytes());
    let ranges = |size: u64, block: u64| {
        let blocks = size / block;
        let head = "# imsprep bitmap ranges 1\nimage-size";
        format!("{head} {size}\nblock-size {block}\ndata-blocks {blocks}\n0-{}\n", blocks - 1)
    };
    let bmap = |size: u64, block: u64| {
        let blocks = size / block;
        format!(
            "<bmap version=\"2.0\"><ImageSize>{size}</ImageSize><BlockSize>{block}</BlockSize>\
             <BlocksCount>{blocks}</BlocksCount><MappedBlocksCount>{blocks}</MappedBlocksCount>\
             <BlockMap><Range>0-{}</Range></BlockMap></bmap>\n",
            blocks - 1
        )
    };
    let sealed = [
        &b"IMSPMF\x01\0"[..],
        &(2_u32 << 20).to_le_bytes(),
        &[0; 4],
        &(1_u64 << 53).to_le_bytes(),
        &(1_u64 << 32).to_le_bytes(),
        &[0; 16],
    ]
    .concat();
    let of_header = |size: u64| [&size.to_le_bytes()[..], &[0; 76]].concat();
    let files: [(&str, Vec<u8>, bool); 9] = [
        ("zvhd2", vec![0xff; 84], false),
        ("sealed", sealed, false),
        ("ranges", ranges(1 << 53, 2 << 20).into_bytes(), false),
        ("ranges", ranges(1 << 41, 512).into_bytes(), false),
        ("bmap", bmap(1 << 53, 2 << 20).into_bytes(), false),
        ("bmap", bmap(1 << 44, 4096).into_bytes(), false),
        ("learned.toml", of_header(1 << 41), false),
        ("learned.toml", of_header(u64::MAX), false),
        // A disk of 1 TiB in blocks of 4 KiB is within bounds.
        ("ranges", ranges(1 << 40, 4096).into_bytes(), true),
    ];
    for (layout, bytes, shown) in files {
        folder.write("x.mf", &bytes);
        let size = if layout == "zvhd2" { "9007199254740992" } else { "" };
        let size: &[&str] = if size.is_empty() { &[] } else { &["--image-size", size] };
        let commands: [&[&str]; 4] = [
            &["bitmap", "show", "--layout", layout, "x.mf"],
            &["bitmap", "diff", "--layout", layout, "x.mf", "x.mf"],
            &["bitmap", "convert", "--force", "--from", layout, "x.mf", "y.mf", "--to", "ranges"],
            &["bitmap", "convert", "--force", "--from", layout, "x.mf", "y.mf", "--to", "zvhd2"],
        ];
        for args in commands {
            let run = run_limited(&folder, &[args, size].concat());
            assert_eq!(run.status, if shown { 0 } else { 2 }, "{args:?}: {run:?}");
            assert!(!run.err.contains("memory allocation") && !run.err.contains("panicked"), "{run:?}");
        }
        // Beside an image of another size it is no bitmap of that.
        let run = run_limited(&folder, &["bitmap", "verify", "small.raw", "--bitmap", "x.mf"]);
        assert!([1, 2].contains(&run.status) && !run.err.contains("memory allocation"), "{run:?}");
    }
}

/// A Zstandard frame of 128 KiB of zeros with this window descriptor.
fn zstd_frame(window: u8) -> Vec<u8> {
    [&b"\x28\xb5\x2f\xfd\x00"[..], &[window], b"\x03\0\x10\0"].concat()
}

/// An xz file of 4096 zeros with this code for the size of its dictionary.
fn xz_file(dictionary: u8) -> Vec<u8> {
    let mut file = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x16\0\0\0t/\xe5\xa3\xe0\x0f\xff\0\x19]\0\0o\xfd\xff\xff\xa3\
        \xb7\xffG>H\x15r9aQ\xb8\x92(\xe6\xa3\x84\x9e)F\0\0\0\0"
        .to_vec();
    file[16] = dictionary;
    let crc = crc32fast::hash(&file[12..20]);
    file[20..24].copy_from_slice(&crc.to_le_bytes());
    file
}

#[test]
fn compressed_files_that_ask_for_memory() {
    let folder = Folder::new();
    for (bytes, expands) in [
        // Windows of 128 MiB and of 2 GiB.
        (zstd_frame(17 << 3), true),
        (zstd_frame(21 << 3), false),
        // Dictionaries of 64 MiB, 96 MiB, 1.5 GiB and 4 GiB.
        (xz_file(28), true),
        (xz_file(29), false),
        (xz_file(37), false),
        (xz_file(40), false),
    ] {
        folder.write("hostile", &bytes);
        let run = run_limited(&folder, &["detect", "hostile"]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
        assert_eq!(run.out.contains("inside  not recognised by its first bytes"), expands, "{run:?}");
        let refused = run.out.contains("not inspected: it needs a window of 2048 MiB")
            || run.out.contains("not inspected: it cannot be decompressed");
        assert_eq!(refused, !expands, "{run:?}");
    }
}

/// Other formats whose headers and tables tell of as much as there can be.
#[test]
fn tables_at_their_limits_in_other_formats() {
    let folder = Folder::new();
    folder.sparse("small.raw", 4 << 20, &[0]);
    let write = |name: &str, size: u64, parts: &[(u64, &[u8])]| {
        let file = File::create(folder.path(name)).unwrap();
        file.set_len(size).unwrap();
        for (at, bytes) in parts {
            file.write_all_at(bytes, *at).unwrap();
        }
    };
    // qcow2: clusters of 512 bytes, an L1 table of 32 MiB, all of whose entries lead to one L2 table.
    let mut header = vec![0; 112];
    header[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
    header[23] = 9;
    header[24..32].copy_from_slice(&(128_u64 << 30).to_be_bytes());
    header[36..40].copy_from_slice(&(4_u32 << 20).to_be_bytes());
    header[40..48].copy_from_slice(&1024_u64.to_be_bytes());
    header[103] = 112;
    let l1 = 512_u64.to_be_bytes().repeat(4 << 20);
    write("l1.qcow2", 64 << 20, &[(0, &header), (1024, &l1)]);
    // The same in clusters of 2 MiB, with a table full of compressed clusters that are nothing of the kind.
    header[23] = 21;
    header[24..32].copy_from_slice(&(512_u64 << 30).to_be_bytes());
    header[36..40].copy_from_slice(&1_u32.to_be_bytes());
    header[40..48].copy_from_slice(&(2_u64 << 20).to_be_bytes());
    let packed = (1_u64 << 62 | 0xff << 49 | 1 << 20).to_be_bytes().repeat(262_144);
    write(
        "packed.qcow2",
        16 << 20,
        &[(0, &header), (2 << 20, &(4_u64 << 20).to_be_bytes()), (4 << 20, &packed)],
    );
    // VHD: four million blocks, all of them in one place.
    let mut footer = vec![0; 512];
    footer[..8].copy_from_slice(b"conectix");
    footer[16..24].copy_from_slice(&512_u64.to_be_bytes());
    footer[48..56].copy_from_slice(&(1_u64 << 40).to_be_bytes());
    footer[63] = 3;
    let mut dynamic = vec![0; 1024];
    dynamic[..8].copy_from_slice(b"cxsparse");
    dynamic[16..24].copy_from_slice(&2048_u64.to_be_bytes());
    dynamic[28..32].copy_from_slice(&(4_u32 << 20).to_be_bytes());
    dynamic[32..36].copy_from_slice(&(256_u32 << 10).to_be_bytes());
    for (bytes, at) in [(&mut footer, 64), (&mut dynamic, 36)] {
        let sum = !bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
        bytes[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    }
    let table = 40_000_u32.to_be_bytes().repeat(4 << 20);
    write(
        "blocks.vhd",
        (64 << 20) + 512,
        &[(0, &footer), (512, &dynamic), (2048, &table), (64 << 20, &footer)],
    );
    // VMDK: grains of 512 bytes, a directory of 16 MiB to one table.
    let mut sparse = vec![0; 512];
    sparse[..8].copy_from_slice(b"KDMV\x01\0\0\0");
    sparse[12..20].copy_from_slice(&(2_u64 << 30).to_le_bytes());
    sparse[20] = 1;
    sparse[44..48].copy_from_slice(&512_u32.to_le_bytes());
    sparse[28] = 1;
    sparse[36] = 1;
    sparse[56..64].copy_from_slice(&8_u64.to_le_bytes());
    let descriptor =
        b"# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicSparse\"\nRW 2147483648 SPARSE \"x\"\n";
    let directory = 2_u32.to_le_bytes().repeat(4 << 20);
    write("grains.vmdk", 32 << 20, &[(0, &sparse), (512, descriptor), (4096, &directory)]);
    for name in ["l1.qcow2", "packed.qcow2", "blocks.vhd", "grains.vmdk"] {
        for args in [&["compare", "small.raw", name][..], &["detect", name], &["check", name]] {
            let run = run_limited(&folder, args);
            assert!([0, 1, 2].contains(&run.status), "{args:?}: {run:?}");
            assert!(!run.err.contains("memory") && !run.err.contains("panicked"), "{args:?}: {run:?}");
        }
    }
    for (name, words) in
        [("packed.qcow2", "overlaps the header"), ("blocks.vhd", "overlaps a block of the disk")]
    {
        let run = run_limited(&folder, &["convert", name, "out.zvhd2"]);
        assert!(run.status == 1 && run.err.contains(words), "{run:?}");
        assert!(!folder.path("out.zvhd2").exists());
    }
}

/// What is converted needs no more memory the larger it is.
#[test]
fn conversion_of_other_formats_within_the_limit() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    let mut state = 3_u64;
    let block = (0..1 << 19).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 60).unwrap()
    });
    let block = block.collect::<Vec<_>>();
    let file = File::create(folder.path("source.raw")).unwrap();
    for number in 0..400_u64 {
        file.write_all_at(&block, number << 20).unwrap();
    }
    file.set_len(400 << 30).unwrap();
    for (name, format, options) in [
        ("a.qcow2", "qcow2", &["-c", "-o", "compression_type=zstd,cluster_size=2M"][..]),
        ("b.qcow2", "qcow2", &["-o", "cluster_size=4k"]),
        ("c.vhd", "vpc", &["-o", "subformat=dynamic,force_size=on"]),
        ("d.vmdk", "vmdk", &["-o", "subformat=streamOptimized"]),
    ] {
        let args = [&["convert", "-f", "raw", "-O", format], options, &["source.raw", name]].concat();
        assert!(command("qemu-img").args(args).current_dir(folder.path(".")).status().unwrap().success());
        let run = run_limited(&folder, &["convert", name, "out.zvhd2", "--force", "--verify"]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{name}");
        std::fs::remove_file(folder.path(name)).unwrap();
    }
}
