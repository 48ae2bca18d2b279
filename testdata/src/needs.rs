//! How a test asks for what a machine may lack.

use std::any::Any;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness;

/// The payload of the panic by which a test ends that lacks something. The runner reports the test as ignored.
#[derive(Debug)]
pub(crate) struct Missing {
    /// What is not there, as a sentence's part: "sgdisk is not installed".
    pub(crate) why: String,
}

impl Missing {
    /// What a test lacked that ended with this payload; `None` if it ended for another reason.
    pub(crate) fn of(payload: &(dyn Any + Send)) -> Option<&str> {
        payload.downcast_ref::<Self>().map(|missing| missing.why.as_str())
    }
}

/// Ends the test: it is reported as ignored, with this reason. For what [`need_tools`], [`need_file`] and [`need_root`] don't
/// look for: a device, a mount, a feature of the kernel.
///
/// To be called on the test's own thread.
///
/// # Panics
///
/// Always: so it leaves the test.
pub fn missing(why: impl Into<String>) -> ! {
    harness::assert_running();
    panic_any(Missing { why: why.into() })
}

/// Ends the test as [`missing`] does unless all of these programs are installed. The reason names each that is not.
pub fn need_tools(names: impl IntoIterator<Item = impl AsRef<str>>) {
    harness::assert_running();
    let mut absent = Vec::new();
    for name in names {
        let name = name.as_ref();
        if find(name).is_none() && !absent.iter().any(|seen| seen == name) {
            absent.push(name.to_owned());
        }
    }
    match &absent[..] {
        [] => {}
        [name] => missing(format!("{name} is not installed")),
        names => missing(format!("{} are not installed", names.join(", "))),
    }
}

/// Ends the test as [`missing`] does unless this file or folder is there, which the named Debian package has. For data of a
/// program that is packed apart from it.
pub fn need_file(path: impl AsRef<Path>, package: &str) {
    harness::assert_running();
    let path = path.as_ref();
    if !path.exists() {
        missing(format!("{} of {package} is not there", path.display()));
    }
}

/// Ends the test as [`missing`] does unless it runs as root.
pub fn need_root() {
    harness::assert_running();
    let id = Command::new("id").arg("-u").output().expect("coreutils are installed");
    if id.stdout != b"0\n" {
        missing("the user is not root");
    }
}

/// Runs the body for each case. A case that ends for something missing is left out and the next one tried; at the end the
/// test is ignored if there was any such case, for the reasons of all of them.
///
/// # Panics
///
/// As the body does, and as [`missing`] does.
pub fn each<T>(cases: impl IntoIterator<Item = T>, mut body: impl FnMut(T)) {
    harness::assert_running();
    let (mut reasons, mut seen) = (Vec::<String>::new(), 0_u64);
    for case in cases {
        seen += 1;
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| body(case))) {
            let Some(why) = Missing::of(&*payload) else { resume_unwind(payload) };
            if !reasons.iter().any(|reason| reason == why) {
                reasons.push(why.to_owned());
            }
        }
    }
    assert!(seen > 0, "a test without a case asserts nothing");
    if !reasons.is_empty() {
        missing(reasons.join("; "));
    }
}

/// A command that runs the program that [`need_tools`] finds, which is asked for here once more, and that finds others in the
/// same folders.
pub fn command(tool: &str) -> Command {
    need_tools([tool]);
    let mut command = Command::new(find(tool).unwrap_or_else(|| tool.into()));
    command.env("PATH", tool_path());
    command
}

/// The folders where tests look for programs: those of `PATH` and, for each of them called `bin`, the `sbin` beside it. An
/// ordinary user's `PATH` lacks those on Debian, and programs that make file systems are there.
pub fn tool_path() -> OsString {
    std::env::join_paths(tool_folders()).expect("folders that come from a PATH can stand in one")
}

fn tool_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path).collect::<Vec<_>>();
    let system = folders.iter().filter(|folder| folder.ends_with("bin"));
    let system = system.map(|folder| folder.with_file_name("sbin")).collect::<Vec<_>>();
    for folder in system {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn find(name: &str) -> Option<PathBuf> {
    tool_folders().into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}
