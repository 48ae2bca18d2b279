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
mod changing;
mod check;
mod clock;
mod commands;
mod compare;
mod convert;
mod detect;
mod faults;
mod floors;
mod folder;
mod foreign;
mod full;
mod inspect;
mod io_modes;
mod kill;
mod learn;
mod limits;
mod map;
mod names;
mod pipes;
mod places;
mod repair;
mod request;
mod snapshots;
mod strace;
mod terminal;
mod unreadable;
mod verdict;
mod writers;
