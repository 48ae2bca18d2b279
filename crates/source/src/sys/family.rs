//! Linux: the processes that a program starts, however they hide.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};

/// How long a process that is about to end may take before it counts as left behind.
const GRACE: Duration = Duration::from_millis(200);
/// How long a killed process may take to be gone.
const KILLED: Duration = Duration::from_secs(5);
const TURN: Duration = Duration::from_millis(2);

/// The children of this process that were there before a program was started. While it lives, this process adopts orphans, so that
/// what the program leaves behind can be found, whatever session it is in.
pub(crate) struct Family {
    before: BTreeSet<i32>,
}

/// A process in the list of the system.
struct Process {
    pid: i32,
    parent: i32,
    is_zombie: bool,
}

impl Family {
    /// Makes ready for the program that `command` starts: it gets a process group of its own.
    pub(crate) fn prepare(command: &mut Command) -> Self {
        command.process_group(0);
        let _ = set_child_subreaper(Some(getpid()));
        Self { before: children_of(own_pid()).into_iter().map(|process| process.pid).collect() }
    }

    /// Kills all that the running program of this number has started.
    pub(crate) fn kill(&self, program: u32) {
        let Ok(program) = i32::try_from(program) else { return };
        // A process that is stopped starts no others, while the list is read once more.
        for signal in [Signal::STOP, Signal::KILL] {
            let all = processes();
            let mut family = vec![program];
            let mut at = 0;
            while let Some(parent) = family.get(at).copied() {
                family
                    .extend(all.iter().filter(|process| process.parent == parent).map(|process| process.pid));
                at += 1;
            }
            family.into_iter().for_each(|pid| send(pid, signal));
        }
    }

    /// Kills what is left of a program that has ended and was waited for, and tells how many processes that were. Where it
    /// `ended_itself` they have a moment to end as well.
    pub(crate) fn end(self, program: u32, ended_itself: bool) -> usize {
        let program = i32::try_from(program).unwrap_or(0);
        let begun = Instant::now();
        let mut killed = BTreeSet::new();
        loop {
            let orphans = children_of(own_pid());
            let orphans = orphans.iter().filter(|o| o.pid != program && !self.before.contains(&o.pid));
            let mut is_any = false;
            for orphan in orphans {
                if orphan.is_zombie {
                    let _ = Pid::from_raw(orphan.pid).map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
                    continue;
                }
                is_any = true;
                if !ended_itself || begun.elapsed() >= GRACE {
                    self.kill(orphan.pid.unsigned_abs());
                    killed.insert(orphan.pid);
                }
            }
            if !is_any || begun.elapsed() >= GRACE + KILLED {
                return killed.len();
            }
            std::thread::sleep(TURN);
        }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        let _ = set_child_subreaper(None);
    }
}

fn own_pid() -> i32 {
    getpid().as_raw_nonzero().get()
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

fn children_of(parent: i32) -> Vec<Process> {
    processes().into_iter().filter(|process| process.parent == parent).collect()
}

/// Every process that this one sees.
fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let process = |pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before the parenthesis may hold anything.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let (state, parent) = (fields.next()?, fields.next()?.parse().ok()?);
        Some(Process { pid, parent, is_zombie: matches!(state, "Z" | "X") })
    };
    pids.filter_map(process).collect()
}
