//! The main job: one file, one verdict.

use std::path::PathBuf;

use imsprep_bitmap::{
    BITMAP_MISSING, BITMAP_SHARED, Layout, Recognition, bitmap_path, layout, read_bitmap, write_bitmap,
};
use imsprep_detect::{Detection, Format, detect};
use imsprep_findings::{Finding, Report};
use imsprep_rules::{
    HUAWEI, Profile, check_backup_gpt, check_image, is_too_large, not_checkable, shell_quoted,
};
use imsprep_scan::{IoMode, Scan, ScanOptions, scan};
use imsprep_source::{Cancel, FileKind, ImageFile, OutputFile, Overwrite, Progress};

use crate::bitmap::scan_options;
use crate::bitmap_state::{BitmapContext, BitmapState, check_bitmap_file, layout_findings};
use crate::{Error, Result, Target, Verdict};

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
    /// Write the bitmap of a RAW that has none and is otherwise importable.
    pub write_bitmap: bool,
    /// The layout that the service's bitmap files are in, as somebody has it who learned or described it; tried before the
    /// built-in ones, and written. `None` is the default layout, which is unproven.
    pub layout: Option<Layout>,
    /// How to bring the image's bytes in.
    pub io: IoMode,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { depth: Depth::Content, profile: &HUAWEI, write_bitmap: false, layout: None, io: IoMode::Auto }
    }
}

/// All that was found out about one file.
#[derive(Debug)]
pub struct Checked {
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
    /// Whether all content that could be checked was.
    pub content_checked: bool,
}

impl Checked {
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
pub fn check_image_file(
    target: &Target,
    options: &CheckOptions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Checked> {
    let path = &target.path;
    let image = ImageFile::open(path)?;
    let detection = detect(&image)?;
    let mut checked = Checked {
        path: path.clone(),
        report: Report::new(),
        bitmap: None,
        scan: None,
        zvhd2: None,
        content_checked: true,
        detection,
    };
    check_image(path, &checked.detection, options.profile, &mut checked.report);
    check_shared(target, &mut checked.report);
    let too_large = is_too_large(&checked.detection, options.profile);
    let depth = if too_large { Depth::Quick } else { options.depth };
    let why_not =
        if too_large { "the file or its disk is too large to be imported anyway" } else { "--quick" };
    match checked.detection.format {
        Format::Raw => check_raw(&image, &mut checked, options, (depth, why_not), progress, cancel)?,
        Format::Zvhd2 => check_zvhd2(&image, &mut checked, depth, progress, cancel)?,
        _ => {}
    }
    image.verify_unchanged()?;
    not_checkable(options.profile, &mut checked.report);
    Ok(checked)
}

fn check_shared(target: &Target, report: &mut Report) {
    if target.shares_bitmap_with.is_empty() {
        return;
    }
    let others = target.shares_bitmap_with.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    let bitmap = bitmap_path(&target.path);
    let message = format!("{} would also be the bitmap of {}", bitmap.display(), others.join(" and "));
    report.push(Finding::new(&BITMAP_SHARED, message));
}

fn check_raw(
    image: &ImageFile,
    checked: &mut Checked,
    options: &CheckOptions,
    (depth, why_not): (Depth, &str),
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<()> {
    let path = bitmap_path(&checked.path);
    let report = &mut checked.report;
    let context = BitmapContext { image, layout: options.layout.as_ref() };
    let file = match path.symlink_metadata() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        _ => Some(read_bitmap(&path, Some(checked.detection.file_size), options.layout.as_ref())?),
    };
    let Some(file) = file else {
        let wanted = options.write_bitmap && image.kind() == FileKind::Regular && !report.has_errors();
        if !wanted || depth == Depth::Quick {
            let device = if image.kind() == FileKind::BlockDevice { " -o disk.mf" } else { "" };
            let fix = format!("make it: imsprep bitmap create {}{device}", shell_quoted(&checked.path));
            let message = format!("there is no {}", path.display());
            report.push(Finding::new(&BITMAP_MISSING, message).fix(fix));
            checked.bitmap = Some(BitmapState::Missing { path });
            return Ok(());
        }
        // Fails now if nothing can be written there, not after an hour of scanning.
        drop(OutputFile::create(&path, Overwrite::Refuse, &[image])?);
        let layout = options.layout.as_ref().unwrap_or(&layout::ZVHD2);
        let scan_options = ScanOptions { block_size: layout.block_size, io: options.io };
        let found = scan(image, &scan_options, progress, cancel)?;
        let bytes = layout.encode(&found.map).map_err(|why| Error::cannot_encode(&path, layout, why))?;
        write_bitmap(&path, &bytes, Overwrite::Refuse, image)?;
        layout_findings(layout, &context, report);
        checked.bitmap = Some(BitmapState::Written { path, layout: layout.clone() });
        checked.scan = Some(found);
        return Ok(());
    };

    let content_can_tell =
        matches!(file.recognition, Recognition::Known { .. } | Recognition::Unrecognised { .. });
    let found = if depth == Depth::Content && content_can_tell {
        Some(scan(image, &scan_options(&file, options.io), progress, cancel)?)
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

fn check_zvhd2(
    image: &ImageFile,
    checked: &mut Checked,
    depth: Depth,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<()> {
    let zvhd2_depth = match depth {
        Depth::Content => imsprep_zvhd2::Depth::Content,
        Depth::Quick => imsprep_zvhd2::Depth::Structure,
    };
    let found = imsprep_zvhd2::check(image, zvhd2_depth, progress, cancel)?;
    // What lies on the disk can be told of a container that can be read.
    if depth == Depth::Content && !found.report.has_errors() {
        let disk = imsprep_zvhd2::Reader::open(image, cancel)?;
        check_backup_gpt(&detect(&disk)?, disk.orig_size(), &mut checked.report);
    }
    checked.report.merge(found.report);
    checked.zvhd2 = Some(found.info);
    checked.content_checked = depth == Depth::Content;
    Ok(())
}
