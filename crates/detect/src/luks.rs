//! LUKS, an encrypted volume without a partition table.

use imsprep_ondisk::container::{LUKS_MAGIC, LuksHeader};
use imsprep_ondisk::disk::SECTOR;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let Some(bytes) = input.head_array(0) else { return Ok(None) };
    let header = LuksHeader::decode(&bytes);
    if header.magic != LUKS_MAGIC {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Luks);
    match header.version {
        1 => {
            found.variant = Some("v1");
            found.facts.push(Fact::Encrypted("LUKS1"));
            found.virtual_size = input.size().checked_sub(u64::from(header.payload_offset) * SECTOR);
            if found.virtual_size.is_none() {
                found.damaged("the encrypted data starts beyond the end of the file");
            }
        }
        // Where the data starts is in version 2's JSON area, which nothing in an import asks for.
        2 => {
            found.variant = Some("v2");
            found.facts.push(Fact::Encrypted("LUKS2"));
        }
        other => {
            found.facts.push(Fact::Encrypted("LUKS"));
            found.damaged(format!("version {other} is unknown"));
        }
    }
    Ok(Some(found))
}
