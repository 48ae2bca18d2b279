//! `imsprep summary`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep check --format ndjson images/*.raw | imsprep summary
  imsprep summary --expect list lines.ndjson     also report images without a line
  imsprep summary lines/                         all files *.ndjson and *.json in a folder
  imsprep summary --json < lines.ndjson

Reads the output of check --format ndjson, check --json and prepare --json of many runs, one after the other. If an image occurs \
twice, its last report counts. A job that was killed leaves no report; --expect finds its image. A line that is no report or is \
incomplete is listed with its number.

Exit status 2: a line is no report, an image has none, or an image could not be checked. Otherwise the status is the highest of the \
images, 0 or 1.

docs/fleet.md describes how to check many images with GNU parallel, xargs, Kubernetes and Slurm.")]
pub(crate) struct SummaryArgs {
    /// Report files, or folders of them; - is standard input [default: -]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// File with the names of all images, one on each line, or each followed by NUL as written by find -print0. An image
    /// without a report counts as not checked. - is standard input
    #[arg(long, value_name = "LIST")]
    pub(crate) expect: Option<PathBuf>,
}
