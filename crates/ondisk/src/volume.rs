//! What disks and partitions hold, as bytes: file systems, volume managers, encryption, programs.
//!
//! The parts that suffice to know some of them are in [`disk`](crate::disk).

pub mod btrfs;
pub mod btrfs_trees;
pub mod exfat;
pub mod ext;
pub mod ext_space;
pub mod f2fs;
pub mod fat;
pub mod fat_names;
pub mod iso;
pub mod jbd;
pub mod luks;
pub mod lvm;
pub mod md;
pub mod ntfs;
pub mod ntfs_record;
pub mod pe;
pub mod shadow;
pub mod swap;
pub mod xfs;
pub mod xfs_space;
pub mod zfs;

/// The first `N` bytes, of a part of a structure that is at least as long.
pub(crate) fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}
