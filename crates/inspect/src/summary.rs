//! What follows from what is on a disk.

use std::fmt;

/// What follows from what is on a disk. Each answer has its reasons, and is `Unknown` rather than a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which firmware would start it.
    pub firmware: Firmware,
    /// Which machines it is for.
    pub architecture: Architecture,
    /// Whether it is a system disk.
    pub purpose: DiskUse,
    /// Which systems' disk it is.
    pub system: OsFamily,
    /// Why.
    pub reasons: Reasons,
}

/// Why the answers of a [`Summary`] are what they are: each a short sentence without a full stop. Names from the disk in
/// them are hostile, and bounded in length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// For the firmware.
    pub firmware: Vec<String>,
    /// For the architecture.
    pub architecture: Vec<String>,
    /// For the purpose.
    pub purpose: Vec<String>,
    /// For the system.
    pub system: Vec<String>,
}

/// Which firmware would start a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// A BIOS.
    Bios,
    /// UEFI.
    Uefi,
    /// Either.
    Both,
    /// There is boot code for a BIOS of which it is not known whether it would start.
    UncertainBios {
        /// Whether UEFI would start the disk.
        uefi: bool,
    },
    /// Nothing was found that would start.
    Unknown,
}

/// Which machines a disk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// x86, in the words of the import: 64 bits, or 32.
    X86,
    /// ARM.
    Arm,
    /// It starts on either.
    Both,
    /// Unknown.
    Unknown,
}

/// What a disk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskUse {
    /// A system starts from it.
    System,
    /// No system starts from it.
    Data,
    /// Unknown.
    Unknown,
}

/// A family of operating systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OsFamily {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// Unknown, or there are signs of both.
    Unknown,
}

impl Firmware {
    /// One word in lower case; what is uncertain is unknown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
            Self::Both => "both",
            Self::UncertainBios { .. } | Self::Unknown => "unknown",
        }
    }

    /// Whether something was found that would start the disk.
    pub fn starts(self) -> bool {
        !matches!(self, Self::UncertainBios { uefi: false } | Self::Unknown)
    }
}

impl Architecture {
    /// One word in lower case, as the import's API has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::Arm => "arm",
            Self::Both => "both",
            Self::Unknown => "unknown",
        }
    }
}

impl DiskUse {
    /// One word in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Data => "data",
            Self::Unknown => "unknown",
        }
    }
}

impl OsFamily {
    /// One word in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::Unknown => "unknown",
        }
    }
}

macro_rules! display_by_name {
    ($($kind:ty),*) => {
        $(impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        })*
    };
}

display_by_name!(Firmware, Architecture, DiskUse, OsFamily);
