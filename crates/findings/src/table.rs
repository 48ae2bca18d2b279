//! Tables of rules.

/// Defines rules, and the list of all of them: a rule that is not in the list can't be written.
///
/// The table says what holds for each rule that does not say otherwise: whether a conversion works in spite of it.
/// `service_code` is `None` unless a rule names one.
///
/// ```
/// use imsprep_findings::{Severity, rules};
///
/// rules! {
///     /// Every rule of this example, by code.
///     pub static RULES: convertible = true;
///
///     pub(crate) TRAILING = "EX-001", Error, "bytes after the end", {
///         why: "the reader takes the last 4096 bytes for the footer",
///         source: "an example",
///         fix: "cut the file at the end of its footer",
///     }
///     pub(crate) TOO_LARGE = "EX-002", Warning, "the file is large", {
///         why: "it takes long",
///         source: "an example",
///         fix: "none",
///         convertible: false,
///         service_code: Some("EX.0175"),
///     }
/// }
///
/// assert_eq!(RULES, [&TRAILING, &TOO_LARGE]);
/// assert_eq!((TRAILING.code, TRAILING.severity), ("EX-001", Severity::Error));
/// assert!(TRAILING.convertible && !TOO_LARGE.convertible);
/// ```
#[macro_export]
macro_rules! rules {
    (
        $(#[$doc:meta])*
        $visible:vis static $table:ident: convertible = $convertible:literal;
        $($rule_visible:vis $name:ident = $code:literal, $severity:ident, $title:expr, {
            why: $why:expr,
            source: $source:expr,
            fix: $fix:expr,
            $($field:ident: $value:expr,)*
        })+
    ) => {
        $(
            #[doc = $code]
            $rule_visible static $name: $crate::Rule = $crate::Rule {
                code: $code,
                severity: $crate::Severity::$severity,
                title: $title,
                why: $why,
                source: $source,
                fix: $fix,
                $($field: $value,)*
                ..$crate::Rule::without_texts($convertible)
            };
        )+

        $(#[$doc])*
        $visible static $table: &[&$crate::Rule] = &[$(&$name),+];
    };
}
