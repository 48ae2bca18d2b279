//! From any image to an importable one.

use std::path::{Path, PathBuf};

use imsprep_bitmap::bitmap_path;
use imsprep_detect::Format;
use imsprep_findings::{Report, Severity};
use imsprep_formats::NbdAddress;
use imsprep_rules::{Intent, check_key, output_beside, prepare_as};
use imsprep_source::{FileKind, Input, OutputFile, Work};

use crate::check::check_opened;
use crate::plan::{PackedDisk, PlanPolicy, compared_first, planned, planned_remote, unpacked, unpacked_for};
use crate::seen::Known;
use crate::targets::refuse_bitmap;
use crate::{
    CheckOptions, CheckedImage, Checksum, Conversion, ConvertOptions, Converted, Depth, Direction, DiskFit,
    Error, FreeSpaceBytes, MissingBitmap, OpenedImage, Plan, Result, Target,
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

/// Where a converted image goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PreparedPlace {
    /// To a file beside the source. A RAW and a ZVHD2 that keep their disk are not converted.
    #[default]
    Beside,
    /// To this file. A ZVHD2 that keeps its disk is an error, because it needs no conversion.
    File(PathBuf),
    /// To a file in this folder, with the name of the source and the extension `.zvhd2`. A ZVHD2 that keeps its disk stays where it is.
    Folder(PathBuf),
}

impl PreparedPlace {
    /// The path of the output that is made of the image at `source`, if it is converted.
    pub fn output_of(&self, source: &Path) -> PathBuf {
        match self {
            Self::Beside => output_beside(source),
            Self::File(path) => path.clone(),
            Self::Folder(folder) => {
                let is_zvhd2 = source.extension().is_some_and(|extension| {
                    Format::of_extension(&extension.to_string_lossy()) == Some(Format::Zvhd2)
                });
                let name = if is_zvhd2 { source.to_owned() } else { output_beside(source) };
                folder.join(name.file_name().unwrap_or_default())
            }
        }
    }
}

/// When a compressed disk that has to be read at random is unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpacking {
    /// When the preparation is planned, so that the disk is judged then.
    Planning,
    /// When it is carried out: of many images only one is unpacked at a time. The disk is judged then.
    CarryingOut,
}

/// What an image needs to be imported; nothing was written yet.
#[derive(Debug)]
pub struct Preparation {
    /// The source.
    pub source: PathBuf,
    /// How the source or the result is checked.
    check: CheckOptions,
    /// Checksums of the source, which were verified, or are when it is read.
    checksums: Vec<Checksum>,
    need: Need,
}

#[derive(Debug)]
enum Need {
    /// It is checked, and a RAW gets its bitmap. The paths are those of images that would have the same bitmap file.
    Check(Box<OpenedImage>, Vec<PathBuf>),
    Convert(Box<Plan>),
    /// It is unpacked, judged and converted.
    Unpack(Box<OpenedImage>, Box<ConvertOptions>),
}

/// Finds out what the image of `target` needs: a RAW gets its bitmap if it has none, a ZVHD2 is checked, and another format is converted.
/// A RAW is converted only if `place` is no place beside it, or its disk is to be changed. The output of `options` is not used.
///
/// `check` is how the result is checked; the source is judged by the same rules.
///
/// # Errors
///
/// As [`plan_conversion`](crate::plan_conversion). An image that must not be converted is `Ok`, and [`Preparation::plan`] has errors in its
/// report.
pub fn plan_preparation(
    target: &Target,
    place: &PreparedPlace,
    (options, check): (&ConvertOptions, &CheckOptions),
    unpacking: Unpacking,
    work: Work<'_>,
) -> Result<Preparation> {
    let path = &target.path;
    let mut image = OpenedImage::open_with(path, options.holes, work.cancel)?;
    refuse_bitmap(path, image.detection())?;
    image.expect(&options.checksums, work)?;
    let source = path.clone();
    let check = CheckOptions { missing_bitmap: MissingBitmap::Write, ..check.clone() };
    let checksums = options.checksums.clone();
    let is_kept = options.free_space == FreeSpaceBytes::Keep && options.fit == DiskFit::AsItIs;
    match (image.format(), place) {
        (Format::Raw | Format::Zvhd2, PreparedPlace::Beside) | (Format::Zvhd2, PreparedPlace::Folder(_))
            if is_kept =>
        {
            image.refuse_selection(options.disk.as_ref())?;
            let need = Need::Check(Box::new(image), target.shares_bitmap_with.clone());
            return Ok(Preparation { source, check, checksums, need });
        }
        (Format::Zvhd2, PreparedPlace::Beside) => {
            let advice =
                "quick import takes it without conversion; another disk needs the name of another file"
                    .into();
            return Err(Error::NotConvertible { path: source, format: Format::Zvhd2, advice });
        }
        (Format::Zvhd2, PreparedPlace::File(_)) if is_kept => {
            let advice =
                "because quick import takes it as it is; name no output, so that it is only checked".into();
            return Err(Error::NotConvertible { path: source, format: Format::Zvhd2, advice });
        }
        _ => {}
    }
    let options = options_of_conversion(place.output_of(path), options, &check);
    let need = if unpacking == Unpacking::CarryingOut && image.is_to_be_unpacked(unpacked_for(&options))? {
        Need::Unpack(Box::new(image), Box::new(options))
    } else {
        Need::Convert(Box::new(plan(image, options, &check, work)?))
    };
    Ok(Preparation { source, check, checksums, need })
}

/// The same of the disk that an NBD server has, which is always converted, to the file at `output`.
///
/// # Errors
///
/// As [`plan_remote`](crate::plan_remote).
pub fn plan_preparation_of_export(
    address: &NbdAddress,
    output: &Path,
    (options, check): (&ConvertOptions, &CheckOptions),
    work: Work<'_>,
) -> Result<Preparation> {
    let check = CheckOptions { missing_bitmap: MissingBitmap::Write, ..check.clone() };
    let options = options_of_conversion(output.to_owned(), options, &check);
    let mut plan = planned_remote(address, options, policy_of(&check), work)?;
    refuse_output(&mut plan, &check.intent);
    let source = plan.source.path().to_owned();
    Ok(Preparation { source, check, checksums: Vec::new(), need: Need::Convert(Box::new(plan)) })
}

fn options_of_conversion(output: PathBuf, options: &ConvertOptions, check: &CheckOptions) -> ConvertOptions {
    ConvertOptions {
        output: Some(output),
        verify: true,
        overrides: check.overrides.clone(),
        profile: check.profile,
        layout: check.layout.clone(),
        ..options.clone()
    }
}

/// What is no disk is not prepared, and the disk is judged for what the import is going to be.
fn policy_of(check: &CheckOptions) -> PlanPolicy<'_> {
    PlanPolicy { no_disk: Severity::Error, import: Some(&check.intent) }
}

impl Preparation {
    /// The conversion; `None` if there is none, or the image has to be unpacked before it is judged.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.need {
            Need::Convert(plan) => Some(plan),
            Need::Check(..) | Need::Unpack(..) => None,
        }
    }

    /// Whether a rule forbids the conversion.
    pub fn is_refused(&self) -> bool {
        self.plan().is_some_and(Plan::is_refused)
    }

    /// The file that will be written; `None` if the source is only checked.
    pub fn output(&self) -> Option<&Path> {
        let options = match &self.need {
            Need::Check(..) => return None,
            Need::Convert(plan) => &plan.options,
            Need::Unpack(_, options) => options,
        };
        options.output.as_deref()
    }

    /// The bitmap file that will be written, if nothing speaks against the image; `None` if there is one, or none is needed.
    pub fn bitmap(&self) -> Option<PathBuf> {
        match &self.need {
            Need::Check(image, _) => {
                let is_wanted = image.format() == Format::Raw && image.file().kind() == FileKind::Regular;
                let path = bitmap_path(image.path());
                (is_wanted && path.symlink_metadata().is_err()).then_some(path)
            }
            Need::Convert(plan) => plan.bitmap(),
            Need::Unpack(..) => None,
        }
    }

    /// Whether the output may be made where it is to be, given files that must stay. Nothing is left there.
    ///
    /// # Errors
    ///
    /// As [`OutputFile::create`].
    pub fn check_place(&self, inputs: &[Input]) -> Result<()> {
        let overwrite = match &self.need {
            Need::Check(..) => return Ok(()),
            Need::Convert(plan) => plan.options.overwrite,
            Need::Unpack(_, options) => options.overwrite,
        };
        let output = self.output().unwrap_or_else(|| Path::new(""));
        Ok(OutputFile::create_from(output, overwrite, inputs).map(drop)?)
    }

    /// The verdict on an image that is not converted, without its content: nothing is written, and a bitmap file that would be written
    /// counts as written. `None` if the image is converted.
    ///
    /// # Errors
    ///
    /// As [`check_image_file`](crate::check_image_file).
    pub fn foresee(&self, work: Work<'_>) -> Result<Option<CheckedImage>> {
        let Need::Check(image, others) = &self.need else { return Ok(None) };
        let options = CheckOptions {
            depth: Depth::Quick,
            missing_bitmap: MissingBitmap::Foresee,
            digest: false,
            overview: None,
            ..self.check.clone()
        };
        check_opened(image, others, &options, Known::default(), work).map(Some)
    }

    /// Compares the source with the checksums that were given for it. Otherwise a file that is read in order is compared when it is read.
    ///
    /// # Errors
    ///
    /// [`Error::WrongChecksum`], and what reading brings.
    pub fn verify_checksums(&self, work: Work<'_>) -> Result<()> {
        let image = match &self.need {
            Need::Check(image, _) | Need::Unpack(image, _) => Some(&**image),
            Need::Convert(plan) => plan.source.image(),
        };
        image.map_or(Ok(()), |image| image.verify_hash(work))
    }

    /// Checks the image, or converts it, reads the result back, and checks that with all its content.
    ///
    /// # Errors
    ///
    /// As [`Plan::convert`](crate::Plan::convert) and [`check_image_file`](crate::check_image_file).
    pub fn carry_out(self, work: Work<'_>) -> Result<Prepared> {
        let Self { source, check, checksums, need } = self;
        let plan = match need {
            Need::Check(image, others) => {
                let checked = check_opened(&image, &others, &check, Known::default(), work)?;
                let checked = Some(CheckedImage { checksums, ..checked });
                return Ok(Prepared { source, conversion: None, checked });
            }
            Need::Convert(plan) => *plan,
            Need::Unpack(image, options) => plan(*image, *options, &check, work)?,
        };
        let conversion = plan.convert(work)?;
        let checked = match (&conversion.made, &conversion.plan.options.output) {
            (Some(made), Some(output)) => {
                let image = OpenedImage::open(output, work.cancel)?;
                // The disk in it is the source's, of which the system is known; a container was checked when it was read back.
                let container = match made {
                    Converted::Zvhd2(written) => {
                        written.checked.as_ref().and_then(|checked| checked.of(image.file()))
                    }
                    Converted::Raw(_) => None,
                };
                let known = Known { guest: conversion.plan.guest.as_ref(), container };
                Some(check_opened(&image, &[], &check, known, work)?)
            }
            _ => None,
        };
        Ok(Prepared { source, conversion: Some(conversion), checked })
    }
}

/// Judges the image and the name of its output.
fn plan(image: OpenedImage, options: ConvertOptions, check: &CheckOptions, work: Work<'_>) -> Result<Plan> {
    compared_first(image, work, |image| {
        let image = unpacked(image, &options, PackedDisk::Unpacked, work)?;
        image.refuse_selection(options.disk.as_ref())?;
        let mut plan = planned(image, options, policy_of(check), work)?;
        refuse_output(&mut plan, &check.intent);
        Ok(plan)
    })
}

/// What the result's name has against it shows now, and not after the conversion.
fn refuse_output(plan: &mut Plan, intent: &Intent) {
    if !plan.is_refused() {
        check_output(plan, intent);
    }
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
    let place = options.output.clone().map_or(PreparedPlace::Beside, PreparedPlace::File);
    plan_preparation(&Target::new(path), &place, (options, check), Unpacking::Planning, work)?.carry_out(work)
}

/// What makes an error of the name that the result will have.
fn check_output(plan: &mut Plan, intent: &Intent) {
    let Plan { source, options, direction, report, .. } = plan;
    let Some(output) = &options.output else { return };
    let format = if *direction == Direction::ToZvhd2 { Format::Zvhd2 } else { Format::Raw };
    let mut found = Report::under(options.overrides.clone());
    check_key(output, format, options.profile, intent, &mut found);
    for finding in found.findings().iter().filter(|finding| finding.severity == Severity::Error) {
        let better = output.file_name().map(|name| name.to_string_lossy().replace(' ', "_"));
        let better = output.with_file_name(better.unwrap_or_default());
        let allowed = options.overrides.codes().0;
        let number = source.member().and_then(|member| member.number);
        let command = prepare_as(source.path(), options.profile, allowed, number, &better);
        report.push(finding.clone().fix(format!("use another name for the output: {command}")));
    }
}
