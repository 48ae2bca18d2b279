//! Readers against the tools of their file systems, and the path walk.

#[macro_use]
extern crate imsprep_testdata;

#[cfg(unix)]
mod apart;
#[cfg(unix)]
mod free_btrfs;
#[cfg(unix)]
mod free_exfat;
#[cfg(unix)]
mod free_ext;
#[cfg(unix)]
mod free_fat;
#[cfg(unix)]
mod free_hostile;
#[cfg(unix)]
mod free_ntfs;
#[cfg(unix)]
mod free_support;
#[cfg(unix)]
mod free_swap;
#[cfg(unix)]
mod free_xfs;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod naive_ext;
mod paths;
#[cfg(unix)]
mod readers;
#[cfg(unix)]
mod support;

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
