//! Reading a GUID partition table: both headers, both lists of entries.

use imsprep_ondisk::disk::{GptHeader, SECTOR};
use imsprep_ondisk::gpt::{Entry, Guid, Header as RawHeader};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::problems::{Problems, alignment};
use crate::view::View;
use crate::{
    GptLayout, Header, MAX_PARTITIONS, Partition, PartitionType, Table, TableKind, TableProblem, Volume,
    VolumeKind,
};

/// The sizes of sectors that a table may count in.
const SECTORS: [u64; 2] = [SECTOR, 4096];

/// What is where a header should be.
pub(crate) enum Look {
    Missing,
    Bad(TableProblem),
    Sound(RawHeader),
}

/// A list of entries as one header describes it.
struct Entries {
    bytes: Vec<u8>,
    is_sound: bool,
}

/// A table and its partitions, whose content was not read yet.
pub(crate) struct Found {
    pub(crate) table: Table,
    pub(crate) partitions: Vec<Partition>,
}

/// The GPT of a disk, if there is one that can be used. If there is none, `problems` may tell of the remains of one.
pub(crate) fn read(disk: &View<'_>, is_protected: bool, problems: &mut Problems) -> Result<Option<Found>> {
    for sector in SECTORS {
        if let Look::Sound(primary) = look(disk, sector, Header::Primary, sector)? {
            return with_primary(disk, sector, &primary, problems).map(Some);
        }
    }
    // A backup alone makes a disk only where the MBR says that there is a GPT: it may be left over from before.
    if !is_protected {
        return Ok(None);
    }
    for sector in SECTORS {
        let Some(end) = last_sector(disk, sector) else { continue };
        if let Look::Sound(backup) = look(disk, sector, Header::Backup, end)? {
            let primary = look(disk, sector, Header::Primary, sector)?;
            push_if_not_sound(primary, Header::Primary, sector, problems);
            let entries = read_entries(disk, sector, &backup, Header::Backup, problems)?;
            return Ok(Some(found(disk, sector, &backup, entries, problems)));
        }
    }
    let primary = look(disk, SECTOR, Header::Primary, SECTOR)?;
    push_if_not_sound(primary, Header::Primary, SECTOR, problems);
    problems.push(TableProblem::ProtectsNothing);
    Ok(None)
}

/// Whether sector 1 holds a sound header.
pub(crate) fn has_primary(disk: &View<'_>) -> Result<bool> {
    for sector in SECTORS {
        if matches!(look(disk, sector, Header::Primary, sector)?, Look::Sound(_)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn last_sector(disk: &View<'_>, sector: u64) -> Option<u64> {
    (disk.size() / sector).checked_sub(1).map(|last| last * sector)
}

fn push_if_not_sound(look: Look, which: Header, at: u64, problems: &mut Problems) {
    match look {
        Look::Missing => problems.push(TableProblem::HeaderMissing { which, at }),
        Look::Bad(problem) => problems.push(problem),
        Look::Sound(_) => {}
    }
}

fn with_primary(disk: &View<'_>, sector: u64, primary: &RawHeader, problems: &mut Problems) -> Result<Found> {
    let entries = read_entries(disk, sector, primary, Header::Primary, problems)?;
    let at = primary.basic.alternate_lba.saturating_mul(sector);
    let backup = match look(disk, sector, Header::Backup, at)? {
        Look::Sound(backup) => backup,
        other => {
            push_if_not_sound(other, Header::Backup, at, problems);
            return Ok(found(disk, sector, primary, entries, problems));
        }
    };
    if let Some(end) = last_sector(disk, sector).filter(|end| *end != at) {
        problems.push(TableProblem::BackupNotAtEnd { at, end });
    }
    for (differs, what) in [
        (primary.guid != backup.guid, "the disk's GUID"),
        (
            (primary.first_usable, primary.last_usable) != (backup.first_usable, backup.last_usable),
            "which sectors partitions may use",
        ),
        (
            (primary.entries, primary.entry_size) != (backup.entries, backup.entry_size),
            "the number or size of entries",
        ),
        (primary.entries_crc != backup.entries_crc, "the partitions"),
        (backup.basic.alternate_lba != 1, "where the primary one is"),
    ] {
        if differs {
            problems.push(TableProblem::HeadersDisagree { what });
        }
    }
    let copy = read_entries(disk, sector, &backup, Header::Backup, problems)?;
    let use_copy = copy.is_sound && !entries.is_sound;
    let (header, entries) = if use_copy { (&backup, copy) } else { (primary, entries) };
    Ok(found(disk, sector, header, entries, problems))
}

/// What is at offset `at`, where a header should be.
pub(crate) fn look(disk: &View<'_>, sector: u64, which: Header, at: u64) -> Result<Look> {
    let Some(bytes) = disk.array(at)? else { return Ok(Look::Missing) };
    let header = RawHeader::decode(&bytes);
    if header.basic.signature != GptHeader::SIGNATURE {
        return Ok(Look::Missing);
    }
    let invalid = |what| Ok(Look::Bad(TableProblem::HeaderInvalid { which, at, what }));
    let size = u64::from(header.basic.header_size);
    if !(RawHeader::SIZE as u64..=sector).contains(&size) {
        return invalid("its size");
    }
    let Some(bytes) = disk.bytes(at, size)? else { return invalid("it ends beyond the end of the disk") };
    let (stored, computed) = (header.basic.header_crc, header_crc(&bytes));
    if stored != computed {
        return Ok(Look::Bad(TableProblem::HeaderCrc { which, at, stored, computed }));
    }
    if header.basic.my_lba.checked_mul(sector) != Some(at) {
        return invalid("it has the number of another sector");
    }
    if header.first_usable > header.last_usable.saturating_add(1) {
        return invalid("it leaves no sector for partitions");
    }
    let entry_size = u64::from(header.entry_size);
    if entry_size < Entry::SIZE as u64
        || !entry_size.is_power_of_two()
        || u64::from(header.entries) * entry_size > RawHeader::ENTRIES_MAX
    {
        return invalid("the number or size of its entries");
    }
    Ok(Look::Sound(header))
}

/// The CRC of a header, with its own field as zeros.
pub(crate) fn header_crc(bytes: &[u8]) -> u32 {
    let (before, rest) = bytes.split_at_checked(GptHeader::CRC_OFFSET).unwrap_or((bytes, &[]));
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before);
    hasher.update(&[0; 4]);
    hasher.update(rest.get(4..).unwrap_or_default());
    hasher.finalize()
}

/// The entries of a sound header, whose number and size are bounded.
fn read_entries(
    disk: &View<'_>,
    sector: u64,
    header: &RawHeader,
    which: Header,
    problems: &mut Problems,
) -> Result<Entries> {
    let at = header.entries_lba.saturating_mul(sector);
    let length = u64::from(header.entries) * u64::from(header.entry_size);
    let Some(bytes) = disk.bytes(at, length)? else {
        problems.push(TableProblem::EntriesPastEnd { which, at });
        return Ok(Entries { bytes: Vec::new(), is_sound: false });
    };
    let (stored, computed) = (header.entries_crc, crc32fast::hash(&bytes));
    if stored != computed {
        problems.push(TableProblem::EntriesCrc { which, at, stored, computed });
    }
    Ok(Entries { bytes, is_sound: stored == computed })
}

fn found(
    disk: &View<'_>,
    sector: u64,
    header: &RawHeader,
    entries: Entries,
    problems: &mut Problems,
) -> Found {
    let mut partitions = Vec::new();
    let size = usize::try_from(header.entry_size).unwrap_or(usize::MAX);
    for (number, bytes) in (1..).zip(entries.bytes.chunks_exact(size)) {
        let Some(entry) = bytes.first_chunk().map(Entry::decode) else { break };
        if entry.kind == Guid::ZERO {
            continue;
        }
        if partitions.len() == MAX_PARTITIONS {
            problems.push(TableProblem::TooManyPartitions { kept: MAX_PARTITIONS });
            break;
        }
        partitions.push(partition(number, sector, &entry, header, problems));
    }
    problems.check_partitions(&partitions, disk.size());
    let kind = TableKind::Gpt { guid: header.guid };
    let layout = GptLayout { entries: header.entries, entry_size: header.entry_size };
    let alignment = alignment(&partitions);
    let table =
        Table { kind, sector, alignment, gpt: Some(layout), records: Vec::new(), problems: Vec::new() };
    Found { table, partitions }
}

fn partition(
    number: u32,
    sector: u64,
    entry: &Entry,
    header: &RawHeader,
    problems: &mut Problems,
) -> Partition {
    let start = entry.first.saturating_mul(sector);
    let end = entry.last.saturating_add(1).saturating_mul(sector);
    if entry.last < entry.first {
        problems.push(TableProblem::Backwards { number });
    } else if entry.first < header.first_usable || entry.last > header.last_usable {
        problems.push(TableProblem::OutsideUsable { number, start, end });
    }
    let name = text::utf16(entry.name.into_iter());
    Partition {
        number,
        start,
        length: end.saturating_sub(start),
        kind: PartitionType::Gpt(entry.kind),
        name: Some(name).filter(|name| !name.is_empty()),
        guid: Some(entry.guid),
        active: entry.attributes & Entry::LEGACY_BOOTABLE != 0,
        attributes: entry.attributes,
        logical: false,
        content: Volume::new(VolumeKind::Unknown),
    }
}
