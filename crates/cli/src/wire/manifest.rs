//! `imsprep check --manifest`

use std::path::Path;

use imsprep_rules::object_key;
use imsprep_toolkit::{BitmapState, CheckedImage, FileDigest};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Document, WirePath};
use crate::exit::Status;
use crate::outcome::Outcome;
use crate::policy::Policy;

/// The files of one run that an upload is about.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    images: Vec<Image>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct Image {
    #[serde(flatten)]
    file: Digested,
    format: &'static str,
    /// `importable` or `not-importable`.
    verdict: &'static str,
    bitmap: Option<Digested>,
}

/// One file as it must arrive.
#[derive(Debug, JsonSchema, Serialize)]
struct Digested {
    #[serde(flatten)]
    path: WirePath,
    /// Key of the object, with the prefix.
    key: Option<String>,
    size: u64,
    sha256: String,
}

/// The manifest as a list that `sha256sum -c` reads: each image, then its bitmap file.
pub(crate) fn list(outcomes: &[Outcome]) -> Vec<u8> {
    let checked = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok());
    let files = checked.flat_map(|checked| {
        let image = checked.digest.map(|digest| (checked.path.as_path(), digest));
        let bitmap = checked.bitmap.as_ref().and_then(BitmapState::file).zip(checked.bitmap_digest);
        [image, bitmap].into_iter().flatten()
    });
    files.flat_map(|(path, digest)| super::checksum_list::line(&digest.sha256, path)).collect()
}

/// The manifest. Files that could not be checked are not in it.
pub(crate) fn document(outcomes: &[Outcome], policy: &Policy) -> Document<Body> {
    let status = outcomes.iter().map(|outcome| outcome.status).max().unwrap_or(Status::Fine);
    let checked = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok());
    let images = checked.filter_map(|checked| Image::of(checked, policy)).collect();
    Document::new("imsprep.manifest", status, Body { images })
}

impl Image {
    fn of(checked: &CheckedImage, policy: &Policy) -> Option<Self> {
        let digested = |path: &Path, digest: FileDigest| Digested {
            path: path.into(),
            key: object_key(path, &policy.intent),
            size: digest.size,
            sha256: hexadecimal(&digest.sha256),
        };
        let bitmap = checked.bitmap.as_ref().and_then(BitmapState::file);
        Some(Self {
            file: digested(&checked.path, checked.digest?),
            format: checked.detection.format.name(),
            verdict: super::check::verdict_name(&checked.verdict()),
            bitmap: bitmap.zip(checked.bitmap_digest).map(|(path, digest)| digested(path, digest)),
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
