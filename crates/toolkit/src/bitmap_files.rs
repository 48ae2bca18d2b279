//! Bitmap files by themselves: looking into one, comparing two, writing one in another layout.

use std::path::{Path, PathBuf};

use imsprep_bitmap::layout::MOST_BLOCKS;
use imsprep_bitmap::{
    BitmapFile, Layout, MapDifference, NotThisLayout, Recognition, read_bitmap, write_bitmap,
};
use imsprep_detect::{Format, detect};
use imsprep_source::{BlockMap, Cancel, ImageFile, OutputFile, Overwrite, ReadAt};

use crate::bitmap::refuse_to_replace_an_image;
use crate::{Error, Result};

/// Who says how large the image of a bitmap file is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ImageSize {
    /// Not given: a file without its image's size needs its RAW beside it.
    #[default]
    Unknown,
    /// So many bytes.
    Bytes(u64),
    /// It is the size of this image.
    OfImage(PathBuf),
}

/// The source of the size of a bitmap file's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SizeFrom {
    /// The bitmap file itself.
    File,
    /// The caller.
    Caller,
    /// This image.
    Image(PathBuf),
}

/// A bitmap file in a known layout.
#[derive(Clone, Debug)]
pub struct BitmapShown {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub length: u64,
    /// Its layout.
    pub layout: Layout,
    /// What it says.
    pub map: BlockMap,
    /// The source of the size of its image.
    pub size_from: SizeFrom,
}

/// Reads a bitmap file. `layout` is tried before the built-in ones.
///
/// # Errors
///
/// [`Error::UnknownBitmap`] if it is in no known layout; [`Error::BadBitmap`] if it is damaged or of an image of another size;
/// [`Error::NeedsImageSize`] if the size of its image is not known; errors of reading.
pub fn show_bitmap(
    path: &Path,
    size: &ImageSize,
    layout: Option<&Layout>,
    cancel: &Cancel,
) -> Result<BitmapShown> {
    if *size == ImageSize::Unknown {
        let BitmapFile { recognition, bytes, .. } = read_bitmap(path, None, layout)?;
        cancel.check()?;
        let (path, length) = (path.to_owned(), bytes.len() as u64);
        match recognition {
            Recognition::Known { layout, map } => {
                return Ok(BitmapShown { path, length, layout, map, size_from: SizeFrom::File });
            }
            Recognition::Damaged { layout, why } => {
                return Err(Error::BadBitmap { path, layout: layout.name.into_owned(), why });
            }
            // A file without its image's size may be recognised once the size is known from elsewhere.
            Recognition::Other { what } => return Err(other(path, what)),
            Recognition::Unrecognised { .. } | Recognition::OtherSize { .. } | Recognition::Empty => {}
        }
    }
    let (bytes, size_from) = match size {
        ImageSize::Bytes(bytes) => (*bytes, SizeFrom::Caller),
        ImageSize::OfImage(image) => (image_size(image)?, SizeFrom::Image(image.clone())),
        ImageSize::Unknown => match image_beside(path) {
            Some(image) => (image_size(&image)?, SizeFrom::Image(image)),
            None => return Err(Error::NeedsImageSize { path: path.to_owned() }),
        },
    };
    cancel.check()?;
    let file = read_bitmap(path, Some(bytes), layout)?;
    cancel.check()?;
    let length = file.bytes.len() as u64;
    let path = path.to_owned();
    match file.recognition {
        Recognition::Known { layout, map } => Ok(BitmapShown { path, length, layout, map, size_from }),
        Recognition::OtherSize { layout, said } => {
            let why = NotThisLayout::ImageSize { said, expected: bytes };
            Err(Error::BadBitmap { path, layout: layout.name.into_owned(), why })
        }
        Recognition::Damaged { layout, why } => {
            Err(Error::BadBitmap { path, layout: layout.name.into_owned(), why })
        }
        Recognition::Other { what } => Err(other(path, what)),
        Recognition::Unrecognised { why } => Err(Error::UnknownBitmap { path, why }),
        Recognition::Empty => Err(Error::UnknownBitmap { path, why: "it is empty".into() }),
    }
}

fn other(path: PathBuf, what: &'static str) -> Error {
    Error::OtherFile { path, what }
}

/// The size of the disk in an image: of a RAW, its own.
fn image_size(path: &Path) -> Result<u64> {
    let image = ImageFile::open(path)?;
    let detection = detect(&image)?;
    match (detection.format, detection.virtual_size) {
        (Format::Raw, _) | (_, None) => Ok(image.size()),
        (_, Some(size)) => Ok(size),
    }
}

/// The RAW whose bitmap file this would be, if there is one beside it.
fn image_beside(bitmap: &Path) -> Option<PathBuf> {
    ["raw", "img", ""]
        .into_iter()
        .map(|extension| bitmap.with_extension(extension))
        .find(|image| image != bitmap && image.is_file())
}

/// Two bitmap files, compared with each other.
#[derive(Debug)]
pub struct BitmapsCompared {
    /// One.
    pub a: BitmapShown,
    /// The other.
    pub b: BitmapShown,
    /// In what they differ, as far as both images go.
    pub difference: MapDifference,
}

impl BitmapsCompared {
    /// Whether they mark the same blocks, for images of the same size.
    pub fn are_same(&self) -> bool {
        self.difference.is_empty() && self.a.map.image_size() == self.b.map.image_size()
    }
}

/// Compares what two bitmap files say, whatever their layouts.
///
/// # Errors
///
/// As [`show_bitmap`].
pub fn compare_bitmaps(
    a: &Path,
    b: &Path,
    size: &ImageSize,
    layout: Option<&Layout>,
    cancel: &Cancel,
) -> Result<BitmapsCompared> {
    let (a, b) = (show_or_wait(a, size, layout, cancel)?, show_or_wait(b, size, layout, cancel)?);
    // One that does not tell its image's size takes it from the one that does.
    let size_of = |waiting: &Waiting| match waiting {
        Waiting::Shown(shown) => ImageSize::Bytes(shown.map.image_size()),
        Waiting::ForSize(_) => ImageSize::Unknown,
    };
    let (size_a, size_b) = (size_of(&a), size_of(&b));
    let (a, b) = (a.shown(&size_b, layout, cancel)?, b.shown(&size_a, layout, cancel)?);
    let difference = MapDifference::between(&a.map, &b.map).ok_or_else(|| too_many(&a))?;
    Ok(BitmapsCompared { a, b, difference })
}

/// A bitmap file that was read, or that cannot be until the size of its image is known.
enum Waiting {
    Shown(Box<BitmapShown>),
    ForSize(PathBuf),
}

impl Waiting {
    fn shown(self, size: &ImageSize, layout: Option<&Layout>, cancel: &Cancel) -> Result<BitmapShown> {
        match self {
            Self::Shown(shown) => Ok(*shown),
            Self::ForSize(path) if *size == ImageSize::Unknown => Err(Error::NeedsImageSize { path }),
            Self::ForSize(path) => show_bitmap(&path, size, layout, cancel),
        }
    }
}

fn show_or_wait(path: &Path, size: &ImageSize, layout: Option<&Layout>, cancel: &Cancel) -> Result<Waiting> {
    match show_bitmap(path, size, layout, cancel) {
        Ok(shown) => Ok(Waiting::Shown(Box::new(shown))),
        Err(Error::NeedsImageSize { path }) => Ok(Waiting::ForSize(path)),
        Err(error) => Err(error),
    }
}

fn too_many(shown: &BitmapShown) -> Error {
    Error::Source(imsprep_source::Error::TooManyBlocks {
        path: shown.path.clone(),
        size: shown.map.image_size(),
        block_size: shown.map.block_size().bytes(),
    })
}

/// A bitmap file that was written in another layout.
#[derive(Debug)]
pub struct BitmapConverted {
    /// What it was made from.
    pub source: BitmapShown,
    /// The new file.
    pub path: PathBuf,
    /// Its layout.
    pub layout: Layout,
    /// Its length.
    pub length: u64,
    /// What it says.
    pub map: BlockMap,
}

/// How to write a bitmap file in another layout.
#[derive(Clone, Debug)]
pub struct BitmapConvertOptions {
    /// Who says how large the image is.
    pub size: ImageSize,
    /// The layout of the source, to be tried before the built-in ones.
    pub from: Option<Layout>,
    /// The layout of the new file.
    pub to: Layout,
    /// What to do with a file that is there already.
    pub overwrite: Overwrite,
}

/// Writes what the bitmap file at `source` says to `output`, in another layout. Into larger blocks it is put together; of
/// smaller ones all count as data that lie in a data block. A layout of text gets the source's, as
/// far as it takes them.
///
/// # Errors
///
/// As [`show_bitmap`]; [`Error::CannotEncode`]; what writing brings.
pub fn convert_bitmap(
    source: &Path,
    output: &Path,
    options: &BitmapConvertOptions,
    cancel: &Cancel,
) -> Result<BitmapConverted> {
    let BitmapConvertOptions { size, from, to, overwrite } = options;
    let input = ImageFile::open(source)?;
    let image = match size {
        ImageSize::OfImage(image) => Some(image.clone()),
        _ => image_beside(source),
    };
    // What can't be opened is no file that could be replaced.
    let image = image.and_then(|image| ImageFile::open(image).ok());
    let inputs = [Some(&input), image.as_ref()].into_iter().flatten().collect::<Vec<_>>();
    OutputFile::check_place(output, *overwrite, &inputs)?;
    refuse_to_replace_an_image(output)?;
    let source = show_bitmap(source, size, from.as_ref(), cancel)?;
    let block_size = to.block_size_for(source.map.block_size());
    if block_size.blocks_in(source.map.image_size()) > MOST_BLOCKS {
        return Err(too_many(&source));
    }
    let map = source.map.in_blocks_of(block_size).ok_or_else(|| too_many(&source))?;
    cancel.check()?;
    let bytes = to.encode(&map).map_err(|why| Error::cannot_encode(output, to, why))?;
    cancel.check()?;
    let length = write_bitmap(output, &bytes, *overwrite, &inputs)?;
    Ok(BitmapConverted { source, path: output.to_owned(), layout: to.clone(), length, map })
}
