//! An image that was opened and looked at.

use std::path::{Path, PathBuf};

use imsprep_detect::{Detection, Format};
use imsprep_rules::ImageLocation;
use imsprep_source::{Cancel, ImageFile, ReadAt};

use crate::archive::{Member, disk_in};
use crate::disk::refuse_unless_readable;
use crate::look::look_at;
use crate::{Disk, Result};

/// An image file that was opened once, and what it is. All that is done with the image goes through this one descriptor, so that
/// what is read is what was looked at, whatever the name leads to by then.
#[derive(Debug)]
pub struct OpenedImage {
    file: ImageFile,
    detection: Detection,
    member: Option<Member>,
}

impl OpenedImage {
    /// Opens the image at `path`, detects its format and looks at its tables, and for the descriptor of an extent-file.
    ///
    /// # Errors
    ///
    /// If the file can't be opened or read, or at a stop.
    pub fn open(path: impl Into<PathBuf>, cancel: &Cancel) -> Result<Self> {
        Self::new(ImageFile::open(path)?, cancel)
    }

    /// The same of an open file.
    pub(crate) fn new(file: ImageFile, cancel: &Cancel) -> Result<Self> {
        let detection = look_at(&file, cancel)?;
        Ok(Self { file, detection, member: None })
    }

    /// Where the image is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    pub fn file(&self) -> &ImageFile {
        &self.file
    }

    /// What the file is.
    pub fn detection(&self) -> &Detection {
        &self.detection
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.detection.format
    }

    /// The disk that was selected in an archive.
    pub fn member(&self) -> Option<&Member> {
        self.member.as_ref()
    }

    /// Selects the disk of this number in an archive, counted from 1; `None` is the only one. Other formats hold one disk, and
    /// nothing is selected.
    ///
    /// # Errors
    ///
    /// [`Error::NotReadable`](crate::Error::NotReadable) if the archive is damaged;
    /// [`Error::WhichDisk`](crate::Error::WhichDisk); [`Error::MemberNotRead`](crate::Error::MemberNotRead) if no disk in it
    /// can be read where it is.
    pub fn select_disk(&mut self, number: Option<u32>, cancel: &Cancel) -> Result<()> {
        if self.format() == Format::Tar {
            self.member = Some(self.find_member(number, cancel)?);
        }
        Ok(())
    }

    pub(crate) fn find_member(&self, number: Option<u32>, cancel: &Cancel) -> Result<Member> {
        refuse_unless_readable(self.path(), ImageLocation::File(self.path()), &self.detection)?;
        disk_in(&self.file, number, cancel)
    }

    /// Opens the disk in the image; in an archive the selected one, or the only one. Of an image with snapshots it is the
    /// current state.
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
