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

    /// Whether file systems of Linux and Windows, swap space, LVM and software RAIDs are made in such partitions. What looks like one
    /// in another is left over, or a part of something that is not known here.
    pub fn is_for_volumes(self) -> bool {
        let Some(name) = self.name() else { return false };
        match self {
            Self::Gpt(_) => {
                matches!(name, "EFI system" | "Microsoft basic data" | "Windows recovery")
                    || name.starts_with("Linux ") && !matches!(name, "Linux LUKS" | "Linux reserved")
            }
            Self::Mbr(_) => {
                let is_fat = name.starts_with("FAT") || name.starts_with("hidden FAT");
                let is_windows = matches!(name, "NTFS or exFAT" | "hidden NTFS" | "Windows recovery");
                let is_linux = matches!(name, "Linux" | "Linux swap" | "Linux LVM" | "Linux RAID");
                is_fat || is_windows || is_linux || name == "EFI system"
            }
        }
    }

    /// Whether it is one that no file system is made in. What looks like one there is left over.
    pub fn has_no_file_system(self) -> bool {
        self.is_loader() || matches!(self, Self::Gpt(gpt::MICROSOFT_RESERVED | gpt::PREP_BOOT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_are_made_in_types_of_linux_and_windows() {
        let of = |name: &str| {
            let gpt = gpt::TYPES
                .iter()
                .find(|(_, known)| *known == name)
                .map(|(guid, _)| PartitionType::Gpt(*guid));
            gpt.unwrap_or_else(|| panic!("{name}"))
        };
        for name in [
            "EFI system",
            "Linux filesystem",
            "Linux root (x86-64)",
            "Linux LVM",
            "Linux swap",
            "Microsoft basic data",
        ] {
            assert!(of(name).is_for_volumes(), "{name}");
        }
        for name in [
            "Linux LUKS",
            "BIOS boot",
            "FreeBSD UFS",
            "ZFS",
            "Microsoft storage spaces",
            "Microsoft LDM data",
        ] {
            assert!(!of(name).is_for_volumes(), "{name}");
        }
        for byte in [0x01, 0x06, 0x07, 0x0b, 0x0c, 0x0e, 0x27, 0x82, 0x83, 0x8e, 0xef, 0xfd] {
            assert!(PartitionType::Mbr(byte).is_for_volumes(), "{byte:02x}");
        }
        for byte in [0x05, 0x42, 0xa5, 0xa6, 0xa9, 0xbf, 0xda, 0xee, 0xfb] {
            assert!(!PartitionType::Mbr(byte).is_for_volumes(), "{byte:02x}");
        }
    }
}
