//! Making disks with the real tools, asking `blkid` about them, and altering them in memory.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use imsprep_inspect::{Inspection, inspect};
use imsprep_source::{Cancel, DiskReader, Error, ImageFile, ReadAt, Result};
use imsprep_testdata::{command, need_tools};

pub(crate) const MIB: u64 = 1 << 20;

/// A folder with images in it.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A new sparse file.
    pub(crate) fn image(&self, name: &str, size: u64) -> PathBuf {
        let path = self.path(name);
        File::create(&path).unwrap().set_len(size).unwrap();
        path
    }

    /// Runs a shell script in the folder, which needs these tools.
    pub(crate) fn run(&self, tools: &[&str], script: &str) {
        need_tools(tools);
        let output = command("sh")
            .args(["-e", "-c", script])
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// What a script prints, whose tools the test has requested.
    pub(crate) fn output(&self, script: &str) -> String {
        let output = command("sh").args(["-c", script]).current_dir(&self.0).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    /// What `blkid` finds in a stretch of a file.
    pub(crate) fn blkid(&self, name: &str, start: u64, length: u64) -> BTreeMap<String, String> {
        need_tools(["blkid"]);
        let text = self.output(&format!("blkid -p -o export -O {start} -S {length} {name}"));
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.replace("\\ ", " "))).collect()
    }

    pub(crate) fn inspect(&self, name: &str) -> Inspection {
        inspect(&ImageFile::open(self.path(name)).unwrap(), &Cancel::new()).unwrap()
    }

    pub(crate) fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) {
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.write_all_at(bytes, offset).unwrap();
    }

    pub(crate) fn read_at(&self, name: &str, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        File::open(self.path(name)).unwrap().read_exact_at(&mut bytes, offset).unwrap();
        bytes
    }
}

/// A disk in memory, of which only what is not zero takes room; it counts what is read of it.
pub(crate) struct Sparse {
    pages: BTreeMap<u64, Vec<u8>>,
    size: u64,
    reads: AtomicU64,
    bytes: AtomicU64,
    /// Where reads begin to fail.
    fails_from: AtomicU64,
    /// Ranges that were read since somebody began to watch.
    watched: Mutex<Vec<(u64, u64)>>,
}

const PAGE: u64 = 4096;

impl Sparse {
    pub(crate) fn new(size: u64) -> Self {
        Self {
            pages: BTreeMap::new(),
            size,
            reads: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            fails_from: AtomicU64::new(u64::MAX),
            watched: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn load(path: &Path) -> Self {
        let file = ImageFile::open(path).unwrap();
        let mut disk = Self::new(file.size());
        let mut at = 0;
        while let Some(extent) = file.data_from(at).unwrap() {
            for page in extent.start / PAGE..extent.end.div_ceil(PAGE) {
                let mut bytes = vec![0; usize::try_from(PAGE.min(disk.size - page * PAGE)).unwrap()];
                file.read_at(&mut bytes, page * PAGE).unwrap();
                if bytes.iter().any(|byte| *byte != 0) {
                    bytes.resize(usize::try_from(PAGE).unwrap(), 0);
                    disk.pages.insert(page, bytes);
                }
            }
            at = extent.end;
        }
        disk
    }

    pub(crate) fn set_size(&mut self, size: u64) {
        self.size = size;
    }

    pub(crate) fn set(&mut self, at: u64, byte: u8) -> u8 {
        let page = self.pages.entry(at / PAGE).or_insert_with(|| vec![0; usize::try_from(PAGE).unwrap()]);
        std::mem::replace(&mut page[usize::try_from(at % PAGE).unwrap()], byte)
    }

    pub(crate) fn get(&self, at: u64) -> u8 {
        self.pages.get(&(at / PAGE)).map_or(0, |page| page[usize::try_from(at % PAGE).unwrap()])
    }

    /// Lets reads fail that reach beyond this offset.
    pub(crate) fn fail_from(&self, at: u64) {
        self.fails_from.store(at, Ordering::Relaxed);
    }

    /// Forgets what was read so far.
    pub(crate) fn watch(&self) {
        self.watched.lock().unwrap().clear();
    }

    /// What was read since, in order and without overlaps.
    pub(crate) fn watched(&self) -> Vec<(u64, u64)> {
        let mut ranges = std::mem::take(&mut *self.watched.lock().unwrap());
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (start, end) in ranges {
            match joined.last_mut().filter(|last| last.1 >= start) {
                Some(last) => last.1 = last.1.max(end),
                None => joined.push((start, end)),
            }
        }
        joined
    }

    /// Reads and bytes since the last call.
    pub(crate) fn take(&self) -> (u64, u64) {
        (self.reads.swap(0, Ordering::Relaxed), self.bytes.swap(0, Ordering::Relaxed))
    }
}

impl ReadAt for Sparse {
    fn path(&self) -> &Path {
        Path::new("disk")
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
        let limit = self.size.min(self.fails_from.load(Ordering::Relaxed));
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= limit);
        let Some(end) = end else { return Err(Error::UnexpectedEnd { path: "disk".into(), offset: limit }) };
        self.watched.lock().unwrap().push((offset, end));
        buf.fill(0);
        for (page, bytes) in self.pages.range(offset / PAGE..=end / PAGE) {
            let start = (page * PAGE).max(offset);
            let stop = ((page + 1) * PAGE).min(end);
            if start < stop {
                let within = |at: u64, from: u64| usize::try_from(at - from).unwrap();
                buf[within(start, offset)..within(stop, offset)]
                    .copy_from_slice(&bytes[within(start, page * PAGE)..within(stop, page * PAGE)]);
            }
        }
        Ok(())
    }
}
