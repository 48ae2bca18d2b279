//! What was seen of a file, held against the rules. Nothing is read here.

use std::path::{Path, PathBuf};

use imsprep_bitmap::{BITMAP_MISSING, BITMAP_SHARED, bitmap_path, layout};
use imsprep_findings::{Finding, Report, Severity};
use imsprep_guest::System;
use imsprep_rules::{
    DiskPart, Facts, Inside, Inspected, Medium, MediumKind, SHORTER_NAME, SystemAsked, SystemOnDisk,
    SystemSeen, WouldStart, check_disk, check_guest, check_image, check_in_use, create_command,
    not_checkable, note_all_zeros, says_no_disk, shell_quoted,
};
use imsprep_source::{FileKind, ImageFile, ReadAt};

use crate::bitmap_state::{BitmapContext, BitmapState, built_in, check_bitmap_file, layout_findings};
use crate::disk_seen::{DiskSeen, SeenExport, SystemFiles};
use crate::seen::{RawBitmap, Seen, content_can_tell};
use crate::{CheckOptions, Depth, MissingBitmap};

/// What the rules say of a file.
pub(crate) struct Judged {
    pub(crate) report: Report,
    /// A RAW's bitmap file.
    pub(crate) bitmap: Option<BitmapState>,
    /// Whether all content that could be checked was.
    pub(crate) content_checked: bool,
    /// Whether a server would start the system on the disk, if there is one that was read.
    pub(crate) would_start: Option<WouldStart>,
}

/// Holds what was seen against the rules: `others` would have the same bitmap file.
pub(crate) fn judge(image: &ImageFile, seen: &Seen, others: &[PathBuf], options: &CheckOptions) -> Judged {
    let path = image.path();
    let mut judged = Judged {
        report: Report::under(options.overrides.clone()),
        bitmap: None,
        content_checked: true,
        would_start: None,
    };
    let report = &mut judged.report;
    if let Some(container) = &seen.container {
        report.merge(container.report.clone());
        judged.content_checked = seen.depth == Depth::Content;
    }
    seen.archive.iter().for_each(|finding| report.push(finding.clone()));
    if let Some((what, why)) = &seen.not_checked {
        report.push_not_checked(*what, why.as_str());
    }
    let inside = seen.disk.inside.as_ref();
    let medium = Medium { path, kind: MediumKind::of(seen.detection.format), number: None };
    let on_disk = match (inside, &seen.start) {
        (Ok(inspection), _) => Some(Inside { inspection, medium, part: DiskPart::Whole }),
        (Err(_), Some(inspection)) => Some(Inside { inspection, medium, part: DiskPart::Start }),
        (Err(_), None) => None,
    };
    let facts = Facts { path, detection: &seen.detection, inside: on_disk, all_zeros: seen.all_zeros };
    check_image(&facts, options.profile, &options.intent, report);
    judged.would_start = judge_system(&seen.disk, options, report);
    check_shared(path, others, report);
    if let Some(by) = &seen.in_use {
        check_in_use(by, report);
    }
    judge_bitmap(image, seen, options, &mut judged);
    let report = &mut judged.report;
    if seen.scan.as_ref().is_some_and(|scan| scan.map.data_count() == 0) {
        note_all_zeros(&options.intent, report);
    }
    report.name_file(&shell_quoted(path));
    list_unchecked(&seen.disk, options, report);
    judged
}

/// Holds the disk of a server against the rules. What depends on a file is not checked.
pub(crate) fn judge_export(export: &SeenExport<'_>, options: &CheckOptions) -> Judged {
    let SeenExport { path, detection, disk, all_zeros } = *export;
    let mut report = Report::under(options.overrides.clone());
    let medium = Medium { path, kind: MediumKind::Export, number: None };
    let inside = disk.inside.as_ref().ok();
    let inside = inside.map(|inspection| Inside { inspection, medium, part: DiskPart::Whole });
    let facts = Facts { path, detection, inside, all_zeros };
    check_disk(&facts, options.profile, &options.intent, &mut report);
    let would_start = judge_system(disk, options, &mut report);
    let why = "an NBD export is a disk and not a file; check the file that is made of it";
    report.push_not_checked("name, format, size and bitmap of the file to import", why);
    report.push_not_checked("whether anything writes to the disk", "an NBD server does not report it");
    list_unchecked(disk, options, &mut report);
    Judged { report, bitmap: None, content_checked: false, would_start }
}

/// Whether a server would start the system on the disk, if there is one that was read.
fn judge_system(disk: &DiskSeen, options: &CheckOptions, report: &mut Report) -> Option<WouldStart> {
    let (Ok(inspection), SystemFiles::Read(guest)) = (&disk.inside, &disk.system) else { return None };
    check_guest(SystemOnDisk { guest, inspection }, options.profile, &options.intent, report)
}

/// Lists what was not looked at on the disk, and what is not on it.
fn list_unchecked(disk: &DiskSeen, options: &CheckOptions, report: &mut Report) {
    let sight = match &disk.inside {
        Ok(inspection) => Inspected::Inside(inspection),
        Err(why) => Inspected::Nothing(why),
    };
    not_checkable(sight, system_seen(&disk.system), options.profile, &options.intent, report);
}

fn system_seen(system: &SystemFiles) -> SystemSeen<'_> {
    match system {
        SystemFiles::Read(guest) => match &guest.system {
            System::Linux(_) | System::Windows(_) => SystemSeen::Judged,
            System::None => SystemSeen::NoSystem(&[]),
            System::NotKnown(reasons) => SystemSeen::NoSystem(reasons),
        },
        SystemFiles::NotAsked(SystemAsked::LooksLikeDataDisk) => SystemSeen::LooksLikeDataDisk,
        SystemFiles::NotAsked(_) => SystemSeen::DataDisk,
        SystemFiles::NotRead(why) => SystemSeen::Nothing(why),
    }
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

fn judge_bitmap(image: &ImageFile, seen: &Seen, options: &CheckOptions, judged: &mut Judged) {
    let Some(path) = seen.bitmap.path() else { return };
    let report = &mut judged.report;
    let context = BitmapContext { image, bitmap: path, layout: options.layout.as_ref() };
    judged.bitmap = Some(match &seen.bitmap {
        RawBitmap::NotRaw => return,
        // The image's name is so long that its bitmap file can't have the one that the service looks for.
        RawBitmap::NoName(path) => {
            let message = "with .mf at its end the image's name is longer than any file's here".to_owned();
            report.push(Finding::new(&BITMAP_MISSING, message).fix(SHORTER_NAME));
            BitmapState::Missing { path: path.clone() }
        }
        RawBitmap::Missing(path) => {
            if !says_no_disk(report) {
                let error = match options.missing_bitmap {
                    MissingBitmap::Write => first_error(report),
                    MissingBitmap::Report | MissingBitmap::Foresee => None,
                };
                report.push(missing(image, path, options, error));
            }
            BitmapState::Missing { path: path.clone() }
        }
        RawBitmap::Wanted(path) => {
            if options.missing_bitmap == MissingBitmap::Foresee {
                layout_findings(options.layout.as_ref().unwrap_or(&layout::ZVHD2), &context, report);
            }
            BitmapState::Missing { path: path.clone() }
        }
        RawBitmap::Written(path, layout) => {
            layout_findings(layout, &context, report);
            BitmapState::Written { path: path.clone(), layout: (**layout).clone() }
        }
        RawBitmap::File(file) => {
            let state = check_bitmap_file(file, seen.scan.as_ref(), &context, report);
            if seen.scan.is_none() && content_can_tell(file) {
                let what = "whether the bitmap marks every block that holds data";
                report.push_not_checked(what, seen.why_not);
                judged.content_checked = false;
            }
            state
        }
    });
}

/// The code of the first error in a report.
fn first_error(report: &Report) -> Option<&'static str> {
    let mut findings = report.findings().iter();
    findings.find(|finding| finding.severity == Severity::Error).map(|finding| finding.rule.code)
}

/// That the bitmap file is not there. `error` is the one because of which it was not written although it was requested.
fn missing(image: &ImageFile, path: &Path, options: &CheckOptions, error: Option<&str>) -> Finding {
    let output = (image.kind() == FileKind::BlockDevice).then_some(Path::new("disk.mf"));
    let command = create_command(built_in(options.layout.as_ref()), image.path(), output);
    let there_is_none = format!("there is no {}", path.display());
    match error {
        // It would be of no use, and the same command writes it when the error is gone.
        Some(code) => {
            let message = format!("{there_is_none}, and none was written because of the error {code}");
            Finding::new(&BITMAP_MISSING, message).fix(format!("fix {code}, and repeat the command"))
        }
        None => Finding::new(&BITMAP_MISSING, there_is_none)
            .fix(format!("make it: {command}; a ZVHD2 needs none")),
    }
}
