//! Reading back what `check` and `prepare` printed: as much of their documents as a summary needs.
//!
//! What is read here is what [`super::check`] and [`super::prepare`] write; a test holds the two together. Nothing of a document
//! is kept that is not counted or shown, and no list in it is kept whole: lines come from anywhere, and there are many.

use std::fmt;
use std::marker::PhantomData;

use imsprep_findings::Severity;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The schemas that a summary is made of.
const SCHEMAS: [&str; 4] =
    ["imsprep.check.file", "imsprep.check", "imsprep.prepare", "imsprep.prepare.files"];

/// Most items of a list that is kept: there are not as many rules.
const ITEMS: usize = 1000;

/// One document, as far as it matters here.
#[derive(Debug, PartialEq)]
pub(crate) struct ReportInput {
    pub(crate) run: Run,
    pub(crate) images: Vec<ReportedImage>,
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
pub(crate) struct ReportedImage {
    /// The path's bytes.
    pub(crate) path: Vec<u8>,
    pub(crate) verdict: SaidVerdict,
    pub(crate) exit_status: u8,
    pub(crate) reservations: Vec<String>,
    /// Bytes of the image file.
    pub(crate) bytes: Option<u64>,
    /// How long it took.
    pub(crate) seconds: Option<f64>,
    /// Why it could not be checked.
    pub(crate) error: Option<String>,
    pub(crate) tallies: Vec<SaidTally>,
    /// The most severe finding.
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
    /// No JSON, or incomplete.
    NotJson(serde_json::Error),
    /// JSON of another program.
    NotOurs,
    /// From a command that gives no verdict.
    OtherSchema(String),
    /// From a later imsprep.
    Later { schema: String, version: u64 },
    /// It bears our name, and is not what we write.
    Unfit(String),
}

impl fmt::Display for NotSaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) if error.is_eof() => write!(f, "truncated JSON"),
            Self::NotJson(error) => write!(f, "not JSON: {}", without_place(error)),
            Self::NotOurs => write!(f, "valid JSON, but not an imsprep report"),
            Self::OtherSchema(schema) => {
                write!(f, "{schema} has no verdict on an image; supported are {}", SCHEMAS.join(", "))
            }
            Self::Later { schema, version } => {
                write!(f, "version {version} of {schema} needs a newer imsprep; this one supports version 1")
            }
            Self::Unfit(why) => write!(f, "not valid: {why}"),
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
    /// The most severe come first.
    findings: First<SaidFinding>,
    totals: Few<SaidTally>,
}

#[derive(serde::Deserialize)]
struct Prepared {
    source: Path,
    exit_status: Option<u8>,
    conversion: Option<Conversion>,
    result: Option<File>,
    seconds: Option<f64>,
    error: Option<String>,
}

#[derive(serde::Deserialize)]
struct ManyPrepared {
    files: Vec<Prepared>,
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
pub(crate) fn read(text: &[u8]) -> Result<ReportInput, NotSaid> {
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
        "imsprep.prepare.files" => {
            let files = part::<ManyPrepared>(text)?.files.into_iter();
            files.map(|file| prepared(file, common.exit_status)).collect::<Result<_, _>>()?
        }
        _ => vec![prepared(part::<Prepared>(text)?, common.exit_status)?],
    };
    let run = Run { tool_version: common.tool.version, rule_set: common.rule_set, profile: common.profile };
    Ok(ReportInput { run, images })
}

fn part<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, NotSaid> {
    serde_json::from_slice(text).map_err(|error| NotSaid::Unfit(without_place(&error)))
}

fn image(file: File, of_all: u8) -> Result<ReportedImage, NotSaid> {
    let (tallies, finding) = findings_of(file.report);
    checked(ReportedImage {
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

/// An image that was prepared goes by its source's name: that is what was requested.
fn prepared(prepared: Prepared, of_all: u8) -> Result<ReportedImage, NotSaid> {
    let exit_status = prepared.exit_status.unwrap_or(of_all);
    let path = path_bytes(prepared.source.path, prepared.source.path_bytes)?;
    let (seconds, error) = (prepared.seconds, prepared.error);
    if let Some(result) = prepared.result {
        let mut image = image(result, exit_status)?;
        // With `--strict` what forbids the conversion counts for all of it.
        let of_source = findings_of(prepared.conversion.map(|conversion| conversion.report));
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
        return checked(ReportedImage { path, exit_status, seconds, error, ..image });
    }
    let verdict = if error.is_some() { SaidVerdict::CouldNotTell } else { SaidVerdict::NotImportable };
    let (tallies, finding) = findings_of(prepared.conversion.map(|conversion| conversion.report));
    let reservations = vec![];
    checked(ReportedImage {
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

fn findings_of(report: Option<Report>) -> (Vec<SaidTally>, Option<SaidFinding>) {
    report.map(|report| (report.totals.0, report.findings.0)).unwrap_or_default()
}

/// Refuses numbers that no report has.
fn checked(image: ReportedImage) -> Result<ReportedImage, NotSaid> {
    let fits = match (image.verdict, image.exit_status) {
        (SaidVerdict::Importable, status) => status <= 1,
        (SaidVerdict::NotImportable, status) => status == 1,
        // Also what the command can't be asked of a file.
        (SaidVerdict::CouldNotTell, status) => status == 1 || status == 2,
    };
    if !fits {
        return Err(NotSaid::Unfit(format!(
            "verdict and exit_status {} contradict each other",
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
    pairs.collect::<Option<_>>().ok_or_else(|| NotSaid::Unfit("path_bytes is not hexadecimal".into()))
}

fn severity<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Severity, D::Error> {
    let word = String::deserialize(deserializer)?;
    [Severity::Error, Severity::Warning, Severity::Note, Severity::Allowed]
        .into_iter()
        .find(|severity| severity.as_str() == word)
        .ok_or_else(|| de::Error::custom("an unknown severity"))
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

/// Keeps so many items from the start of a list, and reports whether there were more.
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
mod tests;
