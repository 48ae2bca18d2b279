//! Disks in tar archives and in compressed files, as a person meets them.

use imsprep_testdata::{command, each, need_tools};

use crate::folder::{Folder, codes};

const MIB: u64 = 1 << 20;

fn sh(folder: &Folder, script: &str) {
    let output = command("sh").args(["-e", "-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A disk with an MBR and some data between holes.
pub(crate) fn disk(folder: &Folder, name: &str) {
    let path = folder.sparse(name, 9 * MIB, &[MIB, 3 * MIB + 5, 9 * MIB - 1]);
    let mut mbr = [0; 512];
    mbr[446..462].copy_from_slice(b"\0\x20\x21\0\x83\0\0\0\0\x08\0\0\0\x08\0\0");
    mbr[510..].copy_from_slice(b"\x55\xaa");
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &mbr, 0).unwrap();
}

#[test]
fn a_member_that_is_stored_without_its_holes_becomes_the_disk_with_them() {
    need_tools(["tar", "bsdtar", "qemu-img"]);
    for (tar, name) in [
        ("tar -S --format=pax --sparse-version=0.0", "d.raw"),
        ("tar -S --format=pax --sparse-version=0.1", "d.raw"),
        ("tar -S --format=pax --sparse-version=1.0", "d.raw"),
        ("tar -S --format=gnu", "d.raw"),
        ("bsdtar --format=pax", "d.raw"),
        // A file of another format with holes of its own.
        ("tar -S --format=pax --sparse-version=1.0", "d.qcow2"),
        ("bsdtar --format=pax", "d.qcow2"),
    ] {
        let folder = Folder::new();
        disk(&folder, "d.raw");
        sh(
            &folder,
            "qemu-img convert -O qcow2 -o preallocation=metadata d.raw d.qcow2; fallocate -d d.qcow2 || true",
        );
        sh(&folder, &format!("{tar} -cf box.tar {name}"));
        let run = folder.run(&["convert", "box.tar", "out.raw"]);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{tar} {name}: {run:?}");
        let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
        assert!(read("out.raw") == read("d.raw"), "{tar} {name}");
        assert_eq!(folder.run(&["bitmap", "verify", "out.raw"]).status, 0, "{tar} {name}");
        let run = folder.run(&["prepare", "box.tar", "-o", "out.zvhd2"]);
        assert_eq!(run.status, 0, "{tar} {name}: {run:?}");
        for other in ["out.zvhd2", "box.tar"] {
            assert_eq!(folder.run(&["compare", "d.raw", other]).status, 0, "{tar} {name} {other}");
        }
        let run = folder.run(&["inspect", "box.tar"]);
        assert!(run.status == 0 && run.out.contains("MBR"), "{run:?}");
    }
}

/// What convert has to make of an archive.
enum Expected {
    /// The disk, which is this file.
    Disk(&'static str),
    /// A refusal that names the way out, with these words.
    Refused(&'static str),
    /// No disk, or several.
    Which(&'static str),
}

#[test]
fn whatever_detect_says_of_an_archive_the_other_commands_agree() {
    use Expected::{Disk, Refused, Which};
    need_tools(["tar", "qemu-img", "gzip"]);
    let folder = Folder::new();
    disk(&folder, "d.raw");
    sh(
        &folder,
        "cp d.raw d; qemu-img convert -O vmdk -o subformat=streamOptimized d.raw d.vmdk; qemu-img convert -O qcow2 d.raw d.qcow2; \
         qemu-img convert -O vdi d.raw d.vdi; qemu-img convert -O vhdx d.raw d.vhdx; gzip -k d.vmdk; split -b 40000 -a 9 --numeric-suffixes=0 d.vmdk c.vmdk.; \
         head -c 9000 /dev/urandom > blob; cp blob blob.img; cp blob false.vmdk; echo '<Envelope/>' > d.ovf; \
         echo some notes > notes.txt; ls c.vmdk.000000000",
    );
    let cases = [
        ("d.raw", &["d.raw"][..], Disk("d.raw")),
        ("d", &["d"], Disk("d.raw")),
        ("d.vmdk", &["d.vmdk"], Disk("d.raw")),
        ("d.qcow2", &["d.qcow2"], Disk("d.raw")),
        ("blob", &["blob"], Disk("blob")),
        ("blob.img", &["blob.img"], Disk("blob")),
        ("d.vmdk blob", &["d.vmdk"], Disk("d.raw")),
        ("d.vmdk d.vmdk.gz", &["d.vmdk", "d.vmdk.gz"], Which("with 2 disks")),
        ("d.vdi", &["d.vdi"], Disk("d.raw")),
        ("d.vhdx", &["d.vhdx"], Disk("d.raw")),
        ("d.vmdk.gz", &["d.vmdk.gz"], Disk("d.raw")),
        ("false.vmdk", &["false.vmdk"], Refused("does not have the format of its extension")),
        ("c.vmdk.0*", &["c.vmdk"], Disk("d.raw")),
        ("c.vmdk.000000001", &["c.vmdk"], Refused("of which number 0 is missing")),
        ("d.vmdk d.raw", &["d.vmdk", "d.raw"], Which("with 2 disks")),
        ("blob d.ovf", &["blob"], Disk("blob")),
        ("", &[], Which("without a disk")),
    ];
    let formats = ["v7", "ustar", "oldgnu", "gnu", "pax"];
    for (n, (members, listed, expected)) in cases.into_iter().enumerate() {
        // Each of the forms with some of the members, before and behind the others.
        for (shift, order) in [format!("d.ovf notes.txt {members}"), format!("{members} notes.txt d.ovf")]
            .into_iter()
            .enumerate()
        {
            let format = formats[(n + 2 * shift) % formats.len()];
            sh(&folder, &format!("rm -f out.* box.ova; tar --format={format} -cf box.ova {order}"));
            let (status, json) = folder.json(&["detect", "box.ova"]);
            let detection = &json["files"][0]["detection"];
            let detection = if detection.is_null() { &json["files"][0] } else { detection };
            let facts = detection["facts"].as_array().unwrap_or_else(|| panic!("{json}"));
            let mut names =
                facts.iter().filter_map(|fact| fact["inside"]["name"].as_str()).collect::<Vec<_>>();
            let mut listed = listed.to_vec();
            names.sort_unstable();
            listed.sort_unstable();
            assert_eq!((status, names), (0, listed), "{order}");
            let (status, json) = folder.json(&["check", "box.ova"]);
            assert_eq!(
                (status, codes(&json["files"][0]["report"])),
                (1, vec!["IMS-024".to_owned()]),
                "{order} {json}"
            );
            let convert = folder.run(&["convert", "box.ova", "out.raw"]);
            let inspect = folder.run(&["inspect", "box.ova"]);
            let compare = folder.run(&["compare", "box.ova", "d.raw"]);
            match &expected {
                Disk(file) => {
                    assert_eq!((convert.status, inspect.status), (0, 0), "{order}: {convert:?} {inspect:?}");
                    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
                    assert!(read("out.raw") == read(file), "{order}");
                    assert_eq!(compare.status, i32::from(*file != "d.raw"), "{order}: {compare:?}");
                }
                Refused(words) | Which(words) => {
                    let status = if matches!(expected, Refused(_)) { 1 } else { 2 };
                    assert!(convert.err.contains(words), "{words}: {convert:?}");
                    assert_eq!(convert.status, status, "{order}: {convert:?}");
                    for run in [convert, inspect, compare] {
                        assert!(run.status != 0 && run.err.contains(words), "{order}: {run:?}");
                        assert!(!run.err.contains("damaged"), "{order}: {run:?}");
                    }
                    assert!(!folder.path("out.raw").exists(), "{order}");
                }
            }
        }
    }
}

#[test]
fn an_archive_that_is_cut_or_contradicts_itself_is_refused_by_all() {
    need_tools(["tar"]);
    let folder = Folder::new();
    disk(&folder, "d.raw");
    folder.write("notes.txt", b"some notes\n");
    sh(
        &folder,
        "tar --format=ustar -cf whole.tar d.raw notes.txt; tar -S --format=pax -cf sparse.tar d.raw notes.txt",
    );
    let whole = std::fs::read(folder.path("whole.tar")).unwrap();
    let sparse = std::fs::read(folder.path("sparse.tar")).unwrap();
    let member = 512 + (9 << 20);
    let mut size = sparse.clone();
    // The pax header's first record: no length that is one.
    size[512..514].copy_from_slice(b"x9");
    let mut sum = whole.clone();
    sum[member] = b'X';
    for (bytes, code) in [
        (whole[..member - 1].to_vec(), "IMS-020"),
        (whole[..member + 100].to_vec(), "IMS-020"),
        (whole[..member + 515].to_vec(), "IMS-020"),
        (sparse[..2000].to_vec(), "IMS-020"),
        (size, "IMS-016"),
        (sum, "IMS-016"),
    ] {
        folder.write("box.tar", &bytes);
        let (status, json) = folder.json(&["check", "box.tar"]);
        assert!(
            status == 1 && codes(&json["files"][0]["report"]).iter().any(|found| found == code),
            "{code}: {json}"
        );
        let before = folder.names();
        for args in [&["convert", "box.tar", "out.raw"][..], &["prepare", "box.tar"], &["inspect", "box.tar"]]
        {
            let run = folder.run(args);
            assert!(run.status != 0 && (run.err.clone() + &run.out).contains(code), "{args:?} {run:?}");
        }
        assert_eq!(folder.names(), before);
    }
    // The end of the archive is not needed.
    folder.write("box.tar", &whole[..member]);
    assert_eq!(folder.run(&["compare", "box.tar", "d.raw"]).status, 0);
}

#[test]
fn what_may_follow_compressed_data_is_passed_over_and_the_rest_is_an_error() {
    each([("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")], |(tool, extension)| {
        need_tools([tool]);
        let folder = Folder::new();
        disk(&folder, "d.raw");
        sh(
            &folder,
            &format!(
                "{tool} -q -k d.raw; head -c 4M d.raw | {tool} -q > a; tail -c +4194305 d.raw | {tool} -q > b; cat a b > two.{extension}"
            ),
        );
        let bytes = std::fs::read(folder.path(&format!("d.raw.{extension}"))).unwrap();
        let zeros = if tool == "zstd" { b"\x50\x2a\x4d\x18\x04\0\0\0four".to_vec() } else { vec![0; 1024] };
        folder.write(&format!("more.{extension}"), &[bytes.clone(), zeros].concat());
        for name in ["two", "more"] {
            let run = folder.run(&["convert", &format!("{name}.{extension}"), &format!("{name}.raw")]);
            assert_eq!((run.status, run.err.as_str()), (0, ""), "{tool} {name} {run:?}");
            assert_eq!(folder.run(&["compare", "d.raw", &format!("{name}.raw")]).status, 0, "{tool} {name}");
        }
        for rubbish in [&b"rubbish that follows"[..], b"r"] {
            folder.write(&format!("bad.{extension}"), &[&bytes, rubbish].concat());
            let run = folder.run(&["convert", &format!("bad.{extension}"), "bad.raw"]);
            // The end of an xz file is looked at before the work.
            let status = if tool == "xz" { 1 } else { 2 };
            assert!(run.status == status && !folder.path("bad.raw").exists(), "{tool} {run:?}");
        }
    });
}

#[test]
fn a_compressed_disk_that_says_that_it_is_too_large_is_refused_before_the_work() {
    let size = 3_u64 << 39;
    // A frame without a block: only its header is read.
    let zstd = [&b"\x28\xb5\x2f\xfd\xc0\x58"[..], &size.to_le_bytes(), b"\x01\0\0"].concat();
    // The index of an xz file comes last; its blocks are not looked at.
    // Of 2^39 times 3, seven bits at a time.
    let mut index = vec![0, 1, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x30];
    index.resize(index.len().next_multiple_of(4), 0);
    let back = u32::try_from(index.len()).unwrap() / 4;
    let xz = [
        &b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0\0\0"[..],
        &index,
        &[0; 4],
        &[0; 4],
        &back.to_le_bytes(),
        b"\0\x04YZ",
    ]
    .concat();
    for (name, bytes) in [("d.raw.zst", zstd), ("d.raw.xz", xz)] {
        let folder = Folder::new();
        folder.write(name, &bytes);
        for args in [&["convert", name, "out.raw"][..], &["convert", name, "out.zvhd2"], &["prepare", name]] {
            let run = folder.run(args);
            assert!(run.status == 1 && (run.err.clone() + &run.out).contains("IMS-003"), "{args:?} {run:?}");
            assert_eq!(folder.names(), [name]);
        }
    }
}

#[test]
fn a_zstd_window_beyond_the_limit_is_named_with_the_way_out() {
    let folder = Folder::new();
    folder.write("d.raw.zst", b"\x28\xb5\x2f\xfd\x00\xa8\x21\0\0data");
    let run = folder.run(&["convert", "d.raw.zst", "out.raw"]);
    assert!(
        run.status == 2 && run.err.contains("2048 MiB") && run.err.contains("zstd -d --long=31"),
        "{run:?}"
    );
    assert!(!run.err.contains("damaged"), "{run:?}");
}

#[test]
fn a_request_for_an_archive_has_one_finding_for_one_cause() {
    need_tools(["qemu-img", "tar", "gzip"]);
    let folder = Folder::new();
    sh(&folder, "truncate -s 1M r; printf data | dd of=r bs=1 seek=4096 conv=notrunc status=none
        qemu-img convert -O vmdk -o subformat=streamOptimized r web.vmdk
        printf '<Envelope/>' >web.ovf; tar --format=ustar -cf web.ova web.ovf web.vmdk; gzip -k web.ova; gzip <r >web.raw.gz");
    for (name, code) in [("web.ova", "IMS-024"), ("web.raw.gz", "IMS-023"), ("web.ova.gz", "IMS-023")] {
        let run = folder.run(&[
            "request",
            name,
            "--bucket",
            "my-images",
            "--name",
            "web",
            "--os-version",
            "CentOS 7.0 64bit",
        ]);
        assert_eq!((run.status, run.out.as_str()), (1, ""), "{run:?}");
        let errors = run.err.lines().filter(|line| line.trim_start().starts_with("error IMS-"));
        let errors =
            errors.map(|line| line.trim_start().split([' ', ':']).nth(1).unwrap()).collect::<Vec<_>>();
        assert_eq!(errors, [code], "{name}: {}", run.err);
    }
}
