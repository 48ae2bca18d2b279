//! What a file says about itself.

use imsprep_ondisk::format::zvhd2::{self as disk, Footer};
use imsprep_source::{ByteCount, FileOffset, ReadAt};

use crate::Error;
use crate::footer::{self, Footers, Method, Placed};

/// Which of the two formats that share the footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// ZVHD version 1: records only.
    Zvhd1,
    /// ZVHD2: records, index and bitmap.
    Zvhd2,
}

/// A span of the file according to END.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// `HEAD`, `records`, `MID`, `index`, `bitmap` or `END`.
    pub name: &'static str,
    /// Where it begins.
    pub offset: FileOffset,
    /// How long it is.
    pub length: ByteCount,
}

/// What the footers say. Nothing of it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The format.
    pub version: Version,
    /// The footer at the beginning, if it is one.
    pub head: Option<Footer>,
    /// The footer after the records.
    pub mid: Option<Footer>,
    /// The footer at the end: the one that counts.
    pub end: Option<Footer>,
    /// Bytes of the file.
    pub file_size: ByteCount,
    /// Bytes of the source image.
    pub orig_size: ByteCount,
    /// Bytes of the virtual disk that readers expose.
    pub disk_size: ByteCount,
    /// Bytes of a block, as the footer says.
    pub block_size: ByteCount,
    /// Blocks of the source image.
    pub block_count: u64,
    /// Blocks that have a record: END's count, or the bitmap's where the file was checked.
    pub data_blocks: Option<u64>,
    /// How payloads are compressed, if the method is known.
    pub method: Option<Method>,
    /// The method's number in the footer.
    pub method_number: u8,
    /// When the file was made, in seconds since 1970-01-01T00:00:00Z.
    pub created: u64,
    /// The file's random identity.
    pub uuid: [u8; 16],
    /// The regions, by offset; those that are not in the file are left out.
    pub regions: Vec<Region>,
    /// Bytes of all payloads, if the records were read.
    pub payload_bytes: Option<ByteCount>,
}

impl Info {
    /// How many times larger the data blocks are than their payloads; `None` where the payloads' size is not known.
    pub fn ratio(&self) -> Option<f64> {
        let payload = self.payload_bytes.filter(|bytes| bytes.0 != 0)?;
        let data = self.data_blocks?.checked_mul(self.block_size.0)?;
        Some(data as f64 / payload.0 as f64)
    }

    /// How many times larger the data blocks are than their records, with headers and padding: what the footers alone can
    /// tell. `None` where there are no records.
    pub fn stored_ratio(&self) -> Option<f64> {
        let records = self.regions.iter().find(|region| region.name == "records")?.length;
        let data = self.data_blocks?.checked_mul(self.block_size.0)?;
        (records.0 != 0).then(|| data as f64 / records.0 as f64)
    }

    /// The footer that the other fields come from: END, else HEAD.
    pub fn footer(&self) -> Option<&Footer> {
        self.end.as_ref().or(self.head.as_ref())
    }

    pub(crate) fn new(source: &dyn ReadAt, footers: &Footers) -> Result<Self, Error> {
        let (version, head, end) = match footers {
            Footers::V1 { head, end } => (Version::Zvhd1, head, end.as_ref()),
            Footers::V2 { head, end } => (Version::Zvhd2, head, end.as_ref()),
        };
        let main = &end.unwrap_or(head).footer;
        let regions = match (version, end) {
            (Version::Zvhd2, Some(end)) => regions(end),
            _ => Vec::new(),
        };
        let mid = match (version, end) {
            (Version::Zvhd2, Some(end)) => read_mid(source, end)?,
            _ => None,
        };
        let v2 = version == Version::Zvhd2;
        Ok(Self {
            version,
            head: Some(head.footer.clone()).filter(|f| f.is_v2() || f.is_v1()),
            end: end.map(|e| e.footer.clone()),
            mid,
            file_size: ByteCount(source.size()),
            orig_size: ByteCount(main.orig_size),
            disk_size: ByteCount(main.curr_size),
            block_size: ByteCount(if v2 { main.block_size } else { disk::BLOCK_SIZE }.into()),
            block_count: main.orig_size.div_ceil(footer::block_size(main)),
            data_blocks: end.filter(|_| v2).map(|e| e.footer.non_zero_blk_num.into()),
            method: if v2 { footer::method(main) } else { Some(Method::Zlib) },
            method_number: main.compress_method,
            created: disk::EPOCH_UNIX_SECONDS + u64::from(main.timestamp),
            uuid: main.uuid,
            regions,
            payload_bytes: None,
        })
    }
}

/// The footer before the index, if there is one.
pub(crate) fn read_mid(source: &dyn ReadAt, end: &Placed) -> Result<Option<Footer>, Error> {
    let Some(offset) = mid_offset(end).filter(|mid| mid.saturating_add(disk::ALIGN) <= end.offset) else {
        return Ok(None);
    };
    Ok(Some(Placed::read(source, "MID", offset)?.footer).filter(Footer::is_v2))
}

fn mid_offset(end: &Placed) -> Option<u64> {
    end.footer.index_lba.checked_sub(disk::ALIGN).filter(|mid| *mid >= disk::ALIGN)
}

/// The regions that END describes, as far as they are in the file.
fn regions(end: &Placed) -> Vec<Region> {
    let f = &end.footer;
    let mid = mid_offset(end);
    let named = [
        ("HEAD", Some(0), disk::ALIGN),
        ("records", mid.map(|_| disk::ALIGN), mid.unwrap_or(0).saturating_sub(disk::ALIGN)),
        ("MID", mid, disk::ALIGN),
        ("index", Some(f.index_lba), f.index_size.into()),
        ("bitmap", Some(f.bitmap_lba), f.bitmap_size.into()),
    ];
    let mut regions = named
        .into_iter()
        .filter_map(|(name, offset, length)| {
            let stop = offset?.checked_add(length)?;
            let there = length != 0 && stop <= end.offset;
            there.then_some(Region { name, offset: FileOffset(offset?), length: ByteCount(length) })
        })
        .collect::<Vec<_>>();
    // The only footer of a disk of size 0 is both.
    let name = if end.offset == 0 { "HEAD" } else { "END" };
    regions.push(Region { name, offset: FileOffset(end.offset), length: ByteCount(disk::ALIGN) });
    regions.sort_by_key(|region| region.offset);
    regions
}

/// What the file says about itself, without a check.
///
/// # Errors
///
/// If it can't be read, or is not ZVHD at all.
pub fn info(source: &dyn ReadAt) -> Result<Info, Error> {
    Info::new(source, &Footers::find(source)?)
}
