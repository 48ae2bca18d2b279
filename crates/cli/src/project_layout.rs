//! The layout that a project file names.

use std::path::{Path, PathBuf};

use imsprep_bitmap::Layout;

/// What a project file says of the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProjectLayout {
    /// The name of a built-in layout or a path.
    pub(crate) name: String,
    /// The project file.
    pub(crate) config: PathBuf,
}

impl ProjectLayout {
    /// From the key in this project file. A path counts from the file's folder.
    pub(crate) fn new(config: &Path, name: &str) -> Self {
        let folder = config.parent().unwrap_or(Path::new(""));
        let name = match Layout::built_in(name) {
            Some(_) => name.to_owned(),
            None => folder.join(name).to_string_lossy().into_owned(),
        };
        Self { name, config: config.to_owned() }
    }
}
