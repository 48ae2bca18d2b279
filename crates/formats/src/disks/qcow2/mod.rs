//! qcow2, versions 2 and 3.

mod claims;
mod entry;
mod header;
mod tables;

use std::path::Path;

use imsprep_source::{Cancel, DiskReader, Extent, ReadAt, Result};

use crate::claims::{Flaw, check, refuse_damaged};
use crate::pieces::Pieces;
use crate::{Error, Slice};
use header::Header;
use tables::Tables;

const FORMAT: &str = "qcow2";

/// Reads the disk in a qcow2 of version 2 or 3: its current state. Any size of clusters, extended L2 entries, and clusters
/// compressed by deflate and by Zstandard. Reference counts are not compared with the tables: they matter to writers alone.
pub struct Qcow2<'a>(Pieces<'a, Tables<'a>>);

impl<'a> Qcow2<'a> {
    /// Opens the disk: reads the header and all tables, of which each must be what it can be, and lie apart from all others
    /// and from all clusters. That a place lies beyond the end of the file is an error when it is read.
    ///
    /// # Errors
    ///
    /// [`Error::Unreadable`] if the header is not that of a disk that is complete, plain and in this file: a backing file, an
    /// external data file, encryption, the corrupt bit and unknown incompatible features are refused;
    /// [`imsprep_source::Error::Damaged`] if its tables contradict each other; or if the file cannot be read, or at a stop.
    pub fn open(file: Slice<'a>, cancel: &Cancel) -> Result<Self, Error> {
        let disk = Self::open_unchecked(file.clone())?;
        refuse_damaged(disk.flaws(&file, cancel)?, &file)?;
        Ok(disk)
    }

    pub(crate) fn open_unchecked(file: Slice<'a>) -> Result<Self, Error> {
        let header = Header::read(&file)?;
        let unit = usize::try_from(header.cluster_size()).unwrap_or(0);
        let method = header.method;
        let tables = Tables::read(file.clone(), header)?;
        Ok(Self(Pieces::new(file, tables, Some((method, unit)))))
    }

    pub(crate) fn flaws(&self, file: &Slice<'_>, cancel: &Cancel) -> Result<Vec<Flaw>> {
        check(file, self.0.layout(), &|at| self.0.expands(at), cancel)
    }
}

impl ReadAt for Qcow2<'_> {
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

impl DiskReader for Qcow2<'_> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        self.0.data_from(offset)
    }
    fn announce(&self, offset: u64, length: u64) {
        self.0.announce(offset, length);
    }
}
