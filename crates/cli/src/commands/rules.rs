//! `imsprep rules`

use imsprep_findings::Rule;
use imsprep_toolkit::all_rules;

use crate::args::RulesArgs;
use crate::codes::find_rule;
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
    if codes.is_empty() {
        return Ok(all_rules());
    }
    codes.iter().map(|code| find_rule(code).map_err(anyhow::Error::msg)).collect()
}
