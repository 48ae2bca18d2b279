//! Files made by the real tools, held against what qemu-img says of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

#[macro_use]
extern crate imsprep_testdata;

use std::path::Path;
use std::process::Stdio;

use imsprep_detect::{Content, Detection, Evidence, Fact, Format, Inside, detect};
use imsprep_source::ImageFile;
use imsprep_testdata::{command, each, need_tools};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

/// Runs a tool in the folder, which the test needs.
fn run(folder: &TempDir, tool: &str, args: &[&str]) {
    let output = command(tool).args(args).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{tool} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn qemu_img(folder: &TempDir, args: &str) {
    run(folder, "qemu-img", &args.split_whitespace().collect::<Vec<_>>());
}

fn found(path: &Path) -> Detection {
    detect(&ImageFile::open(path).unwrap()).unwrap()
}

/// What qemu-img says: format and virtual size. With `format` it doesn't probe.
fn qemu_says(path: &Path, format: Option<&str>) -> (String, u64) {
    let mut qemu_img = command("qemu-img");
    qemu_img.args(["info", "--output=json", "-U"]);
    if let Some(format) = format {
        qemu_img.args(["-f", format]);
    }
    let output = qemu_img.arg(path).output().unwrap();
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    (info["format"].as_str().unwrap().into(), info["virtual-size"].as_u64().unwrap())
}

/// Makes `image` with `args` after `qemu-img create`, and checks format, variant, size and facts.
fn check(args: &str, format: Format, variant: Option<&str>, facts: &[Fact]) {
    let folder = TempDir::new().unwrap();
    qemu_img(&folder, &format!("create -q {args}"));
    check_file(&folder.path().join("image"), format, variant, facts);
}

fn check_file(path: &Path, format: Format, variant: Option<&str>, facts: &[Fact]) {
    let found = found(path);
    assert_eq!((found.format, found.variant), (format, variant), "{found:?}");
    assert_eq!(found.facts, facts, "{found:?}");
    assert_eq!(found.also, [], "{found:?}");
    let (name, is_fixed) = match format {
        Format::Vhd => ("vpc", variant == Some("fixed")),
        _ => (format.name(), false),
    };
    // qemu-img takes a fixed VHD for raw unless it is told.
    let (said, size) = qemu_says(path, is_fixed.then_some("vpc"));
    assert_eq!(said, name);
    assert_eq!(found.virtual_size, Some(size), "{found:?}");
}

#[test]
fn qcow2() {
    check("-f qcow2 -o compat=0.10 image 64M", Format::Qcow2, Some("v2"), &[]);
    check("-f qcow2 -o compat=1.1 image 64M", Format::Qcow2, Some("v3"), &[]);
    check("-f qcow2 -o extended_l2=on,compression_type=zstd image 3T", Format::Qcow2, Some("v3"), &[]);
    check("-f qcow2 -o lazy_refcounts=on,preallocation=metadata image 64M", Format::Qcow2, Some("v3"), &[]);
    let data_file = [Fact::ExternalDataFile(Some("data.bin".into()))];
    check("-f qcow2 -o data_file=data.bin image 64M", Format::Qcow2, Some("v3"), &data_file);
    check(
        "-f qcow2 --object secret,id=s,data=x -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 image 8M",
        Format::Qcow2,
        Some("v3"),
        &[Fact::Encrypted("LUKS")],
    );
}

#[test]
fn qcow2_with_a_backing_file_and_snapshots() {
    let folder = TempDir::new().unwrap();
    qemu_img(&folder, "create -q -f raw base.img 8M");
    qemu_img(&folder, "create -q -f qcow2 -b base.img -F raw image");
    qemu_img(&folder, "snapshot -c one image");
    qemu_img(&folder, "snapshot -c two image");
    let facts = [Fact::BackingFile("base.img".into()), Fact::Snapshots(2)];
    check_file(&folder.path().join("image"), Format::Qcow2, Some("v3"), &facts);
    qemu_img(&folder, "create -q -f qcow2 -o compat=0.10 -b base.img -F raw image");
    check_file(&folder.path().join("image"), Format::Qcow2, Some("v2"), &facts[..1]);
    qemu_img(&folder, "create -q -f qcow -b base.img -F raw image");
    check_file(&folder.path().join("image"), Format::Qcow, Some("v1"), &facts[..1]);
    qemu_img(&folder, "create -q -f qed -b base.img -F raw image");
    check_file(&folder.path().join("image"), Format::Qed, None, &facts[..1]);
}

#[test]
fn qcow_qed_and_luks() {
    check("-f qcow image 64M", Format::Qcow, Some("v1"), &[]);
    check("-f qed image 64M", Format::Qed, None, &[]);
    let luks = "-f luks --object secret,id=s,data=x -o key-secret=s,iter-time=10 image 8M";
    check(luks, Format::Luks, Some("v1"), &[Fact::Encrypted("LUKS1")]);
}

#[test]
fn vmdk() {
    check("-f vmdk image 64M", Format::Vmdk, Some("monolithicSparse"), &[]);
    check("-f vmdk -o compat6=on,zeroed_grain=on image 64M", Format::Vmdk, Some("monolithicSparse"), &[]);
    check("-f vmdk -o subformat=streamOptimized image 64M", Format::Vmdk, Some("streamOptimized"), &[]);
    for (subformat, size, names) in [
        ("monolithicFlat", "8M", &["image-flat.vmdk"][..]),
        ("twoGbMaxExtentFlat", "3G", &["image-f001.vmdk", "image-f002.vmdk"]),
        ("twoGbMaxExtentSparse", "3G", &["image-s001.vmdk", "image-s002.vmdk"]),
    ] {
        let folder = TempDir::new().unwrap();
        qemu_img(&folder, &format!("create -q -f vmdk -o subformat={subformat} image.vmdk {size}"));
        let facts = [Fact::ExtentFiles(names.iter().map(|name| (*name).into()).collect())];
        check_file(&folder.path().join("image.vmdk"), Format::Vmdk, Some(subformat), &facts);
        if subformat == "twoGbMaxExtentSparse" {
            // qemu-img doesn't open one piece of a split disk by itself.
            let piece = found(&folder.path().join("image-s001.vmdk"));
            assert_eq!((piece.format, piece.variant), (Format::Vmdk, Some("sparse extent")), "{piece:?}");
            assert_eq!((piece.virtual_size, piece.facts), (Some(2 << 30), vec![Fact::ExtentOf(None)]));
        }
    }
}

#[test]
fn vmdk_converted_and_with_a_parent() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("raw"), [7; 300_000]).unwrap();
    qemu_img(&folder, "convert -O vmdk -o subformat=streamOptimized raw image");
    check_file(&folder.path().join("image"), Format::Vmdk, Some("streamOptimized"), &[]);
    qemu_img(&folder, "create -q -f vmdk base.vmdk 64M");
    qemu_img(&folder, "create -q -f vmdk -b base.vmdk -F vmdk image");
    let parent = [Fact::Parent(Some("base.vmdk".into()))];
    check_file(&folder.path().join("image"), Format::Vmdk, Some("monolithicSparse"), &parent);
}

#[test]
fn vhd() {
    for (subformat, variant) in [("dynamic", "dynamic"), ("fixed", "fixed")] {
        for force in ["on", "off"] {
            for size in ["10000K", "1G", "200G"] {
                if subformat == "fixed" && size == "200G" {
                    continue;
                }
                let args = format!("-f vpc -o subformat={subformat},force_size={force} image {size}");
                check(&args, Format::Vhd, Some(variant), &[]);
            }
        }
    }
}

#[test]
fn vhdx_and_vdi() {
    for subformat in ["dynamic", "fixed"] {
        let args = format!("-f vhdx -o subformat={subformat} image 64M");
        check(&args, Format::Vhdx, Some(subformat), &[]);
    }
    check("-f vdi image 64M", Format::Vdi, Some("dynamic"), &[]);
    check("-f vdi -o static=on image 8M", Format::Vdi, Some("static"), &[]);
}

#[test]
fn raw_and_what_is_in_it() {
    check("-f raw image 8M", Format::Raw, None, &[]);
    each(
        [
            ("mkfs.ext4", "-q -F image", "ext4"),
            ("mkfs.ext3", "-q -F image", "ext3"),
            ("mkfs.ext2", "-q -F image", "ext2"),
            ("mkfs.vfat", "image", "fat"),
            ("mkfs.xfs", "-q image", "xfs"),
            ("mkfs.btrfs", "-q image", "btrfs"),
            ("mkfs.ntfs", "-q -F image", "ntfs"),
            ("mkswap", "image", "swap"),
        ],
        |(tool, args, evidence)| {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("image");
            std::fs::File::create(&path).unwrap().set_len(512 * MIB).unwrap();
            run(&folder, tool, &args.split_whitespace().collect::<Vec<_>>());
            let found = found(&path);
            assert_eq!((found.format, found.also.len()), (Format::Raw, 0), "{found:?}");
            assert_eq!(found.evidence, [Evidence::Content(evidence)], "{tool}");
        },
    );
}

#[test]
fn raw_with_partitions() {
    for (script, evidence) in
        [("label: gpt\n,10M\n,\n", Evidence::Gpt), ("label: dos\n,10M,L,*\n,\n", Evidence::Mbr)]
    {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("image");
        std::fs::File::create(&path).unwrap().set_len(64 * MIB).unwrap();
        std::fs::write(folder.path().join("script"), script).unwrap();
        need_tools(["sfdisk"]);
        run(&folder, "sh", &["-c", "sfdisk -q image < script"]);
        let found = found(&path);
        assert_eq!((found.format, found.evidence), (Format::Raw, vec![evidence]));
    }
}

#[test]
fn compressed_files_and_archives() {
    let python = "import zipfile; zipfile.ZipFile('raw.zip', 'w').write('raw')";
    each(
        [
            ("gzip", &["-k", "raw"][..], "raw.gz", Format::Gzip),
            ("xz", &["-k", "raw"], "raw.xz", Format::Xz),
            ("zstd", &["-q", "raw"], "raw.zst", Format::Zstd),
            ("pzstd", &["-q", "raw"], "raw.zst", Format::Zstd),
            ("bzip2", &["-k", "raw"], "raw.bz2", Format::Bzip2),
            ("tar", &["-cf", "raw.tar", "raw"], "raw.tar", Format::Tar),
            ("tar", &["-H", "ustar", "-cf", "raw.tar", "raw"], "raw.tar", Format::Tar),
            ("python3", &["-c", python], "raw.zip", Format::Zip),
        ],
        |(tool, args, name, format)| {
            let folder = TempDir::new().unwrap();
            std::fs::write(folder.path().join("raw"), [7; 10_000]).unwrap();
            run(&folder, tool, args);
            let found = found(&folder.path().join(name));
            assert_eq!((found.format, found.virtual_size), (format, None), "{tool}");
            // The archive's member has a name that promises no disk, but is the only one.
            let is_open =
                |fact: &Fact| matches!(fact, Fact::Inside(Inside { content: Content::Nothing, .. }));
            assert_eq!(found.facts.iter().filter(|fact| is_open(fact)).count(), 1, "{tool}");
            assert_eq!(found.also, [], "{tool}");
        },
    );
}

#[test]
fn what_is_not_read_is_named() {
    each(
        [
            ("xz", "xz --format=lzma -c big > image", "lzma"),
            ("xz", "printf a | xz --format=lzma -1 > image", "lzma"),
            ("xz", "head -c 1000000 /dev/zero | xz --format=lzma > image", "lzma"),
            ("cpio", "ls big | cpio -o --quiet -H bin > image", "cpio"),
            ("cpio", "ls big | cpio -o --quiet -H newc > image", "cpio"),
            ("cpio", "ls big | cpio -o --quiet -H crc > image", "cpio"),
            ("cpio", "ls big | cpio -o --quiet -H odc > image", "cpio"),
            ("lzop", "lzop -c big > image", "lzop"),
            ("lzip", "lzip -c big > image", "lzip"),
        ],
        |(tool, script, name)| {
            need_tools([tool]);
            let folder = TempDir::new().unwrap();
            std::fs::write(folder.path().join("big"), b"some text ".repeat(50_000)).unwrap();
            run(&folder, "sh", &["-e", "-c", script]);
            assert_eq!(found(&folder.path().join("image")).format.name(), name, "{script}");
        },
    );
}

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
