//! The free space of ext2, ext3 and ext4 against dumpe2fs, partclone and a walk over all inodes.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::fs;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use imsprep_filesystem::ErrorKind;
use imsprep_testdata::{each, need_tools};

use crate::free_support::{altered, assert_free, assert_ranges, by_partclone, free_of, joined};
use crate::naive_ext::naive_free;
use crate::support::{Abilities, MIB, Volume, noise, populate};

const FSCK: &str = "cd \"${image%/*}\"; e2fsck -fn image 2>&1";
const MOUNT: &str = "mount -o loop,ro \"$image\" \"$at\"";
const TOOLS: [&str; 3] = ["e2fsck", "dumpe2fs", "mkfs.ext4"];

/// What dumpe2fs lists, in bytes.
fn by_dumpe2fs(volume: &Volume) -> Vec<Range<u64>> {
    let listed = volume.run("dumpe2fs \"$image\" 2>/dev/null").unwrap();
    let number = |name: &str| {
        let line = listed.lines().find_map(|line| line.strip_prefix(name));
        line.map(|rest| rest.trim().parse::<u64>().unwrap())
    };
    let size = number("Block size:").unwrap();
    // With clusters, a range ends with the first block of its last one.
    let cluster = number("Cluster size:").unwrap_or(size);
    let mut ranges = Vec::new();
    for list in listed.lines().filter_map(|line| line.strip_prefix("  Free blocks: ")) {
        for range in list.split(", ").filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let [first, last] = [first, last].map(|number| number.parse::<u64>().unwrap());
            ranges.push(first * size..last * size + cluster);
        }
    }
    joined(ranges)
}

/// Holds an unmounted volume against all that know better, and overwrites its free space.
fn check(volume: &mut Volume, mount: Option<&str>, is_readable: bool) {
    need_tools(TOOLS);
    let free = free_of(&volume.image()).unwrap();
    assert_ranges(free.ranges(), &naive_free(&volume.image()), "all inodes");
    assert_ranges(free.ranges(), &by_dumpe2fs(volume), "dumpe2fs");
    assert_free(volume, FSCK, mount, is_readable);
}

/// Deletes a part of what is there, so that what was in it is still on the disk.
const DELETE: &str = "cd \"$at\"; rm -f noise 'fragments 1' 'size 65536' 'size 131073'; rm -rf 'many/the name of file 1'*; \
    mkdir again; for n in 1 2 3 4 5 6 7 8 9; do cp text again/$n; done; rm again/[2468]; truncate -s 100000 repeated; \
    printf x >> 'fragments 2'";

#[test]
fn ext_volumes_have_the_free_space_that_their_inodes_leave() {
    let cases = [
        "mkfs.ext4 -q -b 4096",
        "mkfs.ext4 -q -b 1024 -g 1024",
        "mkfs.ext4 -q -b 4096 -g 256 -O ^flex_bg,^64bit",
        "mkfs.ext4 -q -b 4096 -O ^metadata_csum,uninit_bg,^64bit",
        "mkfs.ext4 -q -b 4096 -O ^metadata_csum,uninit_bg -g 1024",
        "mkfs.ext4 -q -b 4096 -O bigalloc -C 16384",
        "mkfs.ext4 -q -b 1024 -O bigalloc -C 8192",
        "mkfs.ext4 -q -b 1024 -O meta_bg,^resize_inode,sparse_super2 -g 256",
        "mkfs.ext4 -q -b 2048 -O sparse_super2,mmp,metadata_csum_seed,orphan_file",
        "mkfs.ext4 -q -b 4096 -O ^has_journal,^sparse_super,^resize_inode,ea_inode",
        "mkfs.ext3 -q -b 1024",
        "mkfs.ext2 -q -b 4096 -r 0",
        "mkfs.ext2 -q -b 2048 -g 1024",
    ];
    each(cases, |make| {
        let tool = make.split(' ').next().unwrap();
        let mut volume = Volume::new(&[tool, "fallocate"], 64 * MIB, &format!("{make} \"$image\""));
        volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
        let link_max = if make.contains("-b 4096") { 4095 } else { 1023 };
        let preallocates = tool == "mkfs.ext4";
        populate(&volume.at(), Abilities { is_unix: true, link_max, preallocates, entries: 1500 });
        volume.run(DELETE).unwrap();
        volume.unmount();
        check(&mut volume, Some(MOUNT), true);
    });
}

#[test]
fn content_in_inodes_and_attributes_are_kept() {
    let make = "mkfs.ext4 -q -b 4096 -I 512 -O inline_data,large_dir,fast_commit \"$image\"";
    let mut volume = Volume::new(&["mkfs.ext4", "debugfs"], 48 * MIB, make);
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    let script = "cd \"$at\"; mkdir many; for n in $(seq 400); do echo $n > many/$n; done; rm many/1*; \
        seq 20 40 > names; seq 100000 > gone; sync -f .; rm gone";
    volume.run(script).unwrap();
    volume.unmount();
    // So long that they take a block.
    let script = "seq 900 > value; for n in $(seq 20 40); do echo \"ea_set -f value many/$n user.x\"; done > commands; \
        debugfs -w -f commands \"$image\" >/dev/null";
    volume.run(script).unwrap();
    check(&mut volume, Some(MOUNT), false);
}

#[test]
fn resized_volumes_have_the_free_space_that_their_inodes_leave() {
    let cases = [
        "mkfs.ext4 -q -b 4096",
        "mkfs.ext4 -q -b 1024 -O ^resize_inode,meta_bg",
        "mkfs.ext4 -q -b 4096 -O sparse_super2,^resize_inode -g 1024",
        "mkfs.ext3 -q -b 1024 -E resize=300000",
    ];
    each(cases, |make| {
        let tools = [make.split(' ').next().unwrap(), "resize2fs", "seq"];
        let mut volume = Volume::new(&tools, 180 * MIB, &format!("{make} \"$image\" 40M"));
        let write = "cd \"$at\"; for n in $(seq 30); do dd if=/dev/urandom of=$1$n bs=100k count=4 2>/dev/null; done; sync -f .; rm $1[12]?";
        volume.mount(&["mount"], "mount -o loop \"$image\" \"$at\"");
        volume.run(&format!("set -- one; {write}")).unwrap();
        volume.unmount();
        volume.run("e2fsck -fy \"$image\" >&2; resize2fs \"$image\" 170M >&2").unwrap();
        check(&mut volume, None, true);
        volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
        volume.run(&format!("set -- two; {write}")).unwrap();
        volume.unmount();
        check(&mut volume, Some(MOUNT), true);
        volume.run("e2fsck -fy \"$image\" >&2; resize2fs \"$image\" 60M >&2").unwrap();
        check(&mut volume, Some(MOUNT), true);
        let free = free_of(&volume.image()).unwrap();
        assert_eq!(free.size(), 60 * MIB);
        assert!(free.ranges().iter().all(|range| range.end <= 60 * MIB));
    });
}

#[test]
fn volumes_that_the_kernel_may_not_mount_have_the_free_space_that_their_inodes_leave() {
    // Blocks of 64 KiB are larger than pages, and not every kernel has quotas, of which debugfs knows nothing: e2fsck counts anew.
    let cases = [
        "-b 65536",
        "-b 32768 -O bigalloc -C 65536",
        "-r 0 -b 1024 -O none",
        "-b 4096 -E packed_meta_blocks=1 -O encrypt,verity,casefold,quota,project",
    ];
    each(cases, |make| {
        let mut volume = Volume::new(&["mkfs.ext4", "debugfs"], 256 * MIB, "mkdir \"$at\"");
        for number in 0..60 {
            fs::write(volume.at().join(format!("file{number}")), noise(number, 70_000)).unwrap();
        }
        let script = format!(
            "mkfs.ext4 -q -F {make} -d \"$at\" \"$image\" 2>&1; \
            for n in $(seq 1 3 59); do echo \"rm file$n\"; done > commands; debugfs -w -f commands \"$image\" >/dev/null 2>&1; \
            e2fsck -fy \"$image\" >/dev/null 2>&1 || true"
        );
        volume.run(&script).unwrap();
        check(&mut volume, None, true);
    });
}

#[test]
fn a_full_volume_has_no_free_space_and_a_large_one_is_read_fast() {
    let mut volume = Volume::new(&["mkfs.ext4"], 24 * MIB, "mkfs.ext4 -q -b 1024 -m 0 \"$image\"");
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    volume
        .run("cd \"$at\"; for n in 1 2 3 4; do head -c 9M /dev/urandom > $n 2>/dev/null || true; done; df .")
        .unwrap();
    volume.unmount();
    let free = free_of(&volume.image()).unwrap();
    assert!(free.bytes() < 800 << 10, "{} bytes are free", free.bytes());
    assert_ranges(free.ranges(), &naive_free(&volume.image()), "all inodes");
    let volume = Volume::new(&["mkfs.ext4"], 1 << 40, "mkfs.ext4 -q -E lazy_itable_init=1 \"$image\"");
    let start = std::time::Instant::now();
    let free = free_of(&volume.image()).unwrap();
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    assert_ranges(free.ranges(), &by_dumpe2fs(&volume), "dumpe2fs");
}

#[test]
fn partclone_agrees_on_what_is_free() {
    let mut volume = Volume::new(&["mkfs.ext4", "partclone.ext4"], 64 * MIB, "mkfs.ext4 -q \"$image\"");
    volume.mount(&["fallocate"], "mount -o loop \"$image\" \"$at\"");
    populate(&volume.at(), Abilities { is_unix: true, link_max: 1023, preallocates: true, entries: 100 });
    volume.run(DELETE).unwrap();
    volume.unmount();
    let free = free_of(&volume.image()).unwrap();
    assert_ranges(free.ranges(), &by_partclone(&volume, "ext4", free.size()), "partclone");
}

#[test]
fn damaged_ext_volumes_are_refused() {
    let cases = [
        ("-O metadata_csum,64bit", true),
        ("-O ^metadata_csum,uninit_bg,^64bit", true),
        ("-O ^metadata_csum,^uninit_bg,^64bit", false),
    ];
    each(cases, |(make, has_checksums)| {
        let make = format!("mkfs.ext4 -q -b 4096 -g 1024 {make} \"$image\"");
        let volume = Volume::new(&["mkfs.ext4"], 32 * MIB, &make);
        let free = free_of(&volume.image()).unwrap();
        assert!(free.bytes() > 20 * MIB);
        let long = make.contains(",64bit");
        let (descriptors, size) = (4096_u64, if long { 64 } else { 32 });
        let bitmap = {
            let mut bytes = [0; 4];
            let file = fs::File::open(volume.image()).unwrap();
            file.read_exact_at(&mut bytes, descriptors).unwrap();
            u64::from(u32::from_le_bytes(bytes)) * 4096
        };
        // Counts of the superblock and of a descriptor, its places and flags, and a bit of a bitmap.
        let mut places = vec![
            1024 + 12,
            1024 + 4,
            1024 + 32,
            1024 + 40,
            descriptors + 12,
            descriptors + 4,
            descriptors + 8,
        ];
        places.extend([bitmap, bitmap + 127, descriptors + size + 0x0c]);
        if has_checksums {
            places.extend([
                descriptors + 0x1e,
                descriptors + size + 0x1f,
                descriptors + 0x12,
                descriptors + 0x16,
            ]);
        }
        if long {
            places.extend([1024 + 0x3fc, 1024 + 120, descriptors + 0x18, descriptors + 0x38]);
        }
        for place in places {
            let error = altered(&volume, place, &[0x01]).map(|free| free.bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{place}: {error}");
        }
        assert_eq!(free_of(&volume.image()).unwrap(), free);
    });
}

#[test]
fn ext_volumes_in_doubt_are_refused() {
    let volume =
        Volume::new(&["mkfs.ext4", "debugfs"], 16 * MIB, "mkfs.ext4 -q -O ^metadata_csum \"$image\"");
    assert!(free_of(&volume.image()).is_ok());
    let cases: [(u64, &[u8], &str); 10] = [
        (58, &[1], "not unmounted"),
        (58, &[2], "errors"),
        (58, &[4], "cleaned up"),
        (0xe8, &[12], "cleaned up"),
        (96, &[4], "journal"),
        (96, &[8], "features"),
        (97, &[0x10], "features"),
        (101, &[0x40], "features"),
        (102, &[1], "cleaned up"),
        (92, &[0x40], "features"),
    ];
    for (place, mask, reason) in cases {
        let error = altered(&volume, 1024 + place, mask).map(|free| free.bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{place}: {error}");
        assert!(error.reason().contains(reason), "{place}: {error}");
    }
    let error = altered(&volume, 0, b"XFSB").map(|free| free.bytes()).unwrap_err();
    assert_eq!(error.reason(), "has the signatures of several kinds of content: ext, xfs");
    volume.run("truncate -s 15M \"$image\"").unwrap();
    assert!(free_of(&volume.image()).unwrap_err().reason().contains("the volume has only"));
}

#[test]
fn a_mounted_ext_volume_is_refused() {
    let mut volume = Volume::new(&["mkfs.ext4"], 32 * MIB, "mkfs.ext4 -q \"$image\"");
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    volume.run("echo x > \"$at/text\"; cp \"$at/text\" \"$at/one\"").unwrap();
    let copy = volume.copy();
    assert!(free_of(&copy).unwrap_err().reason().contains("journal is not empty"));
}
