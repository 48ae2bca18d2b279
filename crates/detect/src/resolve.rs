//! From what the probers say to one answer.

use imsprep_source::{ReadAt, Result};

use crate::candidate::{Body, Candidate};
use crate::input::{Input, Level};
use crate::probers::PROBERS;
use crate::{Detection, Evidence, Fact, Format, content, only_text, partitions};

/// Which format the source has, by its content.
///
/// # Errors
///
/// If the source can't be read. A file that is too short for what it claims to be is no error but a
/// [`Fact::Damaged`] or a [`Fact::OutsideFile`].
pub fn detect(source: &dyn ReadAt) -> Result<Detection> {
    resolve(&Input::new(source, Level::File)?)
}

/// The same of something that is read once, in order, of which these are the first bytes. Where the format or the size of the disk shows
/// only at its end, that is not known, and of a file that is compressed it is not known what is in it. The size is [`u64::MAX`]: it has no
/// end yet.
///
/// # Errors
///
/// None: nothing is read.
pub fn detect_start(head: Vec<u8>) -> Result<Detection> {
    resolve(&Input::of_head(head))
}

/// The same for what is at hand already.
pub(crate) fn resolve(input: &Input<'_>) -> Result<Detection> {
    if input.size() == 0 {
        return Ok(detection(input, Candidate::new(Format::Empty).virtual_size(0)));
    }
    let mut candidates = Vec::new();
    for prober in PROBERS {
        candidates.extend(prober(input)?);
    }
    candidates.sort_by_key(|candidate| candidate.place);
    let mut candidates = candidates.into_iter();
    Ok(match candidates.next() {
        Some(first) => {
            let is_raw_too = first.body == Body::Other
                && (partitions::has_gpt(input) || content::beyond_first_sector(input));
            let mut found = detection(input, first);
            found.also = candidates.map(|candidate| candidate.format).collect();
            found.also.extend(is_raw_too.then_some(Format::Raw));
            found
        }
        None => raw(input)?,
    })
}

fn detection(input: &Input<'_>, candidate: Candidate) -> Detection {
    Detection {
        format: candidate.format,
        variant: candidate.variant,
        file_size: input.size(),
        virtual_size: candidate.virtual_size,
        facts: candidate.facts,
        also: Vec::new(),
        evidence: Vec::new(),
    }
}

fn raw(input: &Input<'_>) -> Result<Detection> {
    let mut found = detection(input, Candidate::new(Format::Raw).virtual_size(input.known_size()));
    found.evidence.extend(partitions::evidence(input));
    found.evidence.extend(content::evidence(input));
    if found.evidence.contains(&Evidence::Content("bitlocker")) {
        found.facts.push(Fact::Encrypted("BitLocker"));
    }
    if found.evidence.is_empty() && input.level() == Level::File && only_text::is_only_text(input)? {
        found.facts.push(Fact::OnlyText);
    }
    Ok(found)
}
