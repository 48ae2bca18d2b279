//! The name that the file will have as an object.

use std::collections::BTreeSet;
use std::path::Path;

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report};

use crate::intent_rules::KEY_TOO_LONG;
use crate::rules::{NAME_CHARACTERS, NAME_SPACES, NAME_SUFFIX};
use crate::{Intent, Profile};

/// The key under which the file at `path` will lie in its bucket: the prefix, a slash, and the last part of the path, as
/// local folders don't travel. Slashes at the prefix's ends don't matter. `None` if the path has no last part.
pub fn object_key(path: &Path, intent: &Intent) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    Some(match intent.prefix.as_deref().map(|prefix| prefix.trim_matches('/')) {
        None | Some("") => name.into_owned(),
        Some(prefix) => format!("{prefix}/{name}"),
    })
}

/// Compares the key with the rules for names and for keys.
pub fn check_key(path: &Path, format: Format, profile: &Profile, intent: &Intent, report: &mut Report) {
    check_key_itself(path, profile, intent, report);
    if profile.quick_formats.contains(&format) && object_key(path, intent).is_some() {
        check_suffix(path, format, report);
    }
}

/// The same, whatever the file is.
pub(crate) fn check_key_itself(path: &Path, profile: &Profile, intent: &Intent, report: &mut Report) {
    let Some(key) = object_key(path, intent) else { return };
    check_spaces(&key, intent, report);
    check_length(&key, profile, report);
    check_characters(&key, report);
}

fn check_spaces(key: &str, intent: &Intent, report: &mut Report) {
    if !key.contains(' ') {
        return;
    }
    let better = key.chars().map(|c| if c != ' ' && is_usual(c) { c } else { '_' }).collect::<String>();
    let fix = match &intent.prefix {
        None => format!("rename it, for example to {better:?}"),
        Some(_) => format!("use another name or --prefix, for example {better:?}"),
    };
    report.push(Finding::new(&NAME_SPACES, format!("{key:?} has spaces")).fix(fix));
}

fn check_length(key: &str, profile: &Profile, report: &mut Report) {
    if key.len() > profile.max_key {
        let message = format!("the key has {} bytes of UTF-8", key.len());
        report.push(
            Finding::new(&KEY_TOO_LONG, message)
                .expected(format!("at most {} bytes", profile.max_key))
                .found(key.len()),
        );
        return;
    }
    let characters = key.chars().count();
    if characters > profile.max_name {
        let message = format!("the name has {characters} characters");
        report.push(Finding::new(&NAME_CHARACTERS, message).expected(profile.max_name).found(characters));
    }
}

/// Whether a character of a key needs no finding of [`NAME_CHARACTERS`].
fn is_usual(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._/ ".contains(c)
}

fn check_characters(key: &str, report: &mut Report) {
    // Slashes come from the prefix alone; spaces have a rule of their own.
    let unusual = key.chars().filter(|c| !is_usual(*c)).collect::<BTreeSet<_>>();
    if !unusual.is_empty() {
        let list = unusual.iter().take(10).map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", ");
        report.push(Finding::new(&NAME_CHARACTERS, format!("{key:?} has {list}")));
    }
}

fn check_suffix(path: &Path, format: Format, report: &mut Report) {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    if extension.as_deref() == Some(format.name()) {
        return;
    }
    let better = path.with_extension(format.name());
    let better = better.file_name().unwrap_or_default().to_string_lossy();
    let message = match extension {
        Some(extension) => format!("the extension is {extension:?} and the format is {format}"),
        None => format!("the name has no extension and the format is {format}"),
    };
    let fix = format!("rename it to {better:?}");
    report.push(Finding::new(&NAME_SUFFIX, message).expected(format.name()).fix(fix));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_prefix_and_the_name_without_local_folders() {
        for (prefix, key) in [
            (None, "a.raw"),
            (Some(""), "a.raw"),
            (Some("images"), "images/a.raw"),
            (Some("images/"), "images/a.raw"),
            (Some("/images/"), "images/a.raw"),
            (Some("/"), "a.raw"),
            (Some("images/2026"), "images/2026/a.raw"),
        ] {
            let intent = Intent { prefix: prefix.map(str::to_owned), ..Intent::default() };
            assert_eq!(object_key(Path::new("/home/me/a.raw"), &intent).as_deref(), Some(key));
        }
        assert_eq!(object_key(Path::new("/"), &Intent::default()), None);
    }
}
