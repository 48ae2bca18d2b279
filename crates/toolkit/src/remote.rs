//! A disk that an NBD server has.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use imsprep_detect::{Detection, Format, detect};
use imsprep_formats::{Nbd, NbdAddress};
use imsprep_source::{Cancel, Error as SourceError, ReadAt};

use crate::{Error, Result};

/// How long a server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A disk that an NBD server has, which is read at any place.
pub struct RemoteDisk {
    nbd: Nbd,
    detection: Detection,
}

impl RemoteDisk {
    /// Connects to the server, and looks at the disk, if it is no larger than `most`.
    ///
    /// # Errors
    ///
    /// [`Error::Remote`]; [`Error::StreamTooLarge`]; [`Error::RemoteImage`] and [`Error::Ambiguous`] if the export is an image of another
    /// format, and not its disk; what reading brings.
    pub(crate) fn open(address: &NbdAddress, most: Option<u64>, cancel: &Cancel) -> Result<Self> {
        let (nbd, detection) = look(address, most, cancel)?;
        let path = nbd.path().to_owned();
        match detection.format {
            format if !detection.also.is_empty() => Err(Error::Ambiguous { path, format }),
            Format::Raw | Format::Empty => Ok(Self { nbd, detection }),
            format => Err(Error::RemoteImage { path, format }),
        }
    }

    /// The address.
    pub fn path(&self) -> &Path {
        self.nbd.path()
    }

    /// What is on the disk, as far as its first bytes and its end show.
    pub fn detection(&self) -> &Detection {
        &self.detection
    }

    /// The disk.
    pub(crate) fn disk(&self) -> &Nbd {
        &self.nbd
    }
}

/// Connects to an NBD server, and detects what it exports: a disk, or an image of a format. Tables of an image are not read.
///
/// # Errors
///
/// [`Error::Remote`] if the server can't be read from; what reading brings.
pub fn detect_export(address: &NbdAddress, cancel: &Cancel) -> Result<Detection> {
    look(address, None, cancel).map(|(_, detection)| detection)
}

fn look(address: &NbdAddress, most: Option<u64>, cancel: &Cancel) -> Result<(Nbd, Detection)> {
    let nbd = Nbd::connect(address, PATIENCE, cancel).map_err(|source| {
        if Nbd::is_stop(&source) {
            SourceError::Cancelled.into()
        } else {
            Error::Remote { path: address.to_string().into(), source }
        }
    })?;
    if let Some(most) = most.filter(|most| nbd.size() > *most) {
        return Err(Error::StreamTooLarge { path: nbd.path().to_owned(), most });
    }
    let detection = detect(&nbd)?;
    Ok((nbd, detection))
}

impl fmt::Debug for RemoteDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteDisk")
            .field("path", &self.path())
            .field("detection", &self.detection)
            .finish_non_exhaustive()
    }
}
