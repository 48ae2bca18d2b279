//! qcow, which is version 1 under qcow2's magic.

use imsprep_ondisk::format::qcow::{CRYPT_AES, CRYPT_NONE, MAGIC, QcowHeader};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let Some(bytes) = input.head_array(0) else { return Ok(None) };
    let header = QcowHeader::decode(&bytes);
    if header.magic != MAGIC || header.version != 1 {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Qcow).variant("v1").virtual_size(header.size);
    found.check_size();
    if header.backing_file_offset != 0 {
        let length = u64::from(header.backing_file_size).min(text::MAX as u64);
        let name = text::utf8(&input.read(header.backing_file_offset, length)?);
        found.facts.push(Fact::BackingFile(name));
    }
    match header.crypt_method {
        CRYPT_NONE => {}
        CRYPT_AES => found.facts.push(Fact::Encrypted("AES")),
        _ => found.facts.push(Fact::Encrypted("unknown method")),
    }
    if !(9..=16).contains(&header.cluster_bits) {
        found.damaged(format!("cluster_bits is {}, not 9 to 16", header.cluster_bits));
    }
    Ok(Some(found))
}
