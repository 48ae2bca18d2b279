//! Volumes with altered bytes and cut-off ends: an answer or a reason, in bounded time, and never a panic.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use imsprep_filesystem::{Access, FileKind, FileSystem, Limits, Result, free_space, open_volume};
use imsprep_source::{Cancel, DiskReader, Error, ImageFile, ReadAt};
use imsprep_testdata::each;

use crate::support::{MIB, Volume, noise};

/// An image with some bytes replaced, cut off at `size`.
struct Altered<'a> {
    image: &'a ImageFile,
    changes: BTreeMap<u64, u8>,
    size: u64,
}

impl ReadAt for Altered<'_> {
    fn path(&self) -> &Path {
        self.image.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), Error> {
        let end = offset + buf.len() as u64;
        if end > self.size {
            return Err(Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size });
        }
        self.image.read_at(buf, offset)?;
        for (place, byte) in self.changes.range(offset..end) {
            buf[usize::try_from(place - offset).unwrap()] = *byte;
        }
        Ok(())
    }
}

/// Reads all that can be read, however wrong, within limits; gives the number of things seen.
fn read_all(files: &dyn FileSystem) -> usize {
    let mut seen = 0;
    let mut folders = vec![(0, files.root())];
    let mut buf = vec![0; 70_000];
    while let Some((depth, node)) = folders.pop() {
        let mut entries = Vec::new();
        let _ = files.entries(node, &mut |entry| {
            entries.push(entry);
            if entries.len() < 2000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        for entry in entries {
            seen += 1;
            let _ = files.lookup(node, &entry.name);
            match files.metadata(entry.node).map(|metadata| metadata.kind) {
                Ok(FileKind::Directory) if depth < 8 && folders.len() < 500 => {
                    folders.push((depth + 1, entry.node))
                }
                Ok(FileKind::Link) => drop(files.link(entry.node)),
                Ok(_) => {
                    let _ = files.read_at(entry.node, 0, &mut buf);
                    let _ = files.read_at(entry.node, 100_001, &mut buf);
                }
                Err(_) => {}
            }
        }
    }
    seen
}

fn try_it(disk: &dyn ReadAt) -> usize {
    let limits = Limits { disk_bytes: 64 * MIB, steps: 500_000, time: Duration::from_secs(2) };
    let start = Instant::now();
    let access = Access::new(limits, &Cancel::new());
    let seen = open_volume(disk, &access).map_or(0, |files| read_all(&*files));
    // After the time is over each call still ends, at once.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(access.disk_bytes() < 65 * MIB || access.steps() > 0);
    let access = Access::new(limits, &Cancel::new());
    if let Ok(free) = free_space(disk, &access) {
        assert!(free.size() <= disk.size() && free.bytes() < free.size());
    }
    assert!(access.disk_bytes() < 65 * MIB);
    seen
}

/// Places of bytes that hold something, those of small runs of pages more often: they are structures.
fn places(image: &ImageFile) -> Vec<u64> {
    const PAGE: usize = 512;
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(extent) = image.data_from(at).unwrap() {
        for start in (extent.start..extent.end).step_by(PAGE) {
            let mut page = vec![0; PAGE.min(usize::try_from(extent.end - start).unwrap())];
            image.read_at(&mut page, start).unwrap();
            // Noise has few zeros, and a structure many.
            let zeros = page.iter().filter(|byte| **byte == 0).count();
            if zeros > PAGE / 8 && zeros < page.len() {
                places.extend(
                    (0..page.len()).filter(|place| page[*place] != 0).map(|place| start + place as u64),
                );
            }
        }
        at = extent.end;
    }
    places
}

/// The files that each volume gets.
fn make_files(volume: &Volume) {
    let from = volume.at();
    fs::create_dir_all(from.join("folder/deeper")).unwrap();
    fs::write(from.join("text"), "text\n".repeat(50)).unwrap();
    fs::write(from.join("folder/noise"), noise(1, 90_000)).unwrap();
    for number in 0..120 {
        fs::write(from.join(format!("folder/deeper/file of number {number}")), noise(number, 300)).unwrap();
    }
}

/// A volume with these files of each kind that is read, by the tool that makes it.
pub(crate) fn volumes() -> [(&'static str, u64, String); 6] {
    let tree = "-d \"$at\"";
    // A prototype names what mkfs.xfs puts in. Without checksums all that is altered is looked at.
    let xfs = "{ echo /; echo 0 0; echo d--755 0 0; echo folder d--755 0 0; \
        for n in $(seq 90); do echo \"file$n\" ---644 0 0 \"$at/folder/noise\"; done; echo \\$; \
        echo text ---644 0 0 \"$at/text\"; echo link l--777 0 0 text; echo \\$; } > proto; \
        mkfs.xfs -q -m crc=0 -p proto \"$image\" 2>/dev/null";
    [
        ("mkfs.ext4", 6, format!("mkfs.ext4 -q -O ^has_journal {tree} \"$image\"")),
        ("mkfs.ext2", 6, format!("mkfs.ext2 -q -b 1024 {tree} \"$image\"")),
        ("mkfs.xfs", 320, xfs.to_owned()),
        ("mkfs.btrfs", 120, "mkfs.btrfs -q --rootdir \"$at\" \"$image\"".to_owned()),
        ("mkfs.vfat", 3, "mkfs.vfat \"$image\" >/dev/null; mcopy -Q -s -i \"$image\" \"$at\"/* ::".to_owned()),
        (
            "mkntfs",
            8,
            "mkntfs -q -Q -F \"$image\"; for f in \"$at\"/folder/deeper/*; do ntfscp -q \"$image\" \"$f\" \"${f##*/}\"; done; \
            ntfscp -q \"$image\" \"$at/folder/noise\" noise"
                .to_owned(),
        ),
    ]
}

/// Makes one of them.
pub(crate) fn make_volume((tool, size, make): (&str, u64, String)) -> Volume {
    let tools: &[&str] = match tool {
        "mkfs.vfat" => &["mkfs.vfat", "mcopy"],
        "mkntfs" => &["mkntfs", "ntfscp"],
        _ => &[tool],
    };
    let volume = Volume::new(tools, size * MIB, "mkdir \"$at\"");
    make_files(&volume);
    volume.run(&make).unwrap();
    volume
}

#[test]
fn altered_and_cut_off_volumes_are_read_or_refused() {
    each(volumes(), |case| {
        let tool = case.0;
        let volume = make_volume(case);
        let image = ImageFile::open(volume.image()).unwrap();
        assert!(try_it(&image) > 90, "{tool} reads as it is");
        let places = places(&image);
        let random = noise(7, 8 * 4000);
        let mut numbers = random
            .as_chunks()
            .0
            .iter()
            .map(|bytes| usize::try_from(u64::from_le_bytes(*bytes) >> 1).unwrap());
        let mut number = |below: usize| numbers.next().unwrap() % below;
        let mut read = 0;
        for _ in 0..90 {
            let mut changes = BTreeMap::new();
            for _ in 0..1 + number(3) {
                let value = [0, 1, 0x7f, 0x80, 0xff, number(256)][number(6)];
                changes.insert(places[number(places.len())], u8::try_from(value).unwrap());
            }
            read += usize::from(try_it(&Altered { image: &image, changes, size: image.size() }) > 0);
        }
        assert!(read > 5, "{tool}: most of {read} were refused at once");
        for _ in 0..10 {
            let size = u64::try_from(number(usize::try_from(image.size()).unwrap())).unwrap();
            try_it(&Altered { image: &image, changes: BTreeMap::new(), size });
        }
        for size in [0, 1, 511, 512, 1024, 2047, 2048, 65536, 69632] {
            try_it(&Altered { image: &image, changes: BTreeMap::new(), size });
        }
    });
}
