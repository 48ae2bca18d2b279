//! Which bytes of the file the tables name.

use imsprep_ondisk::format::qcow::{
    COMPRESSED_SECTOR, L2_COMPRESSED, L2_OFFSET, Qcow2Snapshot, REFCOUNT_OFFSET, REFCOUNT_TABLE_MAX,
    SNAPSHOT_SIZE, SNAPSHOTS_MAX,
};
use imsprep_source::{DiskReader, ReadAt, ReadAtExt, Result};

use super::entry::{Cluster, decode};
use super::tables::{Tables, numbers};
use crate::claims::{Claim, Claims, Scope, See, Stop, see};

const REFCOUNTS_AT: u64 = 48;
const SNAPSHOTS_AT: u64 = 64;
const L1_AT: u64 = 40;

impl Claims for Tables<'_> {
    fn walk(&self, scope: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let header = &self.header;
        see(self.table_claim("the header", 0, 1, 0).needing(0), seen)?;
        if header.l1_size > 0 {
            let l1 = self.table_claim("the L1 table", header.l1_offset, header.l1_size * 8, L1_AT);
            see(l1.needing(header.l1_entries * 8), seen)?;
        }
        self.walk_refcounts(seen)?;
        self.walk_snapshots(seen)?;
        let mut bytes = vec![0; usize::try_from(header.cluster_size()).unwrap_or(0)];
        for number in 0..self.l1.len() as u64 {
            let (named_at, at) = (self.l1_entry(number), number * header.l2_reach());
            let place = self.l2_place(number).map_err(|what| Stop::Damaged { offset: named_at, at, what })?;
            let Some(offset) = place else { continue };
            let wanted = self.l2_wanted(number);
            let claim = Claim::new("an L2 table", offset, header.cluster_size(), named_at);
            see(claim.of_disk(at).needing(wanted), seen)?;
            if scope == Scope::All && self.file.holds(offset, wanted) && self.has_data(offset, wanted)? {
                let there = usize::try_from(wanted).ok().and_then(|wanted| bytes.get_mut(..wanted));
                let there = there.unwrap_or_default();
                self.file.read_at(there, offset)?;
                self.walk_clusters(there, offset, at, seen)?;
            }
        }
        Ok(())
    }
}

impl Tables<'_> {
    /// A table takes up whole clusters.
    fn table_claim(&self, what: &'static str, start: u64, length: u64, named_at: u64) -> Claim {
        let size = self.header.cluster_size();
        let own = length.checked_next_multiple_of(size).unwrap_or(u64::MAX);
        Claim::new(what, start, own, named_at).needing(length)
    }

    /// Whether a table is more than a hole in a sparse file: large ones are worth the question.
    fn has_data(&self, offset: u64, length: u64) -> Result<bool> {
        const WORTH_IT: u64 = 16 << 10;
        if length < WORTH_IT {
            return Ok(true);
        }
        Ok(self.file.data_from(offset)?.is_some_and(|extent| extent.start < offset + length))
    }

    fn walk_refcounts(&self, seen: &mut See<'_>) -> Result<(), Stop> {
        let (start, clusters) = self.header.refcounts;
        let damaged = |offset: u64, what: String| Err(Stop::Damaged { offset, at: 0, what });
        let size = self.header.cluster_size();
        let length = clusters * size;
        if length == 0 {
            return Ok(());
        }
        if length > REFCOUNT_TABLE_MAX.max(size) {
            return damaged(
                REFCOUNTS_AT,
                format!("a refcount table of {length} bytes is larger than any reader supports"),
            );
        }
        if !start.is_multiple_of(size) || start == 0 {
            return damaged(REFCOUNTS_AT, format!("the refcount table has the impossible offset {start}"));
        }
        see(self.table_claim("the refcount table", start, length, REFCOUNTS_AT), seen)?;
        let there = self.file.size().saturating_sub(start).min(length) / 8 * 8;
        let mut bytes = vec![0; usize::try_from(there).unwrap_or(0)];
        self.file.read_at(&mut bytes, start)?;
        for (entry, named_at) in numbers(&bytes).zip((start..).step_by(8)) {
            let offset = entry & REFCOUNT_OFFSET;
            if entry != offset || !offset.is_multiple_of(size) {
                return damaged(
                    named_at,
                    format!("an entry of the refcount table has the impossible value {entry:#x}"),
                );
            }
            if offset != 0 {
                see(self.table_claim("a refcount block", offset, size, named_at), seen)?;
            }
        }
        Ok(())
    }

    /// The snapshot table and the snapshots' L1 tables. The tables and clusters that these name may be the disk's own.
    fn walk_snapshots(&self, seen: &mut See<'_>) -> Result<(), Stop> {
        let (start, count) = self.header.snapshots;
        let mut at = start;
        for _ in 0..count.min(SNAPSHOTS_MAX) {
            if !self.file.holds(at, SNAPSHOT_SIZE as u64) {
                break;
            }
            let entry = Qcow2Snapshot::decode(&self.file.read_array(at)?);
            if entry.l1_size > 0 {
                let length = u64::from(entry.l1_size) * 8;
                see(self.table_claim("the L1 table of a snapshot", entry.l1_table_offset, length, at), seen)?;
            }
            at = at.saturating_add(entry.length);
        }
        if count > 0 {
            // qemu leaves the padding of the last entry out, of up to 7 bytes, where the file ends with it.
            let table = self.table_claim("the snapshot table", start, at - start, SNAPSHOTS_AT);
            see(table.needing((at - start).saturating_sub(7)), seen)?;
        }
        Ok(())
    }

    /// The clusters of one L2 table.
    fn walk_clusters(&self, table: &[u8], table_at: u64, first: u64, seen: &mut See<'_>) -> Result<(), Stop> {
        let (header, size) = (&self.header, self.header.cluster_size());
        let width = if header.extended { 2 } else { 1 };
        let mut words = numbers(table);
        let entries =
            std::iter::from_fn(|| Some((words.next()?, if width == 2 { words.next()? } else { 0 })));
        for ((entry, bitmap), number) in entries.zip(0_u64..) {
            if entry == 0 && bitmap == 0 {
                continue;
            }
            let (named_at, at) = (table_at + number * header.entry_size(), first + number * size);
            let cluster =
                decode(entry, bitmap, header).map_err(|what| Stop::Damaged { offset: named_at, at, what })?;
            let left = header.disk_size.saturating_sub(at).min(size);
            let what = "a cluster of the disk";
            let claim = match cluster {
                Cluster::Packed { offset, length } => {
                    // The last sector is the cluster's up to some byte, which is its own for sure if it is the first one.
                    let last = (offset + length - 1) / COMPRESSED_SECTOR * COMPRESSED_SECTOR;
                    let own = last.max(offset) + 1 - offset;
                    let claim = Claim::new("a compressed cluster", offset, own, named_at);
                    Claim { at_most: length, ..claim }
                }
                // A cluster of zeros may have its place all the same.
                Cluster::Zeros if entry & L2_COMPRESSED == 0 && entry & L2_OFFSET != 0 => {
                    Claim::new(what, entry & L2_OFFSET, size, named_at).needing(0)
                }
                Cluster::Zeros => continue,
                Cluster::Stored { offset, subclusters } => {
                    let parts = u64::from(u32::BITS - subclusters.leading_zeros());
                    let needed = (size / u64::from(u32::BITS) * parts).max(1);
                    let needed = if subclusters == u32::MAX { size } else { needed };
                    Claim::new(what, offset, size, named_at).needing(needed.min(left))
                }
            };
            see(claim.of_disk(at), seen)?;
        }
        Ok(())
    }
}
