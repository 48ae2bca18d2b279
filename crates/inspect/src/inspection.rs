//! What inspection says.

use crate::{Boot, Partition, Summary, Table, Volume};

/// What is on a disk. Facts only: whether they matter to an import is for rules to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Bytes of the disk.
    pub disk_size: u64,
    /// Bytes of the image that the disk was made from. A container's disk may go on after it, in zeros; where this is reported
    /// of the end of the disk, the end of the image is meant.
    pub source_size: u64,
    /// The partition table, if there is one.
    pub table: Option<Table>,
    /// The partitions, ordered by number; at most [`MAX_PARTITIONS`](crate::MAX_PARTITIONS).
    pub partitions: Vec<Partition>,
    /// What the disk holds as a whole: a file system without a partition table, or an ISO image beside one. `None` on a disk
    /// that only has partitions.
    pub whole: Option<Volume>,
    /// What would start a machine from it.
    pub boot: Boot,
    /// What follows from all that.
    pub summary: Summary,
}

impl Inspection {
    /// Bytes that are there of a partition, or of the disk as a whole.
    pub fn space_of(&self, partition: Option<&Partition>) -> u64 {
        partition.map_or(self.source_size, |partition| {
            self.source_size.saturating_sub(partition.start).min(partition.length)
        })
    }

    /// Every volume of the disk with the partition that it is in: `None` for the disk as a whole. Extended partitions,
    /// which only hold others, are left out.
    pub fn volumes(&self) -> impl Iterator<Item = (Option<&Partition>, &Volume)> {
        let whole = self.whole.iter().map(|volume| (None, volume));
        let inside = self.partitions.iter().filter(|partition| !partition.kind.is_extended());
        whole.chain(inside.map(|partition| (Some(partition), &partition.content)))
    }
}
