//! Commands that can be pasted.

use std::path::Path;

/// A path as a POSIX shell takes it: as it is where that is safe, else in single quotes.
pub fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    // A name that begins with a hyphen would be taken for an option.
    if text.starts_with('-') { format!("'./{}'", escaped(&text)) } else { shell_word(&text) }
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
        ] {
            assert_eq!(shell_quoted(Path::new(path)), text);
        }
    }
}
