//! From the bytes of a body to its fields.

use std::collections::{BTreeMap, BTreeSet};

use imsprep_findings::{Finding, Report, Severity};

use super::json::Json;
use super::kind::{BodyKind, Endpoint, FIELDS, Field, FieldType};
use super::rules::{
    BODY_EMPTY, CLIENT_FIELD, DUPLICATE_KEY, FOREIGN_FIELD, SYNTAX, UNKNOWN_FIELD, WRONG_TYPE,
};
use super::words::{distance, nearest, quoted};
use super::{ImageTag, RequestBody};

/// Most bytes of a body that is read. The longest one that keeps the rules has less than 20 KB.
pub const MAX_BODY: usize = 1 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// A body as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) body: RequestBody,
    /// The known fields that are there, whatever their values.
    pub(super) present: BTreeSet<&'static str>,
    /// Those of them whose value is of the wrong type: they are not missing, and nothing more can be said of them.
    pub(super) unreadable: BTreeSet<&'static str>,
    /// Places of the items of an array that could be read.
    places: BTreeMap<&'static str, Vec<usize>>,
}

impl Draft {
    /// A body that was not read but made.
    pub(super) fn made(body: RequestBody) -> Self {
        Self { body, ..Self::default() }
    }

    /// Whether the text field has no value and it is not that one could not be read.
    pub(super) fn lacks(&self, field: &str) -> bool {
        self.body.text(field).is_none() && !self.unreadable.contains(field)
    }

    /// The path of the item that is number `i` of those of this array that could be read.
    pub(super) fn path_of(&self, field: &str, i: usize) -> String {
        let place = self.places.get(field).and_then(|places| places.get(i)).copied().unwrap_or(i);
        format!("{field}[{place}]")
    }

    /// Which request it is for, as its fields tell.
    pub(super) fn kind(&self, endpoint: Option<Endpoint>) -> BodyKind {
        let has = |field| self.present.contains(field);
        let has_only = |kind: BodyKind, other: BodyKind| {
            self.present.iter().any(|field| kind.has(field) && !other.has(field))
        };
        let says_data =
            self.body.image_type.as_deref().is_some_and(|text| text.eq_ignore_ascii_case("DataImage"));
        // Go's SDK sends os_version with every quick import, and an empty one names no system.
        let empty_version = self.body.os_version.as_deref() == Some("");
        let go_data = empty_version && has("os_type") && !has("type");
        let names_system = has("os_version") && !go_data;
        let looks_like_data = says_data || !names_system && (has("os_type") || !has("type"));
        match endpoint {
            Some(Endpoint::DataImage) => BodyKind::CommonData,
            Some(Endpoint::Image) => BodyKind::CommonSystem,
            Some(Endpoint::QuickImport) if looks_like_data => BodyKind::QuickData,
            Some(Endpoint::QuickImport) => BodyKind::QuickSystem,
            None if says_data || go_data => BodyKind::QuickData,
            None if has_only(BodyKind::CommonSystem, BodyKind::QuickSystem) && !looks_like_data => {
                BodyKind::CommonSystem
            }
            None if looks_like_data => BodyKind::CommonData,
            None => BodyKind::QuickSystem,
        }
    }

    /// Names the fields that this kind of body does not have.
    pub(super) fn check_fields(&self, kind: BodyKind, report: &mut Report) {
        let foreign = self.present.iter().filter(|field| !kind.has(field));
        for field in foreign {
            report.push(if kind.is_sent_with(field) {
                client_field(field, kind)
            } else {
                foreign_field(field, kind)
            });
        }
    }
}

/// A field that `kind` does not have, and that a client of the vendor's sends with it.
fn client_field(field: &str, kind: BodyKind) -> Finding {
    let message =
        format!("{field} is not documented for the {}, but clients of the vendor send it", kind.title());
    Finding::new(&CLIENT_FIELD, message).in_field(field)
}

/// A field that `kind` does not have.
pub(super) fn foreign_field(field: &str, kind: BodyKind) -> Finding {
    let homes = BodyKind::ALL.into_iter().filter(|kind| kind.has(field)).map(BodyKind::title);
    let homes = homes.collect::<Vec<_>>().join(", ");
    let message = if homes.is_empty() {
        format!("{field} is for images that are not made from a file")
    } else {
        format!("{field} is not a field of the {}; it belongs to: {homes}", kind.title())
    };
    Finding::new(&FOREIGN_FIELD, message).in_field(field)
}

/// Reads the fields. `None` if there is nothing that could be one.
pub(super) fn read_draft(bytes: &[u8], report: &mut Report) -> Option<Draft> {
    if bytes.len() > MAX_BODY {
        let message = format!("the body has {} bytes; the limit is {MAX_BODY}", bytes.len());
        report.push(Finding::new(&SYNTAX, message));
        return None;
    }
    let bytes = without_mark(bytes, report)?;
    if bytes.trim_ascii().is_empty() {
        report.push(Finding::new(&BODY_EMPTY, "the body contains only white space"));
        return None;
    }
    let json = match serde_json::from_slice::<Json>(bytes) {
        Ok(json) => json,
        Err(error) => {
            report.push(syntax_error(bytes, &error));
            return None;
        }
    };
    let Json::Object(members) = json else {
        let message = format!("the body is {}", json.title());
        report.push(Finding::new(&WRONG_TYPE, message).expected("an object, { ... }").found(json.title()));
        return None;
    };
    if members.is_empty() {
        report.push(Finding::new(&BODY_EMPTY, "the body is an object without fields"));
        return None;
    }
    check_duplicates("", &members, report);
    let mut draft = Draft::default();
    for (name, value) in members {
        match FIELDS.iter().find(|field| field.name == name) {
            Some(field) => draft.take(field, value, report),
            None => push_unknown_field("", &name, FIELDS.iter().map(|field| field.name), report),
        }
    }
    Some(draft)
}

/// Takes a byte order mark off. One of UTF-16 leaves nothing to be read.
fn without_mark<'b>(bytes: &'b [u8], report: &mut Report) -> Option<&'b [u8]> {
    if let Some(rest) = bytes.strip_prefix(BOM) {
        let finding =
            Finding::new(&SYNTAX, "the body begins with a byte order mark, which JSON parsers may refuse")
                .at(0)
                .fix("save it as UTF-8 without byte order mark (\"BOM\")");
        report.push(finding);
        return Some(rest);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let finding = Finding::new(&SYNTAX, "the body is in UTF-16").at(0).fix("save it as UTF-8");
        report.push(finding);
        return None;
    }
    Some(bytes)
}

fn syntax_error(bytes: &[u8], error: &serde_json::Error) -> Finding {
    if let Err(not_text) = std::str::from_utf8(bytes) {
        return Finding::new(
            &SYNTAX,
            format!("the body is not UTF-8 from byte {} on", not_text.valid_up_to()),
        )
        .fix("save it as UTF-8");
    }
    // The parser's own words end in the place: that is said once.
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or(&text);
    Finding::new(&SYNTAX, format!("line {}, column {}: {words}", error.line(), error.column()))
}

fn check_duplicates(path: &str, members: &[(String, Json)], report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (name, _) in members {
        if !seen.insert(name) {
            let field = join(path, name);
            let message = format!("{field} occurs more than once; only the last one was checked");
            report.push(Finding::new(&DUPLICATE_KEY, message).in_field(field));
        }
    }
}

fn push_unknown_field(
    path: &str,
    name: &str,
    known: impl Iterator<Item = &'static str>,
    report: &mut Report,
) {
    let field = join(path, name);
    let finding = Finding::new(&UNKNOWN_FIELD, format!("{field} is not documented for any request"));
    // What is only counted needs no advice, which takes longer than all the rest.
    let kept = report.count_of(&UNKNOWN_FIELD) < Report::KEPT as u64;
    let near = if kept { nearest(name, known, 1) } else { Vec::new() };
    // A name that shares little with any is no misspelling.
    let finding = match near.first() {
        Some(near) if distance(name, near) <= near.len() / 2 => {
            finding.fix(format!("write {near} if that is intended; otherwise remove it"))
        }
        _ => finding.fix("leave it out"),
    };
    report.push(finding.in_field(field));
}

/// The path of a member. A name from outside is shown as it may be shown.
fn join(path: &str, name: &str) -> String {
    let plain =
        !name.is_empty() && name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let name = if plain { name.to_owned() } else { quoted(name) };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn wrong_type(field: &str, expected: FieldType, found: &Json) -> Finding {
    let shown = match found {
        Json::Text(text) => format!("the string {}", quoted(text)),
        Json::Integer(number) => format!("the number {number}"),
        Json::Flag(flag) => flag.to_string(),
        other => other.title().to_owned(),
    };
    let finding = Finding::new(&WRONG_TYPE, format!("{field} is {shown}")).expected(expected.title());
    let finding = match (expected, found) {
        (FieldType::Integer, Json::Text(text)) if text.trim().parse::<i64>().is_ok() => {
            finding.fix(format!("write {} without quotes", text.trim()))
        }
        (FieldType::Text, Json::Integer(number)) => finding.fix(format!("write \"{number}\", in quotes")),
        _ => finding,
    };
    finding.in_field(field)
}

impl Draft {
    fn take(&mut self, field: &'static Field, value: Json, report: &mut Report) {
        let name = field.name;
        self.present.insert(name);
        if value == Json::Null {
            let message = format!("{name} is null, which no page allows");
            let finding = Finding::new(&WRONG_TYPE, message)
                .severity(Severity::Warning)
                .expected(field.value.title())
                .fix("remove the field");
            report.push(finding.in_field(name));
            return;
        }
        let taken = match (field.value, value) {
            (FieldType::Text, Json::Text(text)) => {
                if let Some(place) = self.body.text_mut(name) {
                    *place = Some(text);
                }
                Ok(())
            }
            (FieldType::Integer, Json::Integer(number)) => {
                if name == "min_disk" {
                    self.body.min_disk = Some(number);
                }
                Ok(())
            }
            (FieldType::Flag, Json::Flag(_)) | (FieldType::Other, Json::Array(_)) => Ok(()),
            (FieldType::Texts, Json::Array(items)) => {
                let (places, items) = texts(name, items, report).into_iter().unzip();
                self.places.insert(name, places);
                self.body.tags = Some(items);
                Ok(())
            }
            (FieldType::Tags, Json::Array(items)) => {
                let (places, items) = tags(name, items, report).into_iter().unzip();
                self.places.insert(name, places);
                self.body.image_tags = Some(items);
                Ok(())
            }
            (expected, found) => Err(wrong_type(name, expected, &found)),
        };
        if let Err(finding) = taken {
            self.unreadable.insert(name);
            report.push(finding);
        }
    }
}

/// The strings among the items, each with its place.
fn texts(name: &str, items: Vec<Json>, report: &mut Report) -> Vec<(usize, String)> {
    let mut texts = Vec::new();
    for (i, item) in items.into_iter().enumerate() {
        match item {
            Json::Text(text) => texts.push((i, text)),
            other => report.push(wrong_type(&format!("{name}[{i}]"), FieldType::Text, &other)),
        }
    }
    texts
}

/// The tags among the items, each with its place.
fn tags(name: &str, items: Vec<Json>, report: &mut Report) -> Vec<(usize, ImageTag)> {
    let mut tags = Vec::new();
    for (i, item) in items.into_iter().enumerate() {
        let path = format!("{name}[{i}]");
        let Json::Object(members) = item else {
            let finding = Finding::new(&WRONG_TYPE, format!("{path} is {}", item.title()));
            report.push(finding.expected("an object with key and value").in_field(path));
            continue;
        };
        check_duplicates(&path, &members, report);
        let (mut key, mut value) = (None, None);
        for (member, found) in members {
            let place = match member.as_str() {
                "key" => &mut key,
                "value" => &mut value,
                _ => {
                    push_unknown_field(&path, &member, ["key", "value"].into_iter(), report);
                    continue;
                }
            };
            match found {
                Json::Text(text) => *place = Some(Some(text)),
                other => {
                    *place = Some(None);
                    report.push(wrong_type(&join(&path, &member), FieldType::Text, &other));
                }
            }
        }
        for (member, found) in [("key", &key), ("value", &value)] {
            if found.is_none() {
                let finding = Finding::new(&super::rules::TAG, format!("{path} has no {member}"));
                report.push(finding.expected("both key and value").in_field(&path));
            }
        }
        if let (Some(Some(key)), Some(Some(value))) = (key, value) {
            tags.push((i, ImageTag { key, value }));
        }
    }
    tags
}
