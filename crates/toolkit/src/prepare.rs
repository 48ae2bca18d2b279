//! From any image to an importable one.

use std::path::{Path, PathBuf};

use imsprep_detect::Format;
use imsprep_findings::{Report, Severity};
use imsprep_guest::Guest;
use imsprep_rules::{Intent, check_key, output_beside, prepare_as};
use imsprep_source::Work;

use crate::check::check_opened;
use crate::plan::{PlanPolicy, unpacked};
use crate::published::verify_checksums;
use crate::targets::refuse_bitmap;
use crate::{
    CheckOptions, CheckedImage, Conversion, ConvertOptions, Direction, DiskFit, Error, FreeSpaceBytes,
    OpenedImage, Plan, Result,
};

/// An image that was prepared, or why not.
#[derive(Debug)]
pub struct Prepared {
    /// The source.
    pub source: PathBuf,
    /// The conversion, where there had to be one: done, or refused.
    pub conversion: Option<Conversion>,
    /// The verdict on the image to upload; `None` if the source was refused.
    pub checked: Option<CheckedImage>,
}

/// Does what the image at `path` needs to be imported: a RAW gets its bitmap if it has none, a ZVHD2 is checked, and another
/// format is converted, read back, and the result checked with all its content. A RAW is converted only if the options name an
/// output; the others go beside the source without one.
///
/// `check` is how the result is checked; the source is judged by the same rules.
///
/// # Errors
///
/// As [`plan_conversion`](crate::plan_conversion) and what follows it. An image that must not be converted is `Ok`, with errors in
/// the plan's report.
pub fn prepare_image(
    path: &Path,
    options: &ConvertOptions,
    check: &CheckOptions,
    work: Work<'_>,
) -> Result<Prepared> {
    let image = OpenedImage::open_with(path, options.holes, work.cancel)?;
    refuse_bitmap(path, image.detection())?;
    verify_checksums(image.file(), &options.checksums, work)?;
    let source = path.to_owned();
    let check_options = CheckOptions { write_bitmap: true, ..check.clone() };
    let check = |image: &OpenedImage, known: Option<&Guest>| {
        check_opened(image, &[], &check_options, known, work).map(Some)
    };
    let is_kept = options.free_space == FreeSpaceBytes::Keep && options.fit == DiskFit::AsItIs;
    let output = match (image.format(), &options.output) {
        (Format::Raw | Format::Zvhd2, None) if is_kept => {
            let checked = check(&image, None)?;
            let checked =
                checked.map(|checked| CheckedImage { checksums: options.checksums.clone(), ..checked });
            return Ok(Prepared { source, conversion: None, checked });
        }
        (Format::Zvhd2, None) => {
            let advice =
                "quick import takes it without conversion; another disk needs the name of another file"
                    .into();
            return Err(Error::NotConvertible { path: source, format: Format::Zvhd2, advice });
        }
        (Format::Zvhd2, Some(_)) if is_kept => {
            let advice = "quick import takes it without conversion; omit the output".into();
            return Err(Error::NotConvertible { path: source, format: Format::Zvhd2, advice });
        }
        (_, Some(output)) => output.clone(),
        (_, None) => output_beside(path),
    };
    let options = ConvertOptions {
        output: Some(output.clone()),
        verify: true,
        overrides: check_options.overrides.clone(),
        profile: check_options.profile,
        layout: check_options.layout.clone(),
        ..options.clone()
    };
    let image = unpacked(image, &options, work)?;
    let policy = PlanPolicy { no_disk: Severity::Error, import: Some(&check_options.intent) };
    let mut plan = Plan::new(image, options, policy, work.cancel)?;
    if !plan.is_refused() {
        // What the result's name has against it shows now, and not after the conversion.
        check_output(&mut plan, &output, &check_options.intent);
    }
    let conversion = plan.convert(work)?;
    let checked = match conversion.made {
        // The disk in it is the source's, of which the system is known.
        Some(_) => check(&OpenedImage::open(output, work.cancel)?, conversion.plan.guest.as_ref())?,
        None => None,
    };
    Ok(Prepared { source, conversion: Some(conversion), checked })
}

/// What makes an error of the name that the result will have.
fn check_output(plan: &mut Plan, output: &Path, intent: &Intent) {
    let Plan { source, options, direction, report, .. } = plan;
    let format = if *direction == Direction::ToZvhd2 { Format::Zvhd2 } else { Format::Raw };
    let mut found = Report::under(options.overrides.clone());
    check_key(output, format, options.profile, intent, &mut found);
    for finding in found.findings().iter().filter(|finding| finding.severity == Severity::Error) {
        let better = output.file_name().map(|name| name.to_string_lossy().replace(' ', "_"));
        let better = output.with_file_name(better.unwrap_or_default());
        let allowed = options.overrides.codes().0;
        let command = prepare_as(source.path(), options.profile, allowed, options.disk, &better);
        report.push(finding.clone().fix(format!("use another name for the output: {command}")));
    }
}
