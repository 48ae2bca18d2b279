//! What this program is: its version, the commit that it was made from, and what is built into it.

use std::sync::LazyLock;

use imsprep_bitmap::layout::ZVHD2;
use imsprep_rules::RULE_SET_DATE;
use imsprep_zvhd2::libzstd_version;

/// On one line: the version, and in brackets the commit and its date, if the build script could tell.
pub(crate) const SHORT: &str = env!("IMSPREP_VERSION");

/// The date of the commit; empty if the build script could not tell.
const COMMIT_DATE: &str = env!("IMSPREP_COMMIT_DATE");

/// When this program was made, for its manual: the day of the commit, or else of the rules, which are never younger.
pub(crate) fn date() -> &'static str {
    if COMMIT_DATE.is_empty() { RULE_SET_DATE } else { COMMIT_DATE }
}

/// The same, and what results depend on.
pub(crate) fn long() -> &'static str {
    static LONG: LazyLock<String> = LazyLock::new(|| {
        let linked = if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" };
        format!(
            "{SHORT}\nrules   {RULE_SET_DATE}\nbitmap  {layout} (default layout)\nzstd    {zstd}\n\
             target  {target}, {linked}",
            layout = ZVHD2.name,
            zstd = libzstd_version(),
            target = env!("IMSPREP_TARGET"),
        )
    });
    &LONG
}
