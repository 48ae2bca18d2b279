//! Commands that can be pasted.

use std::path::Path;

/// A path as a POSIX shell takes it: as it is where that is safe, else in single quotes.
pub fn shell_quoted(path: &Path) -> String {
    let Some(text) = path.to_str().filter(|text| !text.contains(is_odd)) else {
        return escaped_word(path.as_os_str().as_encoded_bytes());
    };
    // A name that begins with a hyphen would be taken for an option.
    if text.starts_with('-') { format!("'./{}'", escaped(text)) } else { shell_word(text) }
}

/// A line feed is none: in quotes it is what it is to every shell.
fn is_odd(c: char) -> bool {
    c.is_control() && c != '\n'
}

/// What can't be shown as it is, byte for byte, as bash, zsh and ksh take it.
fn escaped_word(bytes: &[u8]) -> String {
    let mut word = String::from(if bytes.starts_with(b"-") { "$'./" } else { "$'" });
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => word.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => word.push(char::from(*byte)),
            _ => word += &format!("\\x{byte:02x}"),
        }
    }
    word + "'"
}

/// A word that is no path, the same way.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", escaped(text)) }
}

fn escaped(text: &str) -> String {
    text.replace('\'', r"'\''")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (path, text) in [
            ("a/b-1.raw", "a/b-1.raw"),
            ("my disk.raw", "'my disk.raw'"),
            ("it's.raw", r"'it'\''s.raw'"),
            ("-rf.raw", "'./-rf.raw'"),
            ("$(reboot).raw", "'$(reboot).raw'"),
            ("a\x1b[2J\n'\\ü.raw", r"$'a\x1b[2J\x0a\'\\\xc3\xbc.raw'"),
            ("-\t.raw", r"$'./-\x09.raw'"),
        ] {
            assert_eq!(shell_quoted(Path::new(path)), text);
        }
    }
}
