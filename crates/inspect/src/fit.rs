//! Moving the backup of a GPT to the end of a disk that is enlarged.

use std::fmt;

use imsprep_ondisk::disk::GptHeader;
use imsprep_ondisk::gpt::{Entry, Guid, Header as RawHeader, HeaderPlace};
use imsprep_source::{ReadAt, Result};

use crate::gpt::{Look, header_crc, look};
use crate::view::View;
use crate::{Header, Inspection, Table, TableKind, TableProblem, VolumeKind, fit_mbr};

/// What is different about a disk that was enlarged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitting {
    /// Bytes of the disk before.
    pub size_before: u64,
    /// Bytes of the disk after. What was added reads as zeros, where no patch says otherwise.
    pub size_after: u64,
    /// Where the backup of the GPT goes; `None` if it is at the end already, or there is no GPT.
    pub backup: Option<BackupMove>,
    /// What the partition table is in the enlarged disk, in ascending order; none overlaps another.
    pub patches: Vec<Patch>,
}

impl Fitting {
    /// Whether the disk stays as it is.
    pub fn is_unchanged(&self) -> bool {
        self.size_before == self.size_after && self.patches.is_empty()
    }
}

/// Offsets in bytes of the backup header of a GPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupMove {
    /// Where a sound one was. `None` if it was missing or damaged and is made of the primary table.
    pub from: Option<u64>,
    /// Where it is afterwards: in the last sector.
    pub to: u64,
}

/// Bytes that replace those at an offset of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where, in bytes.
    pub offset: u64,
    /// What is there then.
    pub bytes: Vec<u8>,
}

/// Why the table of a disk can't be fitted to another size.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CannotFit {
    /// The disk is only a part of what its table describes.
    Cut(TableProblem),
    /// The table contradicts itself, so that what it should be would be a guess.
    Damaged(TableProblem),
    /// A partition lies in the sectors of the table.
    OverTable {
        /// The partition's number.
        number: u32,
    },
    /// The last partition, or the table itself, leaves no space for the backup.
    NoSpace,
}

impl fmt::Display for CannotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(problem) => write!(f, "the disk is truncated: {problem}"),
            Self::Damaged(problem) => write!(f, "its partition table is damaged: {problem}"),
            Self::OverTable { number } => {
                write!(f, "its partition table is damaged: partition {number} lies in the table itself")
            }
            Self::NoSpace => {
                f.write_str("its partitions leave no space for the backup of the partition table")
            }
        }
    }
}

/// Returns what moves the backup of the GPT to the end of the disk, when the disk is enlarged to `size` bytes. `disk` and `inspection` are
/// those before. The backup is made of the primary table, which has to be sound. A disk with another table, or none, is only enlarged, and so
/// is an ISO image.
///
/// The result is what sgdisk makes with its option for this, where sgdisk can do it: the last usable sector is as far from the end as the first
/// one is from the beginning, the entries follow it, and the bytes of the old backup stay. The signature of the MBR, its two bytes after that
/// and the active flag of its protective partition, which sgdisk clears, are kept.
///
/// # Errors
///
/// If the disk can't be read. That its table can't be fitted is `Ok`, with the reason.
pub fn fit_table(
    disk: &dyn ReadAt,
    inspection: &Inspection,
    size: u64,
) -> Result<std::result::Result<Fitting, CannotFit>> {
    let size_before = inspection.source_size;
    let fitting = Fitting { size_before, size_after: size, backup: None, patches: Vec::new() };
    let is_iso = inspection.whole.as_ref().is_some_and(|whole| whole.kind == VolumeKind::Iso9660);
    let Some(table) = inspection.table.as_ref().filter(|_| !is_iso) else { return Ok(Ok(fitting)) };
    if let Some(why) = table.problems.iter().find_map(|problem| forbids(problem, size_before)) {
        return Ok(Err(why));
    }
    if !matches!(table.kind, TableKind::Gpt { .. }) {
        return Ok(Ok(fitting));
    }
    let view = View::new(disk, 0, size_before)?;
    let Look::Sound(primary) = look(&view, table.sector, Header::Primary, table.sector)? else {
        // It was sound when the disk was inspected.
        let problem = TableProblem::HeaderMissing { which: Header::Primary, at: table.sector };
        return Ok(Err(CannotFit::Damaged(problem)));
    };
    let backup_at = primary.basic.alternate_lba.saturating_mul(table.sector);
    let from = has_sound_backup(table).then_some(backup_at);
    let to = (size / table.sector).saturating_sub(1).saturating_mul(table.sector);
    if from == Some(to) && size == size_before {
        return Ok(Ok(fitting));
    }
    let patches = match patches(&view, table.sector, &primary, size)? {
        Ok(patches) => patches,
        Err(why) => return Ok(Err(why)),
    };
    Ok(Ok(Fitting { backup: Some(BackupMove { from, to }), patches, ..fitting }))
}

/// Why the table can't be fitted with this problem, if it can't.
fn forbids(problem: &TableProblem, size: u64) -> Option<CannotFit> {
    match problem {
        TableProblem::HeaderMissing { which: Header::Backup, at } if *at >= size => {
            Some(CannotFit::Cut(problem.clone()))
        }
        TableProblem::PastEnd { .. } | TableProblem::ExtendedPastEnd { .. } => {
            Some(CannotFit::Cut(problem.clone()))
        }
        TableProblem::HeaderMissing { which: Header::Primary, .. }
        | TableProblem::HeaderCrc { which: Header::Primary, .. }
        | TableProblem::HeaderInvalid { which: Header::Primary, .. }
        | TableProblem::EntriesCrc { which: Header::Primary, .. }
        | TableProblem::EntriesPastEnd { which: Header::Primary, .. }
        | TableProblem::HeadersDisagree { .. }
        | TableProblem::ProtectsNothing
        | TableProblem::OutsideUsable { .. }
        | TableProblem::Backwards { .. }
        | TableProblem::Overlap { .. } => Some(CannotFit::Damaged(problem.clone())),
        _ => None,
    }
}

/// Whether the backup header and its entries are sound, wherever they are.
fn has_sound_backup(table: &Table) -> bool {
    !table.problems.iter().any(|problem| {
        matches!(
            problem,
            TableProblem::HeaderMissing { which: Header::Backup, .. }
                | TableProblem::HeaderCrc { which: Header::Backup, .. }
                | TableProblem::HeaderInvalid { which: Header::Backup, .. }
                | TableProblem::EntriesCrc { which: Header::Backup, .. }
                | TableProblem::EntriesPastEnd { which: Header::Backup, .. }
        )
    })
}

/// The table of a disk of `size` bytes, as it differs from that of the disk that `view` shows.
fn patches(
    view: &View<'_>,
    sector: u64,
    primary: &RawHeader,
    size: u64,
) -> Result<std::result::Result<Vec<Patch>, CannotFit>> {
    let sectors = size / sector;
    let length = u64::from(primary.entries) * u64::from(primary.entry_size);
    let at = primary.entries_lba.saturating_mul(sector);
    if at < 2 * sector && length > 0 {
        // What is written there would change them.
        let what = "its entries overlap the MBR or the header itself";
        let problem = TableProblem::HeaderInvalid { which: Header::Primary, at: sector, what };
        return Ok(Err(CannotFit::Damaged(problem)));
    }
    let (Some(entries), Some(header)) = (view.bytes(at, length)?, view.bytes(sector, sector)?) else {
        let problem = TableProblem::EntriesPastEnd { which: Header::Primary, at };
        return Ok(Err(CannotFit::Damaged(problem)));
    };
    let last_used = match last_used(primary, &entries, view.size(), sector) {
        Ok(last_used) => last_used,
        Err(why) => return Ok(Err(why)),
    };
    // The primary entries may be anywhere, and are not to be written over.
    let own_end = primary.entries_lba.saturating_add(length.div_ceil(sector)).max(2);
    let Some(last_usable) =
        last_usable(primary, sectors, length.div_ceil(sector), last_used.max(own_end - 1))
    else {
        return Ok(Err(CannotFit::NoSpace));
    };
    let end = sectors - 1;
    let mut patches = Vec::new();
    let is_as_large = primary.last_usable == sectors.saturating_sub(primary.first_usable);
    if let Some(mbr) = fit_mbr::fitted(view, sectors)?.filter(|_| !is_as_large || view.size() != size) {
        patches.push(Patch { offset: 0, bytes: mbr });
    }
    let place = HeaderPlace { my_lba: 1, alternate_lba: end, last_usable, entries_lba: primary.entries_lba };
    patches.push(Patch { offset: sector, bytes: placed(header.clone(), primary, place) });
    let entries_lba = last_usable + 1;
    patches.push(Patch { offset: entries_lba * sector, bytes: entries });
    let place = HeaderPlace { my_lba: end, alternate_lba: 1, last_usable, entries_lba };
    patches.push(Patch { offset: end * sector, bytes: placed(header, primary, place) });
    patches.retain(|patch| !patch.bytes.is_empty());
    Ok(Ok(patches))
}

/// The last sector that a partition may use, on a disk of `sectors` of which `last_used` is used and the backup has `entry_sectors`; its entries
/// begin in the next one.
fn last_usable(primary: &RawHeader, sectors: u64, entry_sectors: u64, last_used: u64) -> Option<u64> {
    let least = last_used.max(primary.first_usable.saturating_sub(1));
    let fits =
        |last: &u64| *last >= least && last.checked_add(entry_sectors).is_some_and(|end| end + 1 < sectors);
    // As far from the end as the first one is from the beginning; else as late as there is space for the entries.
    let as_first = sectors.checked_sub(primary.first_usable);
    let latest = sectors.checked_sub(entry_sectors + 2);
    as_first.filter(fits).or(latest.filter(fits))
}

/// The last sector that a partition uses; 0 without partitions. All entries are read, also those that are not listed because there are so many.
fn last_used(
    primary: &RawHeader,
    entries: &[u8],
    size: u64,
    sector: u64,
) -> std::result::Result<u64, CannotFit> {
    let entry_size = usize::try_from(primary.entry_size).unwrap_or(usize::MAX);
    let mut used = Vec::new();
    for (number, bytes) in (1_u32..).zip(entries.chunks_exact(entry_size)) {
        let Some(entry) = bytes.first_chunk().map(Entry::decode) else { break };
        if entry.kind == Guid::ZERO {
            continue;
        }
        if entry.last < entry.first {
            return Err(CannotFit::Damaged(TableProblem::Backwards { number }));
        }
        let (start, end) =
            (entry.first.saturating_mul(sector), entry.last.saturating_add(1).saturating_mul(sector));
        if end > size {
            return Err(CannotFit::Cut(TableProblem::PastEnd { number, end, limit: size }));
        }
        if entry.first < primary.first_usable || entry.last > primary.last_usable {
            return Err(CannotFit::Damaged(TableProblem::OutsideUsable { number, start, end }));
        }
        if entry.first < 2 {
            return Err(CannotFit::OverTable { number });
        }
        used.push((entry.first, entry.last, number));
    }
    used.sort_unstable();
    for pair in used.windows(2) {
        if let [(_, last, first), (start, _, second)] = *pair
            && last >= start
        {
            let at = start.saturating_mul(sector);
            return Err(CannotFit::Damaged(TableProblem::Overlap { first, second, at }));
        }
    }
    Ok(used.last().map_or(0, |(_, last, _)| *last))
}

/// The header with these fields and the CRC of all.
fn placed(mut header: Vec<u8>, primary: &RawHeader, place: HeaderPlace) -> Vec<u8> {
    if let Some(fields) = header.first_chunk_mut() {
        place.encode(fields);
    }
    let covered = usize::try_from(primary.basic.header_size).unwrap_or(usize::MAX);
    let crc = header.get(..covered).map_or(0, header_crc);
    if let Some(field) = header.get_mut(GptHeader::CRC_OFFSET..).and_then(<[u8]>::first_chunk_mut) {
        *field = crc.to_le_bytes();
    }
    header
}
