//! `imsprep prepare`

use std::fmt::Write as _;

use imsprep_rules::{Purpose, purpose_of, shell_quoted};
use imsprep_toolkit::{CheckedImage, Prepared};

use super::check::Block;
use super::{convert, style};
use crate::exit::Status;
use crate::policy::Policy;
use crate::setup::Detail;
use crate::terminal::shown;

/// What was done, the verdict, and what to do next.
pub(crate) fn text(prepared: &Prepared, policy: &Policy, status: Status, detail: Detail) -> String {
    let mut text = String::new();
    if let Some(conversion) = &prepared.conversion {
        text += &match &conversion.made {
            None => convert::refused(&conversion.plan, detail),
            Some(made) => {
                let planned = convert::planned(&conversion.plan, detail);
                planned + &convert::done(&conversion.plan, made, detail) + "\n"
            }
        };
    }
    if let Some(checked) = &prepared.checked {
        let _ =
            write!(text, "{}", Block { checked, warnings: policy.warnings, profile: policy.profile, detail });
        if status == Status::Fine {
            let bold = style::BOLD;
            let command = next_step(checked, policy);
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
pub(crate) fn next_step(checked: &CheckedImage, policy: &Policy) -> String {
    let (image, flag) = (shell_quoted(&checked.path), policy.flags());
    let purpose = checked.inspection.as_ref().and_then(|found| purpose_of(&policy.intent, found));
    let what = match purpose {
        Some(Purpose::Data) => "--purpose data",
        _ => "--os-version 'OS VERSION'",
    };
    format!("imsprep request {image}{flag} --bucket BUCKET --name NAME {what} --next-steps")
}
