//! A Windows in an image.

use imsprep_guest::{Answer, Service, StaticAddress, Windows, WindowsRelease};
use schemars::JsonSchema;
use serde::Serialize;

use super::fact::{Fact, Place, WireMachine, WireText};

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireWindows {
    volume: String,
    release: Fact<WireWindowsRelease>,
    machine: Fact<WireMachine>,
    viostor: Fact<WireService>,
    vioscsi: Fact<WireService>,
    netkvm: Fact<WireService>,
    /// Whether a virtio disk driver starts at boot.
    boots_from_virtio: Fact<bool>,
    static_addresses: Fact<Vec<WireStaticAddress>>,
    remote_desktop: Fact<bool>,
    cloudbase_init: Fact<WireService>,
    image_state: Fact<String>,
    generalized: Fact<bool>,
    foreign_tools: Fact<Vec<WireText>>,
}

impl From<&Windows> for WireWindows {
    fn from(windows: &Windows) -> Self {
        Self {
            volume: windows.volume.clone(),
            release: Fact::sourced(&windows.release, WireWindowsRelease::from),
            machine: Fact::sourced(&windows.machine, WireMachine::from),
            viostor: service(&windows.viostor),
            vioscsi: service(&windows.vioscsi),
            netkvm: service(&windows.netkvm),
            boots_from_virtio: Fact::plain(windows.boots_from_virtio()),
            static_addresses: Fact::list(&windows.static_addresses),
            remote_desktop: Fact::sourced(&windows.remote_desktop, |on| *on),
            cloudbase_init: service(&windows.cloudbase_init),
            image_state: Fact::optional(&windows.image_state, String::clone),
            generalized: Fact::plain(windows.is_generalized()),
            foreign_tools: Fact::list(&windows.foreign_tools),
        }
    }
}

pub(super) fn service(answer: &Answer<Option<Service>>) -> Fact<WireService> {
    Fact::new(
        answer,
        |found| found.as_ref().map(|service| &service.origin),
        |found| {
            found.as_ref().map(|service| WireService {
                start: service.start,
                has_file: Fact::of(&service.has_file, |has| *has),
            })
        },
    )
}

/// A service or a driver.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireService {
    /// 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled.
    start: u32,
    has_file: Fact<bool>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireWindowsRelease {
    product: String,
    build: String,
    edition: Option<String>,
    installation: Option<String>,
    display_version: Option<String>,
}

impl From<&WindowsRelease> for WireWindowsRelease {
    fn from(release: &WindowsRelease) -> Self {
        let WindowsRelease { product, build, edition, installation, display_version } = release.clone();
        Self { product, build, edition, installation, display_version }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireStaticAddress {
    /// The interface's GUID.
    interface: String,
    addresses: Vec<String>,
    at: Place,
}

impl From<&StaticAddress> for WireStaticAddress {
    fn from(address: &StaticAddress) -> Self {
        let StaticAddress { interface, addresses, origin } = address;
        Self { interface: interface.clone(), addresses: addresses.clone(), at: origin.into() }
    }
}
