//! The disk in an image as a read-only NBD export.

use std::path::{Path, PathBuf};

use imsprep_detect::Format;
use imsprep_formats::Export;
use imsprep_source::{Cancel, DiskReader, Error as SourceError, Extent, LocalListener, ReadAt};

use crate::targets::refuse_bitmap;
use crate::{Disk, DiskLength, DiskSelector, Error, OpenedImage, Result};

/// What to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The image.
    pub image: PathBuf,
    /// The socket, which must not exist.
    pub socket: PathBuf,
    /// The number of the disk in an archive, counted from 1; `None` is the only one.
    pub disk: Option<DiskSelector>,
    /// How much of the disk of a ZVHD2 or ZVHD.
    pub length: DiskLength,
}

/// An export that clients can connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedDisk {
    /// The image.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// The socket.
    pub socket: PathBuf,
    /// Bytes of the export.
    pub size: u64,
}

/// Serves the disk in an image until the stop, to any number of clients; `ready` is called once, when they can connect. The image is
/// only read, and one that is changed meanwhile ends the export.
///
/// # Errors
///
/// As [`OpenedImage::disk`]; [`Error::Socket`] if the socket can't be made; and, after `ready`, the stop
/// ([`imsprep_source::Error::Cancelled`]), or why the export ended: [`imsprep_source::Error::Changed`] if the image changed.
pub fn serve_image(
    options: &ServeOptions,
    cancel: &Cancel,
    ready: impl FnOnce(&ServedDisk) -> bool,
) -> Result<()> {
    let mut image = OpenedImage::open(&options.image, cancel)?;
    refuse_bitmap(&options.image, image.detection())?;
    image.select_disk(options.disk.as_ref(), cancel)?;
    let disk = image.disk(cancel)?;
    let size = match options.length {
        DiskLength::Source => disk.orig_size(),
        DiskLength::Disk => disk.size(),
    };
    let unchanged = || image.file().verify_unchanged();
    let part = Beginning { disk: &disk, size };
    let export = Export::new(&part, &unchanged);
    let listener = LocalListener::bind(&options.socket)
        .map_err(|source| Error::Socket { path: options.socket.clone(), source })?;
    let served = ServedDisk {
        path: options.image.clone(),
        format: disk.format(),
        socket: options.socket.clone(),
        size,
    };
    if !ready(&served) {
        return Ok(());
    }
    Ok(export.serve_all(&listener, &options.socket, cancel)?)
}

/// A disk up to a size: what the image was made from, without what a container adds.
struct Beginning<'a> {
    disk: &'a Disk<'a>,
    size: u64,
}

impl ReadAt for Beginning<'_> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> imsprep_source::Result<()> {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.size) {
            return Err(SourceError::UnexpectedEnd { path: self.path().to_owned(), offset: self.size });
        }
        self.disk.read_at(buf, offset)
    }
}

impl DiskReader for Beginning<'_> {
    fn data_from(&self, offset: u64) -> imsprep_source::Result<Option<Extent>> {
        let data = self.disk.data_from(offset)?.filter(|data| data.start < self.size);
        Ok(data.map(|data| Extent { start: data.start, end: data.end.min(self.size) }))
    }

    fn announce(&self, offset: u64, length: u64) {
        self.disk.announce(offset, length);
    }
}
