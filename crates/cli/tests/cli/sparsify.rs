//! `--sparsify`: what no file holds is left out, and what a file holds is not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use imsprep_testdata::{command, missing, need_root, need_tools};

use crate::folder::Folder;

const MIB: u64 = 1 << 20;

/// Runs a script in the folder.
fn script(folder: &Folder, script: &str) -> Result<String, String> {
    let output = command("sh")
        .args(["-e", "-c", script])
        .current_dir(folder.path(""))
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Ends what is mounted when the test ends.
struct Mounted<'f>(&'f Folder);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = script(self.0, "umount at 2>/dev/null || true");
    }
}

/// Mounts `image` at `at`; leaves the test where this can't be done.
fn mount<'f>(folder: &'f Folder, image: &str, options: &str) -> Mounted<'f> {
    need_root();
    need_tools(["mount", "umount"]);
    if let Err(error) = script(folder, &format!("mkdir -p at; mount -o loop{options} {image} at")) {
        missing(format!("it can't be mounted: {error}"));
    }
    Mounted(folder)
}

fn umount(mounted: Mounted<'_>) {
    script(mounted.0, "umount at").unwrap();
}

/// The hash of each file below `at`.
fn hashes(folder: &Folder) -> BTreeMap<String, String> {
    let text = script(folder, "cd at; find . -type f -exec sha256sum {} +").unwrap();
    text.lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(hash, name)| (name.into(), hash.into()))
        .collect()
}

/// A volume `part` of 40 MiB in which files were made and most of them deleted again; it is left mounted.
fn used_ext4(folder: &Folder) -> Mounted<'_> {
    need_tools(["mkfs.ext4", "sfdisk", "fsck.ext4"]);
    script(folder, "truncate -s 40M part; mkfs.ext4 -q -O ^metadata_csum_seed -b 4096 part").unwrap();
    let mounted = mount(folder, "part", "");
    script(
        folder,
        "cd at; for n in 1 2 3; do head -c 3300007 /dev/urandom > big$n; done; head -c 18000000 /dev/urandom > large
        mkdir small; for n in $(seq 200); do head -c 5000 /dev/urandom > small/f$n; done; sync -f .
        rm big1 large small/f*3",
    )
    .unwrap();
    mounted
}

/// `disk.raw` of 64 MiB with `part` in its only partition, and bytes in the gaps that are not zero.
fn disk(folder: &Folder) {
    script(
        folder,
        "truncate -s 64M disk.raw; printf 'label: gpt\\nstart=2048,size=81920,type=L\\n' | sfdisk -q disk.raw
        dd if=part of=disk.raw bs=1M seek=1 conv=notrunc status=none
        head -c 300000 /dev/urandom | dd of=disk.raw bs=1M seek=50 conv=notrunc status=none
        head -c 300000 /dev/urandom | dd of=disk.raw bs=4096 seek=40 conv=notrunc status=none",
    )
    .unwrap();
}

fn bytes_of(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

/// The saving that is told is that of the bytes: `left` is what is left of `whole`. Where the kernel places files differs from run to run.
fn assert_saving(saving: &serde_json::Value, whole: &[u8], left: &[u8]) {
    let holds_data =
        |bytes: &[u8]| bytes.chunks(2 << 20).map(|block| block.iter().any(|it| *it != 0)).collect::<Vec<_>>();
    let (before, after) = (holds_data(whole), holds_data(left));
    let count = |blocks: &[bool]| blocks.iter().filter(|it| **it).count() as u64;
    assert_eq!(saving["data_blocks"], count(&before));
    // A block of which the file system holds zeros, and has free what is not, can be empty in the result without being counted.
    let (free, most) = (saving["free_blocks"].as_u64().unwrap(), count(&before) - count(&after));
    assert!(free <= most && free > 5, "{saving} {most}");
}

#[test]
fn what_is_left_of_a_used_ext4_is_every_file() {
    let folder = Folder::new();
    let mounted = used_ext4(&folder);
    let before = hashes(&folder);
    assert!(before.len() > 150);
    umount(mounted);
    disk(&folder);
    let source = bytes_of(&folder.path("disk.raw"));

    assert_eq!(folder.run(&["convert", "disk.raw", "whole.zvhd2"]).status, 0);
    let run = folder.run(&["convert", "--sparsify", "--verify", "disk.raw", "disk.zvhd2"]);
    assert_eq!(run.status, 0, "{} {}", run.out, run.err);
    assert!(run.out.contains(" that no file holds: read as zeros\n"), "{}", run.out);
    assert!(run.out.contains("          partition 1, ext4: ") && run.out.contains(" free\n"), "{}", run.out);
    let length = |name: &str| folder.path(name).metadata().unwrap().len();
    assert!(length("disk.zvhd2") * 2 < length("whole.zvhd2"), "{}", run.out);

    // Back to a RAW: the file system is sound, and each file is as it was.
    assert_eq!(folder.run(&["convert", "disk.zvhd2", "back.raw"]).status, 0);
    script(&folder, "dd if=back.raw of=part2 bs=1M skip=1 count=40 status=none; fsck.ext4 -fn part2")
        .unwrap();
    let mounted = mount(&folder, "part2", ",ro");
    assert_eq!(hashes(&folder), before);
    umount(mounted);
    // What lies outside of the partition is the same.
    let back = bytes_of(&folder.path("back.raw"));
    let (start, end) = (1 << 20, 41 << 20);
    assert!(back[..start] == source[..start] && back[end..] == source[end..]);
    assert!(back[start..end] != source[start..end]);

    // A RAW of a RAW, with its bitmap, and the same through a stream.
    let (status, json) = folder.json(&["convert", "--sparsify", "--verify", "disk.raw", "out.raw"]);
    assert_eq!(
        (status, json["output_format"].as_str(), json["verified"].as_bool()),
        (0, Some("raw"), Some(true))
    );
    assert!(bytes_of(&folder.path("out.raw")) == back);
    assert_eq!(folder.run(&["bitmap", "verify", "out.raw"]).status, 0);
    let left_out = &json["left_out"];
    let volume = &left_out["volumes"][0];
    assert_eq!((left_out["bytes"].as_u64(), volume["kept"].as_str()), (volume["free"].as_u64(), None));
    assert_eq!((volume["kind"].as_str(), volume["size"].as_u64()), (Some("ext4"), Some(40 * MIB)));
    assert_eq!(volume["used"].as_u64().unwrap() + volume["free"].as_u64().unwrap(), 40 * MIB);
    let stream = folder.command(&["convert", "--sparsify", "disk.zvhd2", "-"]).output().unwrap();
    assert!(stream.status.success() && stream.stdout == back);

    // A check sees the same volumes, and as much to leave out as the conversion of the whole disk, in the RAW and in the ZVHD2.
    let (_, whole) = folder.json(&["convert", "disk.raw", "whole2.zvhd2"]);
    assert_saving(&whole["saving"], &source, &back);
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    for image in ["disk.raw", "whole.zvhd2"] {
        let (_, json) = folder.json(&["check", "--purpose", "data", image]);
        let file = &json["files"][0];
        assert_eq!((&file["saving"], &file["space"]), (&whole["saving"], &left_out["volumes"]), "{image}");
        let text = folder.run(&["check", "--purpose", "data", image]).out;
        assert!(text.contains("\n  free: ") && text.contains(" belong to no file"), "{text}");
    }
    let (_, json) = folder.json(&["check", "--purpose", "data", "disk.zvhd2"]);
    assert_eq!(json["files"][0]["saving"]["free_blocks"], 0);
    let (_, json) = folder.json(&["check", "--quick", "--purpose", "data", "disk.raw"]);
    assert!(json["files"][0]["saving"].is_null() && json["files"][0]["space"][0]["free"].is_u64());

    // The files are the same, the disks are not; nothing is smaller a second time.
    assert_eq!(folder.run(&["compare", "disk.raw", "disk.zvhd2"]).status, 1);
    let run = folder.run(&["compare", "--sparsify", "disk.raw", "disk.zvhd2"]);
    assert!(run.status == 0 && run.out.contains("  ignored: "), "{}", run.out);
    assert_eq!(folder.run(&["convert", "--sparsify", "disk.zvhd2", "again.zvhd2"]).status, 0);
    assert_eq!(folder.run(&["compare", "again.zvhd2", "disk.zvhd2"]).status, 0);
    assert!(length("again.zvhd2") <= length("disk.zvhd2"));
    // A file that differs is no free space.
    let file = fs::OpenOptions::new().write(true).open(folder.path("out.raw")).unwrap();
    let place = back.windows(8).position(|bytes| bytes.iter().all(|byte| *byte != 0)).unwrap() as u64;
    std::os::unix::fs::FileExt::write_all_at(&file, &[0; 8], place).unwrap();
    assert_eq!(folder.run(&["compare", "--sparsify", "disk.raw", "out.raw"]).status, 1);
    assert!(bytes_of(&folder.path("disk.raw")) == source, "the source was changed");

    // What leaving it out saves is printed without being asked for, but not where there is nothing to save.
    let run = folder.run(&["convert", "--force", "disk.raw", "whole.zvhd2"]);
    assert!(run.out.contains("--sparsify leaves them out\n"), "{}", run.out);
    let run = folder.run(&["convert", "back.raw", "again2.zvhd2"]);
    assert!(run.status == 0 && !run.out.contains("--sparsify"), "{}", run.out);
    let (_, json) = folder.json(&["convert", "--force", "disk.raw", "whole.zvhd2"]);
    assert_saving(&json["saving"], &source, &back);

    // The import takes it.
    let run = folder.run(&["prepare", "--sparsify", "--purpose", "data", "disk.raw", "-o", "prepared.zvhd2"]);
    assert_eq!(run.status, 0, "{} {}", run.out, run.err);
    assert_eq!(folder.run(&["compare", "prepared.zvhd2", "disk.zvhd2"]).status, 0);
    let run = folder.run(&["inspect", "-v", "disk.raw"]);
    assert!(
        run.out.contains("  partition 1, ext4: ") && run.out.contains(" of 40 MiB used, "),
        "{}",
        run.out
    );
}

#[test]
fn a_file_system_that_was_not_unmounted_is_kept_byte_for_byte() {
    let folder = Folder::new();
    let mounted = used_ext4(&folder);
    script(&folder, "sync -f at; cp part copy").unwrap();
    umount(mounted);
    script(&folder, "mv copy part").unwrap();
    disk(&folder);
    let run = folder.run(&["convert", "--sparsify", "disk.raw", "disk.zvhd2"]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(run.out.contains("  free    0 bytes"), "{}", run.out);
    assert!(run.out.contains("partition 1, ext4: kept as it is: "), "{}", run.out);
    assert_eq!(folder.run(&["compare", "disk.raw", "disk.zvhd2"]).status, 0);
    let (_, json) = folder.json(&["inspect", "disk.raw"]);
    let volume = &json["files"][0]["space"][0];
    assert!(volume["free"].is_null() && volume["kept"].is_string(), "{volume}");
}

/// A loop device of the file; leaves the test where there is none.
fn loop_device(folder: &Folder, name: &str) -> String {
    need_root();
    need_tools(["losetup"]);
    match script(folder, &format!("losetup -f --show {name}")) {
        Ok(device) => device.trim().to_owned(),
        Err(error) => missing(format!("loop devices can't be made: {error}")),
    }
}

#[test]
fn extents_that_no_logical_volume_maps_are_left_out() {
    need_tools(["pvcreate", "vgcreate", "vgcfgbackup", "vgcfgrestore", "pvs", "lvs"]);
    let folder = Folder::new();
    script(&folder, "head -c 64M /dev/urandom > disk.raw; truncate -s 64M disk.raw").unwrap();
    // Only this device, whatever else the machine has.
    let lvm = |device: &str, command: &str| {
        let config = format!(
            "devices {{ use_devicesfile=0 filter=[\"a|^{device}$|\",\"r|.*|\"] }} backup {{ backup=0 archive=0 }}"
        );
        let (name, args) = command.split_once(' ').unwrap();
        script(&folder, &format!("LVM_SUPPRESS_FD_WARNINGS=1 {name} --config '{config}' {args}"))
    };
    let group = format!("imsprepsparse{}", std::process::id());
    let device = loop_device(&folder, "disk.raw");
    // Logical volumes come from a backup: making one needs a kernel with device mapper. Extents 3 and 4, and 10.
    let make = || {
        lvm(&device, &format!("pvcreate -y {device}"))?;
        lvm(&device, &format!("vgcreate -y {group} {device}"))?;
        lvm(&device, &format!("vgcfgbackup -f backup {group}"))?;
        let text = fs::read_to_string(folder.path("backup")).unwrap();
        let volume = |name: &str, id: &str, first: u32, count: u32| {
            format!(
                "{name} {{ id = \"{id}bcdef-abcd-abcd-abcd-abcd-abcd-abcdef\" status = [\"READ\", \"WRITE\", \"VISIBLE\"]
                flags = [] segment_count = 1 segment1 {{ start_extent = 0 extent_count = {count} type = \"striped\"
                stripe_count = 1 stripes = [\"pv0\", {first}] }} }}"
            )
        };
        let volumes = volume("root", "a", 3, 2) + &volume("data", "b", 10, 1);
        let (before, after) = text.rsplit_once('}').unwrap();
        let text = format!("{before} logical_volumes {{ {volumes} }} }} {after}");
        fs::write(folder.path("backup"), text).unwrap();
        lvm(&device, &format!("vgcfgrestore --force -f backup {group}"))?;
        lvm(
            &device,
            &format!(
                "pvs --noheadings --units b --nosuffix --separator , -o pe_start,pv_pe_count,vg_extent_size {device}"
            ),
        )
    };
    let made = make();
    script(&folder, &format!("losetup -d {device}")).unwrap();
    let told = made.unwrap();
    let numbers = told.trim().split(',').map(|number| number.parse::<u64>().unwrap()).collect::<Vec<_>>();
    let [start, count, extent] = numbers[..] else { panic!("{told}") };
    let place = |number: u64| usize::try_from(start + number * extent).unwrap();

    let (status, json) = folder.json(&["convert", "--sparsify", "disk.raw", "out.raw"]);
    assert_eq!(status, 0, "{json}");
    let (before, after) = (bytes_of(&folder.path("disk.raw")), bytes_of(&folder.path("out.raw")));
    for number in 0..count {
        let (here, kept) = (place(number)..place(number + 1), [3, 4, 10].contains(&number));
        assert!(after[here.clone()].iter().all(|byte| *byte == 0) != kept, "extent {number}");
        assert!(!kept || after[here.clone()] == before[here], "extent {number}");
    }
    assert!(after[..place(0)] == before[..place(0)] && after[place(count)..] == before[place(count)..]);
    let volumes = json["left_out"]["volumes"].as_array().unwrap();
    let names = volumes.iter().map(|volume| volume["name"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(
        names,
        [
            "the disk".to_owned(),
            format!("logical volume {group}/root"),
            format!("logical volume {group}/data")
        ]
    );
    assert_eq!(volumes[0]["free"].as_u64(), Some((count - 3) * extent));
    assert!(volumes[1]["kept"].as_str().unwrap().contains("no known file system"), "{json}");
    assert_eq!(json["left_out"]["bytes"].as_u64(), Some((count - 3) * extent));
    // LVM finds the same in the result.
    let device = loop_device(&folder, "out.raw");
    let told = lvm(&device, &format!("lvs --noheadings -o lv_name,seg_pe_ranges {group}"));
    script(&folder, &format!("losetup -d {device}")).unwrap();
    let told = told.unwrap();
    assert!(told.contains(":3-4") && told.contains(":10-10"), "{told}");

    // In a partition that is itself a disk with partitions, as a virtual machine has, the physical volume is left over.
    for (table, kept) in [("true", false), ("echo 2048,8192,L | sfdisk -q --wipe never inner", true)] {
        let nested = format!(
            "cp disk.raw inner; {table}; rm -f nested.raw; truncate -s 80M nested.raw
            printf 'label: gpt\\nstart=2048,size=131072,type=E6D6D379-F507-44C2-A23C-238F2A3DF928\\n' | sfdisk -q nested.raw
            dd if=inner of=nested.raw bs=1M seek=1 conv=notrunc status=none"
        );
        script(&folder, &nested).unwrap();
        let (_, json) = folder.json(&["inspect", "nested.raw"]);
        let volumes = json["files"][0]["space"].as_array().unwrap();
        assert_eq!((volumes.len(), volumes[0]["free"].is_null()), (3, kept), "{json}");
        let reason = |volume: &serde_json::Value| {
            volume["kept"].as_str().is_some_and(|it| it.contains("partition table"))
        };
        assert_eq!(volumes.iter().all(reason), kept, "{volumes:?}");
    }

    // A volume of another kind keeps all of the group.
    let text = fs::read_to_string(folder.path("backup")).unwrap();
    fs::write(folder.path("backup"), text.replacen("type = \"striped\"", "type = \"error\"", 1)).unwrap();
    let device = loop_device(&folder, "disk.raw");
    let restored = lvm(&device, &format!("vgcfgrestore --force -f backup {group}"));
    script(&folder, &format!("losetup -d {device}")).unwrap();
    restored.unwrap();
    let (status, json) = folder.json(&["convert", "--sparsify", "disk.raw", "kept.raw"]);
    assert_eq!((status, json["left_out"]["bytes"].as_u64()), (0, Some(0)), "{json}");
    assert!(json["left_out"]["volumes"][2]["kept"].as_str().unwrap().contains("type error"), "{json}");
    assert!(bytes_of(&folder.path("disk.raw")) == bytes_of(&folder.path("kept.raw")));
}

#[test]
fn free_blocks_that_something_else_may_need_are_kept() {
    need_tools(["mkfs.ext4", "sfdisk", "veritysetup"]);
    let folder = Folder::new();
    script(&folder, "truncate -s 20M part; mkfs.ext4 -q -b 4096 part").unwrap();
    let linux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
    // What is done to the volume and to one behind it, their types, and the reason.
    for (make, types, reason) in [
        ("true", [linux, linux], None),
        ("veritysetup format first second >/dev/null", [linux, linux], Some("holds hashes of all blocks")),
        (
            "truncate -s 24M first; veritysetup format --hash-offset=20971520 --data-blocks=5120 first first >/dev/null",
            [linux, linux],
            Some("are behind it"),
        ),
        // The hashes of a root for x86-64.
        ("true", [linux, "2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5"], Some("partition 2 has an unknown type")),
        // FreeBSD's UFS.
        ("true", ["516E7CB6-6ECF-11D6-8FF8-00022D09712B", linux], Some("such volumes are not made")),
        // A disklabel of BSD, and the superblock of UFS1.
        (
            "printf '\\127\\105\\126\\202' | dd of=first bs=512 seek=1 conv=notrunc status=none",
            [linux, linux],
            Some("partition table in it"),
        ),
        (
            "printf '\\124\\31\\1\\0' | dd of=first bs=1 seek=9564 conv=notrunc status=none",
            [linux, linux],
            Some("signatures of ufs1"),
        ),
    ] {
        let disk = format!(
            "rm -f disk.raw second; cp part first; truncate -s 4M second; {make}; truncate -s 32M disk.raw
            printf 'label: gpt\\nstart=2048,size=49152,type={}\\nstart=51200,size=8192,type={}\\n' | sfdisk -q disk.raw
            dd if=first of=disk.raw bs=1M seek=1 conv=notrunc status=none
            dd if=second of=disk.raw bs=1M seek=25 conv=notrunc status=none",
            types[0], types[1]
        );
        script(&folder, &disk).unwrap();
        let (_, json) = folder.json(&["inspect", "disk.raw"]);
        let volume = &json["files"][0]["space"][0];
        let kept = volume["kept"].as_str();
        assert_eq!(volume["free"].is_u64(), reason.is_none(), "{make} {types:?}: {volume}");
        assert!(reason.is_none_or(|reason| kept.unwrap().contains(reason)), "{make} {types:?}: {volume}");
    }
}

#[test]
fn what_is_not_possible_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 4 * MIB, &[5, 3 * MIB]);
    for (args, status, reason) in [
        (&["convert", "--sparsify", "--force", "disk.raw", "disk.raw"][..], 2, "disk.raw"),
        (&["convert", "--sparsify", "--io", "map", "disk.raw", "out.zvhd2"], 2, "--io"),
        // Without it a RAW becomes a ZVHD2 only.
        (&["convert", "disk.raw", "out.raw"], 2, "is raw already"),
    ] {
        let run = folder.run(args);
        assert_eq!(run.status, status, "{args:?} {run:?}");
        assert!(run.err.contains(reason), "{args:?} {run:?}");
        assert_eq!(folder.names(), ["disk.raw"], "{args:?}");
    }
    // An output that exists is replaced on request only.
    folder.write("out.raw", b"mine");
    assert_eq!(folder.run(&["convert", "--sparsify", "disk.raw", "out.raw"]).status, 2);
    assert_eq!(fs::read(folder.path("out.raw")).unwrap(), b"mine");
    let run = folder.run(&["convert", "--sparsify", "--force", "disk.raw", "out.raw"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(fs::read(folder.path("out.raw")).unwrap() == fs::read(folder.path("disk.raw")).unwrap());
}
