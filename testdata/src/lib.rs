//! The small real files that tests use, unpacked in memory. See `README.md` beside this crate for how each was made.
//!
//! # Tests that need something
//!
//! A test may need what a machine may lack: a program, a program's data file, root, a feature of the kernel, a device. Such a
//! test asks for it at its start, by [`need_tools`], [`need_file`], [`need_root`] or, after a look of its own, [`missing`]. If it
//! is not there, the test ends and is reported as ignored, with the reason. Under the variable `IMSPREP_NO_SKIPS`, which CI
//! sets, it fails instead.
//!
//! libtest can't ignore a test that already runs. A test binary that has such tests is therefore run by [`run`]. Its entry
//! in `Cargo.toml` says `harness = false`, and its main file has these lines:
//!
//! ```no_run
//! #[macro_use]
//! extern crate imsprep_testdata;
//!
//! fn main() -> std::process::ExitCode {
//!     imsprep_testdata::run()
//! }
//! ```
//!
//! The first one makes every `#[test]` of the binary, in all of its modules, one that registers its function with [`run`].
//! A test in `cli/tests/cli/workspace.rs` checks that each such binary has these lines.
//!
//! A test that goes through several cases, each of which needs another tool, uses [`each`]: the cases whose tools are there are
//! tried, and the test is ignored if one was left out. A program is run by [`command`], which runs the very one that
//! [`need_tools`] found.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lzma_rust2::XzReader;

mod base64;
mod harness;
mod needs;
mod noise;
pub mod systems;
mod zip;

pub use base64::{base64, from_base64};
pub use harness::{Test, run, run_with};
pub use imsprep_testdata_macros::test;
pub use inventory::submit;
pub use needs::{command, each, missing, need_file, need_root, need_tools, tool_path};
pub use noise::noise;
pub use zip::{ZipHeader, ZipMember, zip_archive};

/// The folder with the files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Every golden file by its name: ZVHD2 and ZVHD files written by the reference implementation, and altered ones.
pub fn golden_files() -> &'static BTreeMap<String, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let packed = std::fs::read(folder().join("golden.tar.xz")).expect("golden.tar.xz is readable");
        let mut tar = Vec::new();
        XzReader::new(Cursor::new(packed), false).read_to_end(&mut tar).expect("golden.tar.xz unpacks");
        let mut archive = tar::Archive::new(Cursor::new(tar));
        let entries = archive.entries().expect("golden.tar.xz holds a tar archive");
        entries
            .map(|entry| {
                let mut entry = entry.expect("an entry of the archive");
                let name = entry.path().expect("its name").to_str().expect("in UTF-8").to_owned();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).expect("its bytes");
                (name, bytes)
            })
            .collect()
    })
}

/// One golden file.
///
/// # Panics
///
/// If there is none of that name.
pub fn golden(name: &str) -> &'static [u8] {
    golden_files().get(name).unwrap_or_else(|| panic!("no golden file {name}"))
}

/// One canonical golden file of ZVHD2, with zeros in the bytes that the reference leaves uninitialised: after the footers,
/// in the gaps of records, after the last index entry.
///
/// # Panics
///
/// If there is none of that name, or it is not canonical.
#[expect(clippy::indexing_slicing, reason = "a golden file that is not as it should be ends the test")]
pub fn golden_without_garbage(name: &str) -> Vec<u8> {
    let mut file = golden(name).to_vec();
    let end_at = file.len() - 4096;
    let u32_at =
        |file: &[u8], at: usize| u32::from_le_bytes(*file[at..].first_chunk().expect("4 bytes")) as usize;
    let (blocks, records) = (u32_at(&file, end_at + 92), u32_at(&file, end_at + 136));
    let (index, bitmap) = (u32_at(&file, end_at + 96), u32_at(&file, end_at + 104));
    file[512..4096].fill(0);
    file[end_at + 512..].fill(0);
    let mut at = 4096;
    for _ in 0..records {
        assert!(file[at..].starts_with(b"hwstream bg\0"), "{name} is not canonical");
        let used = at + 48 + u32_at(&file, at + 12);
        at = (used + 4).next_multiple_of(4096);
        file[used..at - 4].fill(0);
    }
    if blocks != 0 {
        file[at + 512..at + 4096].fill(0);
        file[index + records * 16..bitmap].fill(0);
    }
    file
}

/// What the reference's readers say of one golden file: a row of `golden-verdicts.tsv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the file.
    pub file: String,
    /// Whether the index reader reads it; `None` for ZVHD version 1, which has no index.
    pub index_reader: Option<bool>,
    /// Whether the sequential reader reads it.
    pub sequential_reader: bool,
    /// `canonical` (written by the reference), `zvhd1`, or `-` (altered by hand).
    pub form: String,
    /// Size of the source image in bytes, for canonical files.
    pub orig_size: Option<u64>,
    /// Number of data blocks, for canonical files.
    pub data_blocks: Option<u64>,
    /// SHA-256 in hex over (u32 LE block number, 2 MiB block) of the data blocks, ascending, for canonical files.
    pub sha256: Option<String>,
}

/// Processor time that this thread has taken, which other work on the machine does not change. Zero where the system does not tell.
pub fn thread_time() -> std::time::Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|number| number.parse().ok());
    std::time::Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// All rows of `golden-verdicts.tsv`.
pub fn verdicts() -> Vec<Verdict> {
    let text = std::fs::read_to_string(folder().join("golden-verdicts.tsv")).expect("golden-verdicts.tsv");
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| {
        let mut columns = line.split('\t').map(str::trim).map(|c| (!c.is_empty()).then(|| c.to_owned()));
        let mut next = || columns.next().flatten();
        Verdict {
            file: next().expect("a file name"),
            index_reader: match next().as_deref() {
                Some("ok") => Some(true),
                Some("error") => Some(false),
                _ => None,
            },
            sequential_reader: next().as_deref() == Some("ok"),
            form: next().expect("a form"),
            orig_size: next().map(|n| n.parse().expect("a size")),
            data_blocks: next().map(|n| n.parse().expect("a count")),
            sha256: next(),
        }
    })
    .collect()
}
