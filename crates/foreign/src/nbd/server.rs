//! The server: a child of ours, for one image and as long as we read it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use imsprep_source::{Cancel, ImageFile, Leftover, LocalStream, ReadAt, end_with_parent};

/// The program that serves.
const QEMU_NBD: &str = "qemu-nbd";

/// How long it may take to come up: it reads the image's tables.
const PATIENCE: Duration = Duration::from_secs(60);
const TURN: Duration = Duration::from_millis(5);
/// In the folder.
const SOCKET: &str = "nbd";
const ERRORS: &str = "errors";
/// Bytes of what it says that are kept.
const SAID_MAX: u64 = 4096;

/// Why the image is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The program is not installed.
    #[error("{}: is read by qemu-nbd, which is not installed", path.display())]
    Absent {
        /// The image.
        path: PathBuf,
    },
    /// The image's name can't be told to the program.
    #[error("{}: qemu-nbd takes names in UTF-8 alone; give the file another name", path.display())]
    Name {
        /// The image.
        path: PathBuf,
    },
    /// The program does not take the image.
    #[error("{}: qemu-nbd does not take it: {said}", path.display())]
    Refused {
        /// The image.
        path: PathBuf,
        /// What it said.
        said: String,
    },
    /// The program can't be run.
    #[error("{}: cannot run qemu-nbd", path.display())]
    Run {
        /// The image.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program does not speak as it should.
    #[error("{}: cannot talk to qemu-nbd", path.display())]
    Protocol {
        /// The image.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Somebody asked for the stop.
    #[error("interrupted")]
    Cancelled,
}

/// A running server. Dropped, it is gone, and so is its socket. Should this process be killed, the server ends by itself, as it
/// does when its last client is gone.
pub(super) struct Served {
    child: Child,
    /// A folder that nobody else may enter, with the socket in it, and what the program says.
    folder: tempfile::TempDir,
    /// Gone after the folder.
    _leftover: Leftover,
}

impl Served {
    /// Starts it, and waits for its first connection.
    pub(super) fn start(
        image: &ImageFile,
        format: &str,
        connections: usize,
        cancel: &Cancel,
    ) -> Result<(Self, LocalStream), ServeError> {
        let path = image.path();
        let run_error = |source| ServeError::Run { path: path.to_owned(), source };
        let mut command = Command::new(QEMU_NBD);
        command.stdin(Stdio::null());
        let held = image.give_to(&mut command).map_err(run_error)?;
        let name = held.map_or_else(|| path.canonicalize(), |held| Ok(held.to_owned())).map_err(run_error)?;
        let name = name.to_str().ok_or_else(|| ServeError::Name { path: path.to_owned() })?;
        let changed = |error| run_error(io::Error::other(error));
        let leftover = Leftover::new();
        let folder = tempfile::Builder::new().prefix("imsprep-").tempdir().map_err(run_error)?;
        let errors = File::create(folder.path().join(ERRORS)).map_err(run_error)?;
        command.arg("--read-only").arg("--shared").arg(connections.to_string());
        command.arg("--socket").arg(folder.path().join(SOCKET)).arg(described(format, name));
        command.stdout(Stdio::null()).stderr(errors);
        end_with_parent(&mut command);
        let child = command.spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ServeError::Absent { path: path.to_owned() },
            _ => run_error(source),
        })?;
        let mut served = Self { child, folder, _leftover: leftover };
        let begun = Instant::now();
        loop {
            let waits = match LocalStream::connect(&served.socket()) {
                Ok(stream) if held.is_some() => return Ok((served, stream)),
                Ok(stream) => return image.verify_unchanged().map(|()| (served, stream)).map_err(changed),
                Err(error) => error,
            };
            if !matches!(waits.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
                return Err(run_error(waits));
            }
            if cancel.is_cancelled() {
                return Err(ServeError::Cancelled);
            }
            let ended = served.child.try_wait().map_err(run_error)?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                return Err(ServeError::Refused { path: path.to_owned(), said: served.said(name, path) });
            }
            std::thread::sleep(TURN);
        }
    }

    /// What the child wrote on its standard error.
    fn said(&self, name: &str, path: &Path) -> String {
        let mut said = Vec::new();
        if let Ok(errors) = File::open(self.folder.path().join(ERRORS)) {
            let _ = errors.take(SAID_MAX).read_to_end(&mut said);
        }
        // It speaks of the image by the name that it was given.
        let said = String::from_utf8_lossy(&said).replace(name, &path.display().to_string());
        let said = said.trim().trim_start_matches("qemu-nbd: ");
        if said.is_empty() { "it says nothing".into() } else { said.replace('\n', "; ") }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already: it goes with its last connection.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The image as qemu takes it, with nothing left to its guess: its format, that the name is one of a file, and that no
/// other file is opened, whatever the image says.
fn described(format: &str, image: &str) -> String {
    let name = image.chars().fold(String::new(), |mut text, c| {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if u32::from(c) < 0x20 => text += &format!("\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
        text
    });
    format!(
        r#"json:{{"driver":"{format}","backing":null,"read-only":true,"file":{{"driver":"file","filename":"{name}"}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        assert_eq!(
            described("vhdx", "/a \"b\"\\\n.vhdx"),
            r#"json:{"driver":"vhdx","backing":null,"read-only":true,"file":{"driver":"file","filename":"/a \"b\"\\\u000a.vhdx"}}"#
        );
    }
}
