//! Making the images, and what is known of an image before anything is measured.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use imsprep_source::{BlockMap, BlockSize, Cancel, ImageFile, ReadAt, Stage, Work};

use crate::case::Task;
use crate::content::{BLOCK, Content};
use crate::truth::read_truth;
use crate::wrapped::Wrapped;
use crate::{Case, Error, Result};
use crate::{container, foreign, packed, random, used};

const PAGE: u64 = 4 << 10;
const BLOCK_BYTES: usize = 2 << 20;

/// An image to measure on.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) path: PathBuf,
    /// The case's name, or the file's.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) task: Task,
    /// Bytes of the image; of a container, bytes of the disk in it.
    pub(crate) size: u64,
    pub(crate) allocated: u64,
    /// Which blocks hold data: by the way the image was made, or, of a file that was given, as our own scan found.
    pub(crate) truth: Option<BlockMap>,
    /// The files of the image, copied into a new file system: only for what is made for that.
    pub(crate) fresh: Option<PathBuf>,
}

impl Image {
    /// A file that was given.
    pub(crate) fn given(path: &Path) -> Result<Self> {
        let image = ImageFile::open(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self {
            path: path.to_owned(),
            title: path.display().to_string(),
            task: Task::Scan,
            name,
            size: image.size(),
            allocated: image.allocated()?,
            truth: None,
            fresh: None,
        })
    }

    /// Makes the image of a case in `folder`.
    pub(crate) fn make(case: Case, size: u64, folder: &Path, work: Work<'_>) -> Result<Self> {
        let extension = match (case.task(), case.foreign()) {
            (Task::Check | Task::CheckQuick, _) => "zvhd2",
            (_, Some(foreign)) => foreign.extension,
            (Task::ConvertWrapped | Task::Prepare, _) => wrapped_of(case).map_or("raw", Wrapped::extension),
            _ => "raw",
        };
        let file_name = format!("{}.{extension}", case.name());
        let path = folder.join(&file_name);
        let stage = Stage::begin(work.progress, &format!("making {file_name}"), size);
        let mut fresh = None;
        let truth = match case.task() {
            Task::Scan | Task::Convert | Task::Guest | Task::Learn => {
                Some(make_raw(case, &path, size, &stage, work.cancel)?)
            }
            Task::Check => {
                let raw = folder.join("source.raw");
                let truth = make_raw(case, &raw, size, &stage, work.cancel)?;
                container::convert(&raw, &truth, &path, work)?;
                let _ = std::fs::remove_file(&raw);
                Some(truth)
            }
            Task::CheckQuick => {
                let mut truth = BlockMap::zeroed(&path, size, BlockSize::MIB_2)?;
                let blocks = truth.block_count();
                (0..blocks).for_each(|block| truth.set(block, true));
                container::of_equal_blocks(&path, blocks, &stage, work.cancel)?;
                Some(truth)
            }
            Task::ConvertWrapped | Task::Prepare => {
                let raw = folder.join("source.raw");
                let truth = make_raw(case, &raw, size, &stage, work.cancel)?;
                let made = wrapped_of(case)
                    .map_or(Ok(()), |wrapped| packed::make(&raw, wrapped, &path, work.cancel));
                let _ = std::fs::remove_file(&raw);
                made?;
                Some(truth)
            }
            Task::ConvertForeign => {
                let raw = folder.join("source.raw");
                let truth = make_raw(case, &raw, size, &stage, work.cancel)?;
                let made =
                    case.foreign().map_or(Ok(()), |foreign| foreign::make(&raw, foreign, &path, work.cancel));
                let _ = std::fs::remove_file(&raw);
                made?;
                Some(truth)
            }
            Task::Sparsify => {
                let path_of_fresh = folder.join("fresh.raw");
                used::make(&path, &path_of_fresh, size, &stage, work.cancel)?;
                fresh = Some(path_of_fresh);
                // The programs decide where the data is.
                None
            }
        };
        drop(stage);
        let truth = match truth {
            Some(truth) => truth,
            None => read_truth(&path, work)?,
        };
        let allocated = ImageFile::open(&path)?.allocated()?;
        Ok(Self {
            path,
            name: case.name().into(),
            title: case.title().into(),
            task: case.task(),
            size,
            allocated,
            truth: Some(truth),
            fresh,
        })
    }

    /// Removes what was made.
    pub(crate) fn remove(&self) {
        let _ = std::fs::remove_file(&self.path);
        if let Some(fresh) = &self.fresh {
            let _ = std::fs::remove_file(fresh);
        }
    }

    /// Whether the image is in xz.
    pub(crate) fn is_xz(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "xz")
    }

    /// Whether more than half of the image is holes. Programs that read holes byte by byte take no part there.
    pub(crate) fn is_mostly_holes(&self) -> bool {
        self.allocated < self.size / 2
    }
}

fn wrapped_of(case: Case) -> Option<Wrapped> {
    match case {
        Case::Wrapped(wrapped) => Some(wrapped),
        _ => None,
    }
}

fn make_raw(case: Case, path: &Path, size: u64, stage: &Stage<'_>, cancel: &Cancel) -> Result<BlockMap> {
    let mut maker = Maker::new(path, size)?;
    maker.make(case, stage, cancel)?;
    maker.finish()
}

struct Maker<'a> {
    path: &'a Path,
    file: File,
    truth: BlockMap,
    block: Vec<u8>,
    seed: u64,
    /// Made when the first block of it is wanted.
    content: Option<Content>,
}

impl<'a> Maker<'a> {
    fn new(path: &'a Path, size: u64) -> Result<Self> {
        let truth = BlockMap::zeroed(path, size, BlockSize::MIB_2)?;
        let made = File::create(path).and_then(|file| file.set_len(size).map(|()| file));
        let file = made.map_err(|source| write_error(path, source))?;
        Ok(Self { path, file, truth, block: vec![0; BLOCK_BYTES], seed: 1, content: None })
    }

    fn make(&mut self, case: Case, stage: &Stage<'_>, cancel: &Cancel) -> Result<()> {
        let (blocks, size) = (self.truth.block_count(), self.truth.image_size());
        // One part in a hundred of a sparse image is data, in whole pieces.
        let pieces = |piece: u64| (size / 100 / piece).max(1);
        match case {
            // A container of equal blocks has no RAW; a volume in use is made by other programs.
            Case::Empty | Case::Quick | Case::Learn | Case::Sparsify => {}
            Case::Zeros
            | Case::Half
            | Case::Data
            | Case::Worst
            | Case::Convert
            | Case::Check
            | Case::Qcow2
            | Case::Qcow2Zlib
            | Case::Qcow2Zstd
            | Case::Vhd
            | Case::Wrapped(_) => {
                for block in 0..blocks {
                    self.write_block(case, block)?;
                    stage.advance(BLOCK.min(size - block * BLOCK));
                    cancel.check()?;
                }
            }
            Case::SparseOne => {
                let count = pieces(BLOCK).min(blocks);
                let first = (blocks - count) / 2;
                for block in first..first + count {
                    self.write_block(Case::Data, block)?;
                    cancel.check()?;
                }
            }
            Case::Sparse2M => {
                let count = pieces(BLOCK).min(blocks);
                for piece in 0..count {
                    self.write_block(Case::Data, spread(piece, count, blocks))?;
                    cancel.check()?;
                }
            }
            Case::Sparse4K => {
                let pages = size / PAGE;
                let count = pieces(PAGE).min(pages);
                for piece in 0..count {
                    self.write_page(spread(piece, count, pages))?;
                    cancel.check()?;
                }
            }
        }
        Ok(())
    }

    /// Writes one whole block, or what there is of the last one.
    fn write_block(&mut self, case: Case, block: u64) -> Result<()> {
        let at = block * BLOCK;
        let length = usize::try_from(BLOCK.min(self.truth.image_size() - at)).unwrap_or(BLOCK_BYTES);
        let buffer = self.block.get_mut(..length).unwrap_or_default();
        let is_data = match case {
            Case::Zeros => false,
            Case::Half => block.is_multiple_of(2),
            Case::Wrapped(_) => !block.is_multiple_of(4),
            _ if case.has_content() => block % 10 != 9,
            _ => true,
        };
        buffer.fill(0);
        if is_data && case == Case::Worst {
            if let Some(byte) = hidden_place(length, &mut self.seed).and_then(|place| buffer.get_mut(place)) {
                *byte = 1;
            }
        } else if is_data && case.is_wrapped() {
            self.content.get_or_insert_with(Content::new).fill_mixed(buffer, block);
        } else if is_data && case.has_content() {
            self.content.get_or_insert_with(Content::new).fill(buffer);
        } else if is_data {
            random::fill(buffer, &mut self.seed);
        }
        // A block that is too small to hide a byte in stays zero.
        self.truth.set(block, buffer.iter().any(|byte| *byte != 0));
        let written = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(buffer));
        written.map_err(|source| write_error(self.path, source))
    }

    fn write_page(&mut self, page: u64) -> Result<()> {
        let at = page * PAGE;
        self.truth.set(at / BLOCK, true);
        let buffer = self.block.get_mut(..4096).unwrap_or_default();
        random::fill(buffer, &mut self.seed);
        let written = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.write_all(buffer));
        written.map_err(|source| write_error(self.path, source))
    }

    /// Brings it to the disk, so that its writing does not go on while something is measured.
    fn finish(self) -> Result<BlockMap> {
        self.file.sync_all().map_err(|source| write_error(self.path, source))?;
        Ok(self.truth)
    }
}

/// Where the piece of this number begins, of `count` pieces spread evenly over `places`.
fn spread(piece: u64, count: u64, places: u64) -> u64 {
    u64::try_from(u128::from(piece) * u128::from(places) / u128::from(count)).unwrap_or(0)
}

/// A place in a block of `length` bytes in neither its first, its middle nor its last page.
fn hidden_place(length: usize, seed: &mut u64) -> Option<usize> {
    let page = 4096;
    let middle = length / 2 / page * page;
    let candidates = [page..middle, middle + page..length.saturating_sub(page)];
    let total = candidates.iter().map(ExactSizeIterator::len).sum::<usize>();
    let mut place = usize::try_from(random::next(seed) % u64::try_from(total.max(1)).ok()?).ok()?;
    for range in candidates {
        if place < range.len() {
            return Some(range.start + place);
        }
        place -= range.len();
    }
    None
}

fn write_error(path: &Path, source: std::io::Error) -> Error {
    Error::File { path: path.to_owned(), what: "write the image", source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each image holds what its map says, by a look at every byte.
    #[test]
    fn images_hold_what_their_maps_say() {
        for case in Case::ALL.into_iter().filter(|case| case.task() != Task::CheckQuick) {
            if case.is_foreign() && foreign::is_absent()
                || case == Case::Sparsify && used::missing().is_some()
                // By a test of their own.
                || case.is_wrapped()
            {
                continue;
            }
            let dir = tempfile::tempdir().unwrap();
            let size = if case == Case::Empty { 1 << 30 } else { (24 << 20) + 12_345 };
            let image = Image::make(case, size, dir.path(), Work::new(&(), &Cancel::new())).unwrap();
            let truth = image.truth.clone().unwrap();
            let bytes = match case {
                Case::Empty => Vec::new(),
                Case::Check => disk_in(&image),
                _ if case.is_foreign() => foreign_disk_in(&image),
                _ => std::fs::read(&image.path).unwrap(),
            };
            let naive = bytes.chunks(BLOCK_BYTES).map(|block| block.iter().any(|b| *b != 0));
            let data = naive.enumerate().filter(|(_, data)| *data).map(|(block, _)| block as u64);
            assert_eq!(truth.data_blocks().collect::<Vec<_>>(), data.collect::<Vec<_>>(), "{case:?}");
            let expected = match case {
                Case::Zeros | Case::Empty | Case::Quick | Case::Learn => 0,
                Case::Half => 7,
                Case::Data | Case::Worst => 13,
                Case::Convert | Case::Check => 12,
                Case::Qcow2 | Case::Qcow2Zlib | Case::Qcow2Zstd | Case::Vhd => 12,
                Case::Wrapped(_) => 9,
                Case::SparseOne | Case::Sparse2M => 1,
                // 61 pages in 25 MB: in each block.
                Case::Sparse4K => 12,
                // Where mkfs and debugfs place what they write is not known.
                Case::Sparsify => truth.data_count().max(8),
            };
            assert!(
                (expected..=expected + 1).contains(&truth.data_count()),
                "{case:?}: {}",
                truth.data_count()
            );
        }
    }

    fn foreign_disk_in(image: &Image) -> Vec<u8> {
        let raw = image.path.with_extension("back");
        let mut command = std::process::Command::new(foreign::QEMU_IMG);
        let status = command.args(["convert", "-O", "raw"]).arg(&image.path).arg(&raw).status();
        assert!(status.unwrap().success());
        std::fs::read(raw).unwrap()
    }

    fn disk_in(image: &Image) -> Vec<u8> {
        let file = ImageFile::open(&image.path).unwrap();
        let disk = imsprep_zvhd2::Reader::open(&file, &Cancel::new()).unwrap();
        let mut bytes = vec![0; usize::try_from(disk.orig_size().min(image.size)).unwrap()];
        disk.read_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn containers_are_sound_and_have_a_record_for_each_data_block() {
        for (case, blocks, data) in [(Case::Check, 23, 21), (Case::Quick, 700, 700)] {
            let dir = tempfile::tempdir().unwrap();
            let image =
                Image::make(case, blocks * BLOCK, dir.path(), Work::new(&(), &Cancel::new())).unwrap();
            let file = ImageFile::open(&image.path).unwrap();
            let checked =
                imsprep_zvhd2::check(&file, imsprep_zvhd2::Depth::Content, Work::new(&(), &Cancel::new()))
                    .unwrap();
            assert_eq!(checked.report.findings(), [], "{case:?}");
            assert_eq!(container::payloads(&image.path, &Cancel::new()).unwrap().len(), data, "{case:?}");
            assert_eq!(image.truth.unwrap().data_count(), data as u64, "{case:?}");
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no source is left: {case:?}");
        }
    }

    #[test]
    fn a_hidden_byte_is_in_no_page_that_is_probed() {
        let mut seed = 7;
        for _ in 0..10_000 {
            let place = hidden_place(BLOCK_BYTES, &mut seed).unwrap();
            let page = place / 4096;
            assert!(place < BLOCK_BYTES && ![0, 256, 511].contains(&page), "{place}");
        }
        assert_eq!(hidden_place(100, &mut seed), None);
    }
}
