//! A result in the form that was requested.

use serde::Serialize;

use crate::args::{FormatArgs, FormatName};
use crate::exit::Status;
use crate::moment;
use crate::outcome::Judged;
use crate::page;
use crate::policy::Warnings;
use crate::setup::{Detail, Output};
use crate::terminal::{print, print_json, print_json_line};
use crate::wire;

/// Prints the result of a command in one form. Texts and documents are made only if they are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Emitter {
    Quiet,
    Text(Detail),
    Json,
    Ndjson,
    Sarif,
    Junit,
    Html,
}

impl Emitter {
    pub(crate) fn of(args: &FormatArgs, output: Output) -> Self {
        match (args.format, output) {
            (Some(FormatName::Json), _) | (None, Output::Json) => Self::Json,
            (Some(FormatName::Ndjson), _) => Self::Ndjson,
            (Some(FormatName::Sarif), _) => Self::Sarif,
            (Some(FormatName::Junit), _) => Self::Junit,
            (Some(FormatName::Html), _) => Self::Html,
            (_, Output::Text(detail)) => Self::Text(detail),
            // Neither goes with --format: the command line refuses it.
            (_, Output::Quiet) => Self::Quiet,
            (Some(FormatName::Text), Output::Json) => Self::Text(Detail::Normal),
        }
    }

    /// Whether the result is a page: what only a page shows has to be found out then.
    pub(crate) fn is_page(self) -> bool {
        matches!(self, Self::Html)
    }

    /// Prints one file of several as soon as it is done, in the forms that need not wait for the last.
    pub(crate) fn file<T: Serialize>(
        self,
        line: impl FnOnce() -> T,
        text: impl FnOnce(Detail) -> String,
    ) -> anyhow::Result<()> {
        match self {
            Self::Text(detail) => print(&text(detail)),
            Self::Ndjson => print_json_line(&line()),
            _ => Ok(()),
        }
    }

    /// Prints what is left to say after the last file: in text, what stands below all of them.
    pub(crate) fn files<T: Serialize>(
        self,
        files: (&[Judged<'_>], Status),
        warnings: Warnings,
        document: impl FnOnce() -> T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match self {
            Self::Ndjson => Ok(()),
            other => other.judged(files, warnings, document, |_| text()),
        }
    }

    /// Prints the result of a command that judges one image.
    pub(crate) fn judged<T: Serialize>(
        self,
        (files, status): (&[Judged<'_>], Status),
        warnings: Warnings,
        document: impl FnOnce() -> T,
        text: impl FnOnce(Detail) -> String,
    ) -> anyhow::Result<()> {
        match self {
            Self::Quiet => Ok(()),
            Self::Text(detail) => print(&text(detail)),
            Self::Json => print_json(&document()),
            Self::Ndjson => print_json_line(&document()),
            Self::Sarif => print_json(&wire::sarif::log(files, status)),
            Self::Junit => print(&wire::junit::document(files, warnings)),
            Self::Html => print(&page::judged::page(files, moment::now())),
        }
    }
}

/// Prints the result of a command that judges nothing: as text or as JSON.
pub(crate) fn result<T: Serialize>(
    output: Output,
    document: impl FnOnce() -> T,
    text: impl FnOnce(Detail) -> String,
) -> anyhow::Result<()> {
    match output {
        Output::Quiet => Ok(()),
        Output::Text(detail) => print(&text(detail)),
        Output::Json => print_json(&document()),
    }
}
