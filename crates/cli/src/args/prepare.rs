//! `imsprep prepare`

use std::path::PathBuf;

use clap::Args;

use super::{ChecksumArgs, DiskArgs, FormatArgs, IntentArgs, PolicyArgs, ReportArgs, TempArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep prepare disk.qcow2                   converts to disk.zvhd2 and checks it
  imsprep prepare disk.vmdk -o big/disk.zvhd2
  imsprep prepare disk.raw                     writes disk.mf if it is missing, and checks both
  imsprep prepare disk.raw -o disk.zvhd2       a ZVHD2 instead: smaller, and a single file
  imsprep prepare disk.zvhd2                   checks it
  imsprep prepare --sparsify disk.raw          a ZVHD2 without deleted files, for a shorter upload
  imsprep prepare --fit disk.raw               a ZVHD2 of whole GiB with the backup GPT at its end
  imsprep prepare nbd://host/disk -o disk.zvhd2    the disk that an NBD server exports
  imsprep prepare images/ -o out/              all images in a folder, each to a ZVHD2 in out/

An image that cannot be converted is refused, with the findings and their fixes: exit status 1, as for a result that is not \
importable. A converted image is read back and compared before it is renamed into place.

Several images, and those directly in folders, are all judged before the first one is converted; then they are converted one after the \
other, and a table lists the results. One failure does not stop the rest; the exit status is the highest of all images. Two images with \
the same output file are an error, and nothing is written. A ZVHD2, and without --output a RAW, is checked where it is.")]
pub(crate) struct PrepareArgs {
    /// Images in any supported format, folders of images, or the address of one NBD export
    #[arg(required = true, value_name = "IN")]
    pub(crate) sources: Vec<PathBuf>,
    /// Output file: .zvhd2, or .raw with its bitmap if IN is not a RAW, or with --fit or --sparsify. Or a folder, in which a .zvhd2 is written
    /// for each image; it is created if OUT ends in /
    /// [default: IN with the extension .zvhd2; a RAW stays as it is and gets IN.mf]
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Search the subfolders of folders as well; links to folders and hidden folders are left out
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Leave out what no file holds: free space of file systems, swap space, unused LVM extents
    #[arg(long)]
    pub(crate) sparsify: bool,
    /// Enlarge the disk to a multiple of 1 GiB and move the backup GPT to its end
    #[arg(long)]
    pub(crate) fit: bool,
    /// Print what would be written, with an estimate of its size from a sample of the disk, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace OUT and the files of --manifest and --html if they exist; never IN
    #[arg(long)]
    pub(crate) force: bool,
    /// Also read the ranges that the file system reports as holes; only for file systems that report them wrongly
    #[arg(long)]
    pub(crate) read_holes: bool,
    #[command(flatten)]
    pub(crate) disk: DiskArgs,
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
