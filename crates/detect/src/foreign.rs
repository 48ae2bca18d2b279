//! Formats that are recognised so that they don't pass for raw, and no more.

use imsprep_ondisk::container::{DMG_TRAILER_MAGIC, DMG_TRAILER_SIZE, FOREIGN_MAGICS};
use imsprep_source::Result;

use crate::Format;
use crate::candidate::{Candidate, Place};
use crate::input::Input;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let start = FOREIGN_MAGICS.iter().find(|(_, magic)| input.starts_with(magic));
    if let Some((name, _)) = start {
        return Ok(Some(Candidate::new(Format::Other(name))));
    }
    let trailer = input.tail_array::<12>(u64::from(DMG_TRAILER_SIZE))?;
    // Four letters alone could be chance in a disk's last sector; the trailer's own size behind them is not.
    let is_dmg = trailer.is_some_and(|bytes| {
        bytes.starts_with(&DMG_TRAILER_MAGIC) && bytes.ends_with(&DMG_TRAILER_SIZE.to_be_bytes())
    });
    Ok(is_dmg.then(|| {
        let mut found = Candidate::new(Format::Other("dmg"));
        found.place = Place::End;
        found
    }))
}
