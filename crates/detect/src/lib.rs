//! Which disk image format a file has, how big the disk in it is, and what in it matters to an import.
//!
//! [`detect`] goes by content alone; a file's name plays no part. Every format has a prober that looks at the first 72 KiB,
//! the last 4 KiB and at most a few hundred KiB that headers point to. All of them run, so a file that is two formats at
//! once shows as such. Nothing that a file names is opened. Broken content is a [`Fact`], never an error: `Err` means
//! that the file could not be read.
//!
//! The first 72 KiB of a compressed file are expanded, from 4 MiB of it at most, and inspected in the same way, as are the sixteen
//! members of an archive that are most likely to be disks ([`look_into_archive`] shows where they lie). A wrapper in a wrapper stays closed,
//! but for a compressed file in an archive.
//!
//! ```
//! use imsprep_detect::{Fact, Format, detect};
//! use imsprep_source::MemoryImage;
//!
//! let mut bytes = vec![0; 4096];
//! bytes[..8].copy_from_slice(b"QFI\xfb\0\0\0\x02"); // qcow2, version 2
//! bytes[15] = 0xc8; // the backing file's name is at 200 ...
//! bytes[19] = 8; // ... and has 8 bytes
//! bytes[200..208].copy_from_slice(b"base.img");
//! bytes[23] = 16; // clusters of 64 KiB
//! bytes[28] = 0x40; // 1 GiB of disk
//!
//! let found = detect(&MemoryImage::new("disk.raw", bytes))?;
//! assert_eq!((found.format, found.variant), (Format::Qcow2, Some("v2")));
//! assert_eq!(found.virtual_size, Some(1 << 30));
//! assert_eq!(found.facts, [Fact::BackingFile("base.img".into())]);
//! # Ok::<(), imsprep_source::Error>(())
//! ```

mod archive;
mod archives;
mod candidate;
mod content;
mod descriptor;
mod detection;
mod expand;
mod input;
mod inside;
mod only_text;
mod ovf;
mod partitions;
mod probers;
mod resolve;
mod tar;
mod xz_index;
mod zip;

pub use archive::{Archive, ArchiveFile, Chunks, Member, Role};
pub use archives::look_into_archive;
pub use detection::{Content, Detection, Evidence, Fact, Inside};
pub use imsprep_ondisk::format::other::{OTHERS, Other, OtherKind};
pub use imsprep_ondisk::format::zip::{MemberData, Method};
pub use imsprep_ondisk::format::{Access, FORMATS, Format};
pub use ovf::{OVF_MAX, Ovf, OvfDisk};
pub use resolve::{detect, detect_start};
pub use tar::look_into_tar;
pub use zip::look_into_zip;
