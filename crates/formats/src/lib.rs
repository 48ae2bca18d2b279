//! The disks in VHD, qcow2 and VMDK files, each as a [`DiskReader`](imsprep_source::DiskReader).
//!
//! The readers are for files from anywhere: what a header says is bounded before anything is allocated by it, every place
//! that a table names must lie in the file, nothing that a file names is opened, and there is no recursion. What can't be read
//! without doubt is refused when the disk is opened ([`Error::Unreadable`]), or, where it is one place, when that is read
//! ([`imsprep_source::Error::Damaged`]). Memory does not grow with the disk, except for the one table that each format has at
//! its top: 32 MiB at most for qcow2, 16 MiB for VHD and VMDK.
//!
//! [`Nbd`] is for the formats that only qemu reads, [`Unwrapped`] for a RAW that is compressed as a whole: that can be read from
//! its first byte to its last, and no other way.
//!
//! ```
//! use imsprep_formats::{Slice, Vhd};
//! use imsprep_source::{DiskReader, MemoryImage, ReadAt, ReadAtExt};
//!
//! // A fixed VHD: the disk's bytes, then the footer.
//! let mut bytes = vec![7; 1024];
//! bytes.resize(1024 + 512, 0);
//! bytes[1024..1032].copy_from_slice(b"conectix");
//! bytes[1024 + 48..][..8].copy_from_slice(&1024_u64.to_be_bytes());
//! bytes[1024 + 63] = 2;
//!
//! let file = MemoryImage::new("disk.vhd", bytes);
//! let disk = Vhd::open(Slice::whole(&file))?;
//! assert_eq!((disk.size(), disk.read_array::<2>(1022)?), (1024, [7, 7]));
//! # Ok::<(), imsprep_formats::Error>(())
//! ```

mod cache;
mod claims;
mod disks;
mod error;
mod lz4;
mod nbd;
mod packed;
mod pieces;
mod slice;
mod stream_end;
#[cfg(test)]
mod tests;
mod unpack;
mod wrapped;
mod xz;
mod zip_member;

pub use claims::Flaw;
pub use disks::{Qcow2, Vhd, Vmdk, check_tables, open_disk};
pub use error::{Error, Result};
pub use nbd::{AddressError, Export, Nbd, NbdAddress, NbdServer, ServeError};
pub use packed::Watch;
pub use slice::Slice;
pub use stream_end::{Framed, StreamEnd, stream_end};
pub use wrapped::{ENDS_TOO_EARLY, Unwrapped, Wrapper};
pub use xz::XzAtRandom;
