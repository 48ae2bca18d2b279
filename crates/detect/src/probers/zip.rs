//! ZIP archives: how many members, and what the first is.

use imsprep_ondisk::format::zip::{
    EXTRA_ZIP64, EndOfDirectory, FLAG_ENCRYPTED, FLAG_SIZES_FOLLOW, LocalHeader, MAGICS, METHOD_DEFLATE,
    METHOD_STORED, SIZE_IN_EXTRA,
};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::expand::{Codec, look_inside};
use crate::input::{Input, Level};
use crate::inside::look_at_part;
use crate::{Content, Fact, Format, Inside};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !MAGICS.iter().any(|magic| input.starts_with(magic)) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Zip);
    let header = input.head_array(0).map(|bytes| LocalHeader::decode(&bytes));
    let Some(header) = header.filter(|header| header.magic == LocalHeader::MAGIC) else {
        return Ok(Some(found));
    };
    if header.flags & FLAG_ENCRYPTED != 0 {
        found.facts.push(Fact::Encrypted("ZIP"));
    }
    if input.level() == Level::File {
        first_member(input, &header, &mut found)?;
        others(input, &mut found)?;
    }
    Ok(Some(found))
}

fn first_member(input: &Input<'_>, header: &LocalHeader, found: &mut Candidate) -> Result<()> {
    let name_at = LocalHeader::SIZE as u64;
    let extra_at = name_at + u64::from(header.name_length);
    let data_at = extra_at + u64::from(header.extra_length);
    let name = text::utf8(&input.read(name_at, u64::from(header.name_length).min(text::MAX as u64))?);
    if name.ends_with('/') {
        return Ok(());
    }
    let size = unpacked_size(header, &input.read(extra_at, header.extra_length.into())?);
    let content = match header.method {
        _ if header.flags & FLAG_ENCRYPTED != 0 => Content::NotLookedAt("it is encrypted".into()),
        METHOD_DEFLATE => look_inside(input, data_at, Codec::Deflate)?.1,
        METHOD_STORED => {
            let there = input.size().saturating_sub(data_at);
            let length = size.unwrap_or(there).min(there);
            match input.source() {
                Some(source) if length > 0 => look_at_part(source, data_at, length)?,
                _ => Content::NotLookedAt("it is empty".into()),
            }
        }
        method => Content::NotLookedAt(format!("its compression method {method} is not supported")),
    };
    found.facts.push(Fact::Inside(Inside { name: Some(name), size, content }));
    Ok(())
}

/// Bytes of the member when it is unpacked, if its header has it.
fn unpacked_size(header: &LocalHeader, mut extra: &[u8]) -> Option<u64> {
    match header.size {
        0 if header.flags & FLAG_SIZES_FOLLOW != 0 => None,
        SIZE_IN_EXTRA => loop {
            let (head, rest) = extra.split_first_chunk::<4>()?;
            let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_le_bytes);
            let (data, next) = rest.split_at_checked(length.into())?;
            if kind == EXTRA_ZIP64 {
                return data.first_chunk().map(|size| u64::from_le_bytes(*size));
            }
            extra = next;
        },
        size => Some(size.into()),
    }
}

fn others(input: &Input<'_>, found: &mut Candidate) -> Result<()> {
    let end = input.tail_array(EndOfDirectory::SIZE as u64)?.map(|bytes| EndOfDirectory::decode(&bytes));
    let members = end.filter(|end| end.magic == EndOfDirectory::MAGIC).map(|end| end.members);
    match members {
        Some(0 | 1) => {}
        Some(members) if members < u16::MAX => {
            let why =
                format!("the other {} members: only the first member of a ZIP is inspected", members - 1);
            found.facts.push(Fact::NotLookedAt(why));
        }
        _ => found.facts.push(Fact::NotLookedAt(
            "members after the first: only the first member of a ZIP is inspected".into(),
        )),
    }
    Ok(())
}
