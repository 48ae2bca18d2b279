//! The disk, as the readers of other crates want it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::cached::Cached;
use crate::{Error, Result};

/// Most bytes that a reader asks for in one call, beside those of a file that are asked of it. It bounds what it keeps of a
/// directory or a list of extents, which a hostile volume can make as long as it likes.
const ASKED_MAX: u64 = 24 << 20;

/// A disk that remembers why it failed, since the readers only tell that it did.
#[derive(Clone)]
pub(crate) struct Below<'a> {
    disk: Cached<'a>,
    state: Rc<State>,
}

#[derive(Default)]
struct State {
    failed: RefCell<Option<Error>>,
    /// Bytes that the reader may still ask for.
    left: Cell<u64>,
}

/// That reading failed. Why is kept by [`Below`].
#[derive(Debug)]
pub(crate) struct Failed;

impl<'a> Below<'a> {
    pub(crate) fn new(disk: Cached<'a>) -> Self {
        Self { disk, state: Rc::default() }
    }

    pub(crate) fn disk(&self) -> &Cached<'a> {
        &self.disk
    }

    /// Lets a reader do something that takes no more than its share, and `bytes` of content.
    pub(crate) fn call<T, E>(
        &self,
        bytes: u64,
        call: impl FnOnce() -> Result<T, E>,
        translate: impl FnOnce(E) -> Error,
    ) -> Result<T> {
        self.disk.access().spend_steps(1)?;
        self.state.left.set(ASKED_MAX.saturating_add(bytes));
        self.state.failed.replace(None);
        let result = call();
        // A reader may go on after a failure, as if there was nothing: the first one counts.
        match (self.state.failed.take(), result) {
            (Some(failed), _) => Err(failed),
            (None, result) => result.map_err(translate),
        }
    }

    fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), Failed> {
        let length = buf.len() as u64;
        let read = match self.state.left.get().checked_sub(length) {
            Some(left) => {
                self.state.left.set(left);
                self.disk.read(offset, buf)
            }
            None => Err(Error::limit(format!(
                "takes more than {ASKED_MAX} bytes of the file system's own structures"
            ))),
        };
        read.map_err(|error| {
            self.state.failed.borrow_mut().get_or_insert(error);
            Failed
        })
    }
}

impl lamxfs::BlockRead for Below<'_> {
    type Error = Failed;

    fn read_at(&mut self, offset_bytes: u64, buf: &mut [u8]) -> Result<(), Failed> {
        self.read(offset_bytes, buf)
    }
}

impl lambutter::BlockRead for Below<'_> {
    type Error = Failed;

    fn read_at(&mut self, offset_bytes: u64, buf: &mut [u8]) -> Result<(), Failed> {
        self.read(offset_bytes, buf)
    }
}
