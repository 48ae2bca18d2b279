//! The system in an image, as `imsprep inspect --json` shows it: every fact that was read.

mod access;
mod boot;
mod fact;
mod linux;
mod network;
mod windows;

use imsprep_guest::{Guest, System, VolumeNote};
use schemars::JsonSchema;
use serde::Serialize;

use fact::{WireReason, all};
use linux::WireLinux;
use windows::WireWindows;

/// The system in an image.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireGuest {
    /// `linux`, `windows`, `none` or `not-known`.
    is: &'static str,
    /// Why it is not known whether there is a system, or which.
    not_known: Vec<WireReason>,
    volumes: Vec<WireGuestVolume>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linux: Option<WireLinux>,
    #[serde(skip_serializing_if = "Option::is_none")]
    windows: Option<WireWindows>,
}

impl From<&Guest> for WireGuest {
    fn from(guest: &Guest) -> Self {
        let (is, reasons, linux, windows) = match &guest.system {
            System::Linux(linux) => ("linux", &[][..], Some(linux), None),
            System::Windows(windows) => ("windows", &[][..], None, Some(windows)),
            System::None => ("none", &[][..], None, None),
            System::NotKnown(reasons) => ("not-known", reasons.as_slice(), None, None),
        };
        Self {
            is,
            not_known: all(reasons),
            volumes: all(&guest.volumes),
            linux: linux.map(|linux| linux.as_ref().into()),
            windows: windows.map(|windows| windows.as_ref().into()),
        }
    }
}

/// A volume on which the system was looked for.
#[derive(Debug, JsonSchema, Serialize)]
struct WireGuestVolume {
    name: String,
    kind: &'static str,
    /// Why its files could not be read, if it has any.
    unread: Option<String>,
}

impl From<&VolumeNote> for WireGuestVolume {
    fn from(volume: &VolumeNote) -> Self {
        Self { name: volume.name.clone(), kind: volume.kind, unread: volume.unread.clone() }
    }
}
