//! The command line.

mod bench;
mod bitmap;
mod generate;
mod hints;
mod inspect;
mod os_versions;
mod policy;
mod prepare;
mod request;
mod size;
mod summary;

use std::path::PathBuf;

use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use imsprep_zvhd2::Level;

use crate::identity::parse_uuid;
use crate::moment::parse_timestamp;
use crate::version;

pub(crate) use bench::BenchArgs;
pub(crate) use bitmap::{
    BitmapCommand, BitmapConvertArgs, BitmapCreateArgs, BitmapDiffArgs, BitmapLearnArgs,
    BitmapMakeSampleArgs, BitmapShowArgs, BitmapVerifyArgs, ImageSizeArgs,
};
pub(crate) use generate::{GenerateArgs, What};
pub(crate) use inspect::InspectArgs;
pub(crate) use os_versions::OsVersionsArgs;
pub(crate) use policy::{FormatArgs, FormatName, IntentArgs, PolicyArgs, PurposeName, ReportArgs, RulesOf};
pub(crate) use prepare::PrepareArgs;
pub(crate) use request::{
    ArchitectureName, EndpointName, FirmwareName, LicenseName, MachineName, OsTypeName, RequestArgs,
    RequestFormat, RequestValueArgs,
};
use size::parse_disk_size;
pub(crate) use summary::SummaryArgs;

const EXIT_CODES: &str = "Exit status: 0 fine (perhaps with warnings), 1 looked and something is wrong, 2 could not look, \
129, 130 or 143 interrupted. Results go to standard output, everything else to standard error.";

/// Checks and prepares disk images for quick import into Huawei Cloud and Open Telekom Cloud.
///
/// Run it on the file before the upload. It works offline and never changes an image.
#[derive(Debug, Parser)]
#[command(name = "imsprep", version = version::SHORT, long_version = version::long(), after_help = EXIT_CODES)]
#[command(max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Where the flags of every command stand in its help: after its own.
const AFTER_ALL: usize = 900;

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_display_order = 900)]
pub(crate) struct CommonArgs {
    /// Print the result as JSON
    #[arg(long, global = true, display_order = AFTER_ALL)]
    pub(crate) json: bool,
    /// Print nothing but errors; the exit status tells the result
    #[arg(short, long, global = true, display_order = AFTER_ALL + 1, conflicts_with_all = ["json", "verbose"])]
    pub(crate) quiet: bool,
    /// Print more: every place of a finding, reasons and sources
    #[arg(short, long, global = true, display_order = AFTER_ALL + 2)]
    pub(crate) verbose: bool,
    /// Show no progress bar (there is none when standard error is no terminal)
    #[arg(long, global = true, display_order = AFTER_ALL + 3)]
    pub(crate) no_progress: bool,
    /// Number of worker threads [default: one for each core]
    #[arg(long, global = true, display_order = AFTER_ALL + 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// When to colour the output; NO_COLOR is respected
    #[arg(long, global = true, display_order = AFTER_ALL + 5, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The verdict: may these images be imported?
    Check(CheckArgs),
    /// Tell the format of files, the size of the disk in them, and what matters to an import
    Detect(DetectArgs),
    /// Tell what is inside a disk: partitions, file systems, boot loaders, and what follows from them
    Inspect(InspectArgs),
    /// Make, verify and look into bitmap files (.mf), which RAW images need; learn their layout
    #[command(subcommand)]
    Bitmap(BitmapCommand),
    /// Do all that an image needs before its import: detect, convert, check, and tell the next step
    Prepare(PrepareArgs),
    /// Convert an image to ZVHD2, or to RAW with its bitmap
    Convert(ConvertArgs),
    /// Compare the disks in two images, whatever their formats
    Compare(CompareArgs),
    /// Look into ZVHD2 files, and repair them
    #[command(subcommand)]
    Zvhd2(Zvhd2Command),
    /// Make the body of the request that imports an image, or check one
    Request(Box<RequestArgs>),
    /// List the values that os_version may have in a request, and the pages that name them
    OsVersions(OsVersionsArgs),
    /// List every rule with its code and severity; explain the service's error codes
    Rules(RulesArgs),
    /// Join the reports of many runs into one: one process for each image, on one machine or many
    Summary(SummaryArgs),
    /// Measure how fast zero blocks are found and ZVHD2 is made: imsprep and others, side by side
    Bench(BenchArgs),
    /// Make manual pages, and completions for shells
    Generate(GenerateArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep check disk.raw                   is it importable, and does disk.mf fit it?
  imsprep check --write-bitmap disk.raw    the same, and write disk.mf if there is none
  imsprep check --json images/ > out.json  every image in a folder, for a script
  imsprep check --quick disk.zvhd2         structure only, in seconds
  imsprep check --strict --allow BM-005 --format junit images/ > junit.xml
  imsprep check --manifest sums.json disk.raw    and size and SHA-256 of disk.raw and disk.mf
  imsprep check --html report.html images/        and a page to look at, with maps of the disks

A RAW is compared with its bitmap and every record of a ZVHD2 is expanded, unless --quick.
A folder stands for the images in it; its subfolders are not searched.

imsprep.toml holds a project's settings: profile, strict, purpose, bms, prefix, deny, and the table [allow] of codes with the \
reason for each. It is looked for in this folder; within a repository, in the folders above as well, up to the repository's \
own. Flags beat it.")]
#[command(group(ArgGroup::new("outputs").args(["manifest", "html"]).multiple(true)))]
pub(crate) struct CheckArgs {
    /// Images, block devices, or folders of images
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Leave the content unread: it is listed as not checked
    #[arg(long, conflicts_with = "manifest")]
    pub(crate) quick: bool,
    /// Write the bitmap of a RAW that has none; never replaces one
    #[arg(long, conflicts_with = "quick")]
    pub(crate) write_bitmap: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) intent: IntentArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
    /// Replace OUT of --manifest and --html if it exists; never an image or its bitmap file
    #[arg(long, requires = "outputs")]
    pub(crate) force: bool,
}

/// How the bytes of a RAW are brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Io {
    /// Chosen by what the file is and whether it is in memory already; -v tells which and why
    Auto,
    /// Memory maps: fastest for what is in memory
    Map,
    /// Reads, several at a time: for disks, devices and network file systems
    Read,
    /// Reads past the page cache
    Direct,
}

impl From<Io> for imsprep_scan::IoMode {
    fn from(io: Io) -> Self {
        match io {
            Io::Auto => Self::Auto,
            Io::Map => Self::Map,
            Io::Read => Self::Read,
            Io::Direct => Self::Direct,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep detect disk.img
  imsprep detect --json *.vmdk
  imsprep detect images/          every image in a folder, and a table
  imsprep detect appliance.ova    the disks in it, without unpacking it

The content counts, not the name. Nothing that a file names is opened. Of a compressed file the first 72 KiB are expanded, and \
of a tar archive or an OVA the first sixteen members that may be disks are looked at. A folder stands for the images in it; \
its subfolders are not searched.

Codes stand beside what forbids an import or casts doubt on it; imsprep rules CODE explains one. Exit status 0: all files \
could be looked at, whatever was found; imsprep check gives the verdict.")]
pub(crate) struct DetectArgs {
    /// Files, block devices, or folders of images
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep convert disk.qcow2 disk.zvhd2          in one pass, without a RAW in between
  imsprep convert --verify disk.raw disk.zvhd2   and read every block back
  imsprep convert disk.vmdk disk.raw             sparse, and disk.mf beside it
  imsprep convert disk.raw - | upload            to standard output
  imsprep convert disk.zvhd2 disk.raw            as long as the image it was made from

A RAW becomes a ZVHD2, a ZVHD2 becomes a RAW; of all others the name of DST decides: .raw and .img is RAW, else ZVHD2. What \
SRC does not keep is not read. An image that is not whole, that is encrypted or damaged, or has snapshots, is refused: exit \
status 1. --allow IMS-008 takes the current state and leaves snapshots behind, IMS-017 takes the disk of an image that was \
not closed, IMS-051 and IMS-061 one that was cut off, as it is now.

DST appears whole or not at all, of a RAW first the image and then its bitmap; what went to standard output can't be taken \
back, and is whole only if the exit status is 0 (141: its reader went away).")]
pub(crate) struct ConvertArgs {
    /// RAW image, block device, ZVHD2, ZVHD, VHD, qcow2 or VMDK
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// The file to write; - is standard output
    #[arg(value_name = "DST")]
    pub(crate) output: PathBuf,
    /// Replace DST if it exists; never SRC
    #[arg(long)]
    pub(crate) force: bool,
    /// Read DST back before it is put in place, and compare every block by CRC-32
    #[arg(long)]
    pub(crate) verify: bool,
    /// To ZVHD2: how hard to compress, from 1 to 22 [default: 3, as the vendor's driver]
    #[arg(long, value_name = "N", value_parser = parse_level)]
    pub(crate) level: Option<Level>,
    /// To ZVHD2: the file's identity [default: random]
    #[arg(long, value_name = "UUID", value_parser = parse_uuid)]
    pub(crate) uuid: Option<[u8; 16]>,
    /// To ZVHD2: when it was made, as Unix seconds or RFC 3339 [default: SOURCE_DATE_EPOCH, else now]
    #[arg(long, value_name = "TIME", value_parser = parse_timestamp)]
    pub(crate) timestamp: Option<u32>,
    /// RAW to ZVHD2: how to bring in the bytes while looking for zero blocks; the result is the same [default: auto]
    #[arg(long, value_name = "MODE")]
    pub(crate) io: Option<Io>,
    /// To RAW: how much of the disk [default: orig]
    #[arg(long, value_name = "LENGTH")]
    pub(crate) size: Option<Length>,
    /// To RAW: write no bitmap file beside it
    #[arg(long)]
    pub(crate) no_bitmap: bool,
    /// Which disk of an archive (OVA) with several, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) disk: Option<u32>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// How much of the disk in a container becomes a RAW.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Length {
    /// As much as the image had that the container was made from
    Orig,
    /// What readers expose: that, rounded up to 1 GiB
    Disk,
}

impl From<Length> for imsprep_toolkit::DiskLength {
    fn from(length: Length) -> Self {
        match length {
            Length::Orig => Self::Source,
            Length::Disk => Self::Disk,
        }
    }
}

fn parse_level(text: &str) -> Result<Level, String> {
    let level = text.parse().ok().and_then(Level::new);
    level.ok_or_else(|| format!("a number from {} to {}", Level::MIN.get(), Level::MAX.get()))
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep compare disk.raw disk.zvhd2
  imsprep compare before.zvhd2 after.zvhd2

RAW, ZVHD2, ZVHD, VHD, qcow2, VMDK and more. Holes, blocks that are not kept and zeros are all the same, and so is a longer \
disk that goes on in zeros: a ZVHD2's disk ends at a whole GiB.

Exit status 1: the content differs; the first byte that does is named.")]
pub(crate) struct CompareArgs {
    /// One image or block device
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// The other
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Zvhd2Command {
    /// Check structure and content of a ZVHD2 file
    Check(Zvhd2CheckArgs),
    /// Show the fields and regions of a ZVHD2 file
    Info(Zvhd2InfoArgs),
    /// List the stretches of data and of zeros on the disk
    Map(Zvhd2MapArgs),
    /// Rebuild a damaged ZVHD2 file from its records, into a new file
    Repair(Zvhd2RepairArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep zvhd2 check disk.zvhd2
  imsprep zvhd2 check --quick disk.zvhd2    footers, index, bitmap and record headers only

Errors are what the vendor's index reader can't read or reads wrongly; warnings are what only that reader can read, and \
what its writer would not have written.")]
pub(crate) struct Zvhd2CheckArgs {
    /// ZVHD2 file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Do not expand the records: listed as not checked
    #[arg(long)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep zvhd2 info disk.zvhd2
  imsprep zvhd2 info --json disk.zvhd2

The fields are shown as they are, sound or not; imsprep zvhd2 check judges them.")]
pub(crate) struct Zvhd2InfoArgs {
    /// ZVHD2 file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep zvhd2 map disk.zvhd2
  imsprep zvhd2 map --json disk.zvhd2    as qemu-img map --output=json prints it

Of a stretch of data it is not known whether it is zero; a block without a record is.")]
pub(crate) struct Zvhd2MapArgs {
    /// ZVHD2 or ZVHD file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep zvhd2 repair broken.zvhd2 saved.zvhd2

For files that are cut off, that got or lost bytes, whose END, index or bitmap is lost or damaged, or that have damage among \
their records. IN is only read. A record is saved, wherever it begins, if it has its end marker, expands to one whole block, \
and is not contradicted by a sound index or bitmap; its data is copied as it is. Without its end marker it is saved only if it \
has a checksum, or if it is compressed throughout and the next record begins where it ends.

Exit status 1: data is lost, or nobody knows whether any is; the blocks that are known to be missing are listed.")]
pub(crate) struct Zvhd2RepairArgs {
    /// Damaged ZVHD2 file
    #[arg(value_name = "IN")]
    pub(crate) file: PathBuf,
    /// The new file
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Size of the disk, for a file of which no sound footer is left: bytes, or a number with K, M, G or T (3G = 3GiB)
    #[arg(long, value_name = "SIZE", value_parser = parse_disk_size)]
    pub(crate) size: Option<u64>,
    /// Replace OUT if it exists; never IN
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep rules
  imsprep rules BM-001    why there is such a rule, its source, and how to mend what breaks it
  imsprep rules IMG.0056     what an error code of the service means, which rules foresee it, what to do")]
pub(crate) struct RulesArgs {
    /// Only these rules; or error codes of the service, such as IMG.0056, which are explained
    #[arg(value_name = "CODE")]
    pub(crate) codes: Vec<String>,
    /// Print a Markdown table, as in docs/rules.md
    #[arg(long, conflicts_with_all = ["json", "quiet"])]
    pub(crate) markdown: bool,
}

/// Parses the command line; usage errors and help end the process here.
pub(crate) fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|mut error| {
        hints::add(&mut error, &definition());
        crate::terminal::report_usage(&error)
    })
}

/// The command line as data, for what is made from it.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definitions_hold_together() {
        super::definition().debug_assert();
    }
}
