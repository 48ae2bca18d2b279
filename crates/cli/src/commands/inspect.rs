//! `imsprep inspect`

use imsprep_toolkit::{inspect_image, without_bitmaps_of};

use crate::args::{InspectArgs, IntentArgs, PolicyArgs};
use crate::exit::Status;
use crate::failure::{failure_text, is_stop, report_failure};
use crate::policy::Policy;
use crate::render;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json};
use crate::wire;

pub(crate) fn run(args: &InspectArgs, setup: &Setup) -> anyhow::Result<Status> {
    let policy = PolicyArgs { rules: args.rules.clone(), ..PolicyArgs::default() };
    let policy = Policy::resolve(&policy, &IntentArgs::default(), setup)?;
    let mut worst = Status::Fine;
    let mut rows = Vec::new();
    let files = without_bitmaps_of(&args.files);
    for (number, path) in files.into_iter().enumerate() {
        match inspect_image(path, setup.cancel()) {
            Ok(found) => {
                if let Output::Text(detail) = setup.output {
                    let gap = if number == 0 { "" } else { "\n" };
                    print(&format!("{gap}{}", render::inspect::text(path, &found, policy.profile, detail)))?;
                }
                rows.push(wire::inspect::Row::found(path, &found, policy.profile));
            }
            Err(error) => {
                let error = anyhow::Error::new(error);
                if is_stop(&error) {
                    // Nobody waits for the other files.
                    return Err(error);
                }
                worst = worst.max(report_failure(&error));
                rows.push(wire::inspect::Row::failed(path, failure_text(&error)));
            }
        }
    }
    if setup.output == Output::Json {
        print_json(&wire::Document::under(
            &policy,
            "imsprep.inspect",
            worst,
            wire::inspect::Files { files: rows },
        ))?;
    }
    Ok(worst)
}
