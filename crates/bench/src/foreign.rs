//! Images of other formats, which qemu-img makes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use imsprep_source::{Cancel, measure_child};

use crate::case::Foreign;
use crate::{Error, Result};

/// The program that makes them, and the rival on them.
pub(crate) const QEMU_IMG: &str = "qemu-img";

/// Whether they can't be made here.
pub(crate) fn is_absent() -> bool {
    find_program(QEMU_IMG).is_none()
}

/// Makes an image of the RAW.
pub(crate) fn make(raw: &Path, foreign: Foreign, path: &Path, cancel: &Cancel) -> Result<()> {
    let mut command = Command::new(QEMU_IMG);
    command.args(["convert", "-f", "raw", "-O", foreign.driver]).args(foreign.options).arg(raw).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let program = QEMU_IMG.to_owned();
    let usage = measure_child(&mut command, cancel).map_err(|source| match source.kind() {
        std::io::ErrorKind::Interrupted => Error::Source(imsprep_source::Error::Cancelled),
        _ => Error::Run { program: program.clone(), source },
    })?;
    if !usage.status.success() {
        let message = format!("it does not make {}: {}", path.display(), usage.status);
        return Err(Error::Failed { program, message });
    }
    // Brings it to the disk, so that its writing does not go on while something is measured.
    let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|source| Error::File { path: path.to_owned(), what: "flush the image", source })
}

/// Looks along the search path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}
