//! The initramfs of an entry, read by a thread of its own while the other facts are collected.

use std::io;
use std::panic::resume_unwind;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use imsprep_filesystem::{ErrorKind, FileApart};

use crate::files::Archive;
use crate::initramfs::ArchiveFile;
use crate::linux::boot::BootFile;
use crate::linux::loader_files::LoaderFiles;
use crate::{Answer, Initramfs, NotKnown, Origin, Sourced, read_initramfs, text};

/// What an initramfs holds; `None` if the entry has none.
type Outcome = Answer<Option<Sourced<Initramfs>>>;

/// An initramfs that is being read, or was.
pub(super) struct Reading<'scope> {
    thread: Option<ScopedJoinHandle<'scope, Finished>>,
    finished: Finished,
}

struct Finished {
    outcome: Outcome,
    cancelled: bool,
}

impl<'scope> Reading<'scope> {
    /// Begins to read the initramfs of an entry, all parts together, on another thread. If that can't be had, or a file system is
    /// not read on several threads, it is read before this returns.
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        loader: &'scope LoaderFiles<'_, '_>,
        named: &[BootFile],
    ) -> Self {
        let opened = match Opened::find(loader, named) {
            Ok(Some(opened)) => opened,
            other => return other.map(|_| None).into(),
        };
        if let Some(apart) = opened.apart()
            && let Ok(thread) = Builder::new().name("initramfs".into()).spawn_scoped(scope, || apart.read())
        {
            return Self { thread: Some(thread), finished: Finished { outcome: Ok(None), cancelled: false } };
        }
        Self { thread: None, finished: opened.read() }
    }

    /// Reads the initramfs of an entry on this thread.
    pub(super) fn here(loader: &LoaderFiles<'_, '_>, named: &[BootFile]) -> Self {
        match Opened::find(loader, named) {
            Ok(Some(opened)) => Self { thread: None, finished: opened.read() },
            other => other.map(|_| None).into(),
        }
    }

    /// What it holds. Waits for the other thread.
    pub(super) fn wait(&mut self) -> &Outcome {
        if let Some(thread) = self.thread.take() {
            self.finished = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        &self.finished.outcome
    }

    /// The same as a value. `loader` learns whether the work was interrupted.
    pub(super) fn finish(mut self, loader: &LoaderFiles<'_, '_>) -> Outcome {
        self.wait();
        if self.finished.cancelled {
            loader.note_cancelled();
        }
        self.finished.outcome
    }
}

impl From<Outcome> for Reading<'_> {
    fn from(outcome: Outcome) -> Self {
        Self { thread: None, finished: Finished { outcome, cancelled: false } }
    }
}

/// The open files of an initramfs.
struct Opened<'t> {
    parts: Vec<Part<'t>>,
    /// That of the last one, which is the main one; those before it are microcode.
    origin: Origin,
}

impl<'t> Opened<'t> {
    /// Opens the files; `None` if there are none.
    fn find(loader: &'t LoaderFiles<'_, '_>, named: &[BootFile]) -> Answer<Option<Self>> {
        let mut parts = Vec::new();
        for file in named {
            let missing = || NotKnown::at(file.origin.clone(), "the initramfs is not there");
            let found = loader.find(&file.path)?.ok_or_else(missing)?;
            let opened = found.files.open(&found.path)?.ok_or_else(missing)?;
            let (start, length) = file.section.unwrap_or((0, opened.size()));
            parts.push(Part { file: Archive::new(opened), start, length });
        }
        Ok(named.last().map(|main| Self { parts, origin: main.origin.clone() }))
    }

    /// The same files for another thread, if all of them can be read there.
    fn apart(&self) -> Option<Apart<'t>> {
        let part = |part: &Part<'t>| Some((part.file.file.apart()?, part.start, part.length));
        let parts = self.parts.iter().map(part).collect::<Option<_>>()?;
        Some(Apart { parts, origin: self.origin.clone() })
    }

    fn read(self) -> Finished {
        let joined = Joined(&self.parts);
        let found = read_initramfs(&joined);
        let cancelled = self.parts.iter().any(|part| part.file.is_cancelled());
        Finished { outcome: Ok(Some(Sourced::new(found, self.origin))), cancelled }
    }
}

/// The files of an initramfs on their way to another thread.
struct Apart<'t> {
    parts: Vec<(FileApart<'t>, u64, u64)>,
    origin: Origin,
}

impl Apart<'_> {
    fn read(self) -> Finished {
        let mut parts = Vec::new();
        for (file, start, length) in self.parts {
            match file.open() {
                Ok(file) => parts.push(Part { file: Archive::new(file), start, length }),
                Err(error) => {
                    let outcome = Err(NotKnown::at(self.origin, text::value(error.reason())));
                    return Finished { outcome, cancelled: error.kind() == ErrorKind::Cancelled };
                }
            }
        }
        Opened { parts, origin: self.origin }.read()
    }
}

/// A section of a file as a file.
struct Part<'t> {
    file: Archive<'t>,
    start: u64,
    length: u64,
}

impl ArchiveFile for Part<'_> {
    fn size(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = left.min(buf.len());
        self.file.read_at(buf.get_mut(..wanted).unwrap_or_default(), self.start.saturating_add(offset))
    }
}

/// Several archives as one, as a loader puts them together.
struct Joined<'p>(&'p [Part<'p>]);

impl ArchiveFile for Joined<'_> {
    fn size(&self) -> u64 {
        // Loaders align each part to 4 bytes.
        self.0.iter().map(|part| part.length.next_multiple_of(4)).fold(0, u64::saturating_add)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut before = 0_u64;
        for part in self.0 {
            let room = part.length.next_multiple_of(4);
            if offset >= before && offset < before.saturating_add(room) {
                let within = offset - before;
                let count = if within < part.length { part.read_at(buf, within)? } else { 0 };
                if count > 0 {
                    return Ok(count);
                }
                let padding = usize::try_from(room - within).unwrap_or(0).min(buf.len()).min(4);
                buf.iter_mut().take(padding).for_each(|byte| *byte = 0);
                return Ok(padding);
            }
            before = before.saturating_add(room);
        }
        Ok(0)
    }
}
