//! LUKS, an encrypted volume without a partition table.

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::format::container::{LUKS_MAGIC, LUKS2_BINARY_SIZE, LuksHeader};
use imsprep_source::Result;
use serde_json::Value;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Bytes of version 2's header that are read; cryptsetup makes 16 KiB, and the largest allowed is 4 MiB.
const HEADER_MAX: u64 = 64 << 10;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let Some(bytes) = input.head_array(0) else { return Ok(None) };
    let header = LuksHeader::decode(&bytes);
    if header.magic != LUKS_MAGIC {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Luks);
    let data = match header.version {
        1 => {
            found.variant = Some("v1");
            found.facts.push(Fact::Encrypted("LUKS1"));
            Some((u64::from(header.payload_offset) * SECTOR, None))
        }
        2 => {
            found.variant = Some("v2");
            found.facts.push(Fact::Encrypted("LUKS2"));
            segment(input, &header)?
        }
        other => {
            found.facts.push(Fact::Encrypted("LUKS"));
            found.damaged(format!("version {other} is unknown"));
            return Ok(Some(found));
        }
    };
    let Some((offset, length)) = data else {
        found.damaged("the header has no offset of the encrypted data");
        return Ok(Some(found));
    };
    found.virtual_size = length.or_else(|| input.known_size()?.checked_sub(offset));
    found.check_within("what comes before the encrypted data", (0, offset), input.size());
    found.check_within("the encrypted data", (offset, length.unwrap_or(0)), input.size());
    Ok(Some(found))
}

/// Version 2: byte offset and size of the first data segment, from the JSON area. No size: it goes to the end.
fn segment(input: &Input<'_>, header: &LuksHeader) -> Result<Option<(u64, Option<u64>)>> {
    let length = header.header_size.min(HEADER_MAX).saturating_sub(LUKS2_BINARY_SIZE);
    let area = input.read(LUKS2_BINARY_SIZE, length)?;
    let json = area.split(|byte| *byte == 0).next().unwrap_or_default();
    let Ok(json) = serde_json::from_slice::<Value>(json) else { return Ok(None) };
    let number = |value: Option<&Value>| value?.as_str()?.parse::<u64>().ok();
    let segment = json.get("segments").and_then(|segments| segments.get("0"));
    let offset = number(segment.and_then(|segment| segment.get("offset")));
    let size = number(segment.and_then(|segment| segment.get("size")));
    Ok(offset.map(|offset| (offset, size)))
}
