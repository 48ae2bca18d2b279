//! The system on a disk.

use imsprep_source::{Error, Result};

use crate::root::{Root, find_roots};
use crate::{Disk, Linux, NotKnown, Windows, linux, windows};

/// The system on a disk, and the volumes that it was looked for on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The system.
    pub system: System,
    /// The volumes of the disk.
    pub volumes: Vec<VolumeNote>,
}

/// The system on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum System {
    /// A Linux.
    Linux(Box<Linux>),
    /// A Windows.
    Windows(Box<Windows>),
    /// None was found, and every volume could be read.
    None,
    /// It is not known whether there is one, or which.
    NotKnown(Vec<NotKnown>),
}

/// A volume of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeNote {
    /// What messages call it.
    pub name: String,
    /// The kind of its content.
    pub kind: &'static str,
    /// Why its files could not be read, if it has any.
    pub unread: Option<String>,
}

/// Reads the facts of the system on a disk. What can't be read is a reason within the facts.
///
/// # Errors
///
/// [`Error::Cancelled`] if the work was interrupted.
pub fn read_guest(disk: &Disk<'_>) -> Result<Guest> {
    let roots = find_roots(disk);
    let volumes = disk.volumes.iter().map(|volume| VolumeNote {
        name: volume.name.clone(),
        kind: volume.kind,
        unread: volume
            .files
            .as_ref()
            .err()
            .filter(|reason| !reason.is_empty())
            .cloned()
            .or_else(|| volume.hides.clone()),
    });
    let volumes = volumes.collect::<Vec<_>>();
    let system = match (roots.linux.split_first(), roots.windows.first()) {
        (Some((root, others)), _) => {
            let others = others.iter().map(|other| name(disk, other)).collect();
            System::Linux(Box::new(linux::collect(disk, root, others).ok_or(Error::Cancelled)?))
        }
        (None, Some(root)) => {
            System::Windows(Box::new(windows::collect(disk, root).ok_or(Error::Cancelled)?))
        }
        (None, None) => {
            let unread = volumes.iter().filter_map(|volume| {
                let reason = volume.unread.as_ref()?;
                Some(NotKnown::because(format!("{}: {reason}", volume.name)))
            });
            let unread = unread.chain(roots.unread).collect::<Vec<_>>();
            if unread.is_empty() { System::None } else { System::NotKnown(unread) }
        }
    };
    Ok(Guest { system, volumes })
}

fn name(disk: &Disk<'_>, root: &Root<'_>) -> String {
    let volume = disk.volume(root.volume).map(|volume| volume.name.clone()).unwrap_or_default();
    match &root.subvolume {
        Some(subvolume) => format!("{volume}, subvolume {subvolume}"),
        None => volume,
    }
}
