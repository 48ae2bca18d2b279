//! tar archives and OVAs.

mod forward;
mod maps;
mod records;
#[cfg(test)]
mod tests;
mod walk;

use imsprep_ondisk::format::tar::Header;
use imsprep_ondisk::text;
use imsprep_source::{ReadAt, Result};

use crate::archive::{self, Archive, Listing, is_ovf, is_xva};
use crate::candidate::{Candidate, SignaturePosition};
use crate::input::{Input, Level};
use crate::{Fact, Format};

use self::forward::Seeking;
use self::walk::{Entry, Stop, Walk};

/// What is in the tar archive: its disks, and what else [`detect`](crate::detect) reports.
///
/// # Errors
///
/// If the source can't be read. What is wrong with the archive is in [`Archive::facts`].
pub fn look_into_tar(source: &dyn ReadAt) -> Result<Archive> {
    look(source)
}

fn look(source: &dyn ReadAt) -> Result<Archive> {
    archive::look(source, list(source)?)
}

/// The files of the archive.
fn list(source: &dyn ReadAt) -> Result<Listing> {
    let mut found = Listing::default();
    let mut walk = Walk::new(Seeking::new(source));
    loop {
        match walk.next() {
            Ok(Some(Entry { name, size, data })) => {
                found.entries.push(archive::Entry { name, size, data, zip: None });
            }
            Ok(None) => break,
            Err(Stop::Source(error)) => return Err(error),
            Err(Stop::Damaged { offset, what }) => {
                found.facts.push(Fact::Damaged(format!("{what}, at offset {offset}")));
                break;
            }
            Err(Stop::Cut(what)) => {
                found.facts.push(Fact::OutsideFile(what));
                break;
            }
            Err(Stop::Unread(what)) => {
                found.facts.push(Fact::NotLookedAt(what));
                found.has_more = true;
                break;
            }
        }
    }
    Ok(found)
}

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let first = input.head_array(0).map(|bytes| Header::decode(&bytes));
    let Some(first) = first.filter(Header::begins_archive) else { return Ok(None) };
    let mut found = Candidate::new(Format::Tar);
    // Magic and checksum are in the middle of the sector: a format that has its sign at the start is what readers see first.
    found.place = SignaturePosition::Inside;
    match (input.level(), input.source()) {
        (Level::File, Some(source)) => {
            let archive = look(source)?;
            found.variant = variant(archive.is_ovf, archive.is_xva);
            found.facts = archive.facts;
            found.facts.extend(archive.members.into_iter().map(|member| Fact::Inside(member.inside)));
        }
        _ => {
            let name = text::utf8(&first.path()).to_ascii_lowercase();
            found.variant = variant(is_ovf(&name), is_xva(&name));
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
