//! The commands. Each is thin: call the toolkit, render what it found.

pub(crate) mod bench;
pub(crate) mod bitmap;
pub(crate) mod bitmap_files;
pub(crate) mod boot;
pub(crate) mod check;
mod checksums;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod detect;
mod extra_file;
pub(crate) mod extra_files;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod job;
pub(crate) mod layouts;
pub(crate) mod learn;
pub(crate) mod manifest;
pub(crate) mod map;
pub(crate) mod os_versions;
pub(crate) mod prepare;
mod read_bounded;
pub(crate) mod repair;
pub(crate) mod request;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod summary;
pub(crate) mod zvhd2;
