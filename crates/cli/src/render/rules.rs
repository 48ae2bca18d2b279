//! `imsprep rules`

use std::fmt::Write as _;

use imsprep_findings::Rule;
use imsprep_rules::REQUEST_RULES;

use crate::setup::Detail;
use crate::style;

/// A line for each rule; with `-v`, all that there is to say of it.
pub(crate) fn text(rules: &[&Rule], detail: Detail) -> String {
    let mut text = String::new();
    for rule in rules {
        let style = style::of(rule.severity);
        let _ = writeln!(text, "{:8} {style}{:8}{style:#} {}", rule.code, rule.severity, rule.title);
        if detail == Detail::Verbose {
            let _ = writeln!(text, "         why: {}", rule.why);
            if let Some(code) = rule.service_code {
                let _ = writeln!(text, "         the service's code: {code}");
            }
            if let Some(conversion) = conversion(rule) {
                let _ = writeln!(text, "         conversion: {conversion}");
            }
            let _ = writeln!(text, "         source: {}", rule.source);
            let _ = writeln!(text, "         fix: {}\n", rule.fix);
        }
    }
    text
}

/// What `--allow` does for a conversion; `None` for a rule that no conversion asks, of a bitmap file or a request.
fn conversion(rule: &Rule) -> Option<String> {
    let of_request = REQUEST_RULES.iter().any(|other| other.code == rule.code);
    if !rule.convertible {
        Some("not possible while a finding of this rule is an error; --allow does not change that".into())
    } else if of_request || rule.code.starts_with("BM-") {
        None
    } else {
        Some(format!(
            "possible; where convert or prepare refuses the image, --allow {} overrides it",
            rule.code
        ))
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// The page docs/rules.md.
pub(crate) fn markdown(rules: &[&Rule]) -> String {
    let mut text =
        String::from("# The rules\n\nEvery rule of imsprep, written by `imsprep rules --markdown`. ");
    let _ = writeln!(
        text,
        "The date of the rule set is {}. Codes are stable and never reused.\n",
        imsprep_rules::RULE_SET_DATE
    );
    text += "Convertible: a conversion is possible despite a finding of the rule. With a finding of any other rule, \
             no conversion can produce a complete disk, and --allow does not change that.\n\n";
    text += "Severity: that of `imsprep check`. For `convert` and `prepare`, IMS-017 is an error, because the disk may lack the last \
             writes. For `convert`, `compare` and `bitmap`, which process any file, IMS-034 and IMS-035 are warnings.\n\n";
    text += "| code | the service's code | severity | convertible | finding | reason | source | fix |\n|---|---|---|---|---|---|---|---|\n";
    for rule in rules {
        let service_code = rule.service_code.unwrap_or_default();
        let severity = rule.severity.as_str();
        let convertible = yes_or_no(rule.convertible);
        let cells =
            [rule.code, service_code, severity, convertible, rule.title, rule.why, rule.source, rule.fix];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('<', "&lt;"));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}
