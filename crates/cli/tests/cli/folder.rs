//! Running the command as a person does, in a folder of its own.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

use crate::schemas::assert_valid;
/// A guard against what never ends, not a measure of speed: no machine is so busy that it takes this long.
pub(crate) const HANGS: Duration = Duration::from_secs(300);

/// A folder for one test, and the command run in it.
pub(crate) struct Folder(tempfile::TempDir);

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// One that lies on the disk that the sources are on: the usual place of temporary files may be in memory.
    pub(crate) fn on_disk() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("write a file");
        path
    }

    /// A file of `size` bytes, all holes but for single bytes at `places`.
    pub(crate) fn sparse(&self, name: &str, size: u64, places: &[u64]) -> PathBuf {
        let path = self.path(name);
        let file = File::create(&path).expect("create a file");
        file.set_len(size).expect("set its length");
        for place in places {
            file.write_all_at(&[0x5a], *place).expect("write a byte");
        }
        path
    }

    /// The command with the folder for its working directory.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::cargo_bin("imsprep").expect("the binary is built");
        command.current_dir(self.0.path()).args(args).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        // A layout that the user of this machine has installed is not for tests.
        command.env("XDG_CONFIG_HOME", self.0.path().join("settings"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let output = self.command(args).output().expect("run imsprep");
        let run = Run {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("output in UTF-8"),
            err: String::from_utf8(output.stderr).expect("errors in UTF-8"),
        };
        // Every document that a test sees is as its schema says.
        assert_valid(&run.out);
        assert_valid(&run.err);
        run
    }

    /// Runs with so many seconds of processor time, however long a busy machine takes for them.
    pub(crate) fn run_within(&self, seconds: u32, args: &[&str]) -> Run {
        let script = format!("ulimit -t {seconds} && exec \"$0\" \"$@\"");
        let output = std::process::Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_imsprep")])
            .args(args)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        Run {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs with `--json` and parses what comes.
    pub(crate) fn json(&self, args: &[&str]) -> (i32, Value) {
        let run = self.run(&[args, &["--json"]].concat());
        let value = serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {run:?}"));
        (run.status, value)
    }

    /// Names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names_in(self.0.path())
    }
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("list a folder");
    let mut names: Vec<_> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The codes of the findings of one file of a report, sorted and without repeats.
pub(crate) fn codes(report: &Value) -> Vec<String> {
    let findings = report.get("findings").and_then(Value::as_array).expect("findings");
    let mut codes: Vec<_> =
        findings.iter().map(|f| f.get("code").and_then(Value::as_str).expect("a code").to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// Sends a signal, such as `-TERM`, to a process, which may have ended. By the shell: it knows `kill` itself, which is no part
/// of coreutils.
pub(crate) fn kill(signal: &str, process: impl ToString) {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "kill \"$1\" \"$2\"", "sh", signal, &process.to_string()]).output().expect("a shell");
}
