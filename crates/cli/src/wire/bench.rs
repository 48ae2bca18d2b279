//! `imsprep bench --json`

use imsprep_bench::{
    BenchReport, Machine, MapState, Measured, NotMeasured, Presence, RivalState, Row, Spread,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use crate::words::bench::cache_name;

/// All that one run measured. Durations are seconds, sizes bytes.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Benchmark {
    /// No rival is absent and nothing else was left out.
    complete: bool,
    our_map_is_wrong: bool,
    machine: WireMachine,
    rivals: Vec<WireRival>,
    rows: Vec<WireRow>,
    not_measured: Vec<WireNotMeasured>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireMachine {
    processor: Option<String>,
    threads: usize,
    memory: Option<u64>,
    system: String,
    memory_bytes_per_second: Option<f64>,
    disk_bytes_per_second: Option<f64>,
}

/// A rival: its version if it is there, how to get it if not.
#[derive(Debug, JsonSchema, Serialize)]
struct WireRival {
    name: &'static str,
    what: &'static str,
    present: bool,
    version: Option<String>,
    remedy: Option<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRow {
    case: String,
    title: String,
    image: WirePath,
    image_size: u64,
    allocated: u64,
    blocks: u64,
    data_blocks: u64,
    cache: &'static str,
    prepared_by: &'static str,
    limit_seconds: Option<f64>,
    programs: Vec<WireMeasured>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireMeasured {
    program: String,
    ours: bool,
    detail: Option<String>,
    samples: usize,
    seconds: WireSpread,
    cpu_seconds: WireSpread,
    device_read: u64,
    device_written: u64,
    peak_memory: u64,
    /// Null where there is nothing to divide by.
    ratio: Option<f64>,
    map: WireMap,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireSpread {
    median: f64,
    min: f64,
    max: f64,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireMap {
    /// `none`, `right` or `wrong`.
    state: &'static str,
    zeros_called_data: Option<u64>,
    data_called_zeros: Option<u64>,
    first_wrong_block: Option<u64>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireNotMeasured {
    what: String,
    why: String,
}

impl From<&BenchReport> for Benchmark {
    fn from(report: &BenchReport) -> Self {
        Self {
            complete: report.is_complete(),
            our_map_is_wrong: report.our_map_is_wrong(),
            machine: (&report.machine).into(),
            rivals: report.rivals.iter().map(WireRival::from).collect(),
            rows: report.rows.iter().map(WireRow::from).collect(),
            not_measured: report.not_measured.iter().map(WireNotMeasured::from).collect(),
        }
    }
}

impl From<&Machine> for WireMachine {
    fn from(machine: &Machine) -> Self {
        Self {
            processor: machine.processor.clone(),
            threads: machine.threads,
            memory: machine.memory,
            system: machine.system.clone(),
            memory_bytes_per_second: machine.memory_rate,
            disk_bytes_per_second: machine.disk_rate,
        }
    }
}

impl From<&RivalState> for WireRival {
    fn from(rival: &RivalState) -> Self {
        let (version, remedy) = match &rival.presence {
            Presence::Found { version } => (Some(version.clone()), None),
            Presence::Absent { remedy } => (None, Some(remedy.clone())),
        };
        Self { name: rival.name, what: rival.what, present: version.is_some(), version, remedy }
    }
}

impl From<&Row> for WireRow {
    fn from(row: &Row) -> Self {
        Self {
            case: row.case.clone(),
            title: row.title.clone(),
            image: row.image.as_path().into(),
            image_size: row.image_size,
            allocated: row.allocated,
            blocks: row.blocks,
            data_blocks: row.data_blocks,
            cache: cache_name(row.cache),
            prepared_by: row.prepared_by,
            limit_seconds: row.limit.map(|limit| limit.as_secs_f64()),
            programs: row.programs.iter().map(WireMeasured::from).collect(),
        }
    }
}

impl From<&Measured> for WireMeasured {
    fn from(measured: &Measured) -> Self {
        Self {
            program: measured.program.clone(),
            ours: measured.ours,
            detail: measured.detail.clone(),
            samples: measured.time.samples,
            seconds: measured.time.into(),
            cpu_seconds: measured.cpu.into(),
            device_read: measured.device_read,
            device_written: measured.device_written,
            peak_memory: measured.peak_memory,
            ratio: Some(measured.ratio).filter(|ratio| ratio.is_finite()),
            map: (&measured.map).into(),
        }
    }
}

impl From<Spread> for WireSpread {
    fn from(spread: Spread) -> Self {
        Self {
            median: spread.median.as_secs_f64(),
            min: spread.min.as_secs_f64(),
            max: spread.max.as_secs_f64(),
        }
    }
}

impl From<&MapState> for WireMap {
    fn from(map: &MapState) -> Self {
        let (state, faults) = match map {
            MapState::None => ("none", None),
            MapState::Right => ("right", None),
            MapState::Wrong(faults) => ("wrong", Some(faults)),
        };
        Self {
            state,
            zeros_called_data: faults.map(|faults| faults.zeros_called_data),
            data_called_zeros: faults.map(|faults| faults.data_called_zeros),
            first_wrong_block: faults.map(|faults| faults.first),
        }
    }
}

impl From<&NotMeasured> for WireNotMeasured {
    fn from(item: &NotMeasured) -> Self {
        Self { what: item.what.clone(), why: item.why.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Status;
    use crate::sample;
    use crate::wire::Document;

    #[test]
    fn the_document_word_for_word() {
        let document = Document::new("imsprep.bench", Status::Wrong, Benchmark::from(&sample::report()));
        let text = serde_json::to_string_pretty(&document).unwrap();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("bench_json", text);
        });
    }

    #[test]
    fn a_ratio_to_nothing_is_null() {
        let mut report = sample::report();
        report.rows[0].programs[1].ratio = f64::INFINITY;
        let json = serde_json::to_value(Benchmark::from(&report)).unwrap();
        assert!(json["rows"][0]["programs"][1]["ratio"].is_null());
        assert_eq!(json["rows"][0]["programs"][0]["ratio"], 1.0);
    }
}
