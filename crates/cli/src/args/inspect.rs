//! The command line of `imsprep inspect`.

use std::path::PathBuf;

use clap::Args;

use super::{DiskArgs, FormatArgs, RulesOf, TempArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep inspect disk.raw
  imsprep inspect -v disk.zvhd2           with GUIDs, attributes and every boot loader
  imsprep inspect --json *.raw > in.json

Shows the disk in an image of every format that imsprep convert reads, or of an NBD export (nbd://HOST/EXPORT): the partition table, the content of each partition and the \
boot loaders, and what follows from them: firmware, architecture, system or data disk, smallest min_disk. Only a small part of the \
image is read, and nothing is changed.

Exit status 0: all disks could be read, whatever was found; imsprep check gives the verdict. 2: a disk could not be read.")]
pub(crate) struct InspectArgs {
    /// Images, block devices or addresses of NBD exports
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) disk: DiskArgs,
    #[command(flatten)]
    pub(crate) temp: TempArgs,
    #[command(flatten)]
    pub(crate) rules: RulesOf,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}
