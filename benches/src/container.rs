//! ZVHD2 containers and payloads of their records.

use imsprep_source::{MemoryImage, StreamOutput};
use imsprep_zvhd2::{Compressor, ContainerWriter, Label, Level, Method};

use crate::BLOCK;

/// The payload of a block as the reference writes it with Zstandard.
///
/// # Panics
///
/// If there is no memory for it: there is nothing to measure then.
pub fn zstd_payload(block: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    let mut compressor = Compressor::new(Level::REFERENCE).expect("a compressor");
    compressor.compress(block, &mut payload).expect("a payload");
    payload
}

/// The payload of a block as the reference writes it with zlib: level 1, ended by a sync flush.
///
/// # Panics
///
/// If there is no memory for it.
pub fn zlib_payload(block: &[u8]) -> Vec<u8> {
    let mut stream = flate2::Compress::new(flate2::Compression::new(1), true);
    let mut payload = Vec::with_capacity(2 * block.len());
    stream.compress_vec(block, &mut payload, flate2::FlushCompress::Sync).expect("a payload");
    payload
}

/// A container of so many records, all alike.
///
/// # Panics
///
/// If it can't be made.
pub fn container(records: u32) -> MemoryImage {
    let payload = zstd_payload(&vec![1; BLOCK]);
    let orig_size = u64::from(records) * BLOCK as u64;
    let label = Label { orig_size, method: Method::Zstd, timestamp: 0, uuid: [0; 16] };
    let mut out = StreamOutput::new("container", Vec::new());
    let mut writer = ContainerWriter::begin(&mut out, &label).expect("a container");
    (0..records).for_each(|block| writer.append(block, &payload).expect("a record"));
    writer.finish().expect("its end");
    MemoryImage::new("container", out.finish().expect("its bytes"))
}
