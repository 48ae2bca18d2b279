//! The command line of `imsprep verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep check --manifest sums.json images/        write the manifest
  imsprep verify sums.json                          compare the files with it later
  imsprep verify --folder /mnt/copy sums.json       compare copies of them
  imsprep check --manifest SHA256SUMS images/ && sha256sum -c SHA256SUMS

MANIFEST is a file that --manifest of imsprep check or imsprep prepare wrote, or a list of sha256sum. Each file in it is read, and its size and \
SHA-256 are compared: ok, differs, or missing. A file of another size is not read.

Exit status 0: all files are as listed; 1: a file differs or is missing; 2: a file, or MANIFEST, could not be read.")]
pub(crate) struct VerifyArgs {
    /// File that --manifest wrote, or a list of sha256sum; - is standard input
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// Folder from which relative paths in MANIFEST start [default: the current folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Output format [default: text]
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["json", "quiet"])]
    pub(crate) format: Option<VerifyFormat>,
}

/// How the result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyFormat {
    /// Text for people
    Text,
    /// One JSON document, same as --json
    Json,
    /// One JSON document on a line for each file, as soon as the file was compared
    Ndjson,
}
