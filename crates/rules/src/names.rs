//! Names from a file, in a sentence.

/// Names that a sentence lists.
const SHOWN: usize = 3;

/// The first names, escaped and in quotes, and how many more there are: `"a", "b", "c" and 7 more`.
pub fn shown_names(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
