//! The request that imports an image, made from a look at it, or held against one.

use std::path::{Path, PathBuf};

use imsprep_findings::Report;
use imsprep_rules::{
    BodyKind, Endpoint, ImageFacts, OsVersions, Profile, Request, ValidateOptions, Wishes, fill_request,
    is_covered_by_request, validate_body,
};
use imsprep_source::{Cancel, Progress};

use crate::{BitmapState, CheckOptions, Checked, Depth, Result, Target, check_image_file};

/// A request for an image.
#[derive(Debug)]
pub struct PreparedRequest {
    /// The request. With errors in the report its body is not fit to be sent.
    pub request: Request,
    /// What the image showed.
    pub facts: ImageFacts,
    /// A RAW's bitmap file, which is uploaded with it.
    pub bitmap: Option<PathBuf>,
    /// What is wrong with the request, and with the image as far as a quick look tells.
    pub report: Report,
}

/// A body that was held against the rules.
#[derive(Debug)]
pub struct ValidatedRequest {
    /// Which request it is for, if that could be told.
    pub kind: Option<BodyKind>,
    /// What is wrong with it, and with the image as far as a quick look tells.
    pub report: Report,
}

/// Makes the request for the image at `path`.
///
/// # Errors
///
/// Only if the image could not be looked at.
pub fn prepare_request(
    path: &Path,
    wishes: &Wishes,
    profile: &'static Profile,
    os_versions: &OsVersions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<PreparedRequest> {
    let (checked, facts) = look(path, profile, progress, cancel)?;
    let mut report = Report::new();
    let request = fill_request(wishes, &facts, profile, os_versions, &mut report);
    let bitmap = checked.bitmap.as_ref().and_then(there).map(Path::to_owned);
    add_image_findings(checked.report, request.kind, &mut report);
    content_not_checked(&mut report);
    network_not_checked(&mut report);
    Ok(PreparedRequest { request, facts, bitmap, report })
}

/// Holds a body that somebody wrote against the rules, and against the image that it is for, if there is one.
///
/// # Errors
///
/// Only if the image could not be looked at.
pub fn validate_request(
    body: &[u8],
    image: Option<&Path>,
    endpoint: Option<Endpoint>,
    profile: &'static Profile,
    os_versions: &OsVersions,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<ValidatedRequest> {
    let looked = image.map(|path| look(path, profile, progress, cancel)).transpose()?;
    let mut report = Report::new();
    let facts = looked.as_ref().map(|(_, facts)| facts);
    let options = ValidateOptions { profile, os_versions, endpoint, facts };
    let kind = validate_body(body, &options, &mut report);
    match (looked, kind) {
        (Some((checked, _)), Some(kind)) => add_image_findings(checked.report, kind, &mut report),
        (Some(_), None) => {}
        (None, _) => {
            report.push_not_checked("the image", "none was given: imsprep request --validate BODY IMAGE")
        }
    }
    if image.is_some() {
        content_not_checked(&mut report);
    }
    network_not_checked(&mut report);
    Ok(ValidatedRequest { kind, report })
}

/// A look at the image that takes seconds, and what it shows.
fn look(
    path: &Path,
    profile: &'static Profile,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<(Checked, ImageFacts)> {
    let options = CheckOptions { depth: Depth::Quick, profile, ..CheckOptions::default() };
    let checked = check_image_file(&Target::new(path), &options, progress, cancel)?;
    let facts = ImageFacts::of_detection(path, checked.detection.clone());
    Ok((checked, facts))
}

/// Takes over what is wrong with the image itself, and what the request's own rules do not say already.
fn add_image_findings(mut image: Report, kind: BodyKind, report: &mut Report) {
    // Quick import alone needs a bitmap.
    let of_bitmaps = |code| imsprep_bitmap::RULES.iter().any(|rule| rule.code == code);
    image.retain_rules(|rule| !is_covered_by_request(rule) && (kind.is_quick() || !of_bitmaps(rule.code)));
    image.clear_not_checked();
    report.merge(image);
}

fn content_not_checked(report: &mut Report) {
    report.push_not_checked(
        "the image's content",
        "this was a quick look at it; imsprep check looks at all of it",
    );
}

fn network_not_checked(report: &mut Report) {
    report.push_not_checked(
        "bucket, object, project and keys",
        "nothing was asked over the network: whether they exist, and whether the storage class of both bucket and object is \
         Standard",
    );
}

fn there(state: &BitmapState) -> Option<&Path> {
    match state {
        BitmapState::Missing { .. } => None,
        BitmapState::Written { path, .. }
        | BitmapState::Known { path, .. }
        | BitmapState::Unrecognised { path } => Some(path),
    }
}
