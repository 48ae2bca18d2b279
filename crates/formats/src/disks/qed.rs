//! QED.

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::format::qcow::{QED_MAGIC, QedHeader};

use super::entries::each;
use super::header::{header, power_of_two};
use crate::claims::{Claim, Claims, Scope, See, Stop, see};
use crate::{Result, Slice};

const FORMAT: &str = "QED";
/// Entry of an L2 table: the cluster reads as zeros.
const ZEROS: u64 = 1;
const L1_AT: u64 = 40;

pub(super) struct Clusters<'a> {
    file: Slice<'a>,
    disk_size: u64,
    cluster_size: u64,
    table_size: u64,
    header_size: u64,
    l1_offset: u64,
}

impl<'a> Clusters<'a> {
    pub(super) fn read(file: Slice<'a>) -> Result<Self> {
        let header = QedHeader::decode(&header(&file, FORMAT, 0)?);
        if header.magic != QED_MAGIC {
            return Err(file.unreadable(FORMAT, 0, "there is no header"));
        }
        let cluster = header.cluster_size.into();
        let cluster_size = power_of_two(&file, FORMAT, 4, "the size of a cluster", cluster, 4096..=64 << 20)?;
        let clusters = header.table_size.into();
        let table_size =
            power_of_two(&file, FORMAT, 8, "the clusters of a table", clusters, 1..=16)? * cluster_size;
        let header_size = u64::from(header.header_size).max(1) * cluster_size;
        let (disk_size, l1_offset) = (header.image_size, header.l1_table_offset);
        Ok(Self { file, disk_size, cluster_size, table_size, header_size, l1_offset })
    }

    /// A cluster and a table begin where a cluster can.
    fn place(&self, what: &str, offset: u64, named_at: u64, at: u64) -> Result<(), Stop> {
        if offset.is_multiple_of(self.cluster_size) {
            return Ok(());
        }
        let what = format!("{what} has the impossible offset {offset}");
        Err(Stop::Damaged { offset: named_at, at, what })
    }
}

impl Claims for Clusters<'_> {
    fn walk(&self, scope: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        see(Claim::new("the header", 0, self.header_size, 0).needing(QedHeader::SIZE as u64), seen)?;
        self.place("the L1 table", self.l1_offset, L1_AT, 0)?;
        see(Claim::new("the L1 table", self.l1_offset, self.table_size, L1_AT), seen)?;
        let entries = self.table_size / 8;
        let reach = entries * self.cluster_size;
        let wanted = self.disk_size.div_ceil(reach).min(entries);
        each(&self.file, self.l1_offset, wanted, |number, named_at, entry| {
            let table = u64::from_le_bytes(entry);
            if table == 0 {
                return Ok(());
            }
            let first = number * reach;
            self.place("an L2 table", table, named_at, first)?;
            see(Claim::new("an L2 table", table, self.table_size, named_at).of_disk(first), seen)?;
            if scope == Scope::Tables {
                return Ok(());
            }
            let wanted = self.disk_size.saturating_sub(first).min(reach).div_ceil(self.cluster_size);
            each(&self.file, table, wanted, |index, named_at, entry| {
                let (offset, at) = (u64::from_le_bytes(entry), first + index * self.cluster_size);
                if offset <= ZEROS {
                    return Ok(());
                }
                self.place("a cluster of the disk", offset, named_at, at)?;
                // qemu, which counts the file in sectors, reads no cluster of which the file lacks a sector.
                let left = self.disk_size.saturating_sub(at).min(self.cluster_size);
                let needed = left.max(self.cluster_size - (SECTOR - 1));
                let claim = Claim::new("a cluster of the disk", offset, self.cluster_size, named_at);
                see(claim.needing(needed).of_disk(at), seen)
            })
        })
    }
}
