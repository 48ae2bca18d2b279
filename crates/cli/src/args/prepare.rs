//! `imsprep prepare`

use std::path::PathBuf;

use clap::Args;

use super::{ProfileName, SourceArgs};

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
    /// Replace OUT if it exists; never IN
    #[arg(long)]
    pub(crate) force: bool,
    /// Whose rules to apply
    #[arg(long, value_name = "CLOUD", default_value = "huawei")]
    pub(crate) profile: ProfileName,
    /// Let warnings count: exit 1 if there is any
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) from: SourceArgs,
}
