//! Rules by the codes that people type.

use imsprep_findings::Rule;
use imsprep_toolkit::all_rules;

/// The rule of this code, in whatever case.
///
/// # Errors
///
/// What to tell the user, with the code that comes nearest.
pub(crate) fn find_rule(code: &str) -> Result<&'static Rule, String> {
    let rules = all_rules();
    if let Some(rule) = rules.iter().find(|rule| rule.code.eq_ignore_ascii_case(code)) {
        return Ok(rule);
    }
    let code = code.to_ascii_uppercase();
    let nearest = rules.iter().min_by_key(|rule| strsim::osa_distance(rule.code, &code));
    let nearest = nearest.map(|rule| format!("; the nearest is {}: {}", rule.code, rule.title));
    Err(format!("there is no rule {code}{}; imsprep rules lists them all", nearest.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_in_any_case_and_the_nearest_of_what_is_none() {
        assert_eq!(find_rule("bm-001").map(|rule| rule.code), Ok("BM-001"));
        for (typed, nearest) in
            [("BM-0005", "BM-005"), ("ISM-001", "IMS-001"), ("ZV001", "ZV-001"), ("", "BM-001")]
        {
            let error = find_rule(typed).unwrap_err();
            assert!(error.contains(&format!("the nearest is {nearest}:")), "{typed}: {error}");
        }
    }
}
