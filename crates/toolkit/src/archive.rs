//! The disks in an archive.

use std::path::Path;
use std::sync::Arc;

use imsprep_detect::{Chunks, Detection, Member as Found, Role, look_into_tar};
use imsprep_formats::Slice;
use imsprep_rules::{XVA_FIX, inside_text, shell_quoted};
use imsprep_source::{Cancel, ImageFile, ReadAt, SparseMap};

use crate::look::look_at_member;
use crate::{Error, Result};

/// A disk in an archive.
#[derive(Clone, Debug)]
pub struct Member {
    /// The name of its file.
    pub name: String,
    /// What that file is.
    pub detection: Detection,
    /// Where its bytes are.
    map: Arc<SparseMap>,
}

impl Member {
    /// Its bytes in the archive that it was found in.
    pub(crate) fn bytes<'a>(&self, image: &'a ImageFile) -> Result<Slice<'a>> {
        slice(image, &self.map)
    }
}

fn slice<'a>(image: &'a ImageFile, map: &Arc<SparseMap>) -> Result<Slice<'a>> {
    let offset = map.end_in_source();
    let end = || imsprep_source::Error::UnexpectedEnd { path: image.path().to_owned(), offset };
    Ok(Slice::mapped(image, Arc::clone(map)).ok_or_else(end)?)
}

/// The disk of this number in the archive, counted from 1; without a number the only one. Which members are disks is what
/// detection says of them.
///
/// # Errors
///
/// [`Error::WhichDisk`] if there is none, or several and no number; [`Error::MemberNotRead`] if there is none but what may
/// hold one.
pub(crate) fn disk_in(image: &ImageFile, number: Option<u32>, cancel: &Cancel) -> Result<Member> {
    let archive = look_into_tar(image)?;
    let (disks, others) = archive.members.into_iter().partition::<Vec<_>, _>(|member| {
        matches!(member.role, Role::Disk | Role::Cd) && member.map.is_some()
    });
    if disks.is_empty() && !others.is_empty() {
        return Err(no_plain_disk(image, &others));
    }
    let is_sure = !archive.has_more;
    let mut firsts = (0..disks.len()).filter(|n| disks.get(*n).is_some_and(|disk| disk.role == Role::Disk));
    let index = match number {
        Some(number) => usize::try_from(number).ok().and_then(|number| number.checked_sub(1)),
        None if !is_sure => None,
        None if disks.len() == 1 => Some(0),
        // A CD beside a disk is what the machine was installed from.
        None => firsts.next().filter(|_| firsts.next().is_none()),
    };
    let names = disks.iter().zip(1..).map(|(disk, number)| format!("{number} = {:?}", name_of(disk)));
    let names = names.collect::<Vec<_>>().join(", ");
    let count = disks.len();
    let chosen = index.and_then(|index| disks.into_iter().nth(index));
    let Some(Found { inside, map: Some(map), .. }) = chosen else {
        return Err(Error::WhichDisk { path: image.path().to_owned(), count, names, has_more: !is_sure });
    };
    let name = inside.name.unwrap_or_default();
    let detection = look_at_member(slice(image, &map)?, cancel)?;
    Ok(Member { name, detection, map })
}

fn name_of(member: &Found) -> &str {
    member.inside.name.as_deref().unwrap_or_default()
}

/// There are only members that have to be unpacked, or joined, first.
fn no_plain_disk(image: &ImageFile, others: &[Found]) -> Error {
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
    let advice = format!("unpack it with tar -xkf {}{then}", shell_quoted(image.path()));
    Error::MemberNotRead { path: image.path().to_owned(), what, advice }
}

/// The disk is in a format that is not read within an archive.
pub(crate) fn not_read(image: &ImageFile, member: &Member) -> Error {
    let (name, format) = (&member.name, member.detection.format);
    let what = format!("the disk in it, {name:?}, is {format}, which imsprep reads only outside of archives");
    let (archive, member) = (shell_quoted(image.path()), shell_quoted(Path::new(name)));
    let advice = format!("unpack it with tar -xkf {archive}, then convert {member}");
    Error::MemberNotRead { path: image.path().to_owned(), what, advice }
}
