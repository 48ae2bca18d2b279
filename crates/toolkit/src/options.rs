//! How a conversion is asked for.

use std::path::PathBuf;

use imsprep_bitmap::Layout;
use imsprep_findings::Overrides;
use imsprep_rules::{HUAWEI, Profile};
use imsprep_scan::IoMode;
use imsprep_source::Overwrite;
use imsprep_zvhd2::Level;

use crate::file_holes::FileHoles;
use crate::unpack::large_temp_folder;
use crate::{Checksum, DiskSelector};

/// How much of the disk in a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskLength {
    /// What the source image had: `orig_size`.
    #[default]
    Source,
    /// What readers expose: `curr_size`, the source's size rounded up to 1 GiB.
    Disk,
}

/// What becomes of the bytes that no file holds: those in the free space of file systems, in swap space, and in no logical volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FreeSpaceBytes {
    /// They are converted as all others. What leaving them out would save is counted, if that is known at little cost.
    #[default]
    Keep,
    /// They are not read and become zeros.
    LeaveOut,
}

/// Whether the disk gets another size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskFit {
    /// It keeps its own.
    #[default]
    AsItIs,
    /// It is enlarged to a multiple of 1 GiB, and the backup of its GPT is moved to its end.
    WholeGib,
}

/// How to convert.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// The output's name; `None` for a stream. [`prepare_image`](crate::prepare_image) takes `None` for a name beside the
    /// source.
    pub output: Option<PathBuf>,
    /// What to do with an output that is there already.
    pub overwrite: Overwrite,
    /// Whether to read the output back before it is put in place; not possible with a stream.
    pub verify: bool,
    /// Rules that the user allows or denies. An error is allowed only if the conversion works in spite of it.
    pub overrides: Overrides,
    /// Whether a warning forbids the conversion, too.
    pub strict: bool,
    /// Checksums of the source as it is given, which are verified before anything is written.
    pub checksums: Vec<Checksum>,
    /// Which disk of an archive; `None` is the only one, or the only system disk.
    pub disk: Option<DiskSelector>,
    /// Where a compressed disk is unpacked to that has to be read at random; `None` is beside the output, and for a stream the system's
    /// folder of temporary files.
    pub temp_folder: Option<PathBuf>,
    /// The cloud's rules.
    pub profile: &'static Profile,
    /// Whether the bytes that no file holds are left out: they are not read and become zeros.
    pub free_space: FreeSpaceBytes,
    /// Whether the disk is enlarged, with its partition table.
    pub fit: DiskFit,
    /// To RAW: how much of the disk. A disk that is enlarged is written completely.
    pub length: DiskLength,
    /// To RAW: whether to write its bitmap file, too. A stream has none.
    pub bitmap: bool,
    /// To RAW: the layout of the bitmap file; `None` is the default layout, which is unproven.
    pub layout: Option<Layout>,
    /// Whether the holes of the source are read.
    pub holes: FileHoles,
    /// To ZVHD2: how to read a RAW while looking for zero blocks.
    pub io: IoMode,
    /// To ZVHD2: how hard to compress.
    pub level: Level,
    /// To ZVHD2: the container's identity; `None` is a random one.
    pub uuid: Option<[u8; 16]>,
    /// To ZVHD2: when it was made, as footers hold it; `None` is now.
    pub timestamp: Option<u32>,
}

impl ConvertOptions {
    /// Where a compressed disk is unpacked to that has to be read at random.
    pub(crate) fn folder_to_unpack_in(&self) -> PathBuf {
        match (&self.temp_folder, &self.output) {
            (Some(folder), _) => folder.clone(),
            (None, Some(output)) => match output.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
                _ => PathBuf::from("."),
            },
            (None, None) => large_temp_folder(),
        }
    }
}

impl Default for ConvertOptions {
    /// Into a stream, nothing allowed. To RAW: what the source image had, with its bitmap in the default layout. To ZVHD2: as the reference does it.
    fn default() -> Self {
        Self {
            output: None,
            overwrite: Overwrite::Refuse,
            verify: false,
            overrides: Overrides::new(),
            strict: false,
            checksums: Vec::new(),
            disk: None,
            temp_folder: None,
            profile: &HUAWEI,
            free_space: FreeSpaceBytes::Keep,
            fit: DiskFit::AsItIs,
            length: DiskLength::Source,
            bitmap: true,
            layout: None,
            holes: FileHoles::AreZeros,
            io: IoMode::Auto,
            level: Level::REFERENCE,
            uuid: None,
            timestamp: None,
        }
    }
}
