//! exFAT.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::exfat::{BootRecord, ENTRY, ENTRY_END, ENTRY_LABEL};
use imsprep_source::Result;

use super::fat::serial_text;
use crate::view::View;
use crate::{State, UncleanReason, Volume, VolumeKind};

/// Most clusters of the root directory in which the label is looked for.
const CLUSTERS_MAX: usize = 64;
/// Most bytes of a cluster that are read of it: the label is among the first entries.
const CLUSTER_READ: u64 = 4096;
/// Numbers of clusters from here on end a chain.
const CHAIN_END: u32 = 0xffff_fff7;

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let Some(bytes) = view.head_array(0).filter(|_| view.has_magic("exfat")) else { return Ok(None) };
    let record = BootRecord::decode(&bytes);
    // A cluster has at most 32 MiB.
    let is_sane = (9..=12).contains(&record.sector_shift) && record.cluster_shift <= 25 - record.sector_shift;
    if !is_sane {
        return Ok(None);
    }
    let state = if record.flags & BootRecord::FAILED != 0 {
        State::Dirty(UncleanReason::Errors)
    } else if record.flags & BootRecord::DIRTY != 0 {
        State::Dirty(UncleanReason::Mounted)
    } else {
        State::Clean
    };
    Ok(Some(Volume {
        label: label(view, &record)?,
        uuid: Some(serial_text(record.serial)),
        state,
        size: record.sectors.checked_mul(1 << record.sector_shift),
        content_end: Some(content_end(&record)),
        ..Volume::new(VolumeKind::ExFat)
    }))
}

/// The end of the last cluster. Sectors after it, too few for a cluster, hold nothing.
fn content_end(record: &BootRecord) -> u64 {
    let sectors = u64::from(record.heap) + (u64::from(record.clusters) << record.cluster_shift);
    sectors.saturating_mul(1 << record.sector_shift)
}

/// The label, an entry of the root directory.
fn label(view: &View<'_>, record: &BootRecord) -> Result<Option<String>> {
    let sector = 1_u64 << record.sector_shift;
    let cluster_size = sector << record.cluster_shift;
    let mut cluster = record.root_cluster;
    for _ in 0..CLUSTERS_MAX {
        let Some(index) = cluster.checked_sub(2).filter(|_| cluster < CHAIN_END) else { break };
        let at = u64::from(record.heap) * sector + u64::from(index) * cluster_size;
        let Some(bytes) = view.bytes(at, cluster_size.min(CLUSTER_READ))? else { break };
        for entry in bytes.as_chunks::<ENTRY>().0 {
            match entry {
                [ENTRY_END, ..] => return Ok(None),
                [ENTRY_LABEL, length, name @ ..] => {
                    let name = name.get(..usize::from(*length).min(11) * 2).unwrap_or_default();
                    return Ok(text::some(&text::utf16_le(name)));
                }
                _ => {}
            }
        }
        let next = view.array(u64::from(record.table) * sector + u64::from(cluster) * 4)?;
        let Some(next) = next.map(u32::from_le_bytes) else { break };
        cluster = next;
    }
    Ok(None)
}
