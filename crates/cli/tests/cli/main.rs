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
mod check;
mod commands;
mod compare;
mod convert;
mod faults;
mod floors;
mod folder;
mod foreign;
mod io_modes;
mod limits;
mod map;
mod repair;
mod snapshots;
mod terminal;
