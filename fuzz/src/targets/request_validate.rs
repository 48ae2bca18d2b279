//! Input: a choice of cloud, request and image, then a body.
//!
//! Oracle: a second parser. A body is a fault of syntax exactly where that can't read it either; printed again by it, without
//! and with white space, it breaks the same rules in the same fields; and every finding is about a field that is in the body
//! or that the API has.

use imsprep_detect::{Detection, Format};
use imsprep_findings::Report;
use imsprep_rules::{
    BodyKind, Endpoint, HUAWEI, ImageFacts, OTC, OsVersions, REQUEST_RULES, ValidateOptions, validate_body,
};
use serde_json::Value;

use crate::plant::planted;

/// The fields of all bodies, as the API pages have them.
const FIELDS: [&str; 22] = [
    "name",
    "description",
    "os_type",
    "os_version",
    "image_url",
    "min_disk",
    "type",
    "architecture",
    "hw_firmware_type",
    "license_type",
    "tags",
    "image_tags",
    "enterprise_project_id",
    "cmk_id",
    "is_config",
    "is_config_init",
    "is_quick_import",
    "min_ram",
    "max_ram",
    "instance_id",
    "volume_id",
    "data_images",
];

/// See the module.
pub fn run(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let (kind, found) = validate(*choice, body);
    let syntax = found.iter().any(|finding| finding.code == "IMS-100");
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        assert!(syntax || body.trim_ascii().is_empty(), "no JSON, and {found:?}");
        return;
    };
    assert!(!syntax, "JSON, and {found:?}");
    for finding in &found {
        assert!(
            REQUEST_RULES.iter().any(|rule| rule.code == finding.code) || finding.code.starts_with("IMS-0")
        );
        if let Some(field) = &finding.field {
            assert_field_is_known(field, &value);
        }
    }
    // Names that are there twice are a fault that the second parser forgets.
    if found.iter().any(|finding| finding.code == "IMS-103") || has_duplicates(body, &value) {
        return;
    }
    let found = planted(found, |found| {
        // A finding that is reported for one of two spellings alone is the bug to be found.
        found.pop();
    });
    for again in [serde_json::to_vec(&value), serde_json::to_vec_pretty(&value)] {
        let again = validate(*choice, &again.expect("a value is printed"));
        assert_eq!((kind, &found), (again.0, &again.1), "printed anew");
    }
}

/// What a finding says of its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    code: &'static str,
    field: Option<String>,
    message: String,
    expected: Option<String>,
}

fn validate(choice: u8, body: &[u8]) -> (Option<BodyKind>, Vec<Found>) {
    let profile = if choice & 1 == 0 { &HUAWEI } else { &OTC };
    let endpoints = [None, Some(Endpoint::QuickImport), Some(Endpoint::DataImage), Some(Endpoint::Image)];
    let detection = Detection {
        format: if choice & 16 == 0 { Format::Raw } else { Format::Qcow2 },
        variant: None,
        file_size: 1 << 30,
        virtual_size: Some(10 << 30),
        facts: Vec::new(),
        also: Vec::new(),
        evidence: Vec::new(),
    };
    let facts = ImageFacts::of_detection("disk.raw", detection);
    let os_versions = OsVersions::built_in(profile);
    let options = ValidateOptions {
        profile,
        os_versions: &os_versions,
        endpoint: endpoints[usize::from(choice >> 1 & 3)],
        facts: (choice & 8 != 0).then_some(&facts),
    };
    let mut report = Report::new();
    let kind = validate_body(body, &options, &mut report);
    let mut found = report.findings().iter().map(|finding| Found {
        code: finding.rule.code,
        field: finding.field.clone(),
        message: finding.message.clone(),
        expected: finding.expected.clone(),
    });
    // The order of fields is not that of the second parser.
    let mut found = found.by_ref().collect::<Vec<_>>();
    found.sort();
    (kind, found)
}

fn assert_field_is_known(field: &str, value: &Value) {
    // A name that may not be shown as it is stands in quotes.
    if field.starts_with(['"', '\'', '\u{201c}']) || field.contains(['"', '\\']) {
        return;
    }
    let base = field.split(['.', '[']).next().unwrap_or(field);
    assert!(
        FIELDS.contains(&base) || value.get(base).is_some(),
        "{field} is in no body, and not in this one"
    );
    if let Some(place) = field.strip_prefix(base).and_then(|rest| rest.strip_prefix('[')) {
        let number =
            place.split(']').next().and_then(|number| number.parse::<usize>().ok()).expect("a number");
        assert!(value[base].get(number).is_some(), "{field} is not in the body");
    }
}

/// Whether an object has a name twice: the second parser would print fewer members than there are colons outside of strings.
fn has_duplicates(body: &[u8], value: &Value) -> bool {
    let (mut colons, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b':' if !in_text => colons += 1,
            _ => {}
        }
    }
    colons != members(value)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.len() + map.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        _ => 0,
    }
}

/// The bodies of testdata, each with another choice.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for name in ["examples", "broken"] {
        let folder = imsprep_testdata::folder().join("requests").join(name);
        let mut paths = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|e| e.expect("an entry").path())
            .collect::<Vec<_>>();
        paths.sort();
        for (number, path) in paths.iter().enumerate() {
            let body = std::fs::read(path).expect("a body");
            if body.len() < 4096 {
                seeds.push([&[0], &body[..]].concat());
                seeds.push([&[(number * 7 % 32) as u8], &body[..]].concat());
            }
        }
    }
    seeds
}
