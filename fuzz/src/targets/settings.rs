//! Input: the text of an `imsprep.toml`.
//!
//! Oracle: what is taken is what a plain table of the same text holds, and a text that is no table is not taken; each place is one of
//! the text, and that of a code is where the code is; a comment in front moves all places by a line and changes nothing else.

use imsprep_rules::{CodeSetting, Settings, TextPlace};
use toml::{Table, Value};

use crate::plant::planted;

/// See the module.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // With a comment in front of it a byte order mark would be in the middle.
    if text.starts_with('\u{feff}') {
        return;
    }
    let table = text.parse::<Table>();
    let parsed = planted(Settings::parse(text), |parsed| {
        // Settings that lose what is denied.
        parsed.iter_mut().for_each(|settings| settings.deny.clear());
    });
    let moved = Settings::parse(&format!("# moved\n{text}"));
    let settings = match parsed {
        Ok(settings) => settings,
        Err(mut error) => {
            assert!(!error.message.contains('\n'), "{error:?}");
            assert!(rest_of_line(text, error.place).is_some(), "{error:?}");
            error.place.line += 1;
            assert_eq!(moved, Err(error));
            return;
        }
    };
    let table = table.expect("settings that are no table");
    assert_eq!(settings.profile.map(|profile| profile.name), text_of(&table, "profile"));
    assert_eq!(settings.purpose.map(|purpose| purpose.name()), text_of(&table, "purpose"));
    assert_eq!(settings.prefix.as_deref(), text_of(&table, "prefix"));
    assert_eq!(settings.layout.as_deref(), text_of(&table, "layout"));
    assert_eq!(settings.strict, is_true(&table, "strict"));
    assert_eq!(settings.bare_metal, is_true(&table, "bms"));
    let allow = table.get("allow").and_then(Value::as_table).into_iter().flatten();
    let mut allow = allow.map(|(code, reason)| (code.as_str(), reason.as_str())).collect::<Vec<_>>();
    allow.sort_unstable();
    let found = settings.allow.iter().map(|it| (it.code.as_str(), it.reason.as_deref())).collect::<Vec<_>>();
    assert_eq!(found, allow);
    assert!(allow.iter().all(|(_, reason)| reason.is_some_and(|reason| !reason.trim().is_empty())));
    let deny = table.get("deny").and_then(Value::as_array).into_iter().flatten();
    let found = settings.deny.iter().map(|it| Some(it.code.as_str())).collect::<Vec<_>>();
    assert_eq!(found, deny.map(Value::as_str).collect::<Vec<_>>());

    for CodeSetting { code, place, .. } in settings.allow.iter().chain(&settings.deny) {
        let there = rest_of_line(text, *place).expect("a place of the text");
        // In quotes, where there may be escapes, or bare.
        assert!(
            there.starts_with(['"', '\'']) || there.starts_with(code.as_str()),
            "{code} at {place}: {there}"
        );
    }
    let mut expected = settings;
    expected.allow.iter_mut().chain(&mut expected.deny).for_each(|setting| setting.place.line += 1);
    assert_eq!(moved, Ok(expected));
}

fn text_of<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

fn is_true(table: &Table, key: &str) -> bool {
    table.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// What comes from this place to the end of its line; `None` if there is no such place.
fn rest_of_line(text: &str, place: TextPlace) -> Option<&str> {
    let line = text.split('\n').nth(place.line.checked_sub(1)?)?;
    let start =
        line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(place.column.checked_sub(1)?)?;
    line.get(start..)
}

/// Texts with each key, and mistakes.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "# ours\nprofile = \"otc\"\nstrict = true\npurpose = \"data\"\nbms = true\nprefix = \"images/\"\nlayout = \"ours.toml\"\n\
         deny = [\"IMS-012\", 'ZV-001']\n\n[allow]\nBM-005 = \"imported one\"\n\"IMS-006\" = '''we\nknow'''\n",
        "allow = { BM-005 = \"x\" }\ndeny = []\n",
        "deny = [\"BM-005\"]\nallow.BM-005 = \"x\"\n",
        "strict = true\nstrikt = true\n",
        "[allow]\nBM-005 = \" \"\n",
        "profile = \"aws\"\n",
        "",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
