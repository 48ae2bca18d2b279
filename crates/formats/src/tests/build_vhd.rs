//! Builds VHD files.

use imsprep_ondisk::format::vhd::{BLOCK_ABSENT, DynamicHeader, Footer, TYPE_DYNAMIC, TYPE_FIXED, checksum};

/// Where the table of blocks is.
pub(super) const TABLE: usize = 512 + 1024;

pub(super) fn footer(kind: u32, creator: &[u8; 4], size: u64) -> [u8; 512] {
    let mut b = [0; 512];
    b[..8].copy_from_slice(&Footer::COOKIE);
    b[16..24].copy_from_slice(&if kind == TYPE_FIXED { u64::MAX } else { 512 }.to_be_bytes());
    b[28..32].copy_from_slice(creator);
    b[40..48].copy_from_slice(&size.to_be_bytes());
    b[48..56].copy_from_slice(&size.to_be_bytes());
    b[60..64].copy_from_slice(&kind.to_be_bytes());
    let sum = checksum(&b, Footer::CHECKSUM_OFFSET);
    b[64..68].copy_from_slice(&sum.to_be_bytes());
    b
}

/// A sector: whether it is there, and what it holds.
pub(super) type Sector = (bool, [u8; 512]);

/// A dynamic disk of blocks of `block_size` bytes: `None` for an absent one; else, for each of its sectors, whether it is there
/// and what it holds. They lie in the file in reverse.
pub(super) fn dynamic(block_size: u32, blocks: &[Option<Vec<Sector>>], size: u64) -> Vec<u8> {
    let mut header = [0; DynamicHeader::SIZE];
    header[..8].copy_from_slice(&DynamicHeader::COOKIE);
    header[8..16].fill(0xff);
    header[16..24].copy_from_slice(&(TABLE as u64).to_be_bytes());
    header[28..32].copy_from_slice(&u32::try_from(blocks.len()).unwrap().to_be_bytes());
    header[32..36].copy_from_slice(&block_size.to_be_bytes());
    let footer = footer(TYPE_DYNAMIC, b"win ", size);
    let mut file = [&footer[..], &header].concat();
    file.resize((TABLE + blocks.len() * 4).next_multiple_of(512), 0xff);
    for (number, block) in blocks.iter().enumerate().rev() {
        let mut entry = BLOCK_ABSENT;
        if let Some(sectors) = block {
            entry = u32::try_from(file.len() / 512).unwrap();
            let mut bitmap = vec![0_u8; sectors.len().div_ceil(8).next_multiple_of(512)];
            for (sector, (present, _)) in sectors.iter().enumerate() {
                bitmap[sector / 8] |= u8::from(*present) << (7 - sector % 8);
            }
            file.extend(bitmap);
            sectors.iter().for_each(|(_, bytes)| file.extend(bytes));
        }
        file[TABLE + number * 4..][..4].copy_from_slice(&entry.to_be_bytes());
    }
    file.extend(footer);
    file
}
