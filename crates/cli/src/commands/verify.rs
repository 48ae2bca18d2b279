//! `imsprep verify`

use std::time::Instant;

use anyhow::{anyhow, bail};
use imsprep_toolkit::{ListedFile, verify_listed};

use super::read_bounded::read_bounded;
use crate::args::{VerifyArgs, VerifyFormat};
use crate::exit::Status;
use crate::failure::report_failure;
use crate::outcome::Outcome;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json, print_json_line};
use crate::wire::manifest_input;
use crate::{render, wire};

/// The longest manifest that is read. A file takes some hundred bytes in it.
const MOST: usize = 256 << 20;

pub(crate) fn run(args: &VerifyArgs, setup: &Setup) -> anyhow::Result<Status> {
    let name = args.manifest.display();
    let bytes = read_bounded(&args.manifest, MOST)?;
    if bytes.len() > MOST {
        bail!(
            "{name}: is larger than 256 MiB, so it is not a manifest; imsprep check checks an image, imsprep bitmap verify a bitmap file"
        );
    }
    let listed = manifest_input::read(&bytes).map_err(|why| anyhow!("{name}: {why}"))?;
    drop(bytes);
    let is_lines = args.format == Some(VerifyFormat::Ndjson);
    let is_text = args.format == Some(VerifyFormat::Text)
        || args.format.is_none() && matches!(setup.output, Output::Text(_));
    let is_json =
        args.format == Some(VerifyFormat::Json) || args.format.is_none() && setup.output == Output::Json;
    let mut outcomes = Vec::new();
    for one in listed {
        let path = args.folder.as_ref().map_or_else(|| one.path.clone(), |folder| folder.join(&one.path));
        let begun = Instant::now();
        let result = verify_listed(&path, one.size, &one.sha256, setup.work()).map_err(anyhow::Error::from);
        let status = match &result {
            Ok(ListedFile::Same(_)) => Status::Fine,
            Ok(_) => Status::Wrong,
            Err(error) => report_failure(error),
        };
        if status == Status::Interrupted {
            return Ok(status);
        }
        let outcome = Outcome { path, status, elapsed: begun.elapsed(), result };
        if is_lines {
            print_json_line(&wire::verify::one(&outcome, &one))?;
        } else if is_text {
            print(&render::verify::line(&outcome, one.size))?;
        }
        outcomes.push((outcome, one));
    }
    let worst = outcomes.iter().map(|(outcome, _)| outcome.status).max().unwrap_or(Status::Fine);
    if is_json {
        print_json(&wire::verify::all(&outcomes, worst))?;
    } else if is_text && outcomes.len() > 1 {
        print(&render::verify::sum(outcomes.iter().map(|(outcome, _)| outcome)))?;
    }
    Ok(worst)
}
