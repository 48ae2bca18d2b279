//! The command as a person runs it. The tests use what Unix has: links, signals, modes.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

mod answers;
mod bad_input;
mod bench;
mod bitmap;
mod bitmap_layouts;
mod browser;
mod build_script;
mod changing;
mod check;
mod check_page;
mod check_page_browser;
mod clock;
mod commands;
mod compare;
mod convert;
mod detect;
mod devices;
mod documents;
mod everywhere;
mod faults;
mod fleet;
mod floors;
mod folder;
mod foreign;
mod full;
mod generate;
mod inspect;
mod io_modes;
mod kill;
mod learn;
mod limits;
mod limits_refused;
mod map;
mod mounts;
mod names;
mod pipes;
mod places;
mod repair;
mod request;
mod snapshots;
mod strace;
mod summary;
mod terminal;
mod unreadable;
mod verdict;
mod way;
mod workspace;
mod writers;
