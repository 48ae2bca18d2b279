//! The other side of the protocol: a disk as a read-only export.
//!
//! Fixed newstyle negotiation, structured replies, and block status in the context `base:allocation`. No crate is used for it. By their
//! sources, in November 2026: nbd 0.3.1 refuses structured replies and ends the connection of a client that asks for block status;
//! tokio-nbd 0.3.0 has `unimplemented!` for both and needs tokio; nbd-async 0.6.0 serves the kernel's driver only (/dev/nbd0), and
//! nbdkit 0.3.0 makes a plugin for the server of that name.

mod handshake;
mod replies;
#[cfg(test)]
mod tests;
mod transmission;

use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::PoisonError;

use imsprep_source::{DiskReader, Error, Result};

/// A disk that NBD clients read. One value serves any number of connections at once.
///
/// Clients are not trusted: lengths are bounded before anything is allocated by them, offsets are checked against the disk, and
/// a client that breaks the protocol loses its own connection only. Nothing is ever written.
pub struct Export<'a> {
    disk: &'a dyn DiskReader,
    unchanged: &'a (dyn Fn() -> Result<()> + Sync),
    failed: Mutex<Option<Error>>,
}

impl<'a> Export<'a> {
    /// An export of `disk`. `unchanged` is called after each read and before its data is sent: after its first error no more data
    /// is sent to anybody, and [`failure`](Self::failure) returns the error.
    pub fn new(disk: &'a dyn DiskReader, unchanged: &'a (dyn Fn() -> Result<()> + Sync)) -> Self {
        Self { disk, unchanged, failed: Mutex::new(None) }
    }

    /// Serves one client, from the handshake until it leaves.
    ///
    /// # Errors
    ///
    /// If the connection fails, or the client does not speak the protocol: of kind [`io::ErrorKind::InvalidData`].
    pub fn serve(&self, stream: &mut (impl Read + Write)) -> io::Result<()> {
        match handshake::shake_hands(stream, self.disk.size())? {
            Some(agreed) => transmission::answer_requests(self, stream, &agreed),
            None => Ok(()),
        }
    }

    /// Asks whether the image is unchanged, and takes the error that ended the export, if one did.
    pub fn failure(&self) -> Option<Error> {
        self.check();
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether data may still be sent.
    fn check(&self) -> bool {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none() {
            *failed = (self.unchanged)().err();
        }
        failed.is_none()
    }
}

/// What the two sides agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Agreed {
    /// Replies consist of chunks.
    structured: bool,
    /// Questions on allocation may be asked.
    allocation: bool,
}

/// The client sent what the protocol does not have there.
fn broken(what: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the NBD client sends {what}"))
}

fn array<const N: usize>(stream: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn short(stream: &mut impl Read) -> io::Result<u16> {
    array(stream).map(u16::from_be_bytes)
}

fn word(stream: &mut impl Read) -> io::Result<u32> {
    array(stream).map(u32::from_be_bytes)
}

fn long(stream: &mut impl Read) -> io::Result<u64> {
    array(stream).map(u64::from_be_bytes)
}
