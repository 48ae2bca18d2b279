//! A result in the form that was asked for.

use serde::Serialize;

use crate::args::{FormatArgs, FormatName};
use crate::exit::Status;
use crate::outcome::Judged;
use crate::policy::Policy;
use crate::setup::{Detail, Output};
use crate::terminal::{print, print_json, print_json_line};
use crate::wire;

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Quiet,
    Text(Detail),
    Json,
    Ndjson,
    Sarif,
    Junit,
}

impl Form {
    pub(crate) fn of(args: &FormatArgs, output: Output) -> Self {
        match (args.format, output) {
            (Some(FormatName::Json), _) | (None, Output::Json) => Self::Json,
            (Some(FormatName::Ndjson), _) => Self::Ndjson,
            (Some(FormatName::Sarif), _) => Self::Sarif,
            (Some(FormatName::Junit), _) => Self::Junit,
            (_, Output::Text(detail)) => Self::Text(detail),
            // Neither goes with --format: the command line refuses it.
            (_, Output::Quiet) => Self::Quiet,
            (Some(FormatName::Text), Output::Json) => Self::Text(Detail::Normal),
        }
    }

    /// Prints all that a command found: `text` and `document` are made only if they are asked for. A command on one image has
    /// one document for both of JSON's forms; `check` has printed its lines by now.
    pub(crate) fn print<T: Serialize>(
        self,
        (files, status): (&[Judged<'_>], Status),
        policy: &Policy,
        document: impl FnOnce() -> wire::Document<T>,
        text: impl FnOnce(Detail) -> String,
    ) -> anyhow::Result<()> {
        match self {
            Self::Quiet => Ok(()),
            Self::Text(detail) => print(&text(detail)),
            Self::Json => print_json(&document()),
            Self::Ndjson => print_json_line(&document()),
            Self::Sarif => print_json(&wire::sarif::log(files, status)),
            Self::Junit => print(&wire::junit::document(files, policy.warnings)),
        }
    }
}
