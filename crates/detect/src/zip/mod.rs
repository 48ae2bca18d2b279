//! ZIP archives.

mod descriptor;
mod directory;
#[cfg(test)]
mod tests;

use imsprep_ondisk::format::zip::{ENTRY_MAGIC, EndOfDirectory, MAGICS};
use imsprep_source::{ReadAt, Result};

use crate::archive::{self, Archive};
use crate::candidate::{Candidate, SignaturePosition};
use crate::input::{Input, Level};
use crate::{Fact, Format};
use crate::{content, partitions};

/// What is in the ZIP archive: its disks, and what else [`detect`](crate::detect) reports.
///
/// # Errors
///
/// If the source can't be read. What is wrong with the archive is in [`Archive::facts`].
pub fn look_into_zip(source: &dyn ReadAt) -> Result<Archive> {
    archive::look(source, directory::list(source)?)
}

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let is_at_start = MAGICS.iter().any(|magic| input.starts_with(magic));
    if !is_at_start && (input.level() != Level::File || !ends_as_archive(input)?) {
        return Ok(None);
    }
    let mut found = Candidate::new(Format::Zip);
    if !is_at_start {
        found.place = SignaturePosition::End;
    }
    if let (Level::File, Some(source)) = (input.level(), input.source()) {
        let archive = look_into_zip(source)?;
        found.facts = archive.facts;
        found.facts.extend(archive.members.into_iter().map(|member| Fact::Inside(member.inside)));
    }
    Ok(Some(found))
}

/// Whether the file ends in a directory without a comment: a program that unpacks itself does, for one. A disk may end in a file that does.
fn ends_as_archive(input: &Input<'_>) -> Result<bool> {
    let end = input.tail_array(EndOfDirectory::SIZE as u64)?.map(|bytes| EndOfDirectory::decode(&bytes));
    let Some(end) = end.filter(|end| end.magic == EndOfDirectory::MAGIC && end.comment_length == 0) else {
        return Ok(false);
    };
    let before = EndOfDirectory::SIZE as u64 + u64::from(end.directory_size);
    let is_archive = input.tail_array::<4>(before)? == Some(ENTRY_MAGIC);
    Ok(is_archive && partitions::evidence(input).is_none() && content::evidence(input).is_empty())
}
