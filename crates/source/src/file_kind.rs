//! What a path leads to.

use std::fmt;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A block device, such as a disk or an LVM volume.
    BlockDevice,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A terminal, `/dev/zero` and the like.
    CharDevice,
    /// Something else.
    Other,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Regular => "regular file",
            Self::BlockDevice => "block device",
            Self::Directory => "directory",
            Self::Fifo => "named pipe (FIFO)",
            Self::Socket => "socket",
            Self::CharDevice => "character device",
            Self::Other => "file of an unknown kind",
        })
    }
}
