//! Making a RAW's bitmap file, and holding one against its image.

use std::path::{Path, PathBuf};

use imsprep_bitmap::{
    BitmapFile, Layout, Recognition, bitmap_path, check_against_content, layout, read_bitmap, write_bitmap,
};
use imsprep_detect::{Detection, Format, detect};
use imsprep_findings::{Overrides, Report};
use imsprep_scan::{IoMode, Scan, ScanOptions, scan};
use imsprep_source::{BlockMap, FileKind, ImageFile, OutputFile, Overwrite, Work};

use crate::bitmap_state::{BitmapContext, BitmapState, check_bitmap_file, with_command};
use crate::no_disk::doubt;
use crate::sampled::{SampledBlocks, sample_blocks};
use crate::targets::refuse_bitmap;
use crate::{Error, FileHoles, OpenedImage, Result};

/// How to make a bitmap file.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// Where to write it; `None` is beside the image, with the extension `.mf`.
    pub output: Option<PathBuf>,
    /// In which layout.
    pub layout: Layout,
    /// What to do with a file that is there already.
    pub overwrite: Overwrite,
    /// Whether the holes of the image are read.
    pub holes: FileHoles,
    /// How to bring the image's bytes in.
    pub io: IoMode,
}

impl Default for CreateOptions {
    /// Beside the image, in the default layout, replacing nothing.
    fn default() -> Self {
        Self {
            output: None,
            layout: layout::ZVHD2.clone(),
            overwrite: Overwrite::Refuse,
            holes: FileHoles::AreZeros,
            io: IoMode::Auto,
        }
    }
}

/// A bitmap file that was written.
#[derive(Debug)]
pub struct BitmapCreated {
    /// The image.
    pub image: PathBuf,
    /// The bitmap file.
    pub path: PathBuf,
    /// Its layout.
    pub layout: Layout,
    /// Its length in bytes.
    pub length: u64,
    /// Size of the image in bytes.
    pub image_size: u64,
    /// What the scan found.
    pub scan: Scan,
    /// Why the image is not a disk.
    pub report: Report,
}

/// Scans the RAW at `path` and writes its bitmap.
///
/// # Errors
///
/// [`Error::NotRaw`] if the file is anything but RAW; [`Error::DeviceNeedsOutput`]; [`Error::CannotEncode`]; whatever reading and
/// writing brings.
/// Nothing is left of a bitmap file that could not be finished.
pub fn create_bitmap(path: &Path, options: &CreateOptions, work: Work<'_>) -> Result<BitmapCreated> {
    let opened = OpenedImage::open_with(path, options.holes, work.cancel)?;
    refuse_bitmap(path, opened.detection())?;
    refuse_unless_raw(path, opened.detection())?;
    let image = opened.file();
    let CreateOptions { layout, overwrite, io, .. } = options;
    let (overwrite, io) = (*overwrite, *io);
    let output = match &options.output {
        Some(output) => output.clone(),
        None if image.kind() == FileKind::BlockDevice => {
            return Err(Error::DeviceNeedsOutput { path: path.to_owned() });
        }
        None => bitmap_path(path),
    };
    OutputFile::check_place(&output, Overwrite::Replace, &[image])?;
    refuse_to_replace_an_image(&output)?;
    // Fails now if nothing can be written there, not after an hour of scanning.
    drop(OutputFile::create(&output, overwrite, &[image])?);
    let mut report = Report::new();
    if let Some(doubt) = doubt(path, image, opened.detection(), work.cancel)? {
        report.push(doubt);
    }
    let options = ScanOptions { block_size: layout.block_size, io };
    let found = scan(image, &options, work)?;
    let bytes = layout.encode(&found.map).map_err(|why| Error::cannot_encode(&output, layout, why))?;
    let length = write_bitmap(&output, &bytes, overwrite, &[image])?;
    let image_size = found.map.image_size();
    Ok(BitmapCreated {
        image: path.to_owned(),
        path: output,
        layout: layout.clone(),
        length,
        image_size,
        scan: found,
        report,
    })
}

/// How to hold a bitmap file against its image.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// The bitmap file; `None` is the one beside the image.
    pub bitmap: Option<PathBuf>,
    /// A layout to try before the built-in ones.
    pub layout: Option<Layout>,
    /// Rules that the user allows or denies.
    pub overrides: Overrides,
    /// Only so many blocks, picked at random.
    pub sample: Option<u64>,
    /// How to bring the image's bytes in.
    pub io: IoMode,
}

/// What a bitmap file was compared with.
#[derive(Debug)]
pub enum ComparedBlocks {
    /// Every block of the image.
    All(Scan),
    /// Some blocks.
    Some(SampledBlocks),
    /// None: there was nothing to compare.
    Nothing,
}

/// A bitmap file that was compared with its image.
#[derive(Debug)]
pub struct BitmapVerified {
    /// The image.
    pub image: PathBuf,
    /// The bitmap file.
    pub path: PathBuf,
    /// What it is.
    pub state: BitmapState,
    /// What is wrong.
    pub report: Report,
    /// What it was compared with.
    pub compared: ComparedBlocks,
}

/// Compares a bitmap file with what the RAW at `path` holds.
///
/// # Errors
///
/// As [`create_bitmap`]. A bitmap that is wrong is `Ok` with findings.
pub fn verify_bitmap(path: &Path, options: &VerifyOptions, work: Work<'_>) -> Result<BitmapVerified> {
    let opened = OpenedImage::open(path, work.cancel)?;
    let (image, detection) = (opened.file(), opened.detection());
    refuse_bitmap(path, detection)?;
    refuse_unless_raw(path, detection)?;
    let bitmap = options.bitmap.clone().unwrap_or_else(|| bitmap_path(path));
    let file = read_bitmap(&bitmap, Some(detection.file_size), options.layout.as_ref())?;
    let mut report = Report::under(options.overrides.clone());
    if let Some(doubt) = doubt(path, image, detection, work.cancel)? {
        report.push(doubt);
    }
    let context = BitmapContext { image, bitmap: &bitmap, layout: options.layout.as_ref() };
    let (state, compared) = match (options.sample, &file.recognition) {
        (Some(count), Recognition::Known { map, .. }) => {
            let sampled = sample_blocks(image, map, count, work)?;
            let state = check_bitmap_file(&file, None, &context, &mut report);
            let mut found = Report::new();
            push_sampled(&sampled, map, &mut found);
            with_command(found, &context, &mut report);
            (state, ComparedBlocks::Some(sampled))
        }
        (None, Recognition::Known { .. } | Recognition::Unrecognised { .. }) => {
            let found = scan(image, &scan_options(&file, options.io), work)?;
            (check_bitmap_file(&file, Some(&found), &context, &mut report), ComparedBlocks::All(found))
        }
        // What is wrong with it stands in the file alone.
        _ => (check_bitmap_file(&file, None, &context, &mut report), ComparedBlocks::Nothing),
    };
    image.verify_unchanged()?;
    Ok(BitmapVerified { image: path.to_owned(), path: bitmap, state, report, compared })
}

/// A scan in the blocks that the bitmap file has.
pub(crate) fn scan_options(file: &BitmapFile, io: IoMode) -> ScanOptions {
    match &file.recognition {
        Recognition::Known { map, .. } => ScanOptions { block_size: map.block_size(), io },
        _ => ScanOptions { io, ..ScanOptions::default() },
    }
}

fn push_sampled(sampled: &SampledBlocks, claimed: &BlockMap, report: &mut Report) {
    let SampledBlocks { blocks, read, data_marked_zero, zero_marked_data } = sampled;
    let mut content = claimed.clone();
    data_marked_zero.iter().for_each(|block| content.set(*block, true));
    zero_marked_data.iter().for_each(|block| content.set(*block, false));
    check_against_content(claimed, &content, report);
    if read < blocks {
        let left = blocks - read;
        report.push_not_checked(
            format!("{left} of {blocks} blocks"),
            format!("a sample of {read} was requested"),
        );
    }
}

/// A bitmap file shows no signs of anything; a file with signs of an image was probably named by mistake.
pub(crate) fn refuse_to_replace_an_image(output: &Path) -> Result<()> {
    let Ok(there) = ImageFile::open(output) else { return Ok(()) };
    let found = detect(&there)?;
    match found.format {
        Format::Raw if found.evidence.is_empty() => match read_bitmap(output, None, None)?.recognition {
            Recognition::Other { what } => Err(Error::OtherFile { path: output.to_owned(), what }),
            _ => Ok(()),
        },
        Format::Empty => Ok(()),
        format => Err(Error::OutputIsImage { path: output.to_owned(), format }),
    }
}

pub(crate) fn refuse_unless_raw(path: &Path, detection: &Detection) -> Result<()> {
    let (path, format) = (path.to_owned(), detection.format);
    match format {
        // An empty RAW has an empty map; there is nothing to say about it that the check does not say better.
        Format::Raw if detection.also.is_empty() => Ok(()),
        Format::Raw => Err(Error::Ambiguous { path, format }),
        _ => Err(Error::NotRaw { path, format }),
    }
}
