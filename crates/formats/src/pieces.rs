//! Disks that lie in a file piece by piece: what the formats have in common.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use imsprep_source::{DiskReader, Error, Extent, ReadAt, Result};

use crate::Slice;
use crate::cache::Cache;
use crate::unpack::{Method, Unpacker};

/// Where neighbouring bytes of the disk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// Nowhere: they read as zeros.
    Zeros,
    /// In the file, from this offset on.
    Stored(u64),
    /// In the file, compressed.
    Packed(Packed),
}

/// A compressed cluster or grain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Where its first byte belongs on the disk.
    pub(crate) start: u64,
    /// Where it is in the file.
    pub(crate) offset: u64,
    /// Bytes in the file, where the tables tell.
    pub(crate) length: u64,
}

/// Neighbouring bytes of the disk that are in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) place: Mapping,
    /// At least 1; it may reach beyond the end of the disk.
    pub(crate) length: u64,
}

/// How a format lays a disk out in a file.
pub(crate) trait DiskMap: Sync {
    /// What one walk over the disk keeps between two questions.
    type Held: Default;

    /// Size of the disk in bytes.
    fn disk_size(&self) -> u64;

    /// The piece that begins at this offset of the disk, which is within it.
    fn piece_at(&self, at: u64, held: &mut Self::Held) -> Result<Piece>;

    /// The same, as far as tables tell that are at hand without a look at each block: what is called stored may turn out
    /// to be zeros.
    fn allocated_at(&self, at: u64, held: &mut Self::Held) -> Result<Piece> {
        self.piece_at(at, held)
    }

    /// Reads the compressed bytes of a cluster or grain.
    fn read_packed(&self, file: &Slice<'_>, packed: Packed, bytes: &mut Vec<u8>) -> Result<()>;
}

/// Expanded clusters that are kept for small reads one after the other.
const KEPT: usize = 8;
/// Data that one answer on allocation describes at most, so that none takes long.
const TOLD: u64 = 1 << 30;

/// Reads a disk by its layout, from several threads at once.
pub(crate) struct Pieces<'a, L> {
    file: Slice<'a>,
    layout: L,
    packing: Option<Packing>,
}

/// How clusters are compressed, and what that takes.
struct Packing {
    method: Method,
    /// Bytes of a cluster or grain.
    unit: usize,
    recent: Cache<Vec<u8>>,
    idle: Mutex<Vec<Tool>>,
}

/// What a thread needs to expand a cluster; made when more threads read at once than ever before.
struct Tool {
    unpacker: Unpacker,
    packed: Vec<u8>,
}

impl<'a, L: DiskMap> Pieces<'a, L> {
    pub(crate) fn new(file: Slice<'a>, layout: L, packing: Option<(Method, usize)>) -> Self {
        let packing = packing.map(|(method, unit)| Packing {
            method,
            unit,
            recent: Cache::new(KEPT),
            idle: Mutex::default(),
        });
        Self { file, layout, packing }
    }

    pub(crate) fn layout(&self) -> &L {
        &self.layout
    }

    /// Whether the compressed cluster at this offset of the disk can be expanded.
    pub(crate) fn expands(&self, at: u64) -> Result<bool> {
        match self.read_at(&mut [0], at) {
            Ok(()) => Ok(true),
            Err(Error::Damaged { .. } | Error::UnexpectedEnd { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn end_of_disk(&self) -> Error {
        Error::UnexpectedEnd { path: self.path().to_owned(), offset: self.size() }
    }

    /// Fills `buf` from `within` bytes into the cluster on.
    fn read_packed(&self, packed: Packed, within: u64, buf: &mut [u8]) -> Result<()> {
        let Some(packing) = &self.packing else {
            return Err(self.file.damaged(
                packed.start,
                packed.offset,
                "compressed, which is impossible in this file",
            ));
        };
        let whole = within == 0 && buf.len() == packing.unit;
        if whole {
            return self.expand(packing, packed, buf);
        }
        let unit = packing.recent.get(packed.start / packing.unit as u64, || {
            let mut unit = vec![0; packing.unit];
            self.expand(packing, packed, &mut unit)?;
            Ok(unit)
        })?;
        let there = usize::try_from(within).ok().and_then(|within| unit.get(within..)?.get(..buf.len()));
        buf.copy_from_slice(there.ok_or_else(|| self.end_of_disk())?);
        Ok(())
    }

    /// Expands a whole cluster. Some files hold no more of the last one than the disk has.
    fn expand(&self, packing: &Packing, packed: Packed, unit: &mut [u8]) -> Result<()> {
        let damaged = |what: String| self.file.damaged(packed.start, packed.offset, what);
        let idle = || packing.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut tool = match kept {
            Some(tool) => tool,
            None => Tool {
                unpacker: Unpacker::new(packing.method)
                    .ok_or_else(|| damaged("not enough memory to decompress it".into()))?,
                packed: Vec::new(),
            },
        };
        let result = self.layout.read_packed(&self.file, packed, &mut tool.packed).and_then(|()| {
            let wanted = (self.size() - packed.start).min(unit.len() as u64);
            match tool.unpacker.expand(&tool.packed, unit) {
                Ok(filled) if filled as u64 >= wanted => {
                    unit.get_mut(filled..).unwrap_or_default().fill(0);
                    Ok(())
                }
                Ok(filled) => Err(damaged(format!("it decompresses to {filled} bytes, not {}", unit.len()))),
                Err(what) => Err(damaged(format!("it cannot be decompressed: {what}"))),
            }
        });
        idle().push(tool);
        result
    }

    /// Reads what lies together in the file.
    fn read_stored(&self, at: u64, offset: u64, buf: &mut [u8]) -> Result<()> {
        if !self.file.holds(offset, buf.len() as u64) {
            let what = format!(
                "it would end at {}, beyond the end of the file",
                offset.saturating_add(buf.len() as u64)
            );
            return Err(self.file.damaged(at, offset, what));
        }
        self.file.read_at(buf, offset)
    }
}

/// Neighbouring bytes that are read at once.
struct Run {
    /// In the buffer.
    start: usize,
    length: usize,
    /// In the file.
    offset: u64,
}

impl<L: DiskMap> ReadAt for Pieces<'_, L> {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn size(&self) -> u64 {
        self.layout.disk_size()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let end = offset.checked_add(buf.len() as u64).filter(|end| *end <= self.size());
        end.ok_or_else(|| self.end_of_disk())?;
        let mut held = L::Held::default();
        let mut run: Option<Run> = None;
        let mut done = 0;
        let flush = |run: Option<Run>, buf: &mut [u8]| match run {
            Some(Run { start, length, offset: from }) => {
                let part = buf.get_mut(start..).and_then(|tail| tail.get_mut(..length)).unwrap_or_default();
                self.read_stored(offset + start as u64, from, part)
            }
            None => Ok(()),
        };
        while done < buf.len() {
            let at = offset + done as u64;
            let piece = self.layout.piece_at(at, &mut held)?;
            let left = buf.len() - done;
            let length = usize::try_from(piece.length).unwrap_or(left).clamp(1, left);
            match (piece.place, &mut run) {
                (Mapping::Stored(from), Some(run)) if run.offset + run.length as u64 == from => {
                    run.length += length
                }
                (Mapping::Stored(from), _) => {
                    flush(run.take(), buf)?;
                    run = Some(Run { start: done, length, offset: from });
                }
                (place, _) => {
                    flush(run.take(), buf)?;
                    let part =
                        buf.get_mut(done..).and_then(|tail| tail.get_mut(..length)).unwrap_or_default();
                    match place {
                        Mapping::Packed(packed) => self.read_packed(packed, at - packed.start, part)?,
                        _ => part.fill(0),
                    }
                }
            }
            done += length;
        }
        flush(run, buf)
    }
}

impl<L: DiskMap> DiskReader for Pieces<'_, L> {
    fn data_from(&self, offset: u64) -> Result<Option<Extent>> {
        let mut held = L::Held::default();
        let (mut at, mut start) = (offset, None);
        while at < self.size() {
            let piece = self.layout.allocated_at(at, &mut held)?;
            match (piece.place, start) {
                (Mapping::Zeros, None) => {}
                (Mapping::Zeros, Some(_)) => break,
                (_, None) => start = Some(at),
                (_, Some(start)) if at - start >= TOLD => break,
                (_, Some(_)) => {}
            }
            at = at.saturating_add(piece.length.max(1)).min(self.size());
        }
        Ok(start.map(|start| Extent { start, end: at }))
    }

    fn announce(&self, offset: u64, length: u64) {
        if offset >= self.size() {
            return;
        }
        let mut held = L::Held::default();
        let (mut at, end) = (offset, offset.saturating_add(length).min(self.size()));
        let mut run: Option<(u64, u64)> = None;
        while at < end {
            // Where a table can't be read, the read itself will say so.
            let Ok(piece) = self.layout.allocated_at(at, &mut held) else { return };
            let length = piece.length.clamp(1, end - at);
            let found = match piece.place {
                Mapping::Zeros => None,
                Mapping::Stored(from) => Some((from, length)),
                Mapping::Packed(packed) => Some((packed.offset, packed.length)),
            };
            if let Some((from, length)) = found {
                run = Some(match run {
                    // Compressed clusters lie close together, not always side by side.
                    Some((first, last)) if (last..last + GAP).contains(&from) => (first, from + length),
                    Some((first, last)) => {
                        self.file.announce(first, last - first);
                        (from, from.saturating_add(length))
                    }
                    None => (from, from.saturating_add(length)),
                });
            }
            at += length;
        }
        if let Some((first, last)) = run {
            self.file.announce(first, last.saturating_sub(first));
        }
    }
}

/// What lies between two pieces that are announced as one.
const GAP: u64 = 64 << 10;
