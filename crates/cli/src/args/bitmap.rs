//! `imsprep bitmap`: its commands and flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::size::{parse_disk_size, parse_specimen_size};
use super::{FormatArgs, Io, PolicyArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum BitmapCommand {
    /// Scan a RAW image for zero blocks and write its bitmap file
    Create(BitmapCreateArgs),
    /// Compare a bitmap file with what the image holds
    Verify(BitmapVerifyArgs),
    /// Show what a bitmap file says: layout, counts, ranges, and a picture of the disk
    Show(BitmapShowArgs),
    /// Compare what two bitmap files say, whatever their layouts
    Diff(BitmapDiffArgs),
    /// Write what a bitmap file says in another layout
    Convert(BitmapConvertArgs),
    /// Find the layout of genuine bitmap files
    Learn(BitmapLearnArgs),
    /// Write a small RAW whose genuine bitmap file tells layouts apart
    MakeSample(BitmapMakeSampleArgs),
}

const LAYOUT_NOTE: &str = "The layout of the vendor's own .mf is unpublished. Unless another is given, imsprep writes the \
one that ZVHD2 has inside: one bit for each 2 MiB block, least significant bit first, 1 = data, zeros up to a multiple of \
4096 bytes.";

const LAYOUTS_NOTE: &str = "LAYOUT is zvhd2 (the default), sealed (the same with a trailer that tells the image's size and \
has checksums), bmap (the XML of bmaptool 2.0), ranges (text), or a file that describes one, as bitmap learn writes it.";

/// Who says how large the image of a bitmap file is.
#[derive(Debug, Args)]
pub(crate) struct ImageSizeArgs {
    /// The image's size, for files that do not tell it: bytes, or a number with K, M, G or T
    #[arg(long, value_name = "SIZE", value_parser = parse_disk_size, conflicts_with = "image")]
    pub(crate) image_size: Option<u64>,
    /// The image, for its size [default: the RAW or .img of the same name, if the file does not tell the size]
    #[arg(long, value_name = "RAW")]
    pub(crate) image: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  imsprep bitmap create disk.raw                     writes disk.mf
  imsprep bitmap create /dev/vg/disk -o disk.mf
  imsprep bitmap create --force disk.raw             replaces disk.mf
  imsprep bitmap create --layout my.toml disk.raw    in a layout that was learned
  imsprep bitmap create --layout bmap disk.raw -o disk.bmap

{LAYOUTS_NOTE} {LAYOUT_NOTE}"))]
pub(crate) struct BitmapCreateArgs {
    /// RAW image or block device
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where to write the bitmap [default: FILE with .mf for its extension]
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// In which layout
    #[arg(long, value_name = "LAYOUT", default_value = "zvhd2")]
    pub(crate) layout: String,
    /// Replace an existing bitmap file, whatever it is; never the image
    #[arg(long)]
    pub(crate) force: bool,
    /// How to bring in the bytes of a RAW; the result is the same
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) io: Io,
}

#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  imsprep bitmap verify disk.raw                     compares with disk.mf
  imsprep bitmap verify disk.raw --bitmap other.mf
  imsprep bitmap verify disk.raw --sample 1000       reads 1000 blocks and says how likely a fault was missed
  imsprep bitmap verify disk.raw --layout my.toml    a bitmap in a layout that was learned

Exit status 1: a data block is marked zero, which would lose data. 2: the file is in no layout that imsprep knows, so \
nothing can be said of it. {LAYOUT_NOTE}"))]
pub(crate) struct BitmapVerifyArgs {
    /// RAW image or block device
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The bitmap file [default: FILE with .mf for its extension]
    #[arg(long, value_name = "MF")]
    pub(crate) bitmap: Option<PathBuf>,
    /// A layout to look for before the built-in ones
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
    /// Read only N blocks, picked at random
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: Option<u64>,
    /// How to bring in the bytes of a RAW; the result is the same
    #[arg(long, value_name = "MODE", default_value = "auto", conflicts_with = "sample")]
    pub(crate) io: Io,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bitmap show disk.mf                    takes the image's size from disk.raw
  imsprep bitmap show disk.mf --image-size 40G
  imsprep bitmap show -v disk.bmap               every range
  imsprep bitmap show --json disk.mf

Exit status 2: the file is in no layout that imsprep knows, or damaged.")]
pub(crate) struct BitmapShowArgs {
    /// Bitmap file
    #[arg(value_name = "MF")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) size: ImageSizeArgs,
    /// A layout to look for before the built-in ones
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bitmap diff old.mf new.mf --image disk.raw
  imsprep bitmap diff disk.mf disk.bmap              the size comes from disk.bmap

Of different block sizes the larger is taken. Exit status 1: they differ, or are of images of different sizes.")]
pub(crate) struct BitmapDiffArgs {
    /// One bitmap file
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// The other
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    #[command(flatten)]
    pub(crate) size: ImageSizeArgs,
    /// A layout to look for before the built-in ones, in both
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) layout: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  imsprep bitmap convert disk.mf disk.bmap --to bmap
  imsprep bitmap convert archive.mf disk.mf --to zvhd2
  imsprep bitmap convert disk.mf new.mf --to my.toml --image disk.raw

Into larger blocks it is put together: one is data if any block within it was. Of smaller blocks all count as data that lie \
in a data block. ranges keeps the blocks of A, and so does bmap up to 1 MiB, the most that bmaptool copies. {LAYOUTS_NOTE}"))]
pub(crate) struct BitmapConvertArgs {
    /// Bitmap file
    #[arg(value_name = "A")]
    pub(crate) source: PathBuf,
    /// The file to write
    #[arg(value_name = "B")]
    pub(crate) output: PathBuf,
    /// The layout of B
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) to: String,
    /// A layout to look for in A before the built-in ones
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
  imsprep bitmap learn --image disk.raw --sample disk.mf
  imsprep bitmap learn --image disk.raw --sample disk.mf -o my.toml
  imsprep bitmap learn --image a.raw --sample a.mf --image b.raw --sample b.mf -o my.toml
  imsprep check --layout my.toml disk.raw

Each SAMPLE has to be a bitmap file that the vendor's program made from the IMAGE before it. Layouts of one bit for each \
block are learned: block size, order and meaning of the bits, padding, and what numbers are in header and trailer; other \
forms are named if they are known. Exit status 0: exactly one layout reproduces every sample byte for byte, and -o writes \
it. 1: several do, and it is said what further sample tells them apart; or none does, and it is said where the nearest \
fails. docs/bitmap-file.md tells what is claimed.")]
pub(crate) struct BitmapLearnArgs {
    /// RAW image; once for each sample
    #[arg(long, value_name = "RAW", required = true)]
    pub(crate) image: Vec<PathBuf>,
    /// Genuine bitmap file of the image of the same turn
    #[arg(long, value_name = "MF", required = true)]
    pub(crate) sample: Vec<PathBuf>,
    /// Write the layout to this file, if exactly one fits
    #[arg(short, long, value_name = "TOML")]
    pub(crate) output: Option<PathBuf>,
    /// Replace TOML if it exists
    #[arg(long)]
    pub(crate) force: bool,
    /// How to bring in the bytes of the images; the result is the same
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) io: Io,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep bitmap make-sample -o small.raw
  java -jar CreateMF.jar small.raw small.mf
  imsprep bitmap learn --image small.raw --sample small.mf -o my.toml

The image is sparse: its data takes a few MiB. In blocks of every size some hold data and some do not.")]
pub(crate) struct BitmapMakeSampleArgs {
    /// The file to write
    #[arg(short, long, value_name = "RAW")]
    pub(crate) output: PathBuf,
    /// Size of the image, as bitmap learn asks for it: bytes, or a number with K, M or G [default: 1084240384]
    #[arg(long, value_name = "SIZE", value_parser = parse_specimen_size)]
    pub(crate) size: Option<u64>,
    /// Replace RAW if it exists
    #[arg(long)]
    pub(crate) force: bool,
}
