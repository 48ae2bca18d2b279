//! ZVHD2 and ZVHD. What is wrong inside them is for the checker of the container to say.

use imsprep_ondisk::format::zvhd2::{self, Footer, RECORD_PREFIX, VERSION_SEQUENTIAL};
use imsprep_source::Result;

use crate::candidate::{Body, Candidate, SignaturePosition};
use crate::input::Input;
use crate::{Fact, Format};

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let Some(head) = input.head_array::<{ Footer::SIZE }>(0) else {
        return Ok(input.starts_with(&zvhd2::COOKIE[..zvhd2::COOKIE_COMPARED]).then(|| {
            let mut cut = Candidate::new(Format::Zvhd2);
            cut.damaged("the file ends inside its first footer");
            cut
        }));
    };
    let is_sealed = |bytes: &[u8; Footer::SIZE], footer: &Footer| footer.checksum == zvhd2::checksum(bytes);
    let first = Footer::decode(&head);
    // The cookie is an ordinary English word; the checksum isn't.
    if first.is_v1() && is_sealed(&head, &first) {
        return Ok(Some(Candidate::new(Format::Zvhd).virtual_size(first.curr_size)));
    }
    let tail = input.tail_array::<{ Footer::SIZE }>(zvhd2::ALIGN)?;
    let end = tail.map(|bytes| (bytes, Footer::decode(&bytes)));
    let end = end.filter(|(bytes, end)| end.is_v2() && is_sealed(bytes, end)).map(|(_, end)| end);
    if !first.is_v2() && end.is_none() {
        // Records tell of a container that has lost both ends; as a RAW it would be a disk of rubbish.
        let records = input.head_array(zvhd2::ALIGN).is_some_and(|prefix| prefix == RECORD_PREFIX);
        return Ok(records.then(|| {
            let mut lost = Candidate::new(Format::Zvhd2);
            lost.damaged("it has records, but neither HEAD nor END footer");
            lost
        }));
    }
    let counts = end.as_ref().unwrap_or(&first);
    let mut found = Candidate::new(Format::Zvhd2).virtual_size(counts.curr_size);
    if counts.zvhd2_version == VERSION_SEQUENTIAL {
        found.variant = Some("sequential");
    }
    if first.is_v2() {
        // Behind the footer's 512 bytes there is uninitialised memory up to 4096: what looks like a disk there is chance.
        found.body = Body::Disk;
    } else {
        found.place = SignaturePosition::End;
        found.facts.push(Fact::Damaged("the HEAD footer is overwritten; only the END footer exists".into()));
    }
    Ok(Some(found))
}
