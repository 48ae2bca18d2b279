//! The checker and the reader against files of the reference, against files that break one rule each, and against hostile
//! ones.

mod altered;
mod builder;
mod comparison;
mod container;
mod counting;
mod golden;
mod hostile;
mod many_records;
mod occupancy;
mod one_rule;
mod reader;
mod readers_agree;
mod salvage;
mod salvage_shifted;
mod vendor;
mod write;

use imsprep_source::{Cancel, MemoryImage, Work};

use crate::{CheckedContainer, Depth, check};

/// Checks bytes in memory.
fn look(bytes: &[u8], depth: Depth) -> CheckedContainer {
    check(&MemoryImage::new("test.zvhd2", bytes.to_vec()), depth, Work::new(&(), &Cancel::new())).unwrap()
}

/// The codes of all rules that were broken, each once, by code.
fn codes(checked: &CheckedContainer) -> Vec<&'static str> {
    checked
        .report
        .tallies()
        .map(|t| t.rule.code)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}
