//! What pax records say about the members that follow them.
//!
//! Sources: POSIX.1-2017, pax, "pax Extended Header"; GNU tar manual, "Storing Sparse Files"; star(5).

/// Why records can't be taken as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadRecords {
    /// They are none, or contradict themselves: how.
    Malformed(String),
    /// The maps of sparse files have more pieces than are read.
    TooManyPieces,
}

fn malformed(what: impl Into<String>) -> BadRecords {
    BadRecords::Malformed(what.into())
}

/// A record's value; in the inner `None` the record was there without one, which undoes what stood there before.
type Value<T> = Option<Option<T>>;

/// The records about one member, or about all that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    pub(crate) path: Value<Vec<u8>>,
    pub(crate) size: Value<u64>,
    pub(crate) sparse: SparseRecords,
    /// Another record by which the data is not what it looks like: its name.
    pub(crate) unknown: Option<String>,
    /// The size of the file as star records it.
    pub(crate) star_size: Option<u64>,
}

/// GNU's records about a sparse file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SparseRecords {
    pub(crate) is_there: bool,
    pub(crate) major: Option<u64>,
    pub(crate) minor: Option<u64>,
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) real_size: Option<u64>,
    pub(crate) count: Option<u64>,
    /// Offset and length of each piece, versions 0.0 and 0.1.
    pub(crate) map: Vec<(u64, u64)>,
    /// Version 0.0: an offset whose length follows.
    offset: Option<u64>,
}

impl Records {
    /// Takes over what the records in `data` say; later ones count. `pieces` is how many pieces of maps may still come.
    pub(crate) fn read(&mut self, data: &[u8], pieces: &mut usize) -> Result<(), BadRecords> {
        let mut rest = data;
        // Some programs fill up with NULs.
        while rest.iter().any(|byte| *byte != 0) {
            let (record, after) = split_record(rest).ok_or_else(|| {
                let at = data.len() - rest.len();
                malformed(format!("the pax record {at} bytes into its data is not LENGTH KEY=VALUE"))
            })?;
            let (key, value) =
                split_once(record, b'=').ok_or_else(|| malformed("a pax record has no KEY="))?;
            self.take(key, value, pieces)?;
            rest = after;
        }
        match self.sparse.offset {
            Some(_) => Err(malformed("GNU.sparse.offset without GNU.sparse.numbytes")),
            None => Ok(()),
        }
    }

    fn take(&mut self, key: &[u8], value: &[u8], pieces: &mut usize) -> Result<(), BadRecords> {
        let number = || number(key, value);
        let is_nothing = value.is_empty();
        match key {
            b"path" => self.path = Some((!is_nothing).then(|| value.to_vec())),
            b"size" if is_nothing => self.size = Some(None),
            b"size" => self.size = Some(Some(number()?)),
            b"SCHILY.realsize" => self.star_size = Some(number()?),
            // The rest of a file that began in another volume.
            b"GNU.volume.offset" | b"SCHILY.offset" if number()? == 0 => {}
            b"GNU.volume.offset" | b"SCHILY.offset" | b"SUN.holesdata" => {
                self.unknown = Some(String::from_utf8_lossy(key).into_owned());
            }
            _ => {
                if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.is_there = true;
                    self.take_sparse(key, value, pieces)?;
                }
            }
        }
        Ok(())
    }

    fn take_sparse(&mut self, key: &[u8], value: &[u8], pieces: &mut usize) -> Result<(), BadRecords> {
        let number = || number(&[b"GNU.sparse.", key].concat(), value);
        let sparse = &mut self.sparse;
        match key {
            b"major" => sparse.major = Some(number()?),
            b"minor" => sparse.minor = Some(number()?),
            b"name" => sparse.name = Some(value.to_vec()),
            b"size" | b"realsize" => sparse.real_size = Some(number()?),
            b"numblocks" => sparse.count = Some(number()?),
            b"offset" if sparse.offset.is_none() => sparse.offset = Some(number()?),
            b"numbytes" => {
                let offset = sparse.offset.take();
                let offset =
                    offset.ok_or_else(|| malformed("GNU.sparse.numbytes without GNU.sparse.offset"))?;
                sparse.push((offset, number()?), pieces)?;
            }
            b"map" => {
                let mut numbers = value.split(|byte| *byte == b',');
                while let Some(offset) = numbers.next() {
                    let length = numbers.next().unwrap_or_default();
                    let piece = decimal(offset).zip(decimal(length));
                    let piece = piece.ok_or_else(|| malformed("GNU.sparse.map is not pairs of numbers"))?;
                    sparse.push(piece, pieces)?;
                }
            }
            _ => self.unknown = Some(format!("GNU.sparse.{}", String::from_utf8_lossy(key))),
        }
        Ok(())
    }
}

impl SparseRecords {
    fn push(&mut self, piece: (u64, u64), pieces: &mut usize) -> Result<(), BadRecords> {
        *pieces = pieces.checked_sub(1).ok_or(BadRecords::TooManyPieces)?;
        self.map.push(piece);
        Ok(())
    }
}

/// "LENGTH KEY=VALUE\n", where the length counts all of it. Returns `KEY=VALUE` and what follows.
fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // More digits than this are no length that fits the data.
    let head = bytes.get(..bytes.len().min(20))?;
    let space = head.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(bytes.get(..space)?)?).ok()?;
    let (record, after) = bytes.split_at_checked(length)?;
    Some((record.get(space + 1..)?.strip_suffix(b"\n")?, after))
}

fn number(key: &[u8], value: &[u8]) -> Result<u64, BadRecords> {
    decimal(value).filter(|number| i64::try_from(*number).is_ok()).ok_or_else(|| {
        let shown =
            String::from_utf8_lossy(value.get(..value.len().min(40)).unwrap_or_default()).into_owned();
        malformed(format!(
            "the pax record {} has {shown:?}, which is not a size",
            String::from_utf8_lossy(key)
        ))
    })
}

/// Decimal digits, nothing else.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    (!digits.is_empty()).then_some(())?;
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &[u8]) -> Result<Records, BadRecords> {
        let mut records = Records::default();
        records.read(data, &mut 4)?;
        Ok(records)
    }

    #[test]
    fn records_are_bounded_by_what_they_say() {
        let records = read(b"12 path=a/b\n19 size=4294967296\n\0\0").unwrap();
        assert_eq!((records.path, records.size), (Some(Some(b"a/b".to_vec())), Some(Some(1 << 32))));
        for bad in [
            &b"99999999999999999999 path=x\n"[..],
            b"1 path=x\n",
            b"0 a=b\n",
            b" \n",
            b"5 pa",
            b"7 path\n",
            b"12 path=a/b ",
            b"12 path=a/b\nrubbish",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_size_is_a_number_within_a_signed_offset_or_nothing() {
        assert_eq!(read(b"8 size=\n").unwrap().size, Some(None));
        assert_eq!(read(b"28 size=9223372036854775807\n").unwrap().size, Some(Some(i64::MAX as u64)));
        for bad in [
            &b"28 size=9223372036854775808\n"[..],
            b"29 size=99999999999999999999\n",
            b"10 size=-1\n",
            b"10 size=+1\n",
            b"11 size=0x1\n",
            b"11 size=1 \n\n",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn maps_are_pairs_and_their_number_is_bounded() {
        let map = |records: &[u8]| read(records).map(|records| records.sparse.map);
        assert_eq!(map(b"26 GNU.sparse.map=0,5,9,1\n"), Ok(vec![(0, 5), (9, 1)]));
        let pair = b"23 GNU.sparse.offset=1\n25 GNU.sparse.numbytes=2\n";
        assert_eq!(map(&pair.repeat(4)), Ok(vec![(1, 2); 4]));
        assert!(map(&pair.repeat(5)).is_err());
        for bad in [
            &b"24 GNU.sparse.map=0,5,9\n"[..],
            b"22 GNU.sparse.map=0;5\n",
            b"23 GNU.sparse.offset=1\n",
            b"25 GNU.sparse.numbytes=2\n",
        ] {
            assert!(map(bad).is_err(), "{bad:?}");
        }
        assert_eq!(read(b"20 GNU.sparse.odd=1\n").unwrap().unknown.as_deref(), Some("GNU.sparse.odd"));
    }
}
