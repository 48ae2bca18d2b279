//! May this be imported?

use imsprep_findings::{Report, Severity};
use imsprep_rules::is_about_the_start;

/// The answer to "may this file be imported", as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that was read contradicts it, with these reservations.
    Importable(Vec<Reservation>),
    /// At least one error.
    NotImportable,
}

/// What keeps "importable" from being a plain yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reservation {
    /// The bitmap is in a layout that is not proven to be the service's.
    BitmapLayoutUnproven,
    /// The bitmap file is in no known layout.
    BitmapNotRecognised,
    /// The content was not read: the bitmap was not compared, or no record expanded.
    ContentNotChecked,
    /// There are errors, which the user allows.
    ErrorsAllowed,
    /// The service takes the image, and a server made from it would not start, or could not be used.
    WouldNotStart,
}

impl Reservation {
    /// In a few words, to follow "importable".
    pub fn title(self) -> &'static str {
        match self {
            Self::BitmapLayoutUnproven => "bitmap layout unproven",
            Self::BitmapNotRecognised => "bitmap not recognised, so not checked",
            Self::ContentNotChecked => "content not checked",
            Self::ErrorsAllowed => "except for the allowed errors",
            Self::WouldNotStart => "but the system would not start",
        }
    }

    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::BitmapLayoutUnproven => "bitmap-layout-unproven",
            Self::BitmapNotRecognised => "bitmap-not-recognised",
            Self::ContentNotChecked => "content-not-checked",
            Self::ErrorsAllowed => "errors-allowed",
            Self::WouldNotStart => "system-would-not-start",
        }
    }
}

impl Verdict {
    /// Draws the verdict from a report.
    pub(crate) fn of(report: &Report, content_checked: bool) -> Self {
        // The service imports a file whatever system is in it. What the user made an error counts like one of the import.
        let mut errors = report.tallies().filter(|tally| tally.severity == Severity::Error);
        if errors.any(|tally| !is_about_the_start(tally)) {
            return Self::NotImportable;
        }
        let mut reservations = Vec::new();
        let unproven = [&imsprep_bitmap::LAYOUT_UNPROVEN, &imsprep_bitmap::BITMAP_OTHER_LAYOUT];
        if unproven.into_iter().any(|rule| report.count_of(rule) > 0) {
            reservations.push(Reservation::BitmapLayoutUnproven);
        }
        if report.count_of(&imsprep_bitmap::BITMAP_UNRECOGNISED) > 0 {
            reservations.push(Reservation::BitmapNotRecognised);
        }
        if !content_checked {
            reservations.push(Reservation::ContentNotChecked);
        }
        if report.allowed_errors().next().is_some() {
            reservations.push(Reservation::ErrorsAllowed);
        }
        if report.has_errors() {
            reservations.push(Reservation::WouldNotStart);
        }
        Self::Importable(reservations)
    }
}
