//! The image's name and description.

use imsprep_findings::{Finding, Report};

use super::context::Context;
use super::rules::{
    DESCRIPTION_LETTERS, DESCRIPTION_LONG, DESCRIPTION_PLAIN, NAME_ENDS, NAME_LETTERS, NAME_LONG,
    NAME_MISSING,
};
use super::words::{quoted, refused};

const MAX_NAME: usize = 128;
const MAX_DESCRIPTION: usize = 1024;

pub(super) fn check_name(context: &Context<'_>, report: &mut Report) {
    if context.draft.lacks("name") {
        report.push(Finding::new(&NAME_MISSING, "name is missing").in_field("name"));
    }
    let Some(name) = &context.draft.body.name else { return };
    let count = name.chars().count();
    if count == 0 {
        report.push(Finding::new(&NAME_MISSING, "name is empty").in_field("name"));
        return;
    }
    if count > MAX_NAME {
        let finding = Finding::new(&NAME_LONG, format!("name has {count} characters"));
        report.push(finding.expected(format!("at most {MAX_NAME}")).found(count).in_field("name"));
    }
    if name.starts_with(' ') || name.ends_with(' ') {
        let message = format!("name {} begins or ends with a space", quoted(name));
        let fix = format!("write {}", quoted(name.trim_matches(' ')));
        report.push(Finding::new(&NAME_ENDS, message).fix(fix).in_field("name"));
    }
    let letters = context.profile.request.letters;
    if let Some(list) = refused(name, |c| letters.allow(c) || " -._".contains(c)) {
        let finding = Finding::new(&NAME_LETTERS, format!("name {} has {list}", quoted(name)));
        report.push(finding.expected(format!("{}, spaces, and - . _", letters.title())).in_field("name"));
    }
}

pub(super) fn check_description(context: &Context<'_>, report: &mut Report) {
    let Some(text) = &context.draft.body.description else { return };
    let count = text.chars().count();
    if count > MAX_DESCRIPTION {
        let finding = Finding::new(&DESCRIPTION_LONG, format!("description has {count} characters"));
        report.push(
            finding.expected(format!("at most {MAX_DESCRIPTION}")).found(count).in_field("description"),
        );
    }
    let forbidden = |c: char| "\r\n<>".contains(c);
    if let Some(list) = refused(text, |c| !forbidden(c)) {
        let finding = Finding::new(&DESCRIPTION_LETTERS, format!("description has {list}"));
        report.push(finding.in_field("description"));
    }
    if context.profile.request.plain_description {
        let plain = |c: char| c.is_ascii_alphanumeric() || forbidden(c);
        if let Some(list) = refused(text, plain) {
            let finding = Finding::new(&DESCRIPTION_PLAIN, format!("description has {list}"));
            report.push(finding.in_field("description"));
        }
    }
}
