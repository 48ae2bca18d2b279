//! The command line of `imsprep inspect`.

use std::path::PathBuf;

use clap::Args;

use super::RulesOf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep inspect disk.raw
  imsprep inspect -v disk.zvhd2           with GUIDs, attributes and every boot loader
  imsprep inspect --json *.raw > in.json

Looks into the disk of a RAW, a ZVHD2 or ZVHD, or a fixed VHD: the partition table, what is in each partition, what would \
start a machine, and what follows from that: firmware, architecture, system or data disk, smallest min_disk. Little is read, \
whatever the size, and nothing is changed.

Exit status: 0 whatever is found, as these are facts; whether they forbid an import is what imsprep check tells. 2: a \
disk could not be read.")]
pub(crate) struct InspectArgs {
    /// Images or block devices
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RulesOf,
}
