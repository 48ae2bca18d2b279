//! One place where a rule is broken.

use std::fmt;

use crate::{Rule, Severity};

/// That a finding is allowed, and what it would be otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The severity that it would have.
    pub instead_of: Severity,
    /// Why the user allows it, in the user's own words.
    pub because: Option<String>,
}

/// A place in the system on the disk. The texts come from the image: not to be printed unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestPlace {
    /// The volume, such as `partition 2`.
    pub volume: String,
    /// The file's path as the system sees it; `None` if all of the volume is meant.
    pub path: Option<String>,
    /// The line of the file, from 1, where there is one.
    pub line: Option<u32>,
}

impl fmt::Display for GuestPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.volume)?;
        self.path.as_ref().map_or(Ok(()), |path| write!(f, ": {path}"))?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// One broken rule at one place, with what was found and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The broken rule.
    pub rule: &'static Rule,
    /// The rule's severity, or what a profile or the user made of it.
    pub severity: Severity,
    /// Whether a conversion works in spite of it: what the rule says, unless this image is of a kind that it does not hold for.
    pub convertible: bool,
    /// That the user allows it, where the severity is [`Severity::Allowed`].
    pub allowed: Option<Allowance>,
    /// What is wrong here, one sentence without a full stop.
    pub message: String,
    /// Byte offset in the file, where there is one.
    pub offset: Option<u64>,
    /// Block number on the virtual disk, where there is one.
    pub block: Option<u64>,
    /// The field of a request body that it is about, by its path, such as `image_tags[2].key`.
    pub field: Option<String>,
    /// Where in the system on the disk it is, of findings on that system. The commands of their advice run in the system.
    pub guest: Option<GuestPlace>,
    /// What the rule asks for here.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// How to fix it here, where that is more exact than the rule's own advice.
    pub fix: Option<String>,
    /// The same with `FILE` for the file's name in its commands, from who does not know how a shell takes that.
    pub template: Option<String>,
}

impl Finding {
    /// A finding with the rule's own severity and no place yet.
    pub fn new(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.severity,
            convertible: rule.convertible,
            allowed: None,
            message: message.into(),
            offset: None,
            block: None,
            field: None,
            guest: None,
            expected: None,
            found: None,
            fix: None,
            template: None,
        }
    }

    /// At this byte offset in the file.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// In this block of the virtual disk.
    #[must_use]
    pub fn in_block(mut self, block: u64) -> Self {
        self.block = Some(block);
        self
    }

    /// In this field of a request body.
    #[must_use]
    pub fn in_field(mut self, path: impl Into<String>) -> Self {
        self.field = Some(path.into());
        self
    }

    /// In the system on the disk, at this place.
    #[must_use]
    pub fn in_guest(mut self, place: GuestPlace) -> Self {
        self.guest = Some(place);
        self
    }

    /// What the rule asks for.
    #[must_use]
    pub fn expected(mut self, expected: impl ToString) -> Self {
        self.expected = Some(expected.to_string());
        self
    }

    /// What is there instead.
    #[must_use]
    pub fn found(mut self, found: impl ToString) -> Self {
        self.found = Some(found.to_string());
        self
    }

    /// How to fix this finding.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// How to fix this finding, with `FILE` for the name of the file in its commands: see [`Report::name_file`](crate::Report::name_file).
    #[must_use]
    pub fn template(mut self, template: impl Into<String>) -> Self {
        self.template = Some(template.into());
        self
    }

    /// With another severity than the rule's own.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The advice to show: this finding's own, else the rule's.
    pub fn advice(&self) -> &str {
        self.fix.as_deref().or(self.template.as_deref()).unwrap_or(self.rule.fix)
    }

    /// The commands in the advice, in their order, ready to be run where the file's name leads to it. Those that run in the system on
    /// the disk are not among them.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        commands_in(if self.guest.is_none() { self.advice() } else { "" })
    }

    /// The commands in the advice that run in the system on the disk, in their order.
    pub fn guest_commands(&self) -> impl Iterator<Item = &str> {
        commands_in(if self.guest.is_some() { self.advice() } else { "" })
    }
}

/// The commands in a text: what stands between back quotes. No name within one has a back quote: whoever puts names into commands
/// writes it in another way.
pub fn commands_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A text in whose commands this stands for the word `FILE`; `None` if none has it.
pub(crate) fn with_file(text: &str, file: &str) -> Option<String> {
    if !commands_in(text).any(|command| command.contains("FILE")) {
        return None;
    }
    let parts = text.split('`').enumerate();
    let parts = parts
        .map(|(number, part)| if number % 2 == 1 { part.replace("FILE", file) } else { part.to_owned() });
    Some(parts.collect::<Vec<_>>().join("`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_for_the_system_are_apart() {
        static RULE: Rule = Rule { title: "t", fix: "run `true`", ..Rule::without_texts(true) };
        let outside = Finding::new(&RULE, "m");
        assert_eq!((outside.commands().count(), outside.guest_commands().count()), (1, 0));
        let place =
            GuestPlace { volume: "partition 1".into(), path: Some("/etc/fstab".into()), line: Some(3) };
        assert_eq!(place.to_string(), "partition 1: /etc/fstab:3");
        let inside = outside.in_guest(place);
        assert_eq!(
            (inside.commands().count(), inside.guest_commands().collect::<Vec<_>>()),
            (0, vec!["true"])
        );
    }

    #[test]
    fn commands_stand_between_back_quotes_and_get_the_files_name() {
        let text = "FILE is bad: `cut FILE FILE.new`, or `true`; not FILE";
        assert_eq!(commands_in(text).collect::<Vec<_>>(), ["cut FILE FILE.new", "true"]);
        assert_eq!(
            with_file(text, "'a b'").unwrap(),
            "FILE is bad: `cut 'a b' 'a b'.new`, or `true`; not FILE"
        );
        assert_eq!(with_file("FILE: `true`", "x"), None);
        assert_eq!(commands_in("none").count(), 0);
    }
}
