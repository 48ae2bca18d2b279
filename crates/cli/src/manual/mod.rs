//! Manual pages, made from the definitions of the command line and from what [`sections`] says beside them. clap's own
//! generator knows neither of examples nor of what stands for all commands, and mixes the common options with the others.

mod after_help;
mod page;
mod sections;

use clap::Command;

use crate::args;

/// The name of the program, and of its page.
pub(crate) const PROGRAM: &str = "imsprep";

/// The page of one command.
pub(crate) struct Page {
    /// The words of the command, joined by hyphens.
    pub(crate) name: String,
    /// In the language of roff, with the macros of man(7).
    pub(crate) text: String,
}

impl Page {
    /// The file that `man` looks for.
    pub(crate) fn file_name(&self) -> String {
        format!("{}.1", self.name)
    }
}

/// The pages of the program and of all its commands, in the order of the help.
pub(crate) fn pages() -> Vec<Page> {
    let mut program = args::definition().disable_help_subcommand(true);
    // Only then a command knows its whole name, and the options of all commands.
    program.build();
    let mut commands = Vec::new();
    collect(&program, None, &mut commands);
    let places = commands.iter().map(|(_, place)| place).collect::<Vec<_>>();
    commands
        .iter()
        .map(|(command, place)| Page {
            name: place.name.clone(),
            text: page::render(command, place, &places),
        })
        .collect()
}

/// Where a page stands among the others.
struct ManualSection {
    name: String,
    /// The page of the command that it is below of.
    above: Option<String>,
}

impl ManualSection {
    /// Whether the page of this names that one: the program's, those above and below it, those beside it.
    fn is_near(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.above.as_ref(), other.above.as_ref());
        self.name != other.name
            && (other.name == PROGRAM
                || mine == Some(&other.name)
                || theirs == Some(&self.name)
                || (mine.is_some() && mine == theirs))
    }
}

fn collect<'a>(command: &'a Command, above: Option<&str>, commands: &mut Vec<(&'a Command, ManualSection)>) {
    let name = name_of(command);
    commands.push((command, ManualSection { name: name.clone(), above: above.map(str::to_owned) }));
    for below in command.get_subcommands() {
        collect(below, Some(&name), commands);
    }
}

fn name_of(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_page_is_said_of_one_that_there_is() {
        let names = pages().into_iter().map(|page| page.name).collect::<Vec<_>>();
        assert_eq!(names.first().map(String::as_str), Some(PROGRAM));
        for section in [sections::ENVIRONMENT, sections::FILES] {
            for entry in section {
                for page in entry.pages {
                    assert!(names.iter().any(|name| name == page), "{page}");
                }
            }
        }
    }

    #[test]
    fn pages_name_their_neighbours() {
        let place = |name: &str, above: Option<&str>| ManualSection {
            name: name.into(),
            above: above.map(Into::into),
        };
        let program = place("imsprep", None);
        let [check, bitmap] = ["imsprep-check", "imsprep-bitmap"].map(|name| place(name, Some("imsprep")));
        let sample = place("imsprep-bitmap-make-sample", Some("imsprep-bitmap"));
        let show = place("imsprep-bitmap-show", Some("imsprep-bitmap"));
        for (one, other, near) in [
            (&program, &check, true),
            (&program, &show, false),
            (&bitmap, &sample, true),
            (&sample, &bitmap, true),
            (&sample, &show, true),
            (&sample, &program, true),
            (&sample, &sample, false),
            (&sample, &check, false),
        ] {
            assert_eq!(one.is_near(other), near, "{} {}", one.name, other.name);
        }
    }
}
