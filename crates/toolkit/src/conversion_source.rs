//! What a conversion reads.

use std::borrow::Cow;
use std::path::Path;

use imsprep_detect::{Detection, Format};
use imsprep_source::{Cancel, Input, Work};

use crate::archive::Member;
use crate::remote::RemoteDisk;
use crate::stream::StreamSource;
use crate::wrapped::Blocks;
use crate::{Checksum, Disk, Error, OpenedImage, Result};

/// What a conversion reads.
#[derive(Debug)]
pub enum ConversionSource {
    /// An image file or block device.
    Image(OpenedImage),
    /// A stream.
    Stream(StreamSource),
    /// A disk of an NBD server.
    Remote(RemoteDisk),
}

impl ConversionSource {
    /// What messages call it: the path of a file, or the name of a stream.
    pub fn path(&self) -> &Path {
        match self {
            Self::Image(image) => image.path(),
            Self::Stream(stream) => stream.path(),
            Self::Remote(remote) => remote.path(),
        }
    }

    /// What it is; of a stream as far as its first bytes show.
    pub fn detection(&self) -> &Detection {
        match self {
            Self::Image(image) => image.detection(),
            Self::Stream(stream) => stream.detection(),
            Self::Remote(remote) => remote.detection(),
        }
    }

    /// Its format.
    pub fn format(&self) -> Format {
        self.detection().format
    }

    /// The format of the file if the image was unpacked to a temporary file.
    pub fn unpacked_from(&self) -> Option<Format> {
        match self {
            Self::Image(image) => image.unpacked_from(),
            Self::Stream(_) | Self::Remote(_) => None,
        }
    }

    /// The disk that was selected in an archive.
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Image(image) => image.member(),
            Self::Stream(_) | Self::Remote(_) => None,
        }
    }

    /// The file that is held; `None` of what is no file.
    pub fn image(&self) -> Option<&OpenedImage> {
        match self {
            Self::Image(image) => Some(image),
            Self::Stream(_) | Self::Remote(_) => None,
        }
    }

    /// The disk, which can be read at any place.
    ///
    /// # Errors
    ///
    /// As [`OpenedImage::disk`]; [`Error::StreamToStream`] of a stream: everything else reads its blocks.
    pub(crate) fn disk(&self, cancel: &Cancel) -> Result<Disk<'_>> {
        match self {
            Self::Image(image) => image.disk(cancel),
            Self::Stream(stream) => Err(Error::StreamToStream { path: stream.path().to_owned() }),
            Self::Remote(remote) => Ok(Disk::remote(remote)),
        }
    }

    /// What a file of its bytes would be called.
    pub(crate) fn content_name(&self) -> Cow<'_, Path> {
        match self {
            Self::Image(image) => image.content_name(),
            Self::Stream(_) | Self::Remote(_) => Cow::Borrowed(self.path()),
        }
    }

    /// The blocks of a disk that is read once, from its first byte to its last; `None` of one that can be read at any place.
    pub(crate) fn blocks(&self) -> Result<Option<Blocks<'_>>> {
        match self {
            Self::Image(image) => Blocks::open(image),
            Self::Stream(stream) => Ok(stream.take_blocks()),
            Self::Remote(_) => Ok(None),
        }
    }

    /// What an output must know of it.
    pub(crate) fn inputs(&self) -> Vec<Input> {
        match self {
            Self::Image(image) => vec![image.file().into()],
            Self::Stream(stream) => stream.input().cloned().into_iter().collect(),
            Self::Remote(_) => Vec::new(),
        }
    }

    /// Whether a file is still what it was when it was opened, and whether a stream or a file that was read in order is what its publisher
    /// has. All of a stream was read.
    pub(crate) fn verify(&self, checksums: &[Checksum], work: Work<'_>) -> Result<()> {
        match self {
            Self::Image(image) => {
                image.file().verify_unchanged()?;
                image.verify_hash(work)
            }
            Self::Stream(stream) => stream.verify(checksums),
            Self::Remote(_) => Ok(()),
        }
    }
}
