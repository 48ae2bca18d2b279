//! Readers against files that are built here, byte by byte.

mod build_qcow2;
mod build_vhd;
mod build_vmdk;
mod hostile;
mod overlaps;
mod qcow2;
mod vhd;
mod vmdk;

use imsprep_source::{DiskReader, Error, Extent};

/// All of the disk, read in pieces of this many bytes.
fn read_all(disk: &dyn DiskReader, piece: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0xee; usize::try_from(disk.size()).unwrap()];
    for (number, part) in bytes.chunks_mut(piece).enumerate() {
        disk.read_at(part, (number * piece) as u64)?;
    }
    Ok(bytes)
}

/// The disk by what it says of its allocation: where it has no data there must be none.
fn read_told(disk: &dyn DiskReader) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; usize::try_from(disk.size()).unwrap()];
    let mut at = 0;
    while let Some(Extent { start, end }) = disk.data_from(at)? {
        assert!(start >= at && end > start && end <= disk.size(), "{at} {start} {end}");
        disk.announce(start, end - start);
        let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
        disk.read_at(&mut bytes[range], start)?;
        at = end;
    }
    assert_eq!(disk.data_from(disk.size())?, None);
    Ok(bytes)
}

/// That the disk holds these bytes, whichever way it is read.
fn assert_holds(disk: &dyn DiskReader, expected: &[u8]) {
    assert_eq!(disk.size(), expected.len() as u64);
    for piece in [1 << 21, 4096, 777] {
        assert!(read_all(disk, piece).unwrap() == expected, "in pieces of {piece}");
    }
    assert!(read_told(disk).unwrap() == expected);
    assert!(disk.read_at(&mut [0], disk.size()).is_err());
    assert!(disk.read_at(&mut [0; 2], u64::MAX).is_err());
}
