//! The words of a command line, split once, as a shell would and without one.

use crate::BadCommand;

/// What stands for the image's path in a command.
pub(super) const IMAGE: &str = "{image}";
/// What stands for the path of the bitmap file.
pub(super) const BITMAP: &str = "{bitmap}";

/// Splits a command into words, with the quoting of POSIX shells: '..' takes everything as it is, ".." everything but backslashes
/// before `\`, `"`, `$` and back quotes, and a backslash elsewhere takes the next character as it is. Nothing is expanded.
///
/// # Errors
///
/// [`BadCommand`].
pub(super) fn words_of(text: &str) -> Result<Vec<String>, BadCommand> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(BadCommand::OpenQuote)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(BadCommand::OpenQuote)? {
                        '"' => break,
                        '\\' if rest.peek().is_some_and(|c| matches!(c, '\\' | '"' | '$' | '`')) => {
                            word.extend(rest.next());
                        }
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(rest.next().ok_or(BadCommand::OpenEscape)?),
            '|' | '&' | ';' | '<' | '>' | '`' => return Err(BadCommand::ShellCharacter(c)),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if words.first().is_none_or(String::is_empty) {
        return Err(BadCommand::Empty);
    }
    for placeholder in [IMAGE, BITMAP] {
        if !words.iter().any(|word| word.contains(placeholder)) {
            return Err(BadCommand::NoPlaceholder(placeholder));
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, expected) in [
            ("a {image} {bitmap}", &["a", "{image}", "{bitmap}"][..]),
            ("a  'b c'\t\"d 'e\" --in={image} {bitmap}", &["a", "b c", "d 'e", "--in={image}", "{bitmap}"]),
            (r#"a\ b "c\"\\\n" '\' '' {image}{bitmap}"#, &["a b", r#"c"\\n"#, r"\", "", "{image}{bitmap}"]),
            ("a$b '|' {image} {bitmap}", &["a$b", "|", "{image}", "{bitmap}"]),
        ] {
            assert_eq!(words_of(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for (text, expected) in [
            ("a 'b {image} {bitmap}", BadCommand::OpenQuote),
            ("a \"b {image} {bitmap}", BadCommand::OpenQuote),
            ("a {image} {bitmap} \\", BadCommand::OpenEscape),
            ("", BadCommand::Empty),
            ("'' {image} {bitmap}", BadCommand::Empty),
            ("a {image}", BadCommand::NoPlaceholder(BITMAP)),
            ("a {bitmap}", BadCommand::NoPlaceholder(IMAGE)),
            ("a {image} > {bitmap}", BadCommand::ShellCharacter('>')),
        ] {
            assert_eq!(words_of(text), Err(expected), "{text}");
        }
    }
}
