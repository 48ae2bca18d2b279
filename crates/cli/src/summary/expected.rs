//! The list of images that must each have a line.

use std::collections::BTreeSet;
use std::io::{self, Read};

use super::image::Name;

/// Most bytes of a list: names of more images than a summary takes.
const MAX_LIST: u64 = 256 << 20;

/// The names in a list: with a NUL after each if there is a NUL at all, so that names may hold line feeds; else one on each line.
///
/// # Errors
///
/// If the list can't be read, or is longer than one can be.
pub(crate) fn read_list(input: impl Read) -> io::Result<BTreeSet<Name>> {
    let mut bytes = Vec::new();
    input.take(MAX_LIST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LIST {
        return Err(io::Error::other(format!("a list of more than {MAX_LIST} bytes")));
    }
    let separator = if bytes.contains(&0) { 0 } else { b'\n' };
    let names = bytes.split(|byte| *byte == separator);
    let names = names.map(|name| match separator {
        b'\n' => name.strip_suffix(b"\r").unwrap_or(name),
        _ => name,
    });
    Ok(names.filter(|name| !name.is_empty()).map(Name::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[u8]) -> Vec<String> {
        read_list(list).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_list_has_lines_or_ends_each_name_by_a_nul() {
        assert_eq!(names(b""), [""; 0]);
        assert_eq!(names(b"b.raw\r\n\na.raw\nb.raw"), ["a.raw", "b.raw"]);
        assert_eq!(names(b"./b\nc.raw\0a.raw\0"), ["a.raw", "b\\nc.raw"]);
    }
}
