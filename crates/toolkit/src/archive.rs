//! The disks in an archive.

use std::path::Path;
use std::sync::Arc;

use imsprep_detect::{
    Access, Archive, ArchiveFile, Chunks, Content, Detection, Format, Member as Found, MemberData, Method,
    OVF_MAX, Ovf, OvfDisk, Role, look_into_archive,
};
use imsprep_formats::{Slice, Unwrapped, Wrapper};
use imsprep_rules::{XVA_FIX, inside_text, shell_quoted, zip_unpacker};
use imsprep_source::{Cancel, Extent, ImageFile, ReadAt, SparseMap, Stage, Work};

use crate::look::look_at_member;
use crate::{Error, Result};

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// A disk in an archive.
#[derive(Clone, Debug)]
pub struct Member {
    /// The name of its file.
    pub name: String,
    /// What that file is.
    pub detection: Detection,
    /// Its number, counted from 1, if the archive has several disks.
    pub number: Option<u32>,
    /// Why it was selected.
    pub choice: DiskChoice,
    /// Where its bytes are, as they are stored.
    map: Arc<SparseMap>,
    packing: Packing,
}

/// How a member is compressed: by the archive, by itself, or both.
#[derive(Clone, Copy, Debug, Default)]
struct Packing {
    zip: Option<MemberData>,
    wrapper: Option<Wrapper>,
}

/// A compressed stream in an archive.
pub(crate) struct Packed<'a> {
    pub(crate) bytes: Slice<'a>,
    pub(crate) wrapper: Wrapper,
    /// Bytes of its content, if they are known.
    pub(crate) size: Option<u64>,
    /// What the content is compressed with in its turn.
    pub(crate) then: Option<Wrapper>,
}

/// Why a disk of an archive was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskChoice {
    /// It was asked for.
    Requested,
    /// There is no other; a CD is none.
    Only,
    /// It is the only system disk, and all others are data disks.
    OnlySystemDisk,
}

impl Member {
    /// Its bytes in the archive that it was found in.
    pub(crate) fn bytes<'a>(&self, image: &'a ImageFile) -> Result<Slice<'a>> {
        slice(image, &self.map)
    }

    /// Where its bytes are in the archive, if they are stored as they are.
    pub(crate) fn extent(&self) -> Option<Extent> {
        let start = self.map.as_plain()?;
        Some(Extent { start, end: start.checked_add(self.map.size())? })
    }

    /// Whether its bytes in the archive are not those of the disk.
    pub(crate) fn is_packed(&self) -> bool {
        let Packing { zip, wrapper } = self.packing;
        wrapper.is_some() || zip.is_some_and(|zip| zip.method != Method::Stored)
    }

    /// Whether its disk is a RAW that comes out in one pass. The end of a fixed VHD, which begins with its disk, shows that it is none.
    pub(crate) fn is_stream(&self) -> bool {
        let Packing { zip, wrapper } = self.packing;
        let is_once = !(wrapper.is_some() && zip.is_some_and(|zip| zip.method != Method::Stored));
        let is_vhd = self.name.to_ascii_lowercase().contains(".vhd");
        self.is_packed() && is_once && self.detection.format == Format::Raw && !is_vhd
    }

    /// Whether the reader of its format needs a file of its own, although the archive stores it as it is.
    pub(crate) fn needs_a_file(&self) -> bool {
        // A ZIP archive puts its members anywhere, and qemu reads whole sectors.
        self.packing.zip.is_some()
            && matches!(self.detection.format.access(), Access::Container | Access::Qemu(_))
    }

    /// Its compressed bytes; `None` if they are not compressed.
    pub(crate) fn packed<'a>(&self, image: &'a ImageFile) -> Result<Option<Packed<'a>>> {
        let Packing { zip, wrapper } = self.packing;
        let bytes = self.bytes(image)?;
        let zip = zip.filter(|zip| zip.method != Method::Stored || wrapper.is_none());
        Ok(match (zip, wrapper) {
            (Some(data), then) => {
                Some(Packed { bytes, wrapper: Wrapper::Member(data), size: Some(data.size), then })
            }
            (None, Some(wrapper)) => Some(Packed { bytes, wrapper, size: None, then: None }),
            (None, None) => None,
        })
    }

    /// Compares a member that is stored as it is with the checksum that a ZIP archive has for it; reading any other one shows its damage.
    ///
    /// # Errors
    ///
    /// [`imsprep_source::Error::Damaged`]; what reading brings; a stop.
    pub(crate) fn verify_stored(&self, image: &ImageFile, work: Work<'_>) -> Result<()> {
        let Some(data) = self.packing.zip.filter(|zip| zip.method == Method::Stored) else { return Ok(()) };
        let stage = Stage::begin(work.progress, "comparing with the checksum of the archive", data.size);
        let mut stream = Unwrapped::open(self.bytes(image)?, Wrapper::Member(data))?;
        let mut piece = vec![0; PIECE];
        loop {
            work.cancel.check()?;
            let filled = stream.fill(&mut piece)?;
            stage.advance(filled as u64);
            if filled < piece.len() {
                return Ok(());
            }
        }
    }
}

pub(crate) fn slice<'a>(image: &'a ImageFile, map: &Arc<SparseMap>) -> Result<Slice<'a>> {
    let offset = map.end_in_source();
    let end = || imsprep_source::Error::UnexpectedEnd { path: image.path().to_owned(), offset };
    Ok(Slice::mapped(image, Arc::clone(map)).ok_or_else(end)?)
}

/// The disks of an archive, in its order.
pub(crate) struct DisksFound {
    pub(crate) disks: Vec<DiskFound>,
    /// Whether there are members that were not looked at.
    pub(crate) has_more: bool,
}

/// One of them.
pub(crate) struct DiskFound {
    /// The name of its file, fit for a message.
    pub(crate) name: String,
    /// The same, complete.
    pub(crate) full_name: String,
    pub(crate) is_cd: bool,
    /// What the descriptor of an OVA has on it.
    pub(crate) ovf: Option<OvfDisk>,
    map: Arc<SparseMap>,
    packing: Packing,
    /// What it is, as far as its first bytes show, if it is compressed.
    packed: Option<Detection>,
}

impl DisksFound {
    /// The disk at this place.
    pub(crate) fn member(
        &self,
        image: &ImageFile,
        index: usize,
        choice: DiskChoice,
        cancel: &Cancel,
    ) -> Result<Option<Member>> {
        let Some(DiskFound { name, map, packing, packed, .. }) = self.disks.get(index) else {
            return Ok(None);
        };
        let detection = match packed {
            Some(detection) => detection.clone(),
            None => look_at_member(slice(image, map)?, cancel)?,
        };
        let number = (self.disks.len() > 1).then(|| u32::try_from(index + 1).ok()).flatten();
        let (name, map, packing) = (name.clone(), Arc::clone(map), *packing);
        Ok(Some(Member { name, detection, number, choice, map, packing }))
    }

    /// The disks with their numbers, and what `details` adds to each.
    pub(crate) fn names(&self, details: impl Fn(usize) -> Option<String>) -> String {
        let names = self.disks.iter().enumerate().map(|(index, disk)| {
            let mut text = format!("{} = {:?}", index + 1, disk.name);
            if let Some(OvfDisk { id, is_first, .. }) = &disk.ovf {
                let first = if *is_first { ", the first disk of the machine" } else { "" };
                text += &format!(" ({id}{first})");
            }
            if let Some(details) = details(index) {
                text += &format!(": {details}");
            }
            text
        });
        // What has details has commas.
        let gap = if self.disks.iter().enumerate().any(|(index, _)| details(index).is_some()) {
            "; "
        } else {
            ", "
        };
        names.collect::<Vec<_>>().join(gap)
    }

    /// That it is not clear which disk is meant.
    pub(crate) fn which(&self, image: &ImageFile, details: impl Fn(usize) -> Option<String>) -> Error {
        Error::WhichDisk {
            path: image.path().to_owned(),
            count: self.disks.len(),
            names: self.names(details),
            has_more: self.has_more,
        }
    }
}

/// The disks in the archive. Which members are disks is what detection says of them.
///
/// # Errors
///
/// [`Error::MemberNotRead`] if there is none but what may hold one.
pub(crate) fn disks_in(image: &ImageFile, format: Format) -> Result<DisksFound> {
    let archive = look_into_archive(image, format)?.unwrap_or_default();
    let ovf = ovf_of(image, &archive)?;
    let Archive { members, files, has_more, .. } = archive;
    let (disks, others) = members.into_iter().partition::<Vec<_>, _>(|member| {
        matches!(member.role, Role::Disk | Role::Cd) && member.map.is_some()
    });
    if disks.is_empty() && !others.is_empty() {
        return Err(no_plain_disk(image, format, &others));
    }
    for found in disks.iter().filter(|found| found.chunks.is_some()) {
        let (name, size) = (name_of(found), found.inside.size.unwrap_or(0));
        let is_it = |disk: &&OvfDisk| disk.file.as_deref().is_some_and(|file| refers_to(file, name));
        if let Some(expected) = ovf.iter().find(is_it).and_then(|disk| disk.file_size)
            && expected != size
        {
            let what =
                format!("the chunks of {name:?} have {size} bytes, and the descriptor says {expected}");
            let advice = "copy or export it once more, with all of its chunks".into();
            return Err(Error::MemberNotRead { path: image.path().to_owned(), what, advice });
        }
    }
    let disks = disks.into_iter().filter_map(|found| {
        let packing = Packing { zip: found.zip, wrapper: found.wrapper.and_then(Wrapper::of) };
        let packed = packed_detection(&found);
        let Found { inside, role, map, .. } = found;
        let (map, name) = (map?, inside.name.unwrap_or_default());
        let is_it = |file: &&ArchiveFile| file.map.as_ref().is_some_and(|other| Arc::ptr_eq(other, &map));
        let full_name = files.iter().find(is_it).map(|file| String::from_utf8_lossy(&file.name).into_owned());
        let full_name = full_name.unwrap_or_else(|| name.clone());
        let ovf =
            ovf.iter().find(|disk| disk.file.as_deref().is_some_and(|file| refers_to(file, &full_name)));
        Some(DiskFound { name, is_cd: role == Role::Cd, ovf: ovf.cloned(), full_name, map, packing, packed })
    });
    Ok(DisksFound { disks: disks.collect(), has_more })
}

/// The disks in the descriptor of an OVA; none if it can't be read, as it is used only for names.
fn ovf_of(image: &ImageFile, archive: &Archive) -> Result<Vec<OvfDisk>> {
    let bytes = archive
        .files
        .iter()
        .find(|file| file.has_extension("ovf"))
        .map(|file| read_small(image, file, OVF_MAX));
    let ovf = bytes.transpose()?.flatten().and_then(|bytes| Ovf::parse(&bytes));
    Ok(ovf.map(|ovf| ovf.disks).unwrap_or_default())
}

/// What a compressed member is, as far as its first bytes show; `None` of one that is read where it lies.
fn packed_detection(found: &Found) -> Option<Detection> {
    let is_packed = found.wrapper.is_some() || found.zip.is_some_and(|zip| zip.method != Method::Stored);
    let file_size = if found.wrapper.is_none() { found.inside.size } else { None };
    let (format, variant, virtual_size, facts, evidence) = match found.content() {
        Content::Found { format, variant, virtual_size, facts, evidence } => {
            (*format, *variant, *virtual_size, facts.clone(), evidence.clone())
        }
        Content::Nothing => (Format::Raw, None, None, Vec::new(), Vec::new()),
        Content::NotLookedAt(_) => return None,
    };
    let virtual_size = virtual_size.or(file_size.filter(|_| format == Format::Raw));
    let file_size = file_size.unwrap_or(0);
    is_packed.then(|| Detection {
        format,
        variant,
        file_size,
        virtual_size,
        facts,
        also: Vec::new(),
        evidence,
    })
}

/// The bytes of a file in the archive; `None` if there are more than `most`, or they can't be read.
pub(crate) fn read_small(image: &ImageFile, file: &ArchiveFile, most: u64) -> Result<Option<Vec<u8>>> {
    let Some(map) = file.map.as_ref().filter(|_| file.size <= most) else { return Ok(None) };
    let slice = slice(image, map)?;
    let mut bytes = vec![0; usize::try_from(file.size).unwrap_or(0)];
    match file.zip {
        None => slice.read_at(&mut bytes, 0)?,
        Some(data) => match Unwrapped::open(slice, Wrapper::Member(data))?.fill(&mut bytes) {
            Ok(filled) => bytes.truncate(filled),
            Err(imsprep_source::Error::Damaged { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        },
    }
    Ok(Some(bytes))
}

/// Whether a reference of an OVF, which may have characters as `%20`, names this file.
pub(crate) fn refers_to(reference: &str, name: &str) -> bool {
    let name = name.strip_prefix("./").unwrap_or(name);
    reference == name || percent_decoded(reference).is_some_and(|decoded| decoded == name.as_bytes())
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?
            }
            other => other,
        });
    }
    Some(plain)
}

/// The disk of this number in the archive, counted from 1; without a number the only one.
///
/// # Errors
///
/// [`Error::WhichDisk`] if there is none, or several and no number; as [`disks_in`].
pub(crate) fn disk_in(
    image: &ImageFile,
    format: Format,
    number: Option<u32>,
    cancel: &Cancel,
) -> Result<Member> {
    let found = disks_in(image, format)?;
    let (index, choice) = match number {
        Some(number) => (usize::try_from(number).ok().and_then(|n| n.checked_sub(1)), DiskChoice::Requested),
        None => (found.only(), DiskChoice::Only),
    };
    let member = index.map(|index| found.member(image, index, choice, cancel)).transpose()?.flatten();
    member.ok_or_else(|| found.which(image, |_| None))
}

impl DisksFound {
    /// The place of the only disk.
    pub(crate) fn only(&self) -> Option<usize> {
        let mut disks = self.disks.iter().enumerate().filter(|(_, disk)| !disk.is_cd).map(|(index, _)| index);
        match self.disks.len() {
            _ if self.has_more => None,
            1 => Some(0),
            // A CD beside a disk is what the machine was installed from.
            _ => disks.next().filter(|_| disks.next().is_none()),
        }
    }
}

fn name_of(member: &Found) -> &str {
    member.inside.name.as_deref().unwrap_or_default()
}

/// There are only members that have to be unpacked, or joined, first.
fn no_plain_disk(image: &ImageFile, format: Format, others: &[Found]) -> Error {
    const SHOWN: usize = 8;
    let list = others.iter().take(SHOWN).map(|member| inside_text(&member.inside)).collect::<Vec<_>>();
    let what = format!(
        "an archive without a disk that can be read without unpacking; it contains: {}",
        list.join("; ")
    );
    let chunks = others.iter().find(|member| member.chunks.is_some());
    let then = match (chunks, others) {
        (Some(Found { chunks: Some(Chunks::Xva), .. }), _) => {
            let advice = XVA_FIX.to_owned();
            return Error::MemberNotRead { path: image.path().to_owned(), what, advice };
        }
        (Some(member), _) => {
            let (parts, whole) = (format!("{}.", name_of(member)), name_of(member));
            let (parts, whole) = (shell_quoted(Path::new(&parts)), shell_quoted(Path::new(whole)));
            format!(", join the chunks with cat {parts}* > {whole}, then convert that")
        }
        (None, [member]) => format!(", then convert {}", shell_quoted(Path::new(name_of(member)))),
        (None, _) => ", then convert the result".into(),
    };
    let advice = format!("unpack it with {} {}{then}", unpacker(format, others), shell_quoted(image.path()));
    Error::MemberNotRead { path: image.path().to_owned(), what, advice }
}

/// The command that unpacks an archive with these members beside it, and replaces no file.
fn unpacker(format: Format, members: &[Found]) -> &'static str {
    if format == Format::Zip { zip_unpacker(members.iter().map(|member| &member.inside)) } else { "tar -xkf" }
}

/// The disk is in a format that is not read within an archive, or in a part of it that can't be passed on as a file.
pub(crate) fn not_read(image: &ImageFile, of: Format, member: &Member) -> Error {
    let (name, format) = (&member.name, member.detection.format);
    let what = if member.is_packed() {
        format!("the disk in it, {name:?}, is compressed, and can be read only when it is unpacked")
    } else {
        format!("the disk in it, {name:?}, is {format}, which imsprep reads only outside of archives")
    };
    let unpack = unpacker(of, &[]);
    let (archive, member) = (shell_quoted(image.path()), shell_quoted(Path::new(name)));
    let advice = format!("unpack it with {unpack} {archive}, then convert {member}");
    Error::MemberNotRead { path: image.path().to_owned(), what, advice }
}
