//! The bitmap file that is written beside a RAW.

use std::path::{Path, PathBuf};

use imsprep_bitmap::layout::{CannotEncode, LONGEST, ZVHD2};
use imsprep_bitmap::{Layout, bitmap_path};
use imsprep_source::{Input, OutputFile, Overwrite};

use crate::bitmap::refuse_to_replace_an_image;
use crate::data_bits::DataBits;
use crate::{ConvertOptions, Error, Result};

/// A bitmap file that was written beside a RAW.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitmapWritten {
    /// Where.
    pub path: PathBuf,
    /// Its layout.
    pub layout: Layout,
    /// Blocks of the disk.
    pub block_count: u64,
    /// Blocks that it marks as data.
    pub data_blocks: u64,
}

/// The bitmap file that is written beside a RAW, if one is.
pub(crate) struct BitmapBeside {
    file: Option<OutputFile>,
    pub(crate) layout: Layout,
}

impl BitmapBeside {
    /// Begins it, so that a place that is taken shows before the work.
    pub(crate) fn begin(raw: &Path, options: &ConvertOptions, inputs: &[Input]) -> Result<Self> {
        let layout = options.layout.clone().unwrap_or_else(|| ZVHD2.clone());
        if !options.bitmap {
            return Ok(Self { file: None, layout: ZVHD2.clone() });
        }
        let path = bitmap_path(raw);
        OutputFile::create_from(&path, Overwrite::Replace, inputs)?;
        refuse_to_replace_an_image(&path)?;
        Ok(Self { file: Some(OutputFile::create_from(&path, options.overwrite, inputs)?), layout })
    }

    /// # Errors
    ///
    /// If the file would be too long for a disk of this length, whatever is on it.
    pub(crate) fn check_length(&self, length: u64) -> Result<()> {
        match (&self.file, self.layout.encoded_len(length)) {
            (Some(file), Some(long)) if long > LONGEST => {
                Err(Error::cannot_encode(file.path(), &self.layout, CannotEncode::TooLong))
            }
            _ => Ok(()),
        }
    }

    /// Puts the RAW in its place, and this next. Whatever can go wrong with writing them has gone wrong before.
    pub(crate) fn commit(
        self,
        raw: OutputFile,
        bits: DataBits,
        length: u64,
    ) -> Result<Option<BitmapWritten>> {
        let Self { file: Some(mut bitmap), layout } = self else {
            raw.commit()?;
            return Ok(None);
        };
        let path = bitmap.path().to_owned();
        let map = bits.into_map(&path, length)?;
        bitmap.write_all(&layout.encode(&map).map_err(|why| Error::cannot_encode(&path, &layout, why))?)?;
        let (raw, bitmap) = (raw.finish()?, bitmap.finish()?);
        // An image without its bitmap is seen at once; one beside that of another image is not.
        bitmap.remove_old()?;
        let image = raw.path().to_owned();
        raw.place()?;
        bitmap.place().map_err(|source| Error::NoBitmapBeside { path: image, source })?;
        let (block_count, data_blocks) = (map.block_count(), map.data_count());
        Ok(Some(BitmapWritten { path, layout, block_count, data_blocks }))
    }
}
