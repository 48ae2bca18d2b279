//! Members of a Linux software RAID.

use imsprep_ondisk::text;
use imsprep_ondisk::volume::md::{MAGIC, Superblock0, Superblock1};
use imsprep_source::Result;

use crate::view::View;
use crate::{MdRaid, Volume, VolumeKind};

const SECTOR: u64 = 512;

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    // At the end: 8 KiB before it, or a little more, at a multiple of 4 KiB.
    let at_end = (view.size() / SECTOR).checked_sub(16).map(|sector| sector / 8 * 8 * SECTOR);
    for (version, at) in [("1.1", Some(0)), ("1.2", Some(4096)), ("1.0", at_end)] {
        if let Some(at) = at
            && let Some(bytes) = view.array(at)?
        {
            let superblock = Superblock1::decode(&bytes);
            if superblock.magic == MAGIC && superblock.major == 1 && superblock.own_sector == at / SECTOR {
                let doubt = doubt(view, at, &superblock)?;
                return Ok(Some(version_1(version, &superblock, doubt)));
            }
        }
    }
    version_0(view)
}

/// Why the superblock may be left over, or the device may hold something else than the array.
fn doubt(view: &View<'_>, at: u64, superblock: &Superblock1) -> Result<Option<&'static str>> {
    let length = superblock.length();
    if length > Superblock1::SIZE_MAX {
        return Ok(Some("its superblock makes no sense"));
    }
    let Some(bytes) = view.bytes(at, length)? else { return Ok(Some("its superblock is cut off")) };
    if Superblock1::checksum_of(&bytes) != superblock.checksum {
        return Ok(Some("its superblock has a wrong checksum"));
    }
    if superblock.features & !Superblock1::FEATURE_BITMAP != 0 {
        return Ok(Some("it is being rebuilt or reshaped, has bad blocks, or features that are not known"));
    }
    if superblock.role(&bytes).is_none_or(|role| u32::from(role) >= superblock.devices) {
        return Ok(Some("this device has no place in it, as a spare or one that failed"));
    }
    Ok((superblock.resync != Superblock1::IN_SYNC).then_some("it was not closed cleanly"))
}

fn version_1(version: &'static str, superblock: &Superblock1, doubt: Option<&'static str>) -> Volume {
    Volume {
        label: text::label(&superblock.name),
        uuid: text::some_uuid(&superblock.uuid),
        size: superblock.sectors.checked_mul(SECTOR),
        content_end: superblock
            .data_sector
            .checked_add(superblock.sectors)
            .and_then(|sectors| sectors.checked_mul(SECTOR)),
        ..Volume::new(VolumeKind::MdRaid(MdRaid {
            version,
            level: superblock.level,
            devices: superblock.devices,
            data_start: superblock.data_sector.saturating_mul(SECTOR),
            doubt,
        }))
    }
}

fn version_0(view: &View<'_>) -> Result<Option<Volume>> {
    let at = (view.size() / Superblock0::ROOM).checked_sub(1).map(|room| room * Superblock0::ROOM);
    let Some(at) = at else { return Ok(None) };
    let Some(superblock) = view.array(at)?.map(|bytes| Superblock0::decode(&bytes)) else { return Ok(None) };
    if (superblock.magic, superblock.major, superblock.minor) != (MAGIC, 0, 90) {
        return Ok(None);
    }
    let uuid = superblock.uuid.iter().fold(0_u128, |uuid, part| uuid << 32 | u128::from(*part));
    let raid = MdRaid {
        version: "0.90",
        level: superblock.level,
        devices: superblock.devices,
        data_start: 0,
        // Its checksum depends on the machine that wrote it.
        doubt: Some("the state of such an array is not read"),
    };
    Ok(Some(Volume { uuid: text::some_uuid(&uuid.to_be_bytes()), ..Volume::new(VolumeKind::MdRaid(raid)) }))
}
