//! What a look at one disk saw: partitions, file systems, and the files of the system.

use std::path::Path;

use imsprep_detect::Detection;
use imsprep_guest::{DiskSpace, Guest};
use imsprep_inspect::{Inspection, inspect_source};
use imsprep_rules::{Intent, SystemAsked, asks_for_a_system};
use imsprep_source::{Cancel, ReadAt};

use crate::space::report_space;
use crate::{Error, GUEST_LIMITS, OpenedImage, Result, read_guest};

/// What was seen of a disk.
pub(crate) struct DiskSeen {
    /// What is on it, or why it was not looked into.
    pub(crate) inside: std::result::Result<Inspection, String>,
    /// The files of the system on it.
    pub(crate) system: SystemFiles,
    /// How much of its volumes is free; `None` if that was not read.
    pub(crate) space: Option<DiskSpace>,
}

/// Whether the files of the system on a disk were read.
pub(crate) enum SystemFiles {
    /// They were.
    Read(Box<Guest>),
    /// Nothing is asked of a data disk.
    NotAsked(SystemAsked),
    /// They were not, for this reason.
    NotRead(String),
}

impl SystemFiles {
    /// The system, if its files were read.
    pub(crate) fn into_guest(self) -> Option<Guest> {
        match self {
            Self::Read(guest) => Some(*guest),
            Self::NotAsked(_) | Self::NotRead(_) => None,
        }
    }
}

/// What was seen of the disk of a server.
pub(crate) struct SeenExport<'a> {
    /// The address.
    pub(crate) path: &'a Path,
    /// What is on the disk, as far as its first bytes and its end show.
    pub(crate) detection: &'a Detection,
    /// What is on the disk.
    pub(crate) disk: &'a DiskSeen,
    /// Whether the disk is known to hold nothing but zeros.
    pub(crate) all_zeros: bool,
}

impl DiskSeen {
    /// A disk that was not looked into, for this reason.
    pub(crate) fn closed(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { system: SystemFiles::NotRead(why.clone()), inside: Err(why), space: None }
    }
}

/// What is asked of a disk, and what is known of its system.
#[derive(Clone, Copy)]
pub(crate) struct SystemWanted<'a> {
    /// What the import is going to be.
    pub(crate) intent: &'a Intent,
    /// The system, if it was read from another image of the same disk.
    pub(crate) known: Option<&'a Guest>,
}

/// What is on the disk in an image that no import takes as it is, or why that was not looked into. Whatever speaks against
/// opening it is reported by the rules on its format.
pub(crate) fn look_into(image: &OpenedImage, wanted: SystemWanted<'_>, cancel: &Cancel) -> Result<DiskSeen> {
    let disk = match image.disk(cancel) {
        Ok(disk) => disk,
        Err(Error::NoDisk { format, .. }) => {
            return Ok(DiskSeen::closed(format!("the disk in this {format} file is not inspected")));
        }
        Err(error) if error.is_about_the_disk() => return Ok(DiskSeen::closed(error.to_string())),
        Err(error) => return Err(error),
    };
    look_at_disk(&disk, disk.orig_size(), wanted, cancel)
}

/// What is on a disk, with the files of its system if they are asked for.
pub(crate) fn look_at_disk(
    disk: &dyn ReadAt,
    source_size: u64,
    wanted: SystemWanted<'_>,
    cancel: &Cancel,
) -> Result<DiskSeen> {
    let inspection = match inspect_unless_damaged(disk, source_size, cancel)? {
        Ok(inspection) => inspection,
        Err(why) => return Ok(DiskSeen::closed(why)),
    };
    let system = match asks_for_a_system(&inspection, wanted.intent) {
        SystemAsked::Yes => SystemFiles::Read(Box::new(match wanted.known {
            Some(known) => known.clone(),
            None => read_guest(&inspection, disk, GUEST_LIMITS, cancel)?,
        })),
        not => SystemFiles::NotAsked(not),
    };
    let space = report_space(&inspection, disk, cancel)?;
    Ok(DiskSeen { inside: Ok(inspection), system, space })
}

/// What is on a disk, or that the part of the image that tells it is damaged, which a quick look at the image does not show.
pub(crate) fn inspect_unless_damaged(
    disk: &dyn ReadAt,
    source_size: u64,
    cancel: &Cancel,
) -> Result<std::result::Result<Inspection, String>> {
    match inspect_source(disk, source_size, cancel) {
        Ok(inspection) => Ok(Ok(inspection)),
        Err(error @ imsprep_source::Error::Damaged { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}
