//! The command line.

mod bench;
mod bitmap;
mod boot;
mod checksums;
mod disk;
mod generate;
mod hints;
mod inspect;
#[cfg(test)]
mod libraries;
mod os_versions;
mod policy;
mod prepare;
mod request;
mod serve;
mod size;
mod summary;
mod temp;
mod verify;

use std::path::PathBuf;

use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use imsprep_detect::{Access, FORMATS, Format};
use imsprep_zvhd2::Level;

use crate::identity::parse_uuid;
use crate::moment::parse_timestamp;
use crate::version;

pub(crate) use bench::BenchArgs;
pub(crate) use bitmap::{
    BitmapCommand, BitmapConvertArgs, BitmapCreateArgs, BitmapDiffArgs, BitmapLearnArgs,
    BitmapMakeSampleArgs, BitmapShowArgs, BitmapVerifyArgs, ImageSizeArgs, ProgramRunArgs,
};
pub(crate) use boot::{AccelChoice, BootArgs, FirmwareChoice};
pub(crate) use checksums::ChecksumArgs;
pub(crate) use disk::DiskArgs;
pub(crate) use generate::{GenerateArgs, What};
pub(crate) use inspect::InspectArgs;
pub(crate) use os_versions::OsVersionsArgs;
pub(crate) use policy::{FormatArgs, FormatName, IntentArgs, PolicyArgs, PurposeName, ReportArgs, RulesOf};
pub(crate) use prepare::PrepareArgs;
pub(crate) use request::{
    ArchitectureName, EndpointName, FirmwareName, LicenseName, MachineName, OsTypeName, RequestArgs,
    RequestFormat, RequestValueArgs,
};
pub(crate) use serve::ServeArgs;
use size::parse_disk_size;
pub(crate) use summary::SummaryArgs;
pub(crate) use temp::TempArgs;
pub(crate) use verify::{VerifyArgs, VerifyFormat};

const EXIT_CODES: &str = "Exit status: 0 success, possibly with warnings; 1 the result is negative, such as not importable or different; 2 failure; \
129, 130 or 143 interrupted. Results go to standard output, everything else to standard error.";

/// Check and prepare disk images for quick import into Huawei Cloud and Open Telekom Cloud.
///
/// Run it on the file before the upload. It works offline and never changes its input.
#[derive(Debug, Parser)]
#[command(name = "imsprep", version = version::SHORT, long_version = version::long(), after_help = EXIT_CODES)]
#[command(max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

/// Where the help of each command has the flags of all.
const COMMON: &str = "Common options";

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct CommonArgs {
    /// Print the result as JSON
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) json: bool,
    /// Print nothing but failures of imsprep itself; the exit status is the result
    #[arg(short, long, global = true, help_heading = COMMON, conflicts_with_all = ["json", "verbose"])]
    pub(crate) quiet: bool,
    /// Print more: every place of a finding, reasons and sources
    #[arg(short, long, global = true, help_heading = COMMON)]
    pub(crate) verbose: bool,
    /// Show no progress bar (none is shown if standard error is not a terminal)
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) no_progress: bool,
    /// Number of worker threads [default: one for each core]
    #[arg(long, global = true, help_heading = COMMON, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// When to colour the output; NO_COLOR is respected
    #[arg(long, global = true, help_heading = COMMON, value_name = "WHEN", default_value = "auto")]
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
    /// Check whether images can be quick-imported, and whether their systems would start
    Check(CheckArgs),
    /// Show the format, the disk size, and facts that matter to an import
    Detect(DetectArgs),
    /// Show partitions, file systems and boot loaders of a disk
    Inspect(InspectArgs),
    /// Create, verify, show and convert bitmap files (.mf), which RAW images need; learn their layout
    #[command(subcommand)]
    Bitmap(BitmapCommand),
    /// Convert images for quick import, check the results, and show the next step; the systems in them stay as they are
    Prepare(PrepareArgs),
    /// Convert an image to ZVHD2, or to RAW with its bitmap
    Convert(ConvertArgs),
    /// Compare the disks in two images, whatever their formats
    Compare(CompareArgs),
    /// Compare files with the manifest that was written for them
    Verify(VerifyArgs),
    /// Check, show and repair ZVHD2 files
    #[command(subcommand)]
    Zvhd2(Zvhd2Command),
    /// Boot an image in qemu without writing to it, or print the command for it
    Boot(BootArgs),
    /// Serve the disk in an image, read-only, to qemu and other NBD clients
    Serve(ServeArgs),
    /// Write or validate the body of the import request
    Request(Box<RequestArgs>),
    /// List the values of os_version for a request, and the pages that name them
    OsVersions(OsVersionsArgs),
    /// List every rule with its code and severity; explain the service's error codes
    Rules(RulesArgs),
    /// Merge the reports of many runs, on one machine or many
    Summary(SummaryArgs),
    /// Measure scans and conversions of imsprep and other programs side by side
    Bench(BenchArgs),
    /// Write manual pages and shell completions
    Generate(GenerateArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep check disk.raw                   read disk.raw and compare it with disk.mf
  imsprep check --write-bitmap disk.raw    also write disk.mf if it is missing
  imsprep check --json images/ > out.json  all images in a folder, for a script
  imsprep check --quick disk.zvhd2         without reading all of the disk, in seconds
  imsprep check --strict --allow BM-005 --format junit images/ > junit.xml
  imsprep check --manifest sums.json disk.raw    also write size and SHA-256 of disk.raw and disk.mf
  imsprep check --checksums SHA256SUMS disk.raw.xz    also compare the download with its published checksum
  imsprep check --html report.html images/        also write an HTML report with maps of the disks
  imsprep check nbd://host/disk            the disk that an NBD server exports

check judges quick import. For the common import, which takes qcow2, VMDK and other formats of up to 128 GiB, use imsprep request FILE.

If FILE is a folder, all images directly in it are checked, with --recursive also those in its subfolders: files with the extension of an \
image, and files whose content is recognised. The number of other files is shown.

FILE may be the address of an NBD export, nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH: the disk and the system on it are \
checked, and what depends on the file to import is reported as not checked. The network is used for nothing else.

imsprep.toml holds the settings of a project: profile, strict, purpose, bms, prefix, layout, deny, and the table [allow], which maps \
codes to reasons. It is looked up in the current folder and, within a repository, in the parent folders up to the root of the \
repository. Flags override it.")]
#[command(group(ArgGroup::new("outputs").args(["manifest", "html"]).multiple(true)))]
pub(crate) struct CheckArgs {
    /// Images, block devices, folders of images, or addresses of NBD exports
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Search the subfolders of folders as well; links to folders and hidden folders are left out
    #[arg(short, long)]
    pub(crate) recursive: bool,
    #[command(flatten)]
    pub(crate) disk: DiskArgs,
    /// Do not compare a RAW with its bitmap or decompress the records of a ZVHD2 (reported as not checked); partitions, file systems and the
    /// operating system are still checked
    #[arg(long, conflicts_with = "manifest")]
    pub(crate) quick: bool,
    /// Write the bitmap of a RAW if it is missing; never replaces a file
    #[arg(long, conflicts_with = "quick")]
    pub(crate) write_bitmap: bool,
    /// Also read the ranges that the file system reports as holes; only for file systems that report them wrongly
    #[arg(long, conflicts_with = "quick")]
    pub(crate) read_holes: bool,
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
    /// Replace OUT of --manifest and --html if it exists; never an image or its bitmap file
    #[arg(long, requires = "outputs")]
    pub(crate) force: bool,
}

/// I/O method for reading RAW images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Io {
    /// Choose by the kind of file and by whether it is in memory; -v shows the choice and the reason
    Auto,
    /// Memory maps: fastest for files in memory
    Map,
    /// Several reads at a time: for disks, devices and network file systems
    Read,
    /// Reads that bypass the page cache
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
  imsprep detect images/          all images in a folder, with a table
  imsprep detect appliance.ova    the disks in it, without unpacking it

The format is detected from the content, not from the name. Other files that an image refers to are never opened. The first \
72 KiB of a compressed file are decompressed, and the first sixteen members of a tar archive or OVA that may be disks are \
inspected. If FILE is a folder, all images directly in it are read; with --recursive also those in its subfolders.

A property that may forbid the import, such as a backing file, is shown with the code of its rule; imsprep rules CODE explains it. Exit status 0: all files \
could be read, whatever was found; imsprep check gives the verdict.")]
pub(crate) struct DetectArgs {
    /// Files, block devices, folders of images, or addresses of NBD exports (nbd://HOST/EXPORT)
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Search the subfolders of folders as well; links to folders and hidden folders are left out
    #[arg(short, long)]
    pub(crate) recursive: bool,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  imsprep convert disk.qcow2 disk.zvhd2          in one pass, without an intermediate RAW
  imsprep convert --verify disk.raw disk.zvhd2   also read every block back
  imsprep convert disk.vmdk disk.raw             sparse; also writes disk.mf
  imsprep convert disk.raw - | upload            to standard output
  curl -fsS URL | imsprep convert - disk.zvhd2   from standard input: RAW, or RAW in gzip, xz, zstd, bzip2
  imsprep convert disk.zvhd2 disk.raw            with the size of the original image
  imsprep convert --sparsify disk.raw disk.zvhd2 without deleted files
  imsprep convert --fit disk.raw fitted.raw      enlarged to whole GiB, with the backup GPT at its end

{}

A RAW is converted to ZVHD2 and a ZVHD2 to RAW. For other sources the extension of DST selects the format: RAW for .raw and \
.img, otherwise ZVHD2; the extensions of other formats are refused. Unallocated clusters of SRC are not read. An image that is incomplete, encrypted or damaged, or has \
snapshots, is refused: exit status 1. --allow IMS-008 converts the current state without the snapshots; --allow IMS-017 converts \
an image that was not closed; --allow IMS-051 and --allow IMS-061 convert a truncated disk as it is.

--sparsify leaves out what no file holds: the free space of ext2/3/4, XFS, Btrfs, NTFS, FAT and exFAT, swap space, and the extents of \
LVM that no logical volume maps. They are not read and become zeros; files, metadata and the gaps between partitions are copied. A \
volume that was not closed cleanly, or of which anything is doubtful, is copied completely, and the reason is shown. SRC is never \
changed.

--fit enlarges the disk to a multiple of 1 GiB, as the service does, and moves the backup of a GPT to its end: header, entries, checksums, \
the fields that depend on them in the primary header, and the protective MBR. It makes what sgdisk -e makes after truncate, for sectors of \
512 and 4096 bytes and entries of any size. A missing or damaged backup is made of the primary table; if that is damaged, or the disk was \
truncated, nothing is written. A disk with another partition table, or none, is only enlarged.

With --sparsify or --fit the extension of DST selects the format of the result for every SRC, so that a RAW or a ZVHD2 can be made of the \
same format.

Standard input (-) is read once, from its first byte to its last, and cannot be converted to standard output. What shows only at its end, \
such as the backup GPT, is checked before DST appears. --sparsify, --fit and all other formats need a file. A file named - is ./-.

nbd://HOST[:PORT]/EXPORT and nbd+unix:///EXPORT?socket=PATH read the disk that an NBD server exports, without a copy. The network is used \
only for such an address. TLS is not supported.

--sha256, --sha512 and --checksums compare SRC, as it was downloaded, with the checksums of its publisher before anything is written: exit \
status 1 if one differs, 2 if the list does not have SRC.

DST is renamed into place only when it is complete; the bitmap of a RAW appears after its image. Output on standard output is complete \
only if the exit status is 0 (141: the reader closed the pipe).", formats_note()))]
pub(crate) struct ConvertArgs {
    /// Image or block device; nbd://HOST/EXPORT reads from an NBD server, - a RAW (perhaps compressed) from standard input
    #[arg(value_name = "SRC")]
    pub(crate) source: PathBuf,
    /// File to write; - is standard output
    #[arg(value_name = "DST")]
    pub(crate) output: PathBuf,
    /// Replace DST if it exists; never SRC
    #[arg(long)]
    pub(crate) force: bool,
    /// Print what would be written, with an estimate of its size from a sample of the disk, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Read DST back and compare every block by CRC-32 before it is renamed into place
    #[arg(long)]
    pub(crate) verify: bool,
    /// Leave out what no file holds: free space of file systems, swap space, unused LVM extents
    #[arg(long, conflicts_with = "io")]
    pub(crate) sparsify: bool,
    /// Enlarge the disk to a multiple of 1 GiB and move the backup GPT to its end
    #[arg(long, conflicts_with_all = ["io", "size"])]
    pub(crate) fit: bool,
    /// To ZVHD2: compression level, from 1 to 22; 1 takes about two thirds of the time, for files about 5 % larger
    /// [default: 3, as the vendor's driver]
    #[arg(long, value_name = "N", value_parser = parse_level)]
    pub(crate) level: Option<Level>,
    /// To ZVHD2: UUID of the file [default: random]
    #[arg(long, value_name = "UUID", value_parser = parse_uuid)]
    pub(crate) uuid: Option<[u8; 16]>,
    /// To ZVHD2: time of creation, as Unix seconds or RFC 3339 [default: SOURCE_DATE_EPOCH, else now]
    #[arg(long, value_name = "TIME", value_parser = parse_timestamp)]
    pub(crate) timestamp: Option<u32>,
    /// RAW to ZVHD2: I/O method of the scan for zero blocks; does not change the result [default: auto]
    #[arg(long, value_name = "MODE")]
    pub(crate) io: Option<Io>,
    /// Also read the ranges that the file system reports as holes; only for file systems that report them wrongly
    #[arg(long)]
    pub(crate) read_holes: bool,
    /// To RAW: size of the result [default: orig]
    #[arg(long, value_name = "LENGTH")]
    pub(crate) size: Option<Length>,
    /// To RAW: write no bitmap file
    #[arg(long, conflicts_with = "layout")]
    pub(crate) no_bitmap: bool,
    /// To RAW: layout of the bitmap file [default: the layout in force, see `bitmap layouts`]
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
    #[command(flatten)]
    pub(crate) disk: DiskArgs,
    #[command(flatten)]
    pub(crate) temp: TempArgs,
    #[command(flatten)]
    pub(crate) checksums: ChecksumArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// Which size a RAW gets that is made from a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Length {
    /// The size of the image that the ZVHD2 was made from
    Orig,
    /// The size of the disk: the same, rounded up to 1 GiB
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

/// The formats that are read, by the table of formats.
fn formats_note() -> String {
    let titles = |is: fn(Access) -> bool| {
        let rows =
            FORMATS.iter().filter(|row| is(row.access) || row.format == Format::Raw && is(Access::Container));
        rows.map(|row| row.title).collect::<Vec<_>>().join(", ")
    };
    format!(
        "Formats: {}; with qemu-nbd installed: {}; a disk in an archive: {} (OVA); a RAW compressed with: {}.",
        titles(|access| matches!(access, Access::Container | Access::Own(_))),
        titles(|access| matches!(access, Access::Qemu(_))),
        titles(|access| access == Access::Archive),
        titles(|access| access == Access::Stream)
    )
}

fn parse_level(text: &str) -> Result<Level, String> {
    let level = text.parse().ok().and_then(Level::new);
    level.ok_or_else(|| format!("a number from {} to {}", Level::MIN.get(), Level::MAX.get()))
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep compare disk.raw disk.zvhd2
  imsprep compare before.zvhd2 after.zvhd2

A and B may have any format that imsprep convert reads, or be addresses of NBD exports (nbd://HOST/EXPORT). Holes, blocks without a record and zeros are equal. A longer disk has \
the same content if it contains only zeros beyond the end of the other, because the disk of a ZVHD2 is rounded up to 1 GiB.

--sparsify compares what files can see: the bytes that no file holds according to A are ignored in both images, so that A can be compared \
with what imsprep convert --sparsify made of it.

Exit status 0: the content is the same; 1: it differs, and the offset of the first different byte is shown; 2: a disk could not be read.")]
pub(crate) struct CompareArgs {
    /// First image, block device or NBD export
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// Second image, block device or NBD export
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    #[command(flatten)]
    pub(crate) disk: DiskArgs,
    /// Ignore what no file holds according to A: free space of file systems, swap space, unused LVM extents
    #[arg(long)]
    pub(crate) sparsify: bool,
    #[command(flatten)]
    pub(crate) temp: TempArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Zvhd2Command {
    /// Check structure and content of a ZVHD2 file
    Check(Zvhd2CheckArgs),
    /// Show the fields and regions of a ZVHD2 file
    Info(Zvhd2InfoArgs),
    /// List the data and zero ranges of the disk
    Map(Zvhd2MapArgs),
    /// Rebuild a damaged ZVHD2 file from its records, into a new file
    Repair(Zvhd2RepairArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep zvhd2 check disk.zvhd2
  imsprep zvhd2 check --quick disk.zvhd2    footers, index, bitmap and record headers only

A finding is an error if the vendor's index reader cannot read the file or reads it wrongly. It is a warning if only that \
reader can read the file, or if the vendor's writer would not have written it.")]
pub(crate) struct Zvhd2CheckArgs {
    /// ZVHD2 file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Skip decompressing the records (reported as not checked)
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

The fields are shown without being checked; see imsprep zvhd2 check.")]
pub(crate) struct Zvhd2InfoArgs {
    /// ZVHD2 file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep zvhd2 map disk.zvhd2
  imsprep zvhd2 map --json disk.zvhd2    as qemu-img map --output=json prints it

Data ranges may still contain zeros; blocks without a record are always zero.")]
pub(crate) struct Zvhd2MapArgs {
    /// ZVHD2 or ZVHD file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep zvhd2 repair broken.zvhd2 saved.zvhd2

For files that were truncated, that lost or gained bytes, or that are damaged in END, index, bitmap or records. IN is never \
changed. repair copies every record, at any offset, that has its end marker, decompresses to exactly one block, and does not \
contradict the index or bitmap, where those are intact; the compressed data is copied unchanged. A record without its end marker \
is copied only if it has a checksum, or if all of it is compressed and the next record begins where it ends.

Exit status 1: data is lost, or it cannot be determined whether data is lost; the blocks that are known to be missing are listed.")]
pub(crate) struct Zvhd2RepairArgs {
    /// Damaged ZVHD2 file
    #[arg(value_name = "IN")]
    pub(crate) file: PathBuf,
    /// File to write
    #[arg(value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Size of the disk, for a file without an intact footer: bytes, or a number with K, M, G or T (3G = 3GiB)
    #[arg(long, value_name = "SIZE", value_parser = parse_disk_size)]
    pub(crate) size: Option<u64>,
    /// Replace OUT if it exists; never IN
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep rules
  imsprep rules BM-001       reason and source of a rule, and how to fix a finding
  imsprep rules IMG.0056     meaning of an error code of the service, the rules that predict it, what to do")]
pub(crate) struct RulesArgs {
    /// Codes of rules, or error codes of the service such as IMG.0056, to explain [default: list all rules]
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
