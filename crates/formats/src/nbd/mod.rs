//! The network block protocol: formats that only qemu reads, through its server on a local socket; exports of other servers; and a disk as
//! an export.

mod address;
mod clients;
mod connection;
mod export;
mod patient;
mod protocol;
mod server;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use imsprep_source::{Cancel, DiskReader, Error, Extent, ImageFile, ReadAt, Result};

pub use address::{AddressError, NbdAddress};
use connection::{Connection, Limits};
pub use export::Export;
use patient::{Patient, is_cancelled};
use server::Served;
pub use server::{NbdServer, ServeError};

/// Reads the disk in an image that a child process, `qemu-nbd`, serves, with as many requests at once as there are
/// connections; or an export of a server that runs already, by one connection.
pub struct Nbd {
    path: PathBuf,
    size: u64,
    limits: Limits,
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
    /// What the server reported last of what holds data.
    known_status: Mutex<Vec<(Extent, bool)>>,
    /// The child, if it is one. Dropped last: connections that are closed first leave the server in peace.
    server: Option<Served>,
}

impl NbdServer {
    /// As [`Nbd::open`], with this program and these limits.
    ///
    /// # Errors
    ///
    /// [`ServeError`].
    pub fn open(
        &self,
        image: &ImageFile,
        format: &str,
        connections: usize,
        cancel: &Cancel,
    ) -> Result<Nbd, ServeError> {
        Nbd::open_with(self, image, None, format, connections, cancel)
    }
}

/// Bytes of the disk that one question on allocation is about at most.
const QUESTION_MAX: u64 = 1 << 30;

impl Nbd {
    /// Starts a server for the image, of the format that qemu calls `format`, and connects to it `connections` times. It opens
    /// the file that is held, read-only, as this format, and no other file that the image names. Where the system can't give a
    /// child an open file, it opens the name, which is then compared with the file that is held.
    ///
    /// # Errors
    ///
    /// [`ServeError`].
    pub fn open(
        image: &ImageFile,
        format: &str,
        connections: usize,
        cancel: &Cancel,
    ) -> Result<Self, ServeError> {
        NbdServer::default().open(image, format, connections, cancel)
    }

    /// The same of an image that is a part of the file: a member of an archive. `None` if the program can't open that, as it has no size in
    /// whole sectors of 512 bytes.
    ///
    /// # Errors
    ///
    /// [`ServeError`].
    pub fn open_part(
        file: &ImageFile,
        part: Extent,
        format: &str,
        connections: usize,
        cancel: &Cancel,
    ) -> Result<Option<Self>, ServeError> {
        if !part.end.saturating_sub(part.start).is_multiple_of(512) {
            return Ok(None);
        }
        Self::open_with(&NbdServer::default(), file, Some(part), format, connections, cancel).map(Some)
    }

    fn open_with(
        program: &NbdServer,
        image: &ImageFile,
        part: Option<Extent>,
        format: &str,
        connections: usize,
        cancel: &Cancel,
    ) -> Result<Self, ServeError> {
        let path = image.path();
        let (server, first) = Served::start(program, image, part, format, connections.max(1), cancel)?;
        let mut idle = vec![first];
        for _ in 1..connections {
            idle.push(server.connect(program.reply, cancel)?);
        }
        idle.iter_mut().for_each(|connection| connection.set_patience(program.reply));
        let (size, limits) = idle.first().map_or((0, Limits::NONE), |first| (first.size(), first.limits()));
        let (idle, known_status) = (Mutex::new(idle), Mutex::default());
        let server = Some(server);
        Ok(Self { path: path.to_owned(), size, limits, idle, returned: Condvar::new(), known_status, server })
    }

    /// Connects to the server of an export, which has `patience` for each answer. Nothing but the address decides what is connected to.
    ///
    /// # Errors
    ///
    /// What the system or the server reports; [`ErrorKind::Unsupported`](io::ErrorKind::Unsupported) if the server wants TLS; an error that
    /// [`is_stop`](Self::is_stop) at a stop.
    pub fn connect(address: &NbdAddress, patience: Duration, cancel: &Cancel) -> io::Result<Self> {
        let stream = Patient::connect(&address.server, patience, cancel)?;
        let connection = Connection::open(stream, &address.export)?;
        let path = PathBuf::from(address.to_string());
        let (size, limits) = (connection.size(), connection.limits());
        // A second one may have to wait until the first one is gone: servers of one client only are common.
        let (idle, known_status) = (Mutex::new(vec![connection]), Mutex::default());
        Ok(Self { path, size, limits, idle, returned: Condvar::new(), known_status, server: None })
    }

    /// Whether an error of [`connect`](Self::connect) is a stop.
    pub fn is_stop(error: &io::Error) -> bool {
        is_cancelled(error)
    }

    /// Runs `work` with a connection of its own.
    fn with<T>(&self, offset: u64, work: impl FnOnce(&mut Connection) -> io::Result<T>) -> Result<T> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = loop {
            match idle.pop() {
                Some(connection) => break connection,
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(idle);
        // One that failed in the middle of an answer goes back, too: it refuses all that comes.
        let result = work(&mut connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.returned.notify_one();
        result.map_err(|source| {
            if is_cancelled(&source) {
                return Error::Cancelled;
            }
            // A server that is gone has said why.
            let server = self.server.as_ref().filter(|_| source.kind() != io::ErrorKind::Other);
            let ended = server.and_then(Served::last_words);
            let source = ended.map_or(source, |said| {
                io::Error::new(io::ErrorKind::BrokenPipe, format!("qemu-nbd ended: {said}"))
            });
            Error::Read { path: self.path.clone(), offset, source }
        })
    }
}

impl Nbd {
    /// Reads with one request, of more than is wanted if the server reads only whole units.
    fn read_piece(&self, piece: &mut [u8], at: u64) -> Result<()> {
        let end = at.saturating_add(piece.len() as u64);
        let (from, to) = self.limits.around(at, end, self.size);
        if (from, to) == (at, end) {
            return self.with(at, |connection| connection.read(at, piece));
        }
        let mut units = vec![0; usize::try_from(to - from).unwrap_or(usize::MAX)];
        self.with(from, |connection| connection.read(from, &mut units))?;
        let skipped = usize::try_from(at - from).unwrap_or(usize::MAX);
        if let Some(wanted) = units.get(skipped..).and_then(|units| units.get(..piece.len())) {
            piece.copy_from_slice(wanted);
        }
        Ok(())
    }
}

impl ReadAt for Nbd {
    fn path(&self) -> &Path {
        &self.path
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.size) {
            return Err(Error::UnexpectedEnd { path: self.path.clone(), offset: self.size });
        }
        let mut at = offset;
        let mut rest = buf;
        while !rest.is_empty() {
            // Up to a place where a request may begin, so that the following ones need no more than they ask for.
            let reach = (at - at % self.limits.least).saturating_add(self.limits.most);
            let length = usize::try_from(reach - at).unwrap_or(usize::MAX).min(rest.len());
            let (piece, after) = rest.split_at_mut(length);
            self.read_piece(piece, at)?;
            at += length as u64;
            rest = after;
        }
        Ok(())
    }
}

impl DiskReader for Nbd {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let mut known_status = self.known_status.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = offset;
        while at < self.size {
            let known =
                known_status.iter().find(|(extent, _)| (extent.start..extent.end).contains(&at)).copied();
            match known {
                Some((extent, true)) => return Ok(Some(Extent { start: at, end: extent.end })),
                Some((extent, false)) => at = extent.end,
                None => {
                    let end = at + (self.size - at).min(QUESTION_MAX);
                    let (start, end) = self.limits.around(at, end, self.size);
                    let mut found = self.with(at, |connection| {
                        if connection.has_status() {
                            connection.status(start, end - start)
                        } else {
                            Ok(vec![])
                        }
                    })?;
                    if found.last().is_none_or(|(last, _)| last.end <= at) {
                        // Nothing is known to be zero.
                        found = vec![(Extent { start, end }, true)];
                    }
                    *known_status = found;
                }
            }
        }
        Ok(None)
    }
}
