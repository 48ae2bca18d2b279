//! `imsprep rules`

use imsprep_findings::Rule;
use imsprep_rules::ServiceCode;
use imsprep_toolkit::all_rules;

use crate::args::RulesArgs;
use crate::codes::{Code, find_code};
use crate::exit::Status;
use crate::render;
use crate::setup::{Detail, Output, Setup};
use crate::terminal::{print, print_json};
use crate::wire;

pub(crate) fn run(args: &RulesArgs, setup: &Setup) -> anyhow::Result<Status> {
    let (rules, service_codes) = chosen(&args.codes)?;
    if args.markdown {
        // Each table only if there is something for it.
        if service_codes.is_empty() || !rules.is_empty() {
            print(&render::rules::markdown(&rules))?;
        }
        if !service_codes.is_empty() {
            print(&render::service_codes::markdown(&service_codes))?;
        }
        return Ok(Status::Fine);
    }
    match setup.output {
        Output::Quiet => {}
        Output::Json => {
            let body = wire::report::Rules {
                rule_set: imsprep_rules::RULE_SET_DATE,
                rules: rules.iter().map(|rule| wire::report::WireRule::from(*rule)).collect(),
                service_codes: service_codes.iter().map(|code| (*code).into()).collect(),
            };
            print_json(&wire::Document::new("imsprep.rules", Status::Fine, body))?;
        }
        Output::Text(detail) => {
            // Whoever names a rule wants to know what it is about.
            let detail = if args.codes.is_empty() { detail } else { Detail::Verbose };
            print(&render::rules::text(&rules, detail))?;
            let explained = service_codes.iter().map(|code| render::service_codes::explained(code));
            print(&explained.collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(Status::Fine)
}

/// The rules and the service's codes that were asked for; without codes, every rule.
fn chosen(codes: &[String]) -> anyhow::Result<(Vec<&'static Rule>, Vec<&'static ServiceCode>)> {
    if codes.is_empty() {
        return Ok((all_rules(), Vec::new()));
    }
    let (mut rules, mut service_codes) = (Vec::new(), Vec::new());
    for code in codes {
        match find_code(code).map_err(anyhow::Error::msg)? {
            Code::Rule(rule) => rules.push(rule),
            Code::Service(code) => service_codes.push(code),
        }
    }
    Ok((rules, service_codes))
}
