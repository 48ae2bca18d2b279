//! Disks in ZIP archives, and compressed or split members of archives, beside the same disks unpacked.

use imsprep_testdata::{ZipMember, command, each, need_tools, zip_archive};

use crate::folder::{Folder, codes};

const MIB: u64 = 1 << 20;
const IDENTITY: [&str; 4] = ["--uuid", "00112233-4455-4677-8899-aabbccddeeff", "--timestamp", "1700000000"];

fn sh(folder: &Folder, script: &str) {
    let output = command("sh").args(["-e", "-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

fn read(folder: &Folder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path(name)).unwrap()
}

/// A disk with an MBR, with data that does not compress.
fn disk(folder: &Folder, name: &str) {
    crate::archives::disk(folder, name);
    let file = std::fs::OpenOptions::new().write(true).open(folder.path(name)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &imsprep_testdata::noise(7, 300_000), 5 * MIB).unwrap();
}

/// The disk in each form.
fn forms(folder: &Folder) -> [&'static str; 9] {
    need_tools(["qemu-img"]);
    disk(folder, "disk.raw");
    sh(
        folder,
        "for format in qcow2 vmdk vhdx vdi; do qemu-img convert -f raw -O $format disk.raw disk.$format; done
        qemu-img convert -f raw -O vpc -o force_size=on disk.raw disk.vhd
        qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on disk.raw fixed.vhd
        qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw stream.vmdk",
    );
    let run = folder.run(&[&["convert", "disk.raw", "disk.zvhd2"], &IDENTITY[..]].concat());
    assert_eq!(run.status, 0, "{run:?}");
    [
        "disk.raw",
        "disk.qcow2",
        "disk.vmdk",
        "disk.vhdx",
        "disk.vdi",
        "disk.vhd",
        "fixed.vhd",
        "stream.vmdk",
        "disk.zvhd2",
    ]
}

/// Converts, compares, inspects and checks the archive `name`, which holds what is in `form`.
fn is_the_disk(folder: &Folder, name: &str, form: &str) {
    let before = folder.names();
    let temp = folder.path(".");
    let temp = temp.to_str().unwrap();
    let run = folder.run(&["convert", "--no-bitmap", "--temp-dir", temp, name, "out.raw"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{name} {form}");
    assert!(read(folder, "out.raw") == read(folder, "disk.raw"), "{name} {form}");
    std::fs::remove_file(folder.path("out.raw")).unwrap();
    if form != "disk.zvhd2" {
        let args = ["convert", "--verify", "--temp-dir", temp, name, "out.zvhd2"];
        let run = folder.run(&[&args[..], &IDENTITY].concat());
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{name} {form}");
        assert!(read(folder, "out.zvhd2") == read(folder, "disk.zvhd2"), "{name} {form}");
        std::fs::remove_file(folder.path("out.zvhd2")).unwrap();
    }
    // The temporary file has no name.
    assert_eq!(folder.names(), before);
    assert_eq!(folder.run(&["compare", "--temp-dir", temp, "disk.raw", name]).status, 0, "{name} {form}");
    let seen = |name: &str| {
        let (_, json) = folder.json(&["inspect", "--temp-dir", temp, name]);
        let file = &json["files"][0];
        [&file["disk"], &file["partitions"], &file["guest"], &file["space"]].map(Clone::clone)
    };
    assert_eq!(seen(name), seen(form), "{name} {form}");
    let checked = folder.run(&["check", "--temp-dir", temp, "--purpose", "data", name]);
    assert!(checked.status == 1 && checked.out.contains("MBR, 1 partition"), "{name} {form}: {checked:?}");
    let advice = format!("convert the disk in it to ZVHD2 in one step: `imsprep prepare {name}`");
    assert!(form == "disk.zvhd2" || checked.out.contains(&advice), "{name} {form}: {checked:?}");
    assert_eq!(folder.names(), before);
}

#[test]
fn each_form_in_a_zip_is_what_it_is_unpacked() {
    let folder = Folder::new();
    for form in forms(&folder) {
        let bytes = read(&folder, form);
        for member in [
            ZipMember::stored(form, &bytes),
            ZipMember::deflated(form, &bytes),
            ZipMember::deflated(form, &bytes).with_descriptor(true, false),
            ZipMember { is_zip64: true, ..ZipMember::deflated(form, &bytes) },
        ] {
            // Not where a sector begins.
            let notes = ZipMember::stored("notes.txt", b"some notes\n");
            folder.write("box.zip", &zip_archive(&[notes, member]));
            is_the_disk(&folder, "box.zip", form);
        }
    }
}

#[test]
fn archives_of_programs_are_read() {
    each(
        [
            ("zip", "zip -q box.zip disk.qcow2"),
            ("zip", "zip -q -0 box.zip disk.qcow2"),
            ("zip", "zip -q - disk.qcow2 | cat > box.zip"),
            ("zip", "cat disk.qcow2 | zip -q - - | cat > box.zip"),
            ("7z", "7z a -bso0 box.zip disk.qcow2"),
            ("7z", "7z a -bso0 -mm=BZip2 box.zip disk.qcow2"),
            ("bsdtar", "bsdtar --format=zip -cf box.zip disk.qcow2"),
            ("python3", "python3 -c \"import zipfile; zipfile.ZipFile('box.zip', 'w').write('disk.qcow2')\""),
            (
                "python3",
                "python3 -c \"import zipfile; zipfile.ZipFile('box.zip', 'w', zipfile.ZIP_BZIP2).write('disk.raw')\"",
            ),
            (
                "python3",
                "python3 -c \"import sys, zipfile
with zipfile.ZipFile(sys.stdout.buffer, 'w', zipfile.ZIP_DEFLATED) as z, z.open('disk.raw', 'w', force_zip64=True) as f:
    f.write(open('disk.raw', 'rb').read())\" | cat > box.zip",
            ),
        ],
        |(tool, script)| {
            need_tools([tool]);
            let folder = Folder::new();
            forms(&folder);
            sh(&folder, script);
            let form = if script.contains("disk.qcow2") { "disk.qcow2" } else { "disk.raw" };
            is_the_disk(&folder, "box.zip", form);
        },
    );
}

#[test]
fn compressed_members_and_archives_in_archives_are_read() {
    each(
        [
            ("gzip", "gzip -k stream.vmdk; tar -cf box.ova stream.vmdk.gz", "box.ova", "stream.vmdk"),
            ("gzip", "gzip -k disk.raw; tar -cf box.tar disk.raw.gz", "box.tar", "disk.raw"),
            ("xz", "xz -k disk.qcow2; tar -cf box.tar disk.qcow2.xz", "box.tar", "disk.qcow2"),
            // As DSP0243 has it: compressed first, then split.
            (
                "gzip",
                "gzip -c disk.qcow2 | split -b 100000 -a 9 -d - disk.qcow2.; tar -cf box.ova disk.qcow2.0*",
                "box.ova",
                "disk.qcow2",
            ),
            ("zip", "gzip -k disk.raw; zip -q box.zip disk.raw.gz", "box.zip", "disk.raw"),
            ("zip", "gzip -k disk.qcow2; zip -q -0 box.zip disk.qcow2.gz", "box.zip", "disk.qcow2"),
            (
                "zip",
                "echo '<Envelope/>' > vm.ovf; tar -cf vm.ova vm.ovf disk.vmdk; zip -q box.zip vm.ova",
                "box.zip",
                "disk.vmdk",
            ),
        ],
        |(tool, script, name, form)| {
            need_tools([tool, "tar", "split"]);
            let folder = Folder::new();
            forms(&folder);
            sh(&folder, script);
            is_the_disk_without_advice(&folder, name, form);
        },
    );
}

fn is_the_disk_without_advice(folder: &Folder, name: &str, form: &str) {
    let temp = folder.path(".");
    let temp = temp.to_str().unwrap();
    for args in [
        &["convert", "--no-bitmap", "--temp-dir", temp, name, "out.raw"][..],
        &["compare", "--temp-dir", temp, "disk.raw", name],
    ] {
        let run = folder.run(args);
        assert_eq!((run.status, run.err.as_str()), (0, ""), "{name} {form}: {run:?}");
    }
    assert!(read(folder, "out.raw") == read(folder, "disk.raw"), "{name} {form}");
    let inspected = folder.run(&["inspect", "--temp-dir", temp, name]);
    assert!(inspected.status == 0 && inspected.out.contains("MBR"), "{name} {form}: {inspected:?}");
    let checked = folder.run(&["check", "--temp-dir", temp, "--purpose", "data", name]);
    assert!(checked.status == 1 && checked.out.contains("MBR, 1 partition"), "{name} {form}: {checked:?}");
    let prepared = folder.run(&["prepare", "--temp-dir", temp, "--purpose", "data", name, "-o", "out.zvhd2"]);
    assert_eq!(prepared.status, 0, "{name} {form}: {prepared:?}");
}

#[test]
fn a_disk_of_several_is_selected() {
    let folder = Folder::new();
    need_tools(["qemu-img"]);
    disk(&folder, "disk.raw");
    sh(&folder, "qemu-img convert -f raw -O qcow2 disk.raw a.qcow2");
    let other = vec![0; 4 << 20];
    let members =
        [ZipMember::deflated("a.qcow2", &read(&folder, "a.qcow2")), ZipMember::deflated("b.raw", &other)];
    folder.write("box.zip", &zip_archive(&members));
    folder.write("b.raw", &other);
    for (disk, expected) in [("1", "disk.raw"), ("a.qcow2", "disk.raw"), ("2", "b.raw"), ("b.raw", "b.raw")] {
        assert_eq!(folder.run(&["compare", "--disk", disk, "box.zip", expected]).status, 0, "{disk}");
    }
    let run = folder.run(&["convert", "box.zip", "out.raw"]);
    assert!(run.status == 2 && run.err.contains("with 2 disks"), "{run:?}");
    assert!(run.err.contains("1 = \"a.qcow2\": qcow2, 9 MiB, MBR with 1 partition"), "{run:?}");
}

#[test]
fn what_lies_or_is_cut_leaves_nothing() {
    let folder = Folder::new();
    need_tools(["qemu-img"]);
    disk(&folder, "disk.raw");
    sh(&folder, "qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2");
    for name in ["disk.raw", "disk.qcow2"] {
        let bytes = read(&folder, name);
        let altered = |member: ZipMember, alter: &dyn Fn(&mut ZipMember)| {
            let mut member = member;
            alter(&mut member);
            zip_archive(&[member])
        };
        let crc = |member: &mut ZipMember| (member.local.crc, member.central.crc) = (7, 7);
        let more = |member: &mut ZipMember| {
            member.local.size += 1;
            member.central.size += 1;
        };
        let less = |member: &mut ZipMember| {
            member.local.size -= 1;
            member.central.size -= 1;
        };
        let name_of = |member: &mut ZipMember| member.local.name[0] = b'D';
        let whole = altered(ZipMember::deflated(name, &bytes), &|_| {});
        let lzma = |member: &mut ZipMember| (member.local.method, member.central.method) = (14, 14);
        let locked = |member: &mut ZipMember| (member.local.flags, member.central.flags) = (1, 1);
        for (what, archive, code) in [
            ("CRC of one that is compressed", altered(ZipMember::deflated(name, &bytes), &crc), "IMS-016"),
            ("CRC of one that is not", altered(ZipMember::stored(name, &bytes), &crc), "IMS-016"),
            ("a larger size", altered(ZipMember::deflated(name, &bytes), &more), "IMS-016"),
            ("a smaller size", altered(ZipMember::deflated(name, &bytes), &less), "IMS-016"),
            ("names", altered(ZipMember::deflated(name, &bytes), &name_of), "IMS-016"),
            ("more after it", [&whole[..], b"more"].concat(), "IMS-016"),
            ("more before it", [b"more", &whole[..]].concat(), "IMS-016"),
            ("a method", altered(ZipMember::stored(name, &bytes), &lzma), ""),
            ("a key", altered(ZipMember::stored(name, &bytes), &locked), ""),
            ("cut", whole[..whole.len() / 2].to_vec(), "IMS-020"),
        ] {
            folder.write("box.zip", &archive);
            let before = folder.names();
            for args in [&["convert", "box.zip", "out.raw"][..], &["prepare", "box.zip", "-o", "out.zvhd2"]] {
                let run = folder.run(args);
                assert!(run.status != 0, "{what} {args:?} {run:?}");
                assert!((run.err.clone() + &run.out).contains("box.zip"), "{what} {args:?} {run:?}");
                assert_eq!(folder.names(), before, "{what} {args:?}");
            }
            let (status, json) = folder.json(&["check", "box.zip"]);
            let found = codes(&json["files"][0]["report"]);
            assert_eq!(status, 1, "{what}: {json}");
            assert!(code.is_empty() || found.iter().any(|found| found == code), "{what}: {found:?} {json}");
        }
    }
}
