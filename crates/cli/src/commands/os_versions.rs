//! `imsprep os-versions`

use imsprep_rules::{KnownSystem, NearSystem};

use crate::args::OsVersionsArgs;
use crate::emit;
use crate::exit::Status;
use crate::render;
use crate::setup::Setup;
use crate::wire;

pub(crate) fn run(args: &OsVersionsArgs, setup: &Setup) -> anyhow::Result<Status> {
    let words = args.words.join(" ");
    let found = KnownSystem::search(&words);
    if found.is_empty() {
        anyhow::bail!(nothing_found(&words));
    }
    emit::result(
        setup.output,
        || {
            wire::Document::new(
                "imsprep.os-versions",
                Status::Fine,
                wire::os_versions::OsVersions::new(&found),
            )
        },
        |detail| render::os_versions::text(&found, detail),
    )?;
    Ok(Status::Fine)
}

fn nothing_found(words: &str) -> String {
    let other = "\"Other(64 bit)\" is the value for systems that the service does not know";
    match NearSystem::of_search(words) {
        NearSystem::Values { family, values } => {
            let values = values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(", ");
            format!("no known value contains {words:?}; the nearest of {family}: {values}; {other}")
        }
        NearSystem::NoneOfFamily(family) => {
            format!("no known value contains {words:?}, and no known page has a value for {family}; {other}")
        }
        NearSystem::NoFamily => {
            format!("no known value contains {words:?}; imsprep os-versions lists all values; {other}")
        }
    }
}
