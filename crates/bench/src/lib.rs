//! The benchmark harness.

mod case;
mod error;
mod options;
mod report;

pub use case::Case;
pub use error::{Error, Result};
pub use options::{BenchOptions, Rivals};
pub use report::{
    BenchReport, CacheState, Machine, MapFaults, MapState, Measured, NotMeasured, Presence, RivalState, Row, Spread,
};

use imsprep_source::{Cancel, Progress};

/// Measures what `options` ask for; `on_row` sees each row as soon as it is complete.
///
/// # Errors
///
/// If our own program fails, an image can't be made or read, or somebody asks for the stop.
pub fn bench(
    options: &BenchOptions,
    on_row: &mut dyn FnMut(&Row),
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<BenchReport> {
    let _ = (options, on_row, progress, cancel);
    unimplemented!()
}
