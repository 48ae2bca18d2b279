//! Talking to a program on this machine.

use std::io::{self, Read, Write};
use std::path::Path;

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
    }
}
