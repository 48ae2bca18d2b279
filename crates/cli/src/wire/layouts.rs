//! `imsprep bitmap layouts --json`

use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use super::bitmap_files::WireLayout;
use crate::layouts::{KnownLayout, Place};

/// Every layout that is known.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    layouts: Vec<WireKnown>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireKnown {
    #[serde(flatten)]
    layout: WireLayout,
    /// `built-in`, `project` or `installed`.
    source: &'static str,
    /// The layout's file, or the project file that names it.
    file: Option<WirePath>,
    /// Whether it is the one that is written and looked for first.
    in_force: bool,
}

impl From<&[KnownLayout]> for Body {
    fn from(known: &[KnownLayout]) -> Self {
        let layouts = known.iter().map(|known| {
            let (source, file) = match &known.place {
                Place::BuiltIn => ("built-in", None),
                Place::Project(path) => ("project", Some(path.as_path().into())),
                Place::Installed(path) => ("installed", Some(path.as_path().into())),
            };
            WireKnown { layout: (&known.layout).into(), source, file, in_force: known.in_force }
        });
        Self { layouts: layouts.collect() }
    }
}
