//! Makes a canonical image, as the reference writes it, in parts that a test can alter.

use flate2::{Compress, Compression, FlushCompress};
use imsprep_ondisk::format::zvhd2::{self as disk, Footer, IndexEntry, RecordHeader};

use crate::Method;

pub(super) const BLOCK: usize = disk::BLOCK_SIZE as usize;

/// A record in parts.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) header: RecordHeader,
    pub(super) payload: Vec<u8>,
    pub(super) postfix: [u8; 4],
}

/// An image in parts.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) head: Footer,
    pub(super) records: Vec<Record>,
    pub(super) mid: Footer,
    pub(super) entries: Vec<IndexEntry>,
    pub(super) bitmap: Vec<u8>,
    pub(super) end: Footer,
}

/// A block with something to compress in it, a different one for each seed.
pub(super) fn block(seed: u8) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    for (i, byte) in block.iter_mut().take(20_000).enumerate() {
        *byte = u8::try_from(i % 251).unwrap() ^ seed;
    }
    block
}

/// A payload as the reference compresses it.
pub(super) fn compress(method: Method, block: &[u8]) -> Vec<u8> {
    match method {
        Method::Zstd => zstd::bulk::compress(block, 3).unwrap(),
        Method::Zlib => zlib(block, true, FlushCompress::Sync),
    }
}

/// A zlib or raw deflate stream, ended by `flush`.
pub(super) fn zlib(block: &[u8], header: bool, flush: FlushCompress) -> Vec<u8> {
    let mut stream = Compress::new(Compression::new(1), header);
    let mut out = Vec::with_capacity(block.len() * 2 + 1024);
    stream.compress_vec(block, &mut out, flush).unwrap();
    assert_eq!(stream.total_in(), block.len() as u64);
    out
}

impl Image {
    /// An image of 8 MiB with data in blocks 0, 1 and 3.
    pub(super) fn sample(method: Method) -> Self {
        let payloads = [0, 1, 3].map(|b| (b, compress(method, &block(u8::try_from(b).unwrap() + 1))));
        Self::from_payloads(method, 8 << 20, payloads.to_vec())
    }

    /// An image of given payloads.
    pub(super) fn from_payloads(method: Method, orig_size: u64, payloads: Vec<(u32, Vec<u8>)>) -> Self {
        let mut head = Footer::decode(&[0; Footer::SIZE]);
        head.cookie = disk::COOKIE;
        head.features = disk::FEATURES;
        head.ff_version = disk::FF_VERSION;
        head.data_offset = disk::DATA_OFFSET;
        head.timestamp = 1;
        head.crtr_app = disk::CREATOR_APP;
        head.crtr_ver = disk::CREATOR_VERSION;
        head.orig_size = orig_size;
        head.curr_size = orig_size.next_multiple_of(disk::DISK_SIZE_STEP);
        head.geometry = disk::geometry(orig_size);
        head.disk_type = disk::TYPE;
        head.uuid = *b"0123456789abcdef";
        head.zvhd2_version = disk::VERSION_INDEXED;
        head.block_size = disk::BLOCK_SIZE;
        head.max_blk_num = u32::try_from(orig_size.div_ceil(BLOCK as u64)).unwrap();
        head.compress_method = match method {
            Method::Zlib => disk::METHOD_ZLIB,
            Method::Zstd => disk::METHOD_ZSTD,
        };
        let records = payloads.into_iter().map(|(block, payload)| Record {
            header: RecordHeader {
                prefix: disk::RECORD_PREFIX,
                size: u32::try_from(payload.len()).unwrap(),
                curr_blk: block,
                reserved: [0; 28],
            },
            payload,
            postfix: disk::RECORD_POSTFIX,
        });
        let mut image = Self {
            mid: head.clone(),
            end: head.clone(),
            head,
            records: records.collect(),
            entries: Vec::new(),
            bitmap: Vec::new(),
        };
        image.lay_out();
        image
    }

    /// Makes index, bitmap and the fields of END from the records.
    pub(super) fn lay_out(&mut self) {
        let mut offset = disk::ALIGN;
        self.entries.clear();
        self.bitmap = vec![0; self.end.max_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT) as usize * 4096];
        for record in &self.records {
            let (length, block) = (record.header.record_length(), record.header.curr_blk);
            self.entries.push(IndexEntry { offset, block, length: u32::try_from(length).unwrap() });
            self.bitmap[block as usize / 8] |= 1 << (block % 8);
            offset += length;
        }
        let count = u32::try_from(self.records.len()).unwrap();
        self.mid.non_zero_blk_num = count;
        let end = &mut self.end;
        end.non_zero_blk_num = count;
        end.index_seg_num = count.div_ceil(disk::BLOCKS_PER_SEGMENT);
        end.index_seg_size = disk::INDEX_SEGMENT_SIZE;
        end.index_size = end.index_seg_num * end.index_seg_size;
        end.bitmap_seg_num = end.max_blk_num.div_ceil(disk::BLOCKS_PER_SEGMENT);
        end.bitmap_seg_size = disk::BITMAP_SEGMENT_SIZE;
        end.bitmap_size = end.bitmap_seg_num * end.bitmap_seg_size;
        end.index_lba = offset + disk::ALIGN;
        end.bitmap_lba = end.index_lba + u64::from(end.index_size);
    }

    /// The index by block number, as the reference can read it: blocks without a record have entries of zeros.
    pub(super) fn by_block(mut self) -> Self {
        let entries = std::mem::take(&mut self.entries);
        let last = entries.last().map_or(0, |entry| entry.block + 1);
        self.entries = vec![IndexEntry { offset: 0, block: 0, length: 0 }; last as usize];
        for entry in entries {
            self.entries[entry.block as usize] = entry;
        }
        self.end.index_contains_zero_blk = 1;
        self
    }

    /// The same change in all three footers.
    pub(super) fn all(mut self, change: impl Fn(&mut Footer)) -> Self {
        [&mut self.head, &mut self.mid, &mut self.end].into_iter().for_each(change);
        self
    }

    /// A change in any part.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The file. HEAD and END get the checksum that belongs to them; MID keeps a wrong one, as in the reference.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut file = footer(&self.head.clone().sealed());
        for record in &self.records {
            let start = file.len();
            file.extend(record.header.encode());
            file.extend(&record.payload);
            // Stale bytes are legal in the gap.
            file.resize(start + (48 + record.payload.len() + 4).next_multiple_of(4096) - 4, 0xa5);
            file.extend(record.postfix);
        }
        // The reference makes the checksum first and sets the count after it.
        let unset = Footer { non_zero_blk_num: 0, ..self.mid.clone() };
        file.extend(footer(&Footer { checksum: unset.sealed().checksum, ..self.mid.clone() }));
        let index = file.len();
        file.extend(self.entries.iter().flat_map(IndexEntry::encode));
        // So is garbage after the last entry; but where each block has its entry, all of them mean something.
        let size = self.entries.len().div_ceil(32768) * disk::INDEX_SEGMENT_SIZE as usize;
        file.resize(index + size, if self.end.index_contains_zero_blk == 0 { 0x5a } else { 0 });
        file.extend(&self.bitmap);
        file.extend(footer(&self.end.clone().sealed()));
        file
    }
}

/// A footer with garbage in the bytes that mean nothing.
fn footer(footer: &Footer) -> Vec<u8> {
    let mut bytes = footer.encode().to_vec();
    bytes.resize(4096, 0xee);
    bytes
}

/// A file of ZVHD version 1: one stream through the records of `blocks`.
pub(super) fn zvhd1(orig_size: u64, blocks: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut head = Footer::decode(&[0; Footer::SIZE]);
    head.cookie = disk::COOKIE_V1;
    head.orig_size = orig_size;
    head.curr_size = orig_size.next_multiple_of(disk::DISK_SIZE_STEP);
    let head = footer(&head.sealed());
    let mut file = head.clone();
    let mut stream = Compress::new(Compression::new(1), true);
    for (number, block) in blocks {
        let mut payload = Vec::with_capacity(block.len() * 2 + 1024);
        stream.compress_vec(block, &mut payload, FlushCompress::Sync).unwrap();
        let size = u32::try_from(payload.len()).unwrap();
        let header = RecordHeader { prefix: disk::RECORD_PREFIX, size, curr_blk: *number, reserved: [0; 28] };
        let start = file.len();
        file.extend(header.encode());
        file.extend(&payload);
        file.resize(start + usize::try_from(header.record_length()).unwrap() - 4, 0xa5);
        file.extend(disk::RECORD_POSTFIX);
    }
    file.extend(head);
    file
}
