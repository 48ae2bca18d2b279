//! Compressed images, which other programs make.

use std::path::Path;
use std::process::{Command, Stdio};

use imsprep_source::{Cancel, measure_child};

use crate::foreign::find_program;
use crate::wrapped::Wrapped;
use crate::{Error, Result};

/// A program that is not here and makes the image.
pub(crate) fn missing(wrapped: Wrapped) -> Option<&'static str> {
    wrapped.programs().iter().find(|program| find_program(program).is_none()).copied()
}

/// Makes the image of the RAW.
pub(crate) fn make(raw: &Path, wrapped: Wrapped, path: &Path, cancel: &Cancel) -> Result<()> {
    let program = "sh".to_owned();
    let mut command = Command::new(&program);
    // Brought to the disk, so that its writing does not go on while something is measured.
    command.arg("-c").arg(format!("{} && sync -- \"$2\"", wrapped.script())).arg(&program).arg(raw).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let usage = measure_child(&mut command, cancel).map_err(|source| match source.kind() {
        std::io::ErrorKind::Interrupted => Error::Source(imsprep_source::Error::Cancelled),
        _ => Error::Run { program: program.clone(), source },
    })?;
    if usage.status.success() {
        return Ok(());
    }
    let message = format!("it does not make {}: {}", path.display(), usage.status);
    Err(Error::Failed { program, message })
}
