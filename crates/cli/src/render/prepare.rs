//! `imsprep prepare`

use std::fmt::Write as _;
use std::path::Path;

use imsprep_rules::{Profile, shell_quoted};
use imsprep_toolkit::Prepared;

use super::check::Block;
use super::{convert, style};
use crate::commands::Warnings;
use crate::exit::Status;
use crate::setup::Detail;
use crate::terminal::shown;

/// What was done, the verdict, and what to do next.
pub(crate) fn text(
    prepared: &Prepared,
    warnings: Warnings,
    profile: &'static Profile,
    status: Status,
    detail: Detail,
) -> String {
    let mut text = String::new();
    if let Some(conversion) = &prepared.conversion {
        text += &match &conversion.made {
            None => convert::refused(&conversion.plan, detail),
            Some((output, made)) => {
                let planned = convert::planned(&conversion.plan, detail);
                planned + &convert::done(&conversion.plan, made, output, detail) + "\n"
            }
        };
    }
    if let Some(checked) = &prepared.checked {
        let _ = write!(text, "{}", Block { checked, warnings, profile, detail });
        if status == Status::Fine {
            let bold = style::BOLD;
            let command = next_step(&checked.path);
            let _ = writeln!(
                text,
                "  {bold}next{bold:#}: upload it, and request the import: {}",
                shown(&command)
            );
        }
    }
    text
}

/// The command that makes the request, and tells how to send it.
pub(crate) fn next_step(image: &Path) -> String {
    let image = shell_quoted(image);
    format!("imsprep request {image} --bucket BUCKET --name NAME --os-version 'OS VERSION' --next-steps")
}
