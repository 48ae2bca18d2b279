//! Whether something writes to an image while it is read.

use std::fmt;
use std::path::PathBuf;

/// What uses an image, so that its content may change at any moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InUse {
    /// A volume in it is mounted there, to be written to.
    Mounted(PathBuf),
    /// It, or a part of it, is swap space of this machine.
    Swap,
    /// The kernel has the device for a mount that is not visible here, or for something else, such as a RAID.
    Held,
    /// A program such as qemu has it open and may write to it, as its locks show: a virtual machine that runs.
    Written,
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mounted(at) => write!(f, "a volume on it is mounted at {}", at.display()),
            Self::Swap => f.write_str("this machine swaps to it"),
            Self::Written => {
                f.write_str("a program, such as qemu with a running virtual machine, has it open for writing")
            }
            Self::Held => f.write_str("this machine holds the device, as for a mounted volume"),
        }
    }
}
