//! The disk below a reader: cached in large blocks, and only as far as the limits allow.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use imsprep_source::ReadAt;

use crate::{Access, Error, Result};

/// Bytes of a block. Readers ask for 256 bytes to 16 KiB at a time, often for the same ones again.
const BLOCK: usize = 64 << 10;
/// Most blocks that are kept: 8 MiB.
const BLOCKS_MAX: usize = 128;
/// Requests of more than these many bytes are for content of a file, which is not read twice; no structure is longer.
const KEPT_REQUEST_MAX: usize = 128 << 10;
/// Bytes of a request for one step.
const STEP: u64 = 512;

/// A volume's bytes. All that a reader reads goes through here, so that here all of it is bounded.
#[derive(Clone)]
pub(crate) struct Cached<'a> {
    source: &'a dyn ReadAt,
    access: Access,
    blocks: Rc<RefCell<Blocks>>,
}

/// A volume below a reader, without what its thread has read of it.
pub(crate) struct Fresh<'a> {
    pub(crate) source: &'a dyn ReadAt,
    pub(crate) access: Access,
}

impl<'a> Fresh<'a> {
    pub(crate) fn cached(&self) -> Cached<'a> {
        Cached::new(self.source, &self.access)
    }
}

#[derive(Default)]
struct Blocks {
    kept: HashMap<u64, Block>,
    /// Counts the uses.
    clock: u64,
}

struct Block {
    bytes: Rc<[u8]>,
    used: u64,
}

impl<'a> Cached<'a> {
    pub(crate) fn new(source: &'a dyn ReadAt, access: &Access) -> Self {
        Self { source, access: access.clone(), blocks: Rc::default() }
    }

    pub(crate) fn size(&self) -> u64 {
        self.source.size()
    }

    /// The same volume for another thread.
    pub(crate) fn fresh(&self) -> Fresh<'a> {
        Fresh { source: self.source, access: self.access.clone() }
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    /// `N` bytes from `offset` on.
    pub(crate) fn array<const N: usize>(&self, offset: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Fills `buf` with the bytes from `offset` on, all of which have to be there.
    pub(crate) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let length = buf.len() as u64;
        self.access.spend_steps(1 + length / STEP)?;
        self.check(offset, length)?;
        if buf.len() > KEPT_REQUEST_MAX {
            self.access.spend_bytes(length)?;
            return Ok(self.source.read_at(buf, offset)?);
        }
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            let number = at / BLOCK as u64;
            let block = self.block(number)?;
            let skip = usize::try_from(at - number * BLOCK as u64).unwrap_or_default();
            let there = block.get(skip..).unwrap_or_default();
            let (part, after) = rest.split_at_mut(there.len().min(rest.len()));
            if part.is_empty() {
                break;
            }
            part.copy_from_slice(there.get(..part.len()).unwrap_or_default());
            at += part.len() as u64;
            rest = after;
        }
        Ok(())
    }

    /// The same for structures that are read once: no more is read than they take, and nothing is kept.
    pub(crate) fn read_once(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let length = buf.len() as u64;
        self.access.spend_steps(1 + length / STEP)?;
        self.check(offset, length)?;
        self.access.spend_bytes(length)?;
        Ok(self.source.read_at(buf, offset)?)
    }

    /// Whether these bytes are there.
    fn check(&self, offset: u64, length: u64) -> Result<()> {
        let is_there = offset.checked_add(length).is_some_and(|end| end <= self.size());
        if !is_there {
            return Err(Error::corrupt(format!(
                "it points to bytes {offset} to {} of a volume of {} bytes",
                offset.saturating_add(length),
                self.size()
            )));
        }
        Ok(())
    }

    fn block(&self, number: u64) -> Result<Rc<[u8]>> {
        let mut blocks = self.blocks.borrow_mut();
        blocks.clock += 1;
        let used = blocks.clock;
        if let Some(block) = blocks.kept.get_mut(&number) {
            block.used = used;
            return Ok(Rc::clone(&block.bytes));
        }
        let start = number * BLOCK as u64;
        let length = (self.size() - start).min(BLOCK as u64);
        self.access.spend_bytes(length)?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(BLOCK)];
        self.source.read_at(&mut bytes, start)?;
        if blocks.kept.len() >= BLOCKS_MAX
            && let Some(oldest) =
                blocks.kept.iter().min_by_key(|(_, block)| block.used).map(|(number, _)| *number)
        {
            blocks.kept.remove(&oldest);
        }
        let bytes: Rc<[u8]> = bytes.into();
        blocks.kept.insert(number, Block { bytes: Rc::clone(&bytes), used });
        Ok(bytes)
    }
}
