//! What holds for every disk, whatever the format that it lies in.

use imsprep_source::{DiskReader, Extent, Result};

/// A window of the disk that is read in several ways: more than what the readers keep as one piece in most inputs, and small enough that
/// many inputs are tried in a second.
const WINDOW: u64 = 12 << 10;
/// Stretches of data that are read.
const STRETCHES: usize = 8;
/// Pieces in which a window is read: none of them a part of another.
const PIECES: [usize; 2] = [4096, 777];

/// Compares a disk with itself: it reads the same in whatever pieces, what it does not call data reads as zeros, and beyond
/// its end there is nothing.
pub fn assert_consistent(disk: &dyn DiskReader) {
    let size = disk.size();
    assert!(disk.read_at(&mut [0], size).is_err(), "a byte beyond the end was read");
    assert!(disk.read_at(&mut [0; 2], u64::MAX).is_err(), "bytes beyond all ends were read");
    if size > 0 {
        assert!(disk.read_at(&mut [0; 2], size - 1).is_err(), "a read across the end was answered");
    }
    let mut windows = vec![0, size / 2, size.saturating_sub(WINDOW)];
    let mut at = 0;
    for _ in 0..STRETCHES {
        let Ok(found) = disk.data_from(at) else { break };
        let end_of_gap = found.map_or(size, |extent| extent.start);
        assert_zeros(disk, at, end_of_gap);
        let Some(Extent { start, end }) = found else { break };
        assert!(
            at <= start && start < end && end <= size,
            "from {at} on: data from {start} to {end} of {size}"
        );
        // Whoever asks within the stretch gets what remains of it.
        for within in [start, start + (end - start) / 2, end - 1] {
            if let Ok(again) = disk.data_from(within) {
                assert_eq!(again.map(|extent| extent.start), Some(within), "asked within {start} to {end}");
            }
        }
        disk.announce(start, end - start);
        windows.extend([start.saturating_sub(WINDOW / 2), end.saturating_sub(WINDOW / 2)]);
        at = end;
    }
    assert_eq!(disk.data_from(size).ok().flatten(), None, "data beyond the end");
    windows.sort_unstable();
    windows.dedup();
    for start in windows {
        assert_same_in_pieces(disk, start, WINDOW.min(size.saturating_sub(start)) as usize);
    }
}

/// Compares a disk with what is on it.
pub fn assert_holds(disk: &dyn DiskReader, expected: &[u8]) {
    assert_eq!(disk.size(), expected.len() as u64, "the size of the disk");
    for piece in [1 << 21, 4096, 7777] {
        assert!(
            read_in_pieces(disk, 0, expected.len(), piece).expect("a sound disk") == expected,
            "in pieces of {piece}"
        );
    }
}

/// A stretch that is not called data, at both of its ends.
fn assert_zeros(disk: &dyn DiskReader, start: u64, end: u64) {
    for from in [start, end.saturating_sub(WINDOW).max(start)] {
        let length = WINDOW.min(end.saturating_sub(from)) as usize;
        // A table that can't be read is an error wherever it is met.
        if let Ok(bytes) = read_in_pieces(disk, from, length, length.max(1)) {
            assert!(
                bytes.iter().all(|byte| *byte == 0),
                "data between {start} and {end}, of which none was told"
            );
        }
    }
}

fn assert_same_in_pieces(disk: &dyn DiskReader, start: u64, length: usize) {
    let whole = read_in_pieces(disk, start, length, length.max(1));
    for piece in PIECES {
        match (&whole, read_in_pieces(disk, start, length, piece)) {
            (Ok(whole), Ok(pieces)) => {
                assert!(*whole == pieces, "from {start} on, {length} bytes differ in pieces of {piece}");
            }
            (Err(_), Err(_)) => {}
            (whole, pieces) => panic!(
                "from {start} on, {length} bytes: {:?} at once, {:?} in pieces of {piece}",
                whole.as_ref().err(),
                pieces.err()
            ),
        }
    }
}

fn read_in_pieces(disk: &dyn DiskReader, start: u64, length: usize, piece: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0xee; length];
    let mut at = start;
    for part in bytes.chunks_mut(piece) {
        disk.read_at(part, at)?;
        at += part.len() as u64;
    }
    Ok(bytes)
}
