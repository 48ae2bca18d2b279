//! The targets. Each module says what its input is and what it is compared with.

pub mod bitmap_layout;
pub mod bitmap_read;
pub mod detect;
pub mod filesystem;
pub mod fit_table;
pub mod formats_archive;
pub mod formats_qcow2;
pub mod formats_vhd;
pub mod formats_vmdk;
pub mod free_space;
pub mod guest;
pub mod inspect_tables;
pub mod inspect_volume;
pub mod learn;
pub mod ondisk;
pub mod ovf;
pub mod request_fill;
pub mod request_validate;
pub mod scan;
pub mod settings;
pub mod zip_archive;
pub mod zvhd2_file;
pub mod zvhd2_payload;
pub mod zvhd2_repair;
pub mod zvhd2_roundtrip;

/// Makes the seeds of a target.
pub type Seeds = fn() -> Vec<Vec<u8>>;

/// Every target by its name, with what makes its seeds.
pub const ALL: &[(&str, Seeds)] = &[
    ("bitmap_layout", bitmap_layout::seeds),
    ("bitmap_read", bitmap_read::seeds),
    ("detect", detect::seeds),
    ("filesystem", filesystem::seeds),
    ("fit_table", fit_table::seeds),
    ("formats_archive", formats_archive::seeds),
    ("formats_qcow2", formats_qcow2::seeds),
    ("formats_vhd", formats_vhd::seeds),
    ("formats_vmdk", formats_vmdk::seeds),
    ("free_space", free_space::seeds),
    ("guest", guest::seeds),
    ("inspect_tables", inspect_tables::seeds),
    ("inspect_volume", inspect_volume::seeds),
    ("learn", learn::seeds),
    ("ondisk", ondisk::seeds),
    ("ovf", ovf::seeds),
    ("request_fill", request_fill::seeds),
    ("request_validate", request_validate::seeds),
    ("scan", scan::seeds),
    ("settings", settings::seeds),
    ("zip_archive", zip_archive::seeds),
    ("zvhd2_file", zvhd2_file::seeds),
    ("zvhd2_payload", zvhd2_payload::seeds),
    ("zvhd2_repair", zvhd2_repair::seeds),
    ("zvhd2_roundtrip", zvhd2_roundtrip::seeds),
];

// The builders are those of the crates' own tests.
#[path = "../../../crates/guest/src/windows/test_hive.rs"]
mod build_hive;
#[expect(dead_code, reason = "tests alter what the targets leave to the fuzzer")]
#[path = "../../../crates/formats/src/tests/build_qcow2.rs"]
mod build_qcow2;
#[path = "../../../crates/formats/src/tests/build_vhd.rs"]
mod build_vhd;
#[expect(dead_code, reason = "tests alter what the targets leave to the fuzzer")]
#[path = "../../../crates/formats/src/tests/build_vmdk.rs"]
mod build_vmdk;
#[expect(dead_code, reason = "tests alter what the targets leave to the fuzzer")]
#[path = "../../../crates/zvhd2/src/tests/builder.rs"]
mod build_zvhd2;
