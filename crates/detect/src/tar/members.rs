//! Which files of an archive are disks.

use std::cmp::Reverse;
use std::sync::Arc;

use imsprep_ondisk::text;
use imsprep_source::{ReadAt, Result, Sparse, SparseMap};

use super::forward::Seeking;
use super::walk::{Entry, Stop, Walk};
use crate::inside::{look_at, look_at_part};
use crate::{Access, Content, Fact, Format, Inside};

/// Members that are inspected, each with a few hundred KiB of reading at most.
const LOOKS_MAX: usize = 16;
/// Bytes of a member by which a text is known.
const TEXT: usize = 4096;
/// What an OVA has besides disks. Not inspected.
const COMPANIONS: [&str; 4] = [".ovf", ".mf", ".cert", ".xml"];

/// The disks in a tar archive, and what else is worth telling.
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

/// Any file in a tar archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Its name, byte by byte.
    pub name: Vec<u8>,
    /// Its bytes.
    pub size: u64,
    /// Where they are in the archive; `None` if that is not known.
    pub map: Option<Arc<SparseMap>>,
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

/// A disk, or what may hold one, in a tar archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, its size, and what it is.
    pub inside: Inside,
    /// What it is for a reader of disks.
    pub role: Role,
    /// How it is stored in chunks, if it is.
    pub chunks: Option<Chunks>,
    /// Where its bytes are in the archive; `None` if that is not known.
    pub map: Option<Arc<SparseMap>>,
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

/// The first file of an XVA is the description of the machine.
pub(super) fn is_xva(lower: &str) -> bool {
    lower == "ova.xml"
}

pub(super) fn is_ovf(lower: &str) -> bool {
    has_end(lower, &[".ovf"])
}

fn has_end(lower: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| lower.ends_with(end))
}

pub(super) fn look(source: &dyn ReadAt) -> Result<Archive> {
    let mut found = Archive::default();
    let mut files = Vec::new();
    let mut walk = Walk::new(Seeking::new(source));
    loop {
        match walk.next() {
            Ok(Some(entry)) => {
                let name = entry.name.clone();
                let file = File::new(entry);
                let size = file.inside.size.unwrap_or(0);
                found.files.push(ArchiveFile { name, size, map: file.map.clone() });
                found.is_ovf |= is_ovf(&file.lower);
                found.is_xva |= is_xva(&file.lower);
                files.extend((!file.is_companion()).then_some(file));
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

/// Digits of the number of a chunk.
const OVF_DIGITS: usize = 9;
const XVA_DIGITS: usize = 8;

/// A file on its way to a judgement.
struct File {
    lower: String,
    inside: Inside,
    map: Option<Arc<SparseMap>>,
    is_text: bool,
    chunks: Option<Chunks>,
    /// Not inspected, or not to be.
    is_closed: bool,
}

impl File {
    fn new(entry: Entry) -> Self {
        let Entry { name, size, data } = entry;
        let lower = String::from_utf8_lossy(&name).to_lowercase();
        let (map, content) = match data {
            Ok(map) => (Some(Arc::new(map)), Content::Nothing),
            Err(why) => (None, Content::NotLookedAt(why)),
        };
        let inside = Inside { name: Some(text::end_of(&name)), size: Some(size), content };
        Self { lower, inside, is_closed: map.is_none(), map, is_text: false, chunks: None }
    }

    /// Empty, or what belongs to disks and is none. Resource forks of macOS are called like the file that they are of.
    fn is_companion(&self) -> bool {
        let base = self.lower.rsplit('/').next().unwrap_or_default();
        self.inside.size == Some(0) || has_end(&self.lower, &COMPANIONS) || base.starts_with("._")
    }

    fn is_named_disk(&self) -> bool {
        is_raw_name(&self.lower) || is_format_name(&self.lower)
    }

    /// The name of the whole file, if this is a chunk of one: `disk.vmdk` of `disk.vmdk.000000000` (DSP0243, 7.1), `Ref:4` of
    /// `Ref:4/00000000`.
    fn chunk(&self) -> Option<(&str, Chunks)> {
        let is_number =
            |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some((folder, _)) = self.lower.rsplit_once('/').filter(|(_, base)| is_number(base, XVA_DIGITS))
        {
            let reference = folder.rsplit('/').next().and_then(|last| last.strip_prefix("ref:"));
            let is_xva =
                reference.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
            return is_xva.then_some((folder, Chunks::Xva));
        }
        let (stem, _) = self.lower.rsplit_once('.').filter(|(_, digits)| is_number(digits, OVF_DIGITS))?;
        (!stem.is_empty()).then_some((stem, Chunks::Ovf))
    }
}

/// Makes one file of those that an OVF or an XVA has split, in the place of the first.
fn join_chunks(files: Vec<File>) -> Vec<File> {
    let mut joined = Vec::<File>::new();
    let mut whole = Vec::<(String, usize, u64)>::new();
    for mut file in files {
        let Some((stem, chunks)) = file.chunk().map(|(stem, chunks)| (stem.to_owned(), chunks)) else {
            joined.push(file);
            continue;
        };
        file.chunks = Some(chunks);
        let suffix = match chunks {
            Chunks::Ovf => OVF_DIGITS + 1,
            Chunks::Xva => XVA_DIGITS + 1,
        };
        let size = file.inside.size.unwrap_or(0);
        match whole.iter_mut().find(|(known, ..)| *known == stem) {
            Some((_, place, count)) => {
                *count += 1;
                if let Some(inside) = joined.get_mut(*place).map(|file| &mut file.inside) {
                    inside.size = inside.size.and_then(|sum| sum.checked_add(size));
                }
            }
            None => {
                whole.push((stem.clone(), joined.len(), 1));
                let name = file.inside.name.as_mut();
                if let Some(name) = name {
                    name.truncate(name.len().saturating_sub(suffix));
                }
                (file.lower, file.is_closed, file.map) = (stem, true, None);
                joined.push(file);
            }
        }
    }
    for (_, place, count) in whole {
        if let Some(file) = joined.get_mut(place) {
            file.inside.content = Content::NotLookedAt(match file.chunks {
                Some(Chunks::Xva) => format!(
                    "a disk of an XVA in {count} chunks of 1 MiB: the chunks that are left out contain only zeros"
                ),
                _ => format!(
                    "a file of an OVF in {count} chunks (.000000000 and up): they must be joined in the order of their \
                     numbers"
                ),
            });
            if file.chunks == Some(Chunks::Xva) {
                // The chunks that are left out count, too.
                file.inside.size = None;
            }
        }
    }
    joined
}

/// Reads the files that are disks most likely. Returns how many were left out.
fn look_into(source: &dyn ReadAt, files: &mut [File]) -> Result<usize> {
    let mut order = (0..files.len()).collect::<Vec<_>>();
    order.retain(|n| files.get(*n).is_some_and(|file| !file.is_closed));
    order.sort_by_key(|n| files.get(*n).map(|file| Reverse((file.is_named_disk(), file.inside.size))));
    for n in order.iter().take(LOOKS_MAX) {
        let Some(file) = files.get_mut(*n) else { continue };
        let Some(map) = file.map.clone() else { continue };
        if map.end_in_source() <= source.size() {
            let disk = Sparse::new(source, map);
            let mut start = vec![0; TEXT.min(usize::try_from(disk.size()).unwrap_or(TEXT))];
            disk.read_at(&mut start, 0)?;
            file.is_text = is_text(&start);
            file.inside.content = look_at(&disk)?;
        } else if let Some(offset) = map.as_plain().filter(|offset| *offset < source.size()) {
            // What is there of it is known by its start as well.
            file.inside.content = look_at_part(source, offset, source.size() - offset)?;
        } else {
            file.inside.content = Content::NotLookedAt("the archive is truncated".into());
        }
    }
    let unseen = order.get(LOOKS_MAX..).unwrap_or_default();
    for n in unseen {
        if let Some(file) = files.get_mut(*n) {
            file.is_closed = true;
        }
    }
    Ok(unseen.len())
}

/// Letters, lines, tabs: what no disk begins with. In UTF-8, or mostly in ASCII.
fn is_text(bytes: &[u8]) -> bool {
    let is_plain = bytes.iter().all(|byte| matches!(byte, b'\t'..=b'\r' | 0x1b | b' '..=b'~' | 0x80..));
    // A character may be cut off at the end.
    let is_utf8 = str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_plain && (is_utf8 || bytes.iter().filter(|byte| byte.is_ascii()).count() > bytes.len() / 2)
}

/// Which are disks, and which of the others are worth telling. Any archive may have texts and programs in it.
fn judge(files: Vec<File>, has_more: bool) -> Vec<Member> {
    let is_nothing = |file: &File| file.inside.content == Content::Nothing;
    let told = |file: &&File| !is_nothing(file) || (file.is_named_disk() && !file.is_closed);
    let is_alone = !has_more && files.iter().filter(told).count() == 0;
    let nameless = files.iter().filter(|file| is_nothing(file) && !file.is_text).count();
    let is_only = |file: &File| is_alone && nameless == 1 && is_nothing(file) && !file.is_text;
    let kept = files.into_iter().filter_map(|file| {
        let is_only = is_only(&file);
        let is_told = told(&&file);
        let File { lower, mut inside, map, chunks, .. } = file;
        let role = match &inside.content {
            Content::Found { format, .. } => role_of(*format),
            Content::NotLookedAt(_) => Role::Other,
            Content::Nothing if lower.ends_with(".iso") && !is_only => Role::Cd,
            Content::Nothing if is_raw_name(&lower) || is_only => Role::Disk,
            Content::Nothing if is_format_name(&lower) => {
                let why = "its content does not have the format of its extension";
                inside.content = Content::NotLookedAt(why.into());
                Role::Other
            }
            Content::Nothing => return None,
        };
        (is_told || is_only).then_some(Member { inside, role, chunks, map })
    });
    kept.collect()
}

fn role_of(format: Format) -> Role {
    match format.access() {
        _ if format == Format::Iso9660 => Role::Cd,
        Access::Plain | Access::Container | Access::Own(_) | Access::Qemu(_) => Role::Disk,
        _ => Role::Other,
    }
}

/// Whether it is the name, in lower case, of a raw disk, which may well hold nothing known.
fn is_raw_name(lower: &str) -> bool {
    has_end(lower, &[".img", ".dd", "-flat.vmdk"])
        || matches!(format_of_name(lower), Some(Format::Raw | Format::Iso9660))
}

/// Whether it is that of a format that is known by its content: without it the file is none.
fn is_format_name(lower: &str) -> bool {
    lower.ends_with(".ova")
        || format_of_name(lower).is_some_and(|format| {
            matches!(format.access(), Access::Container | Access::Own(_) | Access::Qemu(_))
        })
}

fn format_of_name(lower: &str) -> Option<Format> {
    lower.rsplit_once('.').and_then(|(_, extension)| Format::of_extension(extension))
}
