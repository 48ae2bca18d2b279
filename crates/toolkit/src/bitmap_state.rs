//! What became of a RAW's bitmap file, and what is to be said of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use imsprep_bitmap::{
    BITMAP_OLDER, BITMAP_OTHER_LAYOUT, BitmapFile, LAYOUT_UNPROVEN, Layout, Origin, Recognition, bitmap_path,
    check_against_content, check_unrecognised_against_content, layout,
};
use imsprep_findings::{Finding, Report, Severity};
use imsprep_rules::{CREATE_ANEW, CREATE_ANEW_IN_THIS, recreate_command};
use imsprep_scan::Scan;
use imsprep_source::{FileKind, ImageFile, ReadAt};

/// What became of a RAW's bitmap file.
#[derive(Clone, Debug)]
pub enum BitmapState {
    /// There is none.
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It was written just now.
    Written {
        /// Where.
        path: PathBuf,
        /// In which layout.
        layout: Layout,
    },
    /// It is there, in a known layout.
    Known {
        /// Where.
        path: PathBuf,
        /// In which layout.
        layout: Layout,
        /// Whether all of it was compared with the content.
        compared: bool,
    },
    /// It is there, with the signs of a known layout, but damaged or of an image of another size.
    Unfit {
        /// Where.
        path: PathBuf,
        /// In which layout.
        layout: Layout,
    },
    /// It is there, in no known layout.
    Unrecognised {
        /// Where.
        path: PathBuf,
    },
}

impl BitmapState {
    /// The bitmap file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Missing { .. } => None,
            Self::Written { path, .. }
            | Self::Known { path, .. }
            | Self::Unfit { path, .. }
            | Self::Unrecognised { path } => Some(path),
        }
    }
}

/// What a bitmap file is read for.
pub(crate) struct BitmapContext<'a> {
    /// Its image.
    pub(crate) image: &'a ImageFile,
    /// Where it is.
    pub(crate) bitmap: &'a Path,
    /// The layout that is meant for the service, if the user named one.
    pub(crate) layout: Option<&'a Layout>,
}

/// Two files that are copied one after the other differ by less, and some file systems keep times no finer.
const CLOCK_GRAIN: Duration = Duration::from_secs(2);

/// Compares a bitmap file with the content, as far as that is known.
pub(crate) fn check_bitmap_file(
    file: &BitmapFile,
    content: Option<&Scan>,
    context: &BitmapContext<'_>,
    report: &mut Report,
) -> BitmapState {
    let path = file.path.clone();
    if let (Some(bitmap), Some(image)) = (file.identity.modified(), context.image.identity().modified())
        && bitmap + CLOCK_GRAIN < image
    {
        let is_compared = content.is_some() && matches!(file.recognition, Recognition::Known { .. });
        let severity = if is_compared { Severity::Note } else { Severity::Warning };
        let message = match severity {
            Severity::Note => "the image was modified after its bitmap was written; the two were compared",
            _ => "the image was modified after its bitmap was written; the two were not compared",
        };
        report.push(Finding::new(&BITMAP_OLDER, message).severity(severity));
    }
    let mut found = Report::new();
    let state = match (&file.recognition, content) {
        (Recognition::Known { layout, map }, content) => {
            if let Some(content) = content {
                check_against_content(map, &content.map, &mut found);
            }
            layout_findings(layout, context, report);
            BitmapState::Known { path, layout: layout.clone(), compared: content.is_some() }
        }
        (Recognition::Unrecognised { why }, Some(content)) => {
            check_unrecognised_against_content(&file.bytes, why, &content.map, &mut found);
            found.push_not_checked(
                "whether the bitmap marks every block that holds data",
                "its layout is unknown",
            );
            BitmapState::Unrecognised { path }
        }
        (Recognition::Unrecognised { .. } | Recognition::Other { .. } | Recognition::Empty, _) => {
            file.check_alone(context.image.size(), &mut found);
            BitmapState::Unrecognised { path }
        }
        (Recognition::OtherSize { layout, .. } | Recognition::Damaged { layout, .. }, _) => {
            file.check_alone(context.image.size(), &mut found);
            BitmapState::Unfit { path, layout: layout.clone() }
        }
    };
    with_command(found, context, report);
    state
}

/// Passes findings on, with the command for this very image where that repairs them.
pub(crate) fn with_command(mut found: Report, context: &BitmapContext<'_>, report: &mut Report) {
    found.set_fixes(|finding| {
        let advice = finding.advice();
        advice.contains(CREATE_ANEW).then(|| advice.replace(CREATE_ANEW, &create_command(context)))
    });
    report.merge(found);
}

/// The command that writes the bitmap of an image again. The path of a layout that the user described is not known here.
fn create_command(context: &BitmapContext<'_>) -> String {
    if context.layout.is_some() && built_in(context.layout).is_none() {
        return CREATE_ANEW_IN_THIS.to_owned();
    }
    let image = context.image.path();
    let is_elsewhere = context.image.kind() == FileKind::BlockDevice || context.bitmap != bitmap_path(image);
    recreate_command(built_in(context.layout), image, is_elsewhere.then_some(context.bitmap))
}

/// The name of a layout that has one for every user.
pub(crate) fn built_in(layout: Option<&Layout>) -> Option<&str> {
    layout.filter(|layout| layout.origin == Origin::BuiltIn).map(|layout| &*layout.name)
}

/// The findings about the layout of a bitmap: that it is not the layout meant for the service, or that there is no proof that the
/// service accepts it.
pub(crate) fn layout_findings(layout: &Layout, context: &BitmapContext<'_>, report: &mut Report) {
    let meant = context.layout.unwrap_or(&layout::ZVHD2);
    if layout != meant {
        let message = format!("the bitmap has layout {}, not {}", layout.name, meant.name);
        let fix = format!("write it in layout {}: {}", meant.name, create_command(context));
        return report.push(Finding::new(&BITMAP_OTHER_LAYOUT, message).fix(fix));
    }
    match layout.origin {
        Origin::Learned { .. } | Origin::Proven(_) => {}
        Origin::BuiltIn => report.push(Finding::new(
            &LAYOUT_UNPROVEN,
            format!("the bitmap has layout {}; the vendor's layout is not published", layout.name),
        )),
        Origin::Described => report.push(Finding::new(
            &LAYOUT_UNPROVEN,
            format!(
                "the bitmap has layout {}, which is described in a file and not learned from a genuine bitmap",
                layout.name
            ),
        )),
    }
}
