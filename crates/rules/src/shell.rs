//! Commands that can be pasted.

use std::path::Path;

/// A path as a POSIX shell takes it: as it is where that is safe, else in single quotes.
pub fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text;
    }
    let text = text.replace('\'', r"'\''");
    // A name that begins with a hyphen would be taken for an option.
    if text.starts_with('-') { format!("'./{text}'") } else { format!("'{text}'") }
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
