//! The text below a command's help, taken apart again for its page.

/// What the text below a help consists of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AfterHelp<'a> {
    /// Command lines, each with what it is for, which may be nothing.
    pub(super) examples: Vec<(&'a str, &'a str)>,
    /// Paragraphs on the exit status.
    pub(super) exit_status: Vec<&'a str>,
    /// All other paragraphs.
    pub(super) notes: Vec<&'a str>,
}

impl<'a> AfterHelp<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let mut parsed = Self::default();
        for paragraph in text.split("\n\n").map(str::trim_end) {
            if let Some(lines) = paragraph.strip_prefix("Examples:\n") {
                parsed.examples = lines.lines().map(example).collect();
            } else if paragraph.starts_with("Exit status") {
                parsed.exit_status.push(paragraph);
            } else if !paragraph.is_empty() {
                parsed.notes.push(paragraph);
            }
        }
        parsed
    }
}

/// Splits where the column of explanations begins: two spaces or more.
fn example(line: &str) -> (&str, &str) {
    let line = line.trim();
    let (command, what) = line.split_once("  ").unwrap_or((line, ""));
    (command, what.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_comes_apart() {
        let text = "Examples:\n  imsprep a b    it does c\n  imsprep d\n\nMore of it.\n\nExit status 1: no.";
        assert_eq!(
            AfterHelp::parse(text),
            AfterHelp {
                examples: vec![("imsprep a b", "it does c"), ("imsprep d", "")],
                exit_status: vec!["Exit status 1: no."],
                notes: vec!["More of it."],
            }
        );
    }
}
