//! Unix systems without adoption of orphans: the process group of a program.

use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// The process group that a program was started in.
pub(crate) struct Family;

impl Family {
    pub(crate) fn prepare(command: &mut Command) -> Self {
        command.process_group(0);
        Self
    }

    pub(crate) fn kill(&self, program: u32) {
        if let Some(group) = i32::try_from(program).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// How many there are is not known: one stands for all.
    pub(crate) fn end(self, program: u32, _ended_itself: bool) -> usize {
        let group = i32::try_from(program).ok().and_then(Pid::from_raw);
        let is_any = group.is_some_and(|group| test_kill_process_group(group).is_ok());
        self.kill(program);
        usize::from(is_any)
    }
}
