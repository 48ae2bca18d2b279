//! `--dry-run --json` of `convert` and `prepare`

use imsprep_toolkit::{Direction, Estimate};
use schemars::JsonSchema;
use serde::Serialize;

use super::report::WireReport;
use super::{Document, UnderPolicy, WirePath};
use crate::exit::Status;
use crate::failure::failure_text;
use crate::foreseen::{DryRun, Foreseen};
use crate::policy::Policy;
use crate::words::disk_choice::choice_name;

/// What would be done.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    files: Vec<Planned>,
}

/// What would be done with one image.
#[derive(Debug, JsonSchema, Serialize)]
struct Planned {
    source: WirePath,
    /// The status that this image leads to.
    exit_status: u8,
    /// `check`: the image would be checked and not converted; `convert`; `unpack`: it would be unpacked, checked and converted; `refuse`:
    /// it would not be converted. Null if that is not known.
    action: Option<&'static str>,
    /// Null if it is not known, or nothing would be converted.
    source_format: Option<&'static str>,
    /// The name of the disk's file in an archive; else null.
    member: Option<String>,
    /// Why that disk was selected: `requested`, `only`, or `only-system-disk`; null if there is no archive.
    disk_choice: Option<&'static str>,
    /// Null for standard output, and if no image would be written.
    output: Option<WirePath>,
    output_format: Option<&'static str>,
    /// The bitmap file that would be written; else null.
    bitmap: Option<WirePath>,
    /// Null if it is not known how large the output would be.
    estimate: Option<WireEstimate>,
    /// Why it is not known what would be done.
    error: Option<String>,
    report: Option<WireReport>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireEstimate {
    /// Bytes of the disk.
    disk_size: u64,
    /// Bytes of the output.
    output_size: u64,
    /// Bytes of the disk that would be stored.
    data_bytes: u64,
    /// Blocks of 2 MiB that may hold data.
    blocks: u64,
    /// How many of them were read.
    sampled_blocks: u64,
    /// Whether all of them were, so that nothing is estimated.
    exact: bool,
}

impl From<Estimate> for WireEstimate {
    fn from(estimate: Estimate) -> Self {
        let Estimate { disk_size, output_size, data_bytes, blocks, sampled_blocks } = estimate;
        Self { disk_size, output_size, data_bytes, blocks, sampled_blocks, exact: estimate.is_exact() }
    }
}

/// The document on these images.
pub(crate) fn document(runs: &[DryRun], policy: &Policy) -> Document<UnderPolicy<Body>> {
    let worst = runs.iter().map(|run| run.status).max().unwrap_or(Status::Fine);
    let files = runs.iter().map(Planned::from).collect();
    Document::under(policy, "imsprep.plan", worst, Body { files })
}

impl From<&DryRun> for Planned {
    fn from(run: &DryRun) -> Self {
        let none = Self {
            source: run.source.as_path().into(),
            exit_status: run.status.number(),
            action: None,
            source_format: None,
            member: None,
            disk_choice: None,
            output: run.output().map(WirePath::from),
            output_format: None,
            bitmap: None,
            estimate: None,
            error: None,
            report: None,
        };
        match &run.result {
            Err(error) => Self { error: Some(failure_text(error)), ..none },
            Ok(Foreseen::Kept { bitmap, checked }) => Self {
                action: Some("check"),
                source_format: Some(checked.detection.format.name()),
                bitmap: bitmap.as_deref().map(WirePath::from),
                report: Some((&checked.report).into()),
                ..none
            },
            Ok(Foreseen::Packed { .. }) => Self { action: Some("unpack"), ..none },
            Ok(Foreseen::Conversion(conversion)) => Self {
                action: Some(if conversion.refused { "refuse" } else { "convert" }),
                source_format: Some(conversion.format.name()),
                member: conversion.member.as_ref().map(|(name, ..)| name.clone()),
                disk_choice: conversion.member.as_ref().map(|(_, choice, _)| choice_name(*choice)),
                output: none.output.filter(|_| !conversion.refused),
                output_format: Some(match conversion.direction {
                    Direction::ToZvhd2 => "zvhd2",
                    Direction::ToRaw => "raw",
                }),
                bitmap: conversion.bitmap.as_deref().filter(|_| !conversion.refused).map(WirePath::from),
                estimate: conversion.estimate.map(WireEstimate::from),
                report: Some((&conversion.report).into()),
                ..none
            },
        }
    }
}
