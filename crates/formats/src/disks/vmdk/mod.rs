//! VMDK: one sparse file with its own header, plain (monolithicSparse) or compressed (streamOptimized).

mod claims;
mod grains;
mod header;

use std::path::Path;

use imsprep_source::{Cancel, DiskReader, Extent, ReadAt, Result};

use crate::claims::{Flaw, check, refuse_damaged};
use crate::pieces::Pieces;
use crate::unpack::Method;
use crate::{Error, Slice};
use grains::Grains;
use header::Header;

const FORMAT: &str = "VMDK";

/// Reads the disk in a VMDK that is one sparse file. The descriptor in it is not looked at: whether it describes a parent or
/// of other files is for whoever opens the disk to find out first.
pub struct Vmdk<'a>(Pieces<'a, Grains<'a>>);

impl<'a> Vmdk<'a> {
    /// Opens the disk: reads the header, of a stream the footer, and all tables, which must lie apart from each other and from
    /// all grains. That a place lies beyond the end of the file is an error when it is read.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] if there is no header of such a disk; [`imsprep_source::Error::Damaged`] if its tables
    /// contradict each other; or if the file cannot be read, or at a stop.
    pub fn open(file: Slice<'a>, cancel: &Cancel) -> Result<Self, Error> {
        let disk = Self::open_unchecked(file.clone())?;
        refuse_damaged(disk.flaws(&file, cancel)?, &file)?;
        Ok(disk)
    }

    pub(crate) fn open_unchecked(file: Slice<'a>) -> Result<Self, Error> {
        let header = Header::read(&file)?;
        let unit = usize::try_from(header.grain_size).unwrap_or(0);
        let packing = header.compressed.then_some((Method::Zlib, unit));
        let grains = Grains::read(file.clone(), header)?;
        Ok(Self(Pieces::new(file, grains, packing)))
    }

    pub(crate) fn flaws(&self, file: &Slice<'_>, cancel: &Cancel) -> Result<Vec<Flaw>> {
        check(file, self.0.layout(), &|at| self.0.expands(at), cancel)
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
