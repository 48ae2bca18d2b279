//! Faults at a chosen system call: the command under strace, which counts calls and puts a signal or an error in the place of
//! one of them. So each point at which a process can be hit is hit, whatever the machine's speed.

use std::path::Path;
use std::process::{Command, Output};

use imsprep_testdata::{command, missing};

use crate::folder::Folder;
use crate::writers::standard_input;

/// Calls that change a file, its name or its place on the disk.
pub(crate) const WRITING: &[&str] = &[
    "write",
    "writev",
    "pwrite64",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "link",
    "linkat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "copy_file_range",
    "sendfile",
];

/// Calls by which a file is opened and read.
pub(crate) const READING: &[&str] = &["openat", "pread64", "read", "mmap"];

/// One call of an undisturbed run.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Which call of this name it is, in its thread, from 1 on: as strace counts.
    pub(crate) nth: usize,
    /// As strace prints it, with the files behind the descriptors.
    pub(crate) text: String,
    /// The only file whose calls were counted, if it is not all.
    pub(crate) of: Option<String>,
}

impl Call {
    /// Whether it is made on a file that has no name: an output in the making.
    pub(crate) fn is_on_unnamed(&self) -> bool {
        self.text.contains("(deleted)")
    }
}

/// Leaves the test where processes can't be traced.
pub(crate) fn need_tracing() {
    let traced = command("strace").args(["-qq", "-o", "/dev/null", "true"]).output().unwrap();
    if !traced.status.success() {
        missing(format!("processes can't be traced: {}", String::from_utf8_lossy(&traced.stderr).trim()));
    }
}

/// The command under strace, with one worker, so that two runs make the same calls.
pub(crate) fn traced(folder: &Folder, log: &Path, flags: &[&str], args: &[&str]) -> Command {
    let mut command = command("strace");
    command
        .args(["-f", "-qq", "-y", "-s", "0", "-o"])
        .arg(log)
        .args(flags)
        .arg(env!("CARGO_BIN_EXE_imsprep"))
        .args(args)
        .args(["--threads", "1"])
        .current_dir(folder.path("."))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .stdin(standard_input(folder, args));
    command
}

/// All calls of these names that a run makes, and how it ended.
pub(crate) fn calls(folder: &Folder, names: &[&str], args: &[&str]) -> (Vec<Call>, Output) {
    calls_on(folder, None, names, args)
}

/// Those on one file of the folder.
pub(crate) fn calls_on(
    folder: &Folder,
    of: Option<&str>,
    names: &[&str],
    args: &[&str],
) -> (Vec<Call>, Output) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut flags = vec!["-e".to_owned(), format!("trace={}", names.join(","))];
    flags.extend(filter(folder, of));
    let flags = flags.iter().map(String::as_str).collect::<Vec<_>>();
    let output = without_lines_of_strace(traced(folder, log.path(), &flags, args).output().unwrap());
    let text = String::from_utf8_lossy(&std::fs::read(log.path()).unwrap()).into_owned();
    let mut counts = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        // "1234  pwrite64(3</x/#5 (deleted)>, ..., 512, 0) = 512"; of one that others came between, the second half has no "(" there.
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, _)) = call.trim_start().split_once('(') else { continue };
        if !names.contains(&name) {
            continue;
        }
        let nth = counts.entry((thread.to_owned(), name.to_owned())).or_insert(0_usize);
        *nth += 1;
        calls.push(Call {
            name: name.into(),
            nth: *nth,
            text: call.trim_start().into(),
            of: of.map(str::to_owned),
        });
    }
    (calls, output)
}

/// Runs with a fault in the place of this call: `what` is `signal=KILL` or `error=ENOSPC`, with `:when=1+` if it lasts.
pub(crate) fn run_with(folder: &Folder, call: &Call, what: &str, args: &[&str]) -> Output {
    let flags = fault(folder, call, what);
    let flags = flags.iter().map(String::as_str).collect::<Vec<_>>();
    without_lines_of_strace(traced(folder, Path::new("/dev/null"), &flags, args).output().unwrap())
}

/// The same with a signal, and how many of them came: each thread that makes as many calls gets one.
pub(crate) fn run_with_signals(folder: &Folder, call: &Call, signal: &str, args: &[&str]) -> (Output, usize) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let flags = fault(folder, call, &format!("signal={signal}"));
    let flags = flags.iter().map(String::as_str).collect::<Vec<_>>();
    let output = without_lines_of_strace(traced(folder, log.path(), &flags, args).output().unwrap());
    let text = String::from_utf8_lossy(&std::fs::read(log.path()).unwrap()).into_owned();
    let came = format!("--- SIG{signal} ");
    (output, text.lines().filter(|line| line.contains(&came)).count())
}

/// strace 6.1 writes messages of its own to the standard error that it shares with the command: the file that a path resolved
/// to and, under load, "dispatch_event: pid 123 has delayed wait data set already".
pub(crate) fn without_lines_of_strace(mut output: Output) -> Output {
    let own = |line: &&[u8]| {
        let program = line.split(|byte| *byte == b':').next().unwrap_or_default();
        !(program.ends_with(b"strace") && line.len() > program.len())
    };
    output.stderr =
        output.stderr.split_inclusive(|byte| *byte == b'\n').filter(own).flatten().copied().collect();
    output
}

#[test]
fn only_the_lines_of_strace_are_left_out() {
    let stderr =
        b"/usr/bin/strace: Requested path\nerror: a: b\nstrace: dispatch_event: pid 1\nstrace\nlast".to_vec();
    let status = std::process::ExitStatus::default();
    let output = without_lines_of_strace(Output { status, stdout: Vec::new(), stderr });
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: a: b\nstrace\nlast");
}

/// The flags for a fault. A signal that kills comes before the call, which is then not made; others come after it.
pub(crate) fn fault(folder: &Folder, call: &Call, what: &str) -> Vec<String> {
    let when = if what.contains(":when=") { String::new() } else { format!(":when={}", call.nth) };
    let inject = format!("inject={}:{what}{when}", call.name);
    let mut flags = vec!["-e".into(), format!("trace={}", call.name), "-e".into(), inject];
    flags.extend(filter(folder, call.of.as_deref()));
    flags
}

/// The flags that leave only the calls on one file, by the name that it is given and by where it lies.
fn filter(folder: &Folder, of: Option<&str>) -> Vec<String> {
    let paths = of.map(|name| [name.to_owned(), folder.path(name).to_str().unwrap().to_owned()]);
    paths.into_iter().flatten().flat_map(|path| ["-P".to_owned(), path]).collect()
}

/// The calls at which no other thread is hit before: strace counts in each thread.
pub(crate) fn first_of_its_number(calls: &[Call]) -> Vec<Call> {
    let mut seen = std::collections::HashSet::new();
    calls.iter().filter(|call| seen.insert((call.name.clone(), call.nth))).cloned().collect()
}

/// The calls whose number no other thread comes to.
pub(crate) fn alone(calls: &[Call]) -> Vec<Call> {
    let same = |call: &Call, other: &Call| (&call.name, call.nth) == (&other.name, other.nth);
    calls.iter().filter(|call| calls.iter().filter(|other| same(call, other)).count() == 1).cloned().collect()
}

/// Some of many, the first and the last among them: the ends are where a file is begun and where it gets its name.
pub(crate) fn some<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    if all.len() <= most {
        return all.to_vec();
    }
    let (head, tail) = (most / 4, most / 2);
    let (begin, rest) = all.split_at(head);
    let (middle, end) = rest.split_at(rest.len() - tail);
    let step = middle.len().div_ceil((most - head - tail).max(1));
    [begin, &middle.iter().step_by(step).cloned().collect::<Vec<_>>(), end].concat()
}
