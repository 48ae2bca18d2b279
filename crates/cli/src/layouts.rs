//! Which layout of bitmap files is in force: the flag, the project file, the installed one, or none but the default.

use std::path::PathBuf;

use anyhow::Context;
use imsprep_bitmap::{Layout, read_layout};
use imsprep_source::{belongs_to_user, settings_folder};
use imsprep_toolkit::{Error, find_layout};

use crate::failure::{hint, warning};
use crate::policy::project_layout;
use crate::project_layout::ProjectLayout;
use crate::setup::{Output, Setup};
use crate::terminal::shown;

/// Where a layout comes from that is not given by a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LayoutSource {
    /// The key `layout` of this project file.
    Project(PathBuf),
    /// `bitmap learn --install` put it here.
    Installed(PathBuf),
}

/// Where `--install` puts a layout.
///
/// # Errors
///
/// If the environment tells no folder for settings.
pub(crate) fn installed_path() -> anyhow::Result<PathBuf> {
    let folder = settings_folder()
        .context("cannot tell where settings are kept: neither XDG_CONFIG_HOME nor HOME is set")?;
    Ok(folder.join("imsprep").join("layout.toml"))
}

/// The layout in force: that of the flag, or else of the project file, or else the installed one.
///
/// # Errors
///
/// If there is one that can't be used: another must not take its place silently.
pub(crate) fn in_force(
    flag: Option<&str>,
    project: Option<&ProjectLayout>,
    setup: &Setup,
) -> anyhow::Result<Option<Layout>> {
    match flag {
        Some(name) => Ok(Some(find_layout(name)?)),
        None => Ok(without_flag(project, setup)?.map(|(layout, _)| layout)),
    }
}

/// The same for a command that judges nothing and looks for the project file for this alone.
///
/// # Errors
///
/// As [`in_force`], and if the project file can't be used.
pub(crate) fn in_force_here(flag: Option<&str>, setup: &Setup) -> anyhow::Result<Option<Layout>> {
    let project = if flag.is_some() { None } else { project_layout(setup)? };
    in_force(flag, project.as_ref(), setup)
}

/// The layout in force without a flag, and where it comes from.
pub(crate) fn without_flag(
    project: Option<&ProjectLayout>,
    setup: &Setup,
) -> anyhow::Result<Option<(Layout, LayoutSource)>> {
    if let Some(project) = project {
        let layout = find_layout(&project.name).with_context(|| project.config.display().to_string())?;
        return Ok(Some((layout, LayoutSource::Project(project.config.clone()))));
    }
    Ok(installed(setup)?.map(|(layout, path)| (layout, LayoutSource::Installed(path))))
}

/// The layout that was installed, and where it is.
pub(crate) fn installed(setup: &Setup) -> anyhow::Result<Option<(Layout, PathBuf)>> {
    let Ok(path) = installed_path() else { return Ok(None) };
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    if !belongs_to_user(&path) {
        if setup.output != Output::Quiet {
            let path = path.display().to_string();
            warning(format!("{} is not read: it belongs to another user", shown(&path)));
            hint(format!("if you trust it: --layout {}", shown(&path)));
        }
        return Ok(None);
    }
    let layout = read_layout(&path).map_err(Error::from).context("the installed layout can't be used")?;
    Ok(Some((layout, path)))
}

/// A layout, and where it comes from.
#[derive(Debug)]
pub(crate) struct KnownLayout {
    pub(crate) layout: Layout,
    pub(crate) place: Place,
    /// It is the one that is written, and looked for first.
    pub(crate) in_force: bool,
}

/// Where a layout comes from.
#[derive(Debug)]
pub(crate) enum Place {
    BuiltIn,
    Project(PathBuf),
    Installed(PathBuf),
}
