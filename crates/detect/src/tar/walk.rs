//! The walk over a tar archive: which files are in it, and where their bytes are.
//!
//! Read are ustar, what was before it (v7), GNU's form (long names, sparse files, numbers in base 256) and pax. The walk goes
//! forward only, and expands nothing: of a sparse file it returns the map.

use imsprep_ondisk::format::tar::{
    BLOCK, Header, KIND_CONTINUED, KIND_HARD_LINK, KIND_LONG_NAME, KIND_OTHER, KIND_PAX, KIND_PAX_GLOBAL,
    KIND_SPARSE, KIND_SYMBOLIC_LINK,
};
use imsprep_source::{Error, SparseMap};

use super::forward::Forward;
use super::maps::{self, Limits, MapError};
use super::records::{BadRecords, Records};

/// Headers that are read; an OVA has a handful.
const HEADERS_MAX: usize = 4096;
/// Bytes of names, records and maps that are read, of all members together.
const METADATA_MAX: u64 = 32 << 20;
/// Pieces of the maps of sparse files, of all members together.
const PIECES_MAX: usize = 1 << 20;
/// Bytes of metadata that are allocated before they are read.
const STEP: u64 = 1 << 20;

/// A regular file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name as it stands in the archive.
    pub(crate) name: Vec<u8>,
    /// Its bytes, with holes.
    pub(crate) size: u64,
    /// Where its bytes are, or why that is not known.
    pub(crate) data: Result<SparseMap, String>,
}

/// Why the walk ends before the archive.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The source can't be read.
    Source(Error),
    /// The archive contradicts itself: where, and how.
    Damaged { offset: u64, what: String },
    /// The archive goes on beyond the end of the file.
    Cut(String),
    /// There is more than is read, or something that is not read: what, in words.
    Unread(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Source(error)
    }
}

/// Goes from one file of an archive to the next.
pub(crate) struct Walk<F> {
    input: F,
    /// Where the data of the member that was returned last ends, and what it is.
    end: u64,
    last: String,
    about_all: Records,
    headers: usize,
    metadata: u64,
    pieces: usize,
    is_over: bool,
}

impl<F: Forward> Walk<F> {
    pub(crate) fn new(input: F) -> Self {
        Self {
            end: input.position(),
            input,
            last: String::new(),
            about_all: Records::default(),
            headers: HEADERS_MAX,
            metadata: METADATA_MAX,
            pieces: PIECES_MAX,
            is_over: false,
        }
    }

    /// The next regular file; `None` at the end of the archive, which is two blocks of zeros, one, or the end of the input
    /// where a header could begin.
    ///
    /// Between two calls the input may be read up to the end of the file's data.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Stop> {
        if self.is_over {
            return Ok(None);
        }
        let entry = self.read_next();
        self.is_over = !matches!(entry, Ok(Some(_)));
        entry
    }

    fn read_next(&mut self) -> Result<Option<Entry>, Stop> {
        let (mut about, mut long_name) = (None::<Records>, None);
        loop {
            self.finish_member()?;
            let at = self.input.position();
            let Some(header) = self.header()? else {
                return match about.is_some() || long_name.is_some() {
                    true => Err(Stop::Cut(format!(
                        "the archive ends at {at}, and the member of the last header is missing"
                    ))),
                    false => Ok(None),
                };
            };
            let damaged = |what: String| Stop::Damaged { offset: at, what };
            let bad_records = |error| match error {
                BadRecords::Malformed(what) => damaged(what),
                BadRecords::TooManyPieces => Stop::Unread(format!(
                    "members from {at} on: the map of a sparse file has too many pieces"
                )),
            };
            let own_size = header.member_size();
            let no_size = || damaged("the size of a member is not a number".into());
            match header.kind {
                kind if KIND_PAX.contains(&kind) => {
                    let data = self.metadata(own_size.ok_or_else(no_size)?)?;
                    let read = about.get_or_insert_default().read(&data, &mut self.pieces);
                    read.map_err(bad_records)?;
                }
                KIND_PAX_GLOBAL => {
                    let data = self.metadata(own_size.ok_or_else(no_size)?)?;
                    let read = self.about_all.read(&data, &mut self.pieces);
                    read.map_err(bad_records)?;
                }
                KIND_LONG_NAME => {
                    long_name = Some(self.metadata(own_size.ok_or_else(no_size)?)?);
                }
                KIND_CONTINUED => {
                    return Err(Stop::Unread(format!(
                        "the member at {at} continues a file of another volume; tar -xM joins the volumes"
                    )));
                }
                _ => {
                    let is_pax = about.is_some();
                    let about = about.take().unwrap_or_default();
                    let long_name = long_name.take();
                    let size = about.size.or(self.about_all.size).flatten().or(own_size);
                    if let Some(entry) = self.member(&header, at, size, &about, is_pax, long_name)? {
                        return Ok(Some(entry));
                    }
                }
            }
        }
    }

    /// Reads a header. `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>, Stop> {
        let at = self.input.position();
        let Some(left) = self.headers.checked_sub(1) else {
            return Err(Stop::Unread(format!("members after the first {HEADERS_MAX} headers, from {at} on")));
        };
        self.headers = left;
        let mut bytes = [0; Header::SIZE];
        let count = self.input.read(&mut bytes)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if count < bytes.len() {
            return Err(Stop::Cut(format!(
                "the header of a member begins at {at}, and the file ends within it"
            )));
        }
        self.end = self.input.position();
        let header = Header::decode(&bytes);
        if !header.is_sound() {
            return Err(Stop::Damaged {
                offset: at,
                what: "the checksum of a member's header is wrong".into(),
            });
        }
        Ok(Some(header))
    }

    /// Reads the data of a member that is about others.
    fn metadata(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        let at = self.input.position();
        let Some(left) = self.metadata.checked_sub(size) else {
            return Err(Stop::Unread(format!(
                "members from {at} on: {size} bytes of metadata for one of them are more than the limit"
            )));
        };
        self.metadata = left;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size {
            let done = bytes.len();
            let step = usize::try_from((size - done as u64).min(STEP)).unwrap_or(0);
            bytes.resize(done + step, 0);
            let count = self.input.read(bytes.get_mut(done..).unwrap_or_default())?;
            if count < step {
                return Err(Stop::Cut(format!(
                    "{size} bytes of metadata for a member begin at {at}, and the file ends within them"
                )));
            }
        }
        // The last block may lack what only fills it.
        self.end = at + size;
        self.last = "the metadata of a member".into();
        Ok(bytes)
    }

    /// What is about others has been read: this is a member. `None` if it is no file.
    fn member(
        &mut self,
        header: &Header,
        at: u64,
        size: Option<u64>,
        about: &Records,
        is_pax: bool,
        long_name: Option<Vec<u8>>,
    ) -> Result<Option<Entry>, Stop> {
        let damaged = |what: String| Stop::Damaged { offset: at, what };
        let kind = header.kind;
        // Old archives have the size of the file there; readers differ in whether data follows.
        if matches!(kind, KIND_HARD_LINK | KIND_SYMBOLIC_LINK) {
            return match size {
                Some(size) if size > 0 && (is_pax || kind == KIND_SYMBOLIC_LINK) => Err(damaged(format!(
                    "a link with {size} bytes of data, which programs read in different ways"
                ))),
                _ => Ok(None),
            };
        }
        let Some(stored) = size else {
            return match KIND_OTHER.contains(&kind) && header.size == [0; 12] {
                true => Ok(None),
                false => Err(damaged("the size of a member is not a number".into())),
            };
        };
        let sparse = if about.sparse.is_there { &about.sparse } else { &self.about_all.sparse };
        let path = about.path.clone().or_else(|| self.about_all.path.clone()).flatten();
        let mut name = sparse.name.clone().or(path).or(long_name).unwrap_or_else(|| header.path());
        name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
        let shown = String::from_utf8_lossy(name.get(..name.len().min(80)).unwrap_or_default()).into_owned();
        self.last = format!("the member {shown:?}");
        if KIND_OTHER.contains(&kind) {
            self.data_ends(self.input.position(), stored, at)?;
            return Ok(None);
        }
        if kind == KIND_SPARSE && !header.is_gnu() {
            return Err(Stop::Unread(format!(
                "members from {at} on: {shown:?} is sparse in a form that only star reads; unpack the archive with star"
            )));
        }
        let limits = Limits { bytes: &mut self.metadata, pieces: &mut self.pieces };
        let result = if kind == KIND_SPARSE {
            maps::of_header(header, stored, &mut self.input, limits)
        } else if sparse.is_there {
            maps::of_records(sparse, stored, &mut self.input, limits)
        } else {
            SparseMap::plain(self.input.position(), stored)
                .map(Ok)
                .ok_or(MapError::Malformed("the end of a member is larger than the largest offset".into()))
        };
        let data = match result {
            Ok(data) => data,
            Err(MapError::Source(error)) => return Err(error.into()),
            Err(MapError::Cut) => {
                return Err(Stop::Cut(format!(
                    "the map of the sparse member {shown:?} goes beyond the end of the file"
                )));
            }
            Err(MapError::Malformed(what)) => return Err(damaged(format!("the member {shown:?}: {what}"))),
            Err(MapError::TooLong) => {
                return Err(Stop::Unread(format!(
                    "members from {at} on: the map of {shown:?} is longer than the limit"
                )));
            }
        };
        // The data begins where headers end, or, if it begins with a map, at that.
        let from = if kind == KIND_SPARSE { self.input.position() } else { at + BLOCK };
        self.data_ends(from, stored, at)?;
        let size = data.as_ref().map_or(stored, SparseMap::size);
        let unknown = about.unknown.as_ref().or(self.about_all.unknown.as_ref());
        let data = match (data, unknown, about.star_size) {
            (Ok(_), Some(record), _) => {
                Err(format!("the record {record} changes the meaning of its data, and is not supported"))
            }
            (Ok(_), None, Some(real)) if real != size => {
                Err("it is sparse in a form that only star reads".into())
            }
            (data, ..) => data,
        };
        // Before there was a kind for them, folders were files of this name.
        Ok((!name.ends_with(b"/")).then_some(Entry { name, size, data }))
    }

    fn data_ends(&mut self, start: u64, stored: u64, at: u64) -> Result<(), Stop> {
        let end = start.checked_add(stored).filter(|end| *end <= i64::MAX as u64 - BLOCK);
        self.end = end.ok_or(Stop::Damaged {
            offset: at,
            what: format!("the end of a member of {stored} bytes is larger than the largest offset"),
        })?;
        Ok(())
    }

    /// Goes to the header behind the last member's data.
    fn finish_member(&mut self) -> Result<(), Stop> {
        self.input.skip_to(self.end)?;
        if self.input.position() < self.end {
            let (last, end, size) = (&self.last, self.end, self.input.position());
            return Err(Stop::Cut(format!("{last} ends at {end}, and the file at {size}")));
        }
        Ok(self.input.skip_to(self.end.next_multiple_of(BLOCK))?)
    }
}
