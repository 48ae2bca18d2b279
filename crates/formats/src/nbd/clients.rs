//! The clients of an export, each on a thread of its own.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use imsprep_source::{Cancel, Error, LocalListener, LocalStream, Result};

use super::export::Export;

/// Connections at once. Each may need the memory of the largest read.
const CLIENTS_MAX: usize = 16;
/// How often a wait looks for a stop and asks whether the image is unchanged.
const TURN: Duration = Duration::from_millis(200);

impl Export<'_> {
    /// Serves every client that connects, several at once, until the stop. A connection beyond the sixteenth is closed.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] at the stop; the error of the image if it changes; or if the socket fails.
    pub fn serve_all(&self, listener: &LocalListener, socket: &Path, cancel: &Cancel) -> Result<()> {
        let (ends, clients) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let result = loop {
                if cancel.is_cancelled() {
                    break Err(Error::Cancelled);
                }
                if let Some(error) = self.failure() {
                    break Err(error);
                }
                match listener.accept(TURN) {
                    Ok(None) => {}
                    Ok(Some(stream)) => {
                        if clients.load(Ordering::Relaxed) >= CLIENTS_MAX {
                            continue;
                        }
                        clients.fetch_add(1, Ordering::Relaxed);
                        let serve = || {
                            // A client that breaks off or speaks another protocol is no concern of the others.
                            let _ =
                                Waiting::new(stream, &ends).and_then(|mut stream| self.serve(&mut stream));
                            clients.fetch_sub(1, Ordering::Relaxed);
                        };
                        if let Err(source) =
                            std::thread::Builder::new().name("client".into()).spawn_scoped(scope, serve)
                        {
                            break Err(failed(socket, "start a thread", source));
                        }
                    }
                    Err(source) => break Err(failed(socket, "take a connection", source)),
                }
            };
            ends.store(true, Ordering::Relaxed);
            result
        })
    }
}

fn failed(socket: &Path, what: &'static str, source: io::Error) -> Error {
    Error::Query { path: socket.to_owned(), what, source }
}

/// A connection that waits for its client until all end.
struct Waiting<'a> {
    stream: LocalStream,
    ends: &'a AtomicBool,
}

impl<'a> Waiting<'a> {
    fn new(stream: LocalStream, ends: &'a AtomicBool) -> io::Result<Self> {
        stream.set_timeout(TURN)?;
        Ok(Self { stream, ends })
    }

    fn repeat<T>(&mut self, mut work: impl FnMut(&mut LocalStream) -> io::Result<T>) -> io::Result<T> {
        loop {
            match work(&mut self.stream) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if self.ends.load(Ordering::Relaxed) {
                        return Err(io::ErrorKind::ConnectionAborted.into());
                    }
                }
                result => return result,
            }
        }
    }
}

impl Read for Waiting<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.repeat(|stream| stream.read(buf))
    }
}

impl Write for Waiting<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.repeat(|stream| stream.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.repeat(LocalStream::flush)
    }
}
