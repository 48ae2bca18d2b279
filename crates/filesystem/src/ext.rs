//! ext2, ext3 and ext4.
//!
//! By our own code and not by the crate ext4-view (1.0.0 was examined): that returns stale bytes where blocks were allocated and
//! never written, refuses a journal to be replayed without metadata checksums, as RHEL 7 and ext3 have it, and takes holes of
//! ext2 for damage. To guard against the first takes a reader of extents, after which little is left.

mod directory;
mod journal;
mod map;

use std::ops::ControlFlow;
use std::rc::Rc;

use imsprep_ondisk::disk::ExtSuperblock as Basic;
use imsprep_ondisk::volume::ext::{DirectoryEntry, GroupDescriptor, Inode, Superblock};

use crate::cached::Cached;
use crate::{Apart, DirEntry, Error, FileKind, FileSystem, LINK_MAX, Metadata, Node, Result};
use journal::Replayed;

/// Incompatible features that are read rightly: file types, recovery, groups of descriptors, extents, 64 bits, protection
/// against two mounts, flexible groups, attributes in inodes, a seed of checksums, large directories, content in inodes (which is
/// refused file by file, as encryption is), encryption, case folding.
const KNOWN: u32 =
    0x2 | 0x4 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000;
/// Most bytes of a directory.
const DIRECTORY_MAX: u64 = 1 << 30;

/// An ext2, ext3 or ext4 volume.
pub(crate) struct Ext<'a> {
    disk: Replayed<'a>,
    superblock: Superblock,
    geometry: Geometry,
    name: &'static str,
}

/// The numbers by which things are found.
#[derive(Clone, Copy, Debug)]
struct Geometry {
    block_size: u64,
    blocks: u64,
    groups: u64,
    inodes_per_group: u64,
    inode_size: u64,
    descriptor_size: u64,
}

impl<'a> Ext<'a> {
    /// Opens a volume that has the magic.
    pub(crate) fn open(disk: Cached<'a>) -> Result<Self> {
        let superblock = Superblock::decode(&disk.array(Basic::OFFSET)?);
        let geometry = Geometry::of(&superblock)?;
        let mut ext =
            Self { disk: Replayed::clean(disk, geometry.block_size), superblock, geometry, name: "ext2" };
        if ext.superblock.basic.incompatible & Superblock::INCOMPATIBLE_RECOVER != 0 {
            let journal = ext.journal()?;
            ext.disk.replay(&journal)?;
            ext.superblock = Superblock::decode(&ext.disk.array(Basic::OFFSET)?);
            ext.geometry = Geometry::of(&ext.superblock)?;
        }
        let basic = &ext.superblock.basic;
        let is_ext4 = basic.incompatible & !Basic::INCOMPATIBLE_EXT3 != 0
            || basic.read_only_compatible & !Basic::READ_ONLY_EXT3 != 0;
        ext.name = match basic.compatible & Basic::COMPATIBLE_JOURNAL {
            _ if is_ext4 => "ext4",
            0 => "ext2",
            _ => "ext3",
        };
        Ok(ext)
    }

    /// The places of the journal's blocks on the volume.
    fn journal(&self) -> Result<Vec<u64>> {
        let number = self.superblock.journal_inode;
        if number == 0 {
            return Err(Error::refused("its journal, which is not empty, is on another device"));
        }
        let inode = self.inode(number)?;
        let count = inode.size / self.geometry.block_size;
        if count > journal::BLOCKS_MAX {
            return Err(Error::refused(format!("its journal has {count} blocks")));
        }
        let mut places = Vec::new();
        while (places.len() as u64) < count {
            let run = self.run(&inode, places.len() as u64)?;
            let start = run.start.ok_or_else(|| Error::corrupt("the journal has a hole"))?;
            let length = run.blocks.min(count - places.len() as u64);
            places.extend(start..start.saturating_add(length));
        }
        Ok(places)
    }

    fn inode(&self, number: u32) -> Result<Inode> {
        let geometry = self.geometry;
        let index = number.checked_sub(1).map(u64::from).ok_or_else(|| Error::corrupt("inode 0 is used"))?;
        let group = index / geometry.inodes_per_group;
        if group >= geometry.groups {
            return Err(Error::corrupt(format!("there is no inode {number}")));
        }
        let descriptor = self.descriptor(group)?;
        let has_high = geometry.descriptor_size >= GroupDescriptor::SIZE as u64;
        let high = if has_high { u64::from(descriptor.inode_table_high) << 32 } else { 0 };
        let table = self.place_of(high | u64::from(descriptor.inode_table))?;
        let at = table + index % geometry.inodes_per_group * geometry.inode_size;
        Ok(Inode::decode(&self.disk.array(at)?))
    }

    fn descriptor(&self, group: u64) -> Result<GroupDescriptor> {
        let geometry = self.geometry;
        let per_block = geometry.block_size / geometry.descriptor_size;
        let number = group / per_block;
        let basic = &self.superblock.basic;
        let has_meta = basic.incompatible & Superblock::INCOMPATIBLE_META_GROUPS != 0;
        let block = if has_meta && number >= u64::from(self.superblock.first_meta_group) {
            let group = number * per_block;
            let first = u64::from(basic.first_data_block) + group * u64::from(basic.blocks_per_group);
            // Blocks of 1 KiB leave the first one to boot code, whatever the number of the first that counts.
            let is_behind_boot = geometry.block_size == 1024 && number == 0 && basic.first_data_block == 0;
            first + u64::from(self.superblock.has_copy(group)) + u64::from(is_behind_boot)
        } else {
            Basic::OFFSET / geometry.block_size + 1 + number
        };
        let at = self.place_of(block)? + group % per_block * geometry.descriptor_size;
        let mut bytes = [0; GroupDescriptor::SIZE];
        let length = bytes.len().min(usize::try_from(geometry.descriptor_size).unwrap_or(bytes.len()));
        self.disk.read(at, bytes.get_mut(..length).unwrap_or_default())?;
        Ok(GroupDescriptor::decode(&bytes))
    }

    /// Where a block is, in bytes.
    fn place_of(&self, block: u64) -> Result<u64> {
        if block == 0 || block >= self.geometry.blocks {
            return Err(Error::corrupt(format!("block {block} is used, of {}", self.geometry.blocks)));
        }
        Ok(block * self.geometry.block_size)
    }

    /// The inode of a node, if it is of this kind.
    fn inode_of(&self, node: Node, kind: u16, wanted: &str) -> Result<Inode> {
        let inode = self.inode_at(node)?;
        if inode.mode & Inode::KIND != kind {
            return Err(kind_of(inode.mode).is_not(wanted));
        }
        if inode.flags & Inode::ENCRYPTED != 0 {
            return Err(Error::refused("is encrypted"));
        }
        if inode.flags & Inode::INLINE != 0 {
            return Err(Error::refused("its content is in its inode, which is not supported"));
        }
        Ok(inode)
    }

    fn inode_at(&self, node: Node) -> Result<Inode> {
        let number = u32::try_from(node.number).map_err(|_| Error::not_found())?;
        let inode = self.inode(number)?;
        if inode.links == 0 {
            return Err(Error::corrupt(format!("inode {number} has a name, and says that it is deleted")));
        }
        Ok(inode)
    }

    /// Fills `buf` from `offset` of a file on, whatever its size: with zeros where there is nothing.
    fn fill(&self, inode: &Inode, offset: u64, buf: &mut [u8]) -> Result<()> {
        let size = self.geometry.block_size;
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            let run = self.run(inode, at / size)?;
            let skip = at % size;
            let there = run.blocks.saturating_mul(size).saturating_sub(skip);
            let length = rest.len().min(usize::try_from(there).unwrap_or(usize::MAX));
            let (part, after) = rest.split_at_mut(length);
            match run.start {
                Some(start) => {
                    self.place_of(start.saturating_add(run.blocks - 1))?;
                    self.disk.read(self.place_of(start)? + skip, part)?;
                }
                None => part.fill(0),
            }
            at = at.saturating_add(length as u64);
            rest = after;
        }
        Ok(())
    }
}

impl Geometry {
    fn of(superblock: &Superblock) -> Result<Self> {
        let basic = &superblock.basic;
        if !basic.is_plausible() || basic.blocks_per_group == 0 || superblock.inodes_per_group == 0 {
            return Err(Error::corrupt("its superblock makes no sense"));
        }
        let unknown = basic.incompatible & !KNOWN;
        if unknown != 0 {
            return Err(Error::refused(format!("uses features that are not supported: {unknown:#x}")));
        }
        let block_size = 1024_u64 << basic.log_block_size;
        let is_64 = basic.incompatible & Superblock::INCOMPATIBLE_64BIT != 0;
        let high = if is_64 { u64::from(superblock.blocks_high) << 32 } else { 0 };
        let blocks = high | u64::from(basic.blocks);
        let first = u64::from(basic.first_data_block);
        let inode_size = if superblock.revision == 0 { 128 } else { u64::from(superblock.inode_size) };
        let descriptor_size =
            if is_64 { u64::from(superblock.descriptor_size) } else { GroupDescriptor::SIZE_SHORT };
        let is_sane = (128..=block_size).contains(&inode_size)
            && inode_size.is_power_of_two()
            && (GroupDescriptor::SIZE_SHORT..=block_size).contains(&descriptor_size)
            && descriptor_size.is_power_of_two()
            && blocks > first
            && blocks < 1 << 48;
        if !is_sane {
            return Err(Error::corrupt("its superblock makes no sense"));
        }
        Ok(Self {
            block_size,
            blocks,
            groups: (blocks - first).div_ceil(basic.blocks_per_group.into()),
            inodes_per_group: superblock.inodes_per_group.into(),
            inode_size,
            descriptor_size,
        })
    }
}

fn kind_of(mode: u16) -> FileKind {
    match mode & Inode::KIND {
        Inode::FILE => FileKind::File,
        Inode::DIRECTORY => FileKind::Directory,
        Inode::LINK => FileKind::Link,
        _ => FileKind::Other,
    }
}

impl FileSystem for Ext<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn root(&self) -> Node {
        Node { tree: 0, number: Inode::ROOT.into() }
    }

    fn metadata(&self, node: Node) -> Result<Metadata> {
        let inode = self.inode_at(node)?;
        Ok(Metadata {
            kind: kind_of(inode.mode),
            size: inode.size,
            mode: inode.mode & 0o7777,
            uid: inode.uid,
            gid: inode.gid,
        })
    }

    fn lookup(&self, directory: Node, name: &[u8]) -> Result<Option<Node>> {
        let inode = self.inode_of(directory, Inode::DIRECTORY, "a directory")?;
        let mut found = None;
        self.each_entry(&inode, &mut |entry, there| {
            if there == name {
                found = Some(Node { tree: 0, number: entry.inode.into() });
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        if found.is_none() && inode.flags & Inode::CASE_FOLDED != 0 {
            return Err(Error::refused(
                "its directory does not tell upper from lower case, which is not supported",
            ));
        }
        Ok(found)
    }

    fn entries(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        let inode = self.inode_of(directory, Inode::DIRECTORY, "a directory")?;
        let has_kinds = self.superblock.basic.incompatible & Superblock::INCOMPATIBLE_FILE_TYPE != 0;
        self.each_entry(&inode, &mut |entry, name| {
            if matches!(name, b"." | b"..") {
                return ControlFlow::Continue(());
            }
            let kind = match entry.kind {
                _ if !has_kinds => None,
                0 => None,
                DirectoryEntry::FILE => Some(FileKind::File),
                DirectoryEntry::DIRECTORY => Some(FileKind::Directory),
                DirectoryEntry::LINK => Some(FileKind::Link),
                _ => Some(FileKind::Other),
            };
            let node = Node { tree: 0, number: entry.inode.into() };
            each(DirEntry { name: name.to_vec(), node, kind })
        })
    }

    fn read_at(&self, file: Node, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let inode = self.inode_of(file, Inode::FILE, "a file")?;
        let there = usize::try_from(inode.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = there.min(buf.len());
        self.fill(&inode, offset, buf.get_mut(..length).unwrap_or_default())?;
        Ok(length)
    }

    fn apart(&self, _: Node) -> Option<Apart<'_>> {
        let fresh = self.disk.fresh();
        Some(Apart::new(move || Ok(Rc::new(Ext::open(fresh.cached())?))))
    }

    fn link(&self, link: Node) -> Result<Vec<u8>> {
        let inode = self.inode_of(link, Inode::LINK, "a symbolic link")?;
        let size = usize::try_from(inode.size).ok().filter(|size| *size <= LINK_MAX);
        let size =
            size.ok_or_else(|| Error::corrupt(format!("the link's target has {} bytes", inode.size)))?;
        // A block that only holds attributes is not one with the target. It counts as a cluster, which may be several blocks.
        let is_inside = inode.sectors == 0
            || (inode.attributes != 0 && size < inode.blocks.len() && inode.flags & Inode::EXTENTS == 0);
        if is_inside {
            let target = inode.blocks.get(..size);
            return target
                .map(<[u8]>::to_vec)
                .ok_or_else(|| Error::corrupt("the link's target is not there"));
        }
        let mut target = vec![0; size];
        self.fill(&inode, 0, &mut target)?;
        Ok(target)
    }
}
