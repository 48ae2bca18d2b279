//! ISO 9660. Source: ECMA-119, 8.4.

use super::first;
use crate::disk::IsoVolumeDescriptor;

/// The primary volume descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeDescriptor {
    /// The signature, and the size.
    pub basic: IsoVolumeDescriptor,
    /// Label, padded with spaces.
    pub label: [u8; 32],
    /// When it was made: digits of year, month, day, hour, minute, second, hundredths.
    pub created: [u8; 16],
    /// When it was last changed, the same way.
    pub modified: [u8; 16],
}

impl VolumeDescriptor {
    /// Bytes that are decoded here, of 2048.
    pub const SIZE: usize = 846;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self {
            basic: IsoVolumeDescriptor::decode(&first(b)),
            label: first(&b[40..]),
            created: first(&b[813..]),
            modified: first(&b[830..]),
        }
    }
}
