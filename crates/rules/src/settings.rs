//! What a project says about all its imports: the text of an `imsprep.toml`.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::intent::Purpose;
use crate::profile::{PROFILES, Profile};

/// The settings of a project. The default says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The cloud; `None` if the project names none.
    pub profile: Option<&'static Profile>,
    /// Warnings count as errors.
    pub strict: bool,
    /// What the disks are for.
    pub purpose: Option<Purpose>,
    /// The images are for bare-metal servers.
    pub bare_metal: bool,
    /// What comes before a file's name in the bucket, such as `images/2026`.
    pub prefix: Option<String>,
    /// The name of a built-in layout of bitmap files, or the path of a description of one.
    pub layout: Option<String>,
    /// The rules whose findings do not count, in the order of their codes.
    pub allow: Vec<CodeSetting>,
    /// The rules whose findings are errors, in the order of the text.
    pub deny: Vec<CodeSetting>,
}

/// A code in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeSetting {
    /// The code as it was written; there may be no such rule.
    pub code: String,
    /// Where it is.
    pub place: TextPlace,
    /// Why the rule is allowed: at least one letter. `None` for a rule that is denied.
    pub reason: Option<String>,
}

/// A place in a text, both numbers counted from 1; the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPlace {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

impl TextPlace {
    fn of(text: &str, span: Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        Self { line, column }
    }
}

impl fmt::Display for TextPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What is wrong with the text of settings, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct SettingsError {
    /// Where it is wrong.
    pub place: TextPlace,
    /// What is wrong, in one line.
    pub message: String,
}

/// The form of the text.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    #[serde(default, deserialize_with = "profile")]
    profile: Option<&'static Profile>,
    #[serde(default)]
    strict: bool,
    purpose: Option<PurposeName>,
    #[serde(default)]
    bms: bool,
    prefix: Option<String>,
    layout: Option<String>,
    #[serde(default)]
    deny: Vec<Spanned<String>>,
    #[serde(default)]
    allow: std::collections::BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PurposeName {
    System,
    Data,
}

fn profile<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'static Profile>, D::Error> {
    let name = String::deserialize(from)?;
    Profile::named(&name).map(Some).ok_or_else(|| {
        let names = PROFILES.iter().map(|profile| format!("`{}`", profile.name)).collect::<Vec<_>>();
        serde::de::Error::custom(format!("unknown cloud `{name}`, expected {}", names.join(" or ")))
    })
}

impl Settings {
    /// Reads the text of settings. Codes are taken as they are written: whether there is such a rule is not asked here.
    ///
    /// # Errors
    ///
    /// If the text is no TOML, has an unknown key or a value of another kind, or allows a rule without a reason.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let parsed = toml::from_str::<Text>(text).map_err(|error| SettingsError {
            place: TextPlace::of(text, error.span().unwrap_or_default()),
            message: error.message().replace('\n', ", "),
        })?;
        let setting = |code: &Spanned<String>, reason| CodeSetting {
            code: code.get_ref().clone(),
            place: TextPlace::of(text, code.span()),
            reason,
        };
        let mut allow = Vec::new();
        for (code, because) in &parsed.allow {
            if because.get_ref().trim().is_empty() {
                let place = TextPlace::of(text, because.span());
                let message = format!("{} is allowed without a reason", code.get_ref());
                return Err(SettingsError { place, message });
            }
            allow.push(setting(code, Some(because.get_ref().clone())));
        }
        Ok(Self {
            profile: parsed.profile,
            strict: parsed.strict,
            purpose: parsed.purpose.map(|name| match name {
                PurposeName::System => Purpose::System,
                PurposeName::Data => Purpose::Data,
            }),
            bare_metal: parsed.bms,
            prefix: parsed.prefix,
            layout: parsed.layout,
            deny: parsed.deny.iter().map(|code| setting(code, None)).collect(),
            allow,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::OTC;

    #[test]
    fn all_that_a_text_may_say() {
        let text = "# ours\nprofile = \"otc\"\nstrict = true\npurpose = \"data\"\nbms = true\nprefix = \"images/\"\n\
                    layout = \"ours.toml\"\ndeny = [\"IMS-012\"]\n\n[allow]\nBM-005 = \"imported one on Monday\"\n";
        let code = |code: &str, line, column, reason: Option<&str>| {
            let (code, reason) = (code.to_owned(), reason.map(str::to_owned));
            vec![CodeSetting { code, place: TextPlace { line, column }, reason }]
        };
        let expected = Settings {
            profile: Some(&OTC),
            strict: true,
            purpose: Some(Purpose::Data),
            bare_metal: true,
            prefix: Some("images/".into()),
            layout: Some("ours.toml".into()),
            allow: code("BM-005", 11, 1, Some("imported one on Monday")),
            deny: code("IMS-012", 8, 9, None),
        };
        assert_eq!(Settings::parse(text), Ok(expected));
        assert_eq!(Settings::parse(""), Ok(Settings::default()));
    }
}
