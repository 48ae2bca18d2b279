//! `imsprep serve --json`

use imsprep_toolkit::ServedDisk;
use schemars::JsonSchema;
use serde::Serialize;

use super::WirePath;
use crate::words::nbd_uri;

#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Body {
    #[serde(flatten)]
    path: WirePath,
    format: &'static str,
    /// Bytes of the export.
    disk_size: u64,
    socket: WirePath,
    /// Where NBD clients find the export.
    uri: String,
}

impl From<&ServedDisk> for Body {
    fn from(served: &ServedDisk) -> Self {
        Self {
            path: served.path.as_path().into(),
            format: served.format.name(),
            disk_size: served.size,
            socket: served.socket.as_path().into(),
            uri: nbd_uri(&served.socket),
        }
    }
}
