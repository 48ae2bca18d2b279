//! The main job: one file, one verdict.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use imsprep_bitmap::{
    BITMAP_MISSING, BITMAP_SHARED, Layout, Recognition, bitmap_path, layout, read_bitmap, write_bitmap,
};
use imsprep_detect::{Detection, Format};
use imsprep_findings::{Finding, Overrides, Report};
use imsprep_formats::Wrapper;
use imsprep_inspect::{Inspection, inspect, inspect_source};
use imsprep_rules::{
    DiskPart, Facts, HUAWEI, Inside, Inspected, Intent, Medium, Profile, SHORTER_NAME, check_image,
    create_command, is_too_large, not_checkable, note_all_zeros, says_no_disk, shell_quoted, shows_nothing,
};
use imsprep_scan::{IoMode, Scan, ScanOptions, scan};
use imsprep_source::{BlockSize, Cancel, FileKind, ImageFile, OutputFile, Overwrite, ReadAt, Work};

use crate::archive_check::{ArchiveDisks, look_into_archive};
use crate::bitmap::scan_options;
use crate::bitmap_state::{BitmapContext, BitmapState, built_in, check_bitmap_file, layout_findings};
use crate::digest::{digest, digest_beside, scan_and_digest};
use crate::no_disk::shows_only_zeros;
use crate::wrapped_disk::{Extent, look_through};
use crate::{Error, FileDigest, OpenedImage, Overview, Result, Target, Verdict};

/// How closely to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Structure and content.
    #[default]
    Content,
    /// Structure alone; the content is listed as not checked.
    Quick,
}

/// How to check.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// How closely to look.
    pub depth: Depth,
    /// The cloud's rules.
    pub profile: &'static Profile,
    /// What the import is going to be.
    pub intent: Intent,
    /// Rules that the user allows or denies.
    pub overrides: Overrides,
    /// Write the bitmap of a RAW that has none and is otherwise importable.
    pub write_bitmap: bool,
    /// Hash the image and its bitmap file, in the pass that looks at the content.
    pub digest: bool,
    /// The layout that the service's bitmap files are in, as somebody has it who learned or described it; tried before the
    /// built-in ones, and written. `None` is the default layout, which is unproven.
    pub layout: Option<Layout>,
    /// Tell where the disk has data, in at most so many pieces. A RAW is then scanned even where it has no bitmap file that
    /// could be held against its content.
    pub overview: Option<usize>,
    /// How to bring the image's bytes in.
    pub io: IoMode,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            depth: Depth::Content,
            profile: &HUAWEI,
            intent: Intent::default(),
            overrides: Overrides::new(),
            write_bitmap: false,
            digest: false,
            layout: None,
            overview: None,
            io: IoMode::Auto,
        }
    }
}

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
    /// What is on the disk, if it was looked into.
    pub inspection: Option<Inspection>,
    /// Why it was not looked into, if it was not.
    pub closed: Option<String>,
    /// Where the disk has data, if that was asked for and the disk has a size.
    pub overview: Option<Overview>,
    /// Size and hash of the file, if they were asked for.
    pub digest: Option<FileDigest>,
    /// Those of the bitmap file, if there is one.
    pub bitmap_digest: Option<FileDigest>,
    /// Whether all content that could be checked was.
    pub content_checked: bool,
}

impl CheckedImage {
    /// May it be imported?
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.report, self.content_checked)
    }
}

/// Checks one image file: its format, its structure and content, and the service's rules.
///
/// # Errors
///
/// Only if it could not be looked at: a broken image is `Ok` with findings. With `write_bitmap`, also if the bitmap file
/// could not be written.
pub fn check_image_file(target: &Target, options: &CheckOptions, work: Work<'_>) -> Result<CheckedImage> {
    check_opened(OpenedImage::open(&target.path, work.cancel)?, &target.shares_bitmap_with, options, work)
}

/// Checks an image that is open: `others` would have the same bitmap file.
pub(crate) fn check_opened(
    opened: OpenedImage,
    others: &[PathBuf],
    options: &CheckOptions,
    work: Work<'_>,
) -> Result<CheckedImage> {
    let (image, path) = (opened.file(), opened.path());
    let mut checked = CheckedImage {
        path: path.to_owned(),
        report: Report::under(options.overrides.clone()),
        bitmap: None,
        scan: None,
        zvhd2: None,
        inspection: None,
        closed: None,
        overview: None,
        digest: None,
        bitmap_digest: None,
        content_checked: true,
        detection: opened.detection().clone(),
    };
    let too_large = is_too_large(&checked.detection, options.profile);
    let depth = if too_large { Depth::Quick } else { options.depth };
    let why_not = if too_large {
        "the file or its disk is too large to be imported anyway"
    } else {
        "only a quick check was asked for"
    };
    let mut start = None;
    let inside = match checked.detection.format {
        Format::Raw => Ok(inspect(image, work.cancel)?),
        Format::Zvhd2 => check_zvhd2(image, &mut checked, options, (depth, why_not), work)?,
        Format::Tar => {
            let ArchiveDisks { inside, findings } =
                look_into_archive(&opened, &mut checked.detection, work.cancel)?;
            findings.into_iter().for_each(|finding| checked.report.push(finding));
            inside
        }
        format => match Wrapper::of(format) {
            Some(wrapper) => {
                let extent = if depth == Depth::Quick { Extent::Start(why_not) } else { Extent::Whole };
                let found = look_through(&opened, wrapper, extent, work)?;
                checked.detection.facts.extend(found.damage);
                if let Some((what, why)) = found.not_checked {
                    checked.report.push_not_checked(what, why);
                }
                start = found.start;
                found.inside
            }
            None => look_into(&opened, work.cancel)?,
        },
    };
    let medium = Medium { path, is_raw: checked.detection.format == Format::Raw, number: None };
    let seen = match (&inside, &start) {
        (Ok(inspection), _) => Some(Inside { inspection, medium, part: DiskPart::Whole }),
        (Err(_), Some(inspection)) => Some(Inside { inspection, medium, part: DiskPart::Start }),
        (Err(_), None) => None,
    };
    let all_zeros = match checked.detection.format {
        Format::Raw => shows_nothing(&checked.detection) && shows_only_zeros(image)?,
        _ => checked.zvhd2.as_ref().is_some_and(|info| info.data_blocks == Some(0)),
    };
    let facts = Facts { path, detection: &checked.detection, inside: seen, all_zeros };
    check_image(&facts, options.profile, &options.intent, &mut checked.report);
    check_shared(path, others, &mut checked.report);
    if checked.detection.format == Format::Raw {
        check_raw(image, &mut checked, options, (depth, why_not), work)?;
        if options.overview.is_some() && checked.scan.is_none() && depth == Depth::Content {
            let scan_options = ScanOptions { io: options.io, ..ScanOptions::default() };
            let found;
            (found, checked.digest) = look_at_content(image, options.digest, &scan_options, work)?;
            checked.scan = Some(found);
        }
        if checked.scan.as_ref().is_some_and(|scan| scan.map.data_count() == 0) {
            note_all_zeros(&options.intent, &mut checked.report);
        }
    }
    if let (Some(most), None) = (options.overview, &checked.overview) {
        let why = match (&inside, checked.detection.format) {
            (Err(why), _) => why.clone(),
            (Ok(_), Format::Raw) => why_not.to_owned(),
            (Ok(_), format) => format!("the content of a {format} is not read"),
        };
        checked.overview = match &checked.scan {
            Some(scan) => Overview::of_scan(&scan.map, most),
            None => unread(&checked.detection, &why, most),
        };
    }
    if options.digest {
        digest_rest(image, &mut checked, work)?;
    }
    image.verify_unchanged()?;
    checked.report.name_file(&shell_quoted(path));
    let sight = match &inside {
        Ok(inspection) => Inspected::Inside(inspection),
        Err(why) => Inspected::Nothing(why),
    };
    not_checkable(sight, options.profile, &options.intent, &mut checked.report);
    match inside {
        Ok(inspection) => checked.inspection = Some(inspection),
        Err(why) => checked.closed = Some(why),
    }
    Ok(checked)
}

/// The overview of a disk that was not looked into.
fn unread(detection: &Detection, why: &str, most: usize) -> Option<Overview> {
    Overview::unread(detection.virtual_size?, BlockSize::MIB_2.bytes(), why, most)
}

/// Hashes what no pass over the content has hashed: images that were not read, and the bitmap file.
fn digest_rest(image: &ImageFile, checked: &mut CheckedImage, work: Work<'_>) -> Result<()> {
    if checked.digest.is_none() {
        checked.digest = Some(digest(image, work)?);
    }
    if let Some(path) = checked.bitmap.as_ref().and_then(BitmapState::file) {
        checked.bitmap_digest = Some(digest(&ImageFile::open(path)?, Work::new(&(), work.cancel))?);
    }
    Ok(())
}

/// Looks at all of a RAW's content, once, and hashes it if that is asked for.
fn look_at_content(
    image: &ImageFile,
    hashed: bool,
    options: &ScanOptions,
    work: Work<'_>,
) -> Result<(Scan, Option<FileDigest>)> {
    if hashed {
        let (found, digest) = scan_and_digest(image, options.block_size, work)?;
        return Ok((found, Some(digest)));
    }
    Ok((scan(image, options, work)?, None))
}

/// The image's name is so long that its bitmap file can't have the one that the service looks for.
fn push_no_name(checked: &mut CheckedImage, path: PathBuf) {
    let message = "with .mf at its end the image's name is longer than any file's here".to_owned();
    checked.report.push(Finding::new(&BITMAP_MISSING, message).fix(SHORTER_NAME));
    checked.bitmap = Some(BitmapState::Missing { path });
}

fn check_shared(path: &Path, others: &[PathBuf], report: &mut Report) {
    if others.is_empty() {
        return;
    }
    let others = others.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let bitmap = bitmap_path(path);
    let message = format!("{} would also be the bitmap of {}", bitmap.display(), others.join(" and "));
    report.push(Finding::new(&BITMAP_SHARED, message));
}

fn check_raw(
    image: &ImageFile,
    checked: &mut CheckedImage,
    options: &CheckOptions,
    (depth, why_not): (Depth, &str),
    work: Work<'_>,
) -> Result<()> {
    let path = bitmap_path(&checked.path);
    let report = &mut checked.report;
    let context = BitmapContext { image, bitmap: &path, layout: options.layout.as_ref() };
    let file = match path.symlink_metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        // No file can have that name, so there is none.
        Err(e) if e.kind() == ErrorKind::InvalidFilename => {
            push_no_name(checked, path);
            return Ok(());
        }
        _ => Some(read_bitmap(&path, Some(checked.detection.file_size), options.layout.as_ref())?),
    };
    let Some(file) = file else {
        if says_no_disk(report) {
            checked.bitmap = Some(BitmapState::Missing { path });
            return Ok(());
        }
        let wanted = options.write_bitmap && image.kind() == FileKind::Regular && !report.has_errors();
        if !wanted || depth == Depth::Quick {
            let output = (image.kind() == FileKind::BlockDevice).then_some(Path::new("disk.mf"));
            let fix = format!(
                "make it: {}",
                create_command(built_in(options.layout.as_ref()), &checked.path, output)
            );
            let message = format!("there is no {}", path.display());
            report.push(Finding::new(&BITMAP_MISSING, message).fix(fix));
            checked.bitmap = Some(BitmapState::Missing { path });
            return Ok(());
        }
        // Fails now if nothing can be written there, not after an hour of scanning.
        drop(OutputFile::create(&path, Overwrite::Refuse, &[image])?);
        let layout = options.layout.as_ref().unwrap_or(&layout::ZVHD2);
        let scan_options = ScanOptions { block_size: layout.block_size, io: options.io };
        let found;
        (found, checked.digest) = look_at_content(image, options.digest, &scan_options, work)?;
        let bytes = layout.encode(&found.map).map_err(|why| Error::cannot_encode(&path, layout, why))?;
        write_bitmap(&path, &bytes, Overwrite::Refuse, &[image])?;
        layout_findings(layout, &context, report);
        checked.bitmap = Some(BitmapState::Written { path, layout: layout.clone() });
        checked.scan = Some(found);
        return Ok(());
    };

    let content_can_tell =
        matches!(file.recognition, Recognition::Known { .. } | Recognition::Unrecognised { .. });
    let found = if depth == Depth::Content && content_can_tell {
        let found;
        let scan_options = scan_options(&file, options.io);
        (found, checked.digest) = look_at_content(image, options.digest, &scan_options, work)?;
        Some(found)
    } else {
        None
    };
    checked.bitmap = Some(check_bitmap_file(&file, found.as_ref(), &context, report));
    if found.is_none() && content_can_tell {
        report.push_not_checked("whether the bitmap marks every block that holds data", why_not);
        checked.content_checked = false;
    }
    checked.scan = found;
    Ok(())
}

/// What is on the disk in an image that no import takes as it is, or why that was not looked into. Whatever speaks against
/// opening it is in the report, by the rules on its format.
fn look_into(image: &OpenedImage, cancel: &Cancel) -> Result<Result<Inspection, String>> {
    let disk = match image.disk(cancel) {
        Ok(disk) => disk,
        Err(Error::NoDisk { format, .. }) => {
            return Ok(Err(format!("of a {format} the disk is not looked into")));
        }
        Err(error) if error.is_about_the_disk() => return Ok(Err(error.to_string())),
        Err(error) => return Err(error),
    };
    inspect_unless_damaged(&disk, disk.orig_size(), cancel)
}

/// What is on a disk, or that the part of the image that tells it is damaged, which a quick look at the image does not show.
pub(crate) fn inspect_unless_damaged(
    disk: &dyn ReadAt,
    source_size: u64,
    cancel: &Cancel,
) -> Result<Result<Inspection, String>> {
    match inspect_source(disk, source_size, cancel) {
        Ok(inspection) => Ok(Ok(inspection)),
        Err(error @ imsprep_source::Error::Damaged { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Checks a container; tells what is on its disk, or why that was not looked into.
fn check_zvhd2(
    image: &ImageFile,
    checked: &mut CheckedImage,
    options: &CheckOptions,
    (depth, why_not): (Depth, &str),
    work: Work<'_>,
) -> Result<Result<Inspection, String>> {
    let zvhd2_depth = match depth {
        Depth::Content => imsprep_zvhd2::Depth::Content,
        Depth::Quick => imsprep_zvhd2::Depth::Structure,
    };
    let check = || Ok(imsprep_zvhd2::check(image, zvhd2_depth, work)?);
    let found = if options.digest {
        let (found, digest) = digest_beside(image, work.cancel, check)?;
        checked.digest = Some(digest);
        found
    } else {
        check()?
    };
    // What lies on the disk can be told of a container that can be read.
    let inside = if found.report.has_errors() {
        Err("the container has errors, so its disk can't be read".into())
    } else {
        let disk = imsprep_zvhd2::Reader::open(image, work.cancel)?;
        inspect_unless_damaged(&disk, disk.orig_size(), work.cancel)?
    };
    if let Some(most) = options.overview {
        checked.overview = overview_of(&found, depth, why_not, most);
    }
    checked.report.merge(found.report);
    checked.zvhd2 = Some(found.info);
    checked.content_checked = depth == Depth::Content;
    Ok(inside)
}

/// What a container's records tell of its disk, which is as long as the image that it was made from.
fn overview_of(
    found: &imsprep_zvhd2::CheckedContainer,
    depth: Depth,
    why_not: &str,
    most: usize,
) -> Option<Overview> {
    let info = &found.info;
    let (size, block_size) = (info.orig_size.0, info.block_size.0);
    let Some(occupancy) = &found.occupancy else {
        let why = "there is no bitmap that could be read, and nothing else tells where data is";
        return Overview::unread(size, block_size, why, most);
    };
    let why_not = match (depth, info.method) {
        (Depth::Quick, _) => Some(why_not),
        (Depth::Content, None) => Some("the compression method is unknown"),
        (Depth::Content, Some(_)) => None,
    };
    Overview::of_container(occupancy, (size, block_size), why_not, most)
}
