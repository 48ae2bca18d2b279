//! `imsprep summary`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep check --format ndjson images/*.raw | imsprep summary
  imsprep summary --expect list lines.ndjson     and whose line is missing?
  imsprep summary lines/                         the files *.ndjson and *.json in a folder, by name
  imsprep summary --json < lines.ndjson

Takes what check --format ndjson, check --json and prepare --json print, of many runs, one after the other. Of an image that comes \
twice the last counts. A job that died leaves no line: --expect finds its image. A line that is none of these, or not whole, is told with its number and makes the exit status 2, as a \
missing image does: the report would lack something. Else it is the worst of the images': 0, 1 or 2.

docs/fleet.md shows how many images are checked with GNU parallel, xargs, Kubernetes and Slurm.")]
pub(crate) struct SummaryArgs {
    /// Files of lines, or folders of such; - is standard input [default: -]
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// A file with the names of all images, one on each line, or with a NUL after each as find -print0 writes them: an image
    /// without a line counts as one that could not be looked at. - is standard input
    #[arg(long, value_name = "LIST")]
    pub(crate) expect: Option<PathBuf>,
}
