//! What the superblock says, checked.

use imsprep_ondisk::volume::btrfs::Superblock;
use imsprep_ondisk::volume::btrfs_trees::TreeSuperblock;

use crate::cached::Cached;
use crate::{Error, Result, btrfs};

/// Incompatible features with which space is held as here: references, default subvolume, mixed groups, LZO, zstd, large nodes, references to
/// names, small metadata items, no holes, UUID of nodes. Without RAID, zones, simple quotas, and a second version of the tree of extents.
const INCOMPATIBLE: u64 = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200 | 0x400;
/// The same of read-only compatible ones: trees of free space, verity. Without a tree of groups.
const READ_ONLY: u64 = 0x1 | 0x2 | 0x4;

/// The numbers of a file system.
pub(super) struct Geometry {
    pub(super) superblock: TreeSuperblock,
    /// Chunks that hold the tree of chunks.
    pub(super) first_chunks: Vec<u8>,
    pub(super) node_size: u32,
    /// Bytes of the device.
    pub(super) size: u64,
    /// UUID in nodes.
    pub(super) uuid: [u8; 16],
}

impl Geometry {
    pub(super) fn read(disk: &Cached<'_>) -> Result<Self> {
        // Checksum, log tree, devices, newer copies.
        btrfs::check(disk)?;
        let bytes = disk.array(Superblock::OFFSET)?;
        let superblock = TreeSuperblock::decode(&bytes);
        let unknown = [superblock.incompatible & !INCOMPATIBLE, superblock.read_only_compatible & !READ_ONLY];
        if unknown != [0; 2] {
            let [incompatible, read_only] = unknown;
            return Err(Error::refused(format!(
                "uses features with which free space is not known: {incompatible:#x} (incompatible), {read_only:#x} (read-only compatible)"
            )));
        }
        if superblock.flags & !TreeSuperblock::FLAGS != 0 {
            return Err(Error::refused(format!(
                "it is a seed, has errors, or is being changed: its flags are {:#x}",
                superblock.flags
            )));
        }
        let [size, _] = superblock.device_bytes;
        let [sector_size, node_size] = superblock.sizes;
        let own_offset = Superblock::decode(&first(&bytes)).own_offset;
        let is_sane = own_offset == Superblock::OFFSET
            && sector_size.is_power_of_two()
            && (4096..=65536).contains(&sector_size)
            && node_size.is_power_of_two()
            && (sector_size..=65536).contains(&node_size)
            && superblock.chunks_size <= TreeSuperblock::CHUNKS_MAX;
        if !is_sane {
            return Err(Error::corrupt("its superblock makes no sense"));
        }
        if size > disk.size() {
            return Err(Error::corrupt(format!(
                "its device has {size} bytes, and the volume has only {}",
                disk.size()
            )));
        }
        let length = usize::try_from(superblock.chunks_size).unwrap_or_default();
        let chunks = bytes.get(TreeSuperblock::CHUNKS_OFFSET..).and_then(|rest| rest.get(..length));
        let has_uuid = superblock.incompatible & TreeSuperblock::INCOMPATIBLE_UUID != 0;
        Ok(Self {
            first_chunks: chunks.unwrap_or_default().to_vec(),
            node_size,
            size,
            uuid: if has_uuid { superblock.nodes_uuid } else { superblock.uuid },
            superblock,
        })
    }
}

fn first(bytes: &[u8; TreeSuperblock::SIZE]) -> [u8; Superblock::SIZE] {
    bytes.first_chunk().copied().unwrap_or([0; Superblock::SIZE])
}
