//! What an L2 entry says of its cluster.

use imsprep_ondisk::format::qcow::{
    COMPRESSED_SECTOR, ENTRY_COPIED, L2_COMPRESSED, L2_OFFSET, L2_ZERO, SUBCLUSTERS,
};

use super::header::Header;

/// Where a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cluster {
    /// It reads as zeros.
    Zeros,
    /// In the file, or some of its subclusters are: those whose bits are set. Without subclusters all bits are.
    Stored { offset: u64, subclusters: u32 },
    /// Compressed, within these bytes.
    Packed { offset: u64, length: u64 },
}

/// Decodes an entry; `bitmap` is the second half of an extended one.
pub(crate) fn decode(entry: u64, bitmap: u64, header: &Header) -> Result<Cluster, String> {
    if entry & L2_COMPRESSED != 0 {
        if entry & ENTRY_COPIED != 0 {
            return Err(format!(
                "the entry of a compressed cluster ({entry:#x}) has the flag of an uncompressed cluster"
            ));
        }
        if bitmap != 0 {
            return Err(format!("a compressed cluster has subclusters ({bitmap:#x})"));
        }
        // The offset has as many bits as a cluster's number of sectors leaves it.
        let bits = 62 - (header.cluster_bits - 8);
        let offset = entry & ((1 << bits) - 1);
        let sectors = ((entry & (L2_COMPRESSED - 1)) >> bits) + 1;
        return Ok(Cluster::Packed {
            offset,
            length: sectors * COMPRESSED_SECTOR - offset % COMPRESSED_SECTOR,
        });
    }
    let offset = entry & L2_OFFSET;
    // Only without subclusters is the lowest bit a flag.
    let known = L2_OFFSET | ENTRY_COPIED | if header.extended { 0 } else { L2_ZERO };
    if entry & !known != 0 {
        return Err(format!("reserved bits of its entry are set ({entry:#x})"));
    }
    if !offset.is_multiple_of(header.cluster_size()) {
        return Err(format!("its cluster has the impossible offset {offset}"));
    }
    if entry == ENTRY_COPIED && bitmap == 0 {
        return Err(format!("its entry ({entry:#x}) has the flag of a cluster, but no offset"));
    }
    let subclusters = if header.extended {
        let (stored, zeros) = split(bitmap);
        if stored & zeros != 0 {
            return Err(format!("subclusters are both stored and zeros ({bitmap:#x})"));
        }
        stored
    } else if entry & L2_ZERO != 0 {
        if header.version < 3 {
            return Err("a zero cluster, which does not exist in version 2".into());
        }
        0
    } else if offset == 0 {
        0
    } else {
        u32::MAX
    };
    if subclusters == 0 {
        return Ok(Cluster::Zeros);
    }
    if offset == 0 {
        return Err(format!("its cluster has the impossible offset {offset}"));
    }
    Ok(Cluster::Stored { offset, subclusters })
}

/// The bits of subclusters that are stored, and of those that are zeros.
fn split(bitmap: u64) -> (u32, u32) {
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
    (half(bitmap), half(bitmap >> SUBCLUSTERS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unpack::Method;

    fn header(version: u32, cluster_bits: u32, extended: bool) -> Header {
        Header {
            version,
            cluster_bits,
            disk_size: 0,
            extended,
            method: Method::Deflate,
            l1_offset: 0,
            l1_entries: 0,
            l1_size: 0,
            refcounts: (0, 0),
            snapshots: (0, 0),
        }
    }

    #[test]
    fn entries_of_each_kind() {
        let v3 = header(3, 16, false);
        assert_eq!(decode(0, 0, &v3), Ok(Cluster::Zeros));
        assert_eq!(decode(1, 0, &v3), Ok(Cluster::Zeros));
        assert_eq!(decode(0x5_0001, 0, &v3), Ok(Cluster::Zeros), "allocated zeros");
        let stored = Cluster::Stored { offset: 0x5_0000, subclusters: u32::MAX };
        assert_eq!(decode(1 << 63 | 0x5_0000, 0, &v3), Ok(stored));
        assert!(decode(0x5_0200, 0, &v3).is_err(), "within a cluster");
        assert!(decode(1, 0, &header(2, 16, false)).is_err(), "zeros in version 2");
        // In clusters of 64 KiB the number of further sectors begins at bit 54.
        let packed = Cluster::Packed { offset: 0x1_2345, length: 3 * 512 - 0x145 };
        assert_eq!(decode(1 << 62 | 2 << 54 | 0x1_2345, 0, &v3), Ok(packed));
        // In clusters of 512 bytes at bit 61: two sectors at most.
        let packed = Cluster::Packed { offset: 7, length: 1024 - 7 };
        assert_eq!(decode(1 << 62 | 1 << 61 | 7, 0, &header(3, 9, false)), Ok(packed));
    }

    #[test]
    fn subclusters_are_stored_or_zeros_or_nothing() {
        let header = header(3, 16, true);
        assert_eq!(decode(0x5_0000, 0, &header), Ok(Cluster::Zeros));
        assert_eq!(decode(0x5_0000, 0xf << 32, &header), Ok(Cluster::Zeros));
        let stored = Cluster::Stored { offset: 0x5_0000, subclusters: 6 };
        assert_eq!(decode(0x5_0000, 0xf0_0000_0006, &header), Ok(stored));
        assert!(decode(0x5_0000, 0x1_0000_0001, &header).is_err(), "both");
        assert!(decode(0, 1, &header).is_err(), "stored nowhere");
        assert!(decode(1 << 62, 1, &header).is_err(), "compressed with subclusters");
        assert!(decode(0x5_0001, 6, &header).is_err(), "the flag of zeros, which subclusters replace");
    }

    #[test]
    fn bits_that_mean_nothing_are_refused() {
        let (v3, extended) = (header(3, 16, false), header(3, 16, true));
        for bit in (1..=8).chain(56..=61) {
            for (entry, bitmap, header) in
                [(0x5_0000, 0, &v3), (0, 0, &v3), (1, 0, &v3), (0x5_0000, 6, &extended)]
            {
                assert!(decode(entry | 1 << bit, bitmap, header).is_err(), "bit {bit} of {entry:#x}");
            }
        }
        for bit in 9..16 {
            assert!(decode(0x5_0001 | 1 << bit, 0, &v3).is_err(), "zeros within a cluster, bit {bit}");
        }
        assert!(decode(1 << 63, 0, &v3).is_err(), "copied, and no cluster");
        assert!(decode(1 << 63 | 1 << 62 | 0x1_2345, 0, &v3).is_err(), "copied and compressed");
        assert_eq!(decode(1 << 63 | 0x5_0001, 0, &v3), Ok(Cluster::Zeros), "allocated zeros");
    }
}
