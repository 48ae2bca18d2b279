//! Running qemu, and watching the console.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use imsprep_source::{Cancel, Leftover, end_with_parent};

use super::console::Console;
use super::plan::{Accelerator, BootDrive, BootPlan, UefiImages};
use crate::serve::{ServeOptions, serve_image};
use crate::{DiskLength, DiskSelector, Error, ErrorKind, Result};

/// How a boot is watched.
#[derive(Clone, Debug)]
pub struct BootWatch {
    /// qemu, by its name or where it is.
    pub program: PathBuf,
    /// The text that shows that the boot succeeded.
    pub until: String,
    /// How long to wait for it, counted from the last start of qemu.
    pub timeout: Duration,
    /// What executes the guest.
    pub accelerator: BootAccelerator,
}

/// What is to execute the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootAccelerator {
    /// KVM if it works and the console does not fall silent; otherwise emulation. That the device of KVM can be opened proves
    /// nothing: within a virtual machine the guest may hang, or be slower than emulation from its firmware on.
    Auto,
    /// KVM.
    Kvm,
    /// Emulation.
    Tcg,
}

impl BootAccelerator {
    /// What qemu is to try.
    pub fn accelerators(self) -> &'static [Accelerator] {
        match self {
            Self::Auto => &[Accelerator::Kvm, Accelerator::Tcg],
            Self::Kvm => &[Accelerator::Kvm],
            Self::Tcg => &[Accelerator::Tcg],
        }
    }
}

/// How long the console may be silent before KVM is given up.
#[derive(Clone, Copy)]
struct Patience {
    /// Before the first output.
    first: Duration,
    /// After any output.
    later: Duration,
}

/// Firmware writes its first line within a second or two. Later a guest that works may be silent while it loads a file or waits for a
/// device; half a minute without a line is rare, and to start again costs time only.
const KVM_PATIENCE: Patience = Patience { first: Duration::from_secs(10), later: Duration::from_secs(30) };

impl Patience {
    /// Whether a console is silent for too long; `started` after its first output. At the end of the time for the boot a shorter
    /// silence is enough, as the machine would otherwise be blamed for what may be due to KVM.
    fn is_exceeded(self, started: bool, silence: Duration, timed_out: bool) -> bool {
        let most = match (started, timed_out) {
            (false, true) => Duration::ZERO,
            (false, false) | (true, true) => self.first,
            (true, false) => self.later,
        };
        silence >= most
    }
}

/// How a boot ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootEnd {
    /// The text appeared.
    Found,
    /// It did not appear in time.
    TimedOut,
    /// The machine ended before.
    Ended(ExitStatus),
}

/// A boot that was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    /// How it ended.
    pub end: BootEnd,
    /// What executed the guest.
    pub accelerator: Accelerator,
    /// Why KVM was given up.
    pub without_kvm: Option<String>,
    /// From the last start of qemu to the end.
    pub elapsed: Duration,
    /// The last lines of the console.
    pub last_lines: Vec<String>,
}

/// How often a wait looks for a stop.
const TURN: Duration = Duration::from_millis(50);
/// Bytes of an error message of qemu that are kept.
const SAID_MAX: u64 = 4096;
/// How long qemu may hold its error output open after its end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Boots the image until a text appears on its console, and ends the machine.
///
/// # Errors
///
/// [`Error::Qemu`] if qemu can't be run, or ends with an error before the console shows anything; or at a stop.
pub fn boot_until(plan: &BootPlan, watch: &BootWatch, cancel: &Cancel) -> Result<Booted> {
    let uefi = plan.uefi()?;
    with_drive(plan, |plan| watched(plan, uefi.as_ref(), watch, cancel))
}

fn watched(plan: &BootPlan, uefi: Option<&UefiImages>, watch: &BootWatch, cancel: &Cancel) -> Result<Booted> {
    let attempts: &[(Accelerator, Option<Patience>)] = match watch.accelerator {
        BootAccelerator::Auto => &[(Accelerator::Kvm, Some(KVM_PATIENCE)), (Accelerator::Tcg, None)],
        BootAccelerator::Kvm => &[(Accelerator::Kvm, None)],
        BootAccelerator::Tcg => &[(Accelerator::Tcg, None)],
    };
    let mut without_kvm = None;
    for (accelerator, patience) in attempts {
        match attempt(plan, uefi, watch, (*accelerator, *patience), cancel)? {
            Attempt::Ended(booted) => return Ok(Booted { without_kvm, ..booted }),
            Attempt::NotStarted(why) | Attempt::Silent(why) => without_kvm = Some(why),
        }
    }
    // All attempts failed: this is what the last one said.
    Err(failed(watch, io::Error::other(without_kvm.unwrap_or_default())))
}

/// Boots the image with its console on standard input and output, until qemu ends.
///
/// # Errors
///
/// [`Error::Qemu`] if qemu can't be run; or at a stop.
pub fn boot_with_terminal(
    plan: &BootPlan,
    program: &Path,
    accelerator: BootAccelerator,
    cancel: &Cancel,
) -> Result<ExitStatus> {
    let failed = |source| Error::Qemu { program: program.to_owned(), source };
    let uefi = plan.uefi()?;
    with_drive(plan, |plan| {
        let mut command = Command::new(program);
        command.args(plan.arguments(accelerator.accelerators(), uefi.as_ref()));
        end_with_parent(&mut command);
        let mut machine = Machine::start(&mut command).map_err(failed)?;
        loop {
            if let Some(status) = machine.child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            cancel.check()?;
            std::thread::sleep(TURN);
        }
    })
}

/// Runs `work` while the disk is where the plan says: a format that qemu does not read is served meanwhile.
fn with_drive<T>(plan: &BootPlan, work: impl FnOnce(&BootPlan) -> Result<T>) -> Result<T> {
    if matches!(plan.drive, BootDrive::File { .. }) {
        return work(plan);
    }
    let _leftover = Leftover::new();
    let folder = tempfile::Builder::new()
        .prefix("imsprep-")
        .tempdir()
        .map_err(|source| Error::TempFolder { path: std::env::temp_dir(), source })?;
    let options = ServeOptions {
        image: plan.path.clone(),
        socket: folder.path().join("disk"),
        disk: plan.disk.map(DiskSelector::Number),
        length: DiskLength::Source,
    };
    let plan = BootPlan { drive: BootDrive::Served { socket: options.socket.clone() }, ..plan.clone() };
    let ends = Cancel::new();
    let (sender, ready) = sync_channel(1);
    std::thread::scope(|scope| {
        let server = scope.spawn(|| serve_image(&options, &ends, move |_| sender.send(()).is_ok()));
        // An end without a word is an error, which the server returns.
        let result = ready.recv().ok().map(|()| work(&plan));
        ends.cancel();
        let served = server.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (result, served) {
            // Why the machine lost its disk.
            (_, Err(error)) if !is_stop(&error) => Err(error),
            (Some(result), _) => result,
            // It ends before it serves with an error only, but for the stop.
            (None, _) => Err(imsprep_source::Error::Cancelled.into()),
        }
    })
}

fn is_stop(error: &Error) -> bool {
    error.kind() == ErrorKind::Source(imsprep_source::ErrorKind::Cancelled)
}

enum Attempt {
    Ended(Booted),
    /// The console was silent for too long: how long.
    Silent(String),
    /// qemu ended with an error, without any output of the guest: what it said.
    NotStarted(String),
}

fn attempt(
    plan: &BootPlan,
    uefi: Option<&UefiImages>,
    watch: &BootWatch,
    (accelerator, patience): (Accelerator, Option<Patience>),
    cancel: &Cancel,
) -> Result<Attempt> {
    let mut command = Command::new(&watch.program);
    command.args(plan.arguments(&[accelerator], uefi));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    end_with_parent(&mut command);
    let begun = Instant::now();
    let mut machine = Machine::start(&mut command).map_err(|source| failed(watch, source))?;
    let output = forwarded(machine.child.stdout.take(), u64::MAX);
    let errors = forwarded(machine.child.stderr.take(), SAID_MAX);
    let mut console = Console::new(&watch.until);
    let mut last_output = None;
    let end = loop {
        match output.recv_timeout(TURN) {
            Ok(bytes) => {
                last_output = Some(Instant::now());
                if console.take(&bytes) {
                    break BootEnd::Found;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                // All output was seen. It may have closed it and go on.
                let status = machine.child.try_wait().map_err(|source| failed(watch, source))?;
                match status {
                    Some(status) if last_output.is_none() && !status.success() => {
                        return Ok(Attempt::NotStarted(said(&errors, status)));
                    }
                    Some(status) => break BootEnd::Ended(status),
                    None => std::thread::sleep(TURN),
                }
            }
        }
        cancel.check()?;
        let timed_out = begun.elapsed() >= watch.timeout;
        let silence = last_output.unwrap_or(begun).elapsed();
        if patience.is_some_and(|patience| patience.is_exceeded(last_output.is_some(), silence, timed_out)) {
            let seconds = silence.as_secs();
            return Ok(Attempt::Silent(format!("no console output for {seconds} seconds")));
        }
        if timed_out {
            break BootEnd::TimedOut;
        }
    };
    let elapsed = begun.elapsed();
    Ok(Attempt::Ended(Booted {
        end,
        accelerator,
        without_kvm: None,
        elapsed,
        last_lines: console.last_lines(),
    }))
}

fn failed(watch: &BootWatch, source: io::Error) -> Error {
    Error::Qemu { program: watch.program.clone(), source }
}

/// Reads a pipe on a thread of its own, so that a wait for it can end. A few pieces at most are in memory.
fn forwarded(pipe: Option<impl Read + Send + 'static>, most: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(16);
    if let Some(pipe) = pipe {
        std::thread::spawn(move || {
            let mut pipe = pipe.take(most);
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                if sender.send(buffer.get(..read).unwrap_or_default().to_vec()).is_err() {
                    return;
                }
            }
            // Who writes more must not wait for a reader.
            let _ = io::copy(&mut pipe.into_inner(), &mut io::sink());
        });
    }
    receiver
}

/// What qemu wrote on its standard error.
fn said(errors: &Receiver<Vec<u8>>, status: ExitStatus) -> String {
    let (begun, mut said) = (Instant::now(), Vec::new());
    while let Ok(bytes) = errors.recv_timeout(FAREWELL.saturating_sub(begun.elapsed())) {
        said.extend(bytes);
    }
    let said = String::from_utf8_lossy(&said).trim().replace('\n', "; ");
    if said.is_empty() { format!("it ended with {status} and said nothing") } else { said }
}

/// A child that ends with this value.
struct Machine {
    child: Child,
    _leftover: Leftover,
}

impl Machine {
    fn start(command: &mut Command) -> io::Result<Self> {
        let leftover = Leftover::new();
        Ok(Self { child: command.spawn()?, _leftover: leftover })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_borne_longer_once_the_console_showed_something() {
        let after = |started, seconds, timed_out| {
            KVM_PATIENCE.is_exceeded(started, Duration::from_secs(seconds), timed_out)
        };
        assert_eq!([after(false, 9, false), after(false, 10, false)], [false, true]);
        assert_eq!([after(true, 29, false), after(true, 30, false)], [false, true]);
        assert_eq!([after(true, 9, true), after(true, 10, true), after(false, 1, true)], [false, true, true]);
    }
}
