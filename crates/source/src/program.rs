//! Programs of others, run with limits and with nothing left of them.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Cancel, Leftover, end_with_parent, sys};

/// Bytes of a program's output that are kept: the first ones, and as many of the last.
const OUTPUT_KEPT: usize = 4096;
/// How long the output is waited for after the end of every process that could write to it.
const LAST_OUTPUT: Duration = Duration::from_secs(1);
const LONGEST_TURN: Duration = Duration::from_millis(20);

/// How a program came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramEnd {
    /// By itself.
    Exited(ExitStatus),
    /// It was killed at the time limit, with its children.
    TimedOut,
}

/// One run of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRun {
    /// How it ended.
    pub end: ProgramEnd,
    /// From its start to its end.
    pub wall: Duration,
    /// What it wrote to standard output and standard error; of long output the beginning and the end.
    pub output: Vec<u8>,
    /// Processes that were still running after its end. They were killed.
    pub left_behind: usize,
}

/// Runs a program to its end, or kills it when the time is over or a stop is asked for. Its standard input is empty. No process that
/// it started outlives the call, as far as the system lets us find them: on Linux all of them, on other Unix systems those of its
/// process group, on Windows none.
///
/// On Linux this process adopts orphans meanwhile: other threads must not start programs at the same time.
///
/// # Errors
///
/// If it can't be started or waited for; of kind [`io::ErrorKind::Interrupted`] if a stop was asked for.
pub fn run_program(mut command: Command, limit: Duration, cancel: &Cancel) -> io::Result<ProgramRun> {
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    end_with_parent(&mut command);
    let _leftover = Leftover::new();
    let family = sys::Family::prepare(&mut command);
    let begun = Instant::now();
    let mut child = command.spawn()?;
    // It holds the writing ends, and the output would never end.
    drop(command);
    let output = Output::collect(reader);
    let end = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(ProgramEnd::Exited(status)),
            Ok(None) if cancel.is_cancelled() => break Err(io::ErrorKind::Interrupted.into()),
            Ok(None) if begun.elapsed() >= limit => break Ok(ProgramEnd::TimedOut),
            Ok(None) => {
                let turn = begun.elapsed() / 16 + Duration::from_micros(200);
                thread::sleep(turn.min(LONGEST_TURN));
            }
            Err(error) => break Err(error),
        }
    };
    let wall = begun.elapsed();
    let ended_itself = matches!(end, Ok(ProgramEnd::Exited(_)));
    if !ended_itself {
        family.kill(child.id());
        let _ = child.kill();
        let _ = child.wait();
    }
    let still_running = family.end(child.id(), ended_itself);
    // A program that was killed could not wait for its children.
    let left_behind = if ended_itself { still_running } else { 0 };
    Ok(ProgramRun { end: end?, wall, output: output.take(), left_behind })
}

/// The output of a program, read by a thread of its own.
struct Output {
    kept: Arc<Mutex<Kept>>,
    thread: thread::JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    first: Vec<u8>,
    last: Vec<u8>,
    left_out: u64,
}

impl Output {
    fn collect(mut reader: impl Read + Send + 'static) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let to_fill = Arc::clone(&kept);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let bytes = buffer.get(..count).unwrap_or_default();
                to_fill.lock().unwrap_or_else(PoisonError::into_inner).add(bytes);
            }
        });
        Self { kept, thread }
    }

    fn take(self) -> Vec<u8> {
        let begun = Instant::now();
        while !self.thread.is_finished() && begun.elapsed() < LAST_OUTPUT {
            thread::sleep(Duration::from_micros(200));
        }
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).joined()
    }
}

impl Kept {
    fn add(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(OUTPUT_KEPT - self.first.len()));
        self.first.extend_from_slice(first);
        self.last.extend_from_slice(rest);
        let over = self.last.len().saturating_sub(OUTPUT_KEPT);
        self.last.drain(..over);
        self.left_out += over as u64;
    }

    fn joined(&self) -> Vec<u8> {
        let gap = match self.left_out {
            0 => String::new(),
            count => format!("\n[{count} bytes left out]\n"),
        };
        [&self.first[..], gap.as_bytes(), &self.last].concat()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::child::tests::shell;

    fn run(script: &str, limit: f64) -> ProgramRun {
        run_program(shell(script), Duration::from_secs_f64(limit), &Cancel::new()).expect("a run")
    }

    fn is_gone(pid: &str) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        state.is_ok_and(|state| state.contains(") Z "))
            || !std::path::Path::new(&format!("/proc/{}", pid.trim())).exists()
    }

    // One test, as this process adopts orphans while each of these runs.
    #[test]
    fn no_process_outlives_the_call() {
        let plain = run("echo out; echo err >&2; exit 3", 20.0);
        assert!(matches!(plain.end, ProgramEnd::Exited(status) if status.code() == Some(3)), "{plain:?}");
        assert_eq!((plain.left_behind, plain.output.as_slice()), (0, &b"out\nerr\n"[..]));

        let begun = Instant::now();
        let slow = run("sleep 100 & echo $!; sleep 100", 0.3);
        assert_eq!(slow.end, ProgramEnd::TimedOut);
        assert!(is_gone(&String::from_utf8_lossy(&slow.output)), "{slow:?}");
        assert!(begun.elapsed() < Duration::from_secs(20));

        // By two forks, with an empty environment.
        let left = run("(env -i sleep 100 & echo $!) ; exit 0", 20.0);
        assert_eq!(left.left_behind, 1, "{left:?}");
        assert!(is_gone(&String::from_utf8_lossy(&left.output)), "{left:?}");

        let chatty = run("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done", 20.0);
        let text = String::from_utf8(chatty.output).unwrap();
        assert!(text.starts_with("line 0\n") && text.ends_with("line 2999\n"), "{text}");
        assert!(text.contains("bytes left out") && text.len() < 3 * OUTPUT_KEPT, "{text}");

        let cancel = Cancel::new();
        cancel.cancel();
        let error = run_program(shell("sleep 100"), Duration::from_secs(100), &cancel).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        let error = run_program(Command::new("no-such-program"), Duration::from_secs(1), &Cancel::new());
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
