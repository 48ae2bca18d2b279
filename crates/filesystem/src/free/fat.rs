//! FAT12, FAT16 and FAT32: the clusters whose entries in the table are 0, compared with the directories.

use std::ops::ControlFlow;

use imsprep_ondisk::disk::BOOT_SIGNATURE;
use imsprep_ondisk::volume::fat::{
    BootRecord, DirectoryEntry, Extended, FAT16_CLEAN, FAT16_NO_ERRORS, FAT32_CLEAN, FAT32_NO_ERRORS,
    Fat32Parameters, Geometry, Information, Width,
};

use crate::cached::Cached;
use crate::fat::FatVolume;
use crate::free::FreeSpace;
use crate::free::clusters::Clusters;
use crate::{Error, FileSystem, Result};

/// Bytes of the tables that are read at once: a multiple of the size of two entries of each kind.
const PIECE: u64 = 48 << 10;
/// Number of the first cluster.
const FIRST: u64 = 2;
/// Most directories that wait to be read.
const PENDING_MAX: usize = 1 << 20;

pub(crate) fn free_space(disk: &Cached<'_>) -> Result<FreeSpace> {
    let bytes = disk.array::<{ BootRecord::SIZE }>(0)?;
    let record = BootRecord::decode(&bytes);
    let geometry = record.geometry().filter(|_| bytes.ends_with(&BOOT_SIGNATURE));
    let geometry = geometry.ok_or_else(|| Error::corrupt("its boot record makes no sense"))?;
    let tables = Tables::new(disk, &record, geometry)?;
    tables.check_marks(&record)?;
    let used = tables.used_clusters()?;
    if geometry.width == Width::Fat32 {
        check_parameters(disk, &bytes, &record, &used)?;
        check_start(&used, record.root_cluster)?;
    }
    check_files(disk, record, geometry, &used)?;
    let mut free = FreeSpace::new(geometry.size);
    used.add_free_to(&mut free, geometry.clusters_at, geometry.cluster_size)?;
    Ok(free)
}

/// The tables of a volume.
struct Tables<'a> {
    disk: &'a Cached<'a>,
    geometry: Geometry,
    /// How many there are.
    count: u64,
    /// Bytes of one.
    size: u64,
}

impl<'a> Tables<'a> {
    fn new(disk: &'a Cached<'a>, record: &BootRecord, geometry: Geometry) -> Result<Self> {
        if geometry.size > disk.size() {
            return Err(Error::corrupt(format!(
                "it has {} bytes, in a volume of {}",
                geometry.size,
                disk.size()
            )));
        }
        let sectors = if record.table_16 == 0 { record.table_32 } else { record.table_16.into() };
        let size = u64::from(sectors) * u64::from(record.basic.bytes_per_sector);
        let (last, length) = geometry.entry_place(entry_number(geometry.clusters + FIRST - 1)?);
        if last + length as u64 > geometry.table_at + size {
            return Err(Error::corrupt(format!("its table is too short for {} clusters", geometry.clusters)));
        }
        Ok(Self { disk, geometry, count: record.basic.fats.into(), size })
    }

    fn entry(&self, cluster: u64) -> Result<u32> {
        let number = entry_number(cluster)?;
        let (at, length) = self.geometry.entry_place(number);
        let mut bytes = [0; 4];
        self.disk.read(at, bytes.get_mut(..length).unwrap_or_default())?;
        // The marks of FAT32 are in bits that belong to the entry.
        Ok(self.geometry.entry(number, bytes))
    }

    /// Whether the volume was unmounted. Windows and Linux mark it in the second entry of the table, and in the boot record, which
    /// is the only place that FAT12 has.
    fn check_marks(&self, record: &BootRecord) -> Result<()> {
        let extended = match self.geometry.width {
            Width::Fat32 => record.extended_32,
            _ => record.extended_16,
        };
        let marks = self.entry(1)?;
        let (clean, no_errors) = match self.geometry.width {
            Width::Fat32 => (marks & FAT32_CLEAN != 0, marks & FAT32_NO_ERRORS != 0),
            Width::Fat16 => (marks & u32::from(FAT16_CLEAN) != 0, marks & u32::from(FAT16_NO_ERRORS) != 0),
            Width::Fat12 => (extended.signature == Extended::SIGNATURE, true),
        };
        if !clean || extended.state & Extended::DIRTY != 0 {
            return Err(Error::refused("is not marked as unmounted"));
        }
        if !no_errors || extended.state & Extended::ERRORS != 0 {
            return Err(Error::refused("is marked as having errors"));
        }
        if self.entry(0)? & 0xff != u32::from(record.basic.media) {
            return Err(Error::corrupt("its table does not begin as its boot record says"));
        }
        Ok(())
    }

    /// Which clusters are in use; cluster 2 is number 0. The tables have to be the same, and no chain may lead to a free cluster.
    fn used_clusters(&self) -> Result<Clusters> {
        let mut used = Clusters::new(self.geometry.clusters)?;
        let mut led_to = Clusters::new(self.geometry.clusters)?;
        let size = usize::try_from(PIECE).unwrap_or_default();
        let (mut piece, mut copy) = (vec![0; size], vec![0; size]);
        // An entry of FAT12 begins within a byte, every second one.
        let entries_of_piece = match self.geometry.width {
            Width::Fat12 => PIECE / 3 * 2,
            Width::Fat16 => PIECE / 2,
            Width::Fat32 => PIECE / 4,
        };
        let end = self.geometry.clusters + FIRST;
        for (piece_number, start) in (0..self.size).step_by(size).enumerate() {
            let length = usize::try_from((self.size - start).min(PIECE)).unwrap_or_default();
            piece.resize(length, 0);
            copy.resize(length, 0);
            self.disk.read(self.geometry.table_at + start, &mut piece)?;
            for number in 1..self.count {
                self.disk.read(self.geometry.table_at + number * self.size + start, &mut copy)?;
                if piece != copy {
                    return Err(Error::corrupt("its tables differ"));
                }
            }
            let first = piece_number as u64 * entries_of_piece;
            for cluster in first.max(FIRST)..(first + entries_of_piece).min(end) {
                let next = self.entry_in(&piece, start, cluster)?;
                self.note(cluster, next, &mut used, &mut led_to)?;
            }
        }
        match led_to.first_missing_in(&used) {
            Some(cluster) => Err(Error::corrupt(format!(
                "a chain leads to cluster {}, which its table calls free",
                cluster + FIRST
            ))),
            None => Ok(used),
        }
    }

    /// The entry of a cluster in a piece of the table that begins at `start`.
    fn entry_in(&self, piece: &[u8], start: u64, cluster: u64) -> Result<u32> {
        let number = entry_number(cluster)?;
        let (at, length) = self.geometry.entry_place(number);
        let at = usize::try_from(at - self.geometry.table_at - start).unwrap_or(usize::MAX);
        let there = piece.get(at..).and_then(|rest| rest.get(..length));
        let there = there.ok_or_else(|| Error::corrupt("its table is too short"))?;
        let mut bytes = [0; 4];
        bytes.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        Ok(self.geometry.entry(number, bytes))
    }

    fn note(&self, cluster: u64, next: u32, used: &mut Clusters, led_to: &mut Clusters) -> Result<()> {
        // Numbers from here on are no clusters: reserved ones, bad clusters, the end of a chain.
        let special = match self.geometry.width {
            Width::Fat12 => 0xff0,
            Width::Fat16 => 0xfff0,
            Width::Fat32 => 0x0fff_fff0,
        };
        if next == 0 {
            return Ok(());
        }
        used.take(cluster - FIRST);
        if next >= special {
            return Ok(());
        }
        let is_there = u64::from(next) >= FIRST && u64::from(next) - FIRST < self.geometry.clusters;
        if !is_there {
            return Err(Error::corrupt(format!(
                "cluster {cluster} leads to cluster {next}, which is not there"
            )));
        }
        if !led_to.take(u64::from(next) - FIRST) {
            return Err(Error::corrupt(format!("two chains lead to cluster {next}")));
        }
        Ok(())
    }
}

fn entry_number(cluster: u64) -> Result<u32> {
    u32::try_from(cluster).map_err(|_| Error::corrupt("it has more clusters than 32 bits can count"))
}

/// What FAT32 has: whether the tables are copies of each other, and the number of free clusters, which Windows, Linux and mtools
/// keep up to date. It is only advice, and a number that is wrong shows that a writer did not finish.
fn check_parameters(
    disk: &Cached<'_>,
    boot: &[u8; BootRecord::SIZE],
    record: &BootRecord,
    used: &Clusters,
) -> Result<()> {
    let parameters = Fat32Parameters::decode(boot);
    let place = |sector: u16| u64::from(sector) * u64::from(record.basic.bytes_per_sector);
    let is_there = |sector: u16| !matches!(sector, 0 | 0xffff);
    if parameters.version != 0 {
        return Err(Error::refused(format!("has version {:#x} of FAT32", parameters.version)));
    }
    if parameters.flags & Fat32Parameters::NOT_MIRRORED != 0 {
        return Err(Error::refused("keeps only one of its tables up to date"));
    }
    if is_there(parameters.copy) {
        let copy = disk.array::<{ BootRecord::SIZE }>(place(parameters.copy))?;
        if copy.get(Fat32Parameters::COPIED) != boot.get(Fat32Parameters::COPIED) {
            return Err(Error::corrupt("its boot record and the copy of it differ"));
        }
    }
    if !is_there(parameters.information) {
        return Ok(());
    }
    let information = Information::decode(&disk.array(place(parameters.information))?);
    let information = information.ok_or_else(|| Error::corrupt("its information sector makes no sense"))?;
    let free = used.free();
    if information.free != Information::UNKNOWN && u64::from(information.free) != free {
        return Err(Error::corrupt(format!(
            "{free} clusters are free by its table, and {} by its information sector",
            information.free
        )));
    }
    Ok(())
}

/// Whether the first cluster of something is in use.
fn check_start(used: &Clusters, cluster: u32) -> Result<()> {
    let index = u64::from(cluster).checked_sub(FIRST);
    if index.is_some_and(|index| used.are_used(index..index + 1)) {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "a file or directory begins with cluster {cluster}, which its table calls free"
    )))
}

/// Whether the first cluster of each file is in use. The rest of its chain is, as no chain leads to a free cluster.
fn check_files(disk: &Cached<'_>, record: BootRecord, geometry: Geometry, used: &Clusters) -> Result<()> {
    let volume = FatVolume::open(disk.clone(), record, geometry);
    let mut directories = vec![volume.root()];
    let mut seen = Clusters::new(used.count())?;
    while let Some(directory) = directories.pop() {
        let mut nodes = Vec::new();
        volume.entries(directory, &mut |entry| {
            nodes.push(entry.node);
            ControlFlow::Continue(())
        })?;
        for node in nodes {
            let entry = DirectoryEntry::decode(&disk.array(node.number)?);
            let is_directory = entry.attributes & DirectoryEntry::DIRECTORY != 0;
            if entry.cluster == 0 && entry.size == 0 && !is_directory {
                continue;
            }
            check_start(used, entry.cluster)?;
            if !is_directory {
                continue;
            }
            // A directory begins with its own number, which shows that clusters are where they are looked for.
            let own = geometry.place(entry.cluster).ok_or_else(Error::not_found)?;
            let own = DirectoryEntry::decode(&disk.array(own)?);
            if own.name != DirectoryEntry::SELF || own.cluster != entry.cluster {
                return Err(Error::corrupt(format!("cluster {} is no directory", entry.cluster)));
            }
            if !seen.take(u64::from(entry.cluster) - FIRST) {
                return Err(Error::corrupt("a directory has two names"));
            }
            if directories.len() == PENDING_MAX {
                return Err(Error::limit(format!("has more than {PENDING_MAX} directories at once")));
            }
            directories.push(node);
        }
    }
    Ok(())
}
