//! `imsprep rules`

use imsprep_findings::Rule;
use imsprep_toolkit::all_rules;

use crate::args::RulesArgs;
use crate::exit::Status;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json};
use crate::wire;

pub(crate) fn run(args: &RulesArgs, setup: &Setup) -> anyhow::Result<Status> {
    let rules = chosen(&args.codes)?;
    if args.markdown {
        print(&render::rules::markdown(&rules))?;
        return Ok(Status::Fine);
    }
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let rules = rules.iter().map(|rule| wire::report::WireRule::from(*rule)).collect();
            let body = wire::report::Rules { rule_set: imsprep_rules::RULE_SET_DATE, rules };
            print_json(&wire::Document::new("imsprep.rules", Status::Fine, body))?;
        }
        Output::Text(detail) => print(&render::rules::text(&rules, detail))?,
    }
    Ok(Status::Fine)
}

fn chosen(codes: &[String]) -> anyhow::Result<Vec<&'static Rule>> {
    let all = all_rules();
    if codes.is_empty() {
        return Ok(all);
    }
    codes
        .iter()
        .map(|code| {
            let same = |rule: &&&'static Rule| rule.code.eq_ignore_ascii_case(code);
            all.iter()
                .find(same)
                .copied()
                .ok_or_else(|| anyhow::anyhow!("there is no rule {code}; imsprep rules lists them all"))
        })
        .collect()
}
