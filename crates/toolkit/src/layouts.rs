//! Which bitmap layout is meant.

use std::path::Path;

use imsprep_bitmap::{Layout, read_layout};

use crate::{Error, Result};

/// The built-in layout of this name, or the one that the file of this name describes.
///
/// # Errors
///
/// [`Error::NoLayout`] if there is neither; [`Error::LayoutFile`] if there is a file that can't be used.
pub fn find_layout(name: &str) -> Result<Layout> {
    if let Some(layout) = Layout::built_in(name) {
        return Ok(layout.clone());
    }
    let path = Path::new(name);
    if !path.exists() {
        return Err(Error::NoLayout { name: name.to_owned() });
    }
    Ok(read_layout(path)?)
}
