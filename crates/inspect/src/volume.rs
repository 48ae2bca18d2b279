//! What a partition, or a disk without partitions, holds.

use std::fmt;
use std::ops::Range;

/// What a stretch of a disk holds. Strings come from the disk: hostile, bounded in length, not to be printed unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// What it is.
    pub kind: VolumeKind,
    /// Its label, if it has one.
    pub label: Option<String>,
    /// Its UUID or serial number, as `blkid` prints it.
    pub uuid: Option<String>,
    /// Whether it was left in order.
    pub state: State,
    /// Bytes that it says it has, of several devices those of this one; `None` where it doesn't tell.
    pub size: Option<u64>,
    /// Where its content ends, in bytes from its start, if that is not `size`: what follows holds nothing, or a copy of
    /// what is elsewhere.
    pub content_end: Option<u64>,
    /// Other kinds whose signs are there as well, by their short names: left over from before, or a trap.
    pub also: Vec<&'static str>,
}

impl Volume {
    /// Of this kind, with nothing else known.
    pub fn new(kind: VolumeKind) -> Self {
        Self {
            kind,
            label: None,
            uuid: None,
            state: State::NotRecorded,
            size: None,
            content_end: None,
            also: Vec::new(),
        }
    }

    /// What a stretch of `room` bytes lacks of it; `None` if all of it is there, or it doesn't tell how large it is.
    pub fn lost_in(&self, room: u64) -> Option<Lost> {
        let is_beyond = |end: &u64| *end > room;
        if let Some(end) = self.content_end.or(self.size).filter(is_beyond) {
            return Some(Lost::Content { end });
        }
        self.size.filter(is_beyond).map(|end| Lost::Tail { end })
    }
}

/// What a stretch of a disk lacks of the volume in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Bytes that may hold content.
    Content {
        /// Where the content ends, in bytes from the volume's start.
        end: u64,
    },
    /// Only bytes that hold nothing, or a copy of what is elsewhere.
    Tail {
        /// Where the volume ends, in bytes from its start.
        end: u64,
    },
}

/// What a volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VolumeKind {
    /// ext2: no journal.
    Ext2,
    /// ext3.
    Ext3,
    /// ext4.
    Ext4,
    /// An ext journal that belongs to a file system elsewhere.
    ExtJournal,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs {
        /// Devices that it is spread over.
        devices: u64,
    },
    /// F2FS.
    F2fs,
    /// NTFS.
    Ntfs,
    /// FAT12.
    Fat12,
    /// FAT16.
    Fat16,
    /// FAT32.
    Fat32,
    /// exFAT.
    ExFat,
    /// Linux swap space.
    Swap,
    /// Linux swap space with the memory of a hibernated system in it.
    Hibernation,
    /// An LVM2 physical volume.
    Lvm(Lvm),
    /// Encrypted with LUKS.
    Luks {
        /// 1 or 2.
        version: u16,
    },
    /// Encrypted with `BitLocker`.
    BitLocker,
    /// A member of a ZFS pool. The pool's name is the volume's label.
    Zfs,
    /// A member of a Linux software RAID.
    MdRaid(MdRaid),
    /// An ISO 9660 image.
    Iso9660,
    /// Something known by this name of which no more is reported: `squashfs`, `udf`.
    Other(&'static str),
    /// An extended partition: what it holds are partitions.
    Extended,
    /// Nothing but zeros where any known content would begin, or no bytes at all.
    Empty,
    /// Nothing known.
    Unknown,
}

impl VolumeKind {
    /// The name that `blkid` gives it, where that knows it: `ext4`, `vfat`, `LVM2_member`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ext2 => "ext2",
            Self::Ext3 => "ext3",
            Self::Ext4 => "ext4",
            Self::ExtJournal => "jbd",
            Self::Xfs => "xfs",
            Self::Btrfs { .. } => "btrfs",
            Self::F2fs => "f2fs",
            Self::Ntfs => "ntfs",
            Self::Fat12 | Self::Fat16 | Self::Fat32 => "vfat",
            Self::ExFat => "exfat",
            Self::Swap => "swap",
            Self::Hibernation => "swsuspend",
            Self::Lvm(_) => "LVM2_member",
            Self::Luks { .. } => "crypto_LUKS",
            Self::BitLocker => "BitLocker",
            Self::Zfs => "zfs_member",
            Self::MdRaid(_) => "linux_raid_member",
            Self::Iso9660 => "iso9660",
            Self::Other(name) => name,
            Self::Extended => "extended",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the content is encrypted, which no import takes.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Luks { .. } | Self::BitLocker)
    }
}

/// Whether a volume was left in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It says that it was closed cleanly.
    Clean,
    /// It says that it was not, or that something is wrong with it.
    Dirty(UncleanReason),
    /// It could tell, but what it says could not be found out.
    Unknown,
    /// It has no such mark.
    NotRecorded,
}

/// Why a volume is not clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UncleanReason {
    /// The journal or log holds changes that were not carried out: it was not unmounted, or the machine crashed.
    Journal,
    /// It is marked as mounted, or was not unmounted.
    Mounted,
    /// It is marked as having errors.
    Errors,
    /// It lacks a part of itself, or its superblock is damaged.
    Damaged,
    /// It holds the state of a hibernated system.
    Hibernated,
}

impl fmt::Display for UncleanReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Journal => "its journal is not empty: it was not unmounted",
            Self::Mounted => "it is marked as not unmounted",
            Self::Errors => "it is marked as having errors",
            Self::Damaged => "it is damaged",
            Self::Hibernated => "it holds a hibernated system",
        })
    }
}

/// The metadata of an LVM2 physical volume. Strings come from the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lvm {
    /// The volume group, if the physical volume is in one and its metadata could be read.
    pub group: Option<VolumeGroup>,
    /// Why there is no group although there should be one, in words; `None` if there is, or the volume is in none.
    pub unread: Option<&'static str>,
}

/// A volume group of LVM2, as one physical volume's metadata has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeGroup {
    /// Its name.
    pub name: String,
    /// Its UUID, as LVM prints it.
    pub uuid: String,
    /// The physical volumes that it is made of, this one included, as UUIDs in LVM's way.
    pub physical: Vec<String>,
    /// Those of them that are on no partition of this disk. Filled in by [`inspect`](crate::inspect()), which sees the whole
    /// disk.
    pub missing: Vec<String>,
    /// The names of its logical volumes.
    pub logical: Vec<String>,
    /// Where the logical volumes lie, in the order of `logical`.
    pub layout: Vec<LogicalVolume>,
    /// The bytes of this physical volume that no logical volume maps, in bytes from its start, ascending; or why that is not
    /// certain.
    pub unmapped: Result<Vec<Range<u64>>, String>,
}

/// A logical volume of LVM2: segments, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogicalVolume {
    /// Its name.
    pub name: String,
    /// Its segments, ordered by their start, at most 1024.
    pub segments: Vec<Segment>,
    /// Why its bytes can't be found by its segments; `None` if they can.
    pub unread: Option<String>,
}

/// A segment of a logical volume: linear, or striped over several physical volumes. Sizes are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins in the logical volume.
    pub start: u64,
    /// Its length.
    pub length: u64,
    /// How much lies on one stripe before the next one follows; 0 if there is only one.
    pub stripe_size: u64,
    /// For each stripe the physical volume, by its UUID, and where on it the stripe begins.
    pub stripes: Vec<(String, u64)>,
}

/// The metadata of a member of a Linux software RAID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MdRaid {
    /// Version of the superblock: `0.90`, `1.0`, `1.1` or `1.2`, which also determines its place.
    pub version: &'static str,
    /// The level: 0, 1, 4, 5, 6, 10; -1 = linear.
    pub level: i32,
    /// Devices that the array is made of.
    pub devices: u32,
    /// Where the array's bytes begin on this one.
    pub data_start: u64,
    /// Why the metadata may be left over from an earlier use, or this device may not hold what the array does. `None` if the array was
    /// closed cleanly and this device is one of its copies or parts.
    pub doubt: Option<&'static str>,
}
