//! The files of a guest, read from the volumes on its disk: ext2, ext3, ext4, XFS, Btrfs, NTFS and FAT.
//!
//! [`GuestTree`] mounts volumes as the guest would and resolves paths inside of it. All reading is bounded by [`Access`]. What
//! can't be read, or would be read wrongly, is an [`Error`] with the reason, so that whoever asked can say "not checked, because":
//! only [`ErrorKind::NotFound`] and [`ErrorKind::WrongType`] say something about the guest.
//!
//! [`free_space`] gives the bytes of a volume that nothing holds, or the reason why that is in doubt.
//!
//! ```
//! use imsprep_filesystem::{Found, GuestTree, MemoryTree};
//!
//! let mut files = MemoryTree::new();
//! files.file("/etc/hostname", "guest\n").link("/etc/name", "/etc/hostname");
//! let guest = GuestTree::of(files);
//! assert_eq!(guest.read("/etc/name", 64)?, b"guest\n");
//! assert_eq!(guest.read("/etc/fstab", 64).found()?, None);
//! # Ok::<(), imsprep_filesystem::Error>(())
//! ```

mod access;
mod below;
mod btrfs;
mod cached;
mod crc32c;
mod error;
mod ext;
mod fat;
mod free;
mod kind;
mod memory;
mod names;
mod ntfs;
mod open;
mod tree;
mod volume;
mod xfs;

pub use access::{Access, Limits};
pub use error::{Error, ErrorKind, Found, Result};
pub use free::{FreeSpace, free_space};
pub use memory::MemoryTree;
pub use open::open_volume;
pub use tree::{Entry, FileApart, GuestFile, GuestTree};
pub use volume::{Apart, DirEntry, FileKind, FileSystem, LINK_MAX, Metadata, Node, Subvolume};
