//! The free space of Btrfs against the trees of extents, chunks and free space that `btrfs` lists, and against `btrfs check` and the
//! kernel once it was overwritten.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::ops::Range;

use imsprep_filesystem::ErrorKind;
use imsprep_testdata::each;

use crate::free_support::{altered, assert_free, assert_ranges, fragment, free_of, joined};
use crate::support::{Abilities, MIB, Volume, populate};

/// The check that reads the content of files, too. It tells how fast it was.
const FSCK: &str = "btrfs check --check-data-csum \"$image\" 2>&1";
const MOUNT: &str = "mount -o loop,ro \"$image\" \"$at\"";
const TOOLS: [&str; 2] = ["mkfs.btrfs", "btrfs"];

/// A word after another one in a line.
fn after(line: &str, name: &str) -> Option<u64> {
    let mut words = line.split_whitespace().map(|word| word.trim_matches(|it: char| "()".contains(it)));
    words.find(|word| *word == name)?;
    words.next()?.parse().ok()
}

/// What no extent holds, by the trees that `btrfs` prints, on a device of `size` bytes.
fn by_dump(volume: &Volume, size: u64) -> Vec<Range<u64>> {
    let listed =
        |tree: &str| volume.run(&format!("btrfs inspect-internal dump-tree -t {tree} \"$image\"")).unwrap();
    let chunks_listed = listed("chunk");
    let mut chunks: Vec<(Range<u64>, Vec<u64>)> = Vec::new();
    for line in chunks_listed.lines() {
        if let Some((_, rest)) = line.split_once("FIRST_CHUNK_TREE CHUNK_ITEM ") {
            let start = rest.split(')').next().unwrap().parse().unwrap();
            chunks.push((start..start, Vec::new()));
        } else if let (Some(length), Some((logical, _))) = (after(line, "length"), chunks.last_mut()) {
            logical.end = logical.start + length;
        } else if let (true, Some(place), Some((_, places))) =
            (line.contains("stripe"), after(line, "offset"), chunks.last_mut())
        {
            places.push(place);
        }
    }
    let node_size =
        volume.run("btrfs inspect-internal dump-super \"$image\" | awk '$1 == \"nodesize\" { print $2 }'");
    let node_size: u64 = node_size.unwrap().trim().parse().unwrap();
    // A byte for each 4 KiB.
    let unit = 4096;
    let mut held = vec![false; usize::try_from(size / unit).unwrap()];
    let mut hold = |range: Range<u64>| {
        for place in range.start / unit..range.end.min(size).div_ceil(unit) {
            *held.get_mut(usize::try_from(place).unwrap()).unwrap() = true;
        }
    };
    hold(0..MIB);
    hold((64 * MIB).min(size)..64 * MIB + 65536);
    let extents_listed = listed("extent");
    for line in extents_listed.lines() {
        let Some((_, key)) = line.split_once("key (") else { continue };
        let words: Vec<&str> = key.split(')').next().unwrap().split(' ').collect();
        let [start, kind, length] = words.as_slice() else { continue };
        let (start, length) = match *kind {
            "EXTENT_ITEM" => (start.parse::<u64>().unwrap(), length.parse::<u64>().unwrap()),
            "METADATA_ITEM" => (start.parse().unwrap(), node_size),
            _ => continue,
        };
        let (logical, places) = chunks.iter().find(|(logical, _)| logical.contains(&start)).unwrap();
        for place in places {
            let at = place + (start - logical.start);
            hold(at..at + length);
        }
    }
    let free = (0..)
        .zip(&held)
        .filter(|(_, held)| !**held)
        .map(|(place, _): (u64, _)| place * unit..(place + 1) * unit);
    joined(free.collect())
}

fn check(volume: &mut Volume) {
    let free = free_of(&volume.image()).unwrap();
    assert_ranges(free.ranges(), &by_dump(volume, free.size()), "dump-tree");
    assert_free(volume, FSCK, Some(MOUNT), true);
}

#[test]
fn btrfs_volumes_have_the_free_space_that_their_extents_leave() {
    let cases = [
        ("", "defaults", 300),
        ("-m single -n 65536", "compress-force=zstd", 260),
        ("--mixed", "nodatasum", 120),
        ("-m dup -d dup -O ^no-holes -R quota,^free-space-tree", "space_cache=v1", 300),
    ];
    each(cases, |(make, options, size)| {
        let tools = [TOOLS.as_slice(), &["fallocate"]].concat();
        let mut volume = Volume::new(&tools, size * MIB, &format!("mkfs.btrfs -q {make} \"$image\" 2>&1"));
        volume.mount(&[], &format!("mount -o loop,{options} \"$image\" \"$at\""));
        if make.contains("mixed") {
            fragment(&volume.at(), 600);
        } else {
            populate(
                &volume.at(),
                Abilities { is_unix: true, link_max: 3000, preallocates: true, entries: 700 },
            );
            volume
                .run("cd \"$at\"; cp --reflink=always noise clone; rm -f 'fragments 1' 'size 65536' zeros")
                .unwrap();
        }
        let script = "cd \"$at\"; btrfs -q subvolume create sub; seq 100000 > sub/file; sync -f .; \
            btrfs -q subvolume snapshot . snap; btrfs -q subvolume snapshot -r sub kept; \
            dd if=/dev/zero of=sub/file bs=1000 count=77 seek=99 conv=notrunc 2>/dev/null; rm -rf pieces noise; \
            btrfs -q subvolume delete -c snap; rm -f text; btrfs filesystem sync .";
        volume.run(script).unwrap();
        volume.unmount();
        check(&mut volume);
    });
}

#[test]
fn resized_and_balanced_btrfs_volumes_have_the_free_space_that_their_extents_leave() {
    let mut volume = Volume::new(&TOOLS, 420 * MIB, "mkfs.btrfs -q -b 300m \"$image\"");
    assert_eq!(free_of(&volume.image()).unwrap().size(), 300 * MIB);
    volume.mount(&[], "mount -o loop \"$image\" \"$at\"");
    fragment(&volume.at(), 300);
    let script = "cd \"$at\"; btrfs -q filesystem resize max . || btrfs filesystem resize max . >/dev/null; \
        head -c 90M /dev/urandom > large; sync -f .; rm large; seq 100000 > kept; btrfs -q balance start --full-balance . >/dev/null; \
        btrfs filesystem resize 290m . >/dev/null; btrfs filesystem sync .";
    volume.run(script).unwrap();
    volume.unmount();
    let free = free_of(&volume.image()).unwrap();
    assert_eq!(free.size(), 290 * MIB);
    check(&mut volume);
}

#[test]
fn damaged_btrfs_volumes_are_refused() {
    let volume = Volume::new(&TOOLS, 120 * MIB, "mkfs.btrfs -q -m single \"$image\"");
    let free = free_of(&volume.image()).unwrap();
    assert!(free.bytes() > 100 * MIB);
    // The nodes of the trees that are read, by their places: with one copy, each counts.
    let script = "for t in root chunk extent dev; do btrfs inspect-internal dump-tree -t $t \"$image\" | \
        awk '$1 == \"leaf\" { print $2; exit }'; done | while read l; do btrfs-map-logical -l $l \"$image\" | \
        sed 's/.*physical \\([0-9]*\\) .*/\\1/'; done";
    let nodes: Vec<u64> = volume.run(script).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(nodes.len(), 4);
    let superblock = [0x10_078, 0x10_050, 0x10_0d1].into_iter();
    for place in
        nodes.iter().flat_map(|node| [*node, node + 0x60, node + 0x70, node + 16_000]).chain(superblock)
    {
        let error = altered(&volume, place, &[0x02]).map(|free| free.bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{place}: {error}");
    }
    assert_eq!(free_of(&volume.image()).unwrap(), free);
    volume.run("truncate -s 119M \"$image\"").unwrap();
    assert!(free_of(&volume.image()).unwrap_err().reason().contains("the volume has only"));
}

#[test]
fn btrfs_volumes_in_doubt_are_refused() {
    let cases = [
        ("mkfs.btrfs -q --csum xxhash \"$image\"", "CRC-32C"),
        ("truncate -s 150M other; mkfs.btrfs -q -d single -m raid1 \"$image\" other", "2 devices"),
        ("mkfs.btrfs -q \"$image\"; btrfstune -S 1 \"$image\"", "seed"),
    ];
    each(cases, |(make, reason)| {
        let volume = Volume::new(&["mkfs.btrfs", "btrfstune"], 150 * MIB, make);
        let error = free_of(&volume.image()).map(|free| free.bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(error.reason().contains(reason), "{error}");
    });
}

#[test]
fn a_btrfs_volume_with_a_log_tree_is_refused() {
    let mut volume = Volume::new(&["mkfs.btrfs", "sync"], 200 * MIB, "mkfs.btrfs -q \"$image\"");
    volume.mount(&[], "mount -o loop,commit=300 \"$image\" \"$at\"");
    let script = "echo old > \"$at/file\"; sync -f \"$at\"; echo new > \"$at/file\"; sync \"$at/file\"; cp \"$image\" copy";
    volume.run(script).unwrap();
    let error = free_of(&volume.image().with_file_name("copy")).map(|free| free.bytes()).unwrap_err();
    assert!(error.reason().contains("log tree"), "{error}");
}
