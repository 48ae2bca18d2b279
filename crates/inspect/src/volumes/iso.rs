//! ISO 9660.

use imsprep_ondisk::disk::IsoVolumeDescriptor as Basic;
use imsprep_ondisk::text;
use imsprep_ondisk::volume::iso::VolumeDescriptor;
use imsprep_source::Result;

use crate::view::View;
use crate::{Volume, VolumeKind};

/// Descriptors that are read: the primary one need not be the first.
const DESCRIPTORS: u64 = 16;
/// Bytes from one descriptor to the next.
const STEP: u64 = 2048;
/// Where hyphens stand in a moment: after year, month, day, hour, minute and second.
const HYPHENS: [usize; 6] = [4, 6, 8, 10, 12, 14];

pub(crate) fn read(view: &View<'_>) -> Result<Option<Volume>> {
    let descriptors = (0..DESCRIPTORS)
        .map_while(|n| {
            view.head_array(Basic::OFFSET + n * STEP).map(|bytes| VolumeDescriptor::decode(&bytes))
        })
        .take_while(|volume| volume.basic.identifier == Basic::IDENTIFIER);
    let primary = descriptors.into_iter().find(|volume| volume.basic.kind == 1 && volume.basic.version == 1);
    Ok(primary.map(|volume| Volume {
        label: text::label(&volume.label),
        uuid: moment(&volume.modified).or_else(|| moment(&volume.created)),
        size: Some(u64::from(volume.basic.volume_blocks) * u64::from(volume.basic.block_size)),
        ..Volume::new(VolumeKind::Iso9660)
    }))
}

/// What takes the place of a UUID: when the image was changed or made.
fn moment(digits: &[u8; 16]) -> Option<String> {
    let is_set = digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|digit| *digit != b'0');
    is_set.then(|| {
        let mut text = String::new();
        for (at, digit) in digits.iter().enumerate() {
            if HYPHENS.contains(&at) {
                text.push('-');
            }
            text.push(char::from(*digit));
        }
        text
    })
}
