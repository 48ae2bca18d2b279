//! `imsprep bitmap layouts`

use std::fmt::Write as _;

use imsprep_bitmap::Origin;

use crate::layouts::{KnownLayout, Place};
use crate::terminal::shown;
use crate::words::counted;

/// Two or three lines for each layout; a star marks the one in force.
pub(crate) fn text(known: &[KnownLayout]) -> String {
    let mut text = String::new();
    for KnownLayout { layout, place, in_force } in known {
        let mark = if *in_force { '*' } else { ' ' };
        let place = match place {
            Place::BuiltIn => "built in".to_owned(),
            Place::Project(path) => format!("named in {}", shown(&path.display().to_string())),
            Place::Installed(path) => format!("installed, {}", shown(&path.display().to_string())),
        };
        let _ = writeln!(text, "{mark} {}  {place}", shown(&layout.name));
        let _ = writeln!(text, "      {}", layout.summary());
        match &layout.origin {
            Origin::Proven(proof) => {
                let _ = writeln!(text, "      {}", shown(&proof.summary()));
            }
            Origin::Learned { samples } => {
                let _ = writeln!(text, "      learned from {}", counted(u64::from(*samples), "genuine file"));
            }
            Origin::BuiltIn | Origin::Described => {}
        }
    }
    text += "* in force: it is written and looked for first, unless --layout names another\n";
    text
}
