//! A compressed disk in an archive is unpacked to a temporary file if it can't be read in one pass, and an archive in a ZIP archive is.

use std::path::Path;

use imsprep_detect::{Content, Format, Member as Found, Role, look_into_archive};
use imsprep_formats::{Slice, Unwrapped, Wrapper};
use imsprep_source::{Cancel, Error as SourceError, ImageFile, ReadAt, ScratchFile, Work};

use crate::archive::{Member, Packed, disks_in, slice};
use crate::look::look_at_member;
use crate::unpack::{Unpack, check_space, unpack};
use crate::{Error, OpenedImage, Result};

impl OpenedImage {
    /// Whether a disk in the archive may have to be unpacked, or the archive in it is.
    ///
    /// # Errors
    ///
    /// If the archive can't be read. What is wrong with it is no error here.
    pub(crate) fn is_member_to_be_unpacked(&self, what: Unpack) -> Result<bool> {
        if self.member().is_some() || self.refuse_unless_archive_is_readable().is_err() {
            return Ok(false);
        }
        let found = match disks_in(self.content(), self.format()) {
            Ok(found) => found,
            Err(error) if error.is_about_the_disk() => return self.is_in_archive(),
            Err(error) => return Err(error),
        };
        for index in 0..found.disks.len() {
            match self.find_member(u32::try_from(index + 1).ok(), &Cancel::new()) {
                Ok(member) if is_unpacked(&member, what) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.is_about_the_disk() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Whether the disks are in an archive in this one, which has to be unpacked.
    ///
    /// # Errors
    ///
    /// If the archive can't be read.
    pub(crate) fn is_in_archive(&self) -> Result<bool> {
        Ok(self.archive_within()?.is_some())
    }

    /// Unpacks the only archive of disks in a ZIP archive that has no disk itself. Other images stay as they are.
    pub(crate) fn with_archive_unpacked(self, folder: &Path, work: Work<'_>) -> Result<Self> {
        let Some(found) = self.archive_within()? else { return Ok(self) };
        let (Some(map), Some(data)) = (&found.map, found.zip) else { return Ok(self) };
        check_space(self.path(), folder, data.size)?;
        let scratch = ScratchFile::create_in(folder, &[self.file()])?;
        let stream = Unwrapped::open(slice(self.content(), map)?, Wrapper::Member(data))?;
        unpack(stream, self.path(), Some(data.size), &scratch, work)?;
        self.file().verify_unchanged()?;
        let content = scratch.into_image(self.path())?;
        self.with_content(content, work.cancel)
    }

    /// The only OVA in a ZIP archive without a disk.
    fn archive_within(&self) -> Result<Option<Found>> {
        if self.format() != Format::Zip || self.refuse_unless_archive_is_readable().is_err() {
            return Ok(None);
        }
        let archive = look_into_archive(self.content(), Format::Zip)?.unwrap_or_default();
        if archive.has_more || archive.members.iter().any(|member| member.role == Role::Disk) {
            return Ok(None);
        }
        let is_ova = |member: &Found| {
            matches!(member.inside.content, Content::Found { format: Format::Tar, variant: Some("ova"), .. })
        };
        let mut archives = archive.members.into_iter().filter(is_ova);
        let first = archives.next();
        Ok(first.filter(|_| archives.next().is_none()))
    }
}

pub(crate) fn is_unpacked(member: &Member, what: Unpack) -> bool {
    member.needs_a_file() || member.is_packed() && (what == Unpack::Every || !member.is_stream())
}

/// Unpacks the member, and looks at what came out.
pub(crate) fn unpack_member(
    image: &OpenedImage,
    member: &mut Member,
    folder: &Path,
    work: Work<'_>,
) -> Result<ImageFile> {
    let create = || ScratchFile::create_in(folder, &[image.file()]);
    let path = image.path();
    let end = || SourceError::UnexpectedEnd { path: path.to_owned(), offset: image.content().size() };
    let Packed { bytes, wrapper, size, then } = member.packed(image.content())?.ok_or_else(end)?;
    if let Some(needed) = size {
        check_space(path, folder, needed)?;
    }
    let scratch = create()?;
    unpack(Unwrapped::open(bytes, wrapper)?, path, size, &scratch, work)?;
    let mut content = scratch.into_image(path)?;
    if let Some(wrapper) = then {
        let scratch = create()?;
        let stream = Unwrapped::open_file(&content, wrapper, rayon::current_num_threads(), None)?;
        unpack(stream, path, None, &scratch, work)?;
        content = scratch.into_image(path)?;
    }
    image.file().verify_unchanged()?;
    member.detection = look_at_member(Slice::whole(&content), work.cancel)?;
    Ok(content)
}

/// The same for a look at it; `None` if it is read where it lies, or can't be unpacked.
pub(crate) fn unpack_to_look(
    image: &OpenedImage,
    member: &mut Member,
    folder: &Path,
    work: Work<'_>,
) -> Result<Option<ImageFile>> {
    if !is_unpacked(member, Unpack::Every) {
        return Ok(None);
    }
    match unpack_member(image, member, folder, work) {
        Ok(content) => Ok(Some(content)),
        Err(
            Error::NoSpaceToUnpack { .. }
            | Error::Source(
                SourceError::Damaged { .. } | SourceError::Write { .. } | SourceError::NotExpanded { .. },
            ),
        ) => Ok(None),
        Err(error) => Err(error),
    }
}
