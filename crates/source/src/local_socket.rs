//! Talking to a program on this machine.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use crate::{Leftover, sys};

/// A connection through a socket that has a name in the file system.
#[derive(Debug)]
pub struct LocalStream(sys::LocalStream);

impl LocalStream {
    /// Connects to whoever listens at `path`.
    ///
    /// # Errors
    ///
    /// If no process listens on the socket; of kind [`io::ErrorKind::Unsupported`] where the system has no such sockets.
    pub fn connect(path: &Path) -> io::Result<Self> {
        sys::connect_local(path).map(Self)
    }

    /// Bounds the time that one read or write may take; one that takes longer fails, of kind [`io::ErrorKind::WouldBlock`] or
    /// [`io::ErrorKind::TimedOut`], as the system has it.
    ///
    /// # Errors
    ///
    /// If the time is 0, or the system refuses.
    pub fn set_timeout(&self, time: Duration) -> io::Result<()> {
        sys::set_local_timeout(&self.0, time)
    }
}

/// A socket with a name in the file system, to which programs on this machine connect. Dropped, it removes the name, unless it is
/// another file's by then.
#[derive(Debug)]
pub struct LocalListener {
    socket: sys::LocalListener,
    // Dropped last: the process does not end before the name is removed.
    _leftover: Leftover,
}

impl LocalListener {
    /// Makes a socket at `path`. On Linux only its owner, and the administrator, can connect to it.
    ///
    /// # Errors
    ///
    /// Of kind [`io::ErrorKind::AddrInUse`] if anything has that name; of kind [`io::ErrorKind::Unsupported`] where the system has no
    /// such sockets; or as the system refuses.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let leftover = Leftover::new();
        Ok(Self { socket: sys::LocalListener::bind(path)?, _leftover: leftover })
    }

    /// Waits for the next connection, but no longer than `time`.
    ///
    /// # Errors
    ///
    /// As the system fails.
    pub fn accept(&self, time: Duration) -> io::Result<Option<LocalStream>> {
        self.socket.accept(time).map(|stream| stream.map(LocalStream))
    }
}

impl Read for LocalStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for LocalStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_removes_its_own_name_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = LocalListener::bind(&path).unwrap();
        assert!(listener.accept(Duration::from_millis(1)).unwrap().is_none());
        if cfg!(target_os = "linux") {
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
        }
        // Whatever has the name keeps it.
        assert_eq!(LocalListener::bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let mut near = LocalStream::connect(&path).unwrap();
        let mut far = listener.accept(Duration::from_secs(5)).unwrap().unwrap();
        far.write_all(b"x").unwrap();
        near.read_exact(&mut [0]).unwrap();
        drop(listener);
        assert!(!path.exists());

        let listener = LocalListener::bind(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "another").unwrap();
        drop(listener);
        assert_eq!(std::fs::read(&path).unwrap(), b"another");
        assert_eq!(LocalListener::bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(std::fs::read(&path).unwrap(), b"another");
    }

    #[test]
    fn what_one_side_writes_the_other_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        assert!(LocalStream::connect(&path).is_err());
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let mut near = LocalStream::connect(&path).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        near.write_all(b"ask").unwrap();
        near.flush().unwrap();
        let mut bytes = [0; 3];
        far.read_exact(&mut bytes).unwrap();
        far.write_all(&bytes.map(|byte| byte + 1)).unwrap();
        near.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"btl");
        near.set_timeout(Duration::from_millis(10)).unwrap();
        let kind = near.read(&mut bytes).unwrap_err().kind();
        assert!(matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{kind}");
    }
}
