//! What was found out about a file, and where its parts are.

use std::path::Path;

use imsprep_detect::{Detection, Format};
use imsprep_findings::Finding;
use imsprep_inspect::Inspection;

/// What was found out about a file.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// What it is.
    pub detection: &'a Detection,
    /// What is on the disk in it; `None` if that was not looked at.
    pub inside: Option<Inside<'a>>,
    /// Whether the disk is known to hold only zeros. `false` also if not all of it was read.
    pub all_zeros: bool,
}

/// What is on the disk in an image.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    /// What inspection says.
    pub inspection: &'a Inspection,
    /// The image that it lies in.
    pub medium: Medium<'a>,
    /// How much of the disk the inspection has read.
    pub part: DiskPart,
}

/// How much of a disk was inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskPart {
    /// All that inspection asks for.
    Whole,
    /// The first block of a disk whose size is known. It can show that the disk is cut off, and nothing else for certain.
    Start,
}

/// The unit in which a place on a container's disk is reported.
const BLOCK: u64 = 2 << 20;

impl Inside<'_> {
    /// The finding at this offset on the disk.
    pub(crate) fn at(&self, finding: Finding, offset: u64) -> Finding {
        match self.medium.kind {
            MediumKind::Raw | MediumKind::Export => finding.at(offset),
            MediumKind::Other => finding.in_block(offset / BLOCK),
        }
    }
}

/// What advice on the partition table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Medium<'a> {
    /// The image, or the address of an export.
    pub path: &'a Path,
    /// How other tools get at its disk.
    pub kind: MediumKind,
    /// The number of the disk in an archive.
    pub number: Option<u32>,
}

/// How other tools get at a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediumKind {
    /// It is in a RAW, which tools for partition tables can change.
    Raw,
    /// It is in an image of another format.
    Other,
    /// A server has it, at an address.
    Export,
}

impl MediumKind {
    /// Of an image of this format.
    pub fn of(format: Format) -> Self {
        if format == Format::Raw { Self::Raw } else { Self::Other }
    }
}

/// Where the image is, as far as a command can name it.
#[derive(Clone, Copy, Debug)]
pub enum ImageLocation<'a> {
    /// In a file of its own.
    File(&'a Path),
    /// In an archive, where no other program finds it.
    Archive,
}
