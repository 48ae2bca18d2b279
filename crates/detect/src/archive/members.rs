//! Which files of an archive are disks.

use std::cmp::Reverse;
use std::sync::Arc;

use imsprep_ondisk::format::zip::{MemberData, Method};
use imsprep_ondisk::text;
use imsprep_source::{ReadAt, Result, Sparse, SparseMap};

use super::{Chunks, Entry, Member, Role, content_of};
use crate::expand::{Codec, first_bytes, may_expand};
use crate::inside::{look_at, look_at_head, look_at_part, look_into_compressed, look_into_compressed_head};
use crate::{Access, Content, Format, Inside};

/// Members that are inspected, each with a few hundred KiB of reading at most.
pub(super) const LOOKS_MAX: usize = 16;
/// Bytes of a member by which a text is known.
const TEXT: usize = 4096;
/// What an OVA has besides disks. Not inspected.
const COMPANIONS: [&str; 4] = [".ovf", ".mf", ".cert", ".xml"];

/// The first file of an XVA is the description of the machine.
pub(crate) fn is_xva(lower: &str) -> bool {
    lower == "ova.xml"
}

pub(crate) fn is_ovf(lower: &str) -> bool {
    has_end(lower, &[".ovf"])
}

fn has_end(lower: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| lower.ends_with(end))
}

/// A file on its way to a judgement.
pub(super) struct File {
    pub(super) lower: String,
    pub(super) inside: Inside,
    pub(super) map: Option<Arc<SparseMap>>,
    pub(super) zip: Option<MemberData>,
    pub(super) is_text: bool,
    pub(super) chunks: Option<Chunks>,
    /// Not inspected, or not to be.
    pub(super) is_closed: bool,
}

impl File {
    pub(super) fn new(entry: Entry) -> Self {
        let Entry { name, size, data, zip } = entry;
        let lower = String::from_utf8_lossy(&name).to_lowercase();
        let (map, content) = match data {
            Ok(map) => (Some(Arc::new(map)), Content::Nothing),
            Err(why) => (None, Content::NotLookedAt(why)),
        };
        let inside = Inside { name: Some(text::end_of(&name)), size: Some(size), content };
        Self { lower, inside, is_closed: map.is_none(), map, zip, is_text: false, chunks: None }
    }

    /// Empty, or what belongs to disks and is none. Resource forks of macOS are called like the file that they are of.
    pub(super) fn is_companion(&self) -> bool {
        let base = self.lower.rsplit('/').next().unwrap_or_default();
        self.inside.size == Some(0) || has_end(&self.lower, &COMPANIONS) || base.starts_with("._")
    }

    fn is_named_disk(&self) -> bool {
        let lower = without_wrapper(&self.lower);
        is_raw_name(lower) || is_format_name(lower)
    }
}

/// Reads the files that are disks most likely. Returns how many were left out.
pub(super) fn look_into(source: &dyn ReadAt, files: &mut [File]) -> Result<usize> {
    let mut order = (0..files.len()).collect::<Vec<_>>();
    order.retain(|n| files.get(*n).is_some_and(|file| !file.is_closed));
    order.sort_by_key(|n| files.get(*n).map(|file| Reverse((file.is_named_disk(), file.inside.size))));
    for n in order.iter().take(LOOKS_MAX) {
        let Some(file) = files.get_mut(*n) else { continue };
        let Some(map) = file.map.clone() else { continue };
        if file.zip.is_some_and(|zip| zip.method != Method::Stored) {
            look_into_packed(source, file, map)?;
        } else if map.end_in_source() <= source.size() {
            let disk = Sparse::new(source, map);
            let mut start = vec![0; TEXT.min(usize::try_from(disk.size()).unwrap_or(TEXT))];
            disk.read_at(&mut start, 0)?;
            file.is_text = is_text(&start);
            file.inside.content = look_at(&disk)?;
            if is_expanded(&file.inside.content) {
                file.inside.content = look_into_compressed(&disk)?;
            }
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

/// Looks at the first bytes of a member that a ZIP archive stores compressed.
fn look_into_packed(source: &dyn ReadAt, file: &mut File, map: Arc<SparseMap>) -> Result<()> {
    let codec = match file.zip.map(|zip| zip.method) {
        Some(Method::Deflate) => Codec::Deflate,
        Some(Method::Bzip2) => Codec::Bzip2,
        Some(Method::Zstd) => Codec::Zstd,
        Some(Method::Stored) | None => return Ok(()),
    };
    file.inside.content = match first_bytes(&Sparse::new(source, map), codec)? {
        Ok(mut start) => {
            // What is more than its size is damage, which is found when all of it is read.
            start.truncate(
                file.inside.size.and_then(|size| usize::try_from(size).ok()).unwrap_or(start.len()),
            );
            file.is_text = is_text(start.get(..TEXT).unwrap_or(&start));
            let content = look_at_head(start.clone())?;
            if is_expanded(&content) { look_into_compressed_head(start)? } else { content }
        }
        Err(why) => Content::NotLookedAt(why),
    };
    Ok(())
}

/// Whether it is compressed in a way that is expanded.
fn is_expanded(content: &Content) -> bool {
    matches!(content, Content::Found { format, .. } if may_expand(*format))
}

/// Letters, lines, tabs: what no disk begins with. In UTF-8, or mostly in ASCII.
fn is_text(bytes: &[u8]) -> bool {
    let is_plain = bytes.iter().all(|byte| matches!(byte, b'\t'..=b'\r' | 0x1b | b' '..=b'~' | 0x80..));
    // A character may be cut off at the end.
    let is_utf8 = str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true);
    is_plain && (is_utf8 || bytes.iter().filter(|byte| byte.is_ascii()).count() > bytes.len() / 2)
}

/// Which are disks, and which of the others are worth telling. Any archive may have texts and programs in it.
pub(super) fn judge(files: Vec<File>, has_more: bool) -> Vec<Member> {
    let is_nothing = |file: &File| file.inside.content == Content::Nothing;
    let told = |file: &&File| !is_nothing(file) || (file.is_named_disk() && !file.is_closed);
    let is_alone = !has_more && files.iter().filter(told).count() == 0;
    let nameless = files.iter().filter(|file| is_nothing(file) && !file.is_text).count();
    let is_only = |file: &File| is_alone && nameless == 1 && is_nothing(file) && !file.is_text;
    let kept = files.into_iter().filter_map(|file| {
        let is_only = is_only(&file);
        let is_told = told(&&file);
        let File { lower, mut inside, map, zip, chunks, .. } = file;
        let mut wrapper = None;
        let role = match &inside.content {
            // The legacy form of LZ4 has no end that shows, and is not expanded.
            Content::Found { format, variant, facts, .. }
                if may_expand(*format) && *variant != Some("legacy") =>
            {
                let role = role_in_wrapper(without_wrapper(&lower), content_of(facts));
                wrapper = (role != Role::Other).then_some(*format);
                role
            }
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
        (is_told || is_only).then_some(Member { inside, role, chunks, map, zip, wrapper })
    });
    kept.collect()
}

/// What a compressed file is for a reader of disks. One that shows nothing known is a disk by its name.
fn role_in_wrapper(lower: &str, content: Option<&Content>) -> Role {
    match content {
        Some(Content::Found { format, .. }) => role_of(*format),
        Some(Content::Nothing) if is_raw_name(lower) => Role::Disk,
        _ => Role::Other,
    }
}

/// The name without the extension of a compressor.
fn without_wrapper(lower: &str) -> &str {
    let (stem, extension) = lower.rsplit_once('.').unwrap_or((lower, ""));
    if Format::of_extension(extension).is_some_and(may_expand) { stem } else { lower }
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
