//! tar archives and OVAs: which disks are in them.

use imsprep_ondisk::tar::{BLOCK, Header, KIND_FILE, KIND_LONG_NAME, KIND_PAX};
use imsprep_source::Result;

use crate::candidate::{Candidate, Place};
use crate::input::{Input, Level};
use crate::inside::look_at_part;
use crate::{Content, Fact, Format, Inside, text};

/// Headers that are read: an OVA has five or so.
const HEADERS_MAX: usize = 256;
/// Members that are looked into, each with a few hundred KiB of reading at most.
const LOOKS_MAX: usize = 16;
/// Bytes of the records about a member that are read.
const PAX_MAX: u64 = 4096;
/// What an OVA has besides disks. Not looked into.
const COMPANIONS: [&str; 4] = [".ovf", ".mf", ".cert", ".xml"];

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let Some(first) = input.head_array(0).map(|bytes| Header::decode(&bytes)).filter(is_valid) else {
        return Ok(None);
    };
    let mut found = Candidate::new(Format::Tar);
    // Magic and checksum are in the middle of the sector: a format that has its sign at the start is what readers see first.
    found.place = Place::Inside;
    match input.level() {
        Level::File => members(input, &mut found)?,
        Level::Inside => found.variant = is_ovf(&own_name(&first)).then_some("ova"),
    }
    Ok(Some(found))
}

/// A header's checksum has to be right, as its magic is in the middle and missing in old archives.
fn is_valid(header: &Header) -> bool {
    let is_new = header.magic == Header::MAGIC;
    let is_old = header.magic == [0; 5] && header.name[0] != 0;
    (is_new || is_old) && header.is_sound()
}

fn members(input: &Input<'_>, found: &mut Candidate) -> Result<()> {
    let (mut at, mut looks, mut next) = (0, 0, About::default());
    for _ in 0..HEADERS_MAX {
        let header = input.array(at)?.map(|bytes| Header::decode(&bytes));
        // Two blocks of zeros end an archive; so does anything that is no header.
        let Some(header) = header.filter(is_valid) else { return Ok(()) };
        let data = at + BLOCK;
        let is_about_next = matches!(header.kind, KIND_LONG_NAME | KIND_PAX);
        let Some(size) = next.size.filter(|_| !is_about_next).or_else(|| header.member_size()) else {
            found.damaged(format!("the header of a member at {at} has no size"));
            return Ok(());
        };
        if is_about_next {
            next.read(header.kind, &input.read(data, size.min(PAX_MAX))?);
        } else {
            let about = std::mem::take(&mut next);
            let name = about.name.unwrap_or_else(|| own_name(&header));
            if is_ovf(&name) {
                found.variant = Some("ova");
            }
            found.check_within(&format!("the member {name:?}"), (data, size), input.size());
            if KIND_FILE.contains(&header.kind) {
                look_at(input, (data, size), name, &mut looks, found)?;
            }
        }
        let Some(end) = size.checked_next_multiple_of(BLOCK).and_then(|size| data.checked_add(size)) else {
            return Ok(());
        };
        at = end;
    }
    found.facts.push(Fact::NotLookedAt(format!("members after the first {HEADERS_MAX}")));
    Ok(())
}

/// Notes a member if it is, or may be, a disk.
fn look_at(
    input: &Input<'_>,
    (data, size): (u64, u64),
    name: String,
    looks: &mut usize,
    found: &mut Candidate,
) -> Result<()> {
    let lower = name.to_ascii_lowercase();
    if size == 0 || COMPANIONS.iter().any(|end| lower.ends_with(end)) {
        return Ok(());
    }
    *looks += 1;
    let content = match input.source() {
        Some(source) if *looks <= LOOKS_MAX => {
            let there = input.size().saturating_sub(data);
            if there == 0 { Content::Nothing } else { look_at_part(source, data, size.min(there))? }
        }
        _ => {
            if *looks == LOOKS_MAX + 1 {
                let why = format!("members after the first {LOOKS_MAX} that are no descriptor");
                found.facts.push(Fact::NotLookedAt(why));
            }
            return Ok(());
        }
    };
    // Any archive may have texts and programs in it, which are no disks and nothing known.
    let may_be_a_disk = content != Content::Nothing || is_disk_name(&lower);
    if may_be_a_disk {
        found.facts.push(Fact::Inside(Inside { name: Some(name), size: Some(size), content }));
    }
    Ok(())
}

/// Names of raw disks, which may well hold nothing known.
fn is_disk_name(lower: &str) -> bool {
    [".raw", ".img", ".iso"].iter().any(|end| lower.ends_with(end))
}

fn is_ovf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".ovf")
}

fn own_name(header: &Header) -> String {
    let name = text::utf8(&header.name);
    let prefix = text::utf8(&header.prefix);
    if header.magic == Header::MAGIC && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// What special members say about the one that follows them.
#[derive(Default)]
struct About {
    name: Option<String>,
    size: Option<u64>,
}

impl About {
    fn read(&mut self, kind: u8, data: &[u8]) {
        if kind == KIND_LONG_NAME {
            self.name = Some(text::utf8(data));
            return;
        }
        // "LENGTH KEY=VALUE\n", where the length counts all of it.
        let mut rest = data;
        while let Some((length, after)) = split_once(rest, b' ') {
            let digits = rest.len() - after.len();
            let length = str::from_utf8(length).ok().and_then(|text| text.parse::<usize>().ok());
            let record = length.and_then(|length| length.checked_sub(digits)).and_then(|n| after.get(..n));
            let Some(record) = record else { return };
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            match split_once(record, b'=') {
                Some((b"path", value)) => self.name = Some(text::utf8(value)),
                Some((b"size", value)) => self.size = text::utf8(value).parse().ok(),
                _ => {}
            }
            rest = after.get(record.len() + 1..).unwrap_or_default();
        }
    }
}

fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_about_the_next_member_are_bounded_by_what_they_say() {
        let mut about = About::default();
        about.read(KIND_PAX, b"12 path=a/b\n19 size=4294967296\n");
        assert_eq!((about.name.as_deref(), about.size), (Some("a/b"), Some(1 << 32)));
        for bad in [&b"99999999999999999999 path=x\n"[..], b"1 path=x\n", b"0 a=b\n", b" \n", b"5 pa"] {
            let mut about = About::default();
            about.read(KIND_PAX, bad);
            assert_eq!((about.name, about.size), (None, None), "{bad:?}");
        }
    }
}
