//! How much of a volume is free, in words.

use imsprep_toolkit::{Saving, VolumeSpace};

use super::percent;
use super::quantity::bytes;

/// `partition 2, ext4: 700 MiB of 2 GiB used, 1.32 GiB free`; or `otherwise`, and why. With names from the image.
pub(crate) fn volume_line(volume: &VolumeSpace, otherwise: &str) -> String {
    let VolumeSpace { name, kind, size, free } = volume;
    match free {
        Ok(free) => {
            let used = size.saturating_sub(*free);
            format!("{name}, {kind}: {} of {} used, {} free", bytes(used), bytes(*size), bytes(*free))
        }
        Err(reason) => format!("{name}, {kind}: {otherwise}: {reason}"),
    }
}

/// What `--sparsify` would leave out, where that is much: `110 of the data blocks (28.1 %) belong to no file; --sparsify leaves them out`.
pub(crate) fn saving_line(saving: Option<Saving>) -> Option<String> {
    let Saving { data_blocks, free_blocks } = saving.filter(Saving::is_large)?;
    let share = percent(free_blocks, data_blocks);
    Some(format!("{free_blocks} of the data blocks ({share}) belong to no file; --sparsify leaves them out"))
}
