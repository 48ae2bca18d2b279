//! The records: their headers and postfixes, and how they follow one another in the file.

use imsprep_findings::{Finding, Report, Rule, Severity};
use imsprep_ondisk::format::zvhd2::{self as disk, RecordHeader};
use imsprep_source::{ByteCount, Cancel, Error as SourceError, FileOffset, ReadAt, ReadAtExt};

use crate::index::{BLOCK, Entry, RecordLocation};
use crate::{Error, rules};

/// Bytes of what ends a record.
pub(crate) const POSTFIX: usize = disk::RECORD_POSTFIX.len();

/// A payload that lies whole in the file, and in no other record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payload {
    pub(crate) offset: FileOffset,
    pub(crate) size: u32,
    pub(crate) block: u32,
}

/// What the records of a file were found to be.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// What can be expanded, by offset.
    pub(crate) payloads: Vec<Payload>,
    /// Bytes of all payloads.
    pub(crate) payload_bytes: ByteCount,
    /// Where the last record ends.
    pub(crate) end: u64,
    /// Where each record ends by its own header, in the order of the entries.
    pub(crate) header_ends: Vec<u64>,
}

/// The largest payload that is read: no compressor makes that much of a block.
fn payload_limit(block_size: u64) -> u64 {
    block_size * 2
}

/// Whether a record of one block may have a payload of that many bytes.
pub(crate) fn is_possible(size: u32, block_size: u64) -> bool {
    size != 0 && u64::from(size) <= payload_limit(block_size)
}

/// Reads a record into `buffer` and returns the payload in it, if the header is the one that the index describes.
pub(crate) fn read_payload<'b>(
    source: &dyn ReadAt,
    place: &RecordLocation,
    buffer: &'b mut Vec<u8>,
) -> Result<&'b [u8], SourceError> {
    Ok(read_record(source, place, buffer)?.1)
}

/// The same, with the header.
pub(crate) fn read_record<'b>(
    source: &dyn ReadAt,
    place: &RecordLocation,
    buffer: &'b mut Vec<u8>,
) -> Result<(RecordHeader, &'b [u8]), SourceError> {
    let most = RecordHeader::SIZE as u64 + payload_limit(BLOCK);
    let length = u64::from(place.length).clamp(RecordHeader::SIZE as u64, most);
    buffer.resize(usize::try_from(length).unwrap_or(0), 0);
    source.read_at(buffer, place.offset)?;
    let Some((header, rest)) = buffer.split_first_chunk() else {
        return Err(damaged(source, place, 0, "no header"));
    };
    let header = RecordHeader::decode(header);
    if header.curr_blk != place.block {
        let what = format!("its record is that of block {}", header.curr_blk);
        return Err(damaged(source, place, 16, what));
    }
    if !is_possible(header.size, BLOCK) {
        return Err(damaged(source, place, 12, format!("a payload of {} bytes is impossible", header.size)));
    }
    let payload = usize::try_from(header.size).ok().and_then(|size| rest.get(..size));
    let Some(payload) = payload else {
        let what = format!(
            "its payload of {} bytes does not fit into the record of {} bytes in the index",
            header.size, place.length
        );
        return Err(damaged(source, place, 12, what));
    };
    if is_cookie(&header) {
        return Err(damaged(source, place, 0, "it begins like a footer (ZV-054)"));
    }
    Ok((header, payload))
}

/// Whether a sequential reader takes the record for the footer behind the last one.
fn is_cookie(header: &RecordHeader) -> bool {
    header.prefix.starts_with(&disk::COOKIE[..disk::COOKIE_COMPARED])
}

/// That a record is not what it should be, `within` bytes into it.
pub(crate) fn damaged(
    source: &dyn ReadAt,
    place: &RecordLocation,
    within: u64,
    what: impl ToString,
) -> SourceError {
    SourceError::Damaged {
        path: source.path().to_owned(),
        offset: place.offset.saturating_add(within),
        block: place.block.into(),
        what: what.to_string(),
    }
}

/// Checks the records that the index points to, given by offset. Reads 52 bytes for each: a record's header and,
/// before it, the postfix of the record that ends there.
pub(crate) fn check_records(
    source: &dyn ReadAt,
    entries: &[Entry],
    block_size: u64,
    end: u64,
    report: &mut Report,
    cancel: &Cancel,
) -> Result<Records, Error> {
    let mut records =
        Records { end: disk::ALIGN, header_ends: Vec::with_capacity(entries.len()), ..Records::default() };
    let mut postfix_due: Option<Due> = None;
    let mut highest_block: Option<u32> = None;
    let mut following = entries.iter().skip(1);
    for entry in entries {
        cancel.check()?;
        let next_offset = following.next().map(|e| e.raw.offset);
        let offset = entry.raw.offset;
        let bytes = source.read_array::<{ POSTFIX + RecordHeader::SIZE }>(offset - POSTFIX as u64)?;
        let Some((before, header)) = bytes.split_first_chunk::<POSTFIX>() else { continue };
        let Some(header) = header.first_chunk() else { continue };
        let header = RecordHeader::decode(header);
        if let Some(due) = postfix_due.take() {
            let postfix = if due.end == offset { *before } else { due.read(source)? };
            due.check(postfix, report);
        }
        records.header_ends.push(offset.saturating_add(header.record_length()));
        let overlaps = check_sequence(entry, records.end, report);
        // An entry that names a block of its own was reported with the index; the record may be right with it.
        let block = if header.curr_blk == entry.raw.block { header.curr_blk } else { entry.block };
        check_order(entry, block, highest_block, report);
        highest_block = highest_block.max(Some(block));
        let length = check_header(entry, &header, next_offset, report);
        records.end = records.end.max(offset.saturating_add(length));
        if let Some(header_end) = offset.checked_add(header.record_length()).filter(|e| *e <= end) {
            postfix_due = Some(Due { end: header_end, block: entry.block });
        }

        let size = u64::from(header.size);
        let payload_offset = offset + RecordHeader::SIZE as u64;
        let possible = is_possible(header.size, block_size);
        if !possible {
            let expected = format!("1 to {} bytes", payload_limit(block_size));
            report.push(at(
                entry,
                12,
                &rules::PAYLOAD_SIZE,
                "has a payload of impossible size",
                expected,
                size,
            ));
        } else if !overlaps && payload_offset + size <= end {
            records.payload_bytes.0 += size;
            let offset = FileOffset(payload_offset);
            records.payloads.push(Payload { offset, size: header.size, block: entry.block });
        }
    }
    if let Some(due) = postfix_due {
        let postfix = due.read(source)?;
        due.check(postfix, report);
    }
    Ok(records)
}

/// A finding about a record, `field` bytes into it.
fn at(
    entry: &Entry,
    field: u64,
    rule: &'static Rule,
    what: &str,
    expected: impl ToString,
    found: impl ToString,
) -> Finding {
    Finding::new(rule, format!("the record of block {} {what}", entry.block))
        .at(entry.raw.offset.saturating_add(field))
        .in_block(entry.block.into())
        .expected(expected)
        .found(found)
}

/// How the record follows those before it; whether it overlaps one.
fn check_sequence(entry: &Entry, end: u64, report: &mut Report) -> bool {
    let offset = entry.raw.offset;
    if offset < end {
        let what = "begins before the end of the previous record";
        report.push(at(entry, 0, &rules::RECORD_OVERLAP, what, format!("at {end} or later"), offset));
    } else if offset > end {
        report_gap(end, offset, report);
    }
    offset < end
}

/// Blocks ascend in the file.
fn check_order(entry: &Entry, block: u32, highest: Option<u32>, report: &mut Report) {
    if let Some(highest) = highest.filter(|h| *h > block) {
        let what = "is after the record of a higher block";
        report.push(at(entry, 16, &rules::RECORD_ORDER, what, format!("a block above {highest}"), block));
    }
}

/// Bytes that no record takes.
pub(crate) fn report_gap(from: u64, to: u64, report: &mut Report) {
    report.push(
        Finding::new(&rules::RECORD_GAP, format!("no index entry points to the bytes from {from} to {to}"))
            .at(from)
            .expected(format!("a record or MID at {from}"))
            .found(format!("{} bytes unused", to - from)),
    );
}

/// Compares a header with its index entry. Returns the record's length.
fn check_header(entry: &Entry, header: &RecordHeader, next_offset: Option<u64>, report: &mut Report) -> u64 {
    if header.prefix != disk::RECORD_PREFIX {
        let found = header.prefix.escape_ascii();
        let expected = disk::RECORD_PREFIX.escape_ascii();
        let finding = at(entry, 0, &rules::RECORD_PREFIX, "has the wrong first bytes", expected, found);
        // A sequential reader does not fail at a footer, but takes what follows for zeros.
        let severity = if is_cookie(header) { Severity::Error } else { rules::RECORD_PREFIX.severity };
        report.push(finding.severity(severity));
    }
    if header.curr_blk != entry.block && header.curr_blk != entry.raw.block {
        let what = "belongs to another block";
        report.push(at(entry, 16, &rules::RECORD_BLOCK, what, entry.block, header.curr_blk));
    }
    if header.reserved != [0; 28] {
        let what = "has reserved bytes that are not zero";
        let found = header.reserved.escape_ascii();
        report.push(at(entry, 20, &rules::RECORD_RESERVED, what, "28 zeros", found));
    }
    let (by_header, by_entry) = (header.record_length(), u64::from(entry.raw.length));
    if by_header == by_entry {
        return by_header;
    }
    let used = RecordHeader::SIZE as u64 + u64::from(header.size);
    let severity = if by_entry < used { Severity::Error } else { Severity::Warning };
    let what = "has another length than its index entry";
    let finding = at(entry, 12, &rules::RECORD_LENGTH, what, format!("{by_entry} (index)"), by_header);
    report.push(finding.severity(severity));
    extent(header, entry.raw.length, next_offset.and_then(|next| next.checked_sub(entry.raw.offset)))
}

/// Bytes that a record takes, where its header and its entry may disagree. The one that the distance to the next record
/// agrees with is right, so that one wrong length is one finding. An entry that does not hold the payload is never right:
/// records could hide in one another.
pub(crate) fn extent(header: &RecordHeader, by_entry: u32, distance: Option<u64>) -> u64 {
    let by_entry = u64::from(by_entry);
    let used = RecordHeader::SIZE as u64 + u64::from(header.size);
    if distance == Some(by_entry) && by_entry >= used { by_entry } else { header.record_length() }
}

/// A postfix that is still to be read.
struct Due {
    end: u64,
    block: u32,
}

impl Due {
    fn read(&self, source: &dyn ReadAt) -> Result<[u8; POSTFIX], Error> {
        Ok(source.read_array(self.end - POSTFIX as u64)?)
    }

    fn check(&self, postfix: [u8; POSTFIX], report: &mut Report) {
        if postfix != disk::RECORD_POSTFIX {
            let message = format!("the record of block {} has the wrong last bytes", self.block);
            report.push(
                Finding::new(&rules::RECORD_POSTFIX, message)
                    .at(self.end - POSTFIX as u64)
                    .in_block(self.block.into())
                    .expected(disk::RECORD_POSTFIX.escape_ascii())
                    .found(postfix.escape_ascii()),
            );
        }
    }
}
