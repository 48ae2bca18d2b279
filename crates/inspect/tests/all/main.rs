//! Tests of inspection, on disks that the real tools made: one program, so that all of them share what makes disks.

#![cfg(unix)]

mod boot;
mod hostile;
mod lvm;
mod support;
mod tables;
mod volumes;
