//! What the payloads hold: every one is expanded, in parallel.

use imsprep_findings::{Finding, Report};
use imsprep_source::{ReadAt, Stage, Work, is_zero};
use rayon::prelude::*;

use crate::comparison::Comparison;
use crate::expand::{ExpandError, Expander};
use crate::record::{Payload, Records};
use crate::{Error, Method, rules};

/// Records that one worker claims at a time.
const BATCH: usize = 32;
/// Batches whose reports are held before they are put together in order.
const ROUND: usize = 256;

/// What each block is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks {
    pub(crate) method: Method,
    pub(crate) block_size: u64,
    pub(crate) orig_size: u64,
}

/// A worker's memory, used for one payload after another.
struct Worker {
    expander: Expander,
    payload: Vec<u8>,
    block: Vec<u8>,
}

/// Expands every payload, and passes what it holds on to `comparison`.
pub(crate) fn check_payloads(
    source: &dyn ReadAt,
    records: &Records,
    blocks: Blocks,
    comparison: Option<&Comparison<'_>>,
    work: Work<'_>,
    report: &mut Report,
) -> Result<(), Error> {
    let title = if comparison.is_some() { "verifying" } else { "checking records" };
    let stage = Stage::begin(work.progress, title, records.payload_bytes.0);
    let block_size = usize::try_from(blocks.block_size).unwrap_or(0);
    let worker = || Worker {
        expander: Expander::new(blocks.method, block_size),
        payload: Vec::new(),
        block: vec![0; block_size],
    };
    for round in records.payloads.chunks(BATCH * ROUND) {
        let batch = |worker: &mut Worker, batch: &[Payload]| -> Result<Report, Error> {
            work.cancel.check()?;
            let mut report = Report::new();
            for payload in batch {
                check_payload(source, *payload, blocks, comparison, worker, &mut report)?;
            }
            stage.advance(batch.iter().map(|p| u64::from(p.size)).sum());
            Ok(report)
        };
        let reports = round.par_chunks(BATCH).map_init(worker, batch).collect::<Result<Vec<_>, _>>()?;
        // In file order, so that the report does not depend on who was faster.
        for part in reports {
            report.merge(part);
        }
    }
    Ok(())
}

fn check_payload(
    source: &dyn ReadAt,
    payload: Payload,
    blocks: Blocks,
    comparison: Option<&Comparison<'_>>,
    worker: &mut Worker,
    report: &mut Report,
) -> Result<(), Error> {
    let Worker { expander, payload: bytes, block } = worker;
    let size = usize::try_from(payload.size).unwrap_or(0);
    if bytes.len() < size {
        bytes.resize(size, 0);
    }
    // Not cut to the size and filled with zeros again for the next one: sizes differ by a lot, and all of it is read anyway.
    let bytes = bytes.get_mut(..size).unwrap_or_default();
    source.read_at(bytes, payload.offset.0)?;
    let finding = |rule, what: &str| {
        Finding::new(rule, format!("the record of block {} {what}", payload.block))
            .at(payload.offset.0)
            .in_block(payload.block.into())
    };
    match expander.expand(bytes, block) {
        Ok(quirks) => {
            let rule = match blocks.method {
                Method::Zlib => &rules::ZLIB_FORM,
                Method::Zstd => &rules::ZSTD_FORM,
            };
            for quirk in quirks {
                report.push(finding(rule, "has an unusual form").found(quirk));
            }
            check_block(block, payload, blocks, finding, report);
            if let Some(comparison) = comparison {
                comparison.take(payload.block.into(), block);
            }
        }
        Err(error) => report.push(match &error {
            ExpandError::Corrupt { .. } => {
                finding(&rules::PAYLOAD_CORRUPT, "cannot be decompressed").found(&error)
            }
            ExpandError::Short { .. } | ExpandError::Long { .. } => {
                finding(&rules::PAYLOAD_LENGTH, "does not contain exactly one block")
                    .expected(format!("{} bytes", blocks.block_size))
                    .found(&error)
            }
            ExpandError::Finished => finding(&rules::ZLIB_FINISHED, "is a finished zlib stream")
                .expected("a sync flush at the end")
                .found("a final block"),
        }),
    }
    Ok(())
}

/// What must not be in a block that was expanded.
fn check_block(
    block: &[u8],
    payload: Payload,
    blocks: Blocks,
    finding: impl Fn(&'static imsprep_findings::Rule, &str) -> Finding,
    report: &mut Report,
) {
    let start = u64::from(payload.block) * blocks.block_size;
    let used = usize::try_from(blocks.orig_size.saturating_sub(start)).unwrap_or(usize::MAX);
    let padding = block.get(used.min(block.len())..).unwrap_or_default();
    if is_zero(block) {
        report.push(finding(&rules::ZERO_BLOCK, "contains only zeros").expected("no record for this block"));
    } else if !is_zero(padding) {
        report.push(
            finding(&rules::PADDING, "has data beyond the end of the source image")
                .expected(format!("zeros from byte {} of the disk on", blocks.orig_size.max(start)))
                .found("other bytes"),
        );
    }
}
