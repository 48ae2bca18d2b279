//! How a file is checked.

use std::path::PathBuf;

use imsprep_bitmap::Layout;
use imsprep_findings::Overrides;
use imsprep_rules::{HUAWEI, Intent, Profile};
use imsprep_scan::IoMode;

use crate::{Checksum, DiskSelector, FileHoles};

/// How closely to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Structure and content.
    #[default]
    Content,
    /// Structure alone; the content is listed as not checked.
    Quick,
}

/// What is done about the bitmap file of a RAW that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingBitmap {
    /// Its absence is reported.
    #[default]
    Report,
    /// It is written if the image is otherwise importable.
    Write,
    /// The image is judged as if it could be written; nothing is.
    Foresee,
}

/// How to check.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// How closely to look.
    pub depth: Depth,
    /// The cloud's rules.
    pub profile: &'static Profile,
    /// What the import is going to be.
    pub intent: Intent,
    /// Rules that the user allows or denies.
    pub overrides: Overrides,
    /// What is done about the bitmap file of a RAW that has none.
    pub missing_bitmap: MissingBitmap,
    /// Hash the image and its bitmap file, in the pass that looks at the content.
    pub digest: bool,
    /// Checksums of the file as it is given, which are verified before it is checked.
    pub checksums: Vec<Checksum>,
    /// Which disk of an archive is looked into; `None` is the only one, or the only system disk.
    pub disk: Option<DiskSelector>,
    /// The layout that the service's bitmap files are in, as the user learned or described it; tried before the
    /// built-in ones, and written. `None` is the default layout, which is unproven.
    pub layout: Option<Layout>,
    /// Tell where the disk has data, in at most so many pieces. A RAW is then scanned even where it has no bitmap file that
    /// could be compared with its content.
    pub overview: Option<usize>,
    /// Where a compressed disk is unpacked to that has to be read at random; `None` is [`large_temp_folder`](crate::large_temp_folder).
    pub temp_folder: Option<PathBuf>,
    /// Whether the holes of the file are read.
    pub holes: FileHoles,
    /// How to bring the image's bytes in.
    pub io: IoMode,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            depth: Depth::Content,
            profile: &HUAWEI,
            intent: Intent::default(),
            overrides: Overrides::new(),
            missing_bitmap: MissingBitmap::Report,
            digest: false,
            checksums: Vec::new(),
            disk: None,
            layout: None,
            overview: None,
            temp_folder: None,
            holes: FileHoles::AreZeros,
            io: IoMode::Auto,
        }
    }
}
