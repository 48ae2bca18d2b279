//! How much of the volumes of a disk is free.

use imsprep_toolkit::{DiskSpace, Saving, VolumeSpace};
use schemars::JsonSchema;
use serde::Serialize;

/// The bytes that no file holds, which were left out or ignored.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireSpace {
    /// How many there are.
    bytes: u64,
    volumes: Vec<WireVolumeSpace>,
}

/// A volume, and how much of it is free.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireVolumeSpace {
    name: String,
    kind: &'static str,
    size: u64,
    /// Null if `free` is.
    used: Option<u64>,
    /// Null if it is not known, or not certain.
    free: Option<u64>,
    /// Why it is not; else null.
    kept: Option<String>,
}

/// What would have been saved.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireSaving {
    data_blocks: u64,
    free_blocks: u64,
}

impl From<&DiskSpace> for WireSpace {
    fn from(space: &DiskSpace) -> Self {
        Self { bytes: space.bytes(), volumes: volumes(space) }
    }
}

/// The volumes alone.
pub(crate) fn volumes(space: &DiskSpace) -> Vec<WireVolumeSpace> {
    space.volumes.iter().map(WireVolumeSpace::from).collect()
}

impl From<&VolumeSpace> for WireVolumeSpace {
    fn from(volume: &VolumeSpace) -> Self {
        let VolumeSpace { name, kind, size, free } = volume;
        let (free, kept) = match free {
            Ok(free) => (Some(*free), None),
            Err(reason) => (None, Some(reason.clone())),
        };
        let used = free.map(|free| size.saturating_sub(free));
        Self { name: name.clone(), kind, size: *size, used, free, kept }
    }
}

impl From<Saving> for WireSaving {
    fn from(saving: Saving) -> Self {
        let Saving { data_blocks, free_blocks } = saving;
        Self { data_blocks, free_blocks }
    }
}
