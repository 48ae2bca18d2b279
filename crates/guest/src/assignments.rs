//! Files of shell assignments: os-release, lsb-release, ifcfg files, grubenv.

use crate::text;

/// Most assignments that are kept of a file.
const COUNT_MAX: usize = 4096;

/// `NAME=value` in a file that a shell would read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The name.
    pub name: String,
    /// The value without quotes and escapes.
    pub value: String,
    /// The line, from 1.
    pub line: u32,
    /// Whether a shell would compute the value: it holds `$` or a back quote that is not escaped.
    pub computed: bool,
}

/// The assignments of a file, in order. What is no assignment is left out.
pub fn parse_assignments(bytes: &[u8]) -> Vec<Assignment> {
    let parsed = text::lines(bytes).filter_map(|(number, line)| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let (name, rest) = line.split_once('=')?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let (value, computed) = is_name.then(|| unquote(rest))?;
        Some(Assignment { name: text::name(name), value: text::value(&value), line: number, computed })
    });
    parsed.take(COUNT_MAX).collect()
}

/// The last assignment of a name: it is the one that counts.
pub(crate) fn last<'a>(all: &'a [Assignment], name: &str) -> Option<&'a Assignment> {
    all.iter().rev().find(|assignment| assignment.name == name)
}

/// The first word of `text` as a shell reads it, and whether it would be computed.
fn unquote(text: &str) -> (String, bool) {
    let mut value = String::new();
    let mut computed = false;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => value.extend(chars.next()),
            ('$' | '`', None | Some('"')) => {
                computed = true;
                value.push(c);
            }
            (c, None) if c.is_whitespace() || c == ';' => break,
            _ => value.push(c),
        }
    }
    (value, computed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_lose_quotes_escapes_and_comments() {
        let text = b"# ID=no\nNAME=\"Debian \\\"GNU\\\"\"\n ID='a b' # end\nX=a\\ b; Y=2\nexport Z=$HOME\nnot one\n=x\nE=\n";
        let all = parse_assignments(text);
        let short =
            all.iter().map(|a| (a.name.as_str(), a.value.as_str(), a.line, a.computed)).collect::<Vec<_>>();
        assert_eq!(
            short,
            [
                ("NAME", "Debian \"GNU\"", 2, false),
                ("ID", "a b", 3, false),
                ("X", "a b", 4, false),
                ("Z", "$HOME", 5, true),
                ("E", "", 8, false),
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(value in "[ -~]{0,60}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`");
            let all = parse_assignments(format!("A=\"{quoted}\"").as_bytes());
            prop_assert_eq!(&all[0].value, &value);
            prop_assert!(!all[0].computed);
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            parse_assignments(&bytes);
        }
    }
}
