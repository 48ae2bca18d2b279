//! `imsprep verify`

use std::fmt::Display;
use std::path::Path;
use std::time::Instant;

use anyhow::anyhow;
use imsprep_rules::shows_nothing;
use imsprep_source::Cancel;
use imsprep_toolkit::{Format, ListedFile, OpenedImage, verify_listed};

use super::read_bounded::read_bounded;
use crate::args::{VerifyArgs, VerifyFormat};
use crate::exit::Status;
use crate::failure::{Hinted, report_failure};
use crate::outcome::Outcome;
use crate::setup::{Output, Setup};
use crate::terminal::{print, print_json, print_json_line};
use crate::wire::manifest_input;
use crate::{render, wire};

/// The longest manifest that is read. A file takes some hundred bytes in it.
const MOST: usize = 256 << 20;

/// Why a file is no manifest. An image or a bitmap file was probably meant for another command.
fn no_manifest(path: &Path, why: &dyn Display) -> anyhow::Error {
    let text = format!("{}: {why}", path.display());
    let is_bitmap = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mf"));
    let format = OpenedImage::open(path, &Cancel::new()).ok().map(|image| image.detection().clone());
    let hint = match format {
        _ if is_bitmap => "imsprep bitmap verify IMAGE compares the bitmap file with its image",
        Some(found) if found.format == Format::Zvhd2 => "imsprep zvhd2 check checks a ZVHD2",
        Some(found) if found.format == Format::Raw && !names_an_image(path) && shows_nothing(&found) => {
            return anyhow!(text);
        }
        Some(found) if found.format == Format::Raw => {
            "imsprep bitmap verify compares a RAW with its bitmap file; imsprep check gives the verdict"
        }
        Some(found) if found.format != Format::Empty => "imsprep check checks an image",
        _ => return anyhow!(text),
    };
    Hinted { text, hint }.into()
}

/// Whether its name says that it is a RAW.
fn names_an_image(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| ["raw", "img"].contains(&extension.as_str()))
}

pub(crate) fn run(args: &VerifyArgs, setup: &Setup) -> anyhow::Result<Status> {
    let bytes = read_bounded(&args.manifest, MOST)?;
    if bytes.len() > MOST {
        return Err(no_manifest(&args.manifest, &"is larger than 256 MiB, so it is not a manifest"));
    }
    let listed = manifest_input::read(&bytes).map_err(|why| no_manifest(&args.manifest, &why))?;
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
