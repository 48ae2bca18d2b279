//! A bounded list of what is wrong with a table, and the checks that both kinds of table share.

use std::collections::BTreeMap;

use crate::{MAX_PROBLEMS, Partition, TableProblem};

/// The least alignment that costs nothing: a page, and a sector of modern disks.
const ALIGNED: u64 = 4096;
/// The alignment that tools aim at.
const ALIGNMENT_MAX: u64 = 1 << 20;

/// At most [`MAX_PROBLEMS`] problems, each once.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<TableProblem>);

impl Problems {
    pub(crate) fn push(&mut self, problem: TableProblem) {
        if self.0.len() < MAX_PROBLEMS && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(crate) fn into_vec(self) -> Vec<TableProblem> {
        self.0
    }

    /// What is wrong with each partition by itself, and with any two of them.
    pub(crate) fn check_partitions(&mut self, partitions: &[Partition], disk_size: u64) {
        for partition in partitions {
            let (number, start, end) = (partition.number, partition.start, partition.end());
            // What protects a GPT often says 0xffffffff sectors, and what an extended partition holds counts by itself.
            let counts = !partition.kind.is_protective() && !partition.kind.is_extended();
            if counts && end > disk_size {
                self.push(TableProblem::PastEnd { number, end, limit: disk_size });
            }
            // Those are not read while the system runs.
            let is_bulk = !partition.kind.is_bios_boot() && !partition.kind.is_extended();
            if is_bulk && !start.is_multiple_of(ALIGNED) {
                self.push(TableProblem::Misaligned { number, start });
            }
        }
        // An extended partition holds the logical ones, and is compared with the primary ones alone.
        self.check_overlap(partitions.iter().filter(|partition| !partition.logical));
        self.check_overlap(partitions.iter().filter(|partition| !partition.kind.is_extended()));
        self.check_guids(partitions);
    }

    /// In order of their starts each one is compared with that of those before it which ends last.
    fn check_overlap<'a>(&mut self, partitions: impl Iterator<Item = &'a Partition>) {
        let mut sorted = partitions.filter(|partition| partition.length > 0).collect::<Vec<_>>();
        sorted.sort_by_key(|partition| (partition.start, partition.number));
        let mut last: Option<&Partition> = None;
        for partition in sorted {
            if let Some(before) = last.filter(|before| before.end() > partition.start) {
                let (first, second) = (before.number, partition.number);
                self.push(TableProblem::Overlap { first, second, at: partition.start });
            }
            if last.is_none_or(|last| partition.end() > last.end()) {
                last = Some(partition);
            }
        }
    }

    fn check_guids(&mut self, partitions: &[Partition]) {
        let mut seen = BTreeMap::new();
        for partition in partitions {
            let Some(guid) = partition.guid else { continue };
            if let Some(first) = seen.insert(guid, partition.number) {
                self.push(TableProblem::SameGuid { first, second: partition.number });
            }
        }
    }
}

/// The largest power of two, up to 1 MiB, that divides the start of every partition.
pub(crate) fn alignment(partitions: &[Partition]) -> Option<u64> {
    let starts = partitions.iter().map(|partition| partition.start | ALIGNMENT_MAX);
    starts.map(|start| 1 << start.trailing_zeros()).min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{PartitionType, Volume, VolumeKind};

    fn partition(number: u32, start: u64, length: u64) -> Partition {
        Partition {
            number,
            start,
            length,
            kind: PartitionType::Mbr(0x83),
            name: None,
            guid: None,
            active: false,
            attributes: 0,
            logical: false,
            content: Volume::new(VolumeKind::Unknown),
        }
    }

    #[test]
    fn the_alignment_is_that_of_the_worst() {
        assert_eq!(alignment(&[]), None);
        assert_eq!(alignment(&[partition(1, 0, 1), partition(2, 8 << 20, 1)]), Some(1 << 20));
        assert_eq!(alignment(&[partition(1, 1 << 20, 1), partition(2, 63 * 512, 1)]), Some(512));
    }

    #[test]
    fn a_list_of_problems_has_an_end() {
        let mut problems = Problems::default();
        let many = (0..1000).map(|n| partition(n, 5, 10)).collect::<Vec<_>>();
        problems.check_partitions(&many, 1 << 30);
        assert_eq!(problems.into_vec().len(), MAX_PROBLEMS);
    }

    proptest! {
        /// The naive twin asks of every partition whether any that starts before it reaches into it.
        #[test]
        fn whoever_shares_bytes_with_one_before_is_found(
            all in prop::collection::vec((0_u64..60, 0_u64..20), 0..8),
        ) {
            let partitions = (1..).zip(&all).map(|(n, (at, length))| partition(n, *at, *length)).collect::<Vec<_>>();
            let mut problems = Problems::default();
            problems.check_overlap(partitions.iter());
            let found = problems.into_vec();
            for (n, b) in partitions.iter().enumerate() {
                let before = |(m, a): (usize, &Partition)| {
                    (a.start, m) < (b.start, n) && a.length > 0 && b.length > 0 && a.end() > b.start
                };
                let naive = partitions.iter().enumerate().any(before);
                let told = found.iter().any(|p| matches!(p, TableProblem::Overlap { second, .. } if *second == b.number));
                prop_assert_eq!(naive, told);
            }
        }
    }
}
