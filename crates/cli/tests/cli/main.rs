//! The command as a person runs it. The tests use what Unix has: links, signals, modes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

#[macro_use]
extern crate imsprep_testdata;

#[cfg(unix)]
mod access;
#[cfg(unix)]
mod action;
#[cfg(unix)]
mod answers;
#[cfg(unix)]
mod archives;
#[cfg(unix)]
mod bad_input;
#[cfg(unix)]
mod bench;
#[cfg(unix)]
mod bitmap;
#[cfg(unix)]
mod bitmap_layouts;
#[cfg(unix)]
mod boot;
#[cfg(unix)]
mod browser;
#[cfg(unix)]
mod build_script;
#[cfg(unix)]
mod build_server;
#[cfg(unix)]
mod changing;
#[cfg(unix)]
mod check;
#[cfg(unix)]
mod check_page;
#[cfg(unix)]
mod check_page_browser;
#[cfg(unix)]
mod checksums;
mod circles;
#[cfg(unix)]
mod clock;
#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod compare;
#[cfg(unix)]
mod convert;
mod cut;
#[cfg(unix)]
mod detect;
#[cfg(unix)]
mod devices;
#[cfg(unix)]
mod documents;
#[cfg(unix)]
mod dry_run;
#[cfg(unix)]
mod early;
#[cfg(unix)]
mod everywhere;
#[cfg(unix)]
mod faults;
#[cfg(unix)]
mod fit;
#[cfg(unix)]
mod fleet;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod formats;
#[cfg(unix)]
mod full;
#[cfg(unix)]
mod generate;
#[cfg(unix)]
mod guest;
#[cfg(unix)]
mod guest_images;
#[cfg(unix)]
mod in_use;
#[cfg(unix)]
mod inspect;
#[cfg(unix)]
mod io_modes;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod layers;
#[cfg(unix)]
mod layout_of_conversions;
#[cfg(unix)]
mod learn;
#[cfg(target_os = "linux")]
mod learn_forms;
#[cfg(target_os = "linux")]
mod learn_program;
#[cfg(unix)]
mod limits;
#[cfg(unix)]
mod limits_refused;
#[cfg(unix)]
mod map;
#[cfg(unix)]
mod mounts;
#[cfg(unix)]
mod names;
#[cfg(unix)]
mod nbd_source;
#[cfg(unix)]
mod next_step;
#[cfg(unix)]
mod no_disk;
#[cfg(unix)]
mod one_open;
#[cfg(unix)]
mod ova;
#[cfg(unix)]
mod piped_input;
#[cfg(unix)]
mod pipes;
#[cfg(unix)]
mod places;
mod policy;
#[cfg(unix)]
mod prepare_many;
#[cfg(unix)]
mod read_holes;
#[cfg(unix)]
mod repair;
#[cfg(unix)]
mod request;
#[cfg(unix)]
mod run_fixes;
#[cfg(unix)]
mod schemas;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod snapshots;
#[cfg(unix)]
mod sparsify;
#[cfg(target_os = "linux")]
mod sparsify_in_use;
#[cfg(unix)]
mod stop;
#[cfg(unix)]
mod strace;
#[cfg(unix)]
mod summary;
#[cfg(unix)]
mod systems;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
#[path = "../../../guest/src/windows/test_hive.rs"]
mod test_hive;
#[cfg(unix)]
mod unpacked;
mod unreadable;
#[cfg(unix)]
mod verdict;
#[cfg(unix)]
mod verify;
#[cfg(unix)]
mod way;
#[cfg(unix)]
mod windows;
#[cfg(unix)]
mod wording;
#[cfg(unix)]
mod workspace;
#[cfg(unix)]
mod writers;
mod zipped;

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
