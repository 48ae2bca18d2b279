//! The maps of sparse files: which of their bytes are stored.

use imsprep_ondisk::format::tar::{BLOCK, Header, SparseEntry, SparseExtension, number};
use imsprep_source::{Error, SparseMap, Stored};

use super::forward::Forward;
use super::records::{BadRecords, SparseRecords, decimal};

/// Digits of a number in a map that is read line by line.
const DIGITS_MAX: usize = 20;

/// Why there is no map.
pub(crate) enum MapError {
    Source(Error),
    /// The input ends within it.
    Cut,
    /// It is longer than what may be read.
    TooLong,
    Malformed(String),
}

impl From<Error> for MapError {
    fn from(error: Error) -> Self {
        Self::Source(error)
    }
}

impl From<BadRecords> for MapError {
    fn from(error: BadRecords) -> Self {
        match error {
            BadRecords::Malformed(what) => Self::Malformed(what),
            BadRecords::TooManyPieces => Self::TooLong,
        }
    }
}

fn malformed<T>(what: &str) -> Result<T, MapError> {
    Err(MapError::Malformed(what.into()))
}

/// A map, or the reason why this form is not read.
type Found = Result<Result<SparseMap, String>, MapError>;

/// What may still be read of maps.
pub(crate) struct Limits<'a> {
    pub(crate) bytes: &'a mut u64,
    pub(crate) pieces: &'a mut usize,
}

/// The map in a header of GNU's older form, and in the blocks that follow it.
pub(crate) fn of_header(header: &Header, stored: u64, input: &mut impl Forward, limits: Limits<'_>) -> Found {
    let Limits { bytes, pieces } = limits;
    let Some(size) = number(&header.real_size) else { return malformed("its real size is not a number") };
    let mut map = Vec::new();
    let mut take = |entries: &[SparseEntry]| {
        for entry in entries.iter().take_while(|entry| entry.length[0] != 0) {
            let Some(piece) = number(&entry.offset).zip(number(&entry.length)) else {
                return malformed("its map has an entry that is not a number");
            };
            *pieces = pieces.checked_sub(1).ok_or(MapError::TooLong)?;
            map.push(piece);
        }
        Ok(())
    };
    take(&header.sparse)?;
    let mut is_extended = header.is_extended;
    while is_extended {
        *bytes = bytes.checked_sub(BLOCK).ok_or(MapError::TooLong)?;
        let mut block = [0; Header::SIZE];
        if input.read(&mut block)? < block.len() {
            return Err(MapError::Cut);
        }
        let extension = SparseExtension::decode(&block);
        // Else empty extensions could follow one another without end.
        if extension.entries.first().is_some_and(|entry| entry.length[0] == 0) {
            return malformed("a block of its map has no entry");
        }
        take(&extension.entries)?;
        is_extended = extension.is_extended;
    }
    placed(size, &map, input.position(), stored).map(Ok)
}

/// The map in pax records, or at the start of the data of which they tell.
pub(crate) fn of_records(
    records: &SparseRecords,
    stored: u64,
    input: &mut impl Forward,
    limits: Limits<'_>,
) -> Found {
    let Limits { bytes, pieces } = limits;
    let Some(size) = records.real_size else { return malformed("the size of the sparse file is missing") };
    match (records.major.unwrap_or(0), records.minor.unwrap_or(0)) {
        (0, 0 | 1) => {
            if records.count.is_some_and(|count| count != records.map.len() as u64) {
                return malformed("the number of pieces in its map is wrong");
            }
            placed(size, &records.map, input.position(), stored).map(Ok)
        }
        (1, 0) => {
            let start = input.position();
            let lines = Lines { input, stored, left: bytes, block: [0; Header::SIZE], used: Header::SIZE };
            let map = lines.map(pieces)?;
            let data = input.position();
            placed(size, &map, data, stored.saturating_sub(data - start)).map(Ok)
        }
        (major, minor) => Ok(Err(format!("it is sparse in GNU's version {major}.{minor}, which is unknown"))),
    }
}

/// The pieces lie one after the other from `offset` on, and fill what is stored.
fn placed(size: u64, map: &[(u64, u64)], offset: u64, stored: u64) -> Result<SparseMap, MapError> {
    if i64::try_from(size).is_err() {
        return malformed("its size is larger than the largest offset");
    }
    let mut at = offset;
    let mut pieces = Vec::new();
    for (start, length) in map {
        pieces.push(Stored { start: *start, offset: at, length: *length });
        match at.checked_add(*length) {
            Some(end) => at = end,
            None => return malformed("its map has more bytes than the largest offset"),
        }
    }
    if at - offset != stored {
        let (listed, stored) = (at - offset, stored);
        return Err(MapError::Malformed(format!("its map has {listed} bytes, but {stored} are stored")));
    }
    let map = SparseMap::new(size, pieces);
    map.ok_or_else(|| MapError::Malformed("the pieces of its map overlap, or end beyond the file".into()))
}

/// Numbers in lines of text, in whole blocks.
struct Lines<'a, F> {
    input: &'a mut F,
    /// Bytes of the data in which they are, that were not read yet.
    stored: u64,
    left: &'a mut u64,
    block: [u8; Header::SIZE],
    used: usize,
}

impl<F: Forward> Lines<'_, F> {
    /// The number of pieces, then offset and length of each. What follows in the last block only fills it.
    fn map(mut self, pieces: &mut usize) -> Result<Vec<(u64, u64)>, MapError> {
        let count = self.number()?;
        let Some(left) = usize::try_from(count).ok().and_then(|count| pieces.checked_sub(count)) else {
            return Err(MapError::TooLong);
        };
        *pieces = left;
        let mut map = Vec::new();
        for _ in 0..count {
            map.push((self.number()?, self.number()?));
        }
        Ok(map)
    }

    fn number(&mut self) -> Result<u64, MapError> {
        let mut digits = Vec::new();
        loop {
            match self.byte()? {
                b'\n' => break,
                _ if digits.len() == DIGITS_MAX => {
                    return malformed("its map has an entry that is not a number");
                }
                digit => digits.push(digit),
            }
        }
        decimal(&digits).map_or_else(|| malformed("its map has an entry that is not a number"), Ok)
    }

    fn byte(&mut self) -> Result<u8, MapError> {
        if self.used == self.block.len() {
            let Some(stored) = self.stored.checked_sub(BLOCK) else {
                return malformed("its map is longer than its data");
            };
            self.stored = stored;
            *self.left = self.left.checked_sub(BLOCK).ok_or(MapError::TooLong)?;
            if self.input.read(&mut self.block)? < self.block.len() {
                return Err(MapError::Cut);
            }
            self.used = 0;
        }
        let byte = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        Ok(byte)
    }
}
