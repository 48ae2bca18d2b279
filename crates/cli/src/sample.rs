//! A report of a benchmark with everything that can go wrong, for tests: a rival that loses data, one that is absent, names that
//! would be markup or move the cursor.

use std::path::PathBuf;
use std::time::Duration;

use imsprep_bench::{
    BenchReport, CacheState, Machine, MapFaults, MapState, Measured, NotMeasured, Presence, RivalState, Row,
    Spread,
};

/// A name from outside: markup, an entity, control characters.
pub(crate) const EVIL: &str = "<b>evil</b> & \u{1b}[2Jco\n\"q\".raw";

/// Two rows.
pub(crate) fn report() -> BenchReport {
    BenchReport {
        machine: Machine {
            processor: Some("Processor <9> & Sons".into()),
            threads: 2,
            memory: Some(25_200_000_000),
            system: "Linux 6.12".into(),
            memory_rate: Some(69.12e9),
            disk_rate: None,
        },
        rivals: vec![
            RivalState {
                name: "qemu-img convert",
                what: "copies to a null device",
                presence: Presence::Found { version: "qemu-img version 7.2.22 <x&y>".into() },
            },
            RivalState {
                name: "bmaptool",
                what: "makes a map of blocks",
                presence: Presence::Absent { remedy: "apt-get install bmap-tools".into() },
            },
        ],
        rows: vec![warm(), cold()],
        not_measured: vec![NotMeasured {
            what: format!("{EVIL}, direct reads"),
            why: "the file system has no direct reads".into(),
        }],
    }
}

/// For a case; programs from 4.1 ms to 5.34 s.
fn warm() -> Row {
    let faults = MapFaults { zeros_called_data: 512, data_called_zeros: 0, first: 1 };
    Row {
        case: "half".into(),
        title: "every second block random data, the others zeros, allocated".into(),
        image: PathBuf::from("/bench/half.raw"),
        image_size: 2 << 30,
        allocated: 2 << 30,
        blocks: 1024,
        data_blocks: 512,
        cache: CacheState::Warm,
        prepared_by: "read to its end",
        limit: Some(Duration::from_millis(31)),
        programs: vec![
            Measured { detail: Some("map".into()), ..measured("imsprep --io auto", true, 33_300, 1.0) },
            measured("imsprep --io read", true, 44_100, 1.32),
            Measured { map: MapState::Wrong(faults), ..measured("qemu-img map", false, 4_100, 0.123) },
            Measured { map: MapState::None, ..measured("qemu-img convert", false, 5_340_000, 160.4) },
        ],
    }
}

/// For a file; our own map and that of a rival lose data.
fn cold() -> Row {
    let ours = MapFaults { zeros_called_data: 0, data_called_zeros: 1, first: 9 };
    let theirs = MapFaults { zeros_called_data: 2, data_called_zeros: 3, first: 0 };
    Row {
        case: EVIL.into(),
        title: "a file that was given".into(),
        image: PathBuf::from(format!("/images/{EVIL}")),
        image_size: (10 << 20) + 5,
        allocated: 4 << 20,
        blocks: 6,
        data_blocks: 3,
        cache: CacheState::Cold,
        prepared_by: "evicted from the page cache",
        limit: None,
        programs: vec![
            Measured {
                map: MapState::Wrong(ours),
                device_read: 4_413_078,
                ..measured("imsprep --io auto", true, 161_000, 1.0)
            },
            Measured {
                map: MapState::Wrong(theirs),
                device_read: 10 << 20,
                ..measured("<i>rival</i> & co", false, 322_000, 2.0)
            },
            Measured { device_read: 10 << 20, ..measured("qemu-img convert", false, 483_000, 3.0) },
        ],
    }
}

/// A program that ran three times, up to a tenth to either side.
fn measured(program: &str, ours: bool, micros: u64, ratio: f64) -> Measured {
    let median = Duration::from_micros(micros);
    let spread = Spread { median, min: median * 9 / 10, max: median * 11 / 10, samples: 3 };
    Measured {
        program: program.into(),
        ours,
        detail: None,
        time: spread,
        cpu: Spread { median: median * 2, min: spread.min * 2, max: spread.max * 2, samples: 3 },
        device_read: 0,
        device_written: 0,
        peak_memory: 12_345_678,
        ratio,
        map: MapState::Right,
    }
}
