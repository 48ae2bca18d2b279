//! A benchmark in words.

use std::fmt::Write as _;

use imsprep_bench::{BenchReport, CacheState, Machine, MapFaults, MapState, Measured, Row};
use imsprep_rules::Size;

use super::{counted, percent, quantity};

/// `half, 2 GiB, warm`.
pub(crate) fn row_name(row: &Row) -> String {
    format!("{}, {}, {}", row.case, Size(row.image_size).scaled(), cache_name(row.cache))
}

pub(crate) fn cache_name(cache: CacheState) -> &'static str {
    match cache {
        CacheState::Warm => "warm",
        CacheState::Cold => "cold",
    }
}

/// `memory allows 31 ms`; nothing where it is not known, or nothing has to be read.
pub(crate) fn limit_text(row: &Row) -> Option<String> {
    let limit = row.limit.filter(|limit| !limit.is_zero())?;
    let part = match row.cache {
        CacheState::Warm => "memory",
        CacheState::Cold => "the disk",
    };
    Some(format!("{part} allows {}", quantity::time(limit)))
}

/// `512 of 1024 blocks hold data (50.0 %), 2 GiB allocated, 5 samples of each program`.
pub(crate) fn content_text(row: &Row) -> String {
    let (data, all) = (row.data_blocks, row.blocks);
    let allocated = quantity::bytes(row.allocated);
    let mut text =
        format!("{data} of {all} blocks hold data ({}), {allocated} allocated", percent(data, all));
    let samples = row.programs.iter().map(|program| program.time.samples);
    match (samples.clone().min(), samples.max()) {
        (Some(least), Some(most)) if least == most => {
            let _ = write!(text, ", {} of each program", counted(most as u64, "sample"));
        }
        (Some(least), Some(most)) => {
            let _ = write!(text, ", {least} to {most} samples of each program");
        }
        _ => text += ", no program was measured",
    }
    text
}

/// Whether the programs of a row were to find the blocks that hold data: there, imsprep always makes a map.
pub(crate) fn is_about_maps(row: &Row) -> bool {
    row.programs.iter().any(|program| program.map != MapState::None)
}

/// The program, and how it ran.
pub(crate) fn program_name(program: &Measured) -> String {
    match &program.detail {
        Some(detail) => format!("{} ({detail})", program.program),
        None => program.program.clone(),
    }
}

/// `right`, `none`, `wrong: 4096 zero blocks called data, first block 0`. Lost data comes first.
pub(crate) fn map_text(map: &MapState) -> String {
    let faults = match map {
        MapState::None => return "none".into(),
        MapState::Right => return "right".into(),
        MapState::Wrong(faults) => faults,
    };
    let kinds =
        [(faults.data_called_zeros, "data block", "zeros"), (faults.zeros_called_data, "zero block", "data")];
    let kinds = kinds.into_iter().filter(|(count, ..)| *count > 0);
    let kinds = kinds.map(|(count, what, called)| format!("{} called {called}", counted(count, what)));
    let kinds = kinds.chain([format!("first block {}", faults.first)]).collect::<Vec<_>>();
    format!("wrong: {}", kinds.join(", "))
}

/// Whether a map is harmful, or ours and wrong in any way.
pub(crate) fn map_is_bad(program: &Measured) -> bool {
    match &program.map {
        MapState::Wrong(MapFaults { data_called_zeros, .. }) => program.ours || *data_called_zeros > 0,
        MapState::None | MapState::Right => false,
    }
}

/// What came of our own maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnMaps {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
}

impl OwnMaps {
    pub(crate) fn of(report: &BenchReport) -> Self {
        let ours = report.rows.iter().flat_map(|row| &row.programs).filter(|program| program.ours);
        let (mut right, mut wrong) = (0, 0);
        for program in ours {
            match program.map {
                MapState::Right => right += 1,
                MapState::Wrong(_) => wrong += 1,
                MapState::None => {}
            }
        }
        Self { right, wrong }
    }

    /// In a sentence.
    pub(crate) fn text(self) -> String {
        match self {
            Self { right: 0, wrong: 0 } => "no map of imsprep was compared with the image".into(),
            Self { right, wrong: 0 } => format!("maps of imsprep: all {right} right"),
            Self { right, wrong } => format!("MAPS OF IMSPREP ARE WRONG: {wrong} of {}", right + wrong),
        }
    }
}

/// What is known of the machine, by name.
pub(crate) fn machine_facts(machine: &Machine) -> Vec<(String, String)> {
    let unknown = || "not known".to_owned();
    let rate = |rate: Option<f64>, meaning: &str, none: &str| match rate {
        Some(rate) => format!("{}: {meaning}", quantity::rate(rate)),
        None => none.into(),
    };
    let facts = [
        ("processor", machine.processor.clone().unwrap_or_else(unknown)),
        ("threads", machine.threads.to_string()),
        ("memory", machine.memory.map_or_else(unknown, quantity::bytes)),
        ("system", machine.system.clone()),
        (
            "zero test",
            rate(
                machine.memory_rate,
                "in memory, all threads together: the limit for a scan that reads all of a cached file",
                "its rate in memory was not measured",
            ),
        ),
        (
            "disk",
            rate(
                machine.disk_rate,
                "large direct reads: approximately the limit for a scan that has to read all of a cold file",
                "its rate was not measured",
            ),
        ),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).to_vec()
}
