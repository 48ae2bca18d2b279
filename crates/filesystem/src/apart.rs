//! Reading one file of a volume on another thread.

use std::rc::Rc;

use imsprep_source::ReadAt;

use crate::cached::Cached;
use crate::{Access, FileSystem, GuestFile, Node, Result};

/// How a file system is opened again on another thread, with a cache of its own. What that costs counts with the rest.
pub struct Apart<'a>(Box<Open<'a>>);

type Open<'a> = dyn FnOnce() -> Result<Rc<dyn FileSystem + 'a>> + Send + 'a;

impl<'a> Apart<'a> {
    /// By what opens it, which is called on the other thread.
    pub(crate) fn new(open: impl FnOnce() -> Result<Rc<dyn FileSystem + 'a>> + Send + 'a) -> Self {
        Self(Box::new(open))
    }
}

/// A volume below a reader, without what its thread has read of it.
pub(crate) struct Fresh<'a> {
    pub(crate) source: &'a dyn ReadAt,
    pub(crate) access: Access,
}

impl<'a> Fresh<'a> {
    pub(crate) fn cached(&self) -> Cached<'a> {
        Cached::new(self.source, &self.access)
    }
}

/// An open file that can be handed to another thread, by [`GuestFile::apart`].
pub struct FileApart<'a> {
    pub(crate) apart: Apart<'a>,
    pub(crate) node: Node,
    pub(crate) path: Vec<u8>,
    pub(crate) size: u64,
}

impl<'a> FileApart<'a> {
    /// Its size in bytes, as the file system has it.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Opens the file's volume again, on this thread.
    ///
    /// # Errors
    ///
    /// If the volume can't be read.
    pub fn open(self) -> Result<GuestFile<'a>> {
        let files = (self.apart.0)().map_err(|error| error.at(&self.path))?;
        Ok(GuestFile::owned(files, self.node, self.path, self.size))
    }
}
