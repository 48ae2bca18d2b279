//! What a usage error suggests beside what clap finds by itself.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Adds to an error what was probably meant.
pub(super) fn add(error: &mut clap::Error, definition: &Command) {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let Some(word) = text(error, ContextKind::InvalidSubcommand) else { return };
            let meant = nested(&word, definition);
            if !meant.is_empty() {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(meant));
            }
        }
        // A bitmap file behind its image, as most programs would take it.
        ErrorKind::UnknownArgument if usage(error).contains("bitmap verify") => {
            let word = text(error, ContextKind::InvalidArg).unwrap_or_default();
            if !word.starts_with('-') {
                let tip =
                    StyledStr::from(format!("a bitmap file of another name is given with '--bitmap {word}'"));
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
            }
        }
        _ => {}
    }
}

/// The commands below a command that have this name: `zvhd2 info` for `info`.
fn nested(word: &str, definition: &Command) -> Vec<String> {
    let of = |group: &Command| {
        let named = group.get_subcommands().filter(|command| command.get_name() == word);
        named.map(|command| format!("{} {}", group.get_name(), command.get_name())).collect::<Vec<_>>()
    };
    definition.get_subcommands().flat_map(of).collect()
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

fn usage(error: &clap::Error) -> String {
    error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, definition};

    fn message(args: &[&str]) -> String {
        let mut error = Cli::try_parse_from(args).unwrap_err();
        super::add(&mut error, &definition());
        error.to_string()
    }

    #[test]
    fn a_command_below_another_is_suggested() {
        for (word, meant) in [("info", "'zvhd2 info'"), ("learn", "'bitmap learn'")] {
            let message = message(&["imsprep", word, "x"]);
            assert!(message.contains(meant), "{message}");
        }
        let message = message(&["imsprep", "chek", "x"]);
        assert!(message.contains("'check'"), "{message}");
    }

    #[test]
    fn a_bitmap_file_behind_its_image_is_explained() {
        let message = message(&["imsprep", "bitmap", "verify", "disk.raw", "disk.mf"]);
        assert!(message.contains("'--bitmap disk.mf'"), "{message}");
    }
}
