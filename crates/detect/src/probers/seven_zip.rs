//! 7z archives, which are recognised and not unpacked.

use imsprep_ondisk::format::zip::{SEVEN_ZIP_HEADER_SIZE, SEVEN_ZIP_LIST_OFFSET, SEVEN_ZIP_MAGIC};
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Where the list of members is, behind the header, and its bytes.
fn list(bytes: [u8; 16]) -> [u64; 2] {
    let number = u128::from_le_bytes(bytes);
    [number & u128::from(u64::MAX), number >> 64].map(|part| u64::try_from(part).unwrap_or(u64::MAX))
}

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    Ok(input.starts_with(&SEVEN_ZIP_MAGIC).then(|| {
        let mut found = Candidate::new(Format::SevenZip);
        // Its list of members is compressed itself, with any of a dozen methods.
        found.facts.push(Fact::NotLookedAt("its members: 7z archives are not unpacked".into()));
        if let Some([offset, length]) = input.head_array(SEVEN_ZIP_LIST_OFFSET).map(list) {
            let place = (SEVEN_ZIP_HEADER_SIZE.saturating_add(offset), length);
            found.check_within("the list of members", place, input.size());
        }
        found
    }))
}
