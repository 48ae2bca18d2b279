//! Where the image file is in the object store.

use std::path::Path;

use imsprep_detect::Format;
use imsprep_findings::{Finding, Report};

use super::context::{Context, takes};
use super::rules::{
    BUCKET_NAME, IMAGE_URL, KEY_LETTERS, KEY_LONG, KEY_OTHER_FORMAT, KEY_OTHER_NAME, KEY_SPACES, KEY_SUFFIX,
};
use super::words::{quoted, refused};

/// Most bytes of a key.
const MAX_KEY: usize = 1024;

/// A place in the object store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPlace {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key: folders and name.
    pub key: String,
}

impl ObjectPlace {
    /// The place of a file under a prefix. Slashes at the prefix's ends don't matter.
    pub fn of_file(bucket: &str, prefix: Option<&str>, path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let key = match prefix.map(|prefix| prefix.trim_matches('/')) {
            None | Some("") => name.into_owned(),
            Some(prefix) => format!("{prefix}/{name}"),
        };
        Self { bucket: bucket.into(), key }
    }

    /// As it stands in a request: `bucket:key`.
    pub fn url(&self) -> String {
        format!("{}:{}", self.bucket, self.key)
    }

    /// The last part of the key.
    fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

/// Takes `bucket:key` apart.
fn parse(url: &str) -> Result<ObjectPlace, Box<Finding>> {
    let wrong =
        |what: String| Box::new(Finding::new(&IMAGE_URL, what).expected("bucket:key").in_field("image_url"));
    if url.is_empty() {
        return Err(wrong("image_url is empty".into()));
    }
    let with_fix = |what: String, fix: String| Box::new(wrong(what).fix(fix));
    if let Some((scheme, rest)) = url.split_once("://") {
        let message =
            format!("image_url {} begins with {}://", quoted(url), quoted(scheme).trim_matches('"'));
        return Err(match (scheme, rest.split_once('/')) {
            ("obs" | "s3" | "s3a", Some((bucket, key))) => {
                // `--bucket obs://BUCKET/` puts a colon after the slash.
                let key = key.trim_start_matches(':');
                with_fix(
                    message,
                    format!(
                        "name the bucket without {scheme}:// and slashes: {}",
                        quoted(&format!("{bucket}:{key}"))
                    ),
                )
            }
            _ => wrong(message),
        });
    }
    match url.split_once(':') {
        None => {
            let message = format!("image_url {} has no colon", quoted(url));
            Err(match url.split_once('/') {
                Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => with_fix(
                    message,
                    format!(
                        "if {} is the bucket, write {}",
                        quoted(bucket),
                        quoted(&format!("{bucket}:{key}"))
                    ),
                ),
                _ => wrong(message),
            })
        }
        Some((_, "")) => Err(wrong(format!("image_url {} has no object", quoted(url)))),
        Some((bucket, key)) => Ok(ObjectPlace { bucket: bucket.into(), key: key.into() }),
    }
}

pub(super) fn check_image_url(context: &Context<'_>, report: &mut Report) {
    if context.draft.lacks("image_url") {
        let finding = Finding::new(&IMAGE_URL, "image_url is missing").expected("bucket:key");
        report.push(finding.in_field("image_url"));
    }
    let Some(url) = &context.draft.body.image_url else { return };
    match parse(url) {
        Ok(place) => {
            check_bucket(&place.bucket, report);
            check_key(&place, report);
            check_suffix(&place, context, report);
        }
        Err(finding) => report.push(*finding),
    }
}

fn check_bucket(bucket: &str, report: &mut Report) {
    let first_or_last_wrong =
        |c: Option<char>| !c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let what = if let Some(list) =
        refused(bucket, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
    {
        format!("has characters that are not allowed: {list}")
    } else if !(3..=63).contains(&bucket.len()) {
        format!("has a length of {}, expected 3 to 63 characters", bucket.len())
    } else if first_or_last_wrong(bucket.chars().next()) {
        "begins with a hyphen or a dot".into()
    } else if first_or_last_wrong(bucket.chars().last()) {
        "ends in a hyphen or a dot".into()
    } else if let Some(pair) = ["..", ".-", "-."].into_iter().find(|pair| bucket.contains(pair)) {
        format!("has {pair:?} in it")
    } else if bucket.parse::<std::net::Ipv4Addr>().is_ok() {
        "is an IP address".into()
    } else {
        return;
    };
    report.push(
        Finding::new(&BUCKET_NAME, format!("the bucket {} {what}", quoted(bucket))).in_field("image_url"),
    );
}

fn check_key(place: &ObjectPlace, report: &mut Report) {
    let mut push = |finding: Finding| report.push(finding.in_field("image_url"));
    let key = &place.key;
    if let Some(list) = refused(key, |c| !c.is_whitespace() && !c.is_control()) {
        push(Finding::new(&KEY_SPACES, format!("the key {} has {list}", quoted(key))));
    }
    if key.len() > MAX_KEY {
        let message = format!("the key has {} bytes", key.len());
        push(Finding::new(&KEY_LONG, message).expected(format!("at most {MAX_KEY}")).found(key.len()));
    }
    if key.starts_with('/') || key.contains("//") {
        push(
            Finding::new(&KEY_LETTERS, format!("the key {} has a folder without a name", quoted(key)))
                .fix("a key must not begin with a slash, and has a single slash between two names"),
        );
    }
    let name = place.name();
    let characters = name.chars().count();
    if characters > 128 {
        push(
            Finding::new(&KEY_LETTERS, format!("the object's name has {characters} characters"))
                .expected("at most 128")
                .found(characters),
        );
    }
    let usual =
        |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || c.is_whitespace() || c.is_control();
    if let Some(list) = refused(name, usual) {
        push(Finding::new(&KEY_LETTERS, format!("the object's name {} has {list}", quoted(name))));
    }
}

/// The suffix against the image, which decides; without one, against what the request takes.
fn check_suffix(place: &ObjectPlace, context: &Context<'_>, report: &mut Report) {
    let name = place.name();
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix.to_ascii_lowercase()).unwrap_or_default();
    let named = Format::of_extension(&suffix);
    let finding = match (context.facts, named) {
        (Some(facts), named) => {
            let format = facts.detection.format;
            if let Some(file) = facts.path.file_name()
                && file.to_string_lossy() != name
            {
                let message =
                    format!("the object is {}, the file {}", quoted(name), quoted(&file.to_string_lossy()));
                report.push(Finding::new(&KEY_OTHER_NAME, message).in_field("image_url"));
            }
            // A file without bytes has no format that a suffix could tell.
            if named == Some(format) || format == Format::Empty {
                return;
            }
            let message = format!("the object's name is {}, but the image is {format}", quoted(name));
            Finding::new(&KEY_SUFFIX, message).expected(format!(".{format}"))
        }
        (None, None) if suffix == "mf" => {
            let message = format!("the object's name {} has the extension of a bitmap file", quoted(name));
            Finding::new(&KEY_OTHER_FORMAT, message).expected(taken(context))
        }
        (None, Some(named)) if takes(context, named) => return,
        (None, Some(named)) => {
            let message = format!("the object's name {} has the extension of {named}", quoted(name));
            let finding = Finding::new(&KEY_OTHER_FORMAT, message).expected(taken(context));
            if context.kind.is_quick() && named.is_common() {
                let common = match context.kind.purpose() {
                    super::Purpose::System => super::Endpoint::Image,
                    super::Purpose::Data => super::Endpoint::DataImage,
                };
                finding.fix(format!(
                    "for a {named} of up to 128 GiB send {common}; otherwise convert it to ZVHD2; if only the name \
                     is wrong, rename it, and pass the image as well"
                ))
            } else {
                finding
            }
        }
        (None, None) => {
            let message = format!("the object's name {} has no extension of a known format", quoted(name));
            Finding::new(&KEY_SUFFIX, message).expected(taken(context))
        }
    };
    report.push(finding.in_field("image_url"));
}

fn taken(context: &Context<'_>) -> &'static str {
    if context.kind.is_quick() {
        ".raw or .zvhd2"
    } else {
        "the extension of a format that the common import takes"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_file_has_one_slash_between_prefix_and_name() {
        for (prefix, key) in [
            (None, "disk.raw"),
            (Some(""), "disk.raw"),
            (Some("/"), "disk.raw"),
            (Some("a"), "a/disk.raw"),
            (Some("/a/b/"), "a/b/disk.raw"),
        ] {
            let place = ObjectPlace::of_file("bucket", prefix, Path::new("/home/me/disk.raw"));
            assert_eq!(place.url(), format!("bucket:{key}"));
        }
    }

    #[test]
    fn buckets_by_every_clause_of_their_rule() {
        let codes = |bucket: &str| {
            let mut report = Report::new();
            check_bucket(bucket, &mut report);
            report.findings().len()
        };
        for good in ["abc", "1-2.3", "a".repeat(63).as_str(), "1.2.3.4.5", "my-images"] {
            assert_eq!(codes(good), 0, "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            &too_long,
            "Abc",
            "a_b",
            "-ab",
            ".ab",
            "ab-",
            "ab.",
            "a..b",
            "a.-b",
            "a-.b",
            "1.2.3.4",
            "ü-bucket",
        ] {
            assert_eq!(codes(bad), 1, "{bad}");
        }
    }
}
