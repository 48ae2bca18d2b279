//! The benchmark harness: our scan in each I/O mode, and every rival that is on the machine, on the same images in the
//! same run; our ZVHD2 writer and checker beside libzstd alone; our conversion of other formats beside the detour over a RAW; and
//! our conversion without what no file holds beside those that make a copy without it first.
//!
//! Programs run as children, as a user calls them, ours too; each is measured by the same stick: wall clock, processor
//! time, peak of memory, and bytes that the disk gave. They take turns, so that whatever else happens on the machine meets
//! all of them, and where a program shows which blocks hold data, that is compared with what is in the image.
//!
//! ```no_run
//! use imsprep_bench::{BenchOptions, CacheState, Case, Rivals, bench};
//! use imsprep_source::{Cancel, Work};
//!
//! let options = BenchOptions {
//!     program: "imsprep".into(),
//!     files: vec![],
//!     files_for: vec![],
//!     cases: vec![Case::Zeros],
//!     size: 1 << 30,
//!     folder: ".".into(),
//!     caches: vec![CacheState::Warm],
//!     rounds: 5,
//!     threads: None,
//!     rivals: Rivals::Present,
//! };
//! let report = bench(&options, &mut |_row| {}, Work::new(&(), &Cancel::new()))?;
//! assert!(!report.our_map_is_wrong());
//! # Ok::<(), imsprep_bench::Error>(())
//! ```

mod bare;
mod cache;
mod case;
mod container;
mod content;
mod error;
mod foreign;
mod image;
mod in_order;
mod java;
mod learning;
mod limits;
mod machine;
mod maps;
mod options;
mod ours;
mod packed;
mod random;
mod report;
mod rivals;
mod row;
mod run;
mod scratch;
mod sparsify;
mod stats;
mod truth;
mod unpacking;
mod usage;
mod used;
mod wrapped;

pub use case::{Case, FileTask};
pub use error::{Error, ErrorKind, Result};
pub use options::{BenchOptions, Rivals};
pub use report::{
    BenchReport, CacheState, Machine, MapFaults, MapState, Measured, NotMeasured, Presence, RivalState, Row,
    Spread,
};
pub use run::bench;
pub use wrapped::Wrapped;
