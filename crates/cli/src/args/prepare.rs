//! `imsprep prepare`

use std::path::PathBuf;

use clap::Args;

use super::{ChecksumArgs, FormatArgs, IntentArgs, PolicyArgs, ReportArgs, TempArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep prepare disk.qcow2                   converts to disk.zvhd2 and checks it
  imsprep prepare disk.vmdk -o big/disk.zvhd2
  imsprep prepare disk.raw                     writes disk.mf if it is missing, and checks both
  imsprep prepare disk.raw -o disk.zvhd2       a ZVHD2 instead: smaller, and a single file
  imsprep prepare disk.zvhd2                   checks it
  imsprep prepare --sparsify disk.raw          a ZVHD2 without deleted files, for a shorter upload
  imsprep prepare --fit disk.raw               a ZVHD2 of whole GiB with the backup GPT at its end

An image that cannot be converted is refused, with the findings and their fixes: exit status 1, as for a result that is not \
importable. A converted image is read back and compared before it is renamed into place.")]
pub(crate) struct PrepareArgs {
    /// Image in any supported format
    #[arg(value_name = "IN")]
    pub(crate) source: PathBuf,
    /// Output file: .zvhd2 or, with --fit or --sparsify or if IN is not a RAW, .raw with its bitmap [default: IN with the extension .zvhd2]
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Leave out what no file holds: free space of file systems, swap space, unused LVM extents
    #[arg(long)]
    pub(crate) sparsify: bool,
    /// Enlarge the disk to a multiple of 1 GiB and move the backup GPT to its end
    #[arg(long)]
    pub(crate) fit: bool,
    /// Replace OUT and the files of --manifest and --html if they exist; never IN
    #[arg(long)]
    pub(crate) force: bool,
    /// Read what the file system reports as holes, too: for file systems that report holes where there is data
    #[arg(long)]
    pub(crate) read_holes: bool,
    /// Number of the disk in an archive (OVA) with several, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) disk: Option<u32>,
    #[command(flatten)]
    pub(crate) temp: TempArgs,
    #[command(flatten)]
    pub(crate) checksums: ChecksumArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) intent: IntentArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}
