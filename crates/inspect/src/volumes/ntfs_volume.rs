//! Where the structures of an NTFS are.

use imsprep_ondisk::volume::ntfs::{BootRecord, Geometry, RecordHeader};
use imsprep_ondisk::volume::ntfs_record::restore;
use imsprep_source::Result;

use crate::view::View;

/// Where things are.
pub(super) struct Ntfs<'a> {
    pub(super) view: &'a View<'a>,
    /// Bytes of a cluster.
    pub(super) cluster: u64,
    /// Where the master file table begins.
    mft: u64,
    /// Bytes of a record of it.
    pub(super) record_size: u64,
}

impl<'a> Ntfs<'a> {
    /// `None` if the parameters make no sense.
    pub(super) fn new(view: &'a View<'a>, record: &BootRecord) -> Option<Self> {
        let Geometry { cluster, mft, record_size } = record.geometry()?;
        Some(Self { view, cluster, mft, record_size })
    }

    /// One of the first records of the master file table, which follow each other.
    pub(super) fn record(&self, number: u64) -> Result<Option<Vec<u8>>> {
        let at = self.mft.saturating_add(number * self.record_size);
        Ok(self.view.bytes(at, self.record_size)?.and_then(|bytes| restore(bytes, RecordHeader::FILE)))
    }
}
