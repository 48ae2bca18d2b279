//! `imsprep bitmap`: its commands and flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};

use super::size::{parse_disk_size, parse_seconds, parse_specimen_size};
use super::{FormatArgs, Io, PolicyArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum BitmapCommand {
    /// Scan a RAW image for zero blocks and write its bitmap file
    Create(BitmapCreateArgs),
    /// Compare a bitmap file with the content of its image
    Verify(BitmapVerifyArgs),
    /// Show layout, counts and ranges of a bitmap file, and a picture of the disk
    Show(BitmapShowArgs),
    /// Compare the blocks in two bitmap files, whatever their layouts
    Diff(BitmapDiffArgs),
    /// Convert a bitmap file to another layout
    Convert(BitmapConvertArgs),
    /// Derive the layout of genuine bitmap files
    Learn(BitmapLearnArgs),
    /// List the known layouts, where each comes from, and which one is in force
    #[command(after_help = "Examples:
  imsprep bitmap layouts
  imsprep bitmap layouts --json

The layout in force is the one that --layout names, or else `layout` in imsprep.toml, or else the one that `bitmap learn --install` \
installed, or else zvhd2. `bitmap create`, `check --write-bitmap`, `prepare` and `convert` write it, and all commands that read bitmap files try it first.")]
    Layouts,
    /// Write a small RAW whose genuine bitmap file distinguishes layouts
    MakeSample(BitmapMakeSampleArgs),
}

const LAYOUT_NOTE: &str = "The layout of the vendor's .mf is not public. The default is the layout of the bitmap inside ZVHD2: one bit for \
each 2 MiB block, least significant bit first, 1 = data, zeros up to a multiple of 4096 bytes.";

const LAYOUTS_NOTE: &str = "LAYOUT is zvhd2, sealed (zvhd2 and a trailer with the size of the image and checksums), bmap (the \
XML of bmaptool 2.0), ranges (text), or a file that describes a layout, as written by bitmap learn.";

/// Where the size of the image comes from.
#[derive(Debug, Args)]
pub(crate) struct ImageSizeArgs {
    /// Size of the image, for bitmap files that do not contain it: bytes, or a number with K, M, G or T
    #[arg(long, value_name = "SIZE", value_parser = parse_disk_size, conflicts_with = "image")]
    pub(crate) image_size: Option<u64>,
    /// Image to take the size from [default: the .raw or .img of the same name, if the bitmap file has no size]
    #[arg(long, value_name = "RAW")]
    pub(crate) image: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  imsprep bitmap create disk.raw                     writes disk.mf
  imsprep bitmap create /dev/vg/disk -o disk.mf
  imsprep bitmap create --force disk.raw             replaces disk.mf
  imsprep bitmap create --layout my.toml disk.raw    in a learned layout
  imsprep bitmap create --layout bmap disk.raw -o disk.bmap

{LAYOUTS_NOTE} {LAYOUT_NOTE}"))]
pub(crate) struct BitmapCreateArgs {
    /// RAW image or block device
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Bitmap file to write [default: FILE with the extension .mf]
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// Layout of the bitmap file [default: the layout in force, see `bitmap layouts`]
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
    /// Replace an existing bitmap file, whatever its content; never the image
    #[arg(long)]
    pub(crate) force: bool,
    /// Also read the ranges that the file system reports as holes; only for file systems that report them wrongly
    #[arg(long)]
    pub(crate) read_holes: bool,
    /// I/O method for reading RAW images; does not change the result
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) io: Io,
}

#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  imsprep bitmap verify disk.raw                     compares with disk.mf
  imsprep bitmap verify disk.raw --bitmap other.mf
  imsprep bitmap verify disk.raw --sample 1000       reads 1000 blocks and reports how likely it is to miss a fault
  imsprep bitmap verify disk.raw --layout my.toml    a bitmap in a learned layout
  imsprep bitmap verify disk.raw --program 'java -jar CreateMF.jar {{image}} {{bitmap}}'

With --program, the bitmap file is compared, byte for byte, with the one that the program writes for the same image; \
`imsprep help bitmap learn` describes the command.

Exit status 0: the bitmap is correct; 1: a data block is marked zero, which would lose data; 2: the layout of the file is unknown, so it cannot be \
verified. With --program, 1: the files differ. 2: the program wrote no file."))]
pub(crate) struct BitmapVerifyArgs {
    /// RAW image or block device
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Bitmap file [default: FILE with the extension .mf]
    #[arg(long, value_name = "MF")]
    pub(crate) bitmap: Option<PathBuf>,
    /// Layout to try before the built-in ones
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
    /// Compare with the file that this program writes for the image, and not with the content of the image
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["layout", "sample", "io"])]
    pub(crate) program: Option<String>,
    /// Seconds that the program may run; after that it is killed with its children
    #[arg(long, value_name = "SECONDS", default_value = "86400", value_parser = parse_seconds, requires = "program")]
    pub(crate) run_limit: Duration,
    /// Folder for the file that the program writes [default: the system's]
    #[arg(long, value_name = "DIR", requires = "program")]
    pub(crate) temp_dir: Option<PathBuf>,
    /// Read only N randomly chosen blocks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: Option<u64>,
    /// I/O method for reading RAW images; does not change the result
    #[arg(long, value_name = "MODE", default_value = "auto", conflicts_with = "sample")]
    pub(crate) io: Io,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bitmap show disk.mf                    takes the size of the image from disk.raw
  imsprep bitmap show disk.mf --image-size 40G
  imsprep bitmap show -v disk.bmap               every range
  imsprep bitmap show --json disk.mf

Exit status 2: the layout of the file is unknown, or the file is damaged.")]
pub(crate) struct BitmapShowArgs {
    /// Bitmap file
    #[arg(value_name = "MF")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) size: ImageSizeArgs,
    /// Layout to try before the built-in ones
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bitmap diff old.mf new.mf --image disk.raw
  imsprep bitmap diff disk.mf disk.bmap              takes the size from disk.bmap

If the block sizes differ, the larger one is used. Exit status 1: the bitmaps differ, or the sizes of their images do.")]
pub(crate) struct BitmapDiffArgs {
    /// First bitmap file
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// Second bitmap file
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    #[command(flatten)]
    pub(crate) size: ImageSizeArgs,
    /// Layout to try before the built-in ones, for both files
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  imsprep bitmap convert disk.mf disk.bmap --to bmap
  imsprep bitmap convert archive.mf disk.mf --to zvhd2
  imsprep bitmap convert disk.mf new.mf --to my.toml --image disk.raw

With larger blocks, a block is data if any part of it was. With smaller blocks, every part of a data block is data. The layout \
ranges keeps the block size of A; so does bmap up to 1 MiB, the largest that bmaptool copies. {LAYOUTS_NOTE}"))]
pub(crate) struct BitmapConvertArgs {
    /// Bitmap file
    #[arg(value_name = "A")]
    pub(crate) source: PathBuf,
    /// File to write
    #[arg(value_name = "B")]
    pub(crate) output: PathBuf,
    /// Layout of B
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) to: String,
    /// Layout of A to try before the built-in ones
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) from: Option<String>,
    #[command(flatten)]
    pub(crate) size: ImageSizeArgs,
    /// Replace B if it exists; never A
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bitmap learn --program 'java -jar CreateMF.jar {image} {bitmap}' -o my.toml
  imsprep bitmap learn --image disk.raw --sample disk.mf -o my.toml
  imsprep bitmap learn --image a.raw --sample a.mf --image b.raw --sample b.mf -o my.toml
  imsprep check --layout my.toml disk.raw

With --program, imsprep creates sparse images in --temp-dir, runs the program on each of them, and chooses the next image so that \
it distinguishes the remaining layouts. When one layout remains, at least 40 more images test it, byte for byte. The \
command is split into words with the quoting of a POSIX shell, and no shell runs it; {image} and {bitmap} stand for the paths. \
The program runs with your permissions: run only programs that you trust. Exit status 0: the layout is proven, and -o writes it \
with its proof. 1: it cannot be learned, and the report shows why; nothing is written.

Without it, each SAMPLE must be a bitmap file that the vendor's program made from the IMAGE before it. Exit status 0: exactly one \
layout reproduces every sample byte for byte, and -o writes it. 1: several layouts do, and the report says which further sample \
distinguishes them; or none does, and the report says where the nearest one fails.

learn derives layouts with a bit, a byte or a word for each block, or with two numbers for each run of data: block size, order and \
meaning of the values, padding, and the numbers and checksums in header and trailer. Other known forms are named, but not learned. docs/bitmap-file.md describes what is claimed.")]
#[command(group(ArgGroup::new("evidence").args(["program", "image"]).required(true)))]
pub(crate) struct BitmapLearnArgs {
    /// RAW image, one for each sample (repeatable)
    #[arg(long, value_name = "RAW", requires = "sample")]
    pub(crate) image: Vec<PathBuf>,
    /// Genuine bitmap file of the image before it (repeatable)
    #[arg(long, value_name = "MF", requires = "image")]
    pub(crate) sample: Vec<PathBuf>,
    /// Program that writes bitmap files, with its arguments; {image} and {bitmap} stand for the paths
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["image", "sample", "io"])]
    pub(crate) program: Option<String>,
    #[command(flatten)]
    pub(crate) runs: ProgramRunArgs,
    /// Write the layout to TOML if exactly one fits
    #[arg(short, long, value_name = "TOML")]
    pub(crate) output: Option<PathBuf>,
    /// Install the layout, if exactly one fits: every later command writes it and looks for it first
    #[arg(long)]
    pub(crate) install: bool,
    /// Replace TOML, or the installed layout, if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// I/O method for reading the images; does not change the result
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) io: Io,
}

/// How a program is run.
#[derive(Debug, Args)]
pub(crate) struct ProgramRunArgs {
    /// Seconds for all runs of the program together; larger images are left out if there is no time for them
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = parse_seconds, conflicts_with_all = ["image", "sample"])]
    pub(crate) time_limit: Duration,
    /// Seconds for one run of the program; after that it is killed with its children
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = parse_seconds, conflicts_with_all = ["image", "sample"])]
    pub(crate) run_limit: Duration,
    /// Folder for the images that are made; they are sparse and removed at the end [default: the system's]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["image", "sample"])]
    pub(crate) temp_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bitmap make-sample -o small.raw
  java -jar CreateMF.jar small.raw small.mf
  imsprep bitmap learn --image small.raw --sample small.mf -o my.toml

The image is sparse and contains a few MiB of data. For every block size, some blocks hold data and others do not.")]
pub(crate) struct BitmapMakeSampleArgs {
    /// File to write
    #[arg(short, long, value_name = "RAW")]
    pub(crate) output: PathBuf,
    /// Size of the image, as requested by bitmap learn: bytes, or a number with K, M or G [default: 1084240384]
    #[arg(long, value_name = "SIZE", value_parser = parse_specimen_size)]
    pub(crate) size: Option<u64>,
    /// Replace RAW if it exists
    #[arg(long)]
    pub(crate) force: bool,
}
