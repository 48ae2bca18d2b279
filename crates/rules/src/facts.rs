//! What was found out about a file, and where its parts are.

use std::path::Path;

use imsprep_detect::Detection;
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
        if self.medium.is_raw { finding.at(offset) } else { finding.in_block(offset / BLOCK) }
    }
}

/// What advice on the partition table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Medium<'a> {
    /// The image.
    pub path: &'a Path,
    /// Whether it is a RAW, which tools for partition tables can change.
    pub is_raw: bool,
    /// The number of the disk in an archive.
    pub number: Option<u32>,
}

/// Where the image is, as far as a command can name it.
#[derive(Clone, Copy, Debug)]
pub enum ImageLocation<'a> {
    /// In a file of its own.
    File(&'a Path),
    /// In an archive, where no other program finds it.
    Archive,
}
