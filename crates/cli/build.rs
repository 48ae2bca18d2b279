//! Tells the program which commit it is made from. In this order: what the variables IMSPREP_COMMIT and IMSPREP_COMMIT_DATE
//! say (for packagers whose sources have neither of the others), what cargo wrote into a published package, what git says. If
//! none knows, the version stands alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Digits of a commit that are shown.
const DIGITS: usize = 10;

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
    for variable in ["IMSPREP_COMMIT", "IMSPREP_COMMIT_DATE"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let origin = given().or_else(|| published(&here)).or_else(|| of_git(&here));
    let (commit, date) = origin.unwrap_or_default();
    let words = [commit.as_str(), date.as_str()].into_iter().filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join(" ");
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = if words.is_empty() { version } else { format!("{version} ({words})") };
    println!("cargo::rustc-env=IMSPREP_VERSION={version}");
    println!("cargo::rustc-env=IMSPREP_COMMIT_DATE={date}");
    println!("cargo::rustc-env=IMSPREP_TARGET={}", env::var("TARGET").unwrap_or_default());
}

/// Commit and date, as variables say.
fn given() -> Option<(String, String)> {
    let commit = env::var("IMSPREP_COMMIT").ok().filter(|commit| !commit.is_empty())?;
    Some((commit, env::var("IMSPREP_COMMIT_DATE").unwrap_or_default()))
}

/// The commit that a published package was made from. It tells no date.
fn published(here: &Path) -> Option<(String, String)> {
    let text = fs::read_to_string(here.join(".cargo_vcs_info.json")).ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    let commit = after.split('"').nth(1)?;
    let dirty = if text.contains("\"dirty\": true") { "-dirty" } else { "" };
    Some((format!("{}{dirty}", commit.get(..DIGITS)?), String::new()))
}

/// The commit that is checked out, if these sources belong to it: the folder may be part of another repository.
fn of_git(here: &Path) -> Option<(String, String)> {
    // Also where they do not belong to it: they may from the next commit on.
    watch_head(here);
    git(here, &["ls-files", "--error-unmatch", "build.rs"])?;
    let commit = git(here, &["rev-parse", &format!("--short={DIGITS}"), "HEAD"])?;
    let date = git(here, &["show", "--no-patch", "--format=%cs", "HEAD"])?;
    let sources = sources(here);
    for source in &sources {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(sources.iter().filter_map(|source| source.to_str()));
    let changes = git(here, &status)?;
    Some((format!("{commit}{}", if changes.is_empty() { "" } else { "-dirty" }), date))
}

/// Has this script run again when another commit is checked out.
fn watch_head(here: &Path) {
    // The log of HEAD grows with each commit and checkout. Where none is kept, HEAD names a branch, which is a file once it
    // has moved, and stands among the packed ones before.
    let path = |name: &str| git(here, &["rev-parse", "--git-path", name]).map(|path| here.join(path));
    let mut watched = vec![path("HEAD"), path("logs/HEAD"), path("packed-refs")];
    if let Some(branch) = git(here, &["symbolic-ref", "--quiet", "HEAD"]) {
        watched.push(path(&branch));
    }
    // One that is absent would have cargo run this each time.
    for path in watched.into_iter().flatten().filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

/// What the program is made of, as far as it is in this repository: a change in a test makes no other program.
fn sources(here: &Path) -> Vec<PathBuf> {
    let root = here.join("../..");
    let mut sources = ["Cargo.toml", "Cargo.lock"].map(|name| root.join(name)).to_vec();
    for entry in read_dir(&root.join("crates")) {
        sources.extend(["Cargo.toml", "build.rs", "src", "data", "java"].map(|name| entry.join(name)));
    }
    sources.retain(|path| path.exists());
    sources.sort();
    sources
}

fn read_dir(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// What git prints; `None` if it is absent or fails.
fn git(here: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // A hook that calls cargo sets these for its own repository; and looking must not write an index.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    let output = command.env("GIT_OPTIONAL_LOCKS", "0").current_dir(here).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
