//! The command as a person runs it. The tests use what Unix has: links, signals, modes.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

mod bad_input;
mod bench;
mod bitmap;
mod bitmap_layouts;
mod build_script;
mod check;
mod commands;
mod compare;
mod convert;
mod detect;
mod faults;
mod floors;
mod folder;
mod foreign;
mod generate;
mod inspect;
mod io_modes;
mod learn;
mod limits;
mod map;
mod repair;
mod request;
mod snapshots;
mod terminal;
mod verdict;
mod workspace;
