//! What is known of the image that a request is for.

use std::path::PathBuf;

use imsprep_detect::Detection;
use imsprep_inspect::Inspection;

use super::os_type::OsType;
use super::{GuestSystem, Purpose};

/// What a look at the image found. Nothing in it is guessed: what the image does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// The image file.
    pub path: PathBuf,
    /// Its format and sizes.
    pub detection: Detection,
    /// What is on its disk, if that was looked at.
    pub inspection: Option<Inspection>,
    /// What the disk is for.
    pub purpose: Option<Detected<Purpose>>,
    /// What it starts by.
    pub boots_by: Option<Detected<BootsBy>>,
    /// For which processors it is.
    pub architecture: Option<Detected<Architecture>>,
    /// The family of its operating system.
    pub os: Option<Detected<OsType>>,
    /// The system that its files name.
    pub system: Option<GuestSystem>,
    /// Why no file of it names a system, if files were looked for.
    pub no_system: Option<String>,
}

impl ImageFacts {
    /// What detection alone shows.
    pub fn of_detection(path: impl Into<PathBuf>, detection: Detection) -> Self {
        Self {
            path: path.into(),
            detection,
            inspection: None,
            purpose: None,
            boots_by: None,
            architecture: None,
            os: None,
            system: None,
            no_system: None,
        }
    }
}

/// A fact, and what in the image shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected<T> {
    /// The fact.
    pub value: T,
    /// What shows it, in words: "there is an EFI system partition with a boot loader, and no BIOS boot code".
    pub evidence: String,
}

impl<T> Detected<T> {
    /// A fact with this source.
    pub fn new(value: T, evidence: impl Into<String>) -> Self {
        Self { value, evidence: evidence.into() }
    }
}

/// The ways in which a disk can start a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootsBy {
    /// By BIOS only.
    Bios,
    /// By UEFI only.
    Uefi,
    /// By either.
    Both,
}

/// A firmware, as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// BIOS.
    Bios,
    /// UEFI.
    Uefi,
}

impl Firmware {
    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bios => "bios",
            Self::Uefi => "uefi",
        }
    }
}

/// A processor architecture, as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Intel and AMD.
    X86,
    /// Arm, 64 bits.
    Arm,
}

impl Architecture {
    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86 => "x86",
            Self::Arm => "arm",
        }
    }
}
