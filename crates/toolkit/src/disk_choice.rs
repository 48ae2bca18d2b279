//! Which disk of an archive is meant.

use std::fmt;
use std::path::Path;

use imsprep_inspect::{DiskUse, Inspection, OsFamily, VolumeKind};
use imsprep_rules::Size;
use imsprep_source::{Cancel, Work};

use crate::archive::{DiskChoice, DiskFound, DisksFound, Member, disks_in};
use crate::disk_seen::inspect_unless_damaged;
use crate::unpack_member::unpack_to_look;
use crate::{Disk, Error, OpenedImage, Result};

/// Disks of an archive that are looked at.
const DISKS_MAX: usize = 16;

/// A disk of an archive, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskSelector {
    /// By its number, counted from 1 in the order of the archive.
    Number(u32),
    /// By the name of its file, with or without its folder, or by the name that the descriptor of an OVA has for the disk.
    Name(String),
}

impl DiskSelector {
    /// Digits are a number. `None` for 0 and for an empty text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u32>() {
            Ok(number) if is_number => (number > 0).then_some(Self::Number(number)),
            _ => (!text.is_empty()).then(|| Self::Name(text.to_owned())),
        }
    }
}

impl fmt::Display for DiskSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl OpenedImage {
    /// Selects a disk in an archive. Without a selector it is the only one; or, if all of them can be read, the only system disk among data
    /// disks. Other formats hold one disk, of which none can be selected.
    ///
    /// # Errors
    ///
    /// [`Error::OneDisk`] if a disk is selected in an image that is no archive;
    /// [`Error::NotReadable`](crate::Error::NotReadable) if the archive is damaged; [`Error::NoSuchDisk`](crate::Error::NoSuchDisk);
    /// [`Error::WhichDisk`](crate::Error::WhichDisk) with what is on each disk; [`Error::MemberNotRead`](crate::Error::MemberNotRead) if no
    /// disk in it can be read where it is.
    pub fn select_disk(&mut self, selector: Option<&DiskSelector>, cancel: &Cancel) -> Result<()> {
        if self.is_archive() && self.member().is_none() {
            let member = choose(self, selector, None, Work::new(&(), cancel))?;
            self.set_member(member, None);
        }
        self.refuse_selection(selector)
    }

    /// Refuses a selector of a disk for what is no archive.
    pub(crate) fn refuse_selection(&self, selector: Option<&DiskSelector>) -> Result<()> {
        match selector {
            Some(_) if !self.is_archive() => {
                Err(Error::OneDisk { path: self.path().to_owned(), format: self.format() })
            }
            _ => Ok(()),
        }
    }
}

/// The disk that is meant. Compressed disks are unpacked for a look at them, to a temporary file in `folder`, if there is one.
pub(crate) fn choose(
    image: &OpenedImage,
    selector: Option<&DiskSelector>,
    folder: Option<&Path>,
    work: Work<'_>,
) -> Result<Member> {
    let cancel = work.cancel;
    image.refuse_unless_archive_is_readable()?;
    let found = disks_in(image.content(), image.format())?;
    let (index, choice) = match selector {
        Some(selector) => (Some(selected(image, &found, selector)?), DiskChoice::Requested),
        None => (found.only(), DiskChoice::Only),
    };
    let content = image.content();
    if let Some(member) =
        index.map(|index| found.member(content, index, choice, cancel)).transpose()?.flatten()
    {
        return Ok(member);
    }
    if found.has_more || found.disks.len() > DISKS_MAX {
        return Err(found.which(content, |_| None));
    }
    let looks = look_at_all(image, &found, folder, work)?;
    if let Some(index) = only_system_disk(&found.disks, &looks)
        && let Some(member) = found.member(content, index, DiskChoice::OnlySystemDisk, cancel)?
    {
        return Ok(member);
    }
    Err(found.which(content, |index| looks.get(index).map(|look| look.text.clone())))
}

/// The place of the disk that was asked for: the name of a file comes before that of the descriptor, and that before a name without its folder.
fn selected(image: &OpenedImage, found: &DisksFound, selector: &DiskSelector) -> Result<usize> {
    let name = match selector {
        DiskSelector::Number(number) => {
            let index = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            let index = index.filter(|index| *index < found.disks.len());
            return index.ok_or_else(|| no_such(image, found, selector));
        }
        DiskSelector::Name(name) => name.as_str(),
    };
    let is_file =
        |disk: &DiskFound| disk.full_name == name || disk.full_name.strip_prefix("./") == Some(name);
    let is_id = |disk: &DiskFound| disk.ovf.as_ref().is_some_and(|ovf| ovf.id == name);
    let is_base = |disk: &DiskFound| disk.full_name.rsplit('/').next() == Some(name);
    let ways: [&dyn Fn(&DiskFound) -> bool; 3] = [&is_file, &is_id, &is_base];
    for is_it in ways {
        let mut fitting = (0..).zip(&found.disks).filter(|(_, disk)| is_it(disk)).map(|(index, _)| index);
        match (fitting.next(), fitting.next()) {
            (Some(index), None) => return Ok(index),
            (Some(_), Some(_)) => return Err(found.which(image.content(), |_| None)),
            (None, _) => {}
        }
    }
    Err(no_such(image, found, selector))
}

fn no_such(image: &OpenedImage, found: &DisksFound, selector: &DiskSelector) -> Error {
    if found.disks.is_empty() {
        return found.which(image.content(), |_| None);
    }
    Error::NoSuchDisk {
        path: image.path().to_owned(),
        wanted: selector.to_string(),
        names: found.names(|_| None),
    }
}

/// What is on one disk.
struct Look {
    /// `None` if it could not be read.
    purpose: Option<DiskUse>,
    text: String,
}

fn look_at_all(
    image: &OpenedImage,
    found: &DisksFound,
    folder: Option<&Path>,
    work: Work<'_>,
) -> Result<Vec<Look>> {
    let mut looks = Vec::new();
    for index in 0..found.disks.len() {
        let member = found.member(image.content(), index, DiskChoice::Requested, work.cancel)?;
        let Some(member) = member else { break };
        looks.push(look_at(image, member, folder, work)?);
    }
    Ok(looks)
}

fn look_at(image: &OpenedImage, mut member: Member, folder: Option<&Path>, work: Work<'_>) -> Result<Look> {
    let content = match folder {
        Some(folder) => unpack_to_look(image, &mut member, folder, work)?,
        None => None,
    };
    let format = member.detection.format;
    let size = member.detection.virtual_size.map(|size| format!(", {}", Size(size).scaled()));
    let format = format!("{format}{}", size.unwrap_or_default());
    let seen = match Disk::of_member(image, &member, content.as_ref(), work.cancel) {
        Ok(disk) => inspect_unless_damaged(&disk, disk.orig_size(), work.cancel)?,
        Err(error) if error.is_about_the_disk() => Err(String::new()),
        Err(error) => return Err(error),
    };
    Ok(match seen {
        Ok(inspection) => {
            let is_empty = inspection.whole.as_ref().is_some_and(|whole| whole.kind == VolumeKind::Empty);
            let purpose = if is_empty { DiskUse::Data } else { inspection.summary.purpose };
            Look { purpose: Some(purpose), text: format!("{format}, {}", content_text(&inspection)) }
        }
        Err(_) => Look { purpose: None, text: format!("{format}, cannot be read") },
    })
}

/// What is on a disk, in a few words.
fn content_text(inspection: &Inspection) -> String {
    let table = inspection.table.as_ref().map(|table| {
        let count = inspection.partitions.len();
        format!("{} with {count} partition{}", table.kind.name(), if count == 1 { "" } else { "s" })
    });
    let whole = || inspection.whole.as_ref().map(|whole| whole.kind.name().to_owned());
    let mut words = vec![table.or_else(whole).unwrap_or_else(|| "no partition table".into())];
    words.extend(match inspection.summary.purpose {
        DiskUse::System => Some("system disk".to_owned()),
        DiskUse::Data => Some("data disk".to_owned()),
        DiskUse::Unknown => None,
    });
    words.extend(match inspection.summary.system {
        OsFamily::Linux => Some("Linux".to_owned()),
        OsFamily::Windows => Some("Windows".to_owned()),
        OsFamily::Unknown => None,
    });
    words.join(", ")
}

/// The place of the only system disk, if all others are data disks. Of a disk about which nothing is known it can't be said.
fn only_system_disk(disks: &[DiskFound], looks: &[Look]) -> Option<usize> {
    let mut systems = Vec::new();
    let looks = disks.iter().zip(looks).enumerate().filter(|(_, (disk, _))| !disk.is_cd);
    for (index, (_, look)) in looks {
        match look.purpose {
            Some(DiskUse::System) => systems.push(index),
            Some(DiskUse::Data) => {}
            Some(DiskUse::Unknown) | None => return None,
        }
    }
    match systems[..] {
        [only] => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_number_and_all_else_is_a_name() {
        assert_eq!(DiskSelector::parse("2"), Some(DiskSelector::Number(2)));
        for name in ["disk2", "2.vmdk", "-1", "+1", "99999999999", "a b"] {
            assert_eq!(DiskSelector::parse(name), Some(DiskSelector::Name(name.into())), "{name}");
        }
        assert_eq!((DiskSelector::parse("0"), DiskSelector::parse("")), (None, None));
    }
}
