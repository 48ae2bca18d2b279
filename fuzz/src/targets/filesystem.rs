//! Input: a byte that chooses a small volume of `fuzz/volumes`, then bytes that are laid over it: offset (u32, modulo its size),
//! length (u8) and as many bytes, again and again.
//!
//! Oracle: the walk of all files is bounded by what the reader was given leave for, and comes out the same a second time; each name in
//! a directory is looked up as one that the directory lists; no file has bytes behind its size; a file that is read in parts is the
//! one that is read at once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::time::Duration;

use imsprep_filesystem::{Access, FileKind, FileSystem, Limits, Node, open_volume};
use imsprep_source::{Cancel, ReadAt};

use crate::altered::{Altered, unpacked};
use crate::plant::planted;

/// The volumes, which mkfs made; compressed by zstd.
const PACKED: [&[u8]; 5] = [
    include_bytes!("../../volumes/ext4.zst"),
    include_bytes!("../../volumes/xfs.zst"),
    include_bytes!("../../volumes/btrfs.zst"),
    include_bytes!("../../volumes/ntfs.zst"),
    include_bytes!("../../volumes/vfat.zst"),
];

static VOLUMES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| PACKED.iter().map(|packed| unpacked(packed)).collect());

pub(super) const LIMITS: Limits =
    Limits { disk_bytes: 64 << 20, steps: 400_000, time: Duration::from_secs(10) };
/// A reader takes whole blocks of its cache, and one beyond what it may.
pub(super) const OVER: u64 = 1 << 20;
/// Files that are looked at, and bytes of each.
const FILES: usize = 120;
const BYTES: usize = 64 << 10;

/// What a walk found: for each path the kind, size and bytes, or the reason why there are none.
pub(super) type Found = BTreeMap<Vec<u8>, String>;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((kind, pieces)) = data.split_first() else { return };
    let volume = Altered::new(&VOLUMES[usize::from(*kind) % VOLUMES.len()], pieces);
    let first = walk(&volume);
    let second = planted(walk(&volume), |found| {
        found.pop_last();
    });
    assert_eq!(first, second, "a second walk finds something else");
}

/// Looks at the files of a volume.
pub(super) fn walk(volume: &dyn ReadAt) -> Found {
    let access = Access::new(LIMITS, &Cancel::new());
    let mut found = Found::new();
    match open_volume(volume, &access) {
        Ok(files) => {
            let mut queue = vec![(Vec::new(), files.root(), 0)];
            while let Some((path, node, depth)) = queue.pop() {
                if found.len() >= FILES {
                    break;
                }
                let text = look(&*files, node, depth, &path, &mut queue);
                found.insert(path, text);
            }
        }
        Err(error) => {
            found.insert(Vec::new(), error.reason().to_string());
        }
    }
    assert!(access.disk_bytes() <= LIMITS.disk_bytes + OVER, "{} bytes were read", access.disk_bytes());
    found
}

type Queue = Vec<(Vec<u8>, Node, usize)>;

fn look(files: &dyn FileSystem, node: Node, depth: usize, path: &[u8], queue: &mut Queue) -> String {
    let metadata = match files.metadata(node) {
        Ok(metadata) => metadata,
        Err(error) => return error.reason().to_string(),
    };
    let what = match metadata.kind {
        FileKind::File => read(files, node, metadata.size),
        FileKind::Link => files
            .link(node)
            .map(|target| format!("{target:?}"))
            .unwrap_or_else(|error| error.reason().to_string()),
        FileKind::Directory => list(files, node, depth, path, queue),
        FileKind::Other => String::new(),
    };
    format!("{metadata:?} {what}")
}

fn read(files: &dyn FileSystem, node: Node, size: u64) -> String {
    let whole = usize::try_from(size).unwrap_or(BYTES).min(BYTES);
    let mut bytes = vec![0; whole];
    let Ok(count) = files.read_at(node, 0, &mut bytes) else { return "unread".into() };
    assert!(count <= whole);
    bytes.truncate(count);
    // In parts, as a stream is read.
    let mut parts = Vec::new();
    let mut part = [0; 1009];
    while parts.len() < count {
        let wanted = part.len().min(count - parts.len());
        match files.read_at(node, parts.len() as u64, &mut part[..wanted]) {
            Ok(0) | Err(_) => break,
            Ok(read) => parts.extend(&part[..read]),
        }
    }
    assert!(bytes.starts_with(&parts), "parts of a file are not those of the whole");
    if let Ok(behind) = files.read_at(node, size, &mut part) {
        assert_eq!(behind, 0, "a file has bytes behind its size");
    }
    format!("{:08x}", crc32fast::hash(&bytes))
}

fn list(files: &dyn FileSystem, node: Node, depth: usize, path: &[u8], queue: &mut Queue) -> String {
    let mut entries = Vec::new();
    let listed = files.entries(node, &mut |entry| {
        assert!(
            !entry.name.is_empty() && !entry.name.contains(&b'/') && !entry.name.contains(&0),
            "{entry:?}"
        );
        entries.push(entry);
        if entries.len() < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let is_whole = listed.is_ok() && entries.len() < 100;
    for entry in entries.iter().filter(|_| is_whole).take(20) {
        if let Ok(Some(found)) = files.lookup(node, &entry.name) {
            assert!(entries.iter().any(|other| other.node == found), "{entry:?} is looked up as {found:?}");
        }
    }
    if depth < 6 {
        queue.extend(
            entries.iter().map(|entry| ([path, b"/", entry.name.as_slice()].concat(), entry.node, depth + 1)),
        );
    }
    format!("{} entries", entries.len())
}

/// The volumes as they are, and each with its superblock touched.
pub fn seeds() -> Vec<Vec<u8>> {
    let touch = |kind: u8, at: u32, bytes: &[u8]| {
        [&[kind][..], &at.to_le_bytes(), &[bytes.len() as u8], bytes].concat()
    };
    let mut seeds = (0..PACKED.len() as u8).map(|kind| vec![kind]).collect::<Vec<_>>();
    seeds.extend([
        touch(0, 1024 + 0x60, &[0xff; 4]),
        touch(0, 1024 * 5, &[0xff; 64]),
        touch(1, 0x64, &[0xff; 2]),
        touch(2, 0x10000 + 0x60, &[1]),
        touch(3, 0x30, &[0xff; 8]),
        touch(4, 0x10, &[9, 0, 0]),
    ]);
    seeds
}
