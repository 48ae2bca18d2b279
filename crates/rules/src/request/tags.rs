//! Tags, in the two forms that there are.

use std::collections::BTreeSet;

use imsprep_findings::{Finding, Report};

use super::context::Context;
use super::rules::{TAG, TAG_TWICE, TAGS_MANY, TAGS_TWICE};
use super::words::{quoted, refused};

const MAX_TAGS: usize = 10;
const MAX_KEY: usize = 36;
const MAX_VALUE: usize = 43;

pub(super) fn check_tags(context: &Context<'_>, report: &mut Report) {
    let draft = context.draft;
    let body = &draft.body;
    if let (Some(_), Some(_)) = (&body.tags, &body.image_tags) {
        report.push(Finding::new(&TAGS_TWICE, "the body has both tags and image_tags").in_field("tags"));
    }
    if let Some(tags) = &body.tags {
        let mut pairs = Vec::new();
        for (i, tag) in tags.iter().enumerate() {
            let path = draft.path_of("tags", i);
            match tag.split_once('.') {
                Some((key, value)) => pairs.push((path, key, value)),
                None => {
                    let message = format!("{path} {} has no dot between key and value", quoted(tag));
                    report.push(Finding::new(&TAG, message).expected("key.value").in_field(path));
                }
            }
        }
        check_pairs("tags", tags.len(), pairs, context, report);
    }
    if let Some(tags) = &body.image_tags {
        let pairs = tags.iter().enumerate();
        let pairs =
            pairs.map(|(i, tag)| (draft.path_of("image_tags", i), tag.key.as_str(), tag.value.as_str()));
        check_pairs("image_tags", tags.len(), pairs.collect(), context, report);
    }
}

fn check_pairs(
    field: &str,
    count: usize,
    pairs: Vec<(String, &str, &str)>,
    context: &Context<'_>,
    report: &mut Report,
) {
    if count > MAX_TAGS {
        let finding = Finding::new(&TAGS_MANY, format!("{field} has {count} tags"));
        report.push(finding.expected(format!("at most {MAX_TAGS}")).found(count).in_field(field));
    }
    let request = &context.profile.request;
    let in_key = |c: char| request.letters.allow(c) || "_-".contains(c);
    let in_value = |c: char| in_key(c) || request.tag_value_extra.contains(c);
    let mut seen = BTreeSet::new();
    for (path, key, value) in pairs {
        let mut wrong = |what: String, expected: String| {
            report.push(Finding::new(&TAG, format!("{path}: {what}")).expected(expected).in_field(&path));
        };
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        if !(1..=MAX_KEY).contains(&key_length) {
            wrong(format!("the key {} has {key_length} characters", quoted(key)), format!("1 to {MAX_KEY}"));
        }
        if value_length > MAX_VALUE {
            wrong(
                format!("the value {} has {value_length} characters", quoted(value)),
                format!("at most {MAX_VALUE}"),
            );
        }
        let letters = request.letters.title();
        if let Some(list) = refused(key, in_key) {
            wrong(format!("the key {} has {list}", quoted(key)), format!("{letters}, _ and -"));
        }
        if let Some(list) = refused(value, in_value) {
            let extra = request.tag_value_extra;
            wrong(
                format!("the value {} has {list}", quoted(value)),
                format!("{letters}, _ - {extra}").trim().into(),
            );
        }
        if !seen.insert(key) {
            report.push(
                Finding::new(&TAG_TWICE, format!("{path}: the key {} occurs twice", quoted(key)))
                    .in_field(path),
            );
        }
    }
}
