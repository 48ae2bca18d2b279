//! A connection that is waited for, but not for ever.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use imsprep_source::{Cancel, Error, LocalStream};

/// How often a wait looks for a stop.
const TURN: Duration = Duration::from_millis(50);

/// A connection of which each answer must come within a time. A stop is seen while waiting.
pub(super) struct Patient {
    stream: LocalStream,
    patience: Duration,
    deadline: Instant,
    cancel: Cancel,
}

impl Patient {
    /// Connects to the socket at `path`. A server that takes no connection leaves the caller waiting, so this is done aside.
    pub(super) fn connect(path: &Path, patience: Duration, cancel: &Cancel) -> io::Result<Self> {
        let deadline = Instant::now() + patience;
        let (sender, receiver) = channel();
        let socket = path.to_owned();
        // It ends when the server does, which is killed on any error.
        std::thread::Builder::new()
            .name("connect".into())
            .spawn(move || sender.send(LocalStream::connect(&socket)))?;
        let stream = loop {
            match receiver.recv_timeout(TURN) {
                Ok(stream) => break stream?,
                Err(RecvTimeoutError::Timeout) => look(deadline, patience, cancel)?,
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        };
        stream.set_timeout(TURN)?;
        Ok(Self { stream, patience, deadline, cancel: cancel.clone() })
    }

    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The time for the next answer begins.
    pub(super) fn begin(&mut self) {
        self.deadline = Instant::now() + self.patience;
    }

    /// Repeats what timed out, until it was done or the time is over.
    fn repeat<T>(&mut self, mut work: impl FnMut(&mut LocalStream) -> io::Result<T>) -> io::Result<T> {
        loop {
            match work(&mut self.stream) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    look(self.deadline, self.patience, &self.cancel)?;
                }
                result => return result,
            }
        }
    }
}

/// Whether to wait on. The kinds of the errors are not those that readers of the standard library repeat by themselves.
fn look(deadline: Instant, patience: Duration, cancel: &Cancel) -> io::Result<()> {
    if cancel.is_cancelled() {
        return Err(io::Error::new(io::ErrorKind::ConnectionAborted, Error::Cancelled));
    }
    if Instant::now() >= deadline {
        let seconds = patience.as_secs_f32();
        let what = format!("qemu-nbd did not answer within {seconds} seconds");
        return Err(io::Error::new(io::ErrorKind::TimedOut, what));
    }
    Ok(())
}

/// Whether the wait ended by a stop.
pub(super) fn is_cancelled(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
        .is_some_and(|error| matches!(error, Error::Cancelled))
}

impl Read for Patient {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.repeat(|stream| stream.read(buf))
    }
}

impl Write for Patient {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.repeat(|stream| stream.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.repeat(LocalStream::flush)
    }
}
