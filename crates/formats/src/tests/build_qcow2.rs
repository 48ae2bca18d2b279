//! Builds qcow2 files.

use std::io::Write;

/// What a cluster is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Absent,
    /// Zeros by its entry, with or without a place in the file.
    Zeros(bool),
    Stored(Vec<u8>),
    /// With subclusters: which are stored, and which are zeros.
    Parts(Vec<u8>, u32, u32),
    Packed(Vec<u8>),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) version: u32,
    pub(super) cluster_bits: u32,
    pub(super) extended: bool,
    pub(super) zstd: bool,
}

impl Form {
    pub(super) fn cluster(self) -> usize {
        1 << self.cluster_bits
    }

    fn entry_size(self) -> usize {
        if self.extended { 16 } else { 8 }
    }
}

/// A file, with places in it that tests alter.
pub(super) struct Built {
    pub(super) bytes: Vec<u8>,
    pub(super) l1: usize,
    /// Of the first L2 table that is there.
    pub(super) l2: Option<usize>,
}

pub(super) fn build(form: Form, size: u64, kinds: &[Kind]) -> Built {
    let cluster = form.cluster();
    let per_table = cluster / form.entry_size();
    let tables = kinds.len().div_ceil(per_table);
    let l1_clusters = (tables * 8).div_ceil(cluster).max(1);
    let l1 = cluster.next_multiple_of(512);
    let mut bytes = vec![0; l1 + l1_clusters * cluster];
    let header = header(form, size, l1, tables);
    bytes[..header.len()].copy_from_slice(&header);
    let mut first = None;
    for (number, group) in kinds.chunks(per_table).enumerate() {
        if group.iter().all(|kind| matches!(kind, Kind::Absent)) {
            continue;
        }
        let mut entries = vec![0; cluster];
        for (index, kind) in group.iter().enumerate() {
            let (entry, parts) = place(form, kind, &mut bytes);
            entries[index * form.entry_size()..][..8].copy_from_slice(&entry.to_be_bytes());
            if form.extended {
                entries[index * 16 + 8..][..8].copy_from_slice(&parts.to_be_bytes());
            }
        }
        bytes.resize(bytes.len().next_multiple_of(cluster), 0);
        first.get_or_insert(bytes.len());
        let at = bytes.len() as u64 | 1 << 63;
        bytes[l1 + number * 8..][..8].copy_from_slice(&at.to_be_bytes());
        bytes.extend(entries);
    }
    Built { bytes, l1, l2: first }
}

fn header(form: Form, size: u64, l1: usize, tables: usize) -> Vec<u8> {
    let mut header = vec![0; if form.version == 3 { 112 } else { 72 }];
    header[..4].copy_from_slice(b"QFI\xfb");
    header[4..8].copy_from_slice(&form.version.to_be_bytes());
    header[20..24].copy_from_slice(&form.cluster_bits.to_be_bytes());
    header[24..32].copy_from_slice(&size.to_be_bytes());
    header[36..40].copy_from_slice(&u32::try_from(tables).unwrap().to_be_bytes());
    header[40..48].copy_from_slice(&(l1 as u64).to_be_bytes());
    if form.version == 3 {
        let bits = u64::from(form.zstd) << 3 | u64::from(form.extended) << 4;
        header[72..80].copy_from_slice(&bits.to_be_bytes());
        header[96..100].copy_from_slice(&4_u32.to_be_bytes());
        header[100..104].copy_from_slice(&112_u32.to_be_bytes());
        header[104] = u8::from(form.zstd);
    }
    header
}

/// Puts a cluster into the file and returns its entry, both halves.
fn place(form: Form, kind: &Kind, bytes: &mut Vec<u8>) -> (u64, u64) {
    let cluster = form.cluster();
    let aligned = |bytes: &mut Vec<u8>, content: &[u8]| {
        bytes.resize(bytes.len().next_multiple_of(cluster), 0);
        let at = bytes.len() as u64;
        bytes.extend(content);
        at
    };
    match kind {
        Kind::Absent => (0, 0),
        Kind::Zeros(placed) => {
            // What lies there is not what the disk holds.
            let at = if *placed { aligned(bytes, &vec![0xaa; cluster]) } else { 0 };
            if form.extended { (at, u64::from(u32::MAX) << 32) } else { (at | 1, 0) }
        }
        Kind::Stored(content) => (aligned(bytes, content) | 1 << 63, u64::from(u32::MAX)),
        Kind::Parts(content, stored, zeros) => {
            (aligned(bytes, content) | 1 << 63, u64::from(*stored) | u64::from(*zeros) << 32)
        }
        Kind::Packed(content) => {
            let packed = pack(form, content);
            // Wherever the one before ended; its last sector may be the next one's first.
            let at = bytes.len() as u64;
            let sectors = (at + packed.len() as u64 - 1) / 512 - at / 512;
            bytes.extend(packed);
            (1 << 62 | sectors << (62 - (form.cluster_bits - 8)) | at, 0)
        }
    }
}

fn pack(form: Form, content: &[u8]) -> Vec<u8> {
    if form.zstd {
        return zstd::bulk::compress(content, 3).unwrap();
    }
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
