//! Booting the disk in an image in qemu, without writing to it.

mod console;
mod plan;
mod run;

pub use plan::{Accelerator, BootDrive, BootFirmware, BootOptions, BootPlan, UefiImages, plan_boot};
pub use run::{BootAccelerator, BootEnd, BootWatch, Booted, boot_until, boot_with_terminal};
