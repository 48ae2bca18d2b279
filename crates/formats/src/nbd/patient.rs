//! A connection that is waited for, but not for ever.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use imsprep_source::{Cancel, Error, LocalStream};

use super::address::Server;

/// How often a wait looks for a stop.
const TURN: Duration = Duration::from_millis(50);

/// What carries the bytes.
enum Transport {
    Local(LocalStream),
    Tcp(TcpStream),
}

impl Transport {
    /// Connects to a server, on one of the addresses that its name has.
    fn to(server: &Server, patience: Duration) -> io::Result<Self> {
        let (host, port) = match server {
            Server::Local(path) => return LocalStream::connect(path).map(Self::Local),
            Server::Tcp(host, port) => (host.as_str(), *port),
        };
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "this host has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, patience.max(TURN)) {
                Ok(stream) => {
                    // Requests are short, and each is waited for.
                    stream.set_nodelay(true)?;
                    return Ok(Self::Tcp(stream));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn set_timeout(&self, timeout: Duration) -> io::Result<()> {
        match self {
            Self::Local(stream) => stream.set_timeout(timeout),
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))
            }
        }
    }
}

/// A connection of which each answer must come within a time. A stop is seen while waiting.
pub(super) struct Patient {
    stream: Transport,
    patience: Duration,
    deadline: Instant,
    cancel: Cancel,
}

impl Patient {
    /// Connects to the server. One that takes no connection leaves the caller waiting, and so may the search for a host, so this is done
    /// aside.
    pub(super) fn connect(server: &Server, patience: Duration, cancel: &Cancel) -> io::Result<Self> {
        let deadline = Instant::now() + patience;
        let (sender, receiver) = channel();
        let server = server.clone();
        // It ends when the server does: a child is killed on any error.
        std::thread::Builder::new()
            .name("connect".into())
            .spawn(move || sender.send(Transport::to(&server, patience)))?;
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
    fn repeat<T>(&mut self, mut work: impl FnMut(&mut Transport) -> io::Result<T>) -> io::Result<T> {
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
        let what = format!("the NBD server did not answer within {seconds} seconds");
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
        // A server that sends a byte at a time, without end, is not waited for.
        if self.cancel.is_cancelled() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, Error::Cancelled));
        }
        let length = self.repeat(|stream| match stream {
            Transport::Local(stream) => stream.read(buf),
            Transport::Tcp(stream) => stream.read(buf),
        })?;
        if length == 0 && !buf.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the NBD server closed the connection"));
        }
        Ok(length)
    }
}

impl Write for Patient {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.repeat(|stream| match stream {
            Transport::Local(stream) => stream.write(buf),
            Transport::Tcp(stream) => stream.write(buf),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.repeat(|stream| match stream {
            Transport::Local(stream) => stream.flush(),
            Transport::Tcp(stream) => stream.flush(),
        })
    }
}
