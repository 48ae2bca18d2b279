//! What a look at one file saw, before anything of it is judged.

use std::io::ErrorKind;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use imsprep_bitmap::{BitmapFile, Layout, Recognition, bitmap_path, read_bitmap};
use imsprep_detect::{Detection, Format};
use imsprep_findings::Finding;
use imsprep_formats::Wrapper;
use imsprep_guest::Guest;
use imsprep_inspect::Inspection;
use imsprep_rules::{is_too_large, shows_nothing};
use imsprep_scan::{Scan, ScanOptions, scan};
use imsprep_source::{Cancel, Error as SourceError, ImageFile, InUse, ReadAt, Work};
use imsprep_zvhd2::CheckedContainer;

use crate::archive::Member;
use crate::archive_check::{ArchiveDisks, Reading, look_into_archive};
use crate::bitmap::scan_options;
use crate::digest::{digest, digest_beside, scan_and_digest};
use crate::disk_seen::{DiskSeen, SystemFiles, SystemWanted, look_at_disk, look_into};
use crate::no_disk::shows_only_zeros;
use crate::unpack::{Unpack, large_temp_folder};
use crate::unpacked_disk::look_unpacked;
use crate::wrapped_disk::{Extent, look_through};
use crate::{CheckOptions, Depth, FileDigest, OpenedImage, Result};

/// All that was seen of one file.
pub(crate) struct Seen {
    /// What it is, with what its disks add to that.
    pub(crate) detection: Detection,
    /// What is on its disk.
    pub(crate) disk: DiskSeen,
    /// What the first block shows of a compressed disk that was not read through.
    pub(crate) start: Option<Inspection>,
    /// The disk of an archive that was looked into.
    pub(crate) member: Option<Member>,
    /// What is wrong with disks in an archive.
    pub(crate) archive: Vec<Finding>,
    /// What was not looked at, and why.
    pub(crate) not_checked: Option<(&'static str, String)>,
    /// Whether the disk is known to hold nothing but zeros.
    pub(crate) all_zeros: bool,
    /// A ZVHD2.
    pub(crate) container: Option<CheckedContainer>,
    /// A RAW's bitmap file.
    pub(crate) bitmap: RawBitmap,
    /// A RAW's scan, if its content was read.
    pub(crate) scan: Option<Scan>,
    /// How closely the file was looked at, which may be less closely than was asked for, and why not more.
    pub(crate) depth: Depth,
    pub(crate) why_not: &'static str,
    /// What writes to the image, if it is known that anything does.
    pub(crate) in_use: Option<InUse>,
    /// Size and hash of the file, if a pass over the content found them on its way.
    pub(crate) digest: Option<FileDigest>,
}

/// A RAW's bitmap file.
pub(crate) enum RawBitmap {
    /// The image is no RAW.
    NotRaw,
    /// The name of the image is so long that no file can have the name of its bitmap.
    NoName(PathBuf),
    /// There is none.
    Missing(PathBuf),
    /// It will be written if nothing speaks against the image.
    Wanted(PathBuf),
    /// It was written just now.
    Written(PathBuf, Box<Layout>),
    /// It is there.
    File(Box<BitmapFile>),
}

/// What was found out before about an image that is looked at.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    /// The system on its disk, if it was read from another image of that disk.
    pub(crate) guest: Option<&'a Guest>,
    /// The container, if this very file was checked with all its content.
    pub(crate) container: Option<&'a CheckedContainer>,
}

/// Looks at an open image.
pub(crate) fn look(
    opened: &OpenedImage,
    options: &CheckOptions,
    known: Known<'_>,
    work: Work<'_>,
) -> Result<Seen> {
    let image = opened.file();
    let mut detection = opened.detection().clone();
    let wanted = SystemWanted { intent: &options.intent, known: known.guest };
    let too_large = is_too_large(&detection, options.profile);
    let depth = if too_large { Depth::Quick } else { options.depth };
    let why_not = if too_large {
        "the file or its disk is too large to be imported anyway"
    } else {
        "only a quick check was asked for"
    };
    let (mut start, mut archive, mut not_checked) = (None, Vec::new(), None);
    let mut member = None;
    let (mut container, mut digest) = (None, None);
    let is_unpacked = depth == Depth::Content && opened.is_to_be_unpacked(Unpack::Formats)?;
    let is_in_archive = depth == Depth::Content && opened.is_archive() && opened.is_in_archive()?;
    let mut bitmap = RawBitmap::NotRaw;
    let mut scan = None;
    let disk = match detection.format {
        Format::Raw => {
            let content = |work: Work<'_>| look_at_bitmap(image, detection.file_size, depth, options, work);
            let (disk, content) = look_at_raw(image, wanted, content, work)?;
            (bitmap, scan, digest) = (content.bitmap, content.scan, content.digest);
            disk
        }
        Format::Zvhd2 => {
            let (found, hash) = match known.container.filter(|_| depth == Depth::Content) {
                Some(found) => (found.clone(), None),
                None => check_container(image, options.digest, depth, work)?,
            };
            let disk = look_into_container(image, &found, wanted, work.cancel)?;
            (container, digest) = (Some(found), hash);
            disk
        }
        _ if opened.is_archive() && !is_in_archive => {
            let folder = options.temp_folder.clone().unwrap_or_else(large_temp_folder);
            let reading = Reading { depth, why_not, folder: &folder };
            let selector = options.disk.as_ref();
            let found = look_into_archive(opened, &mut detection, wanted, selector, reading, work)?;
            let ArchiveDisks { disk, member: selected, findings, not_checked: open } = found;
            (archive, member, not_checked) = (findings, selected, open);
            disk
        }
        _ if is_unpacked => {
            let folder = options.temp_folder.clone().unwrap_or_else(large_temp_folder);
            let (disk, damage) = look_unpacked(opened, &folder, wanted, options.disk.as_ref(), work)?;
            detection.facts.extend(damage);
            disk
        }
        format => match Wrapper::of(format) {
            Some(_) => {
                let extent = if depth == Depth::Quick { Extent::Start(why_not) } else { Extent::Whole };
                let found = look_through(opened, extent, work)?;
                detection.facts.extend(found.damage);
                (not_checked, start) = (found.not_checked, found.start);
                let why = "the files on a compressed disk can't be read until it is decompressed";
                DiskSeen { inside: found.inside, system: SystemFiles::NotRead(why.into()), space: None }
            }
            None => look_into(opened, wanted, work.cancel)?,
        },
    };
    let all_zeros = match detection.format {
        Format::Raw => shows_nothing(&detection) && shows_only_zeros(image)?,
        _ => container.as_ref().is_some_and(|found| found.info.data_blocks == Some(0)),
    };
    // Asked last: what began to use it while it was read uses it still, or has changed it.
    let in_use = image.in_use()?;
    Ok(Seen {
        detection,
        disk,
        start,
        member,
        archive,
        not_checked,
        all_zeros,
        container,
        bitmap,
        scan,
        depth,
        why_not,
        in_use,
        digest,
    })
}

/// What a look at a RAW's bitmap file saw.
struct BitmapSeen {
    bitmap: RawBitmap,
    /// The image's content, if it was read.
    scan: Option<Scan>,
    digest: Option<FileDigest>,
}

/// Looks at the disk in a RAW, on a thread of its own, while `content` reads what the file holds on the caller's.
fn look_at_raw(
    image: &ImageFile,
    wanted: SystemWanted<'_>,
    content: impl FnOnce(Work<'_>) -> Result<BitmapSeen>,
    work: Work<'_>,
) -> Result<(DiskSeen, BitmapSeen)> {
    let content_cancel = work.cancel.of_part();
    thread::scope(|scope| {
        let look = || {
            let seen = look_at_disk(image, image.size(), wanted, work.cancel);
            if seen.is_err() {
                content_cancel.cancel();
            }
            seen
        };
        let looking = thread::Builder::new()
            .spawn_scoped(scope, look)
            .map_err(|source| SourceError::NoThread { path: image.path().to_owned(), source })?;
        let content = content(Work::new(work.progress, &content_cancel));
        let disk = looking.join().unwrap_or_else(|panic| resume_unwind(panic));
        // What the look met comes first: the content may only have been left because of it.
        Ok((disk?, content?))
    })
}

/// Looks for a RAW's bitmap file, and at the content if the file can be held against it.
fn look_at_bitmap(
    image: &ImageFile,
    file_size: u64,
    depth: Depth,
    options: &CheckOptions,
    work: Work<'_>,
) -> Result<BitmapSeen> {
    let path = bitmap_path(image.path());
    let bitmap = match path.symlink_metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => RawBitmap::Missing(path),
        // No file can have that name, so there is none.
        Err(e) if e.kind() == ErrorKind::InvalidFilename => RawBitmap::NoName(path),
        _ => RawBitmap::File(Box::new(read_bitmap(&path, Some(file_size), options.layout.as_ref())?)),
    };
    let (scan, digest) = match &bitmap {
        RawBitmap::File(file) if content_can_tell(file) && depth == Depth::Content => {
            let scan_options = scan_options(file, options.io);
            let (scan, digest) = read_content(image, options.digest, &scan_options, work)?;
            (Some(scan), digest)
        }
        _ => (None, None),
    };
    Ok(BitmapSeen { bitmap, scan, digest })
}

/// Looks at all of a RAW's content, once, and hashes it if that is asked for.
fn read_content(
    image: &ImageFile,
    hashed: bool,
    options: &ScanOptions,
    work: Work<'_>,
) -> Result<(Scan, Option<FileDigest>)> {
    if !hashed {
        return Ok((scan(image, options, work)?, None));
    }
    let (scan, digest) = scan_and_digest(image, options.block_size, work)?;
    Ok((scan, Some(digest)))
}

impl Seen {
    /// Looks at all of a RAW's content, once, and hashes it if that is asked for.
    pub(crate) fn look_at_content(
        &mut self,
        image: &ImageFile,
        hashed: bool,
        options: &ScanOptions,
        work: Work<'_>,
    ) -> Result<&Scan> {
        let (found, digest) = read_content(image, hashed, options, work)?;
        self.digest = digest.or(self.digest);
        Ok(self.scan.insert(found))
    }

    /// Hashes what no pass over the content has hashed.
    pub(crate) fn digest_rest(&mut self, image: &ImageFile, work: Work<'_>) -> Result<()> {
        if self.digest.is_none() {
            self.digest = Some(digest(image, work)?);
        }
        Ok(())
    }
}

/// Whether a bitmap file can be held against the content.
pub(crate) fn content_can_tell(file: &BitmapFile) -> bool {
    matches!(file.recognition, Recognition::Known { .. } | Recognition::Unrecognised { .. })
}

/// Checks a container, and hashes its file if that is asked for.
fn check_container(
    image: &ImageFile,
    hashed: bool,
    depth: Depth,
    work: Work<'_>,
) -> Result<(CheckedContainer, Option<FileDigest>)> {
    let depth = match depth {
        Depth::Content => imsprep_zvhd2::Depth::Content,
        Depth::Quick => imsprep_zvhd2::Depth::Structure,
    };
    let check = || Ok(imsprep_zvhd2::check(image, depth, work)?);
    if hashed {
        let (found, digest) = digest_beside(image, work.cancel, check)?;
        return Ok((found, Some(digest)));
    }
    Ok((check()?, None))
}

/// What lies on the disk can be told of a container that can be read.
fn look_into_container(
    image: &ImageFile,
    found: &CheckedContainer,
    wanted: SystemWanted<'_>,
    cancel: &Cancel,
) -> Result<DiskSeen> {
    if found.report.has_errors() {
        return Ok(DiskSeen::closed("the container has errors, so its disk can't be read"));
    }
    let disk = imsprep_zvhd2::Reader::open(image, cancel)?;
    look_at_disk(&disk, disk.orig_size(), wanted, cancel)
}

/// The path of the image's bitmap file, for what judges it.
impl RawBitmap {
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::NotRaw => None,
            Self::NoName(path) | Self::Missing(path) | Self::Wanted(path) | Self::Written(path, _) => {
                Some(path)
            }
            Self::File(file) => Some(&file.path),
        }
    }
}
