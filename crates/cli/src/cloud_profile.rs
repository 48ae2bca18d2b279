//! The cloud that `--profile` names.

use imsprep_rules::{PROFILES, Profile};

/// The profile of that name.
///
/// # Errors
///
/// The names that there are.
pub(crate) fn find_profile(name: &str) -> Result<&'static Profile, String> {
    PROFILES.iter().copied().find(|profile| profile.name == name).ok_or_else(|| {
        let names = PROFILES.iter().map(|profile| format!("`{}`", profile.name)).collect::<Vec<_>>();
        format!("unknown variant `{name}`, expected {}", names.join(" or "))
    })
}
