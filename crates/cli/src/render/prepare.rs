//! `imsprep prepare`

use std::fmt::Write as _;

use imsprep_toolkit::Prepared;

use super::check::Block;
use super::convert;
use crate::exit::Status;
use crate::policy::Policy;
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::check::next_step;

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
            let _ =
                writeln!(text, "  {bold}next{bold:#}: upload it and request the import: {}", shown(&command));
        }
    }
    text
}
