//! Bitmap files on disk.

use std::path::{Path, PathBuf};

use imsprep_findings::{Finding, Report};
use imsprep_source::{Error, FileIdentity, ImageFile, OutputFile, Overwrite, ReadAt, Result};

use crate::compare::{damaged, other_size, unrecognised};
use crate::layout::LONGEST;
use crate::rules::{BITMAP_EMPTY, BITMAP_NONE};
use crate::{Layout, Recognition, recognise};

/// Where the service looks for the bitmap of the RAW at `image`: the same name with `.mf` for its extension.
pub fn bitmap_path(image: &Path) -> PathBuf {
    image.with_extension("mf")
}

/// A bitmap file that was read.
#[derive(Clone, Debug)]
pub struct BitmapFile {
    /// Its path.
    pub path: PathBuf,
    /// Its identity when it was read, with its modification time.
    pub identity: FileIdentity,
    /// Its bytes. Empty also if it is far too long to be a bitmap file.
    pub bytes: Vec<u8>,
    /// What it looks like.
    pub recognition: Recognition,
}

impl BitmapFile {
    /// Adds what can be said without knowing the content of the image, which has `image_size` bytes.
    pub fn check_alone(&self, image_size: u64, report: &mut Report) {
        match &self.recognition {
            Recognition::Known { .. } => {}
            Recognition::OtherSize { layout, said } => report.push(other_size(layout, *said, image_size)),
            Recognition::Damaged { layout, why } => report.push(damaged(layout, why)),
            Recognition::Empty => report.push(Finding::new(&BITMAP_EMPTY, "the bitmap file is empty")),
            Recognition::Unrecognised { why } => report.push(unrecognised(why)),
            Recognition::Other { what } => {
                report.push(Finding::new(&BITMAP_NONE, format!("the file is {what}")).found(what));
            }
        }
    }
}

/// Reads the bitmap file at `path` of an image of this size, if that is known. `first` is a layout to try before the
/// built-in ones.
///
/// # Errors
///
/// If it can't be opened or read, or is no regular file.
pub fn read_bitmap(path: &Path, image_size: Option<u64>, first: Option<&Layout>) -> Result<BitmapFile> {
    let file = ImageFile::open(path)?;
    let mut bytes = Vec::new();
    let recognition = if file.size() > LONGEST {
        Recognition::Unrecognised { why: format!("{} bytes are more than any bitmap file has", file.size()) }
    } else {
        bytes = vec![0; usize::try_from(file.size()).unwrap_or(0)];
        file.read_at(&mut bytes, 0)?;
        recognise(&bytes, image_size, first)
    };
    Ok(BitmapFile { path: path.to_owned(), identity: file.identity().clone(), bytes, recognition })
}

/// Writes the bytes of a bitmap file, made from `inputs`, to `path`, whole or not at all, and reads it back before it gets its
/// name.
///
/// # Errors
///
/// As [`OutputFile`]; [`Error::Changed`] if what is read back is not what was written, or if an input changed meanwhile.
pub fn write_bitmap(path: &Path, bytes: &[u8], overwrite: Overwrite, inputs: &[&ImageFile]) -> Result<u64> {
    let mut output = OutputFile::create(path, overwrite, inputs)?;
    output.write_all(bytes)?;
    let back = output.read_back()?;
    let mut found = vec![0; bytes.len()];
    back.read_at(&mut found, 0)?;
    if back.size() != bytes.len() as u64 || found != bytes {
        return Err(Error::Changed {
            path: path.to_owned(),
            what: "its content is not what was written".into(),
        });
    }
    inputs.iter().try_for_each(|input| input.verify_unchanged())?;
    output.commit()?;
    Ok(bytes.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn the_name_is_the_images_with_another_extension() {
        for (image, bitmap) in
            [("a/x.raw", "a/x.mf"), ("x", "x.mf"), ("disk.v1.img", "disk.v1.mf"), (".raw", ".raw.mf")]
        {
            assert_eq!(bitmap_path(Path::new(image)), Path::new(bitmap));
        }
    }

    #[test]
    fn a_huge_file_is_unrecognised_without_being_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.mf");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let file = read_bitmap(&path, Some(1 << 30), None).unwrap();
        assert!(matches!(file.recognition, Recognition::Unrecognised { .. }));
        assert!(file.bytes.is_empty());
    }
}
