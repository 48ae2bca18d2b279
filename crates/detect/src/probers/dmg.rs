//! Apple disk images.

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::format::dmg::{ENCRYPTED_MAGIC, Trailer};
use imsprep_source::Result;

use crate::candidate::{Candidate, SignaturePosition};
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe_encrypted(input: &Input<'_>) -> Result<Option<Candidate>> {
    Ok(input.starts_with(&ENCRYPTED_MAGIC).then(|| {
        let mut found = Candidate::new(Format::Dmg).variant("encrypted");
        found.facts.push(Fact::Encrypted("Apple disk image"));
        found
    }))
}

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let bytes = input.tail_array(Trailer::SIZE as u64)?;
    let trailer = bytes.map(|bytes| Trailer::decode(&bytes));
    // Four letters alone could be chance in a disk's last sector; the trailer's own size behind them is not.
    let trailer = trailer.filter(|trailer| {
        trailer.magic == Trailer::MAGIC && u64::from(trailer.header_size) == Trailer::SIZE as u64
    });
    let Some(trailer) = trailer else { return Ok(None) };
    let mut found = Candidate::new(Format::Dmg).variant("udif");
    found.place = SignaturePosition::End;
    found.virtual_size = trailer.sectors.checked_mul(SECTOR);
    if found.virtual_size.is_none() {
        found.damaged("the size of the disk is out of range");
    }
    found.check_size();
    if trailer.segments > 1 {
        found.facts.push(Fact::ExternalDataFile(None));
    }
    let before = input.size().saturating_sub(Trailer::SIZE as u64);
    found.check_within("the data", (trailer.data_offset, trailer.data_length), before);
    found.check_within("the list of blocks", (trailer.xml_offset, trailer.xml_length), before);
    Ok(Some(found))
}
