//! `imsprep prepare`

use std::path::PathBuf;

use clap::Args;

use super::{FormatArgs, IntentArgs, PolicyArgs, ReportArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep prepare disk.qcow2                   makes disk.zvhd2, and checks it
  imsprep prepare disk.vmdk -o big/disk.zvhd2
  imsprep prepare disk.raw                     writes disk.mf if there is none, and checks the pair
  imsprep prepare disk.raw -o disk.zvhd2       a ZVHD2 instead: smaller, and without a second file
  imsprep prepare disk.zvhd2                   checks it

An image that must not be converted is left alone, with the reasons and the way out: exit status 1, as for a result that can't \
be imported. What is converted is read back before it gets its name.")]
pub(crate) struct PrepareArgs {
    /// An image in any format
    #[arg(value_name = "IN")]
    pub(crate) source: PathBuf,
    /// Where the converted image goes: .zvhd2, or .raw with its bitmap [default: IN with .zvhd2 for its extension]
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Replace OUT if it exists, and what --manifest and --html name; never IN
    #[arg(long)]
    pub(crate) force: bool,
    /// Which disk of an archive (OVA) with several, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) disk: Option<u32>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) intent: IntentArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}
