//! The disk in an image file, whatever its format.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use imsprep_detect::{Access, Detection, Format};
use imsprep_formats::{Nbd, ServeError, Slice, open_disk};
use imsprep_inspect::Fitting;
use imsprep_rules::{ImageLocation, shell_quoted};
use imsprep_source::{BlockMap, BlockSize, Cancel, DiskReader, Extent, ImageFile, ReadAt};
use imsprep_zvhd2::Reader;

use crate::archive::{Member, not_read};
use crate::fitted::Fitted;
use crate::image::refuse_unless_readable;
use crate::remote::RemoteDisk;
use crate::sparsified::Sparsified;
use crate::{Error, OpenedImage, Result};

/// The disk in an image file: of a RAW the file itself, of a ZVHD2 or ZVHD what its records hold, of another format what
/// its tables say.
pub struct Disk<'a> {
    format: Format,
    inner: Inner<'a>,
}

enum Inner<'a> {
    Raw(&'a ImageFile),
    Container(Box<Reader<'a>>),
    Foreign(Box<dyn DiskReader + 'a>),
    Remote(&'a Nbd),
    Sparsified(Box<Sparsified<Disk<'a>>>),
    Fitted(Box<Fitted<Disk<'a>>>),
}

/// Opens the disk in a member of an archive. qemu takes a member that is stored as it is for a file.
fn open_member<'a>(
    archive: &'a OpenedImage,
    member: &Member,
    cancel: &Cancel,
) -> Result<Box<dyn DiskReader + 'a>> {
    let (image, of) = (archive.content(), archive.format());
    if member.is_packed() || member.needs_a_file() {
        return Err(not_read(image, of, member));
    }
    let (bytes, detection) = (member.bytes(image)?, &member.detection);
    match detection.format.access() {
        // As in a file of its own.
        Access::Plain => {
            refuse_unless_readable(image.path(), ImageLocation::Archive, detection)?;
            Ok(Box::new(bytes))
        }
        Access::Own(_) => open_slice(bytes, ImageLocation::Archive, detection, cancel),
        Access::Qemu(driver) => {
            refuse_unless_readable(image.path(), ImageLocation::Archive, detection)?;
            // It lies in the archive, or reading it would have failed.
            let Some(part) = member.extent() else { return Err(not_read(image, of, member)) };
            let threads = rayon::current_num_threads();
            match Nbd::open_part(image, part, driver, threads, cancel) {
                Ok(Some(disk)) => Ok(Box::new(disk)),
                Ok(None) | Err(ServeError::Absent { .. }) => Err(not_read(image, of, member)),
                Err(ServeError::Cancelled) => Err(imsprep_source::Error::Cancelled.into()),
                Err(other) => Err(Error::Served(other)),
            }
        }
        _ => Err(not_read(image, of, member)),
    }
}

/// Opens the disk in a member of an archive that was unpacked to a file.
fn open_unpacked<'a>(content: &'a ImageFile, detection: &Detection, cancel: &Cancel) -> Result<Inner<'a>> {
    refuse_unless_readable(content.path(), ImageLocation::Archive, detection)?;
    Ok(match detection.format.access() {
        Access::Plain => Inner::Foreign(Box::new(Slice::whole(content))),
        Access::Container => Inner::Container(Box::new(Reader::open(content, cancel)?)),
        Access::Qemu(driver) => {
            Inner::Foreign(Box::new(open_served(content, detection.format, driver, cancel)?))
        }
        _ => {
            let place = ImageLocation::Archive;
            Inner::Foreign(open_slice(Slice::whole(content), place, detection, cancel)?)
        }
    })
}

/// Opens the disk by a reader of ours.
fn open_slice<'a>(
    file: Slice<'a>,
    place: ImageLocation<'_>,
    detection: &Detection,
    cancel: &Cancel,
) -> Result<Box<dyn DiskReader + 'a>> {
    let (path, format) = (file.path().to_owned(), detection.format);
    refuse_unless_readable(&path, place, detection)?;
    open_disk(file, format, cancel)?.ok_or(Error::NoDisk { path, format })
}

/// Opens the disk through qemu's server.
fn open_served(image: &ImageFile, format: Format, driver: &'static str, cancel: &Cancel) -> Result<Nbd> {
    let path = image.path();
    Nbd::open(image, driver, rayon::current_num_threads(), cancel).map_err(|error| match error {
        ServeError::Cancelled => imsprep_source::Error::Cancelled.into(),
        ServeError::Absent { .. } => {
            let (from, to) = (shell_quoted(path), shell_quoted(&path.with_extension("raw")));
            let command = format!("`qemu-img convert -p -f {driver} -O raw {from} {to}`");
            Error::NeedsQemu { path: path.to_owned(), format, command }
        }
        other => Error::Served(other),
    })
}

impl OpenedImage {
    /// Opens the disk in the image; in an archive the selected one, or the only one. If the image has snapshots, it is
    /// the current state.
    ///
    /// # Errors
    ///
    /// [`Error::NoDisk`](crate::Error::NoDisk) if the format is none that can be read;
    /// [`Error::NotReadable`](crate::Error::NotReadable) if part of the disk is elsewhere, or it is encrypted or damaged; as
    /// [`select_disk`](Self::select_disk); or what opening it brings.
    pub fn disk(&self, cancel: &Cancel) -> Result<Disk<'_>> {
        Disk::open(self, cancel)
    }
}

impl<'a> Disk<'a> {
    fn open(image: &'a OpenedImage, cancel: &Cancel) -> Result<Self> {
        let (file, detection) = (image.content(), image.detection());
        let inner = match detection.format.access() {
            // An ISO image and an encrypted disk are what a machine would see, byte for byte.
            Access::Plain => Inner::Raw(file),
            Access::Container => Inner::Container(Box::new(Reader::open(file, cancel)?)),
            Access::Archive => match (image.member(), image.member_content()) {
                (Some(member), Some(content)) => open_unpacked(content, &member.detection, cancel)?,
                (Some(member), None) => Inner::Foreign(open_member(image, member, cancel)?),
                (None, _) => Inner::Foreign(open_member(image, &image.find_member(None, cancel)?, cancel)?),
            },
            Access::Qemu(driver) => {
                refuse_unless_readable(file.path(), ImageLocation::File(file.path()), detection)?;
                Inner::Foreign(Box::new(open_served(file, detection.format, driver, cancel)?))
            }
            _ => {
                let place = ImageLocation::File(file.path());
                Inner::Foreign(open_slice(image.bytes(), place, detection, cancel)?)
            }
        };
        Ok(Self { format: detection.format, inner })
    }

    /// Opens the disk in a member of an archive, or in the file that it was unpacked to.
    pub(crate) fn of_member(
        image: &'a OpenedImage,
        member: &Member,
        unpacked: Option<&'a ImageFile>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let inner = match unpacked {
            Some(content) => open_unpacked(content, &member.detection, cancel)?,
            None => Inner::Foreign(open_member(image, member, cancel)?),
        };
        Ok(Self { format: image.format(), inner })
    }

    /// The image is the disk, whatever its bytes look like: a disk may well hold a container.
    pub(crate) fn raw(image: &'a ImageFile) -> Self {
        Self { format: Format::Raw, inner: Inner::Raw(image) }
    }

    /// The disk that a server has.
    pub(crate) fn remote(remote: &'a RemoteDisk) -> Self {
        Self { format: remote.detection().format, inner: Inner::Remote(remote.disk()) }
    }

    /// The disk with zeros in these ranges, which are ascending and not next to each other.
    pub(crate) fn sparsified(self, free: &Arc<[Range<u64>]>) -> Self {
        let (format, is_raw) = (self.format, self.raw_file().is_some());
        Self { format, inner: Inner::Sparsified(Box::new(Sparsified::new(self, Arc::clone(free), is_raw))) }
    }

    /// The disk as it is enlarged.
    pub(crate) fn fitted(self, fitting: &Fitting) -> Self {
        Self { format: self.format, inner: Inner::Fitted(Box::new(Fitted::new(self, fitting))) }
    }

    /// The image's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The reader of a ZVHD2 or ZVHD.
    pub fn container(&self) -> Option<&Reader<'a>> {
        match &self.inner {
            Inner::Container(reader) => Some(reader),
            Inner::Sparsified(disk) => disk.inner().container(),
            Inner::Fitted(disk) => disk.inner().container(),
            Inner::Raw(_) | Inner::Foreign(_) | Inner::Remote(_) => None,
        }
    }

    /// The file, where it is the disk byte for byte.
    pub(crate) fn raw_file(&self) -> Option<&'a ImageFile> {
        match &self.inner {
            Inner::Raw(image) => Some(image),
            Inner::Container(_)
            | Inner::Foreign(_)
            | Inner::Remote(_)
            | Inner::Sparsified(_)
            | Inner::Fitted(_) => None,
        }
    }

    /// Bytes of the source image, which a container's disk goes on after; of a disk that is enlarged what it is enlarged to, and of all
    /// others the disk's size.
    pub fn orig_size(&self) -> u64 {
        if let Inner::Fitted(disk) = &self.inner {
            return disk.fitted_size();
        }
        self.container().map_or(self.size(), Reader::orig_size)
    }

    /// The blocks that may hold data, as far as the image shows without its data being read.
    ///
    /// # Errors
    ///
    /// [`imsprep_source::Error::TooManyBlocks`], a stop, or if tables can't be read.
    pub(crate) fn allocated_blocks(&self, size: u64, cancel: &Cancel) -> Result<BlockMap> {
        let mut map = BlockMap::zeroed(self.path(), size, BlockSize::MIB_2)?;
        let block_size = BlockSize::MIB_2.bytes();
        let mut at = 0;
        while let Some(extent) = self.data_from(at)?.filter(|extent| extent.start < size) {
            cancel.check()?;
            let end = extent.end.min(size);
            (extent.start / block_size..end.div_ceil(block_size)).for_each(|block| map.set(block, true));
            // The rest of the last block is set as well: a disk may have thousands of stretches in each.
            at = extent.end.checked_next_multiple_of(block_size).map_or(size, |at| at.min(size));
        }
        Ok(map)
    }

    /// How many threads may read at once with any gain, where there are `threads`.
    pub(crate) fn readers(&self, threads: usize) -> usize {
        if self.container().is_none_or(Reader::is_parallel) { threads } else { 1 }
    }

    fn reader(&self) -> &dyn DiskReader {
        match &self.inner {
            Inner::Raw(image) => *image,
            Inner::Container(reader) => &**reader,
            Inner::Foreign(disk) => &**disk,
            Inner::Remote(disk) => *disk,
            Inner::Sparsified(disk) => &**disk,
            Inner::Fitted(disk) => &**disk,
        }
    }
}

impl ReadAt for Disk<'_> {
    fn path(&self) -> &Path {
        self.reader().path()
    }

    fn size(&self) -> u64 {
        self.reader().size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> imsprep_source::Result<()> {
        self.reader().read_at(buf, offset)
    }
}

impl DiskReader for Disk<'_> {
    fn data_from(&self, offset: u64) -> imsprep_source::Result<Option<Extent>> {
        self.reader().data_from(offset)
    }

    fn announce(&self, offset: u64, length: u64) {
        self.reader().announce(offset, length);
    }
}
