//! Every command in a fix, run by a shell as a person does, on an input that brings it: it succeeds, and what was wrong is no longer
//! wrong with the file, or not with the one that the command made. Under names that a shell takes apart, too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use imsprep_testdata::{command, each, golden, need_tools, tool_path};
use serde_json::Value;

use crate::folder::{Folder, names_in};

/// An input, and the commands that its finding must have.
struct Case {
    /// The rule that it breaks.
    code: &'static str,
    /// Arguments; `IMAGE` is the file.
    args: &'static [&'static str],
    /// What is needed to make it and to run the commands.
    tools: &'static [&'static str],
    /// How the commands begin, in their order.
    commands: &'static [&'static str],
    /// The image's extension.
    extension: &'static str,
    /// Makes the image at the path.
    make: fn(&Folder, &Path),
}

/// Names without their extension.
const NAMES: &[&str] = &["disk", "my disk's", "-rf", "a:b", "##[debug]`x`\ty,z"];

const CHECK: &[&str] = &["check", "IMAGE"];
const OTC: &[&str] = &["check", "--profile", "otc", "IMAGE"];
const PREPARE: &[&str] = &["prepare", "IMAGE"];

const CASES: &[Case] = &[
    // The wrong format.
    case("IMS-001", CHECK, &["qemu-img"], &["imsprep prepare "], "qcow2", |f, p| {
        qemu_img(f, p, "qcow2", &[])
    }),
    case("IMS-001", OTC, &["qemu-img"], &["imsprep prepare "], "vmdk", |f, p| qemu_img(f, p, "vmdk", &[])),
    case("IMS-001", CHECK, &["qemu-img", "qemu-nbd"], &["imsprep prepare "], "vhdx", |f, p| {
        qemu_img(f, p, "vhdx", &[]);
    }),
    case("IMS-001", CHECK, &["qemu-img"], &["imsprep prepare "], "qcow2", with_snapshot),
    // With a name that the output would have.
    case("IMS-001", CHECK, &["qemu-img"], &["imsprep prepare "], "zvhd2", qcow2),
    case("IMS-001", CHECK, &["qemu-img"], &["imsprep prepare "], "qcow2", |f, p| not_closed(f, p, 72 + 7, 1)),
    case("IMS-001", CHECK, &[], &["imsprep prepare "], "zvhd", |_, path| {
        std::fs::write(path, golden("zvhd1_a_8m.zvhd")).unwrap();
    }),
    // A disk in several files.
    case("IMS-007", CHECK, &["qemu-img"], &["qemu-img convert -p -f "], "qcow2", overlay),
    case("IMS-007", PREPARE, &["qemu-img"], &["qemu-img convert -p -f "], "qcow2", overlay),
    case("IMS-007", CHECK, &["qemu-img"], &["qemu-img convert -p -f "], "qcow2", |folder, path| {
        qemu_img(folder, path, "qcow2", &["-o", "data_file=data.raw"]);
    }),
    case("IMS-007", CHECK, &["qemu-img"], &["qemu-img convert -p -f "], "vmdk", |folder, path| {
        // Its extent keeps the name that the descriptor has.
        qemu_img(folder, path, "vmdk", &["-o", "subformat=monolithicFlat"]);
    }),
    // A name that the service refuses.
    case("IMS-010", PREPARE, &["qemu-img"], &["imsprep prepare "], "x y.qcow2", |f, p| {
        qemu_img(f, p, "qcow2", &[]);
    }),
    // Not closed, and marked corrupt.
    case("IMS-017", CHECK, &["qemu-img"], &["cp "], "qcow2", |f, p| not_closed(f, p, 72 + 7, 1)),
    case("IMS-017", CHECK, &["qemu-img"], &["cp "], "vhdx", with_log),
    case("IMS-017", PREPARE, &["qemu-img"], &["cp "], "vhdx", with_log),
    case("IMS-021", CHECK, &["qemu-img"], &["cp "], "qcow2", |f, p| not_closed(f, p, 72 + 7, 2)),
    // Wrapped.
    case("IMS-023", CHECK, &["gzip"], &["imsprep prepare ", "gzip -dk "], "raw.gz", |f, p| {
        packed(f, p, "gzip -c", raw_disk);
    }),
    case("IMS-023", OTC, &["gzip", "qemu-img"], &["imsprep prepare ", "gzip -dk "], "qcow2.gz", |f, p| {
        packed(f, p, "gzip -c", qcow2)
    }),
    case("IMS-023", CHECK, &["gzip"], &["imsprep prepare ", "(set -C; "], "raw", |f, p| {
        packed(f, p, "gzip -c", raw_disk);
    }),
    case("IMS-023", CHECK, &["xz"], &["imsprep prepare ", "xz -dk "], "raw.xz", |f, p| {
        packed(f, p, "xz -c", raw_disk)
    }),
    case("IMS-023", CHECK, &["zstd"], &["imsprep prepare ", "zstd -d "], "raw.zst", |f, p| {
        packed(f, p, "zstd -qc", raw_disk);
    }),
    case("IMS-023", CHECK, &["bzip2"], &["imsprep prepare ", "bzip2 -dk "], "raw.bz2", |f, p| {
        packed(f, p, "bzip2 -c", raw_disk)
    }),
    case("IMS-023", CHECK, &["lz4"], &["imsprep prepare ", "lz4 -d "], "raw.lz4", |f, p| {
        packed(f, p, "lz4 -qc", raw_disk)
    }),
    case("IMS-024", CHECK, &["tar"], &["imsprep prepare ", "tar -xkf "], "tar", |f, p| archive(f, p, 1)),
    case("IMS-024", CHECK, &["tar"], &["imsprep prepare ", "tar -xkf "], "tar", |f, p| archive(f, p, 2)),
    case(
        "IMS-024",
        CHECK,
        &["tar", "qemu-img"],
        &["imsprep prepare ", "tar -xkf "],
        "tar",
        |folder, path| {
            qemu_img(folder, &folder.path("inner.vhdx"), "vhdx", &[]);
            shell(folder, "tar -cf made inner.vhdx && rm inner.vhdx");
            std::fs::rename(folder.path("made"), path).unwrap();
        },
    ),
    case("IMS-024", CHECK, &["zip", "unzip"], &["imsprep prepare ", "unzip -n "], "zip", |folder, path| {
        raw_disk(folder, &folder.path("inner.raw"));
        shell(folder, "zip -q made.zip inner.raw && rm inner.raw");
        std::fs::rename(folder.path("made.zip"), path).unwrap();
    }),
    // What unzip does not unpack.
    case("IMS-024", CHECK, &["7z"], &["7z x -aos "], "zip", |folder, path| {
        raw_disk(folder, &folder.path("inner.raw"));
        shell(folder, "7z a -mm=LZMA made.zip inner.raw > /dev/null && rm inner.raw");
        std::fs::rename(folder.path("made.zip"), path).unwrap();
    }),
    case("IMS-024", CHECK, &["7z"], &["7z x -aos "], "7z", |folder, path| {
        raw_disk(folder, &folder.path("inner.raw"));
        shell(folder, "7z a made.7z inner.raw > /dev/null && rm inner.raw");
        std::fs::rename(folder.path("made.7z"), path).unwrap();
    }),
    // A backup of the partition table that is not at the end, or will not be.
    case("IMS-018", CHECK, &["sgdisk"], &["imsprep convert --fit "], "raw", |f, p| partitioned(f, p, 64)),
    case("IMS-018", CHECK, &["sgdisk"], &["imsprep convert --fit "], "raw", |folder, path| {
        partitioned(folder, path, 64);
        assert_eq!(folder.run(&["bitmap", "create", &argument(path)]).status, 0);
    }),
    case("IMS-018", CHECK, &["sgdisk", "qemu-img"], &["imsprep convert --fit "], "qcow2", |folder, path| {
        partitioned(folder, &folder.path("inner.raw"), 64);
        shell(folder, "qemu-img convert -O qcow2 inner.raw packed && rm inner.raw");
        std::fs::rename(folder.path("packed"), path).unwrap();
    }),
    case("IMS-050", CHECK, &["sgdisk"], &["imsprep convert --fit "], "raw", |folder, path| {
        partitioned(folder, path, 64);
        std::fs::File::options().write(true).open(path).unwrap().set_len(1 << 30).unwrap();
    }),
    case("IMS-001", CHECK, &["img2simg", "simg2img"], &["simg2img "], "simg", |folder, path| {
        raw_disk(folder, &folder.path("inner.raw"));
        shell(folder, "img2simg inner.raw made && rm inner.raw");
        std::fs::rename(folder.path("made"), path).unwrap();
    }),
    // Two sizes.
    case("IMS-025", CHECK, &["qemu-img"], &["qemu-img convert -p --image-opts "], "vhd", disputed),
    // What is meant for the image.
    case("IMS-041", &["check", "--bms", "IMAGE"], &[], &["imsprep convert "], "raw", raw_disk),
    // Bitmaps.
    case("BM-001", CHECK, &[], &["imsprep bitmap create --force "], "raw", |f, p| {
        with_bitmap(f, p, &bits(0))
    }),
    case("BM-002", CHECK, &[], &["imsprep bitmap create --force "], "raw", |f, p| {
        with_bitmap(f, p, &bits(0b11))
    }),
    case(
        "BM-001",
        &["bitmap", "verify", "IMAGE"],
        &[],
        &["imsprep bitmap create --force "],
        "raw",
        |f, p| {
            with_bitmap(f, p, &bits(0));
        },
    ),
    case("BM-003", CHECK, &[], &["imsprep bitmap create "], "raw", raw_disk),
    case("BM-004", CHECK, &[], &["imsprep bitmap create --force "], "raw", |folder, path| {
        folder.sparse("other.raw", 64 << 30, &[0]);
        assert_eq!(folder.run(&["bitmap", "create", "other.raw", "--layout", "sealed"]).status, 0);
        std::fs::rename(folder.path("other.mf"), path.with_extension("mf")).unwrap();
        std::fs::remove_file(folder.path("other.raw")).unwrap();
        raw_disk(folder, path);
    }),
    case("BM-008", CHECK, &[], &["imsprep bitmap create --force "], "raw", |f, p| with_bitmap(f, p, b"")),
    case("BM-010", CHECK, &[], &["imsprep bitmap create --force "], "raw", in_other_layout),
    case(
        "BM-010",
        &["check", "--layout", "sealed", "IMAGE"],
        &[],
        &["imsprep bitmap create --force --layout "],
        "raw",
        |f, p| {
            with_bitmap(f, p, &bits(1));
        },
    ),
    case("BM-011", CHECK, &[], &["imsprep bitmap create --force "], "raw", |folder, path| {
        in_other_layout(folder, path);
        let bitmap = path.with_extension("mf");
        let mut bytes = std::fs::read(&bitmap).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(bitmap, bytes).unwrap();
    }),
    // Containers.
    case("ZV-004", CHECK, &[], &["truncate -s "], "zvhd2", trailing),
    case("ZV-004", &["zvhd2", "check", "IMAGE"], &[], &["truncate -s "], "zvhd2", trailing),
];

const fn case(
    code: &'static str,
    args: &'static [&'static str],
    tools: &'static [&'static str],
    commands: &'static [&'static str],
    extension: &'static str,
    make: fn(&Folder, &Path),
) -> Case {
    Case { code, args, tools, commands, extension, make }
}

fn shell(folder: &Folder, script: &str) {
    let output = command("bash").args(["-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
}

/// An image of 64 MiB, by `qemu-img`, which gets its name afterwards: of some names qemu-img thinks something.
fn qemu_img(folder: &Folder, path: &Path, format: &str, options: &[&str]) {
    let made = format!("made.{format}");
    let args = [&["create", "-q", "-f", format], options, &[&made, "64M"]].concat();
    let output = command("qemu-img").args(&args).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    std::fs::rename(folder.path(&made), path).unwrap();
}

fn qcow2(folder: &Folder, path: &Path) {
    qemu_img(folder, path, "qcow2", &[]);
}

fn with_snapshot(folder: &Folder, path: &Path) {
    qcow2(folder, &folder.path("other.qcow2"));
    shell(folder, "qemu-img snapshot -c one other.qcow2");
    std::fs::rename(folder.path("other.qcow2"), path).unwrap();
}

/// A qcow2 with a bit set in this byte of its header.
fn not_closed(folder: &Folder, path: &Path, byte: usize, bit: u8) {
    qcow2(folder, path);
    let mut bytes = std::fs::read(path).unwrap();
    bytes[byte] |= bit;
    std::fs::write(path, bytes).unwrap();
}

fn overlay(folder: &Folder, path: &Path) {
    qcow2(folder, &folder.path("base.qcow2"));
    qemu_img(folder, path, "qcow2", &["-b", "base.qcow2", "-F", "qcow2"]);
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
    !bytes.iter().fold(!0, |crc: u32, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// A VHDX whose writer was stopped: its headers name a log, and the log has an entry to be replayed.
fn with_log(folder: &Folder, path: &Path) {
    qemu_img(folder, path, "vhdx", &[]);
    let mut bytes = std::fs::read(path).unwrap();
    let guid = [7; 16];
    for at in [64 << 10, 128 << 10] {
        let header = &mut bytes[at..at + 4096];
        header[48..64].copy_from_slice(&guid);
        header[4..8].fill(0);
        let sum = crc32c(header);
        header[4..8].copy_from_slice(&sum.to_le_bytes());
    }
    let log = usize::try_from(u64::from_le_bytes(bytes[(64 << 10) + 72..][..8].try_into().unwrap())).unwrap();
    let length = bytes.len() as u64;
    let entry = &mut bytes[log..log + 4096];
    entry.fill(0);
    entry[..4].copy_from_slice(b"loge");
    entry[8..12].copy_from_slice(&4096_u32.to_le_bytes());
    entry[16] = 1;
    entry[32..48].copy_from_slice(&guid);
    entry[48..56].copy_from_slice(&length.to_le_bytes());
    entry[56..64].copy_from_slice(&length.to_le_bytes());
    let sum = crc32c(entry);
    entry[4..8].copy_from_slice(&sum.to_le_bytes());
    std::fs::write(path, bytes).unwrap();
}

/// A dynamic VHD whose size field and geometry disagree.
fn disputed(folder: &Folder, path: &Path) {
    qemu_img(folder, path, "vpc", &[]);
    let mut bytes = std::fs::read(path).unwrap();
    let end = bytes.len() - 512;
    for footer in [0, end] {
        let footer = &mut bytes[footer..footer + 512];
        let size = u64::from_be_bytes(footer[48..56].try_into().unwrap()) - 4096;
        footer[48..56].copy_from_slice(&size.to_be_bytes());
        footer[64..68].fill(0);
        let sum = !footer.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        footer[64..68].copy_from_slice(&sum.to_be_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

/// A RAW of 4 MiB with a partition table of one partition.
fn raw_disk(_: &Folder, path: &Path) {
    let mut bytes = vec![0; 4 << 20];
    bytes[446..462].copy_from_slice(&[0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 0, 8, 0, 0]);
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    std::fs::write(path, bytes).unwrap();
}

/// A RAW of so many MiB with a GPT of one partition.
fn partitioned(folder: &Folder, path: &Path, size: u64) {
    folder.sparse("table", size << 20, &[]);
    shell(folder, "sgdisk -n 1:2048:+8M table > /dev/null");
    std::fs::rename(folder.path("table"), path).unwrap();
}

/// What `make` makes, through a program that compresses.
fn packed(folder: &Folder, path: &Path, program: &str, make: fn(&Folder, &Path)) {
    make(folder, &folder.path("inner"));
    shell(folder, &format!("{program} inner > packed && rm inner"));
    std::fs::rename(folder.path("packed"), path).unwrap();
}

fn archive(folder: &Folder, path: &Path, disks: usize) {
    let names = ["one.raw", "two.raw"];
    for name in &names[..disks] {
        raw_disk(folder, &folder.path(name));
    }
    let names = names[..disks].join(" ");
    shell(folder, &format!("tar -cf made {names} && rm {names}"));
    std::fs::rename(folder.path("made"), path).unwrap();
}

/// The default layout's bits of an image of two blocks.
fn bits(first: u8) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[0] = first;
    bytes
}

fn with_bitmap(folder: &Folder, path: &Path, bitmap: &[u8]) {
    raw_disk(folder, path);
    std::fs::write(path.with_extension("mf"), bitmap).unwrap();
}

fn in_other_layout(folder: &Folder, path: &Path) {
    raw_disk(folder, path);
    let image = argument(path);
    assert_eq!(folder.run(&["bitmap", "create", "--layout", "sealed", &image]).status, 0);
}

fn trailing(_: &Folder, path: &Path) {
    let mut bytes = golden("zstd_a_8m.zvhd2").to_vec();
    bytes.extend([1; 512]);
    std::fs::write(path, bytes).unwrap();
}

/// A file in the folder as an argument that is no option.
fn argument(path: &Path) -> String {
    format!("./{}", path.file_name().unwrap().to_str().unwrap())
}

fn arguments(case: &Case, image: &str) -> Vec<String> {
    case.args.iter().map(|word| word.replace("IMAGE", image)).collect()
}

/// The findings of this rule, wherever in a document.
fn findings<'a>(value: &'a Value, code: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| findings(item, code, found)),
        Value::Object(fields)
            if fields.contains_key("message") && fields.get("code") == Some(&code.into()) =>
        {
            found.push(value);
        }
        Value::Object(fields) => fields.values().for_each(|item| findings(item, code, found)),
        _ => {}
    }
}

/// The commands of the rule in what the command line says, as JSON.
fn commands(folder: &Folder, args: &[String], code: &str) -> Option<Vec<String>> {
    let args = args.iter().map(String::as_str).collect::<Vec<_>>();
    let (_, json) = folder.json(&args);
    let mut found = Vec::new();
    findings(&json, code, &mut found);
    let finding = found.first()?;
    let commands = finding["commands"].as_array().cloned().unwrap_or_default();
    let commands = commands.iter().map(|command| command.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let fix = finding["fix"].as_str().unwrap();
    assert_eq!(fix.split('`').skip(1).step_by(2).collect::<Vec<_>>(), commands, "{fix}");
    Some(commands)
}

fn is_broken(folder: &Folder, args: &[String], code: &str) -> bool {
    commands(folder, args, code).is_some()
}

/// A folder with the input of the case.
fn stage(case: &Case, name: &str) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let image = folder.path(&format!("{name}.{}", case.extension));
    (case.make)(&folder, &image);
    (folder, image)
}

fn run_case(case: &Case, name: &str) {
    let (folder, image) = stage(case, name);
    let args = arguments(case, &argument(&image));
    let context = format!("{} {args:?}", case.code);
    let found = commands(&folder, &args, case.code).unwrap_or_else(|| {
        let words = args.iter().map(String::as_str).collect::<Vec<_>>();
        panic!("{context}: not broken: {:#?}", folder.run(&words))
    });
    let begin = found.iter().zip(case.commands).all(|(command, start)| command.starts_with(start));
    assert!(begin && found.len() == case.commands.len(), "{context}: {found:?}");
    // Text has the same.
    let (again, _) = stage(case, name);
    let words = args.iter().map(String::as_str).collect::<Vec<_>>();
    let run = again.run(&words);
    for line in &found {
        assert!((run.out.clone() + &run.err).contains(&format!("`{line}`")), "{context}: {line}: {run:?}");
    }
    for line in &found {
        let (folder, _) = stage(case, name);
        let before = folder.names();
        let bin = Path::new(env!("CARGO_BIN_EXE_imsprep")).parent().unwrap();
        let output = command("bash")
            .args(["-c", line.as_str()])
            .current_dir(folder.path("."))
            .env("PATH", format!("{}:{}", bin.display(), tool_path().display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{context}: {line}: {output:?}");
        if !is_broken(&folder, &args, case.code) {
            continue;
        }
        let mut made = names_in(&folder.path("."));
        made.retain(|name| !before.contains(name) && !name.ends_with(".mf"));
        assert!(!made.is_empty(), "{context}: {line}: nothing is better");
        for name in made {
            let args = ["check".to_owned(), format!("./{name}")];
            assert!(!is_broken(&folder, &args, case.code), "{context}: {line}: {name} is no better");
        }
    }
}

fn run_cases(wanted: impl Fn(&Case) -> bool) {
    each(CASES.iter().filter(|case| wanted(case)), |case| {
        need_tools(case.tools);
        NAMES.iter().for_each(|name| run_case(case, name));
    });
}

#[test]
fn fixes_of_formats() {
    run_cases(|case| {
        ["IMS-001", "IMS-007", "IMS-010", "IMS-018", "IMS-025", "IMS-041", "IMS-050"].contains(&case.code)
    });
}

#[test]
fn fixes_of_what_was_not_closed() {
    run_cases(|case| ["IMS-017", "IMS-021"].contains(&case.code));
}

#[test]
fn fixes_of_wrappers() {
    run_cases(|case| ["IMS-023", "IMS-024"].contains(&case.code));
}

#[test]
fn fixes_of_bitmaps_and_containers() {
    run_cases(|case| case.code.starts_with("BM-") || case.code.starts_with("ZV-"));
}

/// Whatever speaks against a command in a fix, there is none.
#[test]
fn no_command_where_none_can_help() {
    need_tools(["qemu-img"]);
    let none = |code: &str, file: &str, args: &[&str], folder: &Folder| {
        let args = [args, &[file]].concat().iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let found = commands(folder, &args, code).unwrap_or_else(|| panic!("{code} {args:?}: not broken"));
        assert_eq!(found, [""; 0], "{code} {args:?}");
    };
    let folder = Folder::new();
    let large = |name: &str, format: &str| {
        shell(&folder, &format!("qemu-img create -q -f {format} {name} 1025G"));
    };
    large("large.qcow2", "qcow2");
    none("IMS-001", "large.qcow2", &["check"], &folder);
    large("base.qcow2", "qcow2");
    shell(&folder, "qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 over.qcow2");
    none("IMS-001", "over.qcow2", &["check"], &folder);
    none("IMS-007", "over.qcow2", &["check"], &folder);
    // A chain whose end is missing, and one that leads out of the folder.
    shell(&folder, "qemu-img create -q -f qcow2 -u -b gone.qcow2 -F qcow2 torn.qcow2 64M");
    none("IMS-007", "torn.qcow2", &["check"], &folder);
    shell(&folder, "qemu-img create -q -f qcow2 -u -b /etc/hostname -F raw out.qcow2 64M");
    none("IMS-007", "out.qcow2", &["check"], &folder);
    shell(
        &folder,
        "qemu-img create -q -f vmdk -o subformat=monolithicFlat flat.vmdk 64M && rm flat-flat.vmdk",
    );
    none("IMS-007", "flat.vmdk", &["check"], &folder);
    none("IMS-001", "flat.vmdk", &["check"], &folder);
    shell(
        &folder,
        "qemu-img create -q -f qcow2 --object secret,id=s,data=x -o encrypt.format=luks,encrypt.key-secret=s locked.qcow2 64M",
    );
    none("IMS-001", "locked.qcow2", &["check"], &folder);
    none("IMS-009", "locked.qcow2", &["check"], &folder);
    folder.sparse("large.raw", (1 << 40) + (1 << 30), &[]);
    none("IMS-041", "large.raw", &["check", "--bms"], &folder);
    none("IMS-003", "large.raw", &["check"], &folder);
}

/// The string literals of a source, without its tests.
fn literals(source: &str) -> Vec<String> {
    let code = source.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(str::to_owned).collect()
}

/// A rule with a command that no case runs is not finished; nor is a command in the sources.
#[test]
fn every_command_has_a_case() {
    let folder = Folder::new();
    let (_, rules) = folder.json(&["rules"]);
    let tested = CASES.iter().map(|case| case.code).collect::<BTreeSet<_>>();
    for rule in rules["rules"].as_array().unwrap() {
        let (code, fix) = (rule["code"].as_str().unwrap(), rule["fix"].as_str().unwrap());
        assert_eq!(fix.matches('`').count() % 2, 0, "{code}: {fix}");
        assert!(!fix.contains('`') || tested.contains(code), "{code}: no case runs its command: {fix}");
    }
    let starts = CASES.iter().flat_map(|case| case.commands).collect::<BTreeSet<_>>();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut seen = 0;
    for name in ["rules", "toolkit", "bitmap", "zvhd2"] {
        let mut folders = vec![crates.join(name).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs")
                    && !path.ends_with("tests.rs")
                {
                    for line in literals(&std::fs::read_to_string(&path).unwrap()) {
                        for command in line.split('`').skip(1).step_by(2) {
                            // As far as it is written in the sources.
                            let start = command.split(['{', '"']).next().unwrap();
                            let is_run =
                                starts.iter().any(|run| run.starts_with(start) || start.starts_with(**run));
                            let why = "no case runs it";
                            assert!(is_run || is_no_command(start), "{}: {start:?}: {why}", path.display());
                            seen += usize::from(!start.is_empty());
                        }
                    }
                }
            }
        }
    }
    assert!(seen > 15, "{seen} commands: they are no longer found");
}

/// What stands between back quotes and is none.
fn is_no_command(text: &str) -> bool {
    // A character literal of the quote itself.
    text.starts_with("' ") || text.starts_with("')")
}
