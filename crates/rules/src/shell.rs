//! Commands that can be pasted.

use std::path::Path;

/// A path as a shell takes it, on one line and fit to be shown: as it is where that is safe, in single quotes, or as bash, zsh and
/// ksh take it byte by byte. Nothing in it is a back quote, which ends a command in our texts, or a command to the build server that
/// keeps the output.
pub fn shell_quoted(path: &Path) -> String {
    let is_fit = |text: &&str| {
        !text.contains(|c| acts_on_terminal(c) || c == '`')
            && !text.contains("##")
            && !text.trim_start().starts_with("::")
    };
    match path.to_str().filter(is_fit) {
        Some(text) => path_word(text),
        None => escaped_word(path.as_os_str().as_encoded_bytes()),
    }
}

/// A path as a POSIX shell takes it in a script. A line feed stays one: in quotes it is what it is to every shell.
pub(crate) fn script_quoted(path: &Path) -> String {
    match path.to_str().filter(|text| !text.contains(|c: char| c.is_control() && c != '\n')) {
        Some(text) => path_word(text),
        None => escaped_word(path.as_os_str().as_encoded_bytes()),
    }
}

/// Whether a character does something to a terminal instead of standing there: control characters of both sets, and those that
/// turn the direction of writing or end a line. All are below U+FFFF.
pub fn acts_on_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn path_word(text: &str) -> String {
    if is_misread(text.as_bytes()) { format!("'./{}'", escaped(text)) } else { shell_word(text) }
}

/// A name that begins with a hyphen would be taken for an option; what stands before a colon for a protocol by qemu, and for another
/// machine by tar.
fn is_misread(path: &[u8]) -> bool {
    path.starts_with(b"-") || path.iter().take_while(|byte| **byte != b'/').any(|byte| *byte == b':')
}

/// What can't be shown as it is, byte for byte, as bash, zsh and ksh take it.
fn escaped_word(bytes: &[u8]) -> String {
    let mut word = String::from(if is_misread(bytes) { "$'./" } else { "$'" });
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => word.extend(['\\', char::from(*byte)]),
            b'`' | b'#' | b':' => word += &format!("\\x{byte:02x}"),
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
            ("a`id`.raw", r"$'a\x60id\x60.raw'"),
            ("a\u{202e}b.raw", r"$'a\xe2\x80\xaeb.raw'"),
            ("##vso[x]y.raw", r"$'\x23\x23vso[x]y.raw'"),
            ("::debug::x.raw", r"$'./\x3a\x3adebug\x3a\x3ax.raw'"),
            ("a::b #1.raw", "'./a::b #1.raw'"),
            ("a/b:c.raw", "a/b:c.raw"),
        ] {
            assert_eq!(shell_quoted(Path::new(path)), text);
        }
    }

    #[test]
    fn in_a_script_a_line_feed_stays() {
        assert_eq!(script_quoted(Path::new("a\n`b`.raw")), "'a\n`b`.raw'");
    }
}
