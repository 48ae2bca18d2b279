//! CRC-32C, the checksum of ext4, XFS and Btrfs.

use crc::{CRC_32_ISCSI, Crc, Table};

/// Neither inverted at the start nor at the end.
static PLAIN: Crc<u32, Table<16>> =
    Crc::<u32, Table<16>>::new(&crc::Algorithm { init: 0, xorout: 0, ..CRC_32_ISCSI });

/// As ext4 and JBD2 have it: it goes on from `seed`, which may be the sum of what comes before, and is not inverted.
pub(crate) fn with_seed(seed: u32, bytes: &[u8]) -> u32 {
    // The algorithm is reflected: so is what it begins with.
    let mut digest = PLAIN.digest_with_initial(seed.reverse_bits());
    digest.update(bytes);
    digest.finalize()
}

/// As XFS and Btrfs have it.
pub(crate) fn sum(bytes: &[u8]) -> u32 {
    !with_seed(!0, bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums_are_those_of_the_catalogue() {
        assert_eq!(super::sum(b"123456789"), 0xe306_9283);
        let parts = super::with_seed(super::with_seed(!0, b"1234"), b"56789");
        assert_eq!(!parts, super::sum(b"123456789"));
    }
}
