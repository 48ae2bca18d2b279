//! The main job: one file, one verdict.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use imsprep_bitmap::{layout, write_bitmap};
use imsprep_detect::{Detection, Format};
use imsprep_findings::Report;
use imsprep_guest::{DiskSpace, Guest};
use imsprep_inspect::Inspection;
use imsprep_rules::{WouldStart, says_no_disk};
use imsprep_scan::{Scan, ScanOptions};
use imsprep_source::{BlockMap, BlockSize, FileKind, ImageFile, OutputFile, Overwrite, Work};

use crate::bitmap_state::BitmapState;
use crate::digest::digest;
use crate::disk_seen::DiskSeen;
use crate::judge::{Judged, judge};
use crate::published::verify_checksums;
use crate::saving::Saving;
use crate::seen::{Known, RawBitmap, Seen, look};
use crate::{
    CheckOptions, Checksum, Depth, Error, FileDigest, Member, MissingBitmap, OpenedImage, Overview, Result,
    Target, Verdict,
};

/// All that was found out about one file.
#[derive(Debug)]
pub struct CheckedImage {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub detection: Detection,
    /// What is wrong, and what was not checked.
    pub report: Report,
    /// A RAW's bitmap file.
    pub bitmap: Option<BitmapState>,
    /// A RAW's scan, if its content was read.
    pub scan: Option<Scan>,
    /// A ZVHD2's structure.
    pub zvhd2: Option<imsprep_zvhd2::Info>,
    /// What is on the disk, if it was inspected.
    pub inspection: Option<Inspection>,
    /// The disk of an archive that was inspected.
    pub member: Option<Member>,
    /// Why it was not inspected, if it was not.
    pub closed: Option<String>,
    /// The system on the disk, if its files were read.
    pub guest: Option<Guest>,
    /// How much of the disk's volumes is free; `None` if that was not read.
    pub space: Option<DiskSpace>,
    /// How much of the data no file holds; `None` if that is not known.
    pub saving: Option<Saving>,
    /// Whether a server would start that system; `None` if there is none, or it was not judged.
    pub would_start: Option<WouldStart>,
    /// Where the disk has data, if that was requested and the disk has a size.
    pub overview: Option<Overview>,
    /// Size and hash of the file, if they were asked for.
    pub digest: Option<FileDigest>,
    /// Those of the bitmap file, if there is one.
    pub bitmap_digest: Option<FileDigest>,
    /// Checksums that were given for the file, and that it has.
    pub checksums: Vec<Checksum>,
    /// Whether all content that could be checked was.
    pub content_checked: bool,
}

impl CheckedImage {
    /// May it be imported?
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.report, self.content_checked)
    }
}

/// Checks one image file: its format, its structure and content, the system on its disk, and the service's rules.
///
/// # Errors
///
/// Only if it could not be checked: a broken image is `Ok` with findings. With [`MissingBitmap::Write`], also if the bitmap file
/// could not be written.
pub fn check_image_file(target: &Target, options: &CheckOptions, work: Work<'_>) -> Result<CheckedImage> {
    let opened = OpenedImage::open_with(&target.path, options.holes, work.cancel)?;
    verify_checksums(opened.file(), &options.checksums, work)?;
    check_opened(&opened, &target.shares_bitmap_with, options, Known::default(), work)
}

/// Checks an image that is open: `others` would have the same bitmap file.
pub(crate) fn check_opened(
    opened: &OpenedImage,
    others: &[PathBuf],
    options: &CheckOptions,
    known: Known<'_>,
    work: Work<'_>,
) -> Result<CheckedImage> {
    let image = opened.file();
    let mut seen = look(opened, options, known, work)?;
    if options.missing_bitmap == MissingBitmap::Foresee
        && image.kind() == FileKind::Regular
        && let RawBitmap::Missing(path) = &seen.bitmap
    {
        seen.bitmap = RawBitmap::Wanted(path.clone());
    } else if let Some(path) = wanted_bitmap(image, &seen, options) {
        // It is written if nothing speaks against the image but that it is not there.
        seen.bitmap = RawBitmap::Wanted(path.clone());
        let report = judge(image, &seen, others, options).report;
        if report.has_errors() || says_no_disk(&report) {
            seen.bitmap = RawBitmap::Missing(path);
        } else {
            write_missing_bitmap(image, path, &mut seen, options, work)?;
        }
    }
    if options.overview.is_some() && is_unread_raw(&seen) {
        let scan_options = ScanOptions { io: options.io, ..ScanOptions::default() };
        seen.look_at_content(image, options.digest, &scan_options, work)?;
    }
    let Judged { report, bitmap, content_checked, would_start } = judge(image, &seen, others, options);
    let bitmap_file = bitmap.as_ref().and_then(BitmapState::file).filter(|_| options.digest);
    let bitmap_digest =
        bitmap_file.map(|path| digest(&ImageFile::open(path)?, Work::new(&(), work.cancel))).transpose()?;
    if options.digest {
        seen.digest_rest(image, work)?;
    }
    image.verify_unchanged()?;
    let overview = options.overview.and_then(|most| overview_of(&seen, most));
    let saving = seen.disk.space.as_ref().and_then(|space| Saving::of(&*data_blocks(&seen)?, space));
    let Seen { detection, disk: DiskSeen { inside, system, space }, member, container, scan, digest, .. } =
        seen;
    let (inspection, closed) = match inside {
        Ok(inspection) => (Some(inspection), None),
        Err(why) => (None, Some(why)),
    };
    let guest = system.into_guest();
    let zvhd2 = container.map(|container| container.info);
    let path = opened.path().to_owned();
    Ok(CheckedImage {
        path,
        detection,
        report,
        bitmap,
        scan,
        zvhd2,
        inspection,
        member,
        closed,
        guest,
        space,
        saving,
        would_start,
        overview,
        digest,
        checksums: options.checksums.clone(),
        bitmap_digest,
        content_checked,
    })
}

/// The path of the bitmap file that a RAW lacks and is to get.
fn wanted_bitmap(image: &ImageFile, seen: &Seen, options: &CheckOptions) -> Option<PathBuf> {
    let is_wanted = options.missing_bitmap == MissingBitmap::Write
        && image.kind() == FileKind::Regular
        && seen.depth == Depth::Content;
    match &seen.bitmap {
        RawBitmap::Missing(path) if is_wanted => Some(path.clone()),
        _ => None,
    }
}

fn write_missing_bitmap(
    image: &ImageFile,
    path: PathBuf,
    seen: &mut Seen,
    options: &CheckOptions,
    work: Work<'_>,
) -> Result<()> {
    // Fails now if nothing can be written there, not after an hour of scanning.
    drop(OutputFile::create(&path, Overwrite::Refuse, &[image])?);
    let layout = options.layout.as_ref().unwrap_or(&layout::ZVHD2);
    let scan_options = ScanOptions { block_size: layout.block_size, io: options.io };
    let scan = seen.look_at_content(image, options.digest, &scan_options, work)?;
    let bytes = layout.encode(&scan.map).map_err(|why| Error::cannot_encode(&path, layout, why))?;
    write_bitmap(&path, &bytes, Overwrite::Refuse, &[image])?;
    seen.bitmap = RawBitmap::Written(path, Box::new(layout.clone()));
    Ok(())
}

/// Whether it is a RAW whose content was not read although it may be.
fn is_unread_raw(seen: &Seen) -> bool {
    seen.detection.format == Format::Raw && seen.scan.is_none() && seen.depth == Depth::Content
}

/// The blocks that hold data, as the content or the bitmap of a container has them. `None` if that is not known of all of them.
fn data_blocks(seen: &Seen) -> Option<Cow<'_, BlockMap>> {
    if let Some(scan) = &seen.scan {
        return Some(Cow::Borrowed(&scan.map));
    }
    let container = seen.container.as_ref()?;
    let occupancy = container.occupancy.as_ref().filter(|occupancy| !occupancy.is_cut())?;
    let info = &container.info;
    let size = BlockSize::MIB_2;
    let mut map = BlockMap::zeroed(Path::new("disk"), info.orig_size.0, size).ok()?;
    let blocks = occupancy.marked().iter().map(|block| u64::from(*block));
    blocks
        .filter(|block| *block < map.block_count())
        .collect::<Vec<_>>()
        .iter()
        .for_each(|block| map.set(*block, true));
    (info.block_size.0 == size.bytes()).then_some(Cow::Owned(map))
}

/// Where the disk has data, in at most so many pieces.
fn overview_of(seen: &Seen, most: usize) -> Option<Overview> {
    let free = seen.disk.space.as_ref().map_or(&[][..], |space| &space.ranges()[..]);
    if let Some(container) = &seen.container {
        return overview_of_container(container, free, (seen.depth, seen.why_not), most);
    }
    if let Some(scan) = &seen.scan {
        return Overview::of_scan(&scan.map, free, most);
    }
    let why = match (&seen.disk.inside, seen.detection.format) {
        (Err(why), _) => why.clone(),
        (Ok(_), Format::Raw) => seen.why_not.to_owned(),
        (Ok(_), format) => format!("the content of this {format} file is not read"),
    };
    Overview::unread(seen.detection.virtual_size?, BlockSize::MIB_2.bytes(), &why, most)
}

/// What a container's records tell of its disk, which is as long as the image that it was made from.
fn overview_of_container(
    found: &imsprep_zvhd2::CheckedContainer,
    free: &[Range<u64>],
    (depth, why_not): (Depth, &str),
    most: usize,
) -> Option<Overview> {
    let info = &found.info;
    let (size, block_size) = (info.orig_size.0, info.block_size.0);
    let Some(occupancy) = &found.occupancy else {
        let why = "there is no readable bitmap, so the location of the data is unknown";
        return Overview::unread(size, block_size, why, most);
    };
    let why_not = match (depth, info.method) {
        (Depth::Quick, _) => Some(why_not),
        (Depth::Content, None) => Some("the compression method is unknown"),
        (Depth::Content, Some(_)) => None,
    };
    Overview::of_container(occupancy, (size, block_size), free, why_not, most)
}
