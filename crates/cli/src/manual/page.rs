//! One page.

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, roman};

use super::after_help::AfterHelp;
use super::sections::{self, Entry};
use super::{ManualSection, PROGRAM, name_of};
use crate::version;

/// The page of `command`; `places` are those of all pages.
pub(super) fn render(command: &Command, place: &ManualSection, places: &[&ManualSection]) -> String {
    let name = place.name.as_str();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    // Below the help of the program stands, in short, what every page has at length.
    let after = if name == PROGRAM { AfterHelp::default() } else { AfterHelp::parse(&after) };
    let mut page = Page(Roff::new());
    page.title(name);
    page.section("NAME");
    page.text(format!("{name} - {}", about(command)));
    page.synopsis(command);
    page.description(command, &after);
    page.commands(command);
    page.arguments(command);
    page.options("OPTIONS", command, |option| !is_common(option));
    page.options("COMMON OPTIONS", command, is_common);
    page.examples(&after);
    page.exit_status(&after);
    page.entries("ENVIRONMENT", sections::ENVIRONMENT, name);
    page.entries("FILES", sections::FILES, name);
    page.see_also(place, places);
    page.0.render()
}

struct Page(Roff);

impl Page {
    fn title(&mut self, name: &str) {
        let source = format!("{PROGRAM} {}", env!("CARGO_PKG_VERSION"));
        self.0.control("TH", [name.to_uppercase().as_str(), "1", version::date(), &source, "User Commands"]);
    }

    fn section(&mut self, title: &str) {
        self.0.control("SH", [title]);
    }

    fn text(&mut self, text: impl Into<String>) {
        self.0.text([roman(text.into())]);
    }

    fn item(&mut self, head: Vec<Inline>, body: &str) {
        self.0.control("TP", []);
        self.0.text(head);
        self.text(body);
    }

    fn synopsis(&mut self, command: &Command) {
        self.section("SYNOPSIS");
        let usage = command.clone().render_usage().to_string();
        let words = command.get_bin_name().unwrap_or(PROGRAM);
        for (at, line) in usage.trim_start_matches("Usage:").lines().map(str::trim).enumerate() {
            if at > 0 {
                self.0.control("br", []);
            }
            let rest = line.strip_prefix(words).unwrap_or(line);
            self.0.text([bold(words), roman(rest)]);
        }
    }

    fn description(&mut self, command: &Command, after: &AfterHelp) {
        self.section("DESCRIPTION");
        let about = command.get_long_about().or(command.get_about()).map(ToString::to_string);
        let about = about.unwrap_or_default();
        for (at, paragraph) in about.split("\n\n").chain(after.notes.iter().copied()).enumerate() {
            if at > 0 {
                self.0.control("PP", []);
            }
            self.text(sentence(paragraph));
        }
    }

    fn commands(&mut self, command: &Command) {
        for (at, below) in command.get_subcommands().enumerate() {
            if at == 0 {
                self.section("COMMANDS");
            }
            self.item(vec![bold(name_of(below)), roman("(1)")], &sentence(&about(below)));
        }
    }

    fn arguments(&mut self, command: &Command) {
        for (at, argument) in command.get_positionals().enumerate() {
            if at == 0 {
                self.section("ARGUMENTS");
            }
            self.item(vec![italic(value_names(argument))], &help(argument));
            self.possible_values(argument);
        }
    }

    fn options(&mut self, title: &str, command: &Command, belongs: impl Fn(&Arg) -> bool) {
        let shown = command.get_arguments().filter(|argument| !argument.is_positional());
        let shown = shown.filter(|option| !option.is_hide_set() && belongs(option));
        for (at, option) in shown.enumerate() {
            if at == 0 {
                self.section(title);
            }
            let short = option.get_short().map(|short| format!("-{short}"));
            let long = option.get_long().map(|long| format!("--{long}"));
            let mut head = Vec::new();
            for form in short.into_iter().chain(long) {
                if !head.is_empty() {
                    head.push(roman(", "));
                }
                head.push(bold(form));
            }
            if option.get_action().takes_values() {
                head.extend([roman(" "), italic(value_names(option))]);
            }
            self.item(head, &help(option));
            self.possible_values(option);
        }
    }

    /// What each value means, if that is reported.
    fn possible_values(&mut self, argument: &Arg) {
        if argument.is_hide_possible_values_set() {
            return;
        }
        let values = argument.get_possible_values();
        let mut told =
            values.iter().filter_map(|value| Some((value.get_name(), value.get_help()?))).peekable();
        // A flag has the values true and false, which are never written out.
        if told.peek().is_none() || !argument.get_action().takes_values() {
            return;
        }
        self.0.control("RS", []);
        for (name, what) in told {
            self.item(vec![bold(name)], &sentence(&what.to_string()));
        }
        self.0.control("RE", []);
    }

    fn examples(&mut self, after: &AfterHelp) {
        for (at, (line, what)) in after.examples.iter().enumerate() {
            if at == 0 {
                self.section("EXAMPLES");
            }
            if what.is_empty() {
                self.0.control("TP", []);
                self.0.text([bold(*line)]);
                self.0.control("br", []);
            } else {
                self.item(vec![bold(*line)], &sentence(what));
            }
        }
    }

    fn exit_status(&mut self, after: &AfterHelp) {
        self.section("EXIT STATUS");
        for paragraph in &after.exit_status {
            self.text(*paragraph);
            self.0.control("PP", []);
        }
        if !after.exit_status.is_empty() {
            self.text("In general:");
        }
        for (number, meaning) in sections::EXIT_STATUS {
            self.item(vec![bold(*number)], meaning);
        }
    }

    fn entries(&mut self, title: &str, entries: &[Entry], name: &str) {
        for (at, entry) in entries.iter().filter(|entry| entry.is_for(name)).enumerate() {
            if at == 0 {
                self.section(title);
            }
            self.item(vec![bold(entry.name)], entry.text);
        }
    }

    fn see_also(&mut self, place: &ManualSection, places: &[&ManualSection]) {
        self.section("SEE ALSO");
        let ours =
            places.iter().filter(|other| place.is_near(other)).map(|other| format!("{}(1)", other.name));
        let others = sections::OTHERS.iter().filter(|(_, pages)| pages.contains(&place.name.as_str()));
        let all = ours.chain(others.map(|(other, _)| (*other).to_owned())).collect::<Vec<_>>();
        self.text(all.join(", "));
        self.0.control("PP", []);
        self.text(concat!("Formats, rules and reports are specified at ", env!("CARGO_PKG_REPOSITORY"), "."));
    }
}

fn is_common(option: &Arg) -> bool {
    option.is_global_set() || ["help", "version"].contains(&option.get_id().as_str())
}

fn about(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    about.trim_end_matches('.').to_owned()
}

fn value_names(argument: &Arg) -> String {
    argument.get_value_names().unwrap_or_default().join(" ")
}

/// What an argument is, with its default, and with its values where [`Page::possible_values`] has nothing to tell of them.
fn help(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = sentence(&help);
    if !argument.get_action().takes_values() {
        return text;
    }
    let values = argument.get_possible_values();
    if !argument.is_hide_possible_values_set()
        && !values.is_empty()
        && values.iter().all(|value| value.get_help().is_none())
    {
        let names = values.iter().map(|value| value.get_name()).collect::<Vec<_>>();
        text += &format!(" [possible values: {}]", names.join(", "));
    }
    let defaults =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect::<Vec<_>>();
    if !defaults.is_empty() {
        text += &format!(" [default: {}]", defaults.join(", "));
    }
    text
}

/// Text that ends as a sentence does; what is said in brackets after it stays outside.
fn sentence(text: &str) -> String {
    let (text, brackets) = match text.strip_suffix(']').and_then(|text| text.rsplit_once(" [")) {
        Some((text, brackets)) => (text, Some(brackets)),
        None => (text, None),
    };
    let end = if text.is_empty() || text.ends_with(['.', ':', '?', '!']) { "" } else { "." };
    match brackets {
        Some(brackets) => format!("{text}{end} [{brackets}]"),
        None => format!("{text}{end}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_before_their_brackets() {
        assert_eq!(sentence("How hard"), "How hard.");
        assert_eq!(sentence("Is it?"), "Is it?");
        assert_eq!(sentence("How hard [default: 3]"), "How hard. [default: 3]");
    }
}
