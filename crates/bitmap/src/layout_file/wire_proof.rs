//! The keys that say where a layout comes from.

use serde::Deserialize;

use crate::proof::{Proof, ProvenFile};

/// How the layout was proven against a program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WireProof {
    command: String,
    date: WireDate,
    images: WireSamples,
    largest_image: u64,
    #[serde(default)]
    refused: Vec<u64>,
    #[serde(default)]
    shapes: Vec<String>,
    imsprep: String,
    #[serde(default)]
    file: Vec<WireProvenFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProvenFile {
    name: String,
    size: u64,
    sha256: WireSha256,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct WireSha256(String);

impl TryFrom<String> for WireSha256 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_hash = text.len() == 64 && text.bytes().all(is_hex);
        if is_hash { Ok(Self(text)) } else { Err("a SHA-256 is 64 hexadecimal digits in lower case") }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct WireDate(String);

impl TryFrom<String> for WireDate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parts = text.split('-').map(str::len).collect::<Vec<_>>();
        let is_date = parts == [4, 2, 2] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        if is_date { Ok(Self(text)) } else { Err("a date is written as 2026-11-28") }
    }
}

impl From<WireProof> for Proof {
    fn from(wire: WireProof) -> Self {
        let file =
            |file: WireProvenFile| ProvenFile { name: file.name, size: file.size, sha256: file.sha256.0 };
        Self {
            command: wire.command,
            files: wire.file.into_iter().map(file).collect(),
            date: wire.date.0,
            images: wire.images.0,
            shapes: wire.shapes,
            largest_image: wire.largest_image,
            refused: wire.refused,
            version: wire.imsprep,
        }
    }
}

/// Where it was learned: the layout then counts as proven.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireLearned {
    pub(super) samples: WireSamples,
}

#[derive(Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct WireSamples(pub(super) u32);

impl TryFrom<u64> for WireSamples {
    type Error = &'static str;

    fn try_from(samples: u64) -> Result<Self, Self::Error> {
        let samples = u32::try_from(samples).ok().filter(|samples| *samples > 0);
        samples.map(Self).ok_or("a layout is learned from one sample at least")
    }
}
