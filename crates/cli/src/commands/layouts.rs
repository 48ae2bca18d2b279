//! `imsprep bitmap layouts`

use imsprep_bitmap::layout::{LAYOUTS, ZVHD2};

use crate::emit;
use crate::exit::Status;
use crate::layouts::{KnownLayout, LayoutSource, Place, installed, without_flag};
use crate::policy::project_layout;
use crate::render;
use crate::setup::Setup;
use crate::wire;

pub(crate) fn list(setup: &Setup) -> anyhow::Result<Status> {
    let project = project_layout(setup)?;
    let in_force = without_flag(project.as_ref(), setup)?;
    let mut known = Vec::new();
    let source = in_force.as_ref().map(|(_, source)| source);
    if let Some((layout, LayoutSource::Project(path))) = &in_force {
        known.push(KnownLayout {
            layout: layout.clone(),
            place: Place::Project(path.clone()),
            in_force: true,
        });
    }
    if let Some((layout, path)) = installed(setup)? {
        let is_source = matches!(source, Some(LayoutSource::Installed(_)));
        known.push(KnownLayout { layout, place: Place::Installed(path), in_force: is_source });
    }
    for layout in LAYOUTS {
        let in_force = source.is_none() && layout.name == ZVHD2.name;
        known.push(KnownLayout { layout: (*layout).clone(), place: Place::BuiltIn, in_force });
    }
    emit::result(
        setup.output,
        || {
            let body = wire::layouts::Body::from(&known[..]);
            wire::Document::new("imsprep.bitmap.layouts", Status::Fine, body)
        },
        |_| render::layouts::text(&known),
    )?;
    Ok(Status::Fine)
}
