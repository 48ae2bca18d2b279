//! exFAT: its bitmap of clusters, compared with the directories and with the chains of the table.

mod tree;

use imsprep_ondisk::volume::exfat::{
    BootRecord, ENTRY, ENTRY_BITMAP, ENTRY_END, ENTRY_UPCASE, Entry, FIRST_CLUSTER, TABLE_BAD, TABLE_END,
    add_to_checksum,
};

use crate::cached::Cached;
use crate::free::FreeSpace;
use crate::free::clusters::Clusters;
use crate::{Error, Result};

/// Most bytes of a directory.
const DIRECTORY_MAX: u64 = 256 << 20;
/// Most pieces that a file can be in: 16 MiB of memory.
const RUNS_MAX: usize = 1 << 20;
/// Most bytes of the table of upper-case characters: two for each of 65536, and as much again for its marks.
const UPCASE_MAX: u64 = 256 << 10;

pub(crate) fn free_space(disk: &Cached<'_>) -> Result<FreeSpace> {
    let volume = Volume::open(disk)?;
    let root = volume.chain(volume.boot.root_cluster, None)?;
    let (bitmap, upcase) = volume.system_files(&root)?;
    let used = volume.bitmap(&bitmap)?;
    check_used(&used, &bitmap)?;
    check_used(&used, &upcase)?;
    tree::check(&volume, &used, root)?;
    let mut free = FreeSpace::new(volume.size);
    used.add_free_to(&mut free, volume.heap, volume.cluster)?;
    Ok(free)
}

/// Neighbouring clusters: the first one, counted from 0, and how many.
type Run = (u64, u64);

struct Volume<'a> {
    disk: &'a Cached<'a>,
    boot: BootRecord,
    /// Bytes of the volume.
    size: u64,
    /// Where the table is, in bytes.
    table: u64,
    /// Where the clusters are, in bytes.
    heap: u64,
    /// Bytes of a cluster.
    cluster: u64,
    clusters: u64,
}

impl<'a> Volume<'a> {
    fn open(disk: &'a Cached<'a>) -> Result<Self> {
        let wrong = || Error::corrupt("its boot record makes no sense");
        let boot = BootRecord::decode(&disk.array(0)?);
        // A cluster has at most 32 MiB.
        let is_sane = (9..=12).contains(&boot.sector_shift) && boot.cluster_shift <= 25 - boot.sector_shift;
        if !is_sane {
            return Err(wrong());
        }
        let sector = 1_u64 << boot.sector_shift;
        let cluster = sector << boot.cluster_shift;
        let clusters = u64::from(boot.clusters);
        let size = boot.sectors.checked_mul(sector).filter(|size| *size <= disk.size()).ok_or_else(wrong)?;
        let (table, heap) = (u64::from(boot.table) * sector, u64::from(boot.heap) * sector);
        let table_size = u64::from(boot.table_length) * sector;
        let fits = table_size >= (clusters + u64::from(FIRST_CLUSTER)) * 4
            && u64::from(boot.table) >= 2 * (BootRecord::CHECKED_SECTORS + 1)
            && table + table_size <= heap
            && heap.checked_add(clusters * cluster).is_some_and(|end| end <= size);
        if !fits || clusters == 0 {
            return Err(wrong());
        }
        check_sum(disk, sector)?;
        if boot.tables != 1 || boot.flags & BootRecord::SECOND != 0 {
            return Err(Error::refused("has a second table, for transactions"));
        }
        if boot.flags & BootRecord::DIRTY != 0 {
            return Err(Error::refused("is marked as dirty: it was not unmounted"));
        }
        if boot.flags & BootRecord::FAILED != 0 {
            return Err(Error::refused("is marked as having errors"));
        }
        Ok(Self { disk, boot, size, table, heap, cluster, clusters })
    }

    /// The clusters of a chain, in order. A chain that is longer than `length` bytes is cut off, one that is shorter is refused;
    /// without a length it goes on up to its end.
    fn chain(&self, first: u32, length: Option<u64>) -> Result<Vec<Run>> {
        let wanted = length.map(|length| length.div_ceil(self.cluster));
        let most = wanted.unwrap_or(DIRECTORY_MAX.div_ceil(self.cluster));
        let mut runs: Vec<Run> = Vec::new();
        let (mut next, mut count) = (first, 0);
        while count < most || wanted.is_none() {
            if next == TABLE_END && wanted.is_none() {
                return Ok(runs);
            }
            if count == most {
                return Err(Error::corrupt("a chain of clusters has no end"));
            }
            let cluster = self.index(next)?;
            let is_full = runs.len() == RUNS_MAX;
            match runs.last_mut() {
                Some((start, length)) if *start + *length == cluster => *length += 1,
                _ if is_full => {
                    return Err(Error::limit(format!("a file is in more than {RUNS_MAX} pieces")));
                }
                _ => runs.push((cluster, 1)),
            }
            count += 1;
            next = u32::from_le_bytes(self.disk.array(self.table + u64::from(next) * 4)?);
        }
        Ok(runs)
    }

    /// A number of a cluster, counted from 0.
    fn index(&self, cluster: u32) -> Result<u64> {
        let index = cluster.checked_sub(FIRST_CLUSTER).map(u64::from);
        index.filter(|index| *index < self.clusters).ok_or_else(|| {
            Error::corrupt(match cluster {
                TABLE_BAD => "a chain leads to a bad cluster".to_owned(),
                _ => format!("a chain leads to cluster {cluster}, which is not there"),
            })
        })
    }

    /// Where the clusters are that an entry names.
    fn place(&self, entry: &Entry) -> Result<Vec<Run>> {
        let length = entry.length;
        if length.div_ceil(self.cluster) > self.clusters {
            return Err(Error::corrupt(format!("a file has {length} bytes, more than the volume")));
        }
        if length == 0 {
            return Ok(Vec::new());
        }
        if entry.second & Entry::WITHOUT_CHAIN == 0 {
            return self.chain(entry.cluster, Some(length));
        }
        let (first, count) = (self.index(entry.cluster)?, length.div_ceil(self.cluster));
        if first + count > self.clusters {
            return Err(Error::corrupt("a file has clusters behind the volume's end"));
        }
        Ok(vec![(first, count)])
    }

    /// Hands over the entries in these clusters, up to the end of the directory, until `each` is done with it.
    fn each_entry(&self, runs: &[Run], each: &mut dyn FnMut(&[u8; ENTRY]) -> Result<()>) -> Result<()> {
        /// Bytes of a directory that are read at once: at most the smallest cluster that is larger.
        const PIECE: u64 = 64 << 10;

        let mut piece = vec![0; usize::try_from(self.cluster.min(PIECE)).unwrap_or_default()];
        for cluster in runs.iter().flat_map(|(first, count)| *first..*first + *count) {
            for start in (0..self.cluster).step_by(piece.len()) {
                self.disk.read(self.heap + cluster * self.cluster + start, &mut piece)?;
                for entry in piece.as_chunks::<ENTRY>().0 {
                    self.disk.access().spend_steps(1)?;
                    if entry.first() == Some(&ENTRY_END) {
                        return Ok(());
                    }
                    each(entry)?;
                }
            }
        }
        Ok(())
    }

    /// The bitmap of the clusters, and the table of upper-case characters. Both are named in the root directory.
    fn system_files(&self, root: &[Run]) -> Result<(Vec<Run>, Vec<Run>)> {
        let (mut bitmap, mut upcase) = (None, None);
        self.each_entry(root, &mut |entry| {
            let entry = Entry::decode(entry);
            let place = match entry.kind {
                ENTRY_BITMAP => &mut bitmap,
                ENTRY_UPCASE => &mut upcase,
                _ => return Ok(()),
            };
            if place.replace(entry).is_some() {
                return Err(Error::corrupt(
                    "its root directory names two bitmaps, or two tables of characters",
                ));
            }
            Ok(())
        })?;
        let (Some(bitmap), Some(upcase)) = (bitmap, upcase) else {
            return Err(Error::corrupt(
                "its root directory does not name its bitmap and its table of characters",
            ));
        };
        if bitmap.second != 0 || bitmap.length != self.clusters.div_ceil(8) {
            return Err(Error::corrupt(format!(
                "its bitmap has {} bytes for {} clusters",
                bitmap.length, self.clusters
            )));
        }
        if upcase.length == 0 || upcase.length > UPCASE_MAX {
            return Err(Error::corrupt(format!("its table of characters has {} bytes", upcase.length)));
        }
        // Here the byte of flags is something else, and both are chains.
        let places = [bitmap, upcase].map(|entry| self.place(&Entry { second: 0, ..entry }));
        let [bitmap, upcase] = places;
        Ok((bitmap?, upcase?))
    }

    fn bitmap(&self, place: &[Run]) -> Result<Clusters> {
        let bytes = |count: u64| count * self.cluster;
        Clusters::of_bitmap(self.clusters, |at, buf| {
            let (mut at, mut rest) = (at, buf);
            for (first, count) in place {
                let left = bytes(*count).saturating_sub(at);
                let length = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let (part, after) = rest.split_at_mut(length);
                if !part.is_empty() {
                    self.disk.read(self.heap + bytes(*first) + at, part)?;
                }
                at = (at + length as u64).saturating_sub(bytes(*count));
                rest = after;
            }
            if rest.is_empty() { Ok(()) } else { Err(Error::corrupt("its bitmap is too short")) }
        })
    }
}

/// Whether the sum of the boot sectors is right.
fn check_sum(disk: &Cached<'_>, sector: u64) -> Result<()> {
    let size = |sectors: u64| usize::try_from(sectors * sector).unwrap_or_default();
    let mut bytes = vec![0; size(BootRecord::CHECKED_SECTORS + 1)];
    disk.read(0, &mut bytes)?;
    let (checked, sums) = bytes.split_at_checked(size(BootRecord::CHECKED_SECTORS)).unwrap_or_default();
    let mut sum = 0;
    let mut at = 0;
    for left_out in BootRecord::UNCHECKED {
        sum = add_to_checksum(sum, checked.get(at..left_out).unwrap_or_default());
        at = left_out + 1;
    }
    sum = add_to_checksum(sum, checked.get(at..).unwrap_or_default());
    if sums.is_empty() || sums.as_chunks::<4>().0.iter().any(|there| *there != sum.to_le_bytes()) {
        return Err(Error::corrupt("the checksum of its boot sectors is wrong"));
    }
    Ok(())
}

/// Whether the bitmap has all of these clusters in use.
fn check_used(used: &Clusters, runs: &[Run]) -> Result<()> {
    match runs.iter().find(|(first, count)| !used.are_used(*first..*first + *count)) {
        None => Ok(()),
        Some((first, count)) => Err(Error::corrupt(format!(
            "its bitmap calls free what a file holds, among clusters {} to {}",
            first + u64::from(FIRST_CLUSTER),
            first + count + u64::from(FIRST_CLUSTER)
        ))),
    }
}
