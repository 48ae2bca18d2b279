//! tar archives and OVAs.

mod forward;
mod maps;
mod members;
mod records;
#[cfg(test)]
mod tests;
mod walk;

use imsprep_ondisk::format::tar::Header;
use imsprep_ondisk::text;
use imsprep_source::{ReadAt, Result};

pub use members::{Archive, ArchiveFile, Chunks, Member, Role};

use crate::candidate::{Candidate, SignaturePosition};
use crate::input::{Input, Level};
use crate::{Fact, Format};

/// What is in the tar archive: its disks, and what else [`detect`](crate::detect) reports.
///
/// # Errors
///
/// If the source can't be read. What is wrong with the archive is in [`Archive::facts`].
pub fn look_into_tar(source: &dyn ReadAt) -> Result<Archive> {
    members::look(source)
}

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let first = input.head_array(0).map(|bytes| Header::decode(&bytes));
    let Some(first) = first.filter(Header::begins_archive) else { return Ok(None) };
    let mut found = Candidate::new(Format::Tar);
    // Magic and checksum are in the middle of the sector: a format that has its sign at the start is what readers see first.
    found.place = SignaturePosition::Inside;
    match (input.level(), input.source()) {
        (Level::File, Some(source)) => {
            let archive = members::look(source)?;
            found.variant = variant(archive.is_ovf, archive.is_xva);
            found.facts = archive.facts;
            found.facts.extend(archive.members.into_iter().map(|member| Fact::Inside(member.inside)));
        }
        _ => {
            let name = text::utf8(&first.path()).to_ascii_lowercase();
            found.variant = variant(members::is_ovf(&name), members::is_xva(&name));
        }
    }
    Ok(Some(found))
}

fn variant(is_ovf: bool, is_xva: bool) -> Option<&'static str> {
    match (is_ovf, is_xva) {
        (true, _) => Some("ova"),
        (_, true) => Some("xva"),
        _ => None,
    }
}
