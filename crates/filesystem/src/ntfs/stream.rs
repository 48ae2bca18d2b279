//! The values of attributes, wherever they are.

use imsprep_ondisk::volume::ntfs::{Attribute, ListEntry, NonResident};
use imsprep_ondisk::volume::ntfs_record::{attribute, attributes, name, runs, value};

use super::{NtfsVolume, Record};
use crate::{Error, Result};

/// Most bytes of a list of attributes, which Windows bounds so, too.
const LIST_MAX: u64 = 256 << 10;
/// Most runs of one value.
const RUNS_MAX: usize = 1 << 20;

/// The value of an attribute.
#[derive(Default)]
pub(crate) struct Stream {
    /// Bytes of it.
    pub(crate) size: u64,
    /// The attribute's flags.
    pub(crate) flags: u16,
    /// Bytes that were written; what follows reads as zeros.
    initialized: u64,
    /// The value itself, where it is in the record.
    inside: Option<Vec<u8>>,
    /// Where it is elsewhere.
    parts: Vec<Part>,
    /// Clusters in these.
    clusters: u64,
    cluster: u64,
}

/// Neighbouring clusters.
struct Part {
    /// The first one on the volume; `None` for a hole.
    start: Option<u64>,
    /// Clusters of the value before it.
    before: u64,
}

impl Stream {
    /// By the attribute that has its start.
    pub(super) fn of_part(attribute: &[u8], cluster: u64) -> Result<Self> {
        let header = attribute.first_chunk().map(Attribute::decode).ok_or_else(broken)?;
        let mut stream = Self { flags: header.flags, cluster, ..Self::default() };
        if header.non_resident == 0 {
            let value = value(attribute).ok_or_else(broken)?.to_vec();
            (stream.size, stream.initialized) = (value.len() as u64, value.len() as u64);
            stream.inside = Some(value);
            return Ok(stream);
        }
        let place = attribute.first_chunk().map(NonResident::decode).ok_or_else(broken)?;
        (stream.size, stream.initialized) = (place.size, place.initialized);
        stream.add(attribute)?;
        Ok(stream)
    }

    /// The places of its clusters: the first one, how many there are.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let ends = self.parts.iter().skip(1).map(|part| part.before).chain([self.clusters]);
        self.parts.iter().zip(ends).map(|(part, end)| (part.start, end - part.before))
    }

    /// Whether some of it is on no cluster, and reads as zeros.
    pub(crate) fn has_holes(&self) -> bool {
        self.parts.iter().any(|part| part.start.is_none())
    }

    /// Whether the end of it was never written, and reads as zeros.
    pub(crate) fn ends_unwritten(&self) -> bool {
        self.initialized < self.size
    }

    /// Adds the clusters of the next part of it.
    fn add(&mut self, attribute: &[u8]) -> Result<()> {
        let place = attribute.first_chunk().map(NonResident::decode).ok_or_else(broken)?;
        // An empty value has the number before the first one for its last.
        let count = place.last.wrapping_sub(place.first).wrapping_add(1);
        if place.first != self.clusters || self.inside.is_some() {
            return Err(Error::corrupt("the parts of a value do not follow each other"));
        }
        for run in runs(attribute, RUNS_MAX - self.parts.len().min(RUNS_MAX)) {
            self.parts.push(Part { start: run.first, before: self.clusters });
            self.clusters = self.clusters.checked_add(run.count).ok_or_else(broken)?;
        }
        if self.clusters - place.first != count {
            return Err(Error::corrupt("the list of a value's clusters is cut off, or too long"));
        }
        Ok(())
    }
}

fn broken() -> Error {
    Error::corrupt("an attribute makes no sense")
}

impl NtfsVolume<'_> {
    /// The value of an attribute, by kind and name in UTF-16, with all of its parts; `None` if there is none.
    pub(crate) fn stream(&self, record: &Record, kind: u32, its_name: &[u8]) -> Result<Option<Stream>> {
        let cluster = self.geometry.cluster;
        let Some(list) = attribute(&record.bytes, Attribute::LIST, &[]) else {
            let found = attribute(&record.bytes, kind, its_name);
            return found.map(|found| Stream::of_part(found, cluster)).transpose();
        };
        let list = Stream::of_part(list, cluster)?;
        if list.size > LIST_MAX {
            return Err(Error::limit(format!("has a list of attributes of {} bytes", list.size)));
        }
        let mut bytes = vec![0; usize::try_from(list.size).unwrap_or_default()];
        let read = self.read_stream(&list, 0, &mut bytes)?;
        bytes.truncate(read);
        let mut stream: Option<Stream> = None;
        let mut rest = bytes.as_slice();
        while let Some(head) = rest.first_chunk() {
            let entry = ListEntry::decode(head);
            let name_at = usize::from(entry.name_offset);
            let there = rest.get(name_at..).and_then(|rest| rest.get(..2 * usize::from(entry.name_length)));
            let is_wanted = entry.kind == kind && there == Some(its_name);
            if is_wanted {
                let other;
                let bytes = if entry.record == record.number {
                    &record.bytes
                } else {
                    other = self.any_record(entry.record)?;
                    &other
                };
                let part = part(bytes, kind, its_name, entry.first).ok_or_else(broken)?;
                match &mut stream {
                    Some(stream) => stream.add(part)?,
                    None if entry.first == 0 => stream = Some(Stream::of_part(part, cluster)?),
                    None => return Err(broken()),
                }
            }
            let length = usize::from(entry.length);
            if length < ListEntry::SIZE {
                break;
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        Ok(stream)
    }

    /// Reads bytes of a value; fewer only at its end.
    pub(crate) fn read_stream(&self, stream: &Stream, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let there = usize::try_from(stream.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = there.min(buf.len());
        let buf = buf.get_mut(..length).unwrap_or_default();
        if let Some(inside) = &stream.inside {
            let from = usize::try_from(offset).ok().and_then(|at| inside.get(at..)).unwrap_or_default();
            buf.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            return Ok(length);
        }
        let (mut rest, mut at) = (buf, offset);
        while !rest.is_empty() {
            if at >= stream.initialized {
                rest.fill(0);
                break;
            }
            let until = stream.initialized - at;
            let number = at / stream.cluster;
            let next = stream.parts.partition_point(|part| part.before <= number);
            let part = next.checked_sub(1).and_then(|index| stream.parts.get(index));
            let end = stream.parts.get(next).map_or(stream.clusters, |part| part.before);
            let Some(part) = part.filter(|_| number < end) else {
                return Err(Error::corrupt("a value is longer than its clusters"));
            };
            let skip = at - part.before * stream.cluster;
            let left = (end * stream.cluster - at).min(until);
            let (piece, after) =
                rest.split_at_mut(rest.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
            match part.start {
                None => piece.fill(0),
                Some(start) => {
                    let start = start.checked_mul(stream.cluster).and_then(|start| start.checked_add(skip));
                    self.disk.read(start.ok_or_else(broken)?, piece)?;
                }
            }
            at += piece.len() as u64;
            rest = after;
        }
        Ok(length)
    }
}

/// The part of a value that begins with this cluster of it.
fn part<'r>(record: &'r [u8], kind: u32, its_name: &[u8], first: u64) -> Option<&'r [u8]> {
    attributes(record).find(|attribute| {
        let Some(header) = attribute.first_chunk().map(Attribute::decode) else { return false };
        let its_first = match header.non_resident {
            0 => Some(0),
            _ => attribute.first_chunk().map(|head| NonResident::decode(head).first),
        };
        header.kind == kind && name(attribute) == Some(its_name) && its_first == Some(first)
    })
}
