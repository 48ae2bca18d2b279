//! The name that the file will have as an object.

use std::path::Path;

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report};

use crate::Profile;
use crate::rules::{NAME_CHARACTERS, NAME_SPACES, NAME_SUFFIX};

/// Holds the last part of `path` against the rules: local folders don't travel.
pub(crate) fn check_name(path: &Path, format: Format, profile: &Profile, report: &mut Report) {
    let Some(name) = path.file_name() else { return };
    let text = name.to_string_lossy();
    if text.contains(' ') {
        let suggestion = text.replace(' ', "_");
        let fix = format!("rename it, for example to {suggestion:?}");
        report.push(Finding::new(&NAME_SPACES, format!("{text:?} has spaces")).fix(fix));
    }
    let characters = text.chars().count();
    if characters > profile.max_name {
        let message = format!("the name has {characters} characters");
        report.push(Finding::new(&NAME_CHARACTERS, message).expected(profile.max_name).found(characters));
    }
    let usual = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    // Spaces have a rule of their own.
    let unusual = text.chars().filter(|c| !usual(*c) && *c != ' ').collect::<std::collections::BTreeSet<_>>();
    if !unusual.is_empty() {
        let list = unusual.iter().take(10).map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", ");
        report.push(Finding::new(&NAME_CHARACTERS, format!("{text:?} has {list}")));
    }
    if profile.quick_formats.contains(&format) {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        if extension.as_deref() != Some(format.name()) {
            let better = path.with_extension(format.name());
            let better = better.file_name().unwrap_or_default().to_string_lossy();
            let message = match extension {
                Some(extension) => format!("the extension is {extension:?} and the format is {format}"),
                None => format!("the name has no extension and the format is {format}"),
            };
            let fix = format!("rename it to {better:?}");
            report.push(Finding::new(&NAME_SUFFIX, message).expected(format.name()).fix(fix));
        }
    }
}
