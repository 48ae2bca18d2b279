//! What would start a machine from a disk.

use std::fmt;

/// Most programs that are listed of an EFI system partition.
pub const MAX_LOADERS: usize = 64;

/// What would start a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    /// The code in the first sector; `None` if there are only zeros, or the sector is no boot record or that of a volume.
    pub code: Option<BootCode>,
    /// Whether the MBR marks a partition of its own as active; beside a GPT that is one of a hybrid MBR.
    pub mbr_active: bool,
    /// The partitions' EFI boot loaders, by EFI system partition.
    pub efi: Vec<EfiSystem>,
}

/// Code that a BIOS would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootCode {
    /// GRUB's.
    Grub,
    /// That of Syslinux or EXTLINUX.
    Syslinux,
    /// That of ISOLINUX, on an ISO image that boots from disks as well.
    Isolinux,
    /// That of Windows. Windows puts it on data disks, too.
    Windows,
    /// That of parted, which starts the active partition. parted puts it on data disks, too.
    Parted,
    /// FreeBSD's for a GPT, which starts what is in a partition of FreeBSD's own type.
    FreeBsdGpt,
    /// That of FreeBSD for an MBR, which starts the active partition.
    FreeBsd,
    /// Something else.
    Other,
}

impl fmt::Display for BootCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grub => "GRUB",
            Self::Syslinux => "Syslinux",
            Self::Isolinux => "ISOLINUX",
            Self::Windows => "Windows",
            Self::Parted => "parted",
            Self::FreeBsdGpt => "FreeBSD, for a GPT",
            Self::FreeBsd => "FreeBSD",
            Self::Other => "unknown code",
        })
    }
}

/// An EFI system partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EfiSystem {
    /// The partition's number; `None` for a disk that is one FAT volume.
    pub partition: Option<u32>,
    /// Programs found in the folders of its `/EFI`, at most [`MAX_LOADERS`](crate::MAX_LOADERS).
    pub loaders: Vec<Loader>,
    /// Why the loaders are not known, in words; `None` if they are.
    pub unread: Option<&'static str>,
}

/// A program of an EFI system partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loader {
    /// Its path, such as `/EFI/BOOT/BOOTX64.EFI`. From the disk: hostile, bounded in length.
    pub path: String,
    /// The machine that it runs on, as its header says; `None` if it is no program.
    pub machine: Option<EfiMachine>,
}

impl Loader {
    /// Whether firmware starts it by default: `/EFI/BOOT/BOOT*.EFI`.
    pub fn is_default(&self) -> bool {
        self.path
            .to_ascii_uppercase()
            .strip_prefix("/EFI/BOOT/BOOT")
            .is_some_and(|rest| rest.ends_with(".EFI"))
    }
}

/// The machine that a program runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EfiMachine {
    /// x86-64.
    X64,
    /// x86 with 32 bits.
    Ia32,
    /// ARM with 64 bits.
    Aa64,
    /// ARM with 32 bits.
    Arm,
    /// Another one, by its number in the program's header.
    Other(u16),
}

impl fmt::Display for EfiMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X64 => f.write_str("x86-64"),
            Self::Ia32 => f.write_str("x86, 32 bits"),
            Self::Aa64 => f.write_str("ARM, 64 bits"),
            Self::Arm => f.write_str("ARM, 32 bits"),
            Self::Other(number) => write!(f, "machine {number:#06x}"),
        }
    }
}
