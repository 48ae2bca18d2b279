//! What is inside a disk: partitions, file systems, boot loaders, and what follows from them.
//!
//! [`inspect()`] inspects any [`DiskReader`](imsprep_source::DiskReader). Nothing that it meets is believed without a check,
//! every count is bounded, and of a disk of any size it reads at most a few MiB for each partition. A broken table or file
//! system is a fact that is reported, never an error: `Err` means that the disk could not be read.
//!
//! ```
//! use imsprep_inspect::{DiskUse, VolumeKind, inspect};
//! use imsprep_source::{Cancel, MemoryImage};
//!
//! let mut bytes = vec![0; 1 << 20];
//! bytes[4086..4096].copy_from_slice(b"SWAPSPACE2");
//! bytes[1024] = 1; // version
//! bytes[1028] = 255; // last page
//! bytes[1052..1056].copy_from_slice(b"SWAP"); // label
//!
//! let found = inspect(&MemoryImage::new("disk.raw", bytes), &Cancel::new())?;
//! let whole = found.whole.expect("no partition table, so the disk is one volume");
//! assert_eq!((whole.kind, whole.label.as_deref()), (VolumeKind::Swap, Some("SWAP")));
//! assert_eq!(found.summary.purpose, DiskUse::Data);
//! # Ok::<(), imsprep_source::Error>(())
//! ```

mod boot;
mod boot_code;
mod conclude;
mod esp;
mod fat_volume;
mod fit;
mod fit_mbr;
mod gpt;
mod inspect;
mod inspection;
mod mbr;
mod partition;
mod problems;
mod summary;
mod table;
mod view;
mod volume;
mod volumes;

pub use boot::{Boot, BootCode, EfiMachine, EfiSystem, Loader, MAX_LOADERS};
pub use fit::{BackupMove, CannotFit, Fitting, Patch, fit_table};
pub use imsprep_ondisk::gpt::Guid;
pub use inspect::{inspect, inspect_source, inspect_volume};
pub use inspection::Inspection;
pub use partition::{Partition, PartitionType};
pub use summary::{Architecture, DiskUse, Firmware, OsFamily, Reasons, Summary};
pub use table::{
    GptLayout, Header, MAX_LOGICAL, MAX_PARTITIONS, MAX_PROBLEMS, Table, TableKind, TableProblem,
};
pub use volume::{
    LogicalVolume, Lost, Lvm, MdRaid, Segment, State, UncleanReason, Volume, VolumeGroup, VolumeKind,
};
