//! Text for people.

pub(crate) mod bench;
pub(crate) mod bitmap;
pub(crate) mod bitmap_files;
pub(crate) mod boot;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod convert;
pub(crate) mod detect;
pub(crate) mod dry_run;
mod guest;
pub(crate) mod inspect;
pub(crate) mod layouts;
pub(crate) mod learn;
pub(crate) mod learn_program;
pub(crate) mod map;
pub(crate) mod os_versions;
pub(crate) mod picture;
pub(crate) mod prepare;
pub(crate) mod prepare_many;
pub(crate) mod repair;
pub(crate) mod request;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod service_codes;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod zvhd2;
