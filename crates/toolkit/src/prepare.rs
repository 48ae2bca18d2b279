//! From any image to an importable one.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use imsprep_detect::{Format, detect};
use imsprep_findings::{Overrides, Report, Severity};
use imsprep_rules::{HUAWEI, Intent, Profile, check_key, output_beside, shell_quoted};
use imsprep_source::{Cancel, ImageFile, Overwrite, Progress};

use crate::targets::refuse_bitmap_file;
use crate::{
    CheckOptions, Checked, Direction, Error, Plan, PlanOptions, RawOptions, RawWritten, Result, Target,
    Zvhd2Options, Zvhd2Written, all_rules, check_image_file, plan_conversion, write_raw, write_zvhd2,
};

/// What a conversion made.
#[derive(Debug)]
pub enum Converted {
    /// A ZVHD2.
    Zvhd2(Zvhd2Written),
    /// A RAW, and perhaps its bitmap.
    Raw(RawWritten),
}

/// How to prepare an image.
#[derive(Clone, Copy, Debug)]
pub struct PrepareOptions<'a> {
    /// Where a converted image goes; `None` is beside the source, with the extension `.zvhd2`. A RAW is converted only if
    /// this says where to; without, its bitmap is written.
    pub output: Option<&'a Path>,
    /// What to do with an output that is there already.
    pub overwrite: Overwrite,
    /// Codes of rules that the source may break: see [`imsprep_rules::allowable_codes`].
    pub allowed: &'a [String],
    /// The cloud's rules.
    pub profile: &'static Profile,
    /// How to write a ZVHD2.
    pub zvhd2: Zvhd2Options,
}

impl Default for PrepareOptions<'_> {
    /// Beside the source, replacing nothing.
    fn default() -> Self {
        Self {
            output: None,
            overwrite: Overwrite::Refuse,
            allowed: &[],
            profile: &HUAWEI,
            zvhd2: Zvhd2Options::default(),
        }
    }
}

/// An image that was prepared, or why not.
#[derive(Debug)]
pub struct Prepared {
    /// The source.
    pub source: PathBuf,
    /// The conversion, where there had to be one: done, or refused.
    pub conversion: Option<Conversion>,
    /// The verdict on the image to upload; `None` if the source was refused.
    pub checked: Option<Checked>,
}

/// A conversion that was planned, and what came of it.
#[derive(Debug)]
pub struct Conversion {
    /// What it was to be.
    pub plan: Plan,
    /// What it made; `None` if a rule speaks against it.
    pub made: Option<(PathBuf, Converted)>,
}

/// Does what the image at `path` needs to be imported: a RAW gets its bitmap if it has none, a ZVHD2 is checked, and another
/// format is converted, read back, and the result checked with all its content.
///
/// # Errors
///
/// As [`plan_conversion`] and what follows it. An image that must not be converted is `Ok`, with errors in the plan's report.
pub fn prepare_image(
    path: &Path,
    options: &PrepareOptions<'_>,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Prepared> {
    refuse_bitmap_file(path)?;
    let detection = detect(&ImageFile::open(path)?)?;
    let mut overrides = Overrides::new();
    for rule in all_rules().into_iter().filter(|rule| options.allowed.iter().any(|code| code == rule.code)) {
        overrides.allow(rule, None);
    }
    let check = |image: &Path| {
        let options = CheckOptions {
            write_bitmap: true,
            profile: options.profile,
            overrides: overrides.clone(),
            ..CheckOptions::default()
        };
        check_image_file(&Target::new(image), &options, progress, cancel)
    };
    let source = path.to_owned();
    match (detection.format, options.output) {
        (Format::Raw | Format::Zvhd2, None) => {
            return Ok(Prepared { source, conversion: None, checked: Some(check(path)?) });
        }
        (Format::Zvhd2, Some(_)) => {
            let advice = "quick import takes it as it is; leave the output out".into();
            return Err(Error::NotConvertible { path: source, format: Format::Zvhd2, advice });
        }
        _ => {}
    }
    let output = options.output.map_or_else(|| output_beside(path), Path::to_owned);
    let plan_options = PlanOptions {
        output: Some(&output),
        allowed: options.allowed,
        disk: options.zvhd2.disk,
        profile: options.profile,
        no_disk: Severity::Error,
    };
    let mut plan = plan_conversion(path, &plan_options, cancel)?;
    if !plan.is_refused() {
        // What the result's name has against it shows now, and not after the conversion.
        let format = if plan.direction == Direction::ToZvhd2 { Format::Zvhd2 } else { Format::Raw };
        check_output(path, &output, format, options, &mut plan.report);
    }
    if plan.is_refused() {
        let conversion = Some(Conversion { plan, made: None });
        return Ok(Prepared { source, conversion, checked: None });
    }
    plan.check_name(&output)?;
    let overwrite = options.overwrite;
    let made = match plan.direction {
        Direction::ToZvhd2 => write_zvhd2(path, &output, overwrite, true, &options.zvhd2, progress, cancel)
            .map(Converted::Zvhd2),
        Direction::ToRaw => {
            let options =
                RawOptions { overwrite, verify: true, disk: options.zvhd2.disk, ..RawOptions::default() };
            write_raw(path, &output, options, progress, cancel).map(Converted::Raw)
        }
    }?;
    let checked = Some(check(&output)?);
    let conversion = Some(Conversion { plan, made: Some((output, made)) });
    Ok(Prepared { source, conversion, checked })
}

/// What makes an error of the name that the result will have.
fn check_output(
    source: &Path,
    output: &Path,
    format: Format,
    options: &PrepareOptions<'_>,
    report: &mut Report,
) {
    let mut found = Report::new();
    check_key(output, format, options.profile, &Intent::default(), &mut found);
    for finding in found.findings().iter().filter(|finding| finding.severity == Severity::Error) {
        let better = output.file_name().map(|name| name.to_string_lossy().replace(' ', "_"));
        let better = shell_quoted(&output.with_file_name(better.unwrap_or_default()));
        let mut command = format!("imsprep prepare {}{}", shell_quoted(source), options.profile.flag());
        for code in options.allowed {
            let _ = write!(command, " --allow {code}");
        }
        if let Some(disk) = options.zvhd2.disk {
            let _ = write!(command, " --disk {disk}");
        }
        report.push(finding.clone().fix(format!("give the output another name: `{command} -o {better}`")));
    }
}
