//! The free space of NTFS against ntfsinfo and partclone, and after overwriting it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::fs;

use imsprep_filesystem::{Access, ErrorKind, FreeSpace, Limits, free_space, open_volume};
use imsprep_ondisk::volume::ntfs::{Attribute, BootRecord};
use imsprep_ondisk::volume::ntfs_record::{attribute, runs};
use imsprep_ondisk::volume::shadow;
use imsprep_source::{Cancel, ImageFile, ReadAt};
use imsprep_testdata::{each, need_tools};

use crate::free_hostile::{Changed, check_altered, free_limited, free_with};
use crate::free_support::{assert_free, assert_ranges, by_partclone, free_of};
use crate::support::{Abilities, MIB, Volume, noise, populate};

const TOOLS: [&str; 4] = ["mkntfs", "ntfs-3g", "ntfsfix", "ntfsinfo"];
const FSCK: &str = "ntfsfix -n \"$image\" 2>&1";
const MOUNT: &str = "ntfs-3g -o ro \"$image\" \"$at\"";
const ABILITIES: Abilities = Abilities { is_unix: false, link_max: 0, preallocates: false, entries: 500 };

fn make(size: u64, options: &str) -> Volume {
    Volume::new(&TOOLS, size, &format!("mkntfs -q -Q -F {options} \"$image\" 2>/dev/null"))
}

/// Compares an unmounted volume with what tools list, and overwrites its free space.
fn check(volume: &mut Volume, is_readable: bool) -> FreeSpace {
    let info = volume.run("ntfsinfo -m \"$image\" 2>/dev/null").unwrap();
    let number = |name: &str| {
        let line = info.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let free = free_of(&volume.image()).unwrap();
    assert_eq!(free.bytes(), number("Free Clusters:") * number("Cluster Size:"));
    assert_free(volume, FSCK, Some(MOUNT), is_readable)
}

const DELETE: &str = "cd \"$at\"; rm -f noise 'fragments 1' 'size 65536' 'size 131073'; rm -rf 'many/the name of file 1'*; \
    truncate -s 100000 repeated; printf x >> 'fragments 2'";

#[test]
fn used_ntfs_volumes_have_the_free_space_that_tools_see() {
    each(["-c 4096", "-c 1024", "-c 65536"], |options| {
        let mut volume = make(90 * MIB, options);
        volume.mount(&TOOLS, "ntfs-3g \"$image\" \"$at\"");
        populate(&volume.at(), ABILITIES);
        volume.run(DELETE).unwrap();
        volume.unmount();
        let free = check(&mut volume, true);
        assert!(free.ranges().len() > 5 && free.bytes() > 50 * MIB, "{free:?}");
    });
}

/// A program that reports the free space allows itself so many bytes for so many files.
#[test]
fn a_file_of_ntfs_costs_little_more_than_its_record() {
    const FILES: u64 = 3000;
    const RECORD: u64 = 1024;
    let mut volume = make(60 * MIB, "");
    volume.mount(&TOOLS, "ntfs-3g \"$image\" \"$at\"");
    volume.run(&format!("cd \"$at\"; for n in $(seq {FILES}); do echo $n > f$n; done")).unwrap();
    volume.unmount();
    let image = ImageFile::open(volume.image()).unwrap();
    let within = |disk_bytes| {
        let access = Access::new(Limits { disk_bytes, ..Limits::default() }, &Cancel::new());
        free_space(&image, &access).map(|free| (free.bytes(), access.disk_bytes()))
    };
    let (free, cost) = within(64 * MIB).unwrap();
    assert!((FILES * RECORD..FILES * RECORD + 2 * MIB).contains(&cost), "{cost}");
    assert_eq!(within(cost).unwrap(), (free, cost));
    let error = within(cost - 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("bytes read from the disk"), "{error}");
}

#[test]
fn partclone_agrees_on_what_is_free_in_ntfs() {
    need_tools(["partclone.ntfs"]);
    let mut volume = make(60 * MIB, "-c 4096");
    volume.mount(&TOOLS, "ntfs-3g \"$image\" \"$at\"");
    populate(&volume.at(), ABILITIES);
    volume.run(DELETE).unwrap();
    volume.unmount();
    let free = free_of(&volume.image()).unwrap();
    let theirs = by_partclone(&volume, "ntfs", free.size() / 4096 * 4096);
    assert_ranges(free.ranges(), &theirs, "partclone");
}

/// Where the content of the master file table is, as runs.
fn table(image: &ImageFile) -> (u64, Vec<(u64, u64)>) {
    let mut boot = [0; BootRecord::SIZE];
    image.read_at(&mut boot, 0).unwrap();
    let geometry = BootRecord::decode(&boot).geometry().unwrap();
    let mut record = vec![0; usize::try_from(geometry.record_size).unwrap()];
    image.read_at(&mut record, geometry.mft).unwrap();
    let runs = runs(attribute(&record, Attribute::DATA, &[]).unwrap(), 1000);
    let places = runs.iter().map(|run| (run.first.unwrap() * geometry.cluster, run.count * geometry.cluster));
    (geometry.cluster, places.collect())
}

#[test]
fn a_nearly_full_ntfs_with_a_table_in_pieces_and_compressed_files() {
    need_tools(["python3", "seq"]);
    let mut volume = make(14 * MIB, "-c 4096");
    volume.mount(&TOOLS, "ntfs-3g -o compression \"$image\" \"$at\"");
    let script = "cd \"$at\"; mkdir few; n=0; while head -c 30000 /dev/urandom > few/$n 2>/dev/null; do n=$((n + 1)); done; \
        rm few/*[02468]; mkdir packed; \
        python3 -c 'import os; os.setxattr(\"packed\", \"system.ntfs_attrib\", (0x810).to_bytes(4, \"little\"))'; \
        for n in $(seq 12); do seq $n 20000 | head -c 90000 > packed/$n; done; \
        mkdir many; n=0; while [ $n -lt 1200 ] && : > many/$n; do n=$((n + 1)); done 2>/dev/null; \
        head -c 1M /dev/urandom > last; truncate -s 9M holes; echo x >> holes; rm last few/*1 packed/*3; touch many/again";
    volume.run(script).unwrap();
    volume.unmount();
    let image = ImageFile::open(volume.image()).unwrap();
    let (_, places) = table(&image);
    assert!(places.len() > 2, "the table is in one piece: {places:?}");
    check(&mut volume, false);
}

#[test]
fn an_ntfs_in_doubt_is_refused() {
    let mut volume = make(16 * MIB, "-c 4096");
    let write = |name: &str, bytes: &[u8], volume: &mut Volume| {
        volume.mount(&TOOLS, "ntfs-3g \"$image\" \"$at\"");
        fs::write(volume.at().join(name), bytes).unwrap();
        volume.unmount();
    };
    write("file", &noise(1, 300_000), &mut volume);
    let image = ImageFile::open(volume.image()).unwrap();
    let free = free_with(&image, Vec::new()).unwrap();
    let (cluster, places) = table(&image);
    let record = |number: u64| {
        let mut bytes = vec![0; 1024];
        let at = places[0].0 + number * 1024;
        image.read_at(&mut bytes, at).unwrap();
        (at, bytes)
    };
    let at_in = |number: u64, kind: u32| {
        let (at, bytes) = record(number);
        let found = attribute(&bytes, kind, &[]).unwrap();
        let place = found.as_ptr() as usize - bytes.as_ptr() as usize;
        let first = runs(found, 1).first().and_then(|run| run.first).map(|first| first * cluster);
        (at + place as u64, first)
    };
    let bitmap = at_in(6, Attribute::DATA).1.unwrap();
    let log = at_in(2, Attribute::DATA).1.unwrap();
    let mirror = at_in(1, Attribute::DATA).1.unwrap();
    let flags = at_in(3, Attribute::VOLUME_INFORMATION).0 + 24 + 10;
    // Clears the bit of the cluster at this place.
    let freed = |place: u64| {
        let number = place / cluster;
        let mut byte = [0];
        image.read_at(&mut byte, bitmap + number / 8).unwrap();
        assert_ne!(byte[0] & 1 << (number % 8), 0);
        vec![(bitmap + number / 8, vec![byte[0] & !(1 << (number % 8))])]
    };
    let user = (24..80).find(|number| {
        let (_, bytes) = record(*number);
        bytes[22] & 1 != 0 && attribute(&bytes, Attribute::DATA, &[]).is_some_and(|data| data[8] != 0)
    });
    let user = user.unwrap();
    let content = at_in(user, Attribute::DATA).1.unwrap();
    let catalog = free.ranges().last().unwrap().start;
    let mut header = shadow::IDENTIFIER.to_vec();
    header.resize(48, 0);
    header.extend(catalog.to_le_bytes());
    let mut list = shadow::IDENTIFIER.to_vec();
    list.resize(shadow::CATALOG_BLOCK, 0);
    let empty_list = list.clone();
    list[shadow::CATALOG_ENTRY] = 2;
    let cases = [
        ("dirty", vec![(flags, vec![1])], "marked as dirty"),
        ("unfinished", vec![(flags + 1, vec![0x40])], "unfinished"),
        ("a log in use", vec![(log, b"RSTR".to_vec())], "log is not empty"),
        ("two pages", vec![(log + 4096, b"RSTR".to_vec())], "log"),
        ("the boot record's cluster", freed(0), "boot record free"),
        ("the table's", freed(places[0].0), "record 0 holds"),
        ("the mirror's", freed(mirror), "record 1 holds"),
        ("the log's", freed(log + 8192), "record 2 holds"),
        ("the bitmap's", freed(bitmap), "record 6 holds"),
        ("a file's", freed(content + 2 * cluster), &*format!("record {user} holds")),
        ("a record", vec![(record(user).0, b"BAAD".to_vec())], "makes no sense"),
        ("the mirror", vec![(mirror + 1024 + 60, vec![0x77])], "copy of its first records"),
        ("a larger volume", vec![(40 + 1, vec![0x81])], "boot record claims"),
        ("fewer clusters", vec![(40 + 1, vec![0x40])], "does not fit"),
        ("shadow copies", vec![(shadow::HEADER_AT, header.clone()), (catalog, list)], "shadow copies"),
        ("no list of them", vec![(shadow::HEADER_AT, header.clone())], "list of shadow copies"),
    ];
    for (what, changes, reason) in cases {
        let error = free_with(&image, changes).map(|free| free.bytes()).expect_err(what);
        assert!(error.reason().contains(reason), "{what}: {error}");
        assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Refused), "{what}: {error}");
    }
    let deleted = vec![(shadow::HEADER_AT, header), (catalog, empty_list)];
    assert_eq!(free_with(&image, deleted).unwrap(), free);
    // The copy of the boot record is behind the last cluster, and has to be there.
    let cut = Changed { image: &image, changes: Vec::new(), size: image.size() - 512 };
    assert!(free_limited(&cut).is_err());
    drop(image);
    write("hiberfil.sys", &[0; 8192], &mut volume);
    let image = ImageFile::open(volume.image()).unwrap();
    assert!(free_with(&image, Vec::new()).is_ok());
    let files = open_volume(&image, &Access::default()).unwrap();
    let file = files.lookup(files.root(), b"hiberfil.sys").unwrap().unwrap();
    let mut bytes = vec![0; 1024];
    image.read_at(&mut bytes, places[0].0 + file.number * 1024).unwrap();
    let first = runs(attribute(&bytes, Attribute::DATA, &[]).unwrap(), 1)[0].first.unwrap() * cluster;
    for start in ["hibr", "HIBR", "wake", "\0\0\0\0x"] {
        let error = free_with(&image, vec![(first, start.into())]).unwrap_err();
        assert!(error.reason().contains("hiberfil.sys is not empty"), "{error}");
    }
}

#[test]
fn altered_ntfs_volumes_are_refused_or_lose_nothing() {
    let mut volume = make(12 * MIB, "-c 1024");
    volume.mount(&TOOLS, "ntfs-3g \"$image\" \"$at\"");
    for number in 0..60 {
        fs::write(volume.at().join(format!("file {number}")), noise(number, 9000)).unwrap();
    }
    volume.run("rm \"$at\"/*[13579]").unwrap();
    volume.unmount();
    let image = ImageFile::open(volume.image()).unwrap();
    let (_, places) = table(&image);
    // The boot record, the bitmap, and the table.
    let mut record = vec![0; 1024];
    image.read_at(&mut record, places[0].0 + 6 * 1024).unwrap();
    let bitmap = runs(attribute(&record, Attribute::DATA, &[]).unwrap(), 1)[0].first.unwrap() * 1024;
    let mut ranges = vec![11..80, bitmap..bitmap + 60];
    // What every record has at its start, in those of the file system and of files.
    ranges.extend((0..11).chain(64..90).map(|number| places[0].0 + number * 1024).map(|at| at..at + 400));
    let refused = check_altered(&volume, &ranges, 400);
    assert!((20..390).contains(&refused), "{refused} were refused");
}
