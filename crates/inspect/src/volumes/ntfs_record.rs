//! Records of NTFS that are protected by an update sequence.

use imsprep_ondisk::volume::ntfs::{Attribute, RecordHeader};

/// Bytes that each number of an update sequence protects.
const STRIDE: usize = 512;

/// Puts back what the update sequence took away: the last two bytes of every 512. `None` if the record was not written
/// whole, or is none.
pub(super) fn restore(mut bytes: Vec<u8>, magic: [u8; 4]) -> Option<Vec<u8>> {
    let header = RecordHeader::decode(bytes.first_chunk()?);
    let count = usize::from(header.sequence_count);
    if header.magic != magic || count != bytes.len() / STRIDE + 1 {
        return None;
    }
    let start = usize::from(header.sequence_offset);
    let sequence = bytes.get(start..)?.get(..count * 2)?.to_vec();
    let (mark, words) = sequence.as_chunks::<2>().0.split_first()?;
    for (stride, word) in bytes.chunks_exact_mut(STRIDE).zip(words) {
        let end = stride.last_chunk_mut::<2>()?;
        if end != mark {
            return None;
        }
        *end = *word;
    }
    Some(bytes)
}

/// The attribute of this kind without a name, as the bytes from its start to its end.
pub(super) fn attribute(record: &[u8], kind: u32) -> Option<&[u8]> {
    let mut at = usize::from(RecordHeader::decode(record.first_chunk()?).attributes);
    loop {
        let rest = record.get(at..)?;
        let attribute = Attribute::decode(rest.first_chunk()?);
        let length = usize::try_from(attribute.length).ok()?;
        // No length takes a step of 0.
        if attribute.kind == Attribute::END || length < Attribute::SIZE {
            return None;
        }
        if attribute.kind == kind && attribute.name_length == 0 {
            return rest.get(..length);
        }
        at = at.checked_add(length)?;
    }
}

/// The value of an attribute that has it in the record.
pub(super) fn value(attribute: &[u8]) -> Option<&[u8]> {
    let header = Attribute::decode(attribute.first_chunk()?);
    let length = usize::try_from(header.value_length).ok()?;
    attribute.get(usize::from(header.value_offset)..)?.get(..length).filter(|_| header.non_resident == 0)
}

/// The first cluster of an attribute that has its value elsewhere, and the number of those that follow each other.
pub(super) fn first_run(attribute: &[u8]) -> Option<(u64, u64)> {
    let header = Attribute::decode(attribute.first_chunk()?);
    let offset =
        attribute.get(Attribute::RUNS_OFFSET..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))?;
    let (sizes, rest) = attribute.get(usize::from(offset)..)?.split_first()?;
    let (count, place) = rest.split_at_checked(usize::from(sizes & 0xf))?;
    let place = place.get(..usize::from(sizes >> 4))?;
    // Without a place the run is a hole.
    let is_run = header.non_resident != 0 && !count.is_empty() && !place.is_empty();
    is_run.then(|| Some((number(place)?, number(count)?)))?
}

/// A little-endian number of up to eight bytes; `None` for a negative one, which is none of the volume's.
fn number(bytes: &[u8]) -> Option<u64> {
    let is_negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
    if bytes.len() > 8 || is_negative {
        return None;
    }
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_torn_is_none() {
        let mut bytes = vec![0; 1024];
        bytes[..8].copy_from_slice(b"FILE\x30\0\x03\0");
        bytes[0x30..0x36].copy_from_slice(&[7, 7, 1, 2, 3, 4]);
        bytes[510..512].fill(7);
        bytes[1022..1024].fill(7);
        let whole = restore(bytes.clone(), *b"FILE").unwrap();
        assert_eq!((&whole[510..512], &whole[1022..]), (&[1, 2][..], &[3, 4][..]));
        assert_eq!(restore(bytes.clone(), *b"RSTR"), None);
        bytes[1022] = 6;
        assert_eq!(restore(bytes, *b"FILE"), None);
    }

    #[test]
    fn an_attribute_of_no_length_ends_the_search() {
        let mut record = vec![0; 512];
        record[20] = 64;
        record[64] = 0x60;
        assert_eq!(attribute(&record, 0x70), None);
        record[68] = 32;
        record[96] = 0x70;
        record[100] = 24;
        assert_eq!(attribute(&record, 0x70).map(<[u8]>::len), Some(24));
    }

    #[test]
    fn the_first_run_is_where_a_value_begins() {
        let mut attribute = vec![0; 80];
        (attribute[8], attribute[32]) = (1, 64);
        attribute[64..68].copy_from_slice(&[0x21, 0x10, 0x34, 0x12]);
        assert_eq!(first_run(&attribute), Some((0x1234, 0x10)));
        attribute[67] = 0x80;
        assert_eq!(first_run(&attribute), None, "a negative place");
        attribute[64] = 0xff;
        assert_eq!(first_run(&attribute), None, "too many bytes");
    }
}
