//! Linux: waiting for a child and taking its accounts.

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, pidfd_open, set_parent_process_death_signal,
};

use crate::{ByteCount, Cancel, ChildUsage};

pub(crate) fn wait(child: &Child, begun: Instant, cancel: &Cancel) -> io::Result<ChildUsage> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // Readable as soon as the child has ended.
    let ended = pidfd_open(pid.ok_or(io::ErrorKind::Unsupported)?, PidfdFlags::empty())?;
    let turn = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    loop {
        match poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&turn)) {
            Ok(0) if cancel.is_cancelled() => return Err(io::ErrorKind::Interrupted.into()),
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let wall = begun.elapsed();
    reap(child, wall)
}

#[expect(unsafe_code, reason = "what runs between fork and exec has no safe form")]
pub(crate) fn end_with_parent(command: &mut Command) {
    let parent = getpid();
    let ask = move || {
        // Not SIGTERM: qemu-nbd (10.0) forgets one that arrives while it starts, and would then wait for a client without end.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have ended before this was requested.
        if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    };
    // SAFETY: two system calls, which take no lock and no memory that another thread may have had at the fork.
    unsafe { command.pre_exec(ask) };
}

#[expect(
    unsafe_code,
    reason = "wait4, the only call that tells one child's peak of memory, has no safe form"
)]
fn reap(child: &Child, wall: Duration) -> io::Result<ChildUsage> {
    let pid = libc::pid_t::try_from(child.id()).map_err(|_| io::ErrorKind::Unsupported)?;
    let mut status = 0;
    // SAFETY: `rusage` is plain data for which all zeros are valid, and both pointers are to live values of their types.
    let (reaped, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    if reaped != pid {
        return Err(io::Error::last_os_error());
    }
    let unsigned = |value: libc::c_long| u64::try_from(value).unwrap_or(0);
    let time = |value: libc::timeval| {
        Duration::from_secs(unsigned(value.tv_sec)) + Duration::from_micros(unsigned(value.tv_usec))
    };
    Ok(ChildUsage {
        status: ExitStatus::from_raw(status),
        wall,
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        // Linux counts memory in KiB, and what disks read and write in sectors.
        peak_memory: ByteCount(unsigned(usage.ru_maxrss).saturating_mul(1024)),
        device_read: ByteCount(unsigned(usage.ru_inblock).saturating_mul(512)),
        device_written: ByteCount(unsigned(usage.ru_oublock).saturating_mul(512)),
    })
}
