//! Tests of inspection, on disks that the real tools made: one program, so that all of them share what makes disks.

#[macro_use]
extern crate imsprep_testdata;

#[cfg(unix)]
mod boot;
#[cfg(unix)]
mod fit;
#[cfg(unix)]
mod hostile;
#[cfg(unix)]
mod lvm;
#[cfg(unix)]
mod named;
#[cfg(unix)]
mod support;
#[cfg(unix)]
mod tables;
#[cfg(unix)]
mod volumes;

fn main() -> std::process::ExitCode {
    imsprep_testdata::run()
}
