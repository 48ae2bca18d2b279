//! Making a RAW's bitmap file, and holding one against its image.

use std::path::{Path, PathBuf};

use imsprep_bitmap::{Layout, bitmap_path, layout, read_bitmap, write_bitmap};
use imsprep_detect::{Detection, Format, detect};
use imsprep_findings::Report;
use imsprep_scan::{IoMode, Scan, ScanOptions, scan};
use imsprep_source::{Cancel, FileKind, ImageFile, OutputFile, Overwrite, Progress};

use crate::check::check_bitmap_file;
use crate::{BitmapState, Error, Result};

/// How to make a bitmap file.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// Where to write it; `None` is beside the image, with the extension `.mf`.
    pub output: Option<PathBuf>,
    /// In which layout.
    pub layout: &'static Layout,
    /// What to do with a file that is there already.
    pub overwrite: Overwrite,
    /// How to bring the image's bytes in.
    pub io: IoMode,
}

impl Default for CreateOptions {
    /// Beside the image, in the default layout, replacing nothing.
    fn default() -> Self {
        Self { output: None, layout: &layout::ZVHD2, overwrite: Overwrite::Refuse, io: IoMode::Auto }
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
    pub layout: &'static Layout,
    /// Its length in bytes.
    pub length: u64,
    /// Size of the image in bytes.
    pub image_size: u64,
    /// What the scan found.
    pub scan: Scan,
}

/// Scans the RAW at `path` and writes its bitmap.
///
/// # Errors
///
/// [`Error::NotRaw`] if the file is anything but RAW; [`Error::DeviceNeedsOutput`]; whatever reading and writing brings.
/// Nothing is left of a bitmap file that could not be finished.
pub fn create_bitmap(
    path: &Path,
    options: &CreateOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<BitmapCreated> {
    let image = ImageFile::open(path)?;
    refuse_unless_raw(path, &detect(&image)?)?;
    let CreateOptions { layout, overwrite, io, .. } = *options;
    let output = match &options.output {
        Some(output) => output.clone(),
        None if image.kind() == FileKind::BlockDevice => {
            return Err(Error::DeviceNeedsOutput { path: path.to_owned() });
        }
        None => bitmap_path(path),
    };
    // Fails now if nothing can be written there, not after an hour of scanning.
    drop(OutputFile::create(&output, overwrite, &[&image])?);
    refuse_to_replace_an_image(&output)?;
    let options = ScanOptions { block_size: layout.block_size, io };
    let found = scan(&image, &options, progress, cancel)?;
    let length = write_bitmap(&output, layout, &found.map, overwrite, &image)?;
    let image_size = found.map.image_size();
    Ok(BitmapCreated { image: path.to_owned(), path: output, layout, length, image_size, scan: found })
}

/// A bitmap file that was held against its image.
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
    /// What the image holds.
    pub scan: Scan,
}

/// Holds the bitmap at `bitmap`, or the one beside the RAW at `path`, against what the RAW holds.
///
/// # Errors
///
/// As [`create_bitmap`]. A bitmap that is wrong is `Ok` with findings.
pub fn verify_bitmap(
    path: &Path,
    bitmap: Option<&Path>,
    io: IoMode,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<BitmapVerified> {
    let image = ImageFile::open(path)?;
    let detection = detect(&image)?;
    refuse_unless_raw(path, &detection)?;
    let bitmap = bitmap.map_or_else(|| bitmap_path(path), Path::to_owned);
    let file = read_bitmap(&bitmap, detection.file_size)?;
    let options = ScanOptions { io, ..ScanOptions::default() };
    let found = scan(&image, &options, progress, cancel)?;
    let mut report = Report::new();
    let state = check_bitmap_file(&file, Some(&found), image.identity(), &mut report);
    Ok(BitmapVerified { image: path.to_owned(), path: bitmap, state, report, scan: found })
}

/// A bitmap file shows no signs of anything; what shows signs of an image is one that somebody has mistyped.
pub(crate) fn refuse_to_replace_an_image(output: &Path) -> Result<()> {
    let Ok(there) = ImageFile::open(output) else { return Ok(()) };
    let found = detect(&there)?;
    match found.format {
        Format::Raw if found.evidence.is_empty() => Ok(()),
        Format::Empty => Ok(()),
        format => Err(Error::OutputIsImage { path: output.to_owned(), format }),
    }
}

fn refuse_unless_raw(path: &Path, detection: &Detection) -> Result<()> {
    let advice = match detection.format {
        // An empty RAW has an empty map; there is nothing to say about it that the check does not say better.
        Format::Raw if detection.also.is_empty() => return Ok(()),
        Format::Raw => "it is another format as well: see imsprep detect".into(),
        Format::Zvhd2 => "a ZVHD2 needs none: it has a bitmap inside, with the same bits that the .mf of its RAW would have".into(),
        Format::Empty => "there is nothing in it".into(),
        _ => format!("see imsprep check {}", path.display()),
    };
    Err(Error::NotRaw { path: path.to_owned(), format: detection.format, advice })
}
