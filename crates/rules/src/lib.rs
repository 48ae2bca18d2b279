//! The service's import rules as data: facts in, findings out.
//!
//! A [`Profile`] holds what one cloud asks for; adding a cloud adds a row to [`PROFILES`]. [`check_image`] holds what was
//! found out about one file against a profile. What no look at a file can tell is listed by [`not_checkable`], so that it
//! is never shown as passed.
//!
//! ```
//! use std::path::Path;
//! use imsprep_detect::{Detection, Format};
//! use imsprep_findings::Report;
//! use imsprep_rules::{HUAWEI, check_image};
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
//! check_image(Path::new("disk.qcow2"), &qcow2, &HUAWEI, &mut report);
//! let finding = &report.findings()[0];
//! assert_eq!(finding.rule.code, "IMS-001");
//! assert!(finding.advice().contains("common import"));
//! ```

mod check;
mod convertible;
mod gpt;
mod name;
mod not_checked;
mod profile;
mod rules;
mod shell;
mod size;
mod way_out;

pub use check::{check_image, is_too_large};
pub use convertible::{allowable_codes, check_convertible, check_readable};
pub use gpt::check_backup_gpt;
pub use not_checked::not_checkable;
pub use profile::{HUAWEI, OTC, PROFILES, Profile, RULE_SET_DATE};
pub use rules::RULES;
pub use shell::shell_quoted;
pub use size::Size;
