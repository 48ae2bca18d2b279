//! Rules by the codes that people type.

use imsprep_findings::Rule;
use imsprep_rules::ServiceCode;
use imsprep_toolkit::all_rules;

/// What a code that a person types stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// A rule of ours.
    Rule(&'static Rule),
    /// An error of the service's.
    Service(&'static ServiceCode),
}

/// The rule or the service's error of this code, in whatever case.
///
/// # Errors
///
/// What to tell the user, with the code that comes nearest.
pub(crate) fn find_code(code: &str) -> Result<Code, String> {
    if !ServiceCode::is_meant(code) {
        return find_rule(code).map(Code::Rule);
    }
    ServiceCode::find(code).map(Code::Service).map_err(|near| {
        let near = near.first().map(|near| format!("; the nearest is {near}")).unwrap_or_default();
        format!("the service's documentation has no error code {}{near}", code.to_ascii_uppercase())
    })
}

/// The rules whose findings mean that the service would answer with this code.
pub(crate) fn rules_that_foresee(code: &ServiceCode) -> Vec<&'static Rule> {
    let foresees =
        |rule: &&Rule| rule.service_code == Some(code.code) || code.foreseen_by.contains(&rule.code);
    all_rules().into_iter().filter(foresees).collect()
}

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
    Err(format!("there is no rule {code}{}; imsprep rules lists all rules", nearest.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_a_code_names_exists_and_every_code_that_a_rule_names_is_explained() {
        for code in ServiceCode::all() {
            for rule in &code.foreseen_by {
                assert!(find_rule(rule).is_ok(), "{}: {rule}", code.code);
            }
        }
        for rule in all_rules() {
            for code in rule
                .service_code
                .iter()
                .copied()
                .chain(rule.why.match_indices("IMG.").filter_map(|(at, _)| rule.why.get(at..at + 8)))
            {
                let known = ServiceCode::find(code).unwrap_or_else(|_| panic!("{}: {code}", rule.code));
                assert!(rules_that_foresee(known).contains(&rule), "{} names {code}", rule.code);
            }
        }
        assert!(
            matches!(find_code("img.0056"), Ok(Code::Service(_)))
                && matches!(find_code("bm-001"), Ok(Code::Rule(_)))
        );
        assert!(find_code("IMG.9056").unwrap_err().contains("nearest is IMG.0056"));
        let foreseen = |code| {
            rules_that_foresee(ServiceCode::find(code).unwrap())
                .iter()
                .map(|rule| rule.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(foreseen("IMG.0159"), ["IMS-120"]);
        assert_eq!(foreseen("IMG.0111"), ["IMS-003", "IMS-042", "IMS-148"]);
        assert!(foreseen("IMG.0239").is_empty());
    }

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
