//! Archives: which of their files are disks.

mod chunks;
mod members;

use std::sync::Arc;

use imsprep_ondisk::format::zip::MemberData;
use imsprep_ondisk::text;
use imsprep_source::{ReadAt, Result, SparseMap};

use crate::{Content, Fact, Format, Inside};

pub(crate) use members::{is_ovf, is_xva};

use self::chunks::join_chunks;
use self::members::{File, LOOKS_MAX, judge, look_into};

/// The disks in an archive, and what else is worth telling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// Whether it is an OVA.
    pub is_ovf: bool,
    /// Whether it is an export of XenServer or XCP-ng.
    pub is_xva: bool,
    /// Disks, and files that may hold one, in the archive's order.
    pub members: Vec<Member>,
    /// All regular files, in the archive's order.
    pub files: Vec<ArchiveFile>,
    /// What is wrong with the archive, and what was not looked at.
    pub facts: Vec<Fact>,
    /// Whether there are members that were not looked at, of which any may be a disk.
    pub has_more: bool,
}

/// Any file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Its name, byte by byte.
    pub name: Vec<u8>,
    /// Its bytes, as they are when it is unpacked.
    pub size: u64,
    /// Where they are in the archive, as they are stored; `None` if that is not known.
    pub map: Option<Arc<SparseMap>>,
    /// How a ZIP archive stores them; `None` of a tar archive, which stores them as they are.
    pub zip: Option<MemberData>,
}

impl ArchiveFile {
    /// Its name as text; of a long one the end.
    pub fn short_name(&self) -> String {
        text::end_of(&self.name)
    }

    /// Whether its name ends in this extension, in upper or lower case.
    pub fn has_extension(&self, extension: &str) -> bool {
        let name = String::from_utf8_lossy(&self.name).to_lowercase();
        name.strip_suffix(extension).is_some_and(|stem| stem.ends_with('.'))
    }
}

/// A disk, or what may hold one, in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, its size, and what it is.
    pub inside: Inside,
    /// What it is for a reader of disks.
    pub role: Role,
    /// How it is stored in chunks, if it is.
    pub chunks: Option<Chunks>,
    /// Where its bytes are in the archive, as they are stored; `None` if that is not known.
    pub map: Option<Arc<SparseMap>>,
    /// How a ZIP archive stores them; `None` of a tar archive, which stores them as they are.
    pub zip: Option<MemberData>,
    /// What the file is compressed with, if that holds a disk: a `disk.vmdk.gz` is a disk in gzip.
    pub wrapper: Option<Format>,
}

impl Member {
    /// What the disk is: of a compressed file its content.
    pub fn content(&self) -> &Content {
        match (&self.inside.content, self.wrapper) {
            (outer @ Content::Found { facts, .. }, Some(_)) => content_of(facts).unwrap_or(outer),
            (content, _) => content,
        }
    }
}

/// What a compressed file holds.
fn content_of(facts: &[Fact]) -> Option<&Content> {
    facts.iter().find_map(|fact| match fact {
        Fact::Inside(inside) => Some(&inside.content),
        _ => None,
    })
}

/// How a file is stored in chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// By an OVF: files with numbers for extensions, which make the file when they are joined.
    Ovf,
    /// By an XVA: a folder of files of 1 MiB with numbers for names. Numbers that are left out stand for zeros.
    Xva,
}

/// What a file in an archive is for a reader of disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A disk, by its content, its name, or because there is nothing else that could be.
    Disk,
    /// A CD beside the disks; a disk if there is no other.
    Cd,
    /// No disk as it is there: compressed, an archive, in chunks, or not what its name says.
    Other,
}

/// A file in an archive, as the archive lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name as it stands in the archive.
    pub(crate) name: Vec<u8>,
    /// Its bytes, with holes, as they are when it is unpacked.
    pub(crate) size: u64,
    /// Where its bytes are, as they are stored, or why that is not known.
    pub(crate) data: std::result::Result<SparseMap, String>,
    /// How a ZIP archive stores them.
    pub(crate) zip: Option<MemberData>,
}

/// What the list of an archive's files shows.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Entry>,
    /// What is wrong with the archive, and what of it was not read.
    pub(crate) facts: Vec<Fact>,
    /// Whether there are files that are not listed.
    pub(crate) has_more: bool,
}

/// Finds the disks among the files of an archive.
pub(crate) fn look(source: &dyn ReadAt, listing: Listing) -> Result<Archive> {
    let Listing { entries, facts, has_more } = listing;
    let mut found = Archive { facts, has_more, ..Archive::default() };
    let mut files = Vec::new();
    for entry in entries {
        let (name, zip) = (entry.name.clone(), entry.zip);
        let file = File::new(entry);
        let size = file.inside.size.unwrap_or(0);
        found.files.push(ArchiveFile { name, size, map: file.map.clone(), zip });
        found.is_ovf |= is_ovf(&file.lower);
        found.is_xva |= is_xva(&file.lower);
        files.extend((!file.is_companion()).then_some(file));
    }
    let mut files = join_chunks(files);
    let unseen = look_into(source, &mut files)?;
    if unseen > 0 {
        found.has_more = true;
        let why = format!(
            "{unseen} smaller members: only the {LOOKS_MAX} that are most likely disks were inspected"
        );
        found.facts.push(Fact::NotLookedAt(why));
    }
    let has_more = found.has_more;
    found.members = judge(files, has_more);
    Ok(found)
}
