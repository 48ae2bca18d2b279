//! The command as it is started elsewhere: on so many threads, under limits, as another user.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use imsprep_testdata::need_tools;

use crate::folder::{Folder, Run};

/// One way to start the command.
pub(crate) struct Way {
    /// What it is called in a failure.
    pub(crate) name: String,
    before: Vec<String>,
    binary: PathBuf,
    after: Vec<String>,
}

impl Way {
    /// As it is.
    pub(crate) fn plain() -> Self {
        Self {
            name: "as it is".into(),
            before: vec![],
            binary: env!("CARGO_BIN_EXE_imsprep").into(),
            after: vec![],
        }
    }

    /// By an ordinary user: this one, or, if it is root, who may do everything, the one of that number. The folder gets a copy
    /// of the binary, which that user can reach.
    pub(crate) fn unprivileged(folder: &Folder, user: u32) -> Self {
        let binary = folder.path("imsprep-copy");
        if !binary.exists() {
            std::fs::copy(env!("CARGO_BIN_EXE_imsprep"), &binary).unwrap();
        }
        for path in [&folder.path("."), &binary] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let before = if is_root() {
            need_tools(["setpriv"]);
            let user = [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".into()];
            [&["setpriv".into()], &user[..]].concat()
        } else {
            vec![]
        };
        Self { name: "as an ordinary user".into(), before, binary, after: vec![] }
    }

    /// On so many threads.
    pub(crate) fn threads(mut self, threads: u32) -> Self {
        self.name += &format!(", --threads {threads}");
        self.after = vec!["--threads".into(), threads.to_string()];
        self
    }

    /// Under a limit, in the words of `prlimit`, which is in the same package as `setpriv`.
    pub(crate) fn limit(mut self, limit: &str) -> Self {
        need_tools(["prlimit"]);
        self.name += &format!(", {limit}");
        self.before.splice(0..0, ["prlimit".into(), limit.into()]);
        self
    }

    /// To be run in this folder.
    pub(crate) fn command(&self, folder: &Path, args: &[&str]) -> Command {
        let words =
            self.before.iter().map(String::as_ref).chain([self.binary.as_os_str()]).collect::<Vec<_>>();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(args).args(&self.after).current_dir(folder);
        command
    }

    pub(crate) fn output(&self, folder: &Path, args: &[&str]) -> Output {
        self.command(folder, args).output().unwrap()
    }

    pub(crate) fn run(&self, folder: &Path, args: &[&str]) -> Run {
        let output = self.output(folder, args);
        Run {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Whether the tests are run by root.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n")
}
