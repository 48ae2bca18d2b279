//! The disk in an image file, whatever its format.

use std::path::Path;

use imsprep_detect::{Detection, Format, detect};
use imsprep_source::{Cancel, DiskReader, Extent, ImageFile, ReadAt};
use imsprep_zvhd2::Reader;

use crate::fixed::FixedVhd;
use crate::{Error, Result};

/// The disk in an image file: of a RAW the file itself, of a fixed VHD what stands before its footer, of a ZVHD2 or ZVHD
/// what its records hold.
pub struct Disk<'a> {
    format: Format,
    inner: Inner<'a>,
}

enum Inner<'a> {
    Raw(&'a ImageFile),
    Fixed(FixedVhd<'a>),
    Container(Box<Reader<'a>>),
}

/// Opens the disk in `image`.
///
/// # Errors
///
/// [`Error::NoDisk`] if the format is none of these, or what opening a container brings.
pub fn open_disk<'a>(image: &'a ImageFile, cancel: &Cancel) -> Result<Disk<'a>> {
    let found = detect(image)?;
    let format = found.format;
    if let Some(fixed) = fixed(image, &found) {
        return Ok(Disk { format, inner: Inner::Fixed(fixed) });
    }
    let inner = match format {
        // An ISO image and an encrypted disk are what a machine would see, byte for byte.
        Format::Raw | Format::Iso9660 | Format::Luks | Format::Empty => Inner::Raw(image),
        Format::Zvhd2 | Format::Zvhd => Inner::Container(Box::new(Reader::open(image, cancel)?)),
        _ => {
            let advice = match format {
                Format::Qcow2 | Format::Qcow | Format::Vmdk | Format::Vhd | Format::Vhdx | Format::Vdi => {
                    "; make a RAW of it with qemu-img convert -O raw"
                }
                _ => "",
            };
            return Err(Error::NoDisk { path: image.path().to_owned(), format, advice });
        }
    };
    Ok(Disk { format, inner })
}

/// The disk in a fixed VHD that is sound.
fn fixed<'a>(image: &'a ImageFile, found: &Detection) -> Option<FixedVhd<'a>> {
    let is_fixed = found.format == Format::Vhd && found.variant == Some("fixed") && found.facts.is_empty();
    found.virtual_size.filter(|_| is_fixed).and_then(|size| FixedVhd::new(image, size))
}

impl<'a> Disk<'a> {
    /// The image is the disk, whatever its bytes look like: a disk may well hold a container.
    pub(crate) fn raw(image: &'a ImageFile) -> Self {
        Self { format: Format::Raw, inner: Inner::Raw(image) }
    }

    /// The image's format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The reader of a ZVHD2 or ZVHD.
    pub fn container(&self) -> Option<&Reader<'a>> {
        match &self.inner {
            Inner::Raw(_) | Inner::Fixed(_) => None,
            Inner::Container(reader) => Some(reader),
        }
    }

    /// Bytes of the source image, which a container's disk goes on after; of a RAW its size.
    pub fn orig_size(&self) -> u64 {
        self.container().map_or(self.size(), Reader::orig_size)
    }

    /// How many threads may read at once with any gain, where there are `threads`.
    pub(crate) fn readers(&self, threads: usize) -> usize {
        if self.container().is_none_or(Reader::is_parallel) { threads } else { 1 }
    }

    fn reader(&self) -> &dyn DiskReader {
        match &self.inner {
            Inner::Raw(image) => *image,
            Inner::Fixed(fixed) => fixed,
            Inner::Container(reader) => &**reader,
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
}
