//! The command line of `imsprep serve`.

use std::path::PathBuf;

use clap::Args;

use super::{DiskArgs, Length};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep serve disk.zvhd2 --socket disk.sock
  nbdcopy 'nbd+unix:///?socket=disk.sock' copy.raw
  qemu-img compare -f raw -F raw 'nbd+unix:///?socket=disk.sock' disk.raw
  nbdfuse mountpoint/disk.raw --unix disk.sock    a file that shows the disk

The disk is served by the NBD protocol until SIGINT or SIGTERM (exit status 130 or 143), to up to 16 clients at once. They can \
read it and ask which parts are zero (base:allocation); writing is refused. IMAGE may have any format that imsprep convert \
reads, except a compressed RAW. On Linux only the user who runs the command, and root, can connect.

If SOCKET exists, the exit status is 2, and nothing is removed. At the end the socket is removed, unless another file has its \
name by then. If IMAGE changes, all clients are disconnected, and the exit status is 2.")]
pub(crate) struct ServeArgs {
    /// Image or block device
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// Unix socket to create
    #[arg(long, value_name = "SOCKET")]
    pub(crate) socket: PathBuf,
    #[command(flatten)]
    pub(crate) disk: DiskArgs,
    /// For a ZVHD2 or ZVHD: size of the export
    #[arg(long, value_name = "LENGTH", default_value = "orig")]
    pub(crate) size: Length,
}
