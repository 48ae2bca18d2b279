//! What is encrypted: LUKS, what both versions have in the same place, and a variant of `BitLocker`. Sources of LUKS as in
//! [`container`](crate::format::container).

use super::first;
use crate::format::container::LuksHeader;
use crate::gpt::Guid;

/// The header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The signature.
    pub basic: LuksHeader,
    /// Version 2: label, padded with NULs.
    pub label: [u8; 48],
    /// UUID as text, padded with NULs.
    pub uuid: [u8; 40],
}

impl Header {
    /// Bytes that are decoded here.
    pub const SIZE: usize = 208;

    /// The fields, whatever they hold.
    pub fn decode(b: &[u8; Self::SIZE]) -> Self {
        Self { basic: LuksHeader::decode(&first(b)), label: first(&b[24..]), uuid: first(&b[168..]) }
    }
}

/// `BitLocker` on removable disks: where its GUID is in what otherwise is the boot record of a FAT volume. Source: the
/// documentation of libbde.
pub const BITLOCKER_TO_GO_OFFSET: usize = 0x1a8;
/// That GUID.
pub const BITLOCKER_TO_GO_GUID: Guid = Guid::of(0x4967d63b_2e29_4ad8_8399_f6a339e3d001);
