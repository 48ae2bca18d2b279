//! What an image is judged by: flags and project file, resolved.

use std::path::PathBuf;

use anyhow::{Context, bail};
use imsprep_findings::{Overrides, Report, Severity};
use imsprep_rules::{HUAWEI, Intent, Profile};
use imsprep_source::belongs_to_user;

use crate::args::{IntentArgs, PolicyArgs, RulesOf};
use crate::config::{Config, Found, find};
use crate::exit::Status;
use crate::failure::{hint, note, warning};
use crate::project_layout::ProjectLayout;
use crate::setup::{Detail, Output, Setup};
use crate::terminal::shown;

/// What an image is judged by.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) profile: &'static Profile,
    pub(crate) warnings: Warnings,
    pub(crate) intent: Intent,
    pub(crate) overrides: Overrides,
    /// What the project file says of the layout of bitmap files.
    pub(crate) layout: Option<ProjectLayout>,
    /// The project file that was read.
    pub(crate) config: Option<PathBuf>,
    /// One that was found and not read, as it belongs to another user.
    pub(crate) ignored_config: Option<PathBuf>,
}

impl Policy {
    /// Puts flags above the project file, and that above the defaults.
    ///
    /// # Errors
    ///
    /// If the project file can't be used, or flags contradict one another.
    pub(crate) fn resolve(args: &PolicyArgs, intent: &IntentArgs, setup: &Setup) -> anyhow::Result<Self> {
        let (config, ignored_config) = read_config(&args.rules, setup)?;
        if let (Some(config), Output::Text(Detail::Verbose)) = (&config, setup.output) {
            note(format!("settings of {}", shown(&config.path.display().to_string())));
        }
        Ok(Self { ignored_config, ..Self::of(args, intent, config)? })
    }

    fn of(args: &PolicyArgs, intent: &IntentArgs, config: Option<Config>) -> anyhow::Result<Self> {
        let path = config.as_ref().map(|config| config.path.clone());
        let config = config.unwrap_or_default();
        let mut overrides = config.overrides;
        for rule in &args.allow {
            if args.deny.contains(rule) {
                bail!("{} is both allowed and denied", rule.code);
            }
            overrides.allow(rule, None);
        }
        for rule in &args.deny {
            overrides.deny(rule);
        }
        Ok(Self {
            profile: args.rules.profile.or(config.profile).unwrap_or(&HUAWEI),
            warnings: Warnings::from_flag(args.strict || config.strict),
            intent: Intent {
                purpose: intent.purpose.map(Into::into).or(config.purpose),
                min_disk: intent.min_disk,
                bare_metal: intent.bms || config.bms,
                prefix: intent.prefix.clone().or(config.prefix),
            },
            overrides,
            layout: config.layout,
            config: path,
            ignored_config: None,
        })
    }
}

/// What the project file of this folder says of the layout of bitmap files, for commands that take nothing else from it.
///
/// # Errors
///
/// If the project file can't be used.
pub(crate) fn project_layout(setup: &Setup) -> anyhow::Result<Option<ProjectLayout>> {
    let (config, _) = read_config(&RulesOf::default(), setup)?;
    Ok(config.and_then(|config| config.layout))
}

impl Policy {
    /// The flags by which another command, in whatever folder, judges by the same; each with a space before it.
    pub(crate) fn flags(&self) -> String {
        let mut flags = self.profile.flag();
        if flags.is_empty() && self.config.is_some() {
            flags = format!(" --profile {}", self.profile.name);
        }
        if self.warnings == Warnings::Count {
            flags += " --strict";
        }
        let (allowed, denied) = self.overrides.codes();
        flags.extend(allowed.map(|code| format!(" --allow {code}")));
        flags.extend(denied.map(|code| format!(" --deny {code}")));
        flags
    }
}

/// The project file, and one that does not hold.
fn read_config(args: &RulesOf, setup: &Setup) -> anyhow::Result<(Option<Config>, Option<PathBuf>)> {
    let found = match &args.config {
        // Who names a file means it.
        Some(path) => Some(Found::Ours(path.clone())),
        None if args.no_config => None,
        None => {
            let folder = std::env::current_dir().context("cannot tell which folder this is")?;
            find(&folder, belongs_to_user)
        }
    };
    match found {
        None => Ok((None, None)),
        Some(Found::Ours(path)) => Ok((Some(Config::read(&path)?), None)),
        Some(Found::Foreign { path, what }) => {
            if setup.output != Output::Quiet {
                let (path, what) = (path.display().to_string(), what.display().to_string());
                let path = shown(&path);
                warning(format!("{path} is ignored: {} belongs to another user", shown(&what)));
                hint(format!("if you trust it, use --config {path}"));
            }
            Ok((None, Some(path)))
        }
    }
}

/// What the warnings of a report do to the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warnings {
    /// They leave it alone.
    Pass,
    /// They count like errors: `--strict`.
    Count,
}

impl Warnings {
    pub(crate) fn from_flag(strict: bool) -> Self {
        if strict { Self::Count } else { Self::Pass }
    }

    /// The status that a report leads to.
    pub(crate) fn status(self, report: &Report) -> Status {
        match (report.worst(), self) {
            (Some(Severity::Error), _) | (Some(Severity::Warning), Self::Count) => Status::Wrong,
            _ => Status::Fine,
        }
    }
}

#[cfg(test)]
mod tests {
    use imsprep_rules::{OTC, Purpose};

    use super::*;
    use crate::args::PurposeName;
    use crate::codes::find_rule;

    #[test]
    fn flags_beat_the_file_and_the_file_beats_the_defaults() {
        let file = || {
            let mut config = Config {
                path: "imsprep.toml".into(),
                profile: Some(&OTC),
                strict: true,
                purpose: Some(Purpose::Data),
                prefix: Some("file/".into()),
                ..Config::default()
            };
            config.overrides.allow(find_rule("BM-005").unwrap(), Some("said so".into()));
            config.overrides.deny(find_rule("IMS-012").unwrap());
            Some(config)
        };
        let none = PolicyArgs::default();
        let policy = Policy::of(&none, &IntentArgs::default(), None).unwrap();
        assert_eq!((policy.profile.name, policy.warnings), ("huawei", Warnings::Pass));
        assert_eq!((policy.intent, policy.overrides), (Intent::default(), Overrides::new()));

        let policy = Policy::of(&none, &IntentArgs::default(), file()).unwrap();
        assert_eq!((policy.profile.name, policy.warnings), ("otc", Warnings::Count));
        assert_eq!(policy.intent.purpose, Some(Purpose::Data));

        let args = PolicyArgs {
            rules: RulesOf { profile: Some(&HUAWEI), ..RulesOf::default() },
            allow: vec![find_rule("IMS-012").unwrap()],
            deny: vec![find_rule("BM-005").unwrap()],
            ..PolicyArgs::default()
        };
        let intent = IntentArgs {
            purpose: Some(PurposeName::System),
            prefix: Some("flag/".into()),
            ..IntentArgs::default()
        };
        let policy = Policy::of(&args, &intent, file()).unwrap();
        assert_eq!(policy.profile.name, "huawei");
        assert_eq!(policy.intent.purpose, Some(Purpose::System));
        assert_eq!(policy.intent.prefix.as_deref(), Some("flag/"));
        assert!(policy.overrides.denies(find_rule("BM-005").unwrap()));
        assert!(policy.overrides.allows(find_rule("IMS-012").unwrap()));

        let rule = find_rule("BM-005").unwrap();
        let both = PolicyArgs { allow: vec![rule], deny: vec![rule], ..PolicyArgs::default() };
        assert!(Policy::of(&both, &intent, None).is_err());
    }
}
