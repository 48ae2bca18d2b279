//! A damaged ZVHD2, rebuilt from its records.

use std::path::{Path, PathBuf};

use imsprep_detect::Format;
use imsprep_source::{ImageFile, OutputFile, Overwrite, Work};
use imsprep_zvhd2::{Salvage, Written};

use crate::Result;
use crate::direction::check_output_name;

/// How to repair.
#[derive(Clone, Copy, Debug)]
pub struct RepairOptions {
    /// Bytes of the disk, for a file of which no sound footer is left.
    pub size: Option<u64>,
    /// What to do with a file that is there already.
    pub overwrite: Overwrite,
}

impl Default for RepairOptions {
    /// The size by the file's own footers, replacing nothing.
    fn default() -> Self {
        Self { size: None, overwrite: Overwrite::Refuse }
    }
}

/// A container that was rebuilt.
#[derive(Debug)]
pub struct Repaired {
    /// The damaged file.
    pub image: PathBuf,
    /// The new one.
    pub output: PathBuf,
    /// What was saved, and what is lost.
    pub salvage: Salvage,
    /// What was written.
    pub written: Written,
}

/// Saves the records of the ZVHD2 at `path` into a new one at `output`, which appears complete or not at all. `path` is only
/// read. That data is lost is no error: see [`Salvage::missing`].
///
/// # Errors
///
/// [`Error::MisleadingName`](crate::Error::MisleadingName); as [`Salvage::look`] and [`Salvage::write`], and what writing brings.
pub fn repair_zvhd2(path: &Path, output: &Path, options: RepairOptions, work: Work<'_>) -> Result<Repaired> {
    check_output_name(output, Format::Zvhd2)?;
    let image = ImageFile::open(path)?;
    OutputFile::check_place(output, options.overwrite, &[&image])?;
    let salvage = Salvage::look(&image, options.size, work)?;
    let mut file = OutputFile::create(output, options.overwrite, &[&image])?;
    let written = salvage.write(&image, &mut file, work)?;
    image.verify_unchanged()?;
    work.cancel.check()?;
    file.commit()?;
    Ok(Repaired { image: path.to_owned(), output: output.to_owned(), salvage, written })
}
