//! NTFS.

use imsprep_ondisk::volume::ntfs::{
    Attribute, BootRecord, RECORD_LOG, RECORD_VOLUME, RecordHeader, RestartArea, VolumeInformation,
};
use imsprep_source::Result;

use super::ntfs_files;
use super::ntfs_record::{Run, attribute, restore, runs, value};
use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind, text};

/// Sizes of a record of the master file table.
const RECORD_MIN: u64 = 512;
const RECORD_MAX: u64 = 64 << 10;
/// Bytes of a page of the log. There are two restart pages at its start.
const LOG_PAGE: u64 = 4096;

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

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(bytes) = view.head_array(0).filter(|_| view.has_magic("ntfs")) else { return Ok(None) };
    let record = BootRecord::decode(&bytes);
    let mut volume = Volume {
        uuid: Some(format!("{:016X}", record.serial)),
        // The copy of the boot record after it belongs to it, too.
        size: record.sectors.saturating_add(1).checked_mul(record.bytes_per_sector.into()),
        content_end: record.sectors.checked_mul(record.bytes_per_sector.into()),
        state: State::Unknown,
        ..Volume::new(VolumeKind::Ntfs)
    };
    let Some(ntfs) = Ntfs::new(view, &record) else { return Ok(Some(volume)) };
    let Some(description) = ntfs.record(RECORD_VOLUME)? else { return Ok(Some(volume)) };
    let name = attribute(&description, Attribute::VOLUME_NAME, &[]).and_then(value);
    volume.label = name.and_then(|name| text::some(&text::utf16_le(name)));
    volume.state = ntfs.state(&description)?;
    Ok(Some(volume))
}

impl<'a> Ntfs<'a> {
    /// `None` if the parameters make no sense.
    fn new(view: &'a View<'a>, record: &BootRecord) -> Option<Self> {
        let sector = u64::from(record.bytes_per_sector);
        let sectors = match record.sectors_per_cluster {
            few @ 0..=128 => u64::from(few),
            power => 1_u64.checked_shl(256 - u32::from(power))?,
        };
        let cluster =
            sector.checked_mul(sectors).filter(|size| size.is_power_of_two() && *size <= 2 << 20)?;
        let record_size = match u64::try_from(record.record_size) {
            Ok(clusters) => clusters * cluster,
            Err(_) => 1_u64.checked_shl(record.record_size.unsigned_abs().into())?,
        };
        let is_sane = record_size.is_power_of_two() && (RECORD_MIN..=RECORD_MAX).contains(&record_size);
        is_sane.then_some(Self { view, cluster, mft: record.mft.checked_mul(cluster)?, record_size })
    }

    /// One of the first records of the master file table, which follow each other.
    pub(super) fn record(&self, number: u64) -> Result<Option<Vec<u8>>> {
        let at = self.mft.saturating_add(number * self.record_size);
        Ok(self.view.bytes(at, self.record_size)?.and_then(|bytes| restore(bytes, RecordHeader::FILE)))
    }

    fn state(&self, description: &[u8]) -> Result<State> {
        if ntfs_files::is_hibernated(self)? {
            return Ok(State::Dirty(UncleanReason::Hibernated));
        }
        let information = attribute(description, Attribute::VOLUME_INFORMATION, &[]).and_then(value);
        let Some(information) = information.and_then(<[u8]>::first_chunk).map(VolumeInformation::decode)
        else {
            return Ok(State::Unknown);
        };
        if information.flags & VolumeInformation::DIRTY != 0 {
            return Ok(State::Dirty(UncleanReason::Mounted));
        }
        Ok(match self.is_log_clean()? {
            Some(true) => State::Clean,
            Some(false) => State::Dirty(UncleanReason::Journal),
            None => State::Unknown,
        })
    }

    /// Whether nothing in the log is left to be carried out; a hibernated Windows and one that starts fast leave something.
    /// `None` if it can't be told.
    fn is_log_clean(&self) -> Result<Option<bool>> {
        let Some(record) = self.record(RECORD_LOG)? else { return Ok(None) };
        let data = attribute(&record, Attribute::DATA, &[]).unwrap_or_default();
        let Some(Run { first: Some(first), count }) = runs(data, 1).first().copied() else { return Ok(None) };
        if count.saturating_mul(self.cluster) < 2 * LOG_PAGE {
            return Ok(None);
        }
        let at = first.saturating_mul(self.cluster);
        let (mut newest, mut emptied): (Option<RestartArea>, usize) = (None, 0);
        for page in [at, at.saturating_add(LOG_PAGE)] {
            let Some(bytes) = self.view.bytes(page, LOG_PAGE)? else { return Ok(None) };
            // What makes or mends a volume fills the log with ones.
            if bytes.iter().all(|byte| *byte == 0xff) {
                emptied += 1;
            } else if let Some(area) = restart_area(bytes)
                && newest.is_none_or(|newest| newest.sequence < area.sequence)
            {
                newest = Some(area);
            }
        }
        Ok(match newest {
            Some(area) => Some(area.client == RestartArea::NO_CLIENT || area.flags & RestartArea::CLEAN != 0),
            None => (emptied == 2).then_some(true),
        })
    }
}

fn restart_area(page: Vec<u8>) -> Option<RestartArea> {
    let page = restore(page, RecordHeader::RESTART)?;
    let header = RecordHeader::decode(page.first_chunk()?);
    page.get(usize::from(header.restart)..)?.first_chunk().map(RestartArea::decode)
}
