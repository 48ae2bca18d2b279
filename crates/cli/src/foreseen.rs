//! What a conversion would do, for whatever prints it.

use std::path::PathBuf;

use imsprep_detect::Format;
use imsprep_findings::Report;
use imsprep_source::Work;
use imsprep_toolkit::{CheckedImage, Direction, DiskChoice, Estimate, Plan};

use crate::exit::Status;
use crate::policy::Warnings;
use crate::words::detect::format_line;
use crate::words::disk_choice::choice_note;

/// An image of which it is to be said what would be done, or why that is not known.
pub(crate) struct DryRun {
    pub(crate) source: PathBuf,
    pub(crate) status: Status,
    pub(crate) result: anyhow::Result<Foreseen>,
}

/// What would be done with an image.
pub(crate) enum Foreseen {
    /// It would be checked where it is, and get this bitmap file.
    Kept {
        bitmap: Option<PathBuf>,
        /// The verdict without its content, and as if the bitmap file was there.
        checked: Box<CheckedImage>,
    },
    /// It would be unpacked, judged and converted.
    Packed {
        output: Option<PathBuf>,
    },
    Conversion(Box<ForeseenConversion>),
}

/// A conversion that was planned.
pub(crate) struct ForeseenConversion {
    pub(crate) format: Format,
    /// The format in words.
    pub(crate) from: String,
    /// The selected disk in an archive: its name, why it was selected, and its format in words.
    pub(crate) member: Option<(String, DiskChoice, String)>,
    /// `None` for standard output.
    pub(crate) output: Option<PathBuf>,
    pub(crate) direction: Direction,
    pub(crate) bitmap: Option<PathBuf>,
    pub(crate) refused: bool,
    /// `None` if it is refused, or the disk can only be read once, in order.
    pub(crate) estimate: Option<Estimate>,
    pub(crate) report: Report,
}

impl DryRun {
    /// Estimates the size of what a plan would write.
    ///
    /// # Errors
    ///
    /// As [`Plan::estimate`].
    pub(crate) fn of_plan(
        source: PathBuf,
        plan: &Plan,
        warnings: Warnings,
        work: Work<'_>,
    ) -> anyhow::Result<Self> {
        let refused = plan.is_refused();
        let estimate = if refused { None } else { plan.estimate(Estimate::ENOUGH, work)? };
        let conversion = ForeseenConversion {
            format: plan.source.format(),
            from: format_line(plan.source.detection()),
            member: plan.source.member().map(|member| {
                let format = format_line(&member.detection) + choice_note(member);
                (member.name.clone(), member.choice, format)
            }),
            output: plan.options.output.clone(),
            direction: plan.direction,
            bitmap: plan.bitmap(),
            refused,
            estimate,
            report: plan.report.clone(),
        };
        let status = if refused { Status::Wrong } else { warnings.status(&plan.report) };
        Ok(Self { source, status, result: Ok(Foreseen::Conversion(Box::new(conversion))) })
    }

    /// The verdict on an image that would not be converted, and the bitmap file that it would get.
    pub(crate) fn of_kept(
        source: PathBuf,
        checked: CheckedImage,
        bitmap: Option<PathBuf>,
        warnings: Warnings,
    ) -> Self {
        let status = warnings.status(&checked.report);
        let bitmap = bitmap.filter(|_| !checked.report.has_errors());
        Self { source, status, result: Ok(Foreseen::Kept { bitmap, checked: Box::new(checked) }) }
    }

    /// The image that would be written.
    pub(crate) fn output(&self) -> Option<&std::path::Path> {
        match self.result.as_ref().ok()? {
            Foreseen::Kept { .. } => None,
            Foreseen::Packed { output } => output.as_deref(),
            Foreseen::Conversion(conversion) => conversion.output.as_deref(),
        }
    }
}
