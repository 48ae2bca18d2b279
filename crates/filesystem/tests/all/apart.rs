//! Files that another thread reads.

use std::thread;

use imsprep_filesystem::{Access, ErrorKind, GuestTree, Limits, MemoryTree, open_volume};
use imsprep_source::{Cancel, ImageFile};
use imsprep_testdata::each;

use crate::hostile::{make_volume, volumes};

#[test]
fn another_thread_reads_the_same_at_the_same_cost() {
    each(volumes(), |case| {
        let tool = case.0;
        let volume = make_volume(case);
        let image = ImageFile::open(volume.image()).unwrap();
        let cancel = Cancel::new();
        let access = Access::new(Limits::default(), &cancel);
        let files = open_volume(&image, &access).unwrap();
        let root = files.root();
        let tree = GuestTree::new(files, root);
        let mut read = 0;
        for path in ["folder/noise", "folder/file7", "noise", "text", "folder/deeper/file of number 7"] {
            let Ok(file) = tree.open(path) else { continue };
            let bytes = tree.read(path, 1 << 20).unwrap();
            let before = access.disk_bytes();
            let apart = file.apart().unwrap();
            assert_eq!(apart.size(), bytes.len() as u64);
            let other = thread::scope(|scope| {
                let read = || {
                    let file = apart.open().unwrap();
                    // It is this thread's, and goes no further.
                    assert!(file.apart().is_none());
                    let mut other = vec![0; bytes.len() + 1];
                    let count = file.read_at(0, &mut other).unwrap();
                    other.truncate(count);
                    other
                };
                scope.spawn(read).join().unwrap()
            });
            assert!(other == bytes, "{tool} {path}");
            assert!(access.disk_bytes() > before, "{tool} {path}: what it reads counts");
            read += 1;
        }
        assert!(read > 0, "{tool}");
        let path = ["folder/noise", "folder/file7", "noise"].into_iter().find(|path| tree.open(path).is_ok());
        let apart = tree.open(path.unwrap()).unwrap().apart().unwrap();
        cancel.cancel();
        let stopped = apart.open().and_then(|file| file.read_at(0, &mut [0; 512])).unwrap_err();
        assert_eq!(stopped.kind(), ErrorKind::Cancelled, "{tool}: {stopped}");
    });
}

#[test]
fn files_in_memory_are_read_by_one_thread() {
    let mut files = MemoryTree::new();
    files.file("/text", "text");
    let tree = GuestTree::of(files);
    assert!(tree.open("/text").unwrap().apart().is_none());
}
