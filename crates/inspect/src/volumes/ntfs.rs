//! NTFS.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::ntfs::{
    Attribute, BootRecord, RECORD_LOG, RECORD_VOLUME, RecordHeader, RestartArea, VolumeInformation,
};
use imsprep_ondisk::volume::ntfs_record::{Run, attribute, restore, runs, value};
use imsprep_source::Result;

use super::ntfs_files;
use super::ntfs_volume::Ntfs;
use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

/// Bytes of a page of the log. There are two restart pages at its start.
const LOG_PAGE: u64 = 4096;

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
    volume.state = state_of(&ntfs, &description)?;
    Ok(Some(volume))
}

fn state_of(ntfs: &Ntfs<'_>, description: &[u8]) -> Result<State> {
    if ntfs_files::is_hibernated(ntfs)? {
        return Ok(State::Dirty(UncleanReason::Hibernated));
    }
    let information = attribute(description, Attribute::VOLUME_INFORMATION, &[]).and_then(value);
    let Some(information) = information.and_then(<[u8]>::first_chunk).map(VolumeInformation::decode) else {
        return Ok(State::Unknown);
    };
    if information.flags & VolumeInformation::DIRTY != 0 {
        return Ok(State::Dirty(UncleanReason::Mounted));
    }
    Ok(match is_log_clean(ntfs)? {
        Some(true) => State::Clean,
        Some(false) => State::Dirty(UncleanReason::Journal),
        None => State::Unknown,
    })
}

/// Whether nothing in the log is left to be carried out; a hibernated Windows and one that starts fast leave something.
/// `None` if it is unknown.
fn is_log_clean(ntfs: &Ntfs<'_>) -> Result<Option<bool>> {
    let Some(record) = ntfs.record(RECORD_LOG)? else { return Ok(None) };
    let data = attribute(&record, Attribute::DATA, &[]).unwrap_or_default();
    let Some(Run { first: Some(first), count }) = runs(data, 1).first().copied() else { return Ok(None) };
    if count.saturating_mul(ntfs.cluster) < 2 * LOG_PAGE {
        return Ok(None);
    }
    let at = first.saturating_mul(ntfs.cluster);
    let (mut newest, mut emptied): (Option<RestartArea>, usize) = (None, 0);
    for page in [at, at.saturating_add(LOG_PAGE)] {
        let Some(bytes) = ntfs.view.bytes(page, LOG_PAGE)? else { return Ok(None) };
        // What makes or repairs a volume fills the log with ones.
        if bytes.iter().all(|byte| *byte == 0xff) {
            emptied += 1;
        } else if let Some(area) = restart_area(bytes)
            && newest.is_none_or(|newest| newest.sequence < area.sequence)
        {
            newest = Some(area);
        }
    }
    Ok(match newest {
        Some(area) => Some(area.is_clean()),
        None => (emptied == 2).then_some(true),
    })
}
fn restart_area(page: Vec<u8>) -> Option<RestartArea> {
    let page = restore(page, RecordHeader::RESTART)?;
    let header = RecordHeader::decode(page.first_chunk()?);
    page.get(usize::from(header.restart)..)?.first_chunk().map(RestartArea::decode)
}
