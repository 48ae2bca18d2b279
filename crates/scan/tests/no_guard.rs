//! A program that has installed no guard against bus errors. In a file of its own, as the guard is for the whole process.

use imsprep_scan::{IoMode, ScanOptions, scan};
use imsprep_source::{Cancel, ImageFile, Work};

#[test]
fn without_a_guard_nothing_is_mapped_and_the_scan_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disk.raw");
    let mut bytes = vec![0; 5 << 20];
    *bytes.last_mut().unwrap() = 1;
    std::fs::write(&path, bytes).unwrap();
    for io in [IoMode::Auto, IoMode::Map] {
        let options = ScanOptions { io, ..ScanOptions::default() };
        let found = scan(&ImageFile::open(&path).unwrap(), &options, Work::new(&(), &Cancel::new())).unwrap();
        assert_eq!(found.map.data_blocks().collect::<Vec<_>>(), [2]);
        assert_eq!(
            (found.io.mode, found.io.reason.as_str()),
            (IoMode::Read, "memory maps are not supported here")
        );
    }
}
