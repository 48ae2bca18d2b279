//! The disk in an image, written as a ZVHD2.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use imsprep_scan::{IoMode, Scan, ScanOptions, scan};
use imsprep_source::{BlockMap, DiskReader, Extent, FileIdentity, ImageFile, OutputFile, ReadAt, Sink, Work};
use imsprep_zvhd2::{
    CheckedContainer, Checksums, Level, WriteOptions, Written, check_against, timestamp_now,
};

use crate::saving::SeenBlocks;
use crate::uuid::random_uuid;
use crate::verify::{refuse_differing, verify};
use crate::wrapped::{Blocks, to_zvhd2};
use crate::{ConversionSource, ConvertOptions, Disk, OpenedImage, Plan, Result, Saving};

/// A ZVHD2 that was written.
#[derive(Clone, Debug)]
pub struct Zvhd2Written {
    /// The image that it was made from.
    pub image: PathBuf,
    /// Bytes of the disk.
    pub disk_size: u64,
    /// What the scan of a RAW found. Of another format it is known without a scan which blocks may hold data.
    pub scan: Option<Scan>,
    /// How hard it was compressed.
    pub level: Level,
    /// Its identity.
    pub uuid: [u8; 16],
    /// When it was made, as footers hold it.
    pub timestamp: u32,
    /// Its size and records.
    pub written: Written,
    /// Whether it was read back and held what the image held.
    pub verified: bool,
    /// What a check found while it was read back.
    pub(crate) checked: Option<Box<CheckedFile>>,
    /// What would have been saved without the bytes that no file holds, if they were not left out and it is known.
    pub saving: Option<Saving>,
    /// Wall-clock time of reading, compressing and writing; scan and reading back are not in it.
    pub elapsed: Duration,
}

/// A container that was checked with all its content, and which file it is.
#[derive(Clone, Debug)]
pub(crate) struct CheckedFile {
    identity: FileIdentity,
    found: CheckedContainer,
}

impl CheckedFile {
    /// What was found, if `file` is that file.
    pub(crate) fn of(&self, file: &ImageFile) -> Option<&CheckedContainer> {
        self.identity.same_content(file.identity()).then_some(&self.found)
    }
}

/// Writes the disk in the image to a ZVHD2 at `output`; if it is verified, only after every block was read back. A RAW is scanned
/// first; of another format the blocks that are allocated are read, once.
///
/// `None` if the disk, once it was unpacked, refuses the plan.
pub(crate) fn write(plan: &mut Plan, output: &Path, work: Work<'_>) -> Result<Option<Zvhd2Written>> {
    let Plan { source, options, .. } = &*plan;
    // Fails now if nothing can be written there, not after an hour.
    let mut file = OutputFile::create_from(output, options.overwrite, &source.inputs())?;
    let ((mut written, checksums), came_in_order) = match source.blocks()? {
        Some(blocks) => (unpack(source, blocks, &mut file, options, work)?, true),
        None => (write_disk(plan, &mut file, options.verify, work)?, false),
    };
    if came_in_order {
        let unpacked = OpenedImage::new(file.reopen()?, work.cancel)?;
        if !plan.judge_unpacked(&unpacked.disk(work.cancel)?, work.cancel)? {
            return Ok(None);
        }
    }
    if let Some(checksums) = checksums {
        written.checked = Some(Box::new(verify_container(file.read_back()?, &checksums, work)?));
        written.verified = true;
    }
    file.commit()?;
    Ok(Some(written))
}

/// Reads the container back, once: checks it and compares every block.
fn verify_container(back: ImageFile, expected: &Checksums, work: Work<'_>) -> Result<CheckedFile> {
    let (found, differing) = check_against(&back, expected, work)?;
    let identity = back.identity().clone();
    if found.report.has_errors() {
        // As every reader of it would find out.
        let back = OpenedImage::new(back, work.cancel)?;
        verify(&back.disk(work.cancel)?, expected, work)?;
    } else {
        refuse_differing(back.path(), &differing)?;
    }
    Ok(CheckedFile { identity, found })
}

/// Writes the disk in the image into a stream, as a ZVHD2.
pub(crate) fn stream(plan: &Plan, out: &mut dyn Sink, work: Work<'_>) -> Result<Zvhd2Written> {
    Ok(write_disk(plan, out, false, work)?.0)
}

fn write_disk(
    plan: &Plan,
    out: &mut dyn Sink,
    checksums: bool,
    work: Work<'_>,
) -> Result<(Zvhd2Written, Option<Checksums>)> {
    let Plan { source, options, .. } = plan;
    let disk = plan.source_disk(work.cancel)?;
    let (map, scan) = data_blocks(&disk, options.io, work)?;
    let begun = Instant::now();
    let write_options = write_options(options, checksums)?;
    let disk = Source::new(disk);
    let (written, checksums) = imsprep_zvhd2::write(&disk, &map, &write_options, out, work)?;
    source.verify(&options.checksums, work)?;
    let mut made = made(source.path(), disk.size, scan, &write_options, written, begun);
    let Source { disk, size, seen } = disk;
    made.saving = plan.saving(seen, &disk, size, work.cancel);
    Ok((made, checksums))
}

/// The same for a RAW that is read once, from its first byte to its last.
fn unpack(
    source: &ConversionSource,
    blocks: Blocks<'_>,
    out: &mut OutputFile,
    options: &ConvertOptions,
    work: Work<'_>,
) -> Result<(Zvhd2Written, Option<Checksums>)> {
    let begun = Instant::now();
    let write_options = write_options(options, options.verify)?;
    let most = options.profile.max_disk;
    let (written, disk_size, checksums) = to_zvhd2(blocks, most, &write_options, out, work)?;
    source.verify(&options.checksums, work)?;
    let made = made(source.path(), disk_size, None, &write_options, written, begun);
    Ok((made, checksums))
}

/// What is asked for, with an identity and a time where none was.
fn write_options(options: &ConvertOptions, checksums: bool) -> Result<WriteOptions> {
    Ok(WriteOptions {
        level: options.level,
        timestamp: options.timestamp.unwrap_or_else(timestamp_now),
        uuid: options.uuid.map_or_else(random_uuid, Ok)?,
        checksums,
    })
}

fn made(
    image: &Path,
    disk_size: u64,
    scan: Option<Scan>,
    options: &WriteOptions,
    written: Written,
    begun: Instant,
) -> Zvhd2Written {
    let WriteOptions { level, timestamp, uuid, .. } = *options;
    Zvhd2Written {
        image: image.to_owned(),
        disk_size,
        scan,
        level,
        uuid,
        timestamp,
        written,
        verified: false,
        checked: None,
        saving: None,
        elapsed: begun.elapsed(),
    }
}

/// The blocks that may hold data, and the scan that told it, if there was one.
pub(crate) fn data_blocks(disk: &Disk<'_>, io: IoMode, work: Work<'_>) -> Result<(BlockMap, Option<Scan>)> {
    let Some(image) = disk.raw_file() else {
        return Ok((disk.allocated_blocks(disk.orig_size(), work.cancel)?, None));
    };
    let found = scan(image, &ScanOptions { io, ..ScanOptions::default() }, work)?;
    Ok((found.map.clone(), Some(found)))
}

/// The disk as the source image had it: that in a ZVHD goes on in zeros.
pub(crate) struct Source<'a> {
    disk: Disk<'a>,
    size: u64,
    /// What is read is read block by block.
    seen: SeenBlocks,
}

impl<'a> Source<'a> {
    pub(crate) fn new(disk: Disk<'a>) -> Self {
        Self { size: disk.orig_size(), disk, seen: SeenBlocks::new() }
    }
}

impl ReadAt for Source<'_> {
    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> imsprep_source::Result<()> {
        self.disk.read_at(buf, offset)?;
        self.seen.saw(buf, offset);
        Ok(())
    }
}

impl DiskReader for Source<'_> {
    fn data_from(&self, offset: u64) -> imsprep_source::Result<Option<Extent>> {
        let found = self.disk.data_from(offset)?.filter(|extent| extent.start < self.size);
        Ok(found.map(|extent| Extent { end: extent.end.min(self.size), ..extent }))
    }

    fn announce(&self, offset: u64, length: u64) {
        self.disk.announce(offset, length);
    }
}
