//! A partition.

use imsprep_ondisk::disk::PARTITION_PROTECTIVE;
use imsprep_ondisk::gpt::{self, Guid};
use imsprep_ondisk::mbr;

use crate::Volume;

/// A partition. Start and length are what the table says, and may lie beyond the end of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number, as Linux counts: logical partitions of an MBR begin with 5.
    pub number: u32,
    /// Where it starts, in bytes.
    pub start: u64,
    /// Its length in bytes.
    pub length: u64,
    /// What the table says that it is for.
    pub kind: PartitionType,
    /// Its name; only a GPT has names. From the disk: hostile, at most 36 characters, not to be printed unescaped.
    pub name: Option<String>,
    /// Its own GUID; only a GPT has them.
    pub guid: Option<Guid>,
    /// An MBR's active flag, or a GPT's attribute "legacy BIOS bootable".
    pub active: bool,
    /// A GPT's attribute bits; 0 in an MBR.
    pub attributes: u64,
    /// Whether it lies in an extended partition.
    pub logical: bool,
    /// What is in it.
    pub content: Volume,
}

impl Partition {
    /// Its end in bytes: the first byte after it.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// What a table says that a partition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionType {
    /// The type GUID of a GPT.
    Gpt(Guid),
    /// The type byte of an MBR.
    Mbr(u8),
}

impl PartitionType {
    /// What the type is called, if it is known: `EFI system`, `Linux`.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Gpt(guid) => gpt::TYPES.iter().find(|(known, _)| *known == guid).map(|(_, name)| *name),
            Self::Mbr(byte) => mbr::TYPES.iter().find(|(known, _)| *known == byte).map(|(_, name)| *name),
        }
    }

    /// The type as tools print it: a GUID in lower case, or two hexadecimal digits.
    pub fn code(self) -> String {
        match self {
            Self::Gpt(guid) => guid.to_string(),
            Self::Mbr(byte) => format!("{byte:02x}"),
        }
    }

    /// Whether it only holds the logical partitions of an MBR.
    pub fn is_extended(self) -> bool {
        matches!(self, Self::Mbr(byte) if mbr::EXTENDED.contains(&byte))
    }

    /// Whether it only stands for a GPT, in the MBR before that.
    pub fn is_protective(self) -> bool {
        self == Self::Mbr(PARTITION_PROTECTIVE)
    }

    /// Whether it is an EFI system partition.
    pub fn is_efi_system(self) -> bool {
        match self {
            Self::Gpt(guid) => guid == gpt::EFI_SYSTEM,
            Self::Mbr(byte) => byte == mbr::EFI_SYSTEM,
        }
    }

    /// Whether it is a BIOS boot partition, which holds the rest of GRUB where a GPT leaves no space for it.
    pub fn is_bios_boot(self) -> bool {
        self == Self::Gpt(gpt::BIOS_BOOT)
    }

    /// Whether it holds the rest of FreeBSD's boot loader for a BIOS, or that of illumos, which has the same code before it.
    pub fn is_freebsd_boot(self) -> bool {
        matches!(self, Self::Gpt(gpt::FREEBSD_BOOT | gpt::ILLUMOS_BOOT))
    }

    /// Whether it holds the rest of a boot loader for a BIOS: GRUB's, or those of FreeBSD and illumos.
    pub fn is_loader(self) -> bool {
        self.is_bios_boot() || self.is_freebsd_boot()
    }

    /// Whether it belongs to a dynamic disk of Windows, whose volumes need not be partitions.
    pub fn is_dynamic(self) -> bool {
        match self {
            Self::Gpt(guid) => guid == gpt::MICROSOFT_LDM_METADATA || guid == gpt::MICROSOFT_LDM_DATA,
            Self::Mbr(byte) => byte == mbr::WINDOWS_DYNAMIC,
        }
    }

    /// Whether it is one that no file system is made in. What looks like one there is left over.
    pub fn has_no_file_system(self) -> bool {
        self.is_loader() || matches!(self, Self::Gpt(gpt::MICROSOFT_RESERVED | gpt::PREP_BOOT))
    }
}
