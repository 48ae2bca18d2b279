//! How much of a volume is free, in words.

use imsprep_toolkit::VolumeSpace;

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
