//! WIM.

use imsprep_ondisk::format::wim::{Header, MAGIC, MAGIC_PIPABLE};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let is_pipable = input.starts_with(&MAGIC_PIPABLE);
    if !is_pipable && !input.starts_with(&MAGIC) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Wim);
    found.variant = is_pipable.then_some("pipable");
    match input.head_array(0).map(|bytes| Header::decode(&bytes)) {
        Some(header) if header.parts > 1 => found.facts.push(Fact::ExternalDataFile(None)),
        Some(_) => {}
        None => found.damaged("the file ends inside the header"),
    }
    Ok(Some(found))
}
