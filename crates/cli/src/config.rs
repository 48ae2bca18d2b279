//! The project file `imsprep.toml`.
//!
//! It lies in the folder that the command is run in; or, within a repository, in a folder above, up to the repository's own.
//! No further: settings that some other user left in a folder above must not decide what passes here.
//!
//! For the same reason the file, its folder, and the repository by which it was found have to belong to the user or to root, as
//! git wants it of a repository (`safe.directory`); under sudo, to the user who called it as well.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use imsprep_findings::Overrides;
use imsprep_rules::{CodeSetting, Profile, Purpose, Settings};

use crate::codes::find_rule;
use crate::project_layout::ProjectLayout;

const NAME: &str = "imsprep.toml";
/// No settings are longer; another file by this name may be.
const LONGEST: u64 = 1 << 20;

/// What a project file says.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The file, for messages and reports.
    pub(crate) path: PathBuf,
    pub(crate) profile: Option<&'static Profile>,
    pub(crate) strict: bool,
    pub(crate) purpose: Option<Purpose>,
    pub(crate) bms: bool,
    pub(crate) prefix: Option<String>,
    pub(crate) layout: Option<ProjectLayout>,
    pub(crate) overrides: Overrides,
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// If it can't be read, or says what it may not say: with line and column.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let metadata = std::fs::metadata(path).with_context(|| format!("{shown}: cannot open"))?;
        if !metadata.is_file() || metadata.len() > LONGEST {
            return Err(anyhow!(
                "{shown}: is not a settings file: it is not a regular file, or is larger than 1 MiB"
            ));
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("{shown}: cannot read"))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let shown = path.display();
        let settings = Settings::parse(text).map_err(|error| anyhow!("{shown}:{error}"))?;
        let rule = |setting: &CodeSetting| {
            find_rule(&setting.code).map_err(|error| anyhow!("{shown}:{}: {error}", setting.place))
        };
        let mut overrides = Overrides::new();
        for setting in &settings.allow {
            overrides.allow(rule(setting)?, setting.reason.clone());
        }
        for setting in &settings.deny {
            let rule = rule(setting)?;
            if overrides.allows(rule) {
                return Err(anyhow!("{shown}:{}: {} is both allowed and denied", setting.place, rule.code));
            }
            overrides.deny(rule);
        }
        let Settings { profile, strict, purpose, bare_metal, prefix, layout, .. } = settings;
        let layout = layout.map(|name| ProjectLayout::new(path, &name));
        Ok(Self {
            path: path.to_owned(),
            profile,
            strict,
            purpose,
            bms: bare_metal,
            prefix,
            layout,
            overrides,
        })
    }
}

/// A project file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It holds.
    Ours(PathBuf),
    /// It does not: this belongs to another user.
    Foreign {
        /// The file.
        path: PathBuf,
        /// What belongs to another user: the file, its folder, or the repository.
        what: PathBuf,
    },
}

/// The project file for this folder, if there is one. `is_ours` reports whether a file or folder belongs to who runs this.
pub(crate) fn find(folder: &Path, is_ours: impl Fn(&Path) -> bool) -> Option<Found> {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    let found = |path: PathBuf, parts: &[&Path]| match parts.iter().find(|part| !is_ours(part)) {
        None => Found::Ours(path),
        Some(what) => Found::Foreign { path, what: what.to_path_buf() },
    };
    let here = folder.join(NAME);
    if is_there(&here) {
        // Short, as the user would write it.
        return Some(found(NAME.into(), &[&here, folder]));
    }
    let repository = folder.ancestors().find(|folder| is_there(&folder.join(".git")))?;
    let inside = folder.ancestors().take_while(|above| above.starts_with(repository));
    let above = inside.into_iter().find(|above| is_there(&above.join(NAME)))?;
    let (path, git) = (above.join(NAME), repository.join(".git"));
    Some(found(path.clone(), &[&path, above, &git, repository]))
}

#[cfg(test)]
mod tests {
    use imsprep_rules::OTC;

    use super::*;

    fn error(text: &str) -> String {
        Config::parse(Path::new("imsprep.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn all_that_a_file_may_say() {
        let text = "# ours\nprofile = \"otc\"\nstrict = true\npurpose = \"data\"\nbms = true\nprefix = \"images/\"\n\
                    deny = [\"IMS-012\"]\n\n[allow]\nBM-005 = \"imported one on Monday\"\nims-006 = \"we know\"\n";
        let config = Config::parse(Path::new("imsprep.toml"), text).unwrap();
        assert_eq!((config.profile, config.purpose), (Some(&OTC), Some(Purpose::Data)));
        assert_eq!((config.strict, config.bms, config.prefix.as_deref()), (true, true, Some("images/")));
        let rule = |code| find_rule(code).unwrap();
        assert!(config.overrides.allows(rule("BM-005")) && config.overrides.allows(rule("IMS-006")));
        assert!(config.overrides.denies(rule("IMS-012")) && !config.overrides.denies(rule("IMS-011")));
        assert_eq!(Config::parse(Path::new("imsprep.toml"), "").unwrap().overrides, Overrides::new());
    }

    #[test]
    fn each_mistake_is_named_with_its_line() {
        for (text, expected) in [
            ("strict = true\nstrikt = true\n", "imsprep.toml:2:1: unknown field `strikt`"),
            ("profile = \"aws\"\n", "imsprep.toml:1:11: unknown cloud `aws`"),
            ("strict = \"yes\"\n", "imsprep.toml:1:10: invalid type"),
            (
                "\n\n[allow]\nBM-0005 = \"x\"\n",
                "imsprep.toml:4:1: there is no rule BM-0005; the nearest is BM-005",
            ),
            ("[allow]\nBM-005 = \" \"\n", "imsprep.toml:2:10: BM-005 is allowed without a reason"),
            ("deny = [\n  \"XX-1\",\n]\n", "imsprep.toml:2:3: there is no rule XX-1"),
            ("deny = [\"BM-005\"]\n[allow]\nBM-005 = \"x\"\n", "imsprep.toml:1:9: BM-005 is both"),
            ("strict = \n", "imsprep.toml:1:"),
            ("[allow]\nBM-005 = \"x\"\nBM-005 = \"y\"\n", "imsprep.toml:3:1: duplicate key"),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected) && !error.contains('\n'), "{text:?}: {error}");
        }
    }

    fn found(folder: &Path) -> Option<PathBuf> {
        find(folder, |_| true).map(|found| match found {
            Found::Ours(path) => path,
            Found::Foreign { .. } => unreachable!("all is ours"),
        })
    }

    #[test]
    fn a_file_above_holds_within_its_repository_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("repository/images/2026");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(dir.path().join(NAME), "").unwrap();
        assert_eq!(found(&folder), None);
        std::fs::create_dir(dir.path().join("repository/.git")).unwrap();
        assert_eq!(found(&folder), None);
        let of_repository = dir.path().join("repository").join(NAME);
        std::fs::write(&of_repository, "").unwrap();
        assert_eq!(found(&folder), Some(of_repository));
        let nearer = dir.path().join("repository/images").join(NAME);
        std::fs::write(&nearer, "").unwrap();
        assert_eq!(found(&folder), Some(nearer));
        std::fs::write(folder.join(NAME), "").unwrap();
        assert_eq!(found(&folder), Some(NAME.into()));
    }

    #[test]
    fn what_belongs_to_another_user_does_not_hold() {
        let dir = tempfile::tempdir().unwrap();
        let (top, folder) = (dir.path().join("repository"), dir.path().join("repository/images"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::create_dir(top.join(".git")).unwrap();
        std::fs::write(top.join(NAME), "").unwrap();
        let path = top.join(NAME);
        assert_eq!(find(&folder, |_| true), Some(Found::Ours(path.clone())));
        for what in [path.clone(), top.clone(), top.join(".git")] {
            let foreign = Found::Foreign { path: path.clone(), what: what.clone() };
            assert_eq!(find(&folder, |part| part != what), Some(foreign), "{}", what.display());
        }
        // Where it lies itself a repository plays no part.
        assert_eq!(find(&top, |part| part != top.join(".git")), Some(Found::Ours(NAME.into())));
        for what in [path, top.clone()] {
            let foreign = Found::Foreign { path: NAME.into(), what: what.clone() };
            assert_eq!(find(&top, |part| part != what), Some(foreign));
        }
    }
}
