//! `imsprep prepare --json`

use std::path::Path;
use std::time::Duration;

use imsprep_toolkit::Prepared;
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::check::File;
use super::convert::Converted;
use crate::exit::Status;
use crate::failure::failure_text;
use crate::policy::Policy;
use crate::words::check::next_step;

/// An image that was prepared, or why not.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    source: WirePath,
    /// Null if nothing had to be converted; as `imsprep.convert` has it.
    conversion: Option<Converted>,
    /// The image to upload, as `imsprep.check` has it; null if the source was refused.
    result: Option<File>,
    /// Why the image could not be prepared; then the others are null.
    error: Option<String>,
    /// How long all of it took.
    seconds: f64,
    /// The command to run next; null unless all is well.
    next_step: Option<String>,
}

/// Several images that were prepared.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Many {
    pub(crate) files: Vec<OneOfMany>,
}

/// One of them.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct OneOfMany {
    /// The status that this image leads to.
    exit_status: u8,
    #[serde(flatten)]
    body: Body,
}

impl OneOfMany {
    pub(crate) fn new(status: Status, body: Body) -> Self {
        Self { exit_status: status.number(), body }
    }
}

impl Body {
    pub(crate) fn new(prepared: &Prepared, policy: &Policy, status: Status, elapsed: Duration) -> Self {
        let conversion = prepared.conversion.as_ref().map(|conversion| match &conversion.made {
            None => Converted::refused(&conversion.plan),
            Some(made) => Converted::new(&conversion.plan, made),
        });
        let next = prepared.checked.as_ref().filter(|_| status == Status::Fine);
        Self {
            conversion,
            result: prepared.checked.as_ref().map(|checked| File::checked(checked, status)),
            next_step: next.map(|checked| next_step(checked, policy)),
            ..Self::none(&prepared.source, elapsed)
        }
    }

    /// For an image that could not be prepared: it must not be missing among the documents of many.
    pub(crate) fn failed(source: &Path, error: &anyhow::Error, elapsed: Duration) -> Self {
        Self { error: Some(failure_text(error)), ..Self::none(source, elapsed) }
    }

    fn none(source: &Path, elapsed: Duration) -> Self {
        Self {
            source: source.into(),
            conversion: None,
            result: None,
            error: None,
            seconds: elapsed.as_secs_f64(),
            next_step: None,
        }
    }
}
