//! Text from outside (a name, a string in an image) as it may be printed: nothing in it acts on a terminal, and nothing in it is a
//! command to the build server that keeps the output.
//!
//! Build servers read commands from the output of the programs that they run: Azure Pipelines takes `##vso[..]` and `##[..]` anywhere
//! in a line, TeamCity takes `##teamcity[..]`, GitHub Actions takes `##[..]` anywhere and `::command::` at the start of a line. An image
//! could set variables of the build that way, or end it.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use anstream::adapter::strip_str;
use imsprep_rules::acts_on_terminal as acts;

/// Text from outside as it may be printed: control characters, those that turn the direction of writing, and the marks of commands
/// to a build server are escaped.
pub(crate) fn shown(text: &str) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| {
        let mut at_start = true;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let is_mark = (c == '#' && rest.as_str().starts_with('#'))
                || (c == ':' && at_start && rest.as_str().starts_with(':'));
            if is_mark {
                write!(f, "{}", escaped(c))?;
            } else if acts(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
            at_start &= c.is_whitespace();
        }
        Ok(())
    })
}

/// Whether a build server takes something in this line, which has no colours in it, for a command.
pub(crate) fn is_ci_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || has_hash_command(line)
}

/// `##`, perhaps a word, and a bracket.
fn has_hash_command(line: &str) -> bool {
    line.match_indices("##").any(|(place, _)| {
        let behind = line.get(place..).unwrap_or_default().trim_start_matches('#');
        behind.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[')
    })
}

/// Whole output, all of whose texts from outside have gone through [`shown`], with what they make of a line together: a file called
/// `:` and the colon behind its name, say. Lines are read without their colours, as colours are left out of a log.
pub(crate) fn for_log(text: &str) -> Cow<'_, str> {
    // Nearly always there is nothing to do.
    if !["::", ":\u{1b}", "##", "#\u{1b}"].iter().any(|mark| text.contains(mark)) {
        return Cow::Borrowed(text);
    }
    let broken = text.split_inclusive('\n').map(|line| {
        let plain = strip_str(line).to_string();
        let mut line = Cow::Borrowed(line);
        if has_hash_command(&plain) {
            line = Cow::Owned(line.replace('#', &escaped('#')));
        }
        if plain.trim_start().starts_with("::") {
            line = Cow::Owned(line.replacen(':', &escaped(':'), 1));
        }
        line
    });
    Cow::Owned(broken.collect())
}

/// A character as Rust and Swift write one that can't stand for itself.
fn escaped(c: char) -> String {
    format!("\\u{{{:x}}}", u32::from(c))
}

/// JSON in whose strings nothing acts on a terminal or a build server: what [`shown`] escapes stands as `\u` and four digits, which
/// every reader of JSON turns back. Outside of strings JSON has no such characters but line feeds.
pub(crate) fn visible_json(text: String) -> String {
    let is_plain =
        !text.chars().any(|c| c != '\n' && acts(c)) && !text.contains("##") && !text.contains("::");
    if is_plain {
        return text;
    }
    let mut visible = String::with_capacity(text.len() + 16);
    let mut before = '\0';
    for c in text.chars() {
        let is_mark = matches!(c, '#' | ':') && before == c;
        if is_mark || c != '\n' && acts(c) {
            let _ = write!(visible, "\\u{:04x}", u32::from(c));
        } else {
            visible.push(c);
        }
        before = c;
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::json_text;

    #[test]
    fn json_is_the_same_and_moves_no_cursor() {
        let name = "a\x1b[2J\u{9b}2J\u{7f}\u{202e}\u{61c}\n\u{85}ü漢\u{1f600}\"\\";
        let text = json_text(&[name]).unwrap();
        assert!(!text.trim_end().chars().any(|c| c != '\n' && acts(c)), "{text:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [name]);
    }

    #[test]
    fn nothing_from_outside_moves_the_cursor() {
        let text = shown("a\x1b[2Jb\nc\u{9b}d\u{202e}e\u{7f}ü漢").to_string();
        assert_eq!(text, r"a\u{1b}[2Jb\nc\u{9b}d\u{202e}e\u{7f}ü漢");
    }

    #[test]
    fn json_is_the_same_and_commands_nobody() {
        for (name, expected) in [
            ("##vso[task.debug]x", r##"["#\u0023vso[task.debug]x"]"##),
            ("###[debug]x", r##"["#\u0023\u0023[debug]x"]"##),
            ("::debug::x", r#"[":\u003adebug:\u003ax"]"#),
        ] {
            let text = visible_json(serde_json::to_string(&[name]).unwrap());
            assert_eq!(text, expected);
            assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [name]);
        }
    }

    #[test]
    fn commands_to_a_build_server_are_broken() {
        for (text, expected) in [
            ("##vso[task.debug]x", r"\u{23}#vso[task.debug]x"),
            ("a ##[debug]x", r"a \u{23}#[debug]x"),
            ("###[debug]x", r"\u{23}\u{23}#[debug]x"),
            ("::debug::x", r"\u{3a}:debug::x"),
            (" \t::debug::x", r" \t\u{3a}:debug::x"),
            ("a::b #1", "a::b #1"),
        ] {
            let text = shown(text).to_string();
            assert_eq!(text, expected);
            assert!(!is_ci_command(&text), "{text}");
        }
    }

    #[test]
    fn what_texts_make_together_is_broken_in_the_whole() {
        for (text, expected) in [
            ("fine: a::b\n  # x ## y\n", "fine: a::b\n  # x ## y\n"),
            (":: debug ::x\n", "\\u{3a}: debug ::x\n"),
            ("\x1b[1m:\x1b[0m: debug::\n", "\x1b[1m\\u{3a}\x1b[0m: debug::\n"),
            ("a\n  ::debug::x\nb", "a\n  \\u{3a}:debug::x\nb"),
            ("a ##\x1b[1mvso\x1b[0m[x]\n", "a \\u{23}\\u{23}\x1b[1mvso\x1b[0m[x]\n"),
            ("#\x1b[1m#[debug]\n", "\\u{23}\x1b[1m\\u{23}[debug]\n"),
        ] {
            let text = for_log(text);
            assert_eq!(text, expected);
            assert!(!strip_str(&text).to_string().lines().any(is_ci_command), "{text:?}");
        }
    }
}
