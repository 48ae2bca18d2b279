//! VMDK: one sparse file with its own header, plain (monolithicSparse) or compressed (streamOptimized).

mod grains;
mod header;

use std::path::Path;

use imsprep_source::{DiskReader, Extent, ReadAt, Result};

use crate::pieces::Pieces;
use crate::unpack::Method;
use crate::{Error, Slice};
use grains::Grains;
use header::Header;

const FORMAT: &str = "VMDK";

/// Reads the disk in a VMDK that is one sparse file. The descriptor in it is not looked at: whether it tells of a parent or
/// of other files is for whoever opens the disk to find out first.
pub struct Vmdk<'a>(Pieces<'a, Grains<'a>>);

impl<'a> Vmdk<'a> {
    /// Opens the disk: reads the header, of a stream the footer, and the grain directory.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] if there is no header of such a disk; or if the file can't be read.
    pub fn open(file: Slice<'a>) -> Result<Self, Error> {
        let header = Header::read(&file)?;
        let unit = usize::try_from(header.grain_size).unwrap_or(0);
        let packing = header.compressed.then_some((Method::Zlib, unit));
        let grains = Grains::read(file.clone(), header)?;
        Ok(Self(Pieces::new(file, grains, packing)))
    }
}

impl ReadAt for Vmdk<'_> {
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn size(&self) -> u64 {
        self.0.size()
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        self.0.read_at(buf, offset)
    }
}

impl DiskReader for Vmdk<'_> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        self.0.data_from(offset)
    }
    fn announce(&self, offset: u64, length: u64) {
        self.0.announce(offset, length);
    }
}
