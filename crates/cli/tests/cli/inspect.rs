//! `imsprep inspect` as a person runs it.

use imsprep_testdata::{command, golden, need_tools};
use serde_json::Value;

use crate::folder::Folder;
use crate::snapshots::assert_run;

/// Runs a script in the folder, which needs these tools.
fn made(folder: &Folder, tools: &[&str], script: &str) {
    need_tools(tools);
    let output = command("sh").args(["-e", "-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A GPT disk with the same identities each time: an ESP, an ext4 that was not unmounted, and swap.
pub(crate) fn gpt(folder: &Folder) {
    let script = "truncate -s 64M disk.raw esp root swap
        printf 'label: gpt\nlabel-id: 11111111-2222-3333-4444-555555555555
            start=2048, size=20480, type=uefi, name=ESP, uuid=11111111-2222-3333-4444-000000000001
            start=22528, size=40960, type=L, uuid=11111111-2222-3333-4444-000000000002
            start=63488, size=20480, type=S, uuid=11111111-2222-3333-4444-000000000003' | sfdisk -q disk.raw
        truncate -s 10M esp swap; truncate -s 20M root
        mkfs.vfat -F 16 -i 1234abcd -n UEFI esp
        mkfs.ext4 -q -F -U 11111111-2222-3333-4444-00000000000a -L root root
        debugfs -w -R 'feature needs_recovery' root
        mkswap -q -U 11111111-2222-3333-4444-00000000000b swap
        dd if=esp of=disk.raw bs=1M seek=1 conv=notrunc status=none
        dd if=root of=disk.raw bs=1M seek=11 conv=notrunc status=none
        dd if=swap of=disk.raw bs=1M seek=31 conv=notrunc status=none";
    made(folder, &["sfdisk", "mkfs.vfat", "mkfs.ext4", "debugfs", "mkswap"], script);
}

/// What was found, without the names of files and formats.
fn disk_of(folder: &Folder, name: &str) -> Value {
    let (status, mut json) = folder.json(&["inspect", name]);
    assert_eq!((status, json["schema"].as_str()), (0, Some("imsprep.inspect")), "{json}");
    let mut file = json["files"][0].take();
    file.as_object_mut()
        .unwrap()
        .retain(|key, _| !["path", "format", "member", "disk_choice"].contains(&key.as_str()));
    file
}

#[test]
fn text_for_people() {
    let folder = Folder::new();
    gpt(&folder);
    assert_run("inspect", &folder, &["inspect", "disk.raw"]);
    assert_run("inspect_verbose", &folder, &["inspect", "-v", "disk.raw"]);
    folder.sparse("empty.raw", 1 << 20, &[]);
    assert_run("inspect_empty", &folder, &["inspect", "empty.raw"]);
    assert_run("help_inspect", &folder, &["inspect", "--help"]);
}

#[test]
fn json_has_all_of_it() {
    let folder = Folder::new();
    gpt(&folder);
    let disk = disk_of(&folder, "disk.raw");
    assert_eq!(disk["table"]["kind"], "gpt");
    assert_eq!(disk["table"]["problems"], Value::Array(vec![]));
    let root = &disk["partitions"][1];
    assert_eq!((root["start"].as_u64(), root["length"].as_u64()), (Some(11 << 20), Some(20 << 20)));
    assert_eq!(root["type_name"], "Linux filesystem");
    let content = &root["content"];
    assert_eq!((content["kind"].as_str(), content["state"].as_str()), (Some("ext4"), Some("dirty")));
    assert!(content["dirty"].as_str().unwrap().contains("journal"), "{content}");
    assert_eq!((disk["min_disk"].as_u64(), disk["system"]["is"].as_str()), (Some(10), Some("linux")));
    // The backup header is lost.
    std::fs::File::options().write(true).open(folder.path("disk.raw")).unwrap().set_len(60 << 20).unwrap();
    let disk = disk_of(&folder, "disk.raw");
    let problem = &disk["table"]["problems"][0];
    assert_eq!(problem["problem"], "header-missing");
    assert_eq!(problem["offset"].as_u64(), Some((64 << 20) - 512));
}

#[test]
fn a_disk_is_the_same_in_every_format_that_shows_it() {
    let folder = Folder::new();
    need_tools(["qemu-img"]);
    gpt(&folder);
    let raw = disk_of(&folder, "disk.raw");
    made(
        &folder,
        &["qemu-img"],
        "qemu-img convert -O vpc -o subformat=fixed,force_size=on disk.raw disk.vhd",
    );
    assert_eq!(disk_of(&folder, "disk.vhd"), raw);
    assert_eq!(folder.run(&["compare", "disk.raw", "disk.vhd"]).status, 0);
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    let mut zvhd2 = disk_of(&folder, "disk.zvhd2");
    // Its disk ends at a whole GiB, which is all that differs: what is on it is told as of the image that it was made from.
    assert_eq!(zvhd2["disk_size"].as_u64(), Some(1 << 30));
    zvhd2["disk_size"] = raw["disk_size"].clone();
    assert_eq!((zvhd2["min_disk"].as_u64(), raw["min_disk"].as_u64()), (Some(10), Some(10)));
    zvhd2["min_disk"] = raw["min_disk"].clone();
    assert_eq!(zvhd2, raw);
    // A footer that tells of more disk than there is.
    let mut bytes = std::fs::read(folder.path("disk.vhd")).unwrap();
    bytes.drain(1 << 20..2 << 20);
    folder.write("cut.vhd", &bytes);
    let run = folder.run(&["inspect", "cut.vhd"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("cut.vhd: is vhd"), "{}", run.err);
}

#[test]
fn the_references_disk_with_an_esp_and_an_ext4() {
    let folder = Folder::new();
    folder.write("h2.zvhd2", golden("zstd_h2_gpt_esp_ext4.zvhd2"));
    let disk = disk_of(&folder, "h2.zvhd2");
    let kinds = disk["partitions"].as_array().unwrap().iter().map(|p| p["content"]["kind"].as_str().unwrap());
    assert_eq!(kinds.collect::<Vec<_>>(), ["vfat", "ext4"], "{disk:#}");
}

#[test]
fn one_bad_name_does_not_hide_the_others() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 20, &[]);
    folder.write("a.zip", b"PK\x03\x04 and more");
    let run = folder.run(&["inspect", "none", "a.zip", "disk.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("none: cannot open"), "{}", run.err);
    assert!(run.err.contains("a.zip: is zip; its disk cannot be read: IMS-020"), "{}", run.err);
    assert!(run.out.contains("disk.raw: raw"), "{}", run.out);
    let (status, json) = folder.json(&["inspect", "none", "disk.raw"]);
    assert_eq!((status, json["exit_status"].as_u64()), (2, Some(2)));
    assert!(json["files"][0]["error"].is_string() && json["files"][1]["boot"].is_object(), "{json}");
    let run = folder.run(&["inspect", "-q", "disk.raw"]);
    assert_eq!((run.status, run.out.as_str()), (0, ""));
}

#[test]
fn nothing_from_a_disk_moves_the_cursor() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 20, &[]);
    let mut bytes = vec![0; 1 << 20];
    bytes[4086..4096].copy_from_slice(b"SWAPSPACE2");
    bytes[1052..1060].copy_from_slice(b"a\x1b[2Jb\nc");
    folder.write("disk.raw", &bytes);
    let run = folder.run(&["inspect", "disk.raw"]);
    assert!(run.out.contains(r"a\u{1b}[2Jb\nc"), "{}", run.out);
    assert!(!run.out.contains('\x1b'), "{}", run.out);
}
