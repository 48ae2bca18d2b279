//! Archives of all formats that are read.

use imsprep_source::{ReadAt, Result};

use crate::Format;
use crate::archive::Archive;
use crate::tar::look_into_tar;
use crate::zip::look_into_zip;

/// What is in the archive, of a format whose archives are read; `None` of another format.
///
/// # Errors
///
/// If the source can't be read. What is wrong with the archive is in [`Archive::facts`].
pub fn look_into_archive(source: &dyn ReadAt, format: Format) -> Result<Option<Archive>> {
    match format {
        Format::Tar => look_into_tar(source).map(Some),
        Format::Zip => look_into_zip(source).map(Some),
        _ => Ok(None),
    }
}
