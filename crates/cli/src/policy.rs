//! What an image is judged by: flags and project file, resolved.

use std::path::PathBuf;

use anyhow::Context;
use imsprep_findings::Overrides;
use imsprep_rules::{HUAWEI, Intent, OTC, Profile};
use imsprep_source::belongs_to_user;

use crate::args::{PolicyArgs, ProfileName};
use crate::commands::Warnings;
use crate::config::{Config, Found, find};
use crate::setup::{Detail, Output, Setup};
use crate::terminal::{print_error, shown};

/// What an image is judged by.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) profile: &'static Profile,
    pub(crate) warnings: Warnings,
    pub(crate) intent: Intent,
    pub(crate) overrides: Overrides,
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
    pub(crate) fn resolve(
        args: &PolicyArgs,
        profile: Option<ProfileName>,
        strict: bool,
        setup: &Setup,
    ) -> anyhow::Result<Self> {
        let (config, ignored_config) = read_config(args, setup)?;
        if let (Some(config), Output::Text(Detail::Verbose)) = (&config, setup.output) {
            print_error(&format!("imsprep: settings of {}\n", shown(&config.path.display().to_string())));
        }
        Ok(Self { ignored_config, ..Self::of(args, profile, strict, config)? })
    }

    fn of(
        args: &PolicyArgs,
        profile: Option<ProfileName>,
        strict: bool,
        config: Option<Config>,
    ) -> anyhow::Result<Self> {
        let path = config.as_ref().map(|config| config.path.clone());
        let config = config.unwrap_or_default();
        let overrides = args.overrides.above(config.overrides)?;
        Ok(Self {
            profile: profile.or(config.profile).map_or(&HUAWEI, profile_of),
            warnings: Warnings::from_flag(strict || config.strict),
            intent: Intent {
                purpose: args.purpose.or(config.purpose).map(Into::into),
                min_disk: args.min_disk,
                bare_metal: args.bms || config.bms,
                prefix: args.prefix.clone().or(config.prefix),
            },
            overrides,
            config: path,
            ignored_config: None,
        })
    }
}

/// The project file, and one that does not hold.
fn read_config(args: &PolicyArgs, setup: &Setup) -> anyhow::Result<(Option<Config>, Option<PathBuf>)> {
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
                print_error(&format!(
                    "imsprep: {} is not read: {} belongs to another user; if you trust it: --config {}\n",
                    shown(&path),
                    shown(&what),
                    shown(&path)
                ));
            }
            Ok((None, Some(path)))
        }
    }
}

/// The profile of that name.
pub(crate) fn profile_of(name: ProfileName) -> &'static Profile {
    match name {
        ProfileName::Huawei => &HUAWEI,
        ProfileName::Otc => &OTC,
    }
}

#[cfg(test)]
mod tests {
    use imsprep_rules::Purpose;

    use super::*;
    use crate::args::{OverrideArgs, PurposeName};
    use crate::codes::find_rule;

    #[test]
    fn flags_beat_the_file_and_the_file_beats_the_defaults() {
        let file = || {
            let mut config = Config {
                path: "imsprep.toml".into(),
                profile: Some(ProfileName::Otc),
                strict: true,
                purpose: Some(PurposeName::Data),
                prefix: Some("file/".into()),
                ..Config::default()
            };
            config.overrides.allow(find_rule("BM-005").unwrap(), Some("said so".into()));
            config.overrides.deny(find_rule("IMS-012").unwrap());
            Some(config)
        };
        let none = PolicyArgs::default();
        let policy = Policy::of(&none, None, false, None).unwrap();
        assert_eq!((policy.profile.name, policy.warnings), ("huawei", Warnings::Pass));
        assert_eq!((policy.intent, policy.overrides), (Intent::default(), Overrides::new()));

        let policy = Policy::of(&none, None, false, file()).unwrap();
        assert_eq!((policy.profile.name, policy.warnings), ("otc", Warnings::Count));
        assert_eq!(policy.intent.purpose, Some(Purpose::Data));

        let args = PolicyArgs {
            purpose: Some(PurposeName::System),
            prefix: Some("flag/".into()),
            overrides: OverrideArgs {
                allow: vec![find_rule("IMS-012").unwrap()],
                deny: vec![find_rule("BM-005").unwrap()],
            },
            ..PolicyArgs::default()
        };
        let policy = Policy::of(&args, Some(ProfileName::Huawei), false, file()).unwrap();
        assert_eq!(policy.profile.name, "huawei");
        assert_eq!(policy.intent.purpose, Some(Purpose::System));
        assert_eq!(policy.intent.prefix.as_deref(), Some("flag/"));
        assert!(policy.overrides.denies(find_rule("BM-005").unwrap()));
        assert!(policy.overrides.allows(find_rule("IMS-012").unwrap()));

        let rule = find_rule("BM-005").unwrap();
        let both = OverrideArgs { allow: vec![rule], deny: vec![rule] };
        assert!(both.above(Overrides::new()).is_err());
    }
}
