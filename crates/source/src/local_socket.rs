//! Talking to a program on this machine.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use crate::sys;

/// A connection through a socket that has a name in the file system.
#[derive(Debug)]
pub struct LocalStream(sys::LocalStream);

impl LocalStream {
    /// Connects to whoever listens at `path`.
    ///
    /// # Errors
    ///
    /// If nobody does; of kind [`io::ErrorKind::Unsupported`] where the system has no such sockets.
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
