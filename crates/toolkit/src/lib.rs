//! imsprep as a library: what a program that embeds it calls, and all that the command line tool does itself.
//!
//! Each operation is one call that returns what it found; nothing here prints. Work runs in the caller's rayon pool.
//!
//! ```
//! use imsprep_toolkit::{Cancel, CheckOptions, Target, Verdict, Work, check_image_file};
//!
//! let dir = tempfile::tempdir()?;
//! let path = dir.path().join("disk.raw");
//! std::fs::write(&path, vec![1; 3 << 20])?;
//!
//! let checked = check_image_file(&Target::new(path), &CheckOptions::default(), Work::new(&(), &Cancel::new()))?;
//! assert_eq!(checked.verdict(), Verdict::NotImportable);
//! let missing = checked.report.findings().iter().any(|finding| finding.rule.code == "BM-003");
//! assert!(missing, "a RAW needs its bitmap file");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod all_rules;
mod archive;
mod archive_check;
mod bad_command;
mod bitmap;
mod bitmap_beside;
mod bitmap_files;
mod bitmap_state;
mod boot;
mod check;
mod check_options;
mod checksum;
mod chunks;
mod compare;
mod conversion_source;
mod convert;
mod data_bits;
mod descriptor;
mod digest;
mod digest_mismatch;
mod direction;
mod disk;
mod disk_choice;
mod disk_seen;
mod error;
mod estimate;
mod export_check;
mod file_holes;
mod fit;
mod fitted;
mod guest;
mod holes;
mod image;
mod inspect;
mod judge;
mod layouts;
mod learn;
mod look;
mod map;
mod no_disk;
mod options;
mod ova_manifest;
mod overview;
mod passing;
mod place;
mod plan;
mod prepare;
mod program;
mod published;
mod raw;
mod remote;
mod repair;
mod request;
mod sampled;
mod saving;
mod seen;
mod select;
mod serve;
mod space;
mod sparsified;
mod stream;
mod targets;
mod unpack;
mod unpack_member;
mod unpacked_disk;
mod uuid;
mod verdict;
mod verify;
mod wrapped;
mod wrapped_disk;
mod zvhd2;

pub use all_rules::all_rules;
pub use archive::{DiskChoice, Member};
pub use bad_command::BadCommand;
pub use bitmap::{
    BitmapCreated, BitmapVerified, ComparedBlocks, CreateOptions, VerifyOptions, create_bitmap, verify_bitmap,
};
pub use bitmap_beside::BitmapWritten;
pub use bitmap_files::{
    BitmapConvertOptions, BitmapConverted, BitmapShown, BitmapsCompared, ImageSize, SizeFrom,
    compare_bitmaps, convert_bitmap, show_bitmap,
};
pub use bitmap_state::BitmapState;
pub use boot::{
    Accelerator, BootAccelerator, BootDrive, BootEnd, BootFirmware, BootOptions, BootPlan, BootWatch, Booted,
    UefiImages, boot_until, boot_with_terminal, plan_boot,
};
pub use check::{CheckedImage, check_image_file};
pub use check_options::{CheckOptions, Depth, MissingBitmap};
pub use checksum::{Checksum, HashAlgorithm, NotListed, listed_checksums};
pub use compare::{CompareOptions, Comparison, Difference, Side, compare_images};
pub use conversion_source::ConversionSource;
pub use convert::{Conversion, Converted};
pub use digest::{FileDigest, ListedFile, verify_listed};
pub use digest_mismatch::DigestMismatch;
pub use direction::Direction;
pub use disk::Disk;
pub use disk_choice::DiskSelector;
pub use error::{Error, ErrorKind, Result};
pub use estimate::Estimate;
pub use export_check::check_export;
pub use file_holes::FileHoles;
pub use guest::{GUEST_LIMITS, read_guest};
pub use image::OpenedImage;
pub use inspect::{Inspected, inspect_export, inspect_image};
pub use layouts::find_layout;
pub use learn::{
    LearnedLayout, SamplePair, SpecimenMade, learn_layout, make_specimen, write_description, write_proven,
};
pub use map::{DiskRange, disk_ranges};
pub use options::{ConvertOptions, DiskFit, DiskLength, FreeSpaceBytes};
pub use ova_manifest::OvaManifest;
pub use overview::{BlockState, Overview, Piece, Region, Span};
pub use place::ImagePlace;
pub use plan::{Plan, plan_conversion, plan_remote, plan_stream, plan_unless_packed};
pub use prepare::{
    Preparation, Prepared, PreparedPlace, Unpacking, plan_preparation, plan_preparation_of_export,
    prepare_image,
};
pub use program::{
    Disagreement, FEWEST_REFUTING, Fault, FaultKind, ImageWithout, Influence, LearnedProgram, ProgramOptions,
    ProgramOutcome, ProgramVerified, TriedImage, learn_from_program, verify_against_program,
};
pub use raw::RawWritten;
pub use remote::{RemoteDisk, detect_export};
pub use repair::{RepairOptions, Repaired, repair_zvhd2};
pub use request::{PreparedRequest, RequestPolicy, ValidatedRequest, prepare_request, validate_request};
pub use sampled::SampledBlocks;
pub use saving::Saving;
pub use serve::{ServeOptions, ServedDisk, serve_image};
pub use stream::StreamSource;
pub use targets::{Subfolders, Target, Targets, expand_targets, refuse_bitmap_file, without_bitmaps_of};
pub use unpack::{Unpack, large_temp_folder};
pub use verdict::{Reservation, Verdict};
pub use zvhd2::Zvhd2Written;

// What the signatures above name, so that a program needs no other crate of ours.
pub use imsprep_bitmap::Layout;
pub use imsprep_detect::{Detection, Format};
pub use imsprep_filesystem::Limits as GuestLimits;
pub use imsprep_findings::{Finding, Overrides, Report, Rule, Severity};
pub use imsprep_formats::{AddressError, NbdAddress};
pub use imsprep_guest::{DiskSpace, Guest, Linux, System, VolumeSpace, Windows};
pub use imsprep_inspect::{BackupMove, CannotFit, Fitting, Inspection};
pub use imsprep_rules::{
    BodyKind, Endpoint, HUAWEI, ImageFacts, Intent, OTC, OsVersions, PROFILES, Profile, Request,
    RequestOptions, WouldStart,
};
pub use imsprep_scan::{IoMode, Scan};
pub use imsprep_source::{
    Cancel, DiskReader, ImageFile, InputStream, Overwrite, Progress, ReadAt, Sink, StreamOutput, Work,
};
pub use imsprep_zvhd2::{Level, Missing, Salvage, Written};
