//! `imsprep serve`

use imsprep_rules::Size;
use imsprep_toolkit::ServedDisk;

use crate::style;
use crate::terminal::shown;
use crate::words::nbd_uri;

/// What is served, and where.
pub(crate) fn text(served: &ServedDisk) -> String {
    let (bold, path, place) = (style::BOLD, served.path.display(), nbd_uri(&served.socket));
    format!(
        "{bold}{}{bold:#}: {} with a disk of {}, read-only at {}\n",
        shown(&path.to_string()),
        served.format.name(),
        Size(served.size),
        shown(&place)
    )
}
