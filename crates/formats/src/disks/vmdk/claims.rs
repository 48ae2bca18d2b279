//! Which bytes of the file the tables name.

use imsprep_ondisk::format::vmdk::{ENTRY_ABSENT, ENTRY_ZEROS, GrainMarker, SECTOR, SparseHeader};
use imsprep_source::ReadAt;

use super::grains::{Grains, TABLE_SIZE, numbers};
use crate::claims::{Claim, Claims, Scope, See, Stop, see};

const DESCRIPTOR_AT: u64 = 28;
const REDUNDANT_AT: u64 = 48;

impl Claims for Grains<'_> {
    fn walk(&self, scope: Scope, seen: &mut See<'_>) -> Result<(), Stop> {
        let header = &self.header;
        see(Claim::new("the header", 0, SparseHeader::SIZE as u64, 0), seen)?;
        if header.header_offset > 0 {
            see(Claim::new("the footer", header.header_offset, SparseHeader::SIZE as u64, 0), seen)?;
        }
        // A grain directory fills its last sector.
        let length = header.directory_entries * 4;
        let own = length.next_multiple_of(SECTOR);
        let directory =
            Claim::new("the grain directory", header.directory_offset, own, header.directory_named_at);
        see(directory.needing(length), seen)?;
        let (offset, length) = header.descriptor;
        if offset > 0 && self.file.holds(offset, length) {
            see(Claim::new("the descriptor", offset, length, DESCRIPTOR_AT), seen)?;
        }
        self.walk_redundant(seen)?;
        for number in 0..self.directory.len() as u64 {
            let Some(offset) = self.table_offset(number) else { continue };
            let (named_at, at) = (header.directory_offset + number * 4, number * self.reach());
            let wanted = self.table_wanted(number);
            let claim = Claim::new("a grain table", offset, TABLE_SIZE as u64, named_at);
            see(claim.of_disk(at).needing(wanted), seen)?;
            if scope == Scope::All && self.file.holds(offset, wanted) {
                self.walk_grains(number, offset, seen)?;
            }
        }
        Ok(())
    }
}

impl Grains<'_> {
    /// The second set of tables, which is not read: what it names matters only where it lies over something.
    fn walk_redundant(&self, seen: &mut See<'_>) -> Result<(), Stop> {
        let Some(start) = self.header.redundant_offset else { return Ok(()) };
        let length = self.directory.len() * 4;
        if start == 0 || start == self.header.directory_offset || !self.file.holds(start, length as u64) {
            return Ok(());
        }
        let own = (length as u64).next_multiple_of(SECTOR);
        see(Claim::new("the redundant grain directory", start, own, REDUNDANT_AT), seen)?;
        let mut bytes = vec![0; length];
        self.file.read_at(&mut bytes, start)?;
        for ((entry, first), named_at) in
            numbers(&bytes).iter().zip(&self.directory).zip((start..).step_by(4))
        {
            if *entry != ENTRY_ABSENT && entry != first {
                let offset = u64::from(*entry) * SECTOR;
                see(
                    Claim::new("a redundant grain table", offset, TABLE_SIZE as u64, named_at).needing(0),
                    seen,
                )?;
            }
        }
        Ok(())
    }

    fn walk_grains(&self, number: u64, table_at: u64, seen: &mut See<'_>) -> Result<(), Stop> {
        let (header, first) = (&self.header, number * self.reach());
        let mut bytes = [0; TABLE_SIZE];
        let there =
            usize::try_from(self.table_wanted(number)).ok().and_then(|wanted| bytes.get_mut(..wanted));
        let there = there.unwrap_or_default();
        self.file.read_at(there, table_at)?;
        for (entry, index) in numbers(there).iter().zip(0_u64..) {
            if *entry == ENTRY_ABSENT || (*entry == ENTRY_ZEROS && header.zero_grains) {
                continue;
            }
            let (named_at, at) = (table_at + index * 4, first + index * header.grain_size);
            let offset = u64::from(*entry) * SECTOR;
            let claim = if header.compressed {
                let (own, most) = match header.markers {
                    true => (SECTOR, GrainMarker::SIZE as u64 + header.grain_size * 2),
                    false => (1, header.grain_size * 2),
                };
                let claim = Claim::new("a compressed grain", offset, own, named_at).needing(1);
                Claim { at_most: most, ..claim }
            } else {
                if offset < header.grains_offset {
                    let what = format!(
                        "a grain has the offset {offset}, within the tables of the header, which end at {}",
                        header.grains_offset
                    );
                    return Err(Stop::Damaged { offset: named_at, at, what });
                }
                let left = header.disk_size.saturating_sub(at).min(header.grain_size);
                let own = left.next_multiple_of(SECTOR);
                Claim::new("a grain", offset, own, named_at).needing(left)
            };
            see(claim.of_disk(at), seen)?;
        }
        Ok(())
    }
}
