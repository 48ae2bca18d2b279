//! A RAW image, written as a ZVHD2.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use imsprep_scan::{IoMode, Scan, ScanOptions, scan};
use imsprep_source::{Cancel, ImageFile, OutputFile, Overwrite, Progress, Sink};
use imsprep_zvhd2::{Checksums, Level, WriteOptions, Written, timestamp_now};

use crate::uuid::random_uuid;
use crate::verify::verify;
use crate::{Result, open_disk};

/// How to write a ZVHD2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zvhd2Options {
    /// How to bring the image's bytes in while looking for zero blocks.
    pub io: IoMode,
    /// How hard to compress.
    pub level: Level,
    /// The container's identity; `None` is a random one.
    pub uuid: Option<[u8; 16]>,
    /// When it was made, as footers hold it; `None` is now.
    pub timestamp: Option<u32>,
}

impl Default for Zvhd2Options {
    /// As the reference does it.
    fn default() -> Self {
        Self { io: IoMode::Auto, level: Level::REFERENCE, uuid: None, timestamp: None }
    }
}

/// A ZVHD2 that was written.
#[derive(Clone, Debug)]
pub struct Zvhd2Written {
    /// The image that it was made from.
    pub image: PathBuf,
    /// What the scan of the image found.
    pub scan: Scan,
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
    /// Wall-clock time of reading, compressing and writing; scan and reading back are not in it.
    pub elapsed: Duration,
}

/// Writes the RAW at `path` to a ZVHD2 at `output`, which appears whole or not at all; if it is verified, only after every
/// block was read back.
///
/// # Errors
///
/// What reading and writing brings, with nothing left of a file that could not be finished;
/// [`Error::NotAsWritten`](crate::Error::NotAsWritten).
pub fn write_zvhd2(
    path: &Path,
    output: &Path,
    overwrite: Overwrite,
    verified: bool,
    options: &Zvhd2Options,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Zvhd2Written> {
    let image = ImageFile::open(path)?;
    // Fails now if nothing can be written there, not after an hour.
    let mut file = OutputFile::create(output, overwrite, &[&image])?;
    let (mut written, checksums) = write(&image, &mut file, verified, options, progress, cancel)?;
    if let Some(checksums) = checksums {
        let back = file.read_back()?;
        verify(&open_disk(&back, cancel)?, &checksums, progress, cancel)?;
        written.verified = true;
    }
    file.commit()?;
    Ok(written)
}

/// Writes the RAW at `path` into a stream, as a ZVHD2.
///
/// # Errors
///
/// As [`write_zvhd2`]; but what went into the stream can't be taken back.
pub fn stream_zvhd2(
    path: &Path,
    out: &mut dyn Sink,
    options: &Zvhd2Options,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Zvhd2Written> {
    let image = ImageFile::open(path)?;
    Ok(write(&image, out, false, options, progress, cancel)?.0)
}

fn write(
    image: &ImageFile,
    out: &mut dyn Sink,
    checksums: bool,
    options: &Zvhd2Options,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<(Zvhd2Written, Option<Checksums>)> {
    let uuid = options.uuid.map_or_else(random_uuid, Ok)?;
    let timestamp = options.timestamp.unwrap_or_else(timestamp_now);
    let found = scan(image, &ScanOptions { io: options.io, ..ScanOptions::default() }, progress, cancel)?;
    let begun = Instant::now();
    let write_options = WriteOptions { level: options.level, timestamp, uuid, checksums };
    let (written, checksums) =
        imsprep_zvhd2::write(image, &found.map, &write_options, out, progress, cancel)?;
    image.verify_unchanged()?;
    let written = Zvhd2Written {
        image: imsprep_source::ReadAt::path(image).to_owned(),
        scan: found,
        level: options.level,
        uuid,
        timestamp,
        written,
        verified: false,
        elapsed: begun.elapsed(),
    };
    Ok((written, checksums))
}
