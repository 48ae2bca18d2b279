//! The manifest of a check: what an upload of these images must amount to.

use super::extra_file::ExtraFile;
use crate::exit::Status;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::terminal::json_text;
use crate::wire;

/// Writes it whole. If a file could not be checked, no manifest is written, because it would prove less than it seems to.
pub(super) fn write(file: &ExtraFile, outcomes: &[Outcome], policy: &Policy) -> anyhow::Result<()> {
    if outcomes.iter().any(|outcome| outcome.status == Status::CouldNotLook) {
        file.leave_out("not every file could be checked");
        return Ok(());
    }
    if file.is_checksum_list() {
        return file.write(&wire::manifest::list(outcomes));
    }
    let document = wire::manifest::document(outcomes, policy);
    file.write(json_text(&document)?.as_bytes())
}
