//! The virtual machine for an image, as commands.

use std::ffi::OsString;
use std::path::Path;

use imsprep_toolkit::{BootAccelerator, BootDrive, BootFirmware, BootPlan, UefiImages};

/// The commands that boot an image.
pub(crate) struct Machine<'a> {
    pub(crate) plan: &'a BootPlan,
    /// qemu and its arguments.
    pub(crate) command: Vec<OsString>,
    /// The command that has to run meanwhile.
    pub(crate) serve: Option<Vec<OsString>>,
    /// Whether the firmware is to be installed first.
    pub(crate) lacks_firmware: bool,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(plan: &'a BootPlan, program: &Path, accelerator: BootAccelerator) -> Self {
        let installed = UefiImages::find(Path::new("/"));
        let lacks_firmware = plan.firmware == BootFirmware::Uefi && installed.is_none();
        let uefi = installed.unwrap_or_else(UefiImages::usual);
        let arguments = plan.arguments(accelerator.accelerators(), Some(&uefi));
        let serve = match &plan.drive {
            BootDrive::File { .. } => None,
            BootDrive::Served { socket } => {
                let words = ["imsprep", "serve"].map(OsString::from).into_iter();
                let words = words.chain([plan.path.clone().into(), "--socket".into(), socket.clone().into()]);
                let disk = plan.disk.map(|disk| format!("--disk={disk}").into());
                Some(words.chain(disk).collect())
            }
        };
        let command = std::iter::once(program.into()).chain(arguments).collect();
        Self { plan, command, serve, lacks_firmware }
    }
}

pub(crate) fn firmware(firmware: BootFirmware) -> &'static str {
    match firmware {
        BootFirmware::Bios => "BIOS",
        BootFirmware::Uefi => "UEFI",
    }
}
