//! Records of NTFS that are protected by an update sequence.

use super::ntfs::{Attribute, RecordHeader};

/// Bytes that each number of an update sequence protects.
const STRIDE: usize = 512;

/// Puts back what the update sequence took away: the last two bytes of every 512. `None` if the record was not written
/// whole, or is none.
pub fn restore(mut bytes: Vec<u8>, magic: [u8; 4]) -> Option<Vec<u8>> {
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

/// The attributes of a record, each as the bytes from its start to its end.
pub fn attributes(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = record.first_chunk().map(|head| usize::from(RecordHeader::decode(head).attributes));
    std::iter::from_fn(move || {
        let rest = record.get(at?..)?;
        let attribute = Attribute::decode(rest.first_chunk()?);
        let length = usize::try_from(attribute.length).ok()?;
        // No length takes a step of 0.
        if attribute.kind == Attribute::END || length < Attribute::SIZE {
            return None;
        }
        at = at?.checked_add(length);
        rest.get(..length)
    })
}

/// The name of an attribute, in UTF-16.
pub fn name(attribute: &[u8]) -> Option<&[u8]> {
    let header = Attribute::decode(attribute.first_chunk()?);
    attribute.get(usize::from(header.name_offset)..)?.get(..2 * usize::from(header.name_length))
}

/// The first attribute of this kind and name, in UTF-16, as the bytes from its start to its end.
pub fn attribute<'a>(record: &'a [u8], kind: u32, its_name: &[u8]) -> Option<&'a [u8]> {
    attributes(record).find(|attribute| {
        let header = attribute.first_chunk().map(Attribute::decode);
        header.is_some_and(|header| header.kind == kind) && name(attribute) == Some(its_name)
    })
}

/// The value of an attribute that has it in the record.
pub fn value(attribute: &[u8]) -> Option<&[u8]> {
    let header = Attribute::decode(attribute.first_chunk()?);
    let length = usize::try_from(header.value_length).ok()?;
    attribute.get(usize::from(header.value_offset)..)?.get(..length).filter(|_| header.non_resident == 0)
}

/// Clusters that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first one; `None` for a hole.
    pub first: Option<u64>,
    /// How many.
    pub count: u64,
}

/// Where the value of an attribute is that has it elsewhere: the runs up to the end of their list, to what makes no sense,
/// or to `most` of them.
pub fn runs(attribute: &[u8], most: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut list = run_list(attribute).unwrap_or_default();
    let mut place: i128 = 0;
    while let Some((run, rest)) = next_run(list, &mut place).filter(|_| runs.len() < most) {
        runs.push(run);
        list = rest;
    }
    runs
}

fn run_list(attribute: &[u8]) -> Option<&[u8]> {
    let header = Attribute::decode(attribute.first_chunk()?);
    let offset =
        attribute.get(Attribute::RUNS_OFFSET..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))?;
    attribute.get(usize::from(offset)..).filter(|_| header.non_resident != 0)
}

/// The run at the start of the list, and the rest of the list. Places are counted from the one before.
fn next_run<'a>(list: &'a [u8], place: &mut i128) -> Option<(Run, &'a [u8])> {
    let (sizes, rest) = list.split_first()?;
    let (count, rest) = rest.split_at_checked(usize::from(sizes & 0xf))?;
    let (step, rest) = rest.split_at_checked(usize::from(sizes >> 4))?;
    let count = u64::try_from(number(count)?).ok().filter(|count| *count > 0)?;
    let first = match number(step) {
        None if step.is_empty() => None,
        None => return None,
        Some(step) => {
            *place += step;
            Some(u64::try_from(*place).ok()?)
        }
    };
    Some((Run { first, count }, rest))
}

/// A little-endian number of one to eight bytes with a sign.
fn number(bytes: &[u8]) -> Option<i128> {
    let (last, lower) = bytes.split_last().filter(|_| bytes.len() <= 8)?;
    let start = i128::from(i8::from_le_bytes([*last]));
    Some(lower.iter().rev().fold(start, |number, byte| number << 8 | i128::from(*byte)))
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
        assert_eq!(attribute(&record, 0x70, &[]), None);
        record[68] = 32;
        record[96] = 0x70;
        record[100] = 24;
        assert_eq!(attribute(&record, 0x70, &[]).map(<[u8]>::len), Some(24));
    }

    #[test]
    fn runs_follow_each_other_with_steps_in_both_directions() {
        let mut attribute = vec![0; 100];
        (attribute[8], attribute[32]) = (1, 64);
        let list = [0x21, 0x10, 0x34, 0x12, 0x01, 5, 0x11, 2, 0xfe, 0x11, 1, 0x80, 0, 0x11, 1, 1];
        attribute[64..64 + list.len()].copy_from_slice(&list);
        let run = |first, count| Run { first, count };
        let all = [run(Some(0x1234), 0x10), run(None, 5), run(Some(0x1232), 2), run(Some(0x11b2), 1)];
        assert_eq!(runs(&attribute, 9), all);
        assert_eq!(runs(&attribute, 2), all[..2]);
        attribute[67] = 0x80;
        assert_eq!(runs(&attribute, 9), [], "a place before the first cluster");
        attribute[64] = 0xff;
        assert_eq!(runs(&attribute, 9), [], "too many bytes");
        attribute[8] = 0;
        assert_eq!(runs(&attribute, 9), [], "its value is in the record");
    }
}
