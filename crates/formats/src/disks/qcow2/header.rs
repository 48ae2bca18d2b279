//! What the header says, compared with what reading needs.

use imsprep_ondisk::format::qcow::{
    CLUSTER_BITS, COMPRESSION_TYPE_OFFSET, COMPRESSION_ZLIB, COMPRESSION_ZSTD, CRYPT_NONE,
    EXTENDED_CLUSTER_BITS_MIN, INCOMPATIBLE_COMPRESSION, INCOMPATIBLE_CORRUPT, INCOMPATIBLE_DATA_FILE,
    INCOMPATIBLE_EXTENDED_L2, INCOMPATIBLE_KNOWN, MAGIC, Qcow2Header, Qcow2HeaderV3,
};
use imsprep_source::ReadAtExt;

use super::FORMAT;
use crate::unpack::Method;
use crate::{Error, Slice};

/// Bytes of an L1 table at most, as in qemu: 128 GiB of disk in clusters of 512 bytes, 2 EiB in clusters of 64 KiB.
const L1_SIZE_MAX: u64 = 32 << 20;

/// The header of a disk that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Version 2 has no clusters of zeros.
    pub(crate) version: u32,
    /// From 9 to 21.
    pub(crate) cluster_bits: u32,
    pub(crate) disk_size: u64,
    /// L2 entries have 16 bytes, with subclusters.
    pub(crate) extended: bool,
    pub(crate) method: Method,
    pub(crate) l1_offset: u64,
    /// Entries of the L1 table that the disk takes.
    pub(crate) l1_entries: u64,
    /// Entries of the L1 table that the file has.
    pub(crate) l1_size: u64,
    /// Where the refcount table is, and its clusters.
    pub(crate) refcounts: (u64, u64),
    /// Where the snapshot table is, and its entries.
    pub(crate) snapshots: (u64, u32),
}

impl Header {
    pub(crate) fn read(file: &Slice<'_>) -> Result<Self, Error> {
        let wrong = |offset: u64, what: String| Err(file.unreadable(FORMAT, offset, what));
        if !file.holds(0, Qcow2Header::SIZE as u64) {
            return wrong(0, "the file ends inside the header".into());
        }
        let raw = Qcow2Header::decode(&file.read_array(0)?);
        if raw.magic != MAGIC || !matches!(raw.version, 2 | 3) {
            return wrong(0, format!("it has no header of version 2 or 3 (version {})", raw.version));
        }
        if !CLUSTER_BITS.contains(&raw.cluster_bits) {
            return wrong(20, format!("cluster_bits is {}, not 9 to 21", raw.cluster_bits));
        }
        if raw.backing_file_offset != 0 {
            return wrong(8, "it is an overlay of a backing file".into());
        }
        if raw.crypt_method != CRYPT_NONE {
            return wrong(32, "it is encrypted".into());
        }
        let mut header = Self {
            version: raw.version,
            cluster_bits: raw.cluster_bits,
            disk_size: raw.size,
            extended: false,
            method: Method::Deflate,
            l1_offset: raw.l1_table_offset,
            l1_entries: 0,
            l1_size: raw.l1_size.into(),
            refcounts: (raw.refcount_table_offset, raw.refcount_table_clusters.into()),
            snapshots: (raw.snapshots_offset, raw.nb_snapshots),
        };
        if raw.version == 3 {
            header.read_v3(file)?;
        }
        header.l1_entries = raw.size.div_ceil(header.l2_reach());
        header.check_l1(file, u64::from(raw.l1_size))?;
        Ok(header)
    }

    fn read_v3(&mut self, file: &Slice<'_>) -> Result<(), Error> {
        let at = Qcow2HeaderV3::OFFSET;
        let wrong = |offset: u64, what: String| Err(file.unreadable(FORMAT, offset, what));
        if !file.holds(at, Qcow2HeaderV3::SIZE as u64) {
            return wrong(at, "the file ends inside the header".into());
        }
        let raw = Qcow2HeaderV3::decode(&file.read_array(at)?);
        let has = |bit| raw.incompatible_features & bit != 0;
        if has(INCOMPATIBLE_DATA_FILE) {
            return wrong(at, "its data is in another file".into());
        }
        if has(INCOMPATIBLE_CORRUPT) {
            return wrong(at, "it is marked corrupt".into());
        }
        if has(!INCOMPATIBLE_KNOWN) {
            let bits = raw.incompatible_features & !INCOMPATIBLE_KNOWN;
            return wrong(at, format!("it has feature bits {bits:#x}, which no specification defines"));
        }
        self.extended = has(INCOMPATIBLE_EXTENDED_L2);
        if self.extended && self.cluster_bits < EXTENDED_CLUSTER_BITS_MIN {
            return wrong(20, format!("cluster_bits is {}, too few for subclusters", self.cluster_bits));
        }
        // Without the feature the type is the first one, whatever stands there.
        if has(INCOMPATIBLE_COMPRESSION) {
            let at = COMPRESSION_TYPE_OFFSET;
            if u64::from(raw.header_length) <= at || !file.holds(at, 1) {
                return wrong(at, "the header is too short for its compression type".into());
            }
            let [kind] = file.read_array(at)?;
            self.method = match kind {
                COMPRESSION_ZLIB => Method::Deflate,
                COMPRESSION_ZSTD => Method::Zstd,
                other => return wrong(at, format!("compression type {other} is unknown")),
            };
        }
        Ok(())
    }

    fn check_l1(&self, file: &Slice<'_>, entries: u64) -> Result<(), Error> {
        let wrong = |offset: u64, what: String| Err(file.unreadable(FORMAT, offset, what));
        let needed = self.l1_entries;
        if needed > entries {
            return wrong(
                36,
                format!("the disk needs {needed} entries of the L1 table, which has {entries}"),
            );
        }
        if needed * 8 > L1_SIZE_MAX {
            return wrong(36, format!("an L1 table of {needed} entries is larger than any reader supports"));
        }
        let at = self.l1_offset;
        if needed > 0 && (!at.is_multiple_of(self.cluster_size()) || !file.holds(at, needed * 8)) {
            return wrong(at, format!("the L1 table of {needed} entries is not in the clusters of the file"));
        }
        Ok(())
    }

    pub(crate) fn cluster_size(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// Bytes of an L2 entry.
    pub(crate) fn entry_size(&self) -> u64 {
        if self.extended { 16 } else { 8 }
    }

    /// Bytes of the disk that one L2 table covers: 2^40 at most.
    pub(crate) fn l2_reach(&self) -> u64 {
        self.cluster_size() / self.entry_size() * self.cluster_size()
    }
}
