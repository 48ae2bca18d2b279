//! What is inside of compressed files and archives, made by the real tools and by hostile hands.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

#[macro_use]
extern crate imsprep_testdata;

use std::io::Write as _;
use std::process::Stdio;

use imsprep_detect::{
    Content, Detection, Evidence, Fact, Format, Inside, Member, Role, detect, look_into_tar,
};
use imsprep_source::{ImageFile, MemoryImage, ReadAt as _, Sparse};
use imsprep_testdata::{command, each, need_tools};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

/// An xz file of 4096 zeros.
const XZ_ZEROS: &[u8] = b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\xe0\x0f\xff\
    \x00\x19]\x00\x00o\xfd\xff\xff\xa3\xb7\xffG>H\x15r9aQ\xb8\x92(\xe6\xa3\x84\x9e)F\x00\x00\x00\x00\xa5\xf0\xea\
    %\x94\xd3\xd3&\x00\x015\x80 \x00\x00\x00o]6\x86\xb1\xc4g\xfb\x02\x00\x00\x00\x00\x04YZ";

fn found(bytes: impl Into<Vec<u8>>) -> Detection {
    detect(&MemoryImage::new("image", bytes.into())).unwrap()
}

fn found_in(folder: &TempDir, name: &str) -> Detection {
    detect(&ImageFile::open(folder.path().join(name)).unwrap()).unwrap()
}

/// What the facts tell of things inside.
fn insides(found: &Detection) -> Vec<&Inside> {
    let mut insides = Vec::new();
    for fact in &found.facts {
        if let Fact::Inside(inside) = fact {
            insides.push(inside);
        }
    }
    insides
}

fn content(found: &Detection) -> &Content {
    let [inside] = insides(found)[..] else { panic!("{found:?}") };
    &inside.content
}

fn not_looked_at(found: &Detection) -> &str {
    match content(found) {
        Content::NotLookedAt(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Runs a script in the folder, which needs these tools.
fn run(folder: &TempDir, tools: &[&str], script: &str) {
    need_tools(tools);
    let mut shell = command("sh");
    shell.args(["-e", "-c", script]).current_dir(folder).stdin(Stdio::null());
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What compresses `disk`: the tool, how, and what comes of it.
const COMPRESSORS: &[(&str, &str, &str)] = &[
    ("gzip", "gzip disk", "disk.gz"),
    ("pigz", "pigz disk", "disk.gz"),
    ("xz", "xz disk", "disk.xz"),
    ("xz", "xz -9 -T2 disk", "disk.xz"),
    ("zstd", "zstd -q disk", "disk.zst"),
    ("zstd", "zstd -q --ultra -22 --long=27 disk", "disk.zst"),
    ("pzstd", "pzstd -q disk", "disk.zst"),
    ("bzip2", "bzip2 disk", "disk.bz2"),
    ("lz4", "lz4 -q disk disk.lz4", "disk.lz4"),
    ("lz4", "lz4 -q -B4 disk disk.lz4", "disk.lz4"),
    ("lz4", "lz4 -q -l disk disk.lz4", "disk.lz4"),
    ("zip", "zip -q disk.zip disk", "disk.zip"),
    ("zip", "zip -q -0 disk.zip disk", "disk.zip"),
    ("python3", "python3 -c \"import zipfile; zipfile.ZipFile('disk.zip', 'w').write('disk')\"", "disk.zip"),
];

#[test]
fn each_compressor_shows_the_image_in_it() {
    each(COMPRESSORS, |&(tool, command, name)| {
        let folder = TempDir::new().unwrap();
        let disk = "truncate -s 8M base; qemu-img create -q -f qcow2 -b base -F raw disk";
        run(&folder, &["qemu-img", tool], &format!("{disk}; {command}"));
        let found = found_in(&folder, name);
        let expected = Content::Found {
            format: Format::Qcow2,
            variant: Some("v3"),
            virtual_size: Some(8 * MIB),
            evidence: vec![],
            facts: vec![Fact::BackingFile("base".into())],
        };
        assert_eq!(content(&found), &expected, "{command}");
        assert_eq!((found.virtual_size, found.also), (None, vec![]), "{command}");
    });
}

#[test]
fn each_compressor_shows_the_disk_in_it() {
    each(COMPRESSORS, |&(tool, command, name)| {
        let folder = TempDir::new().unwrap();
        // Legacy LZ4 has blocks of 8 MiB.
        let is_legacy = command.contains("-l ");
        let size = if is_legacy { 9 } else { 2 };
        let disk = format!("head -c {size}M /dev/urandom > disk; sgdisk -n 1:2048:0 disk");
        run(&folder, &["sgdisk", tool], &format!("{disk}; {command}"));
        let found = found_in(&folder, name);
        // Stored as it is, it is looked at whole; else nobody knows how large it is.
        let is_stored = command.contains("-0") || tool == "python3";
        let expected = Content::Found {
            format: Format::Raw,
            variant: None,
            virtual_size: is_stored.then_some(size * MIB),
            evidence: vec![Evidence::Gpt],
            facts: vec![],
        };
        // A block that does not get smaller is more than is looked at.
        if is_legacy {
            not_looked_at(&found);
        } else {
            assert_eq!(content(&found), &expected, "{command}");
        }
    });
}

#[test]
fn names_and_sizes_where_the_compressor_wrote_them_down() {
    each(
        [
            ("gzip", "gzip disk.raw", Some("disk.raw"), None),
            ("gzip", "gzip -n disk.raw", None, None),
            ("zstd", "zstd -q disk.raw", None, Some(MIB)),
            ("zstd", "zstd -q < disk.raw > disk.raw.zst", None, None),
            ("lz4", "lz4 -q --content-size disk.raw disk.raw.lz4", None, Some(MIB)),
            ("lz4", "lz4 -q disk.raw disk.raw.lz4", None, None),
            ("zip", "zip -q disk.raw.zip disk.raw", Some("disk.raw"), Some(MIB)),
        ],
        |(tool, command, name, size)| {
            let folder = TempDir::new().unwrap();
            run(&folder, &[tool], &format!("truncate -s 1M disk.raw; {command}; mv disk.raw.* out"));
            let found = found_in(&folder, "out");
            let [inside] = insides(&found)[..] else { panic!("{found:?}") };
            assert_eq!((inside.name.as_deref(), inside.size), (name, size), "{command}");
            assert_eq!(inside.content, Content::Nothing, "{command}");
        },
    );
}

#[test]
fn an_ova_lists_its_disks() {
    for format in ["ustar", "gnu", "pax", "v7"] {
        let folder = TempDir::new().unwrap();
        run(
            &folder,
            &["qemu-img", "tar", "gzip"],
            &format!(
                "truncate -s 8M raw; for n in 1 2; do qemu-img convert -O vmdk -o subformat=streamOptimized raw d$n.vmdk; \
                 done; gzip -k raw; echo '<Envelope/>' > d.ovf; echo x > d.mf; echo y > notes.txt; tar --format={format} \
                 -cf out d.ovf d.mf d1.vmdk d2.vmdk notes.txt raw.gz"
            ),
        );
        let found = found_in(&folder, "out");
        assert_eq!((found.format, found.variant), (Format::Tar, Some("ova")), "{format}");
        let length = std::fs::metadata(folder.path().join("d1.vmdk")).unwrap().len();
        let names = insides(&found).iter().map(|inside| inside.name.clone().unwrap()).collect::<Vec<_>>();
        assert_eq!(names, ["d1.vmdk", "d2.vmdk", "raw.gz"], "{format}");
        let disk = Content::Found {
            format: Format::Vmdk,
            variant: Some("streamOptimized"),
            virtual_size: Some(8 * MIB),
            evidence: vec![],
            facts: vec![],
        };
        assert_eq!((&insides(&found)[0].content, insides(&found)[0].size), (&disk, Some(length)));
        // What a compressed member holds shows.
        assert!(
            matches!(&insides(&found)[2].content, Content::Found { format: Format::Gzip, facts, .. } if matches!(facts[..], [Fact::Inside(_)]))
        );
        assert_eq!(found.facts.len(), 3, "{found:?}");
    }
}

#[test]
fn long_names_in_archives() {
    let name = format!("{}/disk.raw", "folder".repeat(30));
    for format in ["gnu", "pax"] {
        let folder = TempDir::new().unwrap();
        let script = format!(
            "mkdir {0}; truncate -s 1M {name}; tar --format={format} -cf out {0}",
            "folder".repeat(30)
        );
        run(&folder, &["tar"], &script);
        let found = found_in(&folder, "out");
        let [inside] = insides(&found)[..] else { panic!("{found:?}") };
        assert_eq!(inside.name.as_deref(), Some(&*name), "{format}");
        assert_eq!((inside.size, &inside.content), (Some(MIB), &Content::Nothing));
    }
}

/// Bytes in a hole, data, a hole, data and a hole, as the file system may have them or not.
fn sparse_disk(folder: &TempDir) -> Vec<u8> {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::File::create(folder.path().join("disk.raw")).unwrap();
    file.set_len(24 * MIB).unwrap();
    // More pieces than fit in a header and in the first block that follows it.
    for n in 0..40 {
        file.write_all_at(&[n + 1; 5000], 3 * MIB + u64::from(n) * (MIB / 4)).unwrap();
    }
    let mut mbr = [0; 512];
    mbr[446..462].copy_from_slice(b"\0\x20\x21\0\x83\0\0\0\0\x08\0\0\0\x08\0\0");
    mbr[510..].copy_from_slice(b"\x55\xaa");
    file.write_all_at(&mbr, 0).unwrap();
    std::fs::read(folder.path().join("disk.raw")).unwrap()
}

#[test]
fn a_sparse_member_is_the_file_with_its_holes() {
    let commands = [
        "tar -S --format=pax --sparse-version=0.0 -cf out disk.raw",
        "tar -S --format=pax --sparse-version=0.1 -cf out disk.raw",
        "tar -S --format=pax --sparse-version=1.0 -cf out disk.raw",
        "tar -S --format=posix --pax-option=globexthdr.name=g,comment=x -cf out disk.raw",
        "tar -S --format=gnu -cf out disk.raw",
        "tar -S --format=oldgnu -cf out disk.raw",
        "tar --format=ustar -cf out disk.raw",
        "bsdtar -cf out disk.raw",
        "bsdtar --format=pax -cf out disk.raw",
        "bsdtar --format=gnutar -cf out disk.raw",
        "bsdtar --format=ustar -cf out disk.raw",
        "bsdtar --format=v7 -cf out disk.raw",
    ];
    each(commands, |command| {
        let folder = TempDir::new().unwrap();
        let bytes = sparse_disk(&folder);
        run(&folder, &[command.split(' ').next().unwrap()], command);
        let found = found_in(&folder, "out");
        let [Fact::Inside(inside)] = &found.facts[..] else { panic!("{command}: {found:?}") };
        assert_eq!((inside.name.as_deref(), inside.size), (Some("disk.raw"), Some(24 * MIB)), "{command}");
        assert!(
            matches!(&inside.content, Content::Found { format: Format::Raw, evidence, .. } if *evidence == [Evidence::Mbr]),
            "{command}: {inside:?}"
        );
        let image = ImageFile::open(folder.path().join("out")).unwrap();
        let archive = look_into_tar(&image).unwrap();
        let [Member { role: Role::Disk, map: Some(map), .. }] = &archive.members[..] else {
            panic!("{archive:?}")
        };
        let mut read = vec![9; bytes.len()];
        Sparse::new(&image, map.clone()).read_at(&mut read, 0).unwrap();
        assert!(read == bytes, "{command}");
        // A byte less is said.
        let length = map.end_in_source() - 1;
        std::fs::OpenOptions::new()
            .write(true)
            .open(folder.path().join("out"))
            .unwrap()
            .set_len(length)
            .unwrap();
        let cut = found_in(&folder, "out");
        assert!(matches!(&cut.facts[..], [Fact::OutsideFile(_), ..]), "{command}: {cut:?}");
    });
}

/// A tar header with a right checksum.
fn tar_header(name: &str, size: &[u8; 12]) -> Vec<u8> {
    let mut b = vec![0; 512];
    b[..name.len()].copy_from_slice(name.as_bytes());
    b[124..136].copy_from_slice(size);
    b[156] = b'0';
    b[257..265].copy_from_slice(b"ustar\x0000");
    b[148..156].fill(b' ');
    let sum = b.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    b[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    b
}

#[test]
fn an_archive_that_was_cut_off_says_what_is_missing() {
    let mut bytes = tar_header("d.ovf", b"00000000000\0");
    bytes.extend(tar_header("disk.vmdk", b"\x80\0\0\0\0\0\0\x02\0\0\0\0"));
    bytes.extend(b"KDMV\x01\0\0\0");
    bytes.resize(4096, 0);
    let found = found(bytes);
    let [Fact::OutsideFile(what), Fact::Inside(inside)] = &found.facts[..] else { panic!("{found:?}") };
    assert!(what.contains("\"disk.vmdk\"") && what.contains("the file at 4096"), "{what}");
    assert_eq!(inside.size, Some(2 << 32));
    assert!(matches!(inside.content, Content::Found { format: Format::Vmdk, .. }));
}

#[test]
fn what_is_too_much_to_look_at_is_said() {
    let mut many = Vec::new();
    for n in 0..300 {
        many.extend(tar_header(&format!("{n}.img"), b"00000001000\0"));
        many.extend([7; 512]);
    }
    let found = self::found(many);
    assert_eq!(insides(&found).len(), 16);
    let unseen = found.facts.iter().filter(|fact| matches!(fact, Fact::NotLookedAt(_))).collect::<Vec<_>>();
    assert!(matches!(&unseen[..], [Fact::NotLookedAt(why)] if why.starts_with("284 ")), "{unseen:?}");
    let seven = self::found(b"7z\xbc\xaf\x27\x1c\0\x04".to_vec());
    assert!(matches!(&seven.facts[..], [Fact::NotLookedAt(_)]), "{seven:?}");
}

#[test]
fn a_zip_shows_all_its_disks() {
    let folder = TempDir::new().unwrap();
    run(
        &folder,
        &["zip"],
        "truncate -s 1M a.raw b.img c; zip -q out.zip a.raw b.img c; zip -q -e -P key locked.zip c",
    );
    let found = found_in(&folder, "out.zip");
    let names = insides(&found).iter().map(|inside| inside.name.clone().unwrap()).collect::<Vec<_>>();
    assert_eq!((names, found.facts.len()), (vec!["a.raw".to_owned(), "b.img".to_owned()], 2));
    let locked = found_in(&folder, "locked.zip");
    assert_eq!(locked.facts[0], Fact::Encrypted("ZIP"));
    assert!(matches!(&locked.facts[1], Fact::Inside(Inside { content: Content::NotLookedAt(_), .. })));
}

#[test]
fn a_wrapper_in_a_wrapper_stays_closed() {
    let twice = found(gzip(&gzip(&[0; 4096])));
    let Content::Found { format, facts, .. } = content(&twice) else { panic!("{twice:?}") };
    assert_eq!((*format, &facts[..]), (Format::Gzip, &[][..]));
}

#[test]
fn what_a_cut_off_head_lacks_is_no_damage() {
    // A fixed VHD is known by its end, a VHDX by tables beyond what is expanded.
    let mut vhdx = vec![0; 1 << 20];
    vhdx[..8].copy_from_slice(b"vhdxfile");
    let found = found(gzip(&vhdx));
    let Content::Found { format, facts, virtual_size, .. } = content(&found) else { panic!("{found:?}") };
    assert_eq!((*format, &facts[..], *virtual_size), (Format::Vhdx, &[][..], None));
}

#[test]
fn what_can_not_be_expanded_says_why() {
    let mut bad = gzip(&[0; 4096]);
    bad.truncate(12);
    assert!(not_looked_at(&found(bad)).contains("cannot be decompressed"));
    assert!(not_looked_at(&found(gzip(&[]))).contains("it is empty"));
    // Damage after the first bytes does not hide them.
    let mut disk = vec![0; 200_000];
    disk[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
    let mut cut = gzip(&disk);
    cut.truncate(cut.len() - 20);
    assert!(matches!(content(&found(cut)), Content::Found { format: Format::Qcow2, .. }));
}

#[test]
fn an_xz_file_may_not_ask_for_gigabytes() {
    assert_eq!(content(&found(XZ_ZEROS)), &Content::Nothing);
    let mut greedy = XZ_ZEROS.to_vec();
    // A dictionary of 4 GiB.
    greedy[16] = 40;
    let crc = crc32fast::hash(&greedy[12..20]);
    greedy[20..24].copy_from_slice(&crc.to_le_bytes());
    assert!(not_looked_at(&found(greedy)).contains("mem"));
}

#[test]
fn a_window_that_is_too_large_is_named_with_the_way_out() {
    // 2 GiB, and one raw block.
    let frame = b"\x28\xb5\x2f\xfd\x00\xa8\x21\0\0data".to_vec();
    let why = not_looked_at(&found(frame)).to_owned();
    assert!(why.contains("2048 MiB") && why.contains("zstd -d --long=31"), "{why}");
}

#[test]
fn an_xz_file_tells_its_size_at_its_end() {
    let size = |bytes: Vec<u8>| insides(&found(bytes))[0].size;
    assert_eq!(size(XZ_ZEROS.to_vec()), Some(4096));
    assert_eq!(size([XZ_ZEROS, &[0; 8], XZ_ZEROS, &[0; 4]].concat()), Some(8192));
    for length in 8..XZ_ZEROS.len() {
        assert_eq!(size(XZ_ZEROS[..length].to_vec()), None, "{length}");
    }
    assert_eq!(size([XZ_ZEROS, b"rubbish"].concat()), None);
    let folder = TempDir::new().unwrap();
    run(&folder, &["xz"], "head -c 1000001 /dev/urandom > disk; xz -k -T2 --block-size=100000 disk");
    assert_eq!(insides(&found_in(&folder, "disk.xz"))[0].size, Some(1_000_001));
}

#[test]
fn a_bomb_is_known_by_its_first_bytes_and_one_of_nothing_is_given_up() {
    let bomb = gzip(&vec![0; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(content(&found(bomb)), &Content::Nothing);
    // Blocks that hold nothing: a little work for each, and no output that would end it.
    let mut empty = gzip(&[]);
    let end = empty.split_off(10);
    for _ in 0..1 << 20 {
        empty.extend(b"\0\0\0\xff\xff");
    }
    empty.extend(end);
    assert!(not_looked_at(&found(empty)).contains("decompress to no data"));
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
