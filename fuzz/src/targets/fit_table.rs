//! Input: flags and a number, then a sparse disk, as for `inspect_tables`. The number is by how many sectors the disk grows.
//!
//! Oracle: a table that was fitted is inspected again without a problem that it did not have before, at the new size, with the same
//! partitions and both headers; patches are ascending, lie in the disk, and hit no partition; fitting a second time changes nothing.

use std::path::Path;

use imsprep_inspect::{Fitting, Inspection, TableKind, TableProblem, fit_table, inspect_source};
use imsprep_source::{Cancel, DiskReader, Extent, ReadAt, Result};

use crate::plant::planted;
use crate::sparse::SparseFile;
use crate::targets::inspect_tables;

/// See the module.
pub fn run(data: &[u8]) {
    let Some((&[flags, more], rest)) = data.split_first_chunk::<2>() else { return };
    let (disk, sector) = inspect_tables::disk_of(flags, rest);
    let before = look(&disk, disk.size());
    let size = disk.size().saturating_add(u64::from(more) * sector);
    let Ok(fitting) = fit_table(&disk, &before, size).expect("a disk in memory can be read") else { return };
    let fitting = planted(fitting, |fitting| {
        // A byte of the new table is lost.
        if let Some(byte) = fitting.patches.last_mut().and_then(|patch| patch.bytes.first_mut()) {
            *byte ^= 1;
        }
    });
    assert_eq!((fitting.size_before, fitting.size_after), (disk.size(), size));
    let mut end = 0;
    for patch in &fitting.patches {
        assert!(patch.offset >= end && !patch.bytes.is_empty(), "{patch:?}");
        end = patch.offset + patch.bytes.len() as u64;
        assert!(end <= size, "beyond the disk: {patch:?}");
        for partition in &before.partitions {
            let partition_end = partition.start.saturating_add(partition.length);
            assert!(end <= partition.start || patch.offset >= partition_end, "{patch:?} in {partition:?}");
        }
    }
    let fitted = Fitted { disk: &disk, fitting: &fitting };
    let after = look(&fitted, size);
    let places = |found: &Inspection| {
        found.partitions.iter().map(|partition| (partition.start, partition.length)).collect::<Vec<_>>()
    };
    assert_eq!(places(&before), places(&after));
    let Some(table) = after.table.as_ref().filter(|table| matches!(table.kind, TableKind::Gpt { .. })) else {
        return;
    };
    if fitting.patches.is_empty() {
        return;
    }
    let is_bad = |problem: &&TableProblem| {
        matches!(
            problem,
            TableProblem::HeaderMissing { .. }
                | TableProblem::HeaderCrc { .. }
                | TableProblem::HeaderInvalid { .. }
                | TableProblem::EntriesCrc { .. }
                | TableProblem::HeadersDisagree { .. }
                | TableProblem::BackupNotAtEnd { .. }
        )
    };
    let bad = table.problems.iter().find(is_bad);
    assert!(bad.is_none(), "{bad:?} of {fitting:?}");
    let again = fit_table(&fitted, &after, size).expect("a disk in memory can be read");
    assert!(again.is_ok_and(|again| again.is_unchanged()), "it is not fitted: {fitting:?}");
}

fn look(disk: &dyn DiskReader, size: u64) -> Inspection {
    inspect_source(disk, size, &Cancel::new()).expect("a disk in memory can be read")
}

/// A disk with other bytes in some places, and zeros behind it.
struct Fitted<'a> {
    disk: &'a SparseFile,
    fitting: &'a Fitting,
}

impl ReadAt for Fitted<'_> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.fitting.size_after
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let there = usize::try_from(self.disk.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let (old, new) = buf.split_at_mut(there.min(buf.len()));
        if !old.is_empty() {
            self.disk.read_at(old, offset)?;
        }
        new.fill(0);
        for patch in &self.fitting.patches {
            for (at, byte) in (patch.offset..).zip(&patch.bytes) {
                let place = at.checked_sub(offset).and_then(|place| usize::try_from(place).ok());
                if let Some(old) = place.and_then(|place| buf.get_mut(place)) {
                    *old = *byte;
                }
            }
        }
        Ok(())
    }
}

impl DiskReader for Fitted<'_> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        Ok((offset < self.size()).then_some(Extent { start: offset, end: self.size() }))
    }
}

/// Those of `inspect_tables`, with a number.
pub fn seeds() -> Vec<Vec<u8>> {
    let with = |seed: Vec<u8>, more: u8| [&seed[..1], &[more], &seed[1..]].concat();
    inspect_tables::seeds().into_iter().flat_map(|seed| [with(seed.clone(), 0), with(seed, 200)]).collect()
}
