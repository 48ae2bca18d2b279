//! The disks of an OVA: which one is meant, and whether they are those that the manifest lists.

use std::os::unix::fs::FileExt;

use imsprep_testdata::{command, need_tools};
use serde_json::Value;

use crate::folder::Folder;

const MIB: u64 = 1 << 20;

fn sh(folder: &Folder, script: &str) -> String {
    let output = command("sh").args(["-e", "-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A disk with an MBR and one ext4; if it boots, with the sign of GRUB and an active partition.
fn disk(folder: &Folder, name: &str, boots: bool) {
    let part = folder.path("part");
    let made = command("mke2fs").args(["-q", "-F", "-t", "ext4"]).arg(&part).arg("8192k").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut head = vec![0; 512];
    if boots {
        head[0x180..0x186].copy_from_slice(b"GRUB \0");
        head[0] = 0xeb;
    }
    let entry = &mut head[446..462];
    entry[0] = if boots { 0x80 } else { 0 };
    entry[4] = 0x83;
    entry[8..12].copy_from_slice(&2048_u32.to_le_bytes());
    entry[12..16].copy_from_slice(&16384_u32.to_le_bytes());
    head[510..].copy_from_slice(&[0x55, 0xaa]);
    let file = std::fs::File::create(folder.path(name)).unwrap();
    file.set_len(10 * MIB).unwrap();
    file.write_all_at(&head, 0).unwrap();
    file.write_all_at(&std::fs::read(&part).unwrap(), MIB).unwrap();
    std::fs::remove_file(part).unwrap();
}

/// The descriptor of a machine with these disks, each a name, and the address at which it is attached.
fn ovf(disks: &[(&str, u32)]) -> String {
    let mut text =
        String::from(r#"<?xml version="1.0"?><Envelope xmlns:ovf="o" xmlns:rasd="r"><References>"#);
    for (n, (file, _)) in disks.iter().enumerate() {
        text += &format!(r#"<File ovf:href="{file}" ovf:id="file{n}"/>"#);
    }
    text += "</References><DiskSection>";
    for n in 0..disks.len() {
        text += &format!(r#"<Disk ovf:capacity="10" ovf:diskId="vmdisk{n}" ovf:fileRef="file{n}"/>"#);
    }
    text += "</DiskSection><VirtualSystem><VirtualHardwareSection>\
             <Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceType>6</rasd:ResourceType></Item>";
    for (n, (_, address)) in disks.iter().enumerate() {
        text += &format!(
            "<Item><rasd:AddressOnParent>{address}</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/vmdisk{n}\
             </rasd:HostResource><rasd:InstanceID>{}</rasd:InstanceID><rasd:Parent>3</rasd:Parent>\
             <rasd:ResourceType>17</rasd:ResourceType></Item>",
            10 + n
        );
    }
    text + "</VirtualHardwareSection></VirtualSystem></Envelope>"
}

/// An OVA with a data disk before a system disk, as streamOptimized VMDKs; `system.raw` and `data.raw` stay.
fn ova(folder: &Folder) {
    need_tools(["mke2fs", "qemu-img", "tar", "sha1sum", "sha256sum", "sha512sum"]);
    disk(folder, "system.raw", true);
    disk(folder, "data.raw", false);
    folder.write("vm.ovf", ovf(&[("vm-disk1.vmdk", 1), ("vm-disk2.vmdk", 0)]).as_bytes());
    sh(
        folder,
        "qemu-img convert -O vmdk -o subformat=streamOptimized data.raw vm-disk1.vmdk
         qemu-img convert -O vmdk -o subformat=streamOptimized system.raw vm-disk2.vmdk
         tar --format=ustar -cf vm.ova vm.ovf vm-disk1.vmdk vm-disk2.vmdk",
    );
}

#[test]
fn a_disk_is_selected_by_its_number_its_name_or_the_name_of_its_file() {
    let folder = Folder::new();
    ova(&folder);
    for (selector, expected) in [
        ("1", "data.raw"),
        ("2", "system.raw"),
        ("vm-disk1.vmdk", "data.raw"),
        ("vm-disk2.vmdk", "system.raw"),
        ("vmdisk0", "data.raw"),
        ("vmdisk1", "system.raw"),
    ] {
        let (status, json) = folder.json(&["convert", "--force", "--disk", selector, "vm.ova", "out.raw"]);
        assert_eq!((status, &json["disk_choice"]), (0, &"requested".into()), "{selector}: {json}");
        assert_eq!(folder.run(&["compare", "out.raw", expected]).status, 0, "{selector}");
        assert_eq!(folder.run(&["compare", "--disk", selector, "vm.ova", expected]).status, 0, "{selector}");
        let (status, json) = folder.json(&["inspect", "--disk", selector, "vm.ova"]);
        let purpose = if expected == "system.raw" { "system" } else { "data" };
        assert_eq!((status, &json["files"][0]["purpose"]["is"]), (0, &purpose.into()), "{selector} {json:#}");
        let (_, json) = folder.json(&["check", "--disk", selector, "vm.ova"]);
        assert_eq!(json["files"][0]["inside"]["purpose"], purpose, "{selector} {json:#}");
    }
    for args in [
        &["convert", "--disk", "3", "vm.ova", "x.raw"][..],
        &["convert", "--disk", "other.vmdk", "vm.ova", "x.raw"],
        &["prepare", "--disk", "vmdisk2", "vm.ova"],
        &["inspect", "--disk", "3", "vm.ova"],
        &["check", "--disk", "3", "vm.ova"],
        &["compare", "--disk", "x", "vm.ova", "data.raw"],
    ] {
        let run = folder.run(args);
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        let listed =
            "1 = \"vm-disk1.vmdk\" (vmdisk0), 2 = \"vm-disk2.vmdk\" (vmdisk1, the first disk of the machine)";
        assert!(run.err.contains("has no disk") && run.err.contains(listed), "{args:?}: {run:?}");
    }
    for (args, text) in [
        (&["check", "--disk", "1", "vm.ova", "data.raw"][..], "--disk is for one archive"),
        (&["compare", "--disk", "1", "data.raw", "system.raw"], "neither image is an archive"),
        (&["convert", "--disk", "0", "vm.ova", "x.raw"], "a number from 1"),
        (&["inspect", "--disk", "1", "data.raw"], "--disk does not apply here"),
        (&["check", "--disk", "1", "data.raw"], "--disk does not apply here"),
        (&["prepare", "--disk", "1", "data.raw"], "--disk does not apply here"),
        (&["prepare", "--disk", "1", "data.raw", "-o", "x.zvhd2"], "--disk does not apply here"),
        (&["serve", "--disk", "1", "data.raw", "--socket", "s"], "--disk does not apply here"),
        (&["boot", "--disk", "1", "data.raw"], "--disk does not apply here"),
        (&["compare", "--disk", "1", "data.raw", "data.raw"], "--disk does not apply here"),
        (&["convert", "--disk", "1", "data.raw", "x.zvhd2"], "--disk does not apply here"),
    ] {
        let run = folder.run(args);
        assert!(run.status == 2 && run.err.contains(text), "{args:?}: {run:?}");
    }
}

#[test]
fn the_only_system_disk_is_taken_with_a_word_and_else_what_is_on_each_is_shown() {
    let folder = Folder::new();
    ova(&folder);
    let (status, json) = folder.json(&["convert", "vm.ova", "out.raw"]);
    assert_eq!(
        (status, &json["disk_choice"], &json["member"]),
        (0, &"only-system-disk".into(), &"vm-disk2.vmdk".into())
    );
    assert_eq!(folder.run(&["compare", "out.raw", "system.raw"]).status, 0);
    let note = "the only system disk in the archive";
    let run = folder.run(&["convert", "--force", "vm.ova", "out.raw"]);
    assert!(run.status == 0 && run.out.contains(note), "{run:?}");
    for args in [&["inspect", "vm.ova"][..], &["convert", "--dry-run", "vm.ova", "new.raw"]] {
        let run = folder.run(args);
        assert!(run.status == 0 && run.out.contains(note), "{args:?}: {run:?}");
    }
    assert_eq!(folder.run(&["compare", "vm.ova", "system.raw"]).status, 0);
    let (_, json) = folder.json(&["check", "vm.ova"]);
    let file = &json["files"][0];
    assert_eq!((&file["inside"]["purpose"], &file["member"]), (&"system".into(), &"vm-disk2.vmdk".into()));
    assert_eq!(file["disk_choice"], "only-system-disk");
    let run = folder.run(&["check", "vm.ova"]);
    assert!(run.out.contains("disk: vm-disk2.vmdk; selected because"), "{run:?}");

    // Two systems, or none: the choice is the user's.
    for (a, b, words) in [
        (
            "system.raw",
            "system.raw",
            ["1 = \"a.img\": raw, 10 MiB, MBR with 1 partition, system disk", "; 2 = \"b.img\""],
        ),
        (
            "data.raw",
            "data.raw",
            ["1 = \"a.img\": raw, 10 MiB, MBR with 1 partition, data disk", "; 2 = \"b.img\""],
        ),
    ] {
        sh(&folder, &format!("cp {a} a.img; cp {b} b.img; rm -f two.tar; tar -cf two.tar a.img b.img"));
        for args in [&["convert", "two.tar", "two.raw"][..], &["inspect", "two.tar"], &["prepare", "two.tar"]]
        {
            let run = folder.run(args);
            assert_eq!(run.status, 2, "{args:?}: {run:?}");
            assert!(words.iter().all(|word| run.err.contains(word)), "{args:?}: {run:?}");
            assert!(run.err.contains("hint: --disk selects one"), "{run:?}");
        }
    }
    // An empty disk beside it is a data disk; one that can't be read may be anything.
    folder.sparse("empty.img", 4 * MIB, &[]);
    sh(&folder, "cp system.raw a.img; rm -f two.tar; tar -cf two.tar empty.img a.img");
    let (status, json) = folder.json(&["convert", "two.tar", "two.raw"]);
    assert_eq!((status, &json["member"]), (0, &"a.img".into()), "{json}");
    sh(
        &folder,
        "qemu-img convert -O qcow2 data.raw bad.qcow2; head -c 200 /dev/zero | dd of=bad.qcow2 bs=1 seek=65536 conv=notrunc \
                 status=none; truncate -s 70000 bad.qcow2; rm -f two.tar; tar -cf two.tar bad.qcow2 a.img",
    );
    let run = folder.run(&["convert", "--force", "two.tar", "two.raw"]);
    assert_eq!(run.status, 2, "{run:?}");
}

/// Adds a manifest to the OVA, as ovftool and VirtualBox do.
fn with_manifest(folder: &Folder, name: &str, tool: &str, files: &str) {
    let algorithm = tool.trim_end_matches("sum").to_uppercase();
    sh(
        folder,
        &format!(
            "for f in {files}; do echo \"{algorithm}($f)= $({tool} < $f | cut -d' ' -f1)\"; done > vm.mf
             tar --format=ustar -cf {name} vm.ovf vm.mf vm-disk1.vmdk vm-disk2.vmdk; rm vm.mf"
        ),
    );
}

const ALL: &str = "vm.ovf vm-disk1.vmdk vm-disk2.vmdk";

#[test]
fn the_manifest_of_an_ova_is_verified_without_being_asked() {
    let folder = Folder::new();
    ova(&folder);
    for tool in ["sha1sum", "sha256sum", "sha512sum"] {
        with_manifest(&folder, "listed.ova", tool, ALL);
        let (status, json) = folder.json(&["convert", "--force", "listed.ova", "out.raw"]);
        assert_eq!((status, &json["manifest"]["name"]), (0, &"vm.mf".into()), "{tool}: {json}");
        let verified = json["manifest"]["verified"].as_array().unwrap();
        assert_eq!(verified, &["vm.ovf", "vm-disk1.vmdk", "vm-disk2.vmdk"].map(Value::from), "{tool}");
        let run = folder.run(&["convert", "--force", "listed.ova", "out.raw"]);
        assert!(run.out.contains("3 files as the manifest vm.mf has them"), "{run:?}");
        // One byte of a disk that is not even the one that is converted.
        for member in ["vm-disk1.vmdk", "vm-disk2.vmdk", "vm.ovf"] {
            let mut bytes = std::fs::read(folder.path("listed.ova")).unwrap();
            let content = std::fs::read(folder.path(member)).unwrap();
            let place = bytes.windows(content.len()).position(|part| part == content).unwrap();
            // Behind the headers; in the descriptor a letter of a text.
            bytes[place + content.len() / 2] ^= 1;
            folder.write("changed.ova", &bytes);
            let before = folder.names();
            for args in [
                &["convert", "--disk", "2", "changed.ova", "new.raw"][..],
                &["prepare", "--purpose", "data", "--disk", "2", "changed.ova", "-o", "new.zvhd2"],
                &["convert", "--dry-run", "--disk", "2", "changed.ova", "new.raw"],
            ] {
                let run = folder.run(args);
                assert_eq!(run.status, 1, "{tool} {member} {args:?}: {run:?}");
                assert!(
                    run.err.contains("does not match") && run.err.contains(member),
                    "{tool} {member} {args:?}: {run:?}"
                );
            }
            assert_eq!(folder.names(), before, "{tool} {member}");
        }
    }
}

#[test]
fn what_a_manifest_does_not_say_is_listed_as_not_checked() {
    let folder = Folder::new();
    ova(&folder);
    with_manifest(&folder, "part.ova", "sha256sum", "vm.ovf");
    let (status, json) = folder.json(&["convert", "part.ova", "out.raw"]);
    assert_eq!(status, 0);
    let not_checked = |json: &Value| json["report"]["not_checked"].to_string();
    assert!(not_checked(&json).contains("the manifest does not list it"), "{json}");
    assert!(
        folder
            .run(&["convert", "--force", "part.ova", "out.raw"])
            .out
            .contains("the manifest does not list it")
    );
    // Digests of another kind, lines that are none, names that are not there, a signature; and many of them.
    let many = format!("SHA256(x)= {}\n", "0".repeat(64)).repeat(5000);
    for (lines, why) in [
        ("MD5(vm-disk2.vmdk)= d41d8cd98f00b204e9800998ecf8427e\n", "no SHA-1, SHA-256 or SHA-512"),
        ("SHA256(vm-disk2.vmdk)= abc\n", "no SHA-1, SHA-256 or SHA-512"),
        ("what\n", "not a digest"),
        ("SHA256(../../etc/passwd)= 00\n", "the archive has no such file"),
        (many.as_str(), "the archive has no such file"),
        ("\u{1b}]0;x\u{7}(a)= 1\n", "not a digest"),
    ] {
        folder.write("vm.mf", lines.as_bytes());
        folder.write("vm.cert", b"certificate");
        sh(&folder, "tar --format=ustar -cf odd.ova vm.ovf vm.mf vm.cert vm-disk1.vmdk vm-disk2.vmdk");
        let (status, json) = folder.json(&["convert", "--force", "odd.ova", "out.raw"]);
        assert_eq!(status, 0, "{lines:.60}: {json}");
        assert!(not_checked(&json).contains(why), "{lines:.60}: {json}");
        assert!(json["report"]["not_checked"].as_array().unwrap().len() < 50, "{lines:.60}");
    }
    // Two digests of one file contradict each other.
    with_manifest(&folder, "good.ova", "sha256sum", ALL);
    sh(
        &folder,
        "tar -xf good.ova vm.mf; sed \"s/= .*/= $(printf %064d 0)/\" vm.mf > vm.mf.2; cat vm.mf.2 >> vm.mf; rm vm.mf.2",
    );
    sh(&folder, "tar --format=ustar -cf two.ova vm.ovf vm.mf vm-disk1.vmdk vm-disk2.vmdk");
    let run = folder.run(&["convert", "--force", "two.ova", "out.raw"]);
    assert!(run.status == 1 && run.err.contains(" and 0"), "{run:?}");
    // A manifest is small.
    folder.write("vm.mf", &vec![b'\n'; 2 << 20]);
    sh(&folder, "tar --format=ustar -cf large.ova vm.ovf vm.mf vm-disk1.vmdk vm-disk2.vmdk");
    let (status, json) = folder.json(&["convert", "--force", "large.ova", "out.raw"]);
    assert!(status == 0 && not_checked(&json).contains("more than 1 MiB"), "{json}");
}

#[test]
fn a_disk_beside_its_descriptor_is_held_against_the_manifest() {
    let folder = Folder::new();
    ova(&folder);
    let list = |files: &str| {
        let script = format!(
            "for f in {files}; do echo \"SHA256($f)= $(sha256sum < $f | cut -d' ' -f1)\"; done > vm.mf"
        );
        sh(&folder, &script);
    };
    list(ALL);
    let (status, json) = folder.json(&["convert", "vm-disk2.vmdk", "out.raw"]);
    let verified = json["manifest"]["verified"].as_array().unwrap();
    assert_eq!((status, &verified[..]), (0, &["vm.ovf".into(), "vm-disk2.vmdk".into()][..]), "{json}");
    // Another disk, and one that the descriptor does not name, have nothing to do with it.
    sh(&folder, "cp vm-disk2.vmdk other.vmdk; printf x >> vm-disk1.vmdk");
    assert_eq!(folder.json(&["convert", "--force", "other.vmdk", "out.raw"]).1["manifest"], Value::Null);
    assert_eq!(folder.run(&["convert", "--force", "vm-disk2.vmdk", "out.raw"]).status, 0);
    let run = folder.run(&["convert", "vm-disk1.vmdk", "new.raw"]);
    assert!(run.status == 1 && run.err.contains("\"vm.mf\" does not match \"vm-disk1.vmdk\""), "{run:?}");
    assert!(!folder.path("new.raw").exists());
    list("vm.ovf");
    let (status, json) = folder.json(&["convert", "--force", "vm-disk2.vmdk", "out.raw"]);
    assert_eq!(status, 0);
    assert!(json["report"]["not_checked"].to_string().contains("the manifest does not list it"), "{json}");
}
