//! Documents whose commands are run: what they show must be what comes. After a change on purpose:
//! `IMSPREP_UPDATE_DOCS=1 cargo test -p imsprep --test cli documents`, and read the difference.
//!
//! In a document `[..]` stands for anything within a line, and `...` alone on a line for any lines. Times and rates are the same as
//! any others. A command that fails must be followed by `echo $?`, which shows the reader as well. (trycmd was looked at: it tells
//! exit statuses in a notation of its own, which no shell prints, and is thirty crates; this is a page.)

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;

use imsprep_testdata::{missing, need_tools, tool_path};

use crate::folder::Folder;
use crate::guest_images::images;
use crate::inspect::gpt;

/// Where a document shows what a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// In the same block, as a terminal would.
    Beneath,
    /// In the next block of text.
    InTheNextBlock,
}

/// Runs a document's commands, one after the other.
struct Reader {
    folder: PathBuf,
    shown: Shown,
    /// What to run for a command of the document; `None`: it is not for a test.
    runs: fn(&str) -> Option<String>,
    /// Exit status of the last command.
    status: i32,
    /// The last command, if it failed and the document has not told so yet.
    failed: Option<String>,
    /// What the last command printed, if it is still to be shown.
    pending: Option<Vec<String>>,
}

impl Reader {
    fn new(folder: &Folder, shown: Shown, runs: fn(&str) -> Option<String>) -> Self {
        Self { folder: folder.path("."), shown, runs, status: 0, failed: None, pending: None }
    }

    /// The document with what its commands print now.
    fn refreshed(&mut self, text: &str) -> String {
        let mut lines = text.lines().collect::<VecDeque<_>>();
        let mut fresh = Vec::new();
        while let Some(line) = lines.pop_front() {
            fresh.push(line.to_owned());
            let Some(kind) = line.strip_prefix("```") else { continue };
            let end = lines.iter().position(|line| *line == "```").expect("a block ends");
            let block = lines.drain(..end).collect::<Vec<_>>();
            fresh.extend(match kind {
                "console" => self.console(&block),
                "sh" => self.script(&block),
                "text" => match self.pending.take() {
                    Some(printed) => merged(&block, printed),
                    None => owned(&block),
                },
                _ => owned(&block),
            });
            fresh.extend(lines.pop_front().map(str::to_owned));
        }
        assert_eq!((&self.failed, &self.pending), (&None, &None), "this is not shown");
        fresh.join("\n") + "\n"
    }

    fn console(&mut self, block: &[&str]) -> Vec<String> {
        let mut fresh = Vec::new();
        let mut rest = block;
        while let [first, after @ ..] = rest {
            let more = after.iter().take_while(|line| line.starts_with("> ")).count();
            let (lines, after) = rest.split_at(1 + more);
            let command =
                lines.iter().map(|line| line.get(2..).unwrap_or_default()).collect::<Vec<_>>().join("\n");
            let (expected, after) =
                after.split_at(after.iter().take_while(|line| !line.starts_with("$ ")).count());
            rest = after;
            fresh.extend(owned(lines));
            assert!(first.starts_with("$ "), "{first}: a block begins with a command");
            let Some(command) = (self.runs)(&command) else {
                fresh.extend(owned(expected));
                continue;
            };
            let printed = self.run(&command);
            match self.shown {
                Shown::Beneath => fresh.extend(merged(expected, printed)),
                Shown::InTheNextBlock => self.pending = Some(printed),
            }
        }
        fresh
    }

    /// A script that the reader is to run; it prints nothing that counts.
    fn script(&mut self, block: &[&str]) -> Vec<String> {
        let printed = self.run(&format!("set -e\n{}", block.join("\n")));
        assert_eq!(self.status, 0, "{block:#?}: {printed:#?}");
        owned(block)
    }

    /// What a command prints, on standard output and on standard error, as on a terminal.
    fn run(&mut self, command: &str) -> Vec<String> {
        if self.shown == Shown::Beneath && command != "echo $?" {
            assert_eq!(self.failed, None, "it failed, and no echo $? tells the reader");
        }
        let binaries = Path::new(env!("CARGO_BIN_EXE_imsprep")).parent().unwrap().display();
        let path = format!("{binaries}:{}", tool_path().to_str().unwrap());
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; (exit {}); {command}", self.status)])
            .env("PATH", path)
            .env("LC_ALL", "C.UTF-8")
            .current_dir(&self.folder)
            .output()
            .unwrap();
        self.status = output.status.code().unwrap();
        self.failed = (self.shown == Shown::Beneath && self.status != 0).then(|| command.to_owned());
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// What the document says if it is true of what was printed; else what was printed, with as many of its lines as are true.
fn merged(said: &[&str], printed: Vec<String>) -> Vec<String> {
    if holds(said, &printed) {
        return owned(said);
    }
    let in_words = |line: String| {
        said.iter().find(|said| is_line(said, &line)).map_or(line.clone(), |said| (*said).to_owned())
    };
    printed.into_iter().map(in_words).collect()
}

/// Whether what a document says is what was printed.
fn holds(said: &[&str], printed: &[String]) -> bool {
    match (said, printed) {
        ([], []) => true,
        (["...", said @ ..], _) => (0..=printed.len()).any(|skipped| holds(said, &printed[skipped..])),
        ([line, said @ ..], [first, printed @ ..]) => is_line(line, first) && holds(said, printed),
        _ => false,
    }
}

/// The same for one line.
fn is_line(said: &str, printed: &str) -> bool {
    let (said, printed) = (without_times(said), without_times(printed));
    let mut parts = said.split("[..]");
    let Some(mut rest) = parts.next().and_then(|start| printed.strip_prefix(start)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// The line with a word in place of each time and each rate.
fn without_times(line: &str) -> String {
    let mut words = line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for at in 1..words.len() {
        let unit = words[at].trim_end_matches([',', ';', '.']).to_owned();
        let is_number = words[at - 1].parse::<f64>().is_ok();
        if is_number && ["ms", "s", "min", "kB/s", "MB/s", "GB/s"].contains(&unit.as_str()) {
            words[at - 1] = "N".into();
            words[at] = words[at].replace(&unit, if unit.ends_with("/s") { "RATE" } else { "TIME" });
        }
    }
    words.join(" ")
}

/// Runs the document of this name. What is not as it says is an error, or put into it if that is asked for.
fn hold(name: &str, mut reader: Reader) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let fresh = reader.refreshed(&text);
    if std::env::var_os("IMSPREP_UPDATE_DOCS").is_some() {
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    for (number, (said, now)) in (1..).zip(text.lines().zip(fresh.lines())) {
        assert_eq!(said, now, "{name}, line {number}: left what it says, right what comes");
    }
    assert_eq!(text, fresh, "{name}");
}

/// The disk with the Debian of the walkthrough, which takes root, a mirror and minutes to build.
fn built() -> PathBuf {
    images().join("deb12-ext4-bios.raw")
}

#[test]
fn the_walkthrough() {
    need_tools(["qemu-img", "debugfs", "grep"]);
    if !built().exists() {
        missing("no image of testdata/guest-images was built");
    }
    // It holds several copies of a disk of 2 GiB.
    let folder = Folder::on_disk();
    let runs = |command: &str| {
        Some(match command.strip_prefix("sudo testdata/guest-images/build . ") {
            Some(name) => {
                let disk = built();
                format!("cp --sparse=always '{}' {name}.raw && echo '{name}: built in 70 s'", disk.display())
            }
            None => command.into(),
        })
    };
    hold("docs/walkthrough.md", Reader::new(&folder, Shown::Beneath, runs));
}

#[test]
fn the_readme() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("testdata")).unwrap();
    // The bitmap last: it must not be older than its image.
    for name in ["reference.zvhd2", "disk.qcow2", "small.raw", "small.mf"] {
        let bytes = std::fs::read(imsprep_testdata::folder().join(name)).unwrap();
        folder.write(&format!("testdata/{name}"), &bytes);
    }
    let runs = |command: &str| {
        let files = command.strip_prefix("cargo run --profile quick --locked -p imsprep -- check ")?;
        Some(format!("imsprep check {files}"))
    };
    hold("README.md", Reader::new(&folder, Shown::InTheNextBlock, runs));
}

#[test]
fn the_page_on_conversions() {
    let folder = Folder::new();
    gpt(&folder);
    let runs = |command: &str| (command == "imsprep inspect disk.raw").then(|| command.into());
    hold("docs/convert.md", Reader::new(&folder, Shown::InTheNextBlock, runs));
}

/// It is what a stranger reads first.
#[test]
fn the_readme_is_short() {
    let readme =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    assert!(readme.lines().count() <= 150, "{}", readme.lines().count());
}

#[test]
fn what_is_not_so_is_noticed() {
    let folder = Folder::new();
    let fresh =
        |text: &str| Reader::new(&folder, Shown::Beneath, |command| Some(command.into())).refreshed(text);
    let same = "x\n```console\n$ echo a; echo 12 ms, 3.5 GB/s\na\n1.5 s, 17 MB/s\n$ false\n$ echo $?\n1\n$ seq 3 >f\n\
                $ cat f |\n> cat\n[..]\n...\n```\ny\n";
    assert_eq!(fresh(same), same);
    assert_eq!(
        fresh("```console\n$ echo a b; echo c\na [..]\nd\n```\n"),
        "```console\n$ echo a b; echo c\na [..]\nc\n```\n"
    );
    assert_eq!(fresh("```console\n$ seq 2\n1\n```\n"), "```console\n$ seq 2\n1\n2\n```\n");
    assert_eq!(fresh("```console\n$ seq 2\n...\n3\n```\n"), "```console\n$ seq 2\n1\n2\n```\n");
    let silent = std::panic::catch_unwind(|| fresh("```console\n$ false\n```\n"));
    assert!(silent.is_err(), "a failure that the reader is not told of");
    for (said, printed, expected) in [
        ("a [..] c", "a b c", true),
        ("a [..] c", "a b d", false),
        ("[..] b [..]", "a b c", true),
        ("[..] x [..]", "a b c", false),
        ("in 3 ms; 4 KiB", "in 1.7 s; 4 KiB", true),
        ("in 3 ms; 4 KiB", "in 3 ms; 5 KiB", false),
        ("in 3 ms", "in 3 GB/s", false),
    ] {
        assert_eq!(is_line(said, printed), expected, "{said} of {printed}");
    }
}
