//! The one table of everything that can be wrong.

use imsprep_findings::Rule;

/// Every rule of every crate, by code.
pub fn all_rules() -> Vec<&'static Rule> {
    let tables = [
        imsprep_bitmap::RULES,
        imsprep_rules::RULES,
        imsprep_rules::INTENT_RULES,
        imsprep_rules::CONTENT_RULES,
        imsprep_rules::REQUEST_RULES,
        imsprep_rules::SYSTEM_RULES,
        imsprep_zvhd2::RULES,
    ];
    let mut rules = tables.into_iter().flatten().copied().collect::<Vec<_>>();
    rules.sort_by_key(|rule| rule.code);
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_rule_says_all_it_should() {
        let rules = all_rules();
        for pair in rules.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} {}", pair[0].code, pair[1].code);
        }
        for rule in rules {
            let texts = [rule.title, rule.why, rule.source, rule.fix];
            assert!(texts.iter().all(|text| !text.is_empty() && !text.contains("  ")), "{}", rule.code);
        }
    }
}
