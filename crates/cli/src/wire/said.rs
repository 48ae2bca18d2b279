//! Reading back what `check` and `prepare` printed: as much of their documents as a summary needs.
//!
//! What is read here is what [`super::check`] and [`super::prepare`] write; a test holds the two together. Nothing of a document
//! is kept that is not counted or shown, and no list in it is kept whole: lines come from anywhere, and there are many.

use std::fmt;
use std::marker::PhantomData;

use imsprep_findings::Severity;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The schemas that a summary is made of.
const SCHEMAS: [&str; 3] = ["imsprep.check.file", "imsprep.check", "imsprep.prepare"];

/// Most items of a list that is kept: there are not as many rules.
const ITEMS: usize = 1000;

/// One document, as far as it matters here.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) run: Run,
    pub(crate) images: Vec<SaidImage>,
}

/// By which program and which rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    pub(crate) tool_version: String,
    pub(crate) rule_set: String,
    pub(crate) profile: String,
}

/// What a document says of one image.
#[derive(Debug, PartialEq)]
pub(crate) struct SaidImage {
    /// The path's bytes.
    pub(crate) path: Vec<u8>,
    pub(crate) verdict: SaidVerdict,
    pub(crate) exit_status: u8,
    pub(crate) reservations: Vec<String>,
    /// Bytes of the image file.
    pub(crate) bytes: Option<u64>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
    /// Why it could not be looked at.
    pub(crate) error: Option<String>,
    pub(crate) tallies: Vec<SaidTally>,
    /// The gravest finding.
    pub(crate) finding: Option<SaidFinding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SaidVerdict {
    Importable,
    NotImportable,
    CouldNotTell,
}

/// How often a rule is broken.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct SaidTally {
    pub(crate) code: String,
    #[serde(deserialize_with = "severity")]
    pub(crate) severity: Severity,
    pub(crate) total: u64,
}

#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct SaidFinding {
    pub(crate) code: String,
    #[serde(deserialize_with = "severity")]
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) fix: String,
}

/// Why a text is no document that can be counted.
#[derive(Debug)]
pub(crate) enum NotSaid {
    /// No JSON, or not whole.
    NotJson(serde_json::Error),
    /// JSON of somebody else.
    NotOurs,
    /// Of a command that gives no verdict.
    OtherSchema(String),
    /// Of a later imsprep.
    Later { schema: String, version: u64 },
    /// It bears our name, and is not what we write.
    Unfit(String),
}

impl fmt::Display for NotSaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) if error.is_eof() => write!(f, "cut off: the JSON has no end"),
            Self::NotJson(error) => write!(f, "not JSON: {}", without_place(error)),
            Self::NotOurs => write!(f, "JSON, but no document of imsprep"),
            Self::OtherSchema(schema) => {
                write!(f, "{schema} gives no verdict on an image; a summary takes {}", SCHEMAS.join(", "))
            }
            Self::Later { schema, version } => {
                write!(
                    f,
                    "version {version} of {schema}: a later imsprep has to read it, this one knows version 1"
                )
            }
            Self::Unfit(why) => write!(f, "not as imsprep writes it: {why}"),
        }
    }
}

/// What is wrong, without the line and column within the line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => what.into(),
        None => text,
    }
}

/// What every document begins with.
#[derive(serde::Deserialize)]
struct Head {
    schema: Option<String>,
    version: Option<u64>,
}

#[derive(serde::Deserialize)]
struct Common {
    tool: Tool,
    exit_status: u8,
    rule_set: String,
    profile: String,
}

#[derive(serde::Deserialize)]
struct Tool {
    version: String,
}

#[derive(serde::Deserialize)]
struct Files {
    files: Vec<File>,
}

#[derive(serde::Deserialize)]
struct File {
    path: String,
    path_bytes: Option<String>,
    verdict: SaidVerdict,
    reservations: Few<String>,
    /// Absent where the document is about one file alone, and says it.
    exit_status: Option<u8>,
    seconds: Option<f64>,
    error: Option<String>,
    detection: Option<Detection>,
    report: Option<Report>,
}

#[derive(serde::Deserialize)]
struct Detection {
    file_size: u64,
}

#[derive(serde::Deserialize)]
struct Report {
    /// The gravest come first.
    findings: First<SaidFinding>,
    totals: Few<SaidTally>,
}

#[derive(serde::Deserialize)]
struct Prepared {
    source: Path,
    conversion: Option<Conversion>,
    result: Option<File>,
    seconds: Option<f64>,
    error: Option<String>,
}

#[derive(serde::Deserialize)]
struct Path {
    path: String,
    path_bytes: Option<String>,
}

#[derive(serde::Deserialize)]
struct Conversion {
    report: Report,
}

/// Reads one document.
///
/// # Errors
///
/// Why it can't be counted.
pub(crate) fn read(text: &[u8]) -> Result<Said, NotSaid> {
    // Syntax is a matter of the text; what does not fit a structure is a matter of who wrote it.
    let head = serde_json::from_slice::<Head>(text)
        .map_err(|error| if error.is_data() { NotSaid::NotOurs } else { NotSaid::NotJson(error) })?;
    let schema = head.schema.filter(|schema| schema.starts_with("imsprep.")).ok_or(NotSaid::NotOurs)?;
    if !SCHEMAS.contains(&schema.as_str()) {
        return Err(NotSaid::OtherSchema(schema));
    }
    match head.version {
        Some(1) => {}
        Some(version) if version > 1 => return Err(NotSaid::Later { schema, version }),
        _ => return Err(NotSaid::Unfit("it has no version".into())),
    }
    let common = part::<Common>(text)?;
    let images = match schema.as_str() {
        "imsprep.check.file" => vec![image(part::<File>(text)?, common.exit_status)?],
        "imsprep.check" => {
            let files = part::<Files>(text)?.files.into_iter();
            files.map(|file| image(file, common.exit_status)).collect::<Result<_, _>>()?
        }
        _ => vec![prepared(part::<Prepared>(text)?, common.exit_status)?],
    };
    let run = Run { tool_version: common.tool.version, rule_set: common.rule_set, profile: common.profile };
    Ok(Said { run, images })
}

fn part<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, NotSaid> {
    serde_json::from_slice(text).map_err(|error| NotSaid::Unfit(without_place(&error)))
}

fn image(file: File, of_all: u8) -> Result<SaidImage, NotSaid> {
    let (tallies, finding) = told(file.report);
    checked(SaidImage {
        path: path_bytes(file.path, file.path_bytes)?,
        verdict: file.verdict,
        exit_status: file.exit_status.unwrap_or(of_all),
        reservations: file.reservations.0,
        bytes: file.detection.map(|detection| detection.file_size),
        seconds: file.seconds,
        error: file.error,
        tallies,
        finding,
    })
}

/// An image that was prepared goes by its source's name: that is what was asked for.
fn prepared(prepared: Prepared, exit_status: u8) -> Result<SaidImage, NotSaid> {
    let path = path_bytes(prepared.source.path, prepared.source.path_bytes)?;
    let (seconds, error) = (prepared.seconds, prepared.error);
    if let Some(result) = prepared.result {
        let mut image = image(result, exit_status)?;
        // With `--strict` what speaks against the conversion counts for all of it.
        let of_source = told(prepared.conversion.map(|conversion| conversion.report));
        for tally in of_source.0 {
            if !image
                .tallies
                .iter()
                .any(|other| (&other.code, other.severity) == (&tally.code, tally.severity))
            {
                image.tallies.push(tally);
            }
        }
        if image.finding.as_ref().map(|finding| finding.severity)
            < of_source.1.as_ref().map(|finding| finding.severity)
        {
            image.finding = of_source.1;
        }
        return checked(SaidImage { path, exit_status, seconds, error, ..image });
    }
    let verdict = if error.is_some() { SaidVerdict::CouldNotTell } else { SaidVerdict::NotImportable };
    let (tallies, finding) = told(prepared.conversion.map(|conversion| conversion.report));
    let reservations = vec![];
    checked(SaidImage {
        path,
        verdict,
        exit_status,
        reservations,
        bytes: None,
        seconds,
        error,
        tallies,
        finding,
    })
}

fn told(report: Option<Report>) -> (Vec<SaidTally>, Option<SaidFinding>) {
    report.map(|report| (report.totals.0, report.findings.0)).unwrap_or_default()
}

/// Refuses numbers that no report has.
fn checked(image: SaidImage) -> Result<SaidImage, NotSaid> {
    let fits = match (image.verdict, image.exit_status) {
        (SaidVerdict::Importable, status) => status <= 1,
        (SaidVerdict::NotImportable, status) => status == 1,
        // Also what the command can't be asked of a file.
        (SaidVerdict::CouldNotTell, status) => status == 1 || status == 2,
    };
    if !fits {
        return Err(NotSaid::Unfit(format!(
            "verdict and exit_status {} do not go together",
            image.exit_status
        )));
    }
    if image.seconds.is_some_and(|seconds| seconds < 0.0) {
        return Err(NotSaid::Unfit("a time below 0".into()));
    }
    Ok(image)
}

/// The path as it was, where its text could not hold it.
fn path_bytes(text: String, hex: Option<String>) -> Result<Vec<u8>, NotSaid> {
    let Some(hex) = hex else { return Ok(text.into_bytes()) };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    });
    pairs.collect::<Option<_>>().ok_or_else(|| NotSaid::Unfit("path_bytes is no hexadecimal".into()))
}

fn severity<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Severity, D::Error> {
    let word = String::deserialize(deserializer)?;
    [Severity::Error, Severity::Warning, Severity::Note, Severity::Allowed]
        .into_iter()
        .find(|severity| severity.as_str() == word)
        .ok_or_else(|| de::Error::custom("a severity that there is not"))
}

/// The first item of a list; the others are only passed over.
#[derive(Debug)]
struct First<T>(Option<T>);

/// A short list.
#[derive(Debug)]
struct Few<T>(Vec<T>);

impl<'a, T: Deserialize<'a>> Deserialize<'a> for First<T> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut items, _) = deserializer.deserialize_seq(Start { keep: 1, item: PhantomData })?;
        Ok(Self(items.pop()))
    }
}

impl<'a, T: Deserialize<'a>> Deserialize<'a> for Few<T> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        let (items, more) = deserializer.deserialize_seq(Start { keep: ITEMS, item: PhantomData })?;
        if more {
            Err(de::Error::custom(format!("a list of more than {ITEMS} items")))
        } else {
            Ok(Self(items))
        }
    }
}

/// Keeps so many items from the start of a list, and tells whether there were more.
struct Start<T> {
    keep: usize,
    item: PhantomData<T>,
}

impl<'a, T: Deserialize<'a>> Visitor<'a> for Start<T> {
    type Value = (Vec<T>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.keep {
            match list.next_element()? {
                Some(item) => items.push(item),
                None => return Ok((items, false)),
            }
        }
        let mut more = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            more = true;
        }
        Ok((items, more))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path as FilePath;
    use std::time::Duration;

    use imsprep_findings::Severity::{Error, Note, Warning};
    use imsprep_source::Cancel;
    use imsprep_toolkit::{CheckOptions, PrepareOptions, Target, check_image_file, prepare_image};

    use super::*;
    use imsprep_findings::Overrides;
    use imsprep_rules::{HUAWEI, Intent};

    use crate::commands::Warnings;
    use crate::commands::check::Outcome;
    use crate::exit::Status;
    use crate::policy::Policy;
    use crate::wire;

    fn outcome(path: &FilePath) -> Outcome {
        let result = check_image_file(&Target::new(path), &CheckOptions::default(), &(), &Cancel::new());
        let status =
            result.as_ref().map_or(Status::CouldNotLook, |checked| Warnings::Pass.status(&checked.report));
        let elapsed = Duration::from_millis(1500);
        Outcome { path: path.into(), status, elapsed, result: result.map_err(anyhow::Error::new) }
    }

    /// One that passes with warnings, one that is broken in several ways, one that is not there.
    fn outcomes(folder: &FilePath) -> Vec<Outcome> {
        let good = imsprep_testdata::golden("zstd_k_uniform.zvhd2");
        let files = [("good.zvhd2", good), ("cut.zvhd2", &good[..570_000])];
        for (name, bytes) in files {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
        ["good.zvhd2", "cut.zvhd2", "none.raw"].map(|name| outcome(&folder.join(name))).into()
    }

    /// What a document must be read as, from what it is made of.
    fn expected(outcome: &Outcome) -> SaidImage {
        let (verdict, reservations, bytes, tallies, finding) = match &outcome.result {
            Err(_) => (SaidVerdict::CouldNotTell, vec![], None, vec![], None),
            Ok(checked) => {
                let report = &checked.report;
                let verdict =
                    if report.has_errors() { SaidVerdict::NotImportable } else { SaidVerdict::Importable };
                let tallies = report.tallies().map(|tally| SaidTally {
                    code: tally.rule.code.into(),
                    severity: tally.severity,
                    total: tally.total,
                });
                let gravest = report.findings().iter().map(|finding| finding.severity).max();
                let finding = report.findings().iter().find(|finding| Some(finding.severity) == gravest);
                let finding = finding.map(|finding| SaidFinding {
                    code: finding.rule.code.into(),
                    severity: finding.severity,
                    message: finding.message.clone(),
                    fix: finding.advice().into(),
                });
                (verdict, vec![], Some(checked.detection.file_size), tallies.collect(), finding)
            }
        };
        SaidImage {
            path: outcome.path.as_os_str().as_encoded_bytes().to_vec(),
            verdict,
            exit_status: outcome.status.number(),
            reservations,
            bytes,
            seconds: Some(1.5),
            error: outcome.result.as_ref().err().map(crate::terminal::failure_text),
            tallies,
            finding,
        }
    }

    #[test]
    fn what_check_writes_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let outcomes = outcomes(folder.path());
        let statuses = outcomes.iter().map(|outcome| outcome.status).collect::<Vec<_>>();
        assert_eq!(statuses, [Status::Fine, Status::Wrong, Status::CouldNotLook]);
        let policy = Policy {
            profile: &HUAWEI,
            warnings: Warnings::Pass,
            intent: Intent::default(),
            overrides: Overrides::new(),
            config: None,
        };
        let expected = outcomes.iter().map(expected).collect::<Vec<_>>();
        let run = Run {
            tool_version: env!("CARGO_PKG_VERSION").into(),
            rule_set: imsprep_rules::RULE_SET_DATE.into(),
            profile: "huawei".into(),
        };
        for (outcome, expected) in outcomes.iter().zip(&expected) {
            let line = serde_json::to_vec(&wire::check::Document::of_file(outcome, &policy)).unwrap();
            let said = read(&line).unwrap();
            assert_eq!((said.run, &said.images[..]), (run.clone(), std::slice::from_ref(expected)));
        }
        let document = wire::check::Document::new_check(&outcomes, &policy, Status::CouldNotLook);
        let said = read(&serde_json::to_vec(&document).unwrap()).unwrap();
        assert_eq!((said.run, said.images), (run, expected));
    }

    #[test]
    fn what_prepare_writes_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let qcow2 = folder.path().join("disk.qcow2");
        std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), &qcow2).unwrap();
        let options = PrepareOptions::default();
        let prepared = prepare_image(&qcow2, &options, &(), &Cancel::new()).unwrap();
        let (profile, elapsed) = (options.profile, Duration::from_millis(1500));
        let say = |body| {
            let document = wire::Document::new("imsprep.prepare", Status::Fine, body);
            serde_json::to_vec_pretty(&document).unwrap()
        };
        let said = read(&say(wire::prepare::Body::new(&prepared, profile, Status::Fine, elapsed))).unwrap();
        let [image] = &said.images[..] else { panic!("{said:?}") };
        // By the name that was asked for, with the verdict on what came of it.
        assert_eq!(image.path, qcow2.as_os_str().as_encoded_bytes());
        assert_eq!((image.verdict, image.exit_status), (SaidVerdict::Importable, 0));
        assert_eq!((image.seconds, image.error.as_deref()), (Some(1.5), None));
        let length = std::fs::metadata(folder.path().join("disk.zvhd2")).unwrap().len();
        assert_eq!(image.bytes, Some(length));
        // The output is there by now.
        let error = anyhow::Error::new(prepare_image(&qcow2, &options, &(), &Cancel::new()).unwrap_err());
        let body = wire::prepare::Body::failed(&qcow2, &error, profile, elapsed);
        let document = wire::Document::new("imsprep.prepare", Status::CouldNotLook, body);
        let said = read(&serde_json::to_vec(&document).unwrap()).unwrap();
        let [image] = &said.images[..] else { panic!("{said:?}") };
        assert_eq!((image.verdict, image.exit_status), (SaidVerdict::CouldNotTell, 2));
        assert!(image.error.as_deref().is_some_and(|error| error.contains("disk.zvhd2")), "{image:?}");
        // A source that must not be converted.
        let overlay = folder.path().join("overlay.qcow2");
        let mut bytes = std::fs::read(&qcow2).unwrap();
        // The name of a backing file, within the first cluster.
        bytes[8..16].copy_from_slice(&0x200_u64.to_be_bytes());
        bytes[16..20].copy_from_slice(&4_u32.to_be_bytes());
        bytes[0x200..0x204].copy_from_slice(b"base");
        std::fs::write(&overlay, bytes).unwrap();
        let prepared = prepare_image(&overlay, &options, &(), &Cancel::new()).unwrap();
        let body = wire::prepare::Body::new(&prepared, profile, Status::Wrong, elapsed);
        let document = wire::Document::new("imsprep.prepare", Status::Wrong, body);
        let said = read(&serde_json::to_vec(&document).unwrap()).unwrap();
        let [image] = &said.images[..] else { panic!("{said:?}") };
        assert_eq!((image.verdict, image.exit_status), (SaidVerdict::NotImportable, 1));
        assert_eq!(image.finding.as_ref().map(|finding| finding.severity), Some(Error), "{image:?}");
        assert!(image.tallies.iter().any(|tally| tally.severity == Error));
    }

    /// A document with some of its parts put differently.
    fn line(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let mut line = serde_json::json!({
            "schema": "imsprep.check.file", "version": 1, "tool": {"name": "imsprep", "version": "9.9.9"},
            "exit_status": 1, "rule_set": "2040-01-01", "profile": "other", "path": "a\u{fffd}.raw",
            "path_bytes": "61ff2e726177", "verdict": "not-importable", "reservations": [], "seconds": 2.5,
            "error": null, "detection": {"format": "new", "file_size": u64::MAX}, "more": {"than": ["known"]},
            "report": {
                "findings": [
                    {"code": "NEW-001", "severity": "error", "message": "m", "fix": "f", "new": 1},
                    {"this": "one is not read"},
                ],
                "totals": [
                    {"code": "NEW-001", "severity": "error", "total": 7, "listed": 1},
                    {"code": "IMS-005", "severity": "note", "total": 1, "listed": 1},
                    {"code": "IMS-004", "severity": "warning", "total": 1, "listed": 1},
                ],
            },
        });
        change(&mut line);
        serde_json::to_vec(&line).unwrap()
    }

    #[test]
    fn a_later_programs_codes_and_fields_are_no_hindrance() {
        let said = read(&line(|_| {})).unwrap();
        let image = &said.images[0];
        assert_eq!(image.path, b"a\xff.raw");
        assert_eq!((image.bytes, image.seconds), (Some(u64::MAX), Some(2.5)));
        let severities = image.tallies.iter().map(|tally| (tally.severity, tally.total)).collect::<Vec<_>>();
        assert_eq!(severities, [(Error, 7), (Note, 1), (Warning, 1)]);
        // Version 1 had no times at first.
        let said = read(&line(|line| _ = line.as_object_mut().unwrap().remove("seconds"))).unwrap();
        assert_eq!(said.images[0].seconds, None);
    }

    /// One part of the document, replaced.
    fn with(pointer: &str, value: serde_json::Value) -> Vec<u8> {
        line(|line| *line.pointer_mut(pointer).unwrap() = value)
    }

    #[test]
    fn what_is_not_ours_or_not_whole_says_so() {
        use serde_json::json;
        let whole = line(|_| {});
        let why = |text: &[u8]| read(text).unwrap_err().to_string();
        // Behind the point of a number the parser misses a digit, and not the end.
        for length in (1..whole.len()).filter(|length| whole[length - 1] != b'.') {
            assert_eq!(why(&whole[..length]), "cut off: the JSON has no end", "{length}");
        }
        let twice = [&whole[..], &whole].concat();
        for text in [&b"no JSON"[..], b"{\"schema\": \xff}", b"{]", &twice] {
            assert!(why(text).starts_with("not JSON: "), "{}", why(text));
        }
        for text in [
            &b"[]"[..],
            b"7",
            b"{}",
            b"{\"schema\": 1}",
            b"{\"schema\": \"x\"}",
            b"{\"schema\":\"a\",\"schema\":\"b\"}",
        ] {
            assert_eq!(why(text), "JSON, but no document of imsprep");
        }
        assert!(
            why(&with("/schema", json!("imsprep.detect"))).starts_with("imsprep.detect gives no verdict")
        );
        assert!(
            why(&with("/version", json!(2))).starts_with("version 2 of imsprep.check.file: a later imsprep")
        );
        let many = vec![json!({"code": "A-1", "severity": "note", "total": 1}); ITEMS + 1];
        for (pointer, value) in [
            ("/version", json!(0)),
            ("/version", json!(null)),
            ("/tool", json!(null)),
            ("/exit_status", json!(0)),
            ("/exit_status", json!(2)),
            ("/exit_status", json!(256)),
            ("/verdict", json!("importable ")),
            ("/path", json!(7)),
            ("/path_bytes", json!("6")),
            ("/path_bytes", json!("6é")),
            ("/seconds", json!(-1.0)),
            ("/seconds", json!("1")),
            ("/detection/file_size", json!(-1)),
            ("/detection/file_size", json!(1.5)),
            ("/report/totals/0/total", json!(1e300)),
            ("/report/totals/0/severity", json!("fatal")),
            ("/report/findings/0/fix", json!(null)),
            ("/report/totals", json!(many)),
        ] {
            let why = why(&with(pointer, value));
            assert!(why.starts_with("not as imsprep writes it: "), "{pointer}: {why}");
            assert!(!why.contains(" at line "), "{why}");
        }
    }

    #[test]
    fn nesting_and_numbers_without_end_are_refused_or_passed_over() {
        let deep = |field: &str, depth| {
            let text = String::from_utf8(line(|_| {})).unwrap();
            let start = text.strip_suffix('}').unwrap();
            format!("{start},\"{field}\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
        };
        // In a field that nobody reads any depth is passed over; in one that is read it is refused.
        assert!(read(&deep("unknown", 1_000_000)).is_ok());
        assert!(read(&deep("files", 1_000_000)).is_ok());
        assert!(read(&deep("error", 1_000_000)).is_err());
        let text = String::from_utf8(line(|_| {})).unwrap();
        for number in ["1e999999999", &"9".repeat(1_000_000), "-0", "1e-400"] {
            let text = text.replace("\"seconds\":2.5", &format!("\"seconds\":{number}"));
            let said = read(text.as_bytes());
            assert!(said.is_err() || said.unwrap().images[0].seconds == Some(0.0));
        }
    }
}
