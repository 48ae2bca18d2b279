//! How imsprep says what is wrong with a file.
//!
//! A [`Rule`] is one thing that can be broken, with a stable code. A [`Finding`] is one place where it is broken.
//! A [`Report`] collects findings, together with what was *not* looked at: a check that did not run is a
//! [`NotChecked`], never a pass. [`Overrides`] are what a user makes of rules: a finding may be allowed, or made an error.
//!
//! An error is not a finding: "could not look" is an `Err` of the crate that looked.
//!
//! ```
//! use imsprep_findings::{Finding, Report, Severity, rules};
//!
//! rules! {
//!     /// Every rule of this example.
//!     pub static RULES: convertible = true;
//!
//!     pub(crate) TRAILING = "EX-001", Error, "bytes after the end", {
//!         why: "the reader takes the last 4096 bytes for the footer",
//!         source: "an example",
//!         fix: "cut the file at the end of its footer",
//!     }
//! }
//!
//! let mut report = Report::new();
//! report.push(Finding::new(&TRAILING, "the file goes on after its footer").at(8192).found("4096 bytes more"));
//! assert_eq!(report.worst(), Some(Severity::Error));
//! ```

mod finding;
mod overrides;
mod report;
mod rule;
mod table;

pub use finding::{Allowance, Finding, GuestPlace, commands_in};
pub use overrides::Overrides;
pub use report::{NotChecked, Report, Tally};
pub use rule::{Rule, Severity};
