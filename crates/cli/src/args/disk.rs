//! Which disk of an archive.

use clap::Args;
use imsprep_toolkit::DiskSelector;

/// The disk of an archive that is meant.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DiskArgs {
    /// Disk in an archive (OVA) with several: its number, counted from 1, its name in the OVF descriptor, or the name of its file
    /// [default: the only disk; or the system disk, if all others are data disks]
    #[arg(long, value_name = "DISK", value_parser = parse)]
    pub(crate) disk: Option<DiskSelector>,
}

fn parse(text: &str) -> Result<DiskSelector, String> {
    DiskSelector::parse(text).ok_or_else(|| "a number from 1, or a name".into())
}
