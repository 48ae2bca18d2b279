//! Our own program, called as a user calls it.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use imsprep_scan::IoMode;
use serde::Deserialize;

use crate::BenchOptions;

/// The modes, the default first: it is what the others and the rivals are compared with.
pub(crate) const MODES: [IoMode; 4] = [IoMode::Auto, IoMode::Map, IoMode::Read, IoMode::Direct];

pub(crate) fn name(mode: IoMode) -> String {
    format!("imsprep --io {mode}")
}

/// `imsprep bitmap create`, with its result as JSON.
pub(crate) fn command(options: &BenchOptions, mode: IoMode, image: &Path, output: &Path) -> Command {
    let mut command = Command::new(&options.program);
    command.args(["bitmap", "create", "--json", "--no-progress", "--force", "--io", &mode.to_string()]);
    if let Some(threads) = options.threads {
        command.arg("--threads").arg(threads.to_string());
    }
    command.arg("-o").arg(output);
    // A name that begins with a dash is a name.
    command.arg("--").arg(OsString::from(image));
    command
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

/// The mode that it took and why, from what it printed; `None` if that is just the mode asked for.
pub(crate) fn mode_taken(asked: IoMode, printed: &Path) -> Option<String> {
    let text = std::fs::read(printed).ok()?;
    let Created { scan: Scan { io } } = serde_json::from_slice(&text).ok()?;
    (io.mode != asked.to_string()).then(|| format!("{}: {}", io.mode, io.reason))
}
