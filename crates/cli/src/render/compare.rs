//! `imsprep compare`

use std::fmt::Write as _;

use imsprep_rules::Size;
use imsprep_toolkit::{Comparison, Difference, Side};

use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::findings::Findings;
use crate::words::space::volume_line;

/// Whether two disks are the same, and where they first are not.
pub(crate) fn text(compared: &Comparison) -> String {
    let Comparison { a, b, .. } = compared;
    let (name_a, name_b) = (name(a), name(b));
    let bold = style::BOLD;
    let (style, answer) = match &compared.difference {
        None => (style::GOOD, "the same content".to_owned()),
        Some(difference) => (style::BAD, different(difference)),
    };
    let mut text = String::new();
    let _ =
        writeln!(text, "{bold}{} and {}{bold:#}: {style}{answer}{style:#}", shown(&name_a), shown(&name_b));
    let width = name_a.chars().count().max(name_b.chars().count());
    for (side, name) in [(a, &name_a), (b, &name_b)] {
        let disk = Size(side.disk_size);
        let _ = writeln!(text, "  {:width$}  {:6} {disk}", shown(name).to_string(), side.format);
        if let Some(member) = &side.member {
            let _ = writeln!(text, "  {:width$}  disk {}", "", shown(member));
        }
        let _ = write!(text, "{}", Findings::new(&side.report, Detail::Normal));
    }
    if let Some(ignored) = &compared.ignored {
        let _ =
            writeln!(text, "  ignored: {} that no file holds, by {}", Size(ignored.bytes()), shown(&name_a));
        for volume in &ignored.volumes {
            let _ = writeln!(text, "    {}", shown(&volume_line(volume, "compared completely")));
        }
    }
    if let (None, tail @ 1..) = (&compared.difference, compared.tail()) {
        let longer = if a.disk_size > b.disk_size { &name_a } else { &name_b };
        let _ = writeln!(text, "  {} is longer by {}, all zero", shown(longer), Size(tail));
    }
    text
}

fn name(side: &Side) -> String {
    side.path.display().to_string()
}

fn different(difference: &Difference) -> String {
    let byte = |byte: Option<u8>| match byte {
        Some(byte) => format!("{byte:#04x}"),
        None => "the end".to_owned(),
    };
    let offset = difference.offset;
    let (a, b) = (byte(difference.a), byte(difference.b));
    format!("different, first at byte {offset}: {a} in the first, {b} in the second")
}
