//! The Java scans: a small source of our own, compiled where there is a JDK.

use std::path::Path;
use std::process::{Command, Stdio};

const SOURCE: &str = include_str!("../java/Scan.java");

/// Compiles the scans into `folder`.
///
/// # Errors
///
/// What the compiler said.
pub(crate) fn compile(folder: &Path) -> Result<(), String> {
    let source = folder.join("Scan.java");
    std::fs::write(&source, SOURCE).map_err(|e| e.to_string())?;
    let output = Command::new("javac").arg("-d").arg(folder).arg(&source).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
