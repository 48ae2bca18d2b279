//! How a layout was proven.

use imsprep_bitmap::{Layout, Origin, Proof, ProvenFile};
use schemars::JsonSchema;
use serde::Serialize;

/// How a layout was proven.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireProof {
    command: String,
    files: Vec<WireFile>,
    date: String,
    images: u32,
    shapes: Vec<String>,
    largest_image: u64,
    /// Sizes that no disk has and that the program does not take.
    refused: Vec<u64>,
    /// The version of imsprep that proved it.
    imsprep: String,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireFile {
    name: String,
    size: u64,
    sha256: String,
}

impl From<&ProvenFile> for WireFile {
    fn from(file: &ProvenFile) -> Self {
        Self { name: file.name.clone(), size: file.size, sha256: file.sha256.clone() }
    }
}

impl WireProof {
    /// The proof of a layout that has one.
    pub(crate) fn of(layout: &Layout) -> Option<Self> {
        let Origin::Proven(proof) = &layout.origin else { return None };
        let Proof { command, files, date, images, shapes, largest_image, refused, version } = proof.as_ref();
        Some(Self {
            command: command.clone(),
            files: files.iter().map(WireFile::from).collect(),
            date: date.clone(),
            images: *images,
            shapes: shapes.clone(),
            largest_image: *largest_image,
            refused: refused.clone(),
            imsprep: version.clone(),
        })
    }
}
