//! qcow, version 1.

use imsprep_ondisk::format::qcow::{MAGIC, QcowHeader};

use super::entries::each;
use super::header::{header, power_of_two};
use crate::claims::{Claim, Claims, Scope, See, Stop, see};
use crate::{Result, Slice};

const FORMAT: &str = "qcow";
/// Entry of an L2 table: the cluster is compressed.
const COMPRESSED: u64 = 1 << 63;
const L1_AT: u64 = 40;

pub(super) struct Clusters<'a> {
    file: Slice<'a>,
    disk_size: u64,
    cluster_bits: u32,
    cluster_size: u64,
    l2_entries: u64,
    l1_offset: u64,
}

impl<'a> Clusters<'a> {
    pub(super) fn read(file: Slice<'a>) -> Result<Self> {
        let header = QcowHeader::decode(&header(&file, FORMAT, 0)?);
        if header.magic != MAGIC || header.version != 1 {
            return Err(file.unreadable(FORMAT, 0, "there is no header of version 1"));
        }
        let power = |at, what, bits: u8, range| {
            power_of_two(&file, FORMAT, at, what, 1_u64.checked_shl(bits.into()).unwrap_or(0), range)
        };
        Ok(Self {
            file: file.clone(),
            disk_size: header.size,
            cluster_bits: header.cluster_bits.into(),
            cluster_size: power(32, "the size of a cluster", header.cluster_bits, 512..=65536)?,
            l2_entries: power(33, "the number of entries of an L2 table", header.l2_bits, 64..=8192)?,
            l1_offset: header.l1_table_offset,
        })
    }

    fn l1_entries(&self) -> u64 {
        self.disk_size.div_ceil(self.cluster_size * self.l2_entries)
    }

    fn cluster(&self, entry: u64, named_at: u64, at: u64) -> Claim {
        if entry & COMPRESSED != 0 {
            let bits = 63 - self.cluster_bits;
            let length = entry >> bits & (self.cluster_size - 1);
            return Claim::new("a compressed cluster", entry & ((1 << bits) - 1), length, named_at)
                .of_disk(at);
        }
        let left = self.disk_size.saturating_sub(at).min(self.cluster_size);
        Claim::new("a cluster of the disk", entry, self.cluster_size, named_at).needing(left).of_disk(at)
    }
}

impl Claims for Clusters<'_> {
    fn walk(&self, scope: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        see(Claim::new("the header", 0, QcowHeader::SIZE as u64, 0), seen)?;
        let l1 = self.l1_entries();
        see(Claim::new("the L1 table", self.l1_offset, l1.saturating_mul(8), L1_AT), seen)?;
        let reach = self.cluster_size * self.l2_entries;
        each(&self.file, self.l1_offset, l1, |number, named_at, entry| {
            let table = u64::from_be_bytes(entry);
            if table == 0 {
                return Ok(());
            }
            let first = number * reach;
            let left = self.disk_size.saturating_sub(first).min(reach);
            let wanted = left.div_ceil(self.cluster_size);
            let claim = Claim::new("an L2 table", table, self.l2_entries * 8, named_at);
            see(claim.needing(wanted * 8).of_disk(first), seen)?;
            if scope == Scope::Tables {
                return Ok(());
            }
            each(&self.file, table, wanted, |index, named_at, entry| match u64::from_be_bytes(entry) {
                0 => Ok(()),
                entry => see(self.cluster(entry, named_at, first + index * self.cluster_size), seen),
            })
        })
    }
}
