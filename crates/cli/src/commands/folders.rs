//! Folders of images.

use std::path::PathBuf;

use imsprep_toolkit::Subfolders;

use crate::failure::note;
use crate::setup::{Output, Setup};
use crate::terminal::shown;

/// Whether subfolders are searched for images.
pub(super) fn subfolders(recursive: bool) -> Subfolders {
    if recursive { Subfolders::Search } else { Subfolders::Leave }
}

/// Names the folders that were not searched.
pub(super) fn note_skipped(skipped: &[(PathBuf, &str)], setup: &Setup) {
    if setup.output == Output::Quiet {
        return;
    }
    for (path, why) in skipped {
        note(format!("{}: not searched: {why}", shown(&path.display().to_string())));
    }
}
