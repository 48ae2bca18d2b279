//! The directory of a ZIP archive, which has the last word on what is in it.
//!
//! Programs read ZIP archives in two ways: by the directory at the end, or from header to header. An archive that is not the same in both is
//! not read.
//!
//! Source: PKWARE APPNOTE 6.3.10.

use std::cell::RefCell;
use std::collections::BTreeSet;

use imsprep_ondisk::format::zip::{
    DEFLATE_RATIO_MAX, EndOfDirectory, FLAG_PATCHED, MemberData, Method, NOT_SPLIT, SPLIT, Zip64Locator,
};
use imsprep_source::{Error, ReadAt, ReadAtExt, Result, SparseMap};
use rawzip::{ErrorKind, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ZipArchive, ZipFileHeaderRecord, ZipLocator};

use super::descriptor;
use crate::Fact;
use crate::archive::{Entry, Listing};

/// Entries that are read; an archive with a disk has a handful.
const ENTRIES_MAX: usize = 4096;
/// Bytes of a directory that are read.
const DIRECTORY_MAX: u64 = 32 << 20;
/// Bytes at the end of a file in which the end of the directory is looked for: it may be followed by a comment of 64 KiB, or by what does not
/// belong to the archive.
const SEARCH: u64 = 1 << 20;
/// Characters of a name that are shown.
const NAME_MAX: usize = 80;
/// Where Unix keeps the kind of a file in the attributes, and the kinds that are files: none, a pipe, as `zip` has it for its standard input, and a
/// regular file. A link has data as well.
const UNIX_KIND: u32 = 0o170_000;
const UNIX_KINDS_READ: [u32; 3] = [0, 0o010_000, 0o100_000];

/// Why the directory is not read to its end.
enum Stop {
    Source(Error),
    Fact(Box<Fact>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Source(error)
    }
}

impl From<Fact> for Stop {
    fn from(fact: Fact) -> Self {
        Self::Fact(Box::new(fact))
    }
}

fn damaged(what: impl Into<String>) -> Stop {
    Fact::Damaged(what.into()).into()
}

/// The files of the archive.
pub(super) fn list(source: &dyn ReadAt) -> Result<Listing> {
    let mut found = Listing::default();
    let failed = RefCell::new(None);
    let listed = read(&Bytes { source, failed: &failed }, &mut found);
    // The reader of ZIP archives goes on after some reads that fail, as if the bytes were others.
    if let Some(error) = failed.into_inner() {
        return Err(error);
    }
    match listed {
        Ok(()) => {}
        Err(Stop::Source(error)) => return Err(error),
        Err(Stop::Fact(fact)) => {
            found.has_more |= matches!(*fact, Fact::NotLookedAt(_));
            found.facts.push(*fact);
        }
    }
    Ok(found)
}

/// Where a member is, from its header to the end of its data.
struct Place {
    start: u64,
    end: u64,
    name: String,
}

fn read<'a>(bytes: &'a Bytes<'a>, found: &mut Listing) -> Result<(), Stop> {
    let source = bytes.source;
    let archive = open(bytes)?;
    let directory = archive.directory_offset();
    check_ends(source, &archive)?;
    let length = archive.eocd_offset().saturating_sub(directory);
    if length > DIRECTORY_MAX {
        let what = format!("its members: the directory of {length} bytes is larger than the limit");
        return Err(Stop::from(Fact::NotLookedAt(what)));
    }
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let mut header = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let mut entries = archive.entries(&mut buffer);
    let (mut places, mut names, mut count) = (Vec::new(), BTreeSet::new(), 0_u64);
    let (mut files, mut encrypted) = (0, 0);
    while let Some(entry) = entries.next_entry().map_err(|error| stop(error, "the directory", directory))? {
        if count == ENTRIES_MAX as u64 {
            let what = format!("members after the first {ENTRIES_MAX}");
            return Err(Stop::from(Fact::NotLookedAt(what)));
        }
        count += 1;
        let name = entry.file_path().as_bytes().to_vec();
        let shown = shown(&name);
        let end = check_member(source, &archive, &entry, &mut header)?;
        places.push(Place { start: entry.local_header_offset(), end: end.1, name: shown.clone() });
        if !names.insert(name.clone()) {
            return Err(damaged(format!("there are two members of the name {shown:?}")));
        }
        let flags = entry.flags();
        let is_encrypted = flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked();
        let kind = entry.external_attributes() >> 16 & UNIX_KIND;
        if !name.ends_with(b"/") && UNIX_KINDS_READ.contains(&kind) {
            (files, encrypted) = (files + 1, encrypted + u32::from(is_encrypted));
            found.entries.push(file(&entry, name, end.0, is_encrypted));
        }
    }
    if count != archive.entries_hint() {
        let listed = archive.entries_hint();
        return Err(damaged(format!("its directory has {count} members, and its end says {listed}")));
    }
    if encrypted == files && files > 0 {
        found.facts.push(Fact::Encrypted("ZIP"));
    }
    check_places(source, places, directory)
}

/// Bytes of a source, for the reader of ZIP archives.
struct Bytes<'a> {
    source: &'a dyn ReadAt,
    /// The first read that failed.
    failed: &'a RefCell<Option<Error>>,
}

impl rawzip::ReaderAt for &Bytes<'_> {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<usize> {
        let there = self.source.size().saturating_sub(offset).min(buf.len() as u64);
        let part = buf.get_mut(..usize::try_from(there).unwrap_or(0)).unwrap_or_default();
        if !part.is_empty()
            && let Err(error) = self.source.read_at(part, offset)
        {
            self.failed.borrow_mut().get_or_insert(error);
            return Err(std::io::ErrorKind::Other.into());
        }
        Ok(part.len())
    }
}

fn open<'a>(bytes: &'a Bytes<'a>) -> Result<ZipArchive<&'a Bytes<'a>>, Stop> {
    let source = bytes.source;
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let locator = ZipLocator::new().max_search_space(SEARCH);
    match locator.locate_in_reader(bytes, &mut buffer, source.size()) {
        Ok(archive) => Ok(archive),
        Err((_, error)) if matches!(error.kind(), ErrorKind::MissingEndOfCentralDirectory) => {
            let is_split = source.size() >= 4 && source.read_array::<4>(0)? == SPLIT;
            Err(Stop::from(if is_split {
                Fact::ExternalDataFile(None)
            } else {
                Fact::OutsideFile(
                    "the directory, which should be at the end of the archive, is missing".into(),
                )
            }))
        }
        Err((_, error)) => {
            let offset = error.eocd_offset().unwrap_or(source.size());
            Err(stop(error, "the end of the directory", offset))
        }
    }
}

/// What the reader of ZIP archives says of something at this offset.
fn stop(error: rawzip::Error, what: &str, offset: u64) -> Stop {
    match error.into_kind() {
        ErrorKind::IO(_) => Stop::from(Fact::OutsideFile(format!(
            "{what}, at offset {offset}, goes beyond the end of the file"
        ))),
        ErrorKind::Eof => Stop::from(Fact::OutsideFile(format!(
            "{what}, at offset {offset}, goes beyond where it should end"
        ))),
        _ => damaged(format!("{what} is none, at offset {offset}")),
    }
}

/// The archive must be all of the file, in one file, and have one end.
fn check_ends(source: &dyn ReadAt, archive: &ZipArchive<&Bytes<'_>>) -> Result<(), Stop> {
    let at = archive.eocd_offset();
    let end = EndOfDirectory::decode(&source.read_array(at)?);
    let locator = match at.checked_sub(Zip64Locator::SIZE as u64) {
        Some(at) => Some(Zip64Locator::decode(&source.read_array(at)?)),
        None => None,
    };
    let locator = locator.filter(|locator| locator.magic == Zip64Locator::MAGIC);
    let is_split = !matches!(end.disk, 0 | u16::MAX)
        || end.members_here != end.members
        || locator.is_some_and(|locator| locator.disks > 1);
    if is_split {
        return Err(Stop::from(Fact::ExternalDataFile(None)));
    }
    let (stop, size) = (archive.end_offset(), source.size());
    if stop > size {
        return Err(Stop::from(Fact::OutsideFile(format!(
            "its comment ends at {stop}, and the file at {size}"
        ))));
    }
    if stop < size {
        let more = size - stop;
        return Err(damaged(format!(
            "{more} bytes that do not belong to the archive follow it, at offset {stop}"
        )));
    }
    // Another place that may be the end is in the comment or before it: programs differ in which one they take.
    let from = size.saturating_sub(u64::from(u16::MAX) + EndOfDirectory::SIZE as u64);
    let mut tail = vec![0; usize::try_from(size - from).unwrap_or(0)];
    source.read_at(&mut tail, from)?;
    let ends = tail.windows(EndOfDirectory::SIZE).enumerate().filter(|(index, bytes)| {
        let end = bytes.first_chunk().map(EndOfDirectory::decode);
        end.is_some_and(|end| {
            end.magic == EndOfDirectory::MAGIC
                && index + EndOfDirectory::SIZE + usize::from(end.comment_length) == tail.len()
        })
    });
    if ends.count() > 1 {
        return Err(damaged("it has two ends of a directory, of which programs read one or the other"));
    }
    Ok(())
}

/// Compares the entry with the header of the member. Returns where its data begins, and where the member ends.
fn check_member(
    source: &dyn ReadAt,
    archive: &ZipArchive<&Bytes<'_>>,
    entry: &ZipFileHeaderRecord<'_>,
    buffer: &mut [u8],
) -> Result<(u64, u64), Stop> {
    let at = entry.local_header_offset();
    let name = shown(entry.file_path().as_bytes());
    let what = format!("the header of {name:?}");
    let member = archive.get_entry(entry.wayfinder()).map_err(|error| stop(error, &what, at))?;
    let header = member.local_header(buffer).map_err(|error| stop(error, &what, at))?;
    let (start, end) = member.compressed_data_range();
    if end > archive.directory_offset() {
        let directory = archive.directory_offset();
        return Err(Stop::from(Fact::OutsideFile(format!(
            "the data of {name:?} ends at {end}, and the directory begins at {directory}"
        ))));
    }
    let differs =
        |field: &str| damaged(format!("the directory and {what}, at offset {at}, differ in its {field}"));
    let (crc, packed, size) = (entry.crc32(), entry.compressed_size_hint(), entry.uncompressed_size_hint());
    if header.file_path().as_bytes() != entry.file_path().as_bytes() {
        return Err(differs("name"));
    }
    if header.compression_method() != entry.compression_method() {
        return Err(differs("compression method"));
    }
    if header.flags().is_encrypted() != entry.flags().is_encrypted() {
        return Err(differs("encryption"));
    }
    let own = (header.crc32(), header.compressed_size_hint(), header.uncompressed_size_hint());
    if own == (crc, packed, size) {
        // A descriptor that is there all the same belongs to the member.
        return Ok((start, end));
    }
    if !header.flags().has_data_descriptor() {
        return Err(differs(if own.0 == crc { "size" } else { "CRC-32" }));
    }
    // Not known when the header was written.
    let is_open = |own: u64, value: u64| own == 0 || own == u64::from(u32::MAX) || own == value;
    if !(is_open(own.1, packed) && is_open(own.2, size) && is_open(own.0.into(), crc.into())) {
        return Err(differs("size or CRC-32"));
    }
    match descriptor::length_of(source, end, (crc, packed, size))? {
        Some(length) => Ok((start, end + length)),
        None => Err(damaged(format!(
            "the directory and what follows the data of {name:?}, at offset {end}, differ"
        ))),
    }
}

/// The member as a file.
fn file(entry: &ZipFileHeaderRecord<'_>, name: Vec<u8>, start: u64, is_encrypted: bool) -> Entry {
    let (packed, size) = (entry.compressed_size_hint(), entry.uncompressed_size_hint());
    let (method, crc) = (entry.compression_method(), entry.crc32());
    let data = match Method::of(method.as_u16()) {
        _ if is_encrypted => Err("it is encrypted".into()),
        _ if entry.flags().bits() & FLAG_PATCHED != 0 => Err("it is a patch of another file".into()),
        None => {
            let name = method.name().map(|name| format!(" ({name})")).unwrap_or_default();
            Err(format!("its compression method {}{name} is not supported", method.as_u16()))
        }
        Some(Method::Stored) if packed != size => Err("it is stored as it is, and has two sizes".into()),
        Some(Method::Deflate) if size / DEFLATE_RATIO_MAX > packed => {
            Err(format!("its size of {size} bytes is more than deflate makes of {packed} bytes"))
        }
        Some(method) => SparseMap::plain(start, packed)
            .filter(|_| size <= i64::MAX as u64)
            .map(|map| (map, MemberData { method, size, crc }))
            .ok_or_else(|| "its size is larger than the largest offset".into()),
    };
    let zip = data.as_ref().ok().map(|(_, zip)| *zip);
    Entry { name, size, data: data.map(|(map, _)| map), zip }
}

/// Members must not lie on each other, and the archive begins with one.
fn check_places(source: &dyn ReadAt, mut places: Vec<Place>, directory: u64) -> Result<(), Stop> {
    places.sort_by_key(|place| place.start);
    let begin = places.first().map_or(directory, |place| place.start);
    let marker = source.size() >= 4 && [NOT_SPLIT, SPLIT].contains(&source.read_array::<4>(0)?);
    if begin > 0 && !(begin == 4 && marker) {
        return Err(damaged(format!(
            "{begin} bytes that do not belong to the archive precede it, such as those of a program that unpacks it"
        )));
    }
    for (place, next) in places.iter().zip(places.iter().skip(1)) {
        if place.end > next.start {
            let (name, end, other, start) = (&place.name, place.end, &next.name, next.start);
            return Err(damaged(format!("{name:?} ends at {end}, and {other:?} begins at {start}")));
        }
    }
    Ok(())
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name.get(..NAME_MAX).unwrap_or(name)).into_owned()
}
