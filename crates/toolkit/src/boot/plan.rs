//! The virtual machine for an image, as a command line of qemu.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use imsprep_detect::{Access, Format};
use imsprep_inspect::{Architecture, Firmware, inspect_source};
use imsprep_source::{Cancel, FileKind};

use crate::targets::refuse_bitmap;
use crate::{DiskSelector, Error, OpenedImage, Result};

/// The firmware of the virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootFirmware {
    /// SeaBIOS, which qemu brings along.
    Bios,
    /// OVMF, which has to be installed.
    Uefi,
}

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor, through KVM.
    Kvm,
    /// qemu itself: many times slower.
    Tcg,
}

impl Accelerator {
    /// qemu's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

/// What to boot.
#[derive(Clone, Debug)]
pub struct BootOptions {
    /// The image.
    pub image: PathBuf,
    /// The number of the disk in an archive, counted from 1; `None` is the only one.
    pub disk: Option<DiskSelector>,
    /// The firmware; `None`: what inspection finds.
    pub firmware: Option<BootFirmware>,
    /// Memory of the machine in MiB.
    pub memory: u32,
    /// Virtual processors.
    pub processors: u16,
    /// The socket of an NBD export, for formats that qemu does not read.
    pub socket: PathBuf,
}

/// Where qemu finds the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootDrive {
    /// In the file.
    File {
        /// The image.
        path: PathBuf,
        /// qemu's driver for its format.
        format: &'static str,
        /// qemu's driver for the file.
        protocol: &'static str,
    },
    /// Behind a socket, where the disk is to be served by [`serve_image`](crate::serve_image).
    Served {
        /// The socket.
        socket: PathBuf,
    },
}

/// The files of OVMF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UefiImages {
    /// The code.
    pub code: PathBuf,
    /// The template of the variables.
    pub variables: PathBuf,
}

/// Where distributions have OVMF: Debian and Ubuntu, Fedora, Arch, openSUSE. Without Secure Boot, as the clouds start machines.
const OVMF: &[(&str, &str)] = &[
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"),
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"),
];

impl UefiImages {
    /// Those that are installed below `root`; `None` if none are.
    pub fn find(root: &Path) -> Option<Self> {
        let below = |path: &str| root.join(path.trim_start_matches('/'));
        OVMF.iter()
            .map(|(code, variables)| Self { code: below(code), variables: below(variables) })
            .find(|images| images.code.is_file() && images.variables.is_file())
    }

    /// Where they would be on Debian: for a command that is only shown.
    pub fn usual() -> Self {
        let (code, variables) = OVMF.first().copied().unwrap_or_default();
        Self { code: code.into(), variables: variables.into() }
    }
}

/// A virtual machine that boots an image and writes nothing to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootPlan {
    /// The image.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// The number of the disk in an archive.
    pub disk: Option<u32>,
    /// The firmware of the machine.
    pub firmware: BootFirmware,
    /// Why this firmware.
    pub reasons: Vec<String>,
    /// Whether inspection found something on the disk that this firmware starts.
    pub starts: bool,
    /// Where the disk is.
    pub drive: BootDrive,
    /// Memory in MiB.
    pub memory: u32,
    /// Virtual processors.
    pub processors: u16,
}

/// Inspects an image and plans the machine that boots it.
///
/// # Errors
///
/// As [`OpenedImage::disk`]; [`Error::NotForX86`] if the disk is one for ARM.
pub fn plan_boot(options: &BootOptions, cancel: &Cancel) -> Result<BootPlan> {
    let mut image = OpenedImage::open(&options.image, cancel)?;
    refuse_bitmap(&options.image, image.detection())?;
    image.select_disk(options.disk.as_ref(), cancel)?;
    let disk = image.disk(cancel)?;
    let summary = inspect_source(&disk, disk.orig_size(), cancel)?.summary;
    image.file().verify_unchanged()?;
    if summary.architecture == Architecture::Arm {
        return Err(Error::NotForX86 { path: options.image.clone() });
    }
    let (found, starts) = match summary.firmware {
        Firmware::Uefi | Firmware::UncertainBios { uefi: true } => (BootFirmware::Uefi, true),
        Firmware::Bios | Firmware::Both => (BootFirmware::Bios, true),
        Firmware::UncertainBios { uefi: false } | Firmware::Unknown => (BootFirmware::Bios, false),
    };
    let format = image.format();
    let drive = match format.access() {
        Access::Plain => Some("raw"),
        _ => format.qemu_name(),
    };
    let drive = match drive {
        // A name that is not UTF-8 can't be changed for an option everywhere; the socket is another name for the disk.
        Some(format) if options.image.to_str().is_some() => BootDrive::File {
            path: options.image.clone(),
            format,
            protocol: if image.file().kind() == FileKind::BlockDevice { "host_device" } else { "file" },
        },
        _ => BootDrive::Served { socket: options.socket.clone() },
    };
    Ok(BootPlan {
        path: options.image.clone(),
        format,
        disk: image.member().and_then(|member| member.number),
        firmware: options.firmware.unwrap_or(found),
        reasons: summary.reasons.firmware,
        starts: starts
            && options
                .firmware
                .is_none_or(|firmware| firmware == found || summary.firmware == Firmware::Both),
        drive,
        memory: options.memory,
        processors: options.processors,
    })
}

impl BootPlan {
    /// The files of OVMF, if the plan needs them.
    pub(super) fn uefi(&self) -> Result<Option<UefiImages>> {
        match self.firmware {
            BootFirmware::Bios => Ok(None),
            BootFirmware::Uefi => UefiImages::find(Path::new("/")).map(Some).ok_or(Error::NoUefi),
        }
    }

    /// The arguments of qemu: a machine with a virtio disk, a virtio network without a way out, and a serial console on standard
    /// input and output. Whatever the guest writes goes to temporary files of qemu.
    ///
    /// qemu takes the first of the accelerators that works.
    pub fn arguments(&self, accelerators: &[Accelerator], uefi: Option<&UefiImages>) -> Vec<OsString> {
        let mut arguments = Vec::<OsString>::new();
        let mut add = |option: &str, value: &dyn AsRef<OsStr>| {
            arguments.extend([option.into(), value.as_ref().to_owned()]);
        };
        // Without a display SeaBIOS, too, writes to the serial port.
        add("-machine", &"q35,graphics=off");
        for accelerator in accelerators {
            add("-accel", &accelerator.name());
        }
        add("-cpu", &"max");
        add("-m", &self.memory.to_string());
        add("-smp", &self.processors.to_string());
        add("-display", &"none");
        add("-serial", &"stdio");
        if let (BootFirmware::Uefi, Some(uefi)) = (self.firmware, uefi) {
            add("-drive", &option("if=pflash,unit=0,format=raw,readonly=on,file=", &uefi.code));
            add("-drive", &option("if=pflash,unit=1,format=raw,snapshot=on,file=", &uefi.variables));
        }
        let mut drive = match &self.drive {
            BootDrive::File { path, format, protocol } => {
                let head = format!("driver={format},file.driver={protocol},file.filename=");
                option(&head, path)
            }
            BootDrive::Served { socket } => {
                // The server may be started by the command before, and need a moment.
                let head =
                    "driver=raw,file.driver=nbd,file.open-timeout=10,file.server.type=unix,file.server.path=";
                option(head, socket)
            }
        };
        drive.push(",if=none,id=disk,snapshot=on");
        add("-drive", &drive);
        add("-device", &"virtio-blk-pci,drive=disk,bootindex=0");
        add("-netdev", &"user,id=net,restrict=on");
        add("-device", &"virtio-net-pci,netdev=net");
        add("-device", &"virtio-rng-pci");
        arguments.extend(["-nodefaults", "-no-user-config", "-no-reboot"].map(OsString::from));
        arguments
    }
}

/// An option of qemu with a path, in which a comma is written twice. The path is UTF-8: see [`plan_boot`].
fn option(head: &str, path: &Path) -> OsString {
    format!("{head}{}", path.to_string_lossy().replace(',', ",,")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_a_name_ends_no_option() {
        assert_eq!(option("file=", Path::new("a,if=none.raw")), "file=a,,if=none.raw");
    }
}
