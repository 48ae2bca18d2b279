//! Our own program, called as a user calls it.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use imsprep_scan::IoMode;
use serde::Deserialize;

use crate::BenchOptions;
use crate::case::Task;
use crate::learning;
use crate::rivals::{OutputTarget, Yields};

/// What our program is called to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    /// Makes the bitmap of a RAW.
    Scan(IoMode),
    /// Makes a ZVHD2 of a RAW, or of another format.
    Convert(OutputTarget),
    /// What one does without that: qemu-img makes a RAW on the disk, and our program a ZVHD2 of it.
    Detour,
    /// Makes a ZVHD2 and checks it for an import.
    Prepare,
    /// Checks a ZVHD2, its content too.
    Check,
    /// Checks the structure of a ZVHD2 alone.
    CheckQuick,
    /// Reads which system is on a disk.
    Inspect,
    /// Makes a ZVHD2 of a disk without what no file holds.
    Sparsify,
    /// Makes a ZVHD2 of a new file system with the same files.
    Fresh,
    /// Learns a layout from our own program, as if it were another's.
    Learn,
}

/// The modes of the scan, the default first.
const SCANS: &[Ours] = &[
    Ours::Scan(IoMode::Auto),
    Ours::Scan(IoMode::Map),
    Ours::Scan(IoMode::Read),
    Ours::Scan(IoMode::Direct),
];

impl Ours {
    /// What is measured of a task; with the first the others and the rivals are compared.
    pub(crate) fn for_task(task: Task) -> &'static [Self] {
        match task {
            Task::Scan => SCANS,
            Task::Convert => &[Self::Convert(OutputTarget::Disk), Self::Convert(OutputTarget::Memory)],
            Task::Check => &[Self::Check],
            Task::CheckQuick => &[Self::CheckQuick],
            Task::ConvertForeign => &[Self::Convert(OutputTarget::Disk), Self::Detour],
            Task::ConvertWrapped => &[Self::Convert(OutputTarget::Disk)],
            Task::Prepare => &[Self::Prepare, Self::Convert(OutputTarget::Disk)],
            Task::Guest => &[Self::Inspect],
            Task::Learn => &[Self::Learn],
            Task::Sparsify => &[Self::Sparsify, Self::Convert(OutputTarget::Disk), Self::Fresh],
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Scan(mode) => format!("imsprep --io {mode}"),
            Self::Convert(OutputTarget::Disk) => "imsprep convert".into(),
            Self::Convert(OutputTarget::Memory) => "imsprep convert, into memory".into(),
            Self::Detour => "qemu-img convert -O raw, then imsprep convert".into(),
            Self::Prepare => "imsprep prepare".into(),
            Self::Check => "imsprep zvhd2 check".into(),
            Self::CheckQuick => "imsprep zvhd2 check --quick".into(),
            Self::Inspect => "imsprep inspect".into(),
            Self::Sparsify => "imsprep convert --sparsify".into(),
            Self::Fresh => "imsprep convert, the same files in a new file system".into(),
            Self::Learn => "imsprep bitmap learn --program".into(),
        }
    }

    pub(crate) fn yields(self) -> Yields {
        match self {
            Self::Scan(_) => Yields::Bitmap,
            Self::Convert(_) | Self::Detour | Self::Prepare | Self::Sparsify | Self::Fresh => Yields::Zvhd2,
            Self::Check | Self::CheckQuick | Self::Inspect | Self::Learn => Yields::Nothing,
        }
    }

    pub(crate) fn place(self) -> OutputTarget {
        match self {
            Self::Convert(place) => place,
            Self::Detour | Self::Prepare | Self::Sparsify | Self::Fresh => OutputTarget::Disk,
            Self::Scan(_) | Self::Check | Self::CheckQuick | Self::Inspect | Self::Learn => {
                OutputTarget::Memory
            }
        }
    }

    /// The call, with its result as JSON.
    pub(crate) fn command(self, options: &BenchOptions, image: &Path, output: &Path) -> Command {
        let words: &[&str] = match self {
            Self::Detour => return detour(options, image, output),
            // Beside the image of the row, on the disk that is measured.
            Self::Learn => return learning::command(options, image.parent().unwrap_or(image)),
            Self::Scan(_) => &["bitmap", "create", "--force"],
            Self::Convert(_) | Self::Fresh => &["convert", "--force"],
            Self::Sparsify => &["convert", "--sparsify", "--force"],
            Self::Prepare => &["prepare", "--force"],
            Self::Check => &["zvhd2", "check"],
            Self::CheckQuick => &["zvhd2", "check", "--quick"],
            Self::Inspect => &["inspect"],
        };
        let mut command = Command::new(&options.program);
        command.args(words).args(["--json", "--no-progress"]);
        if let Some(threads) = options.threads {
            command.arg("--threads").arg(threads.to_string());
        }
        if let Self::Scan(mode) = self {
            command.args(["--io", &mode.to_string()]).arg("-o").arg(output);
        }
        if self == Self::Prepare {
            command.arg("--output").arg(output);
        }
        // A name that begins with a dash is a name.
        command.arg("--").arg(OsString::from(image));
        if let Self::Convert(_) | Self::Fresh | Self::Sparsify = self {
            command.arg(output);
        }
        command
    }
}

/// qemu-img's best effort, and ours on what it made; the RAW is removed again, as one would.
const DETOUR: &str = r#"
raw="$2.detour.raw"
qemu-img convert -m 16 -W -O raw "$1" "$raw" && "$0" convert --force --json --no-progress ARGUMENTS
status=$?
rm -f "$raw"
exit $status
"#;

fn detour(options: &BenchOptions, image: &Path, output: &Path) -> Command {
    let mut command = Command::new("sh");
    let script = DETOUR.replace("ARGUMENTS", &detour_arguments(options));
    command.arg("-c").arg(script).arg(&options.program).arg(image).arg(output);
    command
}

fn detour_arguments(options: &BenchOptions) -> String {
    let threads = options.threads.map_or(String::new(), |threads| format!("--threads {threads} "));
    format!("{threads}-- \"$raw\" \"$2\"")
}

/// What of an image must be in what was made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Every byte.
    All,
    /// What files hold.
    WhatFilesHold,
}

/// Whether a converted file holds what the image does.
pub(crate) fn compare(options: &BenchOptions, image: &Path, output: &Path, what: Compared) -> Command {
    let mut command = Command::new(&options.program);
    command.args(["compare", "--no-progress", "--json"]);
    if what == Compared::WhatFilesHold {
        command.arg("--sparsify");
    }
    command.arg("--").arg(image).arg(output);
    command
}

/// The product that an inspection found, from what it printed; `None` if it found none.
pub(crate) fn product(printed: &Path) -> Option<String> {
    let text = std::fs::read(printed).ok()?;
    let json = serde_json::from_slice::<serde_json::Value>(&text).ok()?;
    let guest = json.get("files")?.get(0)?.get("guest")?;
    let system = guest.get("linux").or_else(|| guest.get("windows"))?;
    let product = system.get("release")?.get("value")?.get("product")?;
    // It comes from the image.
    Some(product.as_str()?.chars().filter(|c| !c.is_control()).take(60).collect())
}

#[derive(Deserialize)]
struct Created {
    scan: Scan,
}

#[derive(Deserialize)]
struct Scan {
    io: Io,
}

#[derive(Deserialize)]
struct Io {
    mode: String,
    reason: String,
}

/// The mode that a scan took and why, from what it printed; `None` if that is just the mode asked for.
pub(crate) fn mode_taken(asked: IoMode, printed: &Path) -> Option<String> {
    let text = std::fs::read(printed).ok()?;
    let Created { scan: Scan { io } } = serde_json::from_slice(&text).ok()?;
    (io.mode != asked.to_string()).then(|| format!("{}: {}", io.mode, io.reason))
}
