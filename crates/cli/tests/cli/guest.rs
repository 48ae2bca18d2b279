//! The system in an image: judged by `check` in images of every format, and before a conversion by `prepare`.

use std::os::unix::fs::FileExt;
use std::path::Path;

use imsprep_testdata::systems::{DISK_DRIVERS, KERNEL, ROOT, Tree, debian, grub_cfg, initramfs};
use imsprep_testdata::{command, each, need_tools};
use serde_json::Value;

use crate::folder::{Folder, codes};

/// Where the only partition begins, and its bytes.
const START: u64 = 1 << 20;
const SIZE: u64 = 14 << 20;
/// Bytes of the disk: a size that needs no remark on its partition table.
const DISK: u64 = 2 << 30;

/// A disk with this tree on an ext4 in its only partition, which GRUB starts by a BIOS.
fn disk(folder: &Folder, name: &str, tree: &Tree) {
    need_tools(["mke2fs"]);
    let files = folder.path("tree");
    tree.write_to(&files);
    let part = folder.path("part");
    let made = command("mke2fs")
        .args(["-q", "-t", "ext4", "-U", ROOT, "-d"])
        .args([&files, &part])
        .arg(format!("{}k", SIZE >> 10))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut head = vec![0; 512];
    head[0x180..0x186].copy_from_slice(b"GRUB \0");
    head[0] = 0xeb;
    let entry = &mut head[446..462];
    entry[0] = 0x80;
    entry[4] = 0x83;
    entry[8..12].copy_from_slice(&u32::try_from(START / 512).unwrap().to_le_bytes());
    entry[12..16].copy_from_slice(&u32::try_from(SIZE / 512).unwrap().to_le_bytes());
    head[510..].copy_from_slice(&[0x55, 0xaa]);
    let file = std::fs::File::create(folder.path(name)).unwrap();
    file.set_len(DISK).unwrap();
    file.write_all_at(&head, 0).unwrap();
    let bytes = std::fs::read(&part).unwrap();
    for (number, block) in
        (0..).zip(bytes.chunks(4096)).filter(|(_, block)| block.iter().any(|byte| *byte != 0))
    {
        file.write_all_at(block, START + number * 4096).unwrap();
    }
    std::fs::remove_dir_all(files).unwrap();
    std::fs::remove_file(part).unwrap();
}

/// A Debian whose initramfs has no driver for a virtio disk, and whose names act on terminals, pages and logs.
fn broken() -> Tree {
    let mut tree = debian();
    tree.file(&format!("/boot/initrd.img-{KERNEL}"), initramfs(&["ata/ata_piix"]));
    for module in DISK_DRIVERS {
        tree.file(&format!("/usr/lib/modules/{KERNEL}/kernel/drivers/{module}.ko"), "x");
    }
    tree.file(
        "/usr/lib/os-release",
        "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"\u{1b}[31mDebian <script>x</script> 12\"\n",
    );
    tree.file(
        "/etc/fstab",
        format!("UUID={ROOT} / ext4 defaults 0 1\nUUID=0-0 /\u{1b}]0;x\u{7}<b>data ext4 defaults 0 2\n"),
    );
    tree
}

fn system_codes(report: &Value) -> Vec<String> {
    codes(report).into_iter().filter(|code| code.starts_with("OS-")).collect()
}

#[test]
fn a_sound_system_is_named_and_would_start() {
    let folder = Folder::new();
    disk(&folder, "disk.raw", &debian());
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    let run = folder.run(&["check", "--quick", "disk.raw"]);
    assert_eq!(run.status, 0, "{}", run.out);
    assert!(run.out.starts_with("disk.raw: IMPORTABLE"), "{}", run.out);
    let system = "  system: Debian GNU/Linux 12 (bookworm), x86_64, kernel 6.1.0-18-amd64; should start\n";
    assert!(run.out.contains(system), "{}", run.out);
    assert!(!run.out.contains("the operating system") && !run.out.contains(" OS-"), "{}", run.out);
    // Of a size that the console offers.
    std::fs::File::options().write(true).open(folder.path("disk.raw")).unwrap().set_len(50 << 30).unwrap();
    assert_eq!(folder.run(&["bitmap", "create", "--force", "disk.raw"]).status, 0);
    let whole = folder.run(&["check", "disk.raw"]);
    assert!(whole.out.lines().count() <= 10, "{}", whole.out);
    let (_, json) = folder.json(&["check", "disk.raw"]);
    let system = &json["files"][0]["system"];
    assert_eq!((&system["family"], &system["would_start"]), (&"linux".into(), &"yes".into()));
    assert_eq!((&system["version"], &system["kernel"]), (&"12".into(), &KERNEL.into()));
    // Nothing is asked of a data disk.
    let (_, json) = folder.json(&["check", "--purpose", "data", "disk.raw"]);
    assert_eq!(json["files"][0]["system"], Value::Null);
    let not_checked = json["files"][0]["report"]["not_checked"].to_string();
    assert!(!not_checked.contains("operating system"), "{not_checked}");
}

#[test]
fn a_system_that_would_not_start_is_told_apart_from_an_image_that_is_not_imported() {
    let folder = Folder::new();
    disk(&folder, "disk.raw", &broken());
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    let run = folder.run(&["check", "disk.raw"]);
    assert_eq!(run.status, 1, "{}", run.out);
    let verdict = run.out.lines().next().unwrap();
    assert!(verdict.contains("IMPORTABLE") && !verdict.contains("NOT IMPORTABLE"), "{verdict}");
    assert!(verdict.contains("but the system would not start"), "{verdict}");
    assert!(
        run.out.contains("fix: ") && run.out.contains("`update-initramfs -u -k 6.1.0-18-amd64`"),
        "{}",
        run.out
    );
    assert!(run.out.contains("in partition 1: /etc/fstab:2"), "{}", run.out);
    assert!(!run.out.contains(['\u{1b}', '\u{7}']), "{:?}", run.out);

    let (status, json) = folder.json(&["check", "disk.raw"]);
    let file = &json["files"][0];
    assert_eq!((status, file["verdict"].as_str()), (1, Some("importable")));
    assert!(file["reservations"].as_array().unwrap().contains(&"system-would-not-start".into()));
    assert_eq!(file["system"]["would_start"], "no");
    assert_eq!(system_codes(&file["report"]), ["OS-001", "OS-005"]);
    let findings = file["report"]["findings"].as_array().unwrap();
    let mount = findings.iter().find(|finding| finding["code"] == "OS-005").unwrap();
    assert_eq!(mount["guest"]["volume"], "partition 1");
    assert_eq!((&mount["guest"]["path"], &mount["guest"]["line"]), (&"/etc/fstab".into(), &2.into()));
    // They run in the system, and not on this machine.
    assert_eq!(mount["guest_commands"], serde_json::json!(["sed -i '2s/^/#/' /etc/fstab"]));
    assert_eq!(mount.get("commands"), None);

    // What the user allows is true all the same.
    let (status, json) = folder.json(&["check", "--allow", "OS-001", "--allow", "OS-005", "disk.raw"]);
    assert_eq!((status, &json["files"][0]["system"]["would_start"]), (0, &"no".into()));
    let (status, _) = folder.json(&["rules", "OS-001"]);
    assert_eq!(status, 0);
}

#[test]
fn reports_for_servers_and_pages_have_the_findings() {
    let folder = Folder::new();
    disk(&folder, "disk.raw", &broken());
    let run = folder.run(&["check", "--format", "sarif", "--html", "page.html", "disk.raw"]);
    let log: Value = serde_json::from_str(&run.out).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let mount = results.iter().find(|result| result["ruleId"] == "OS-005").unwrap();
    let location = &mount["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
    assert_eq!(
        (location.as_str(), mount["level"].as_str()),
        (Some("partition 1: /etc/fstab:2"), Some("error"))
    );
    let junit = folder.run(&["check", "--format", "junit", "disk.raw"]).out;
    let page = std::fs::read_to_string(folder.path("page.html")).unwrap();
    for (what, text) in [("sarif", &run.out), ("junit", &junit), ("page", &page)] {
        assert!(text.contains("OS-001") && text.contains("/etc/fstab:2"), "{what}");
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{what}");
    }
    assert!(
        !page.contains("<script>x") && !page.contains("<b>data"),
        "names of the image are text on the page"
    );
    assert!(roxmltree::Document::parse(&junit).is_ok(), "{junit}");
}

/// Names and outcomes of the first two cases in JUnit, and the text of a failure.
fn first_cases(folder: &Folder, args: &[&str]) -> Vec<(String, String)> {
    let run = folder.run(&[&["check", "--format", "junit"], args].concat());
    let document = roxmltree::Document::parse(&run.out).unwrap();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase")).take(2);
    let outcome = |case: roxmltree::Node<'_, '_>| {
        let outcomes = ["failure", "error", "skipped"];
        let found = case.children().find(|child| outcomes.iter().any(|name| child.has_tag_name(*name)));
        found.map_or("passed".into(), |found| {
            format!("{}: {}", found.tag_name().name(), found.attribute("message").unwrap())
        })
    };
    cases.map(|case| (case.attribute("name").unwrap().to_owned(), outcome(case))).collect()
}

#[test]
fn junit_has_one_case_for_the_import_and_one_for_the_start() {
    let folder = Folder::new();
    disk(&folder, "broken.raw", &broken());
    disk(&folder, "sound.raw", &debian());
    let mut by_name = debian();
    by_name.file("/boot/grub/grub.cfg", grub_cfg("root=/dev/sda1 console=ttyS0", "/boot", ROOT));
    disk(&folder, "by_name.raw", &by_name);
    let mut without_loader = debian();
    without_loader.remove("/boot/grub/grub.cfg");
    disk(&folder, "unknown.raw", &without_loader);
    for name in ["broken", "sound", "by_name", "unknown"] {
        assert_eq!(folder.run(&["bitmap", "create", &format!("{name}.raw")]).status, 0);
    }
    let passed = "passed";
    let both = ["--allow", "OS-001", "--allow", "OS-005", "broken.raw"];
    let strict = ["--strict", "--allow", "BM-005", "by_name.raw"];
    for (args, import, start) in [
        (&["sound.raw"][..], passed, passed),
        (&["broken.raw"], passed, "failure: the system would not start: OS-001, OS-005"),
        (&both, passed, "skipped: it would not start, which is allowed"),
        (&["by_name.raw"], passed, passed),
        (&strict, passed, "failure: warnings count: OS-004"),
        (&["unknown.raw"], passed, "skipped: not known"),
        // An error that is one because the user says so is one of the import, as in the verdict.
        (&["--deny", "OS-004", "by_name.raw"], "failure: not importable: OS-004", passed),
        // What is wrong with the file has nothing to do with its system.
        (
            &["--purpose", "system", "--min-disk", "1", "broken.raw"],
            "failure: not importable: IMS-042",
            "failure: the system would not start: OS-001, OS-005",
        ),
    ] {
        let expected = [("may be imported", import), ("the system would start", start)];
        let expected = expected.map(|(name, outcome)| (name.to_owned(), outcome.to_owned()));
        assert_eq!(first_cases(&folder, args), expected, "{args:?}");
    }
    // A data disk has no such case.
    let cases = first_cases(&folder, &["--purpose", "data", "sound.raw"]);
    assert!(cases.iter().all(|(name, _)| name != "the system would start"), "{cases:?}");
}

/// The same disk as an image of another format.
fn converted(folder: &Folder, extension: &str) {
    let image = folder.path(&format!("image.{extension}"));
    let qemu_img = |format: &str| {
        let mut run = command("qemu-img");
        run.args(["convert", "-O", format, "disk.raw"]).arg(&image).current_dir(folder.path(""));
        let run = run.output().unwrap();
        assert!(run.status.success(), "{run:?}");
    };
    match extension {
        "zvhd2" => assert_eq!(folder.run(&["convert", "disk.raw", "image.zvhd2"]).status, 0),
        "vhd" => qemu_img("vpc"),
        "tar" => {
            let run =
                command("tar").args(["-Scf", "image.tar", "disk.raw"]).current_dir(folder.path("")).output();
            assert!(run.unwrap().status.success());
        }
        format => qemu_img(format),
    }
}

#[test]
fn the_system_is_judged_in_images_of_every_format() {
    let folder = Folder::new();
    disk(&folder, "disk.raw", &broken());
    let tools = |extension| match extension {
        "zvhd2" => vec![],
        "tar" => vec!["tar"],
        "vhdx" => vec!["qemu-img", "qemu-nbd"],
        _ => vec!["qemu-img"],
    };
    each(["zvhd2", "qcow2", "vmdk", "vhd", "vhdx", "tar"], |extension| {
        need_tools(tools(extension));
        converted(&folder, extension);
        let (_, json) = folder.json(&["check", "--quick", &format!("image.{extension}")]);
        let file = &json["files"][0];
        assert_eq!(system_codes(&file["report"]), ["OS-001", "OS-005"], "{extension}: {file}");
        assert_eq!(file["system"]["would_start"], "no", "{extension}");
    });
    each(["gzip"], |tool| {
        need_tools([tool]);
        let run = command(tool).args(["-k", "disk.raw"]).current_dir(folder.path("")).output().unwrap();
        assert!(run.status.success(), "{run:?}");
        let (_, json) = folder.json(&["check", "disk.raw.gz"]);
        let report = &json["files"][0]["report"];
        assert_eq!(system_codes(report), [""; 0]);
        let listed = report["not_checked"].as_array().unwrap();
        let system = listed.iter().find(|item| item["what"] == "the operating system").unwrap();
        assert!(system["why"].as_str().unwrap().contains("decompressed"), "{system}");
    });
}

#[test]
fn prepare_tells_it_before_it_converts() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    disk(&folder, "disk.raw", &broken());
    converted(&folder, "qcow2");
    let (status, json) = folder.json(&["prepare", "image.qcow2"]);
    assert_eq!(status, 1, "{json}");
    assert!(json.to_string().contains("OS-001"), "{json}");
    assert!(!folder.path("image.zvhd2").exists(), "nothing was converted");
    let (status, json) = folder.json(&["prepare", "--allow", "OS-001", "--allow", "OS-005", "image.qcow2"]);
    assert_eq!(status, 0, "{json}");
    assert!(folder.path("image.zvhd2").exists());
    assert!(json.to_string().contains("\"would_start\":\"no\""), "{json}");
    // A RAW gets no bitmap either.
    assert_eq!(folder.run(&["prepare", "disk.raw"]).status, 1);
    assert!(!folder.path("disk.mf").exists());
    // A plain conversion copies the system as it is.
    let run = folder.run(&["convert", "image.qcow2", "other.zvhd2"]);
    assert_eq!(run.status, 0, "{}", run.err);

    let sound = Folder::new();
    let mut tree = debian();
    tree.file("/boot/grub/grub.cfg", grub_cfg("root=/dev/sda1 console=ttyS0", "/boot", ROOT));
    disk(&sound, "disk.raw", &tree);
    converted(&sound, "qcow2");
    let (status, json) = sound.json(&["prepare", "image.qcow2"]);
    assert_eq!((status, json.to_string().contains("OS-004")), (0, true), "{json}");
    // With --strict its warnings count, and they count before the conversion.
    let (status, _) = sound.json(&["prepare", "--strict", "image.qcow2", "-o", "strict.zvhd2"]);
    assert_eq!((status, Path::new(&sound.path("strict.zvhd2")).exists()), (1, false));
}

#[test]
fn the_system_in_a_compressed_file_is_judged_once_it_was_decompressed_and_prepare_says_so() {
    let folder = Folder::new();
    disk(&folder, "disk.raw", &broken());
    // Every run reads all of it.
    std::fs::File::options()
        .write(true)
        .open(folder.path("disk.raw"))
        .unwrap()
        .set_len(START + SIZE)
        .unwrap();
    each([("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")], |(tool, end)| {
        need_tools([tool]);
        let name = format!("disk.raw.{end}");
        let args: &[&str] = if tool == "zstd" { &["-q", "-k", "-1"] } else { &["-k", "-1"] };
        let run = command(tool).args(args).arg("disk.raw").current_dir(folder.path("")).output().unwrap();
        assert!(run.status.success(), "{run:?}");
        let run = folder.run(&["prepare", &name, "-o", &format!("{end}.zvhd2")]);
        let gap = "not checked before the conversion: the operating system: it can be read only when the file is decompressed";
        assert!(run.out.contains(gap), "{end}: {run:?}");
        // The result has the findings, and is kept: the work was done.
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.out.contains("but the system would not start") && run.out.contains("OS-001"), "{run:?}");
        assert!(folder.path(&format!("{end}.zvhd2")).exists());
        let (_, json) = folder.json(&["prepare", &name, "-o", &format!("{end}-2.zvhd2")]);
        let gaps = &json["conversion"]["report"]["not_checked"];
        assert_eq!(gaps[0]["what"], "the operating system", "{json}");
        assert_eq!(json["result"]["system"]["would_start"], "no", "{json}");
        // A plain conversion, and one of a data disk, look for no system.
        let run = folder.run(&["convert", &name, &format!("{end}-3.zvhd2")]);
        assert!(run.status == 0 && !run.out.contains("not checked before"), "{run:?}");
        let run = folder.run(&["prepare", "--purpose", "data", &name, "-o", &format!("{end}-4.zvhd2")]);
        assert!(run.status == 0 && !run.out.contains("not checked before"), "{run:?}");
    });
}
