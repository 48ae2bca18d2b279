//! What is inside a disk: partitions, file systems, boot loaders, and what follows from them.
//!
//! `inspect(disk, cancel)` looks into any [`ReadAt`](imsprep_source::ReadAt). Nothing that it meets is believed without a check,
//! every count is bounded, and of a disk of any size it reads at most a few MiB for each partition. A broken table or file
//! system is a fact that is told, never an error: `Err` means that the disk could not be read.

mod boot;
mod inspection;
mod partition;
mod summary;
mod table;
mod volume;

pub use boot::{Boot, BootCode, EfiSystem, Loader, MAX_LOADERS, Machine};
pub use imsprep_ondisk::gpt::Guid;
pub use inspection::Inspection;
pub use partition::{Partition, PartitionType};
pub use summary::{Architecture, Firmware, OsFamily, Purpose, Reasons, Summary};
pub use table::{Header, MAX_LOGICAL, MAX_PARTITIONS, MAX_PROBLEMS, Table, TableKind, TableProblem};
pub use volume::{Dirt, Lvm, MdRaid, State, Volume, VolumeGroup, VolumeKind};
