//! The service's import rules as data: facts in, findings out.
//!
//! A [`Profile`] holds what one cloud asks for; adding a cloud adds a row to [`PROFILES`]. [`check_image`] holds the
//! [`Facts`] that were found out about one file, and the [`Intent`] of who imports it, against a profile. What no look at a
//! file can tell is listed by [`not_checkable`], so that it is never shown as passed. [`fill_request`] makes the body of the
//! request that imports the uploaded file, and [`validate_body`] checks one that the user wrote against the rules.
//!
//! Rules and their advice are the command line's own data: they may name its commands and flags. The other libraries don't.
//!
//! ```
//! use std::path::Path;
//! use imsprep_detect::{Detection, Format};
//! use imsprep_findings::Report;
//! use imsprep_rules::{Facts, HUAWEI, Intent, check_image};
//!
//! let qcow2 = Detection {
//!     format: Format::Qcow2,
//!     variant: Some("v3"),
//!     file_size: 3 << 30,
//!     virtual_size: Some(40 << 30),
//!     facts: vec![],
//!     also: vec![],
//!     evidence: vec![],
//! };
//! let mut report = Report::new();
//! let facts = Facts { path: Path::new("disk.qcow2"), detection: &qcow2, inside: None, all_zeros: false };
//! check_image(&facts, &HUAWEI, &Intent::default(), &mut report);
//! let finding = &report.findings()[0];
//! assert_eq!(finding.rule.code, "IMS-001");
//! assert!(finding.advice().contains("common import"));
//! ```

mod check;
mod commands;
mod content;
mod content_rules;
mod convertible;
mod detection;
mod facts;
mod format_fix;
mod gpt;
mod guest;
mod in_use;
mod incomplete;
mod intent;
mod intent_rules;
mod key;
mod min_disk;
mod names;
mod no_disk;
mod not_checked;
mod other_formats;
mod profile;
mod request;
mod rules;
mod settings;
mod shell;
mod size;
mod truncated;
mod wrapper;

pub use check::{check_disk, check_image, is_too_large, note_all_zeros};
pub use commands::{
    CREATE_ANEW, CREATE_ANEW_IN_THIS, SHORTER_NAME, create_command, output_beside, prepare_as,
    prepare_command, recreate_command,
};
pub use content::{check_content, purpose_of};
pub use content_rules::CONTENT_RULES;
pub use convertible::{
    DiskChecks, check_convertible, check_disk_convertible, check_disk_size, check_expanded_size,
    check_readable,
};
pub use detection::{check_detection, rule_of};
pub use facts::{DiskPart, Facts, ImageLocation, Inside, Medium, MediumKind};
pub use guest::{
    SYSTEM_RULES, SystemAsked, SystemOnDisk, WouldStart, asks_for_a_system, check_guest, is_about_the_start,
};
pub use in_use::check_in_use;
pub use intent::{Intent, Purpose};
pub use intent_rules::INTENT_RULES;
pub use key::{check_key, object_key};
pub use names::shown_names;
pub use no_disk::{empty_file, is_known, no_disk, says_no_disk, shows_nothing};
pub use not_checked::{Inspected, SystemSeen, not_checkable};
pub use other_formats::other_advice;
pub use profile::{HUAWEI, MinDisk, OTC, PROFILES, Profile, RULE_SET_DATE};
pub use request::{
    Architecture, BodyKind, BodyPlace, BootsBy, Detected, Endpoint, Filled, Firmware, GuestSystem, HclValue,
    ImageFacts, ImageTag, JobAnswer, JobState, KnownSystem, Letters, MAX_BODY, MAX_JOB, NearSystem,
    NextSteps, ObjectPlace, OsType, OsVersions, OsVersionsError, Page, REQUEST_RULES, Request, RequestBody,
    RequestOptions, RequestProfile, ServerType, ServiceCode, SystemValue, Tool, ToolValues, ValidateOptions,
    fill_request, is_covered_by_request, near_system, quick_min_disk, tool_values, validate_body,
};
pub use rules::RULES;
pub use settings::{CodeSetting, Settings, SettingsError, TextPlace};
pub use shell::{acts_on_terminal, shell_quoted};
pub use size::Size;
pub use truncated::is_cut;
pub use wrapper::{XVA_FIX, inside_text, rule_of_wrapper, zip_unpacker};
