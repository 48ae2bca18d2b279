//! What a program run as a child cost.

use std::process::ExitStatus;
use std::time::Duration;

use crate::ByteCount;

/// What one run of a program cost, its own children included as far as it waited for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildUsage {
    /// How it ended.
    pub status: ExitStatus,
    /// From before it was started until it was gone.
    pub wall: Duration,
    /// Processor time of all its threads, in user and in system mode.
    pub cpu: Duration,
    /// The most memory that it had at once, pages of mapped files included.
    pub peak_memory: ByteCount,
    /// Bytes that disks gave on its behalf, read ahead included.
    pub device_read: ByteCount,
    /// Bytes that it gave the system for files on disks, whether or not they have got there.
    pub device_written: ByteCount,
}
