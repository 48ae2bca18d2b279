//! The server: a child of ours, for one image and as long as we read it.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use imsprep_source::{Cancel, Extent, ImageFile, Leftover, ReadAt, end_with_parent};

use super::address::Server;
use super::connection::Connection;
use super::patient::{Patient, is_cancelled};

/// The program that serves, and how long it is waited for.
#[derive(Clone, Debug)]
pub struct NbdServer {
    /// Its name, or where it is.
    pub program: PathBuf,
    /// How long it may take to come up and to greet: before that it reads the image's tables.
    pub start: Duration,
    /// How long it may take for one answer: to 4 MiB of the disk, or to what a GiB of it holds.
    pub reply: Duration,
}

impl Default for NbdServer {
    fn default() -> Self {
        let limit = Duration::from_secs(60);
        Self { program: "qemu-nbd".into(), start: limit, reply: limit }
    }
}

/// How long a server that has closed its connection may take to end, and to say why.
const FAREWELL: Duration = Duration::from_secs(5);
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
    #[error("{}: this format is read by qemu-nbd, which is not installed", path.display())]
    Absent {
        /// The image.
        path: PathBuf,
    },
    /// The image's name cannot be passed to the program.
    #[error("{}: qemu-nbd accepts only names in UTF-8; rename the file", path.display())]
    Name {
        /// The image.
        path: PathBuf,
    },
    /// The program does not take the image.
    #[error("{}: qemu-nbd refuses it: {said}", path.display())]
    Refused {
        /// The image.
        path: PathBuf,
        /// What it said.
        said: String,
    },
    /// The program does not answer in time.
    #[error("{}: qemu-nbd did not answer within {seconds} seconds and was ended{}", path.display(), shown(said))]
    Slow {
        /// The image.
        path: PathBuf,
        /// How long it was waited for.
        seconds: f32,
        /// What it has written on its standard error.
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
    #[error("{}: cannot communicate with qemu-nbd", path.display())]
    Protocol {
        /// The image.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A stop was requested.
    #[error("interrupted")]
    Cancelled,
}

/// To follow on an error: what the program has written, if anything.
fn shown(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; its output was: {said}") }
}

/// A running server. Dropped, it is gone, and so is its socket. Should this process be killed, the server ends by itself, as it
/// does when its last client is gone.
pub(super) struct Served {
    path: PathBuf,
    /// The name by which the program opens the image.
    name: String,
    child: Mutex<Child>,
    /// A folder that only this user may enter, with the socket in it, and what the program says.
    folder: tempfile::TempDir,
    /// Gone after the folder.
    _leftover: Leftover,
}

impl Served {
    /// Starts it, and waits for its first connection to be past its handshake: it listens before it opens the image, so that
    /// only its greeting shows that it has the image open.
    pub(super) fn start(
        program: &NbdServer,
        image: &ImageFile,
        part: Option<Extent>,
        format: &str,
        connections: usize,
        cancel: &Cancel,
    ) -> Result<(Self, Connection), ServeError> {
        let path = image.path();
        let run_error = |source| ServeError::Run { path: path.to_owned(), source };
        let mut command = Command::new(&program.program);
        command.stdin(Stdio::null());
        let held = image.give_to(&mut command).map_err(run_error)?;
        let name = held.map_or_else(|| path.canonicalize(), |held| Ok(held.to_owned())).map_err(run_error)?;
        let name = name.to_str().ok_or_else(|| ServeError::Name { path: path.to_owned() })?;
        let changed = |error| run_error(io::Error::other(error));
        let leftover = Leftover::new();
        let folder = tempfile::Builder::new().prefix("imsprep-").tempdir().map_err(run_error)?;
        let errors = File::create(folder.path().join(ERRORS)).map_err(run_error)?;
        command.arg("--read-only").arg("--shared").arg(connections.to_string());
        command.arg("-k").arg(folder.path().join(SOCKET)).arg(described(format, name, part));
        command.stdout(Stdio::null()).stderr(errors);
        end_with_parent(&mut command);
        let child = command.spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ServeError::Absent { path: path.to_owned() },
            _ => run_error(source),
        })?;
        let served = Self {
            path: path.to_owned(),
            name: name.to_owned(),
            child: Mutex::new(child),
            folder,
            _leftover: leftover,
        };
        let begun = Instant::now();
        loop {
            let left = program.start.saturating_sub(begun.elapsed());
            match Patient::connect(&served.socket(), left, cancel) {
                Ok(stream) => {
                    let first =
                        Connection::open(stream, "").map_err(|error| served.failed(error, program.start))?;
                    if held.is_none() {
                        image.verify_unchanged().map_err(changed)?;
                    }
                    return Ok((served, first));
                }
                Err(waits)
                    if waits.kind() == io::ErrorKind::NotFound
                        || waits.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(served.failed(error, program.start)),
            }
            if cancel.is_cancelled() {
                return Err(ServeError::Cancelled);
            }
            if let Some(said) = served.ended(Duration::ZERO) {
                return Err(ServeError::Refused { path: served.path.clone(), said });
            }
            if left.is_zero() {
                return Err(served.slow(program.start));
            }
            std::thread::sleep(TURN);
        }
    }

    /// One more connection to it, past its handshake.
    pub(super) fn connect(&self, patience: Duration, cancel: &Cancel) -> Result<Connection, ServeError> {
        let stream = Patient::connect(&self.socket(), patience, cancel);
        stream.and_then(|stream| Connection::open(stream, "")).map_err(|error| self.failed(error, patience))
    }

    /// Why a connection failed: a server that is gone has said it better.
    fn failed(&self, error: io::Error, patience: Duration) -> ServeError {
        let path = self.path.clone();
        match error.kind() {
            _ if is_cancelled(&error) => ServeError::Cancelled,
            io::ErrorKind::TimedOut => self.slow(patience),
            _ => match self.ended(FAREWELL) {
                Some(said) => ServeError::Refused { path, said },
                None => ServeError::Protocol { path, source: error },
            },
        }
    }

    fn slow(&self, patience: Duration) -> ServeError {
        ServeError::Slow { path: self.path.clone(), seconds: patience.as_secs_f32(), said: self.said() }
    }

    /// What the server said before it ended, if it has, or does within a moment.
    pub(super) fn last_words(&self) -> Option<String> {
        self.ended(FAREWELL)
    }

    /// What the server said, if it ends within this time.
    fn ended(&self, patience: Duration) -> Option<String> {
        let begun = Instant::now();
        loop {
            let ended = self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait();
            match ended {
                Ok(None) if begun.elapsed() < patience => std::thread::sleep(TURN),
                Ok(None) | Err(_) => return None,
                Ok(Some(status)) => {
                    let said = self.said();
                    return Some(if said.is_empty() {
                        format!("it printed no message ({status})")
                    } else {
                        said
                    });
                }
            }
        }
    }

    /// What the child wrote on its standard error.
    fn said(&self) -> String {
        let mut said = Vec::new();
        if let Ok(errors) = File::open(self.folder.path().join(ERRORS)) {
            let _ = errors.take(SAID_MAX).read_to_end(&mut said);
        }
        // It speaks of the image by the name that it was given.
        let said = String::from_utf8_lossy(&said).replace(&self.name, &self.path.display().to_string());
        let said = said.trim().trim_start_matches("qemu-nbd: ");
        said.replace('\n', "; ")
    }

    pub(super) fn socket(&self) -> Server {
        Server::Local(self.folder.path().join(SOCKET))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may be gone already: it goes with its last connection.
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The image as qemu takes it, with nothing left to its guess: its format, that the name is one of a file, where in that it lies, and
/// that no other file is opened, whatever the image says.
fn described(format: &str, image: &str, part: Option<Extent>) -> String {
    let name = image.chars().fold(String::new(), |mut text, c| {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if u32::from(c) < 0x20 => text += &format!("\\u{:04x}", u32::from(c)),
            c => text.push(c),
        }
        text
    });
    let file = format!(r#"{{"driver":"file","filename":"{name}"}}"#);
    let file = match part {
        Some(Extent { start, end }) => {
            let size = end.saturating_sub(start);
            format!(r#"{{"driver":"raw","offset":{start},"size":{size},"file":{file}}}"#)
        }
        None => file,
    };
    format!(r#"json:{{"driver":"{format}","backing":null,"read-only":true,"file":{file}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_file_of_its_own() {
        assert_eq!(
            described("vdi", "/a.ova", Some(Extent { start: 1536, end: 2048 })),
            r#"json:{"driver":"vdi","backing":null,"read-only":true,"file":{"driver":"raw","offset":1536,"size":512,"file":{"driver":"file","filename":"/a.ova"}}}"#
        );
    }

    #[test]
    fn a_name_stays_a_name() {
        assert_eq!(
            described("vhdx", "/a \"b\"\\\n.vhdx", None),
            r#"json:{"driver":"vhdx","backing":null,"read-only":true,"file":{"driver":"file","filename":"/a \"b\"\\\u000a.vhdx"}}"#
        );
    }
}
