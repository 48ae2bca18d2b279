//! Images that change while they are read.

use std::fmt::Display;

use imsprep_findings::{Finding, Report};

use crate::rules::IN_USE;

/// Reports an image that is in use: `by` says what writes to it.
pub fn check_in_use(by: impl Display, report: &mut Report) {
    report.push(Finding::new(&IN_USE, by.to_string()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_is_written_to_is_a_warning() {
        let mut report = Report::new();
        check_in_use("a program has it open for writing", &mut report);
        let finding = &report.findings()[0];
        assert_eq!((finding.rule.code, report.has_errors()), ("IMS-038", false));
        assert_eq!(finding.message, "a program has it open for writing");
    }
}
