//! A Linux in an image.

use imsprep_guest::{Linux, Release};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::{WireCloudInit, WireIdentity, WireLogin};
use super::boot::{WireBootLoader, WireKernel};
use super::fact::{Fact, WireMachine, WireReason, WireText, all};
use super::network::{WireMount, WireNetwork};

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireLinux {
    root: WireRoot,
    release: Fact<WireRelease>,
    machine: Fact<WireMachine>,
    loaders: Vec<WireBootLoader>,
    kernel: Fact<WireKernel>,
    fstab: Fact<Vec<WireMount>>,
    mount_units: Fact<Vec<WireMount>>,
    network: WireNetwork,
    cloud_init: WireCloudInit,
    login: WireLogin,
    identity: WireIdentity,
    foreign_tools: Fact<Vec<WireText>>,
    own_tools: Fact<Vec<WireText>>,
    /// Volumes of the system that could not be read.
    unread: Vec<WireReason>,
}

impl From<&Linux> for WireLinux {
    fn from(linux: &Linux) -> Self {
        let root = &linux.root;
        Self {
            root: WireRoot {
                volume: root.volume.clone(),
                kind: root.kind,
                uuid: root.uuid.clone(),
                subvolume: root.subvolume.clone(),
                others: root.others.clone(),
            },
            release: Fact::sourced(&linux.release, WireRelease::from),
            machine: Fact::sourced(&linux.machine, WireMachine::from),
            loaders: all(&linux.loaders),
            kernel: Fact::of(&linux.kernel, WireKernel::from),
            fstab: Fact::list(&linux.fstab),
            mount_units: Fact::list(&linux.mount_units),
            network: (&linux.network).into(),
            cloud_init: (&linux.cloud_init).into(),
            login: (&linux.login).into(),
            identity: (&linux.identity).into(),
            foreign_tools: Fact::list(&linux.foreign_tools),
            own_tools: Fact::list(&linux.own_tools),
            unread: all(&linux.unread),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireRoot {
    volume: String,
    kind: &'static str,
    uuid: Option<String>,
    /// The Btrfs subvolume, if it is not the default one.
    subvolume: Option<String>,
    /// Other roots of a Linux on the disk: snapshots, copies, a second system.
    others: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireRelease {
    product: String,
    id: String,
    version: String,
    id_like: Vec<String>,
    /// The version with its minor parts, from a file that has more than os-release.
    full_version: Option<String>,
    variant: Option<String>,
    codename: Option<String>,
}

impl From<&Release> for WireRelease {
    fn from(release: &Release) -> Self {
        let Release { product, id, version, id_like, full_version, variant, codename } = release.clone();
        Self { product, id, version, id_like, full_version, variant, codename }
    }
}
