//! `imsprep prepare --json`

use imsprep_rules::{Profile, RULE_SET_DATE};
use imsprep_toolkit::Prepared;
use serde::Serialize;

use super::WirePath;
use super::check::File;
use super::convert::Converted;
use crate::exit::Status;
use crate::render::prepare::next_step;

/// An image that was prepared, or why not.
#[derive(Debug, Serialize)]
pub(crate) struct Body {
    rule_set: &'static str,
    profile: &'static str,
    source: WirePath,
    /// Null if nothing had to be converted; as `imsprep.convert` has it.
    conversion: Option<Converted>,
    /// The image to upload, as `imsprep.check` has it; null if the source was refused.
    result: Option<File>,
    /// The command to run next; null unless all is well.
    next_step: Option<String>,
}

impl Body {
    pub(crate) fn new(prepared: &Prepared, profile: &Profile, status: Status) -> Self {
        let conversion = prepared.conversion.as_ref().map(|conversion| match &conversion.made {
            None => Converted::refused(&conversion.plan),
            Some((output, made)) => Converted::new(&conversion.plan, made, Some(output)),
        });
        let next = prepared.checked.as_ref().filter(|_| status == Status::Fine);
        Self {
            rule_set: RULE_SET_DATE,
            profile: profile.name,
            source: prepared.source.as_path().into(),
            conversion,
            result: prepared.checked.as_ref().map(|checked| File::checked(checked, status)),
            next_step: next.map(|checked| next_step(&checked.path)),
        }
    }
}
