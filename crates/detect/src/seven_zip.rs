//! 7z archives, which are recognised and not unpacked.

use imsprep_ondisk::zip::SEVEN_ZIP_MAGIC;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    Ok(input.starts_with(&SEVEN_ZIP_MAGIC).then(|| {
        let mut found = Candidate::new(Format::SevenZip);
        // Its list of members is compressed itself, with any of a dozen methods.
        found.facts.push(Fact::NotLookedAt("its members: a 7z archive is not unpacked".into()));
        found
    }))
}
