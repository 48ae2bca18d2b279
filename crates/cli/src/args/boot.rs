//! The command line of `imsprep boot`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::DiskArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  imsprep boot disk.qcow2                        print the command of qemu
  imsprep boot --run disk.qcow2                  run it; the console is this terminal
  imsprep boot --run --until 'login:' disk.raw   exit status 0 as soon as the console shows login:
  imsprep boot --run --until 'login:' --timeout 60 disk.zvhd2

The virtual machine has the firmware that imsprep inspect finds (BIOS, or UEFI by OVMF), a virtio disk, a virtio network without \
a connection to the outside, and a serial console. Nothing is written to IMAGE: what the guest writes goes to temporary files of \
qemu. The guest must use the serial console (console=ttyS0), as images for clouds do. The machine \
has no other disk.

A format that qemu does not read, such as ZVHD2, is served to it as imsprep serve does. --until tries KVM first. If \
qemu cannot use KVM, or if the console shows nothing for the first 10 seconds or for 30 seconds later, it starts the machine again \
with emulation, which is usually many times slower, and the time for TEXT starts again.

Exit status with --until: 0 if TEXT appeared; 1 if not, and the last lines of the console are printed; 2 if qemu is missing or \
does not start. With --run alone: 0 if qemu ended without an error, otherwise 2.")]
pub(crate) struct BootArgs {
    /// Image or block device
    #[arg(value_name = "IMAGE")]
    pub(crate) image: PathBuf,
    /// Run qemu instead of printing its command
    #[arg(long)]
    pub(crate) run: bool,
    /// Watch the console until TEXT appears, then end the machine
    #[arg(long, value_name = "TEXT", requires = "run", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) until: Option<String>,
    /// Time to wait for TEXT, in seconds
    #[arg(long, value_name = "S", requires = "until", default_value = "300", value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub(crate) timeout: u32,
    /// Firmware of the machine [default: as inspected; BIOS if both start the disk]
    #[arg(long, value_name = "FIRMWARE")]
    pub(crate) firmware: Option<FirmwareChoice>,
    /// Memory of the machine, in MiB
    #[arg(long, value_name = "MIB", default_value = "2048", value_parser = clap::value_parser!(u32).range(64..=1_048_576))]
    pub(crate) memory: u32,
    /// Virtual processors of the machine
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=255))]
    pub(crate) processors: u16,
    /// Accelerator [default: KVM if possible]
    #[arg(long, value_name = "ACCEL")]
    pub(crate) accel: Option<AccelChoice>,
    /// Program to run
    #[arg(long, value_name = "PROGRAM", default_value = "qemu-system-x86_64")]
    pub(crate) qemu: PathBuf,
    #[command(flatten)]
    pub(crate) disk: DiskArgs,
}

/// Firmware of a virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FirmwareChoice {
    /// SeaBIOS
    Bios,
    /// OVMF, which must be installed
    Uefi,
}

/// What executes the guest's instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccelChoice {
    /// Only KVM
    Kvm,
    /// Only emulation
    Tcg,
}
