//! NTFS.
//!
//! By our own code, on the structures that `inspect` reads as well. The crate ntfs (0.4.0) brings some twenty others, four of them
//! in a second version, and reads through one cursor.

mod index;
mod stream;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use imsprep_ondisk::volume::ntfs::{
    Attribute, BootRecord, Geometry, NAME_SPACE_DOS, RECORD_DIRECTORY, RECORD_FLAGS_OFFSET, RECORD_IN_USE,
    RECORD_LOG, RECORD_ROOT, RECORD_TABLE, RECORDS_RESERVED, RecordHeader, ReparsePoint, RestartArea,
};
use imsprep_ondisk::volume::ntfs_record::{attribute, restore};

use crate::cached::Cached;
use crate::fat::is_same_name;
use crate::volume::check_name;
use crate::{Apart, DirEntry, Error, FileKind, FileSystem, LINK_MAX, Metadata, Node, Result};
use stream::Stream;

/// Bytes of a page of the log. There are two restart pages at its start.
const LOG_PAGE: usize = 4096;
/// Most bytes of the value of a reparse point.
const REPARSE_MAX: usize = 16 << 10;

/// An NTFS volume. The number of a node is that of its record in the master file table.
pub(crate) struct NtfsVolume<'a> {
    disk: Cached<'a>,
    pub(crate) geometry: Geometry,
    /// The master file table.
    pub(crate) table: Stream,
    /// The content of the last file that was read.
    last: RefCell<Option<(u64, Rc<Stream>)>>,
}

/// A record of the master file table that is in use.
pub(crate) struct Record {
    number: u64,
    pub(crate) bytes: Vec<u8>,
    is_directory: bool,
}

impl<'a> NtfsVolume<'a> {
    /// Opens a volume that has the magic.
    pub(crate) fn open(disk: Cached<'a>) -> Result<Self> {
        let no_sense = || Error::corrupt("its boot record makes no sense");
        let geometry = BootRecord::decode(&disk.array(0)?).geometry().ok_or_else(no_sense)?;
        let mut volume = Self { disk, geometry, table: Stream::default(), last: RefCell::default() };
        // The first records of the table are in its first run, by which the rest of it is found.
        let mut bytes = vec![0; usize::try_from(geometry.record_size).unwrap_or_default()];
        volume.disk.read(geometry.mft, &mut bytes)?;
        let bytes = restore(bytes, RecordHeader::FILE)
            .ok_or_else(|| Error::corrupt("it has no master file table"))?;
        let first = attribute(&bytes, Attribute::DATA, &[]).ok_or_else(no_sense)?;
        volume.table = Stream::of_part(first, geometry.cluster)?;
        let record = Record { number: RECORD_TABLE, bytes, is_directory: false };
        volume.table = volume.stream(&record, Attribute::DATA, &[])?.ok_or_else(no_sense)?;
        volume.check_log()?;
        Ok(volume)
    }

    /// Whether all that was changed is in its place: nothing here replays a log.
    fn check_log(&self) -> Result<()> {
        let pages = self.restart_pages()?;
        let areas = pages.iter().filter_map(|page| match page {
            RestartPage::Area(area) => Some(area),
            _ => None,
        });
        let is_clean = match areas.max_by_key(|area| area.sequence) {
            Some(area) => area.is_clean(),
            None => pages == [RestartPage::Emptied; 2],
        };
        if is_clean {
            return Ok(());
        }
        Err(Error::refused("its log is not empty, as Windows was not shut down, or only for a fast start"))
    }

    /// Both restart pages of the log, which say where it begins, if it is in use.
    pub(crate) fn restart_pages(&self) -> Result<[RestartPage; 2]> {
        let log = self.record(RECORD_LOG)?;
        let log = self.stream(&log, Attribute::DATA, &[])?;
        let log = log.ok_or_else(|| Error::corrupt("it has no log"))?;
        let page = |at: usize| {
            let mut bytes = vec![0; LOG_PAGE];
            let is_whole = self.read_stream(&log, at as u64, &mut bytes)? == LOG_PAGE;
            Ok::<_, Error>(RestartPage::of(bytes).filter(|_| is_whole).unwrap_or(RestartPage::Unknown))
        };
        Ok([page(0)?, page(LOG_PAGE)?])
    }

    pub(crate) fn record(&self, number: u64) -> Result<Record> {
        self.any_record(number).and_then(|bytes| {
            let flags = bytes.get(RECORD_FLAGS_OFFSET..).and_then(|rest| rest.first_chunk());
            let flags = flags.map_or(0, |flags| u16::from_le_bytes(*flags));
            if flags & RECORD_IN_USE == 0 {
                return Err(Error::corrupt(format!(
                    "record {number} has a name, and says that it is deleted"
                )));
            }
            Ok(Record { number, bytes, is_directory: flags & RECORD_DIRECTORY != 0 })
        })
    }

    fn any_record(&self, number: u64) -> Result<Vec<u8>> {
        self.record_in(&self.table, number)
    }

    /// A record of the master file table, or of the copy of its start.
    pub(crate) fn record_in(&self, table: &Stream, number: u64) -> Result<Vec<u8>> {
        let size = self.geometry.record_size;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        let at = number.checked_mul(size).ok_or_else(|| Error::corrupt("a record has no place"))?;
        let read = self.read_stream(table, at, &mut bytes)?;
        let record = Some(bytes).filter(|bytes| read == bytes.len());
        let record = record.and_then(|bytes| restore(bytes, RecordHeader::FILE));
        record.ok_or_else(|| Error::corrupt(format!("there is no record {number}")))
    }

    /// Before work that reads nothing from the disk.
    pub(crate) fn spend_steps(&self, count: u64) -> Result<()> {
        self.disk.access().spend_steps(count)
    }

    /// What a record says that it is, and where it leads if that is elsewhere.
    fn reparse(&self, record: &Record) -> Result<Option<(ReparsePoint, Vec<u8>)>> {
        let Some(stream) = self.stream(record, Attribute::REPARSE_POINT, &[])? else { return Ok(None) };
        let mut bytes = vec![0; usize::try_from(stream.size).unwrap_or(usize::MAX).min(REPARSE_MAX)];
        let read = self.read_stream(&stream, 0, &mut bytes)?;
        bytes.truncate(read);
        // One that is no link may be shorter.
        bytes.resize(bytes.len().max(ReparsePoint::SIZE), 0);
        let point = bytes.first_chunk().map(ReparsePoint::decode);
        Ok(point.map(|point| (point, bytes)))
    }

    fn kind(&self, record: &Record) -> Result<FileKind> {
        let tag = self.reparse(record)?.map(|(point, _)| point.tag);
        Ok(match tag {
            Some(ReparsePoint::LINK | ReparsePoint::JUNCTION) => FileKind::Link,
            _ if record.is_directory => FileKind::Directory,
            _ => FileKind::File,
        })
    }

    /// The content of a file.
    fn content(&self, file: Node) -> Result<Rc<Stream>> {
        if let Some((last, stream)) = &*self.last.borrow()
            && *last == file.number
        {
            return Ok(Rc::clone(stream));
        }
        let record = self.record(file.number)?;
        let kind = self.kind(&record)?;
        if kind != FileKind::File {
            return Err(kind.is_not("a file"));
        }
        if let Some((point, _)) = self.reparse(&record)? {
            return Err(Error::refused(format!(
                "its content is elsewhere, or compressed by Windows (reparse tag {:#x})",
                point.tag
            )));
        }
        let stream = self.stream(&record, Attribute::DATA, &[])?.unwrap_or_default();
        if stream.flags & Attribute::ENCRYPTED != 0 {
            return Err(Error::refused("is encrypted"));
        }
        if stream.flags & Attribute::COMPRESSED != 0 {
            return Err(Error::refused("is compressed, which is not supported"));
        }
        let stream = Rc::new(stream);
        *self.last.borrow_mut() = Some((file.number, Rc::clone(&stream)));
        Ok(stream)
    }
}

/// What one of the two restart pages of the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestartPage {
    /// It is full of ones, as what makes or repairs a volume leaves it: the log is empty.
    Emptied,
    /// How the log is in use.
    Area(RestartArea),
    /// It was not written as a whole, or is something else.
    Unknown,
}

impl RestartPage {
    fn of(page: Vec<u8>) -> Option<Self> {
        if page.iter().all(|byte| *byte == 0xff) {
            return Some(Self::Emptied);
        }
        let page = restore(page, RecordHeader::RESTART)?;
        let header = RecordHeader::decode(page.first_chunk()?);
        page.get(usize::from(header.restart)..)?
            .first_chunk()
            .map(|area| Self::Area(RestartArea::decode(area)))
    }
}

fn node(number: u64) -> Node {
    Node { tree: 0, number }
}

/// UTF-16 as text.
fn text(bytes: &[u8]) -> String {
    let units = bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

impl FileSystem for NtfsVolume<'_> {
    fn name(&self) -> &'static str {
        "ntfs"
    }

    fn root(&self) -> Node {
        node(RECORD_ROOT)
    }

    fn metadata(&self, node: Node) -> Result<Metadata> {
        let record = self.record(node.number)?;
        let kind = self.kind(&record)?;
        let (size, mode) = match kind {
            FileKind::Directory => (0, 0o755),
            FileKind::Link => (0, 0o777),
            _ => (self.stream(&record, Attribute::DATA, &[])?.unwrap_or_default().size, 0o644),
        };
        Ok(Metadata { kind, size, mode, uid: 0, gid: 0 })
    }

    fn lookup(&self, directory: Node, name: &[u8]) -> Result<Option<Node>> {
        let Ok(name) = str::from_utf8(name) else { return Ok(None) };
        let (mut exact, mut other) = (None, None);
        self.each_name(directory, &mut |record, _, there| {
            if there == name {
                exact = Some(node(record));
                return ControlFlow::Break(());
            }
            if other.is_none() && is_same_name(there, name) {
                other = Some(node(record));
            }
            ControlFlow::Continue(())
        })?;
        Ok(exact.or(other))
    }

    fn entries(&self, directory: Node, each: &mut dyn FnMut(DirEntry) -> ControlFlow<()>) -> Result<()> {
        let mut checked = Ok(());
        self.each_name(directory, &mut |record, space, name| {
            // The root directory lists itself and the file system's own files.
            if space == NAME_SPACE_DOS || record < RECORDS_RESERVED {
                return ControlFlow::Continue(());
            }
            checked = check_name(name.as_bytes());
            if checked.is_err() {
                return ControlFlow::Break(());
            }
            each(DirEntry { name: name.as_bytes().to_vec(), node: node(record), kind: None })
        })?;
        checked
    }

    fn read_at(&self, file: Node, offset: u64, buf: &mut [u8]) -> Result<usize> {
        self.read_stream(&*self.content(file)?, offset, buf)
    }

    fn apart(&self, _: Node) -> Option<Apart<'_>> {
        let fresh = self.disk.fresh();
        Some(Apart::new(move || Ok(Rc::new(NtfsVolume::open(fresh.cached())?))))
    }

    fn link(&self, link: Node) -> Result<Vec<u8>> {
        let record = self.record(link.number)?;
        let kind = self.kind(&record)?;
        let point = self.reparse(&record)?.filter(|_| kind == FileKind::Link);
        let Some((point, bytes)) = point else { return Err(kind.is_not("a symbolic link")) };
        if point.tag != ReparsePoint::LINK || point.flags & ReparsePoint::RELATIVE == 0 {
            return Err(Error::refused("leads to a drive, of which it is not known which volume it is"));
        }
        let start = ReparsePoint::SIZE + usize::from(point.target_offset);
        let target = bytes.get(start..).and_then(|rest| rest.get(..point.target_length.into()));
        let target = target.ok_or_else(|| Error::corrupt("the link's target is not there"))?;
        let target = text(target).replace('\\', "/").into_bytes();
        if target.len() > LINK_MAX {
            return Err(Error::corrupt(format!("the link's target has {} bytes", target.len())));
        }
        Ok(target)
    }
}
