//! The clusters of all files and directories.

use imsprep_ondisk::volume::exfat::{
    ENTRY, ENTRY_BITMAP, ENTRY_FILE, ENTRY_GUID, ENTRY_IN_USE, ENTRY_LABEL, ENTRY_NAME, ENTRY_SECONDARY,
    ENTRY_STREAM, ENTRY_UPCASE, Entry,
};

use super::{DIRECTORY_MAX, Run, Volume, check_used};
use crate::free::clusters::Clusters;
use crate::{Error, Result};

/// Most directories that wait to be read.
const PENDING_MAX: usize = 1 << 18;
/// Entries that can belong to a file, beside its own.
const SECONDARY: std::ops::RangeInclusive<usize> = 2..=18;

/// The entry of a file, the entries that belong to it, and how many of them are to come.
#[derive(Default)]
struct Set {
    entries: Vec<[u8; ENTRY]>,
    missing: usize,
}

/// Goes through all directories, and compares what their entries hold with the bitmap.
pub(super) fn check(volume: &Volume<'_>, used: &Clusters, root: Vec<Run>) -> Result<()> {
    let mut seen = Clusters::new(used.count())?;
    let mut directories = Vec::new();
    let mut next = Some(root);
    while let Some(runs) = next {
        check_used(used, &runs)?;
        if runs.first().is_some_and(|(first, _)| !seen.take(*first)) {
            return Err(Error::corrupt("a directory has two names"));
        }
        let mut set = Set::default();
        volume.each_entry(&runs, &mut |raw| {
            if let Some(directory) = take(volume, used, &mut set, raw)? {
                if directories.len() == PENDING_MAX {
                    return Err(Error::limit(format!("has more than {PENDING_MAX} directories at once")));
                }
                directories.push(directory);
            }
            Ok(())
        })?;
        if set.missing > 0 {
            return Err(broken());
        }
        next = directories.pop().map(|entry| volume.place(&entry)).transpose()?;
    }
    Ok(())
}

fn broken() -> Error {
    Error::corrupt("a directory makes no sense")
}

/// Takes the next entry of a directory. Gives the entry that says where a directory is, once all of
/// the directory's entries were taken.
fn take(volume: &Volume<'_>, used: &Clusters, set: &mut Set, raw: &[u8; ENTRY]) -> Result<Option<Entry>> {
    let entry = Entry::decode(raw);
    let kind = entry.kind;
    if set.missing > 0 {
        if kind & ENTRY_IN_USE == 0 || kind & ENTRY_SECONDARY == 0 {
            return Err(broken());
        }
        set.entries.push(*raw);
        set.missing -= 1;
        if set.missing > 0 {
            return Ok(None);
        }
        return finish(volume, used, &std::mem::take(&mut set.entries));
    }
    match kind {
        // Deleted.
        _ if kind & ENTRY_IN_USE == 0 => Ok(None),
        ENTRY_FILE => {
            set.missing = usize::from(entry.second);
            set.entries = vec![*raw];
            if SECONDARY.contains(&set.missing) { Ok(None) } else { Err(broken()) }
        }
        // These have been checked, or have no clusters.
        ENTRY_BITMAP | ENTRY_UPCASE | ENTRY_LABEL | ENTRY_GUID => Ok(None),
        _ => Err(Error::refused(format!("has an unknown directory entry ({kind:#x})"))),
    }
}

fn finish(volume: &Volume<'_>, used: &Clusters, entries: &[[u8; ENTRY]]) -> Result<Option<Entry>> {
    let (file, others) = entries.split_first().ok_or_else(broken)?;
    let file = Entry::decode(file);
    if Entry::sum_of(entries) != file.checksum {
        return Err(Error::corrupt("the checksum of a directory entry is wrong"));
    }
    let mut directory = None;
    for (number, entry) in others.iter().map(Entry::decode).enumerate() {
        match entry.kind {
            ENTRY_STREAM if number == 0 => {}
            ENTRY_NAME if number > 0 => continue,
            kind => return Err(Error::refused(format!("has an unknown directory entry ({kind:#x})"))),
        }
        let has_clusters = entry.second & Entry::HAS_CLUSTERS != 0 && entry.cluster != 0;
        if !has_clusters && entry.length > 0 {
            return Err(broken());
        }
        check_used(used, &volume.place(&entry)?)?;
        if file.attributes & Entry::DIRECTORY != 0 {
            if entry.length > DIRECTORY_MAX {
                return Err(Error::limit(format!("a directory has {} bytes", entry.length)));
            }
            directory = Some(entry);
        }
    }
    Ok(directory)
}
