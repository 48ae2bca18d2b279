//! The disks in an archive.

use imsprep_detect::{Detection, Format, detect};
use imsprep_foreign::{Slice, members};
use imsprep_source::{ImageFile, ReadAt};

use crate::{Error, Result};

/// A disk in an archive.
pub(crate) struct Member<'a> {
    pub(crate) name: String,
    pub(crate) bytes: Slice<'a>,
    pub(crate) detection: Detection,
}

/// The disk of this number in the archive, counted from 1; without a number the only one.
///
/// # Errors
///
/// [`Error::WhichDisk`] if there is none, or several and no number; or if the archive is damaged.
pub(crate) fn disk_in(image: &ImageFile, number: Option<u32>) -> Result<Member<'_>> {
    let mut disks = Vec::new();
    for member in members(Slice::whole(image))? {
        let detection = detect(&member.bytes)?;
        if is_disk(&detection, &member.name) {
            disks.push(Member { name: member.name, bytes: member.bytes, detection });
        }
    }
    let names = disks.iter().zip(1..).map(|(disk, number)| format!("{number} = {:?}", disk.name));
    let names = names.collect::<Vec<_>>().join(", ");
    let count = disks.len();
    let index = match number {
        Some(number) => usize::try_from(number).ok().and_then(|number| number.checked_sub(1)),
        None if count == 1 => Some(0),
        None => None,
    };
    let chosen = index.and_then(|index| disks.into_iter().nth(index));
    chosen.ok_or_else(|| Error::WhichDisk { path: image.path().to_owned(), count, names })
}

/// A RAW shows by nothing but its name that it is meant as a disk.
fn is_disk(detection: &Detection, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match detection.format {
        Format::Raw => name.ends_with(".raw") || name.ends_with(".img"),
        Format::Vmdk
        | Format::Qcow2
        | Format::Vhd
        | Format::Vhdx
        | Format::Vdi
        | Format::Qed
        | Format::Qcow => true,
        _ => false,
    }
}
