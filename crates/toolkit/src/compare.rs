//! Do two images hold the same disk?

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use imsprep_detect::Format;
use imsprep_findings::Report;
use imsprep_guest::DiskSpace;
use imsprep_inspect::inspect_source;
use imsprep_source::{Cancel, DiskReader, ReadAt, Stage, Work, is_zero};

use crate::chunks::{CHUNK, Chunk, Chunks, on_threads};
use crate::no_disk::doubt;
use crate::remote::RemoteDisk;
use crate::space::space_to_leave_out;
use crate::unpack::{Unpack, large_temp_folder};
use crate::{ConversionSource, Disk, DiskSelector, Error, FreeSpaceBytes, ImagePlace, OpenedImage, Result};

/// One of the two images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The file, or the address of an export.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// The name of the disk's file in an archive.
    pub member: Option<String>,
    /// Bytes of the disk in it.
    pub disk_size: u64,
    /// Why it is not a disk.
    pub report: Report,
}

/// The first place where two disks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Offset on the disk.
    pub offset: u64,
    /// What the first disk holds there; `None` if it has ended.
    pub a: Option<u8>,
    /// What the second disk holds there; `None` if it has ended.
    pub b: Option<u8>,
}

/// Two images that were compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The first image.
    pub a: Side,
    /// The second image.
    pub b: Side,
    /// Where they differ first; `None` if they hold the same, the longer disk going on in zeros.
    pub difference: Option<Difference>,
    /// What the comparison ignored: the bytes that no file holds by the first image, if they were to be ignored.
    pub ignored: Option<DiskSpace>,
    /// Bytes that were read of both disks together; of the rest it was known that it is zero.
    pub bytes_read: u64,
}

impl Comparison {
    /// By how many bytes one disk is longer than the other.
    pub fn tail(&self) -> u64 {
        self.a.disk_size.abs_diff(self.b.disk_size)
    }
}

/// How two images are compared.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// Whether the bytes that no file holds by the first image are ignored in both: the rest is what files can see.
    pub free_space: FreeSpaceBytes,
    /// Which disk of an archive, in each of the images that is one; `None` is the only one, or the only system disk.
    pub disk: Option<DiskSelector>,
    /// Where a compressed disk is unpacked to that has to be read at random.
    pub temp_folder: PathBuf,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { free_space: FreeSpaceBytes::Keep, disk: None, temp_folder: large_temp_folder() }
    }
}

/// Compares the disks in two images. Holes, blocks without a record, and blocks that hold zeros are all the same. Where
/// one disk is longer, and goes on in zeros, they are the same too.
///
/// # Errors
///
/// As [`OpenedImage::select_disk`] and [`OpenedImage::disk`]; [`Error::Remote`] if a server can't be read from, and
/// [`Error::RemoteImage`] if it exports an image and not its disk; [`Error::FreeSpaceOfRemote`]; and if a part can't be read before a
/// difference is found.
pub fn compare_images(
    a: impl Into<ImagePlace>,
    b: impl Into<ImagePlace>,
    options: &CompareOptions,
    work: Work<'_>,
) -> Result<Comparison> {
    let free = options.free_space;
    let places = [a.into(), b.into()];
    if let ([ImagePlace::Export(address), _], FreeSpaceBytes::LeaveOut) = (&places, free) {
        return Err(Error::FreeSpaceOfRemote { path: address.to_string().into() });
    }
    let [a, b] = places;
    let images = [open(a, options, work)?, open(b, options, work)?];
    let [image_a, image_b] = &images;
    let mut disks = [image_a.disk(work.cancel)?, image_b.disk(work.cancel)?];
    let mut ignored = None;
    if let (FreeSpaceBytes::LeaveOut, Some(image)) = (free, image_a.image()) {
        let [disk, _] = &disks;
        let inspection = inspect_source(disk, disk.orig_size(), work.cancel)?;
        let space = space_to_leave_out(image.file(), &inspection, disk, work.cancel)?;
        disks = disks.map(|disk| disk.sparsified(space.ranges()));
        ignored = Some(space);
    }
    let [disk_a, disk_b] = &disks;
    let threads = rayon::current_num_threads();
    let threads = disk_a.readers(threads).min(disk_b.readers(threads));
    let (difference, bytes_read) = compare_disks([disk_a, disk_b], threads, work)?;
    let (a, b) = (side(image_a, disk_a, work.cancel)?, side(image_b, disk_b, work.cancel)?);
    for image in &images {
        image.verify(&[], work)?;
    }
    Ok(Comparison { a, b, difference, ignored, bytes_read })
}

fn open(place: ImagePlace, options: &CompareOptions, work: Work<'_>) -> Result<ConversionSource> {
    let path = match place {
        ImagePlace::File(path) => path,
        ImagePlace::Export(address) => {
            return RemoteDisk::open(&address, None, work.cancel).map(ConversionSource::Remote);
        }
    };
    let image = OpenedImage::open(path, work.cancel)?;
    let mut image = image.unpacked(Unpack::Every, &options.temp_folder, work)?;
    // Does nothing to what is no archive: the other one may be it.
    image.select_unpacked(options.disk.as_ref(), Unpack::Every, &options.temp_folder, work)?;
    Ok(ConversionSource::Image(image))
}

fn side(image: &ConversionSource, disk: &Disk<'_>, cancel: &Cancel) -> Result<Side> {
    let mut report = Report::new();
    // Not as it is without its free space.
    let content = image.image().map_or(disk as &dyn DiskReader, |image| image.content());
    if disk.format() == Format::Raw
        && let Some(doubt) = doubt(&image.content_name(), content, image.detection(), cancel)?
    {
        report.push(doubt);
    }
    let member = image.member().map(|member| member.name.clone());
    Ok(Side { path: image.path().to_owned(), format: disk.format(), member, disk_size: disk.size(), report })
}

/// The first difference, and the bytes read to find it.
fn compare_disks(
    disks: [&dyn DiskReader; 2],
    threads: usize,
    work: Work<'_>,
) -> Result<(Option<Difference>, u64)> {
    let size = disks.iter().map(|disk| disk.size()).max().unwrap_or(0);
    let stage = Stage::begin(work.progress, "comparing", size);
    let chunks = Chunks::new(disks, size, &stage);
    let (first, bytes_read) = (First::new(), AtomicU64::new(0));
    on_threads(threads, &chunks, || {
        let mut buffers = [Vec::new(), Vec::new()];
        while let Some(chunk) = chunks.next(work.cancel)? {
            if first.is_before(chunk.start) {
                break;
            }
            match compare_chunk(disks, chunk, &mut buffers) {
                Ok(None) => {}
                Ok(Some(difference)) => first.put(chunk.start, Ok(difference)),
                Err(error) => first.put(chunk.start, Err(error)),
            }
            let read = chunk.data.iter().zip(&buffers).filter(|(data, _)| **data);
            bytes_read.fetch_add(read.map(|(_, buffer)| buffer.len() as u64).sum(), Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok((first.take()?, bytes_read.into_inner()))
}

/// What was met first on the disk, whichever thread met it: a difference, or a place that can't be read.
struct First {
    /// Nothing from here on matters any more.
    start: AtomicU64,
    met: Mutex<Option<(u64, Result<Difference>)>>,
}

impl First {
    fn new() -> Self {
        Self { start: AtomicU64::new(u64::MAX), met: Mutex::new(None) }
    }

    fn is_before(&self, start: u64) -> bool {
        self.start.load(Ordering::Relaxed) < start
    }

    fn put(&self, start: u64, what: Result<Difference>) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        if met.as_ref().is_none_or(|(earlier, _)| start < *earlier) {
            *met = Some((start, what));
            self.start.fetch_min(start, Ordering::Relaxed);
        }
    }

    fn take(self) -> Result<Option<Difference>> {
        match self.met.into_inner().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(None),
            Some((_, Ok(difference))) => Ok(Some(difference)),
            Some((_, Err(error))) => Err(error),
        }
    }
}

fn compare_chunk(
    disks: [&dyn DiskReader; 2],
    chunk: Chunk<2>,
    buffers: &mut [Vec<u8>; 2],
) -> Result<Option<Difference>> {
    for ((disk, data), buffer) in disks.iter().zip(chunk.data).zip(buffers.iter_mut()) {
        // Of a disk that has ended there is nothing; of one without data here, nothing that must be read.
        let there = if data { CHUNK.min(disk.size().saturating_sub(chunk.start)) } else { 0 };
        buffer.resize(usize::try_from(there).unwrap_or(0), 0);
        if !buffer.is_empty() {
            disk.read_at(buffer, chunk.start)?;
        }
    }
    let [a, b] = buffers;
    let Some(place) = first_difference(a, b) else { return Ok(None) };
    let offset = chunk.start + place as u64;
    let byte = |disk: &dyn DiskReader, buffer: &[u8]| {
        (offset < disk.size()).then(|| buffer.get(place).copied().unwrap_or(0))
    };
    let [disk_a, disk_b] = disks;
    Ok(Some(Difference { offset, a: byte(disk_a, a), b: byte(disk_b, b) }))
}

/// The first place where the two differ, the shorter one going on in zeros.
fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    const PIECE: usize = 4096;
    let common = a.len().min(b.len());
    let (a_head, a_tail) = a.split_at(common);
    let (b_head, b_tail) = b.split_at(common);
    let in_common = || {
        let pieces = a_head.chunks(PIECE).zip(b_head.chunks(PIECE)).enumerate();
        let (number, (a, b)) = pieces.into_iter().find(|(_, (a, b))| a != b)?;
        a.iter().zip(b).position(|(a, b)| a != b).map(|place| number * PIECE + place)
    };
    let in_tail = || {
        let tail = if a_tail.is_empty() { b_tail } else { a_tail };
        if is_zero(tail) { None } else { tail.iter().position(|byte| *byte != 0).map(|place| common + place) }
    };
    in_common().or_else(in_tail)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use imsprep_source::MemoryImage;
    use proptest::prelude::*;

    use super::*;

    fn naive(a: &[u8], b: &[u8]) -> Option<Difference> {
        let at = |bytes: &[u8], place: usize| bytes.get(place).copied();
        let differs = |place: &usize| at(a, *place).unwrap_or(0) != at(b, *place).unwrap_or(0);
        (0..a.len().max(b.len())).find(differs).map(|place| Difference {
            offset: place as u64,
            a: at(a, place),
            b: at(b, place),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn agrees_with_the_naive_comparison(
            lengths in prop::array::uniform2(0..9_000_000_usize),
            places in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<bool>()), 0..4),
            threads in 1..5_usize,
        ) {
            let mut bytes = lengths.map(|length| vec![0_u8; length]);
            for (place, both, second) in places {
                let place = place.index(9_000_000);
                for (side, bytes) in bytes.iter_mut().enumerate() {
                    if let Some(byte) = bytes.get_mut(place) && (both || (side == 1) == second) {
                        *byte ^= 0x41;
                    }
                }
            }
            let expected = naive(&bytes[0], &bytes[1]);
            let [a, b] = bytes.map(|bytes| MemoryImage::new("x", bytes));
            let (found, _) = compare_disks([&a, &b], threads, Work::new(&(), &Cancel::new())).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    /// A disk of which one chunk can't be read.
    struct Failing(MemoryImage, u64);

    impl ReadAt for Failing {
        fn path(&self) -> &Path {
            self.0.path()
        }
        fn size(&self) -> u64 {
            self.0.size()
        }
        fn read_at(&self, buf: &mut [u8], offset: u64) -> imsprep_source::Result<()> {
            if (offset..offset + buf.len() as u64).contains(&self.1) {
                let source = std::io::Error::other("bad sector");
                return Err(imsprep_source::Error::Read { path: self.path().to_owned(), offset, source });
            }
            self.0.read_at(buf, offset)
        }
    }

    impl DiskReader for Failing {
        fn data_from(&self, offset: u64) -> imsprep_source::Result<Option<imsprep_source::Extent>> {
            self.0.data_from(offset)
        }
    }

    #[test]
    fn whatever_comes_first_on_the_disk_is_the_result() {
        let good = MemoryImage::new("good", vec![3; 5 << 20]);
        for (difference, bad, differs) in [(100, 3 << 20, true), (4 << 20, 100, false)] {
            let mut bytes = vec![3; 5 << 20];
            bytes[difference] = 4;
            let failing = Failing(MemoryImage::new("bad", bytes), bad);
            for threads in [1, 4] {
                let result = compare_disks([&good, &failing], threads, Work::new(&(), &Cancel::new()));
                assert_eq!(result.is_ok(), differs, "{result:?}");
            }
        }
    }
}
