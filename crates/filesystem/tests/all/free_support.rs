//! Free space held against what tools list, and against what is left of a volume whose free space was overwritten.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use imsprep_filesystem::{Access, Error, FreeSpace, Limits, free_space};
use imsprep_source::{Cancel, ImageFile};
use imsprep_testdata::need_tools;

use crate::readers::ours;
use crate::support::{Volume, assert_same, by_kernel, noise, without_owners};

/// The free space of an image.
pub(crate) fn free_of(image: &Path) -> Result<FreeSpace, Error> {
    let image = ImageFile::open(image).unwrap();
    let limits = Limits { time: Duration::from_secs(3600), ..Limits::default() };
    free_space(&image, &Access::new(limits, &Cancel::new()))
}

/// Ranges in ascending order, with neighbours joined.
pub(crate) fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// Compares two lists of ranges, and shows where they begin to differ.
pub(crate) fn assert_ranges(ours: &[Range<u64>], theirs: &[Range<u64>], whose: &str) {
    let place = ours.iter().zip(theirs).position(|(one, other)| one != other);
    let place = place.unwrap_or(ours.len().min(theirs.len()));
    let shown = |ranges: &[Range<u64>]| ranges.iter().skip(place).take(3).cloned().collect::<Vec<_>>();
    assert!(
        ours == theirs,
        "{whose}: {} ranges of ours, {} of theirs; number {place}: {:?} {:?}",
        ours.len(),
        theirs.len(),
        shown(ours),
        shown(theirs)
    );
}

/// Overwrites ranges with what no file and no structure holds.
pub(crate) fn spoil(image: &Path, ranges: &[Range<u64>]) {
    let file = OpenOptions::new().write(true).open(image).unwrap();
    let noise = vec![0xa5; 1 << 20];
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            let length = usize::try_from(range.end - at).unwrap().min(noise.len());
            file.write_all_at(noise.get(..length).unwrap(), at).unwrap();
            at += length as u64;
        }
    }
}

/// The ranges that a domain log of partclone (a map of ddrescue) calls unused.
pub(crate) fn by_partclone(volume: &Volume, kind: &str, size: u64) -> Vec<Range<u64>> {
    let tool = format!("partclone.{kind}");
    need_tools([&tool]);
    let script = format!("{tool} -q -D -s \"$image\" -o map -L log >/dev/null 2>&1; cat map");
    let map = volume.run(&script).unwrap();
    let mut ranges = Vec::new();
    for line in map.lines().filter(|line| line.starts_with("0x")) {
        let mut words = line.split_whitespace();
        let mut number =
            || words.next().and_then(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        // The line with the current position has one number only.
        let (Some(start), Some(length)) = (number(), number()) else { continue };
        if line.ends_with('?') && start < size {
            ranges.push(start..(start + length).min(size));
        }
    }
    joined(ranges)
}

/// Overwrites the free space of an unmounted volume. The check must say what it said before, and all files must read as before: by
/// the kernel, if it can mount them, and by our readers, unless they refuse some.
pub(crate) fn assert_free(
    volume: &mut Volume,
    fsck: &str,
    mount: Option<&str>,
    is_readable: bool,
) -> FreeSpace {
    let free = free_of(&volume.image()).unwrap_or_else(|error| panic!("{error}"));
    let readable = File::open(volume.image()).unwrap().metadata().unwrap().len();
    assert!(free.size() <= readable && free.bytes() > 0);
    let checked = volume.run(fsck).unwrap_or_else(|error| panic!("{fsck}: {error}"));
    let kernel = |volume: &mut Volume| {
        mount.map(|mount| {
            volume.mount(&[], mount);
            let tree = without_owners(by_kernel(&volume.at()));
            volume.unmount();
            tree
        })
    };
    let theirs = kernel(volume);
    let seen = |volume: &Volume| is_readable.then(|| without_owners(ours(&volume.image())));
    let before = seen(volume);
    spoil(&volume.image(), free.ranges());
    assert_eq!(volume.run(fsck).unwrap_or_else(|error| panic!("{fsck}: {error}")), checked);
    if let (Some(before), Some(after)) = (before, seen(volume)) {
        assert_same(&after, &before);
    }
    if let Some(theirs) = theirs {
        assert_same(&kernel(volume).unwrap(), &theirs);
    }
    let again = free_of(&volume.image()).unwrap();
    assert_ranges(again.ranges(), free.ranges(), "after overwriting");
    free
}

/// Inverts bits of an image and reads its free space; then puts them back.
pub(crate) fn altered(volume: &Volume, at: u64, mask: &[u8]) -> Result<FreeSpace, Error> {
    let file = OpenOptions::new().read(true).write(true).open(volume.image()).unwrap();
    let mut bytes = vec![0; mask.len()];
    file.read_exact_at(&mut bytes, at).unwrap();
    let changed: Vec<u8> = bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    file.write_all_at(&changed, at).unwrap();
    let result = free_of(&volume.image());
    file.write_all_at(&bytes, at).unwrap();
    result
}

/// Writes small files and deletes every other one, so that free space is in many pieces.
pub(crate) fn fragment(at: &Path, count: u64) {
    std::fs::create_dir(at.join("pieces")).unwrap();
    let name = |number: u64| at.join(format!("pieces/{number}"));
    for number in 0..count {
        std::fs::write(name(number), noise(number, 3000)).unwrap();
    }
    File::open(at).unwrap().sync_all().unwrap();
    for number in (0..count).step_by(2) {
        std::fs::remove_file(name(number)).unwrap();
    }
}
