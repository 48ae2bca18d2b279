//! The descriptor of a VMDK that names an extent-file.

use std::fs::DirEntry;
use std::path::Path;

use imsprep_detect::{Fact, Format, detect};
use imsprep_source::ImageFile;

use crate::Result;

/// Bytes of a file that may be a descriptor: as many as are read of one.
const SIZE_MAX: u64 = 256 << 10;
/// Entries of the folder that are read, and files of them that are opened.
const ENTRIES_MAX: usize = 10_000;
const OPENED_MAX: usize = 256;

/// A descriptor beside an extent-file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The descriptor's name in the folder.
    pub(crate) name: String,
    /// Extent-files that it names.
    pub(crate) extents: usize,
}

/// Looks in the folder of the file at `path` for a descriptor that names it. Only small regular files called `.vmdk` are
/// opened, those first whose names the file's own begins with; nothing that they name is.
pub(crate) fn descriptor_of(path: &Path) -> Result<Option<Found>> {
    let Some(own) = path.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that cannot be listed has no known descriptor.
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(None) };
    let mut names = entries.take(ENTRIES_MAX).filter_map(|entry| candidate(&entry.ok()?)).collect::<Vec<_>>();
    let is_relative = |name: &str| own.starts_with(name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    names.sort_by_key(|name| (!is_relative(name), name.clone()));
    for name in names.into_iter().filter(|name| name != own).take(OPENED_MAX) {
        // One that is gone or can't be read is not the one that is looked for.
        let Some(found) = ImageFile::open(folder.join(&name)).ok().and_then(|file| detect(&file).ok()) else {
            continue;
        };
        let named = found.facts.iter().find_map(|fact| match fact {
            Fact::ExtentFiles(files) if found.format == Format::Vmdk => Some(files),
            _ => None,
        });
        let base = |file: &String| file.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        if let Some(files) = named.filter(|files| files.iter().any(|file| base(file) == own)) {
            return Ok(Some(Found { name, extents: files.len() }));
        }
    }
    Ok(None)
}

/// The entry's name, if it may be a descriptor.
fn candidate(entry: &DirEntry) -> Option<String> {
    let name = entry.file_name().into_string().ok()?;
    let is_vmdk = name.to_ascii_lowercase().ends_with(".vmdk");
    // Not through links: what they lead to is not in this folder.
    let metadata = is_vmdk.then(|| entry.metadata().ok()).flatten()?;
    (metadata.is_file() && metadata.len() <= SIZE_MAX).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_descriptor_that_names_the_file_is_found_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let text = |names: &[&str]| {
            let extents = names.iter().map(|name| format!("RW 64 SPARSE \"{name}\"\n")).collect::<String>();
            format!("# Disk DescriptorFile\nversion=1\ncreateType=\"twoGbMaxExtentSparse\"\n{extents}")
        };
        write("a-s001.vmdk", "KDMV");
        write("other.vmdk", &text(&["b-s001.vmdk"]));
        write("a.txt", &text(&["a-s001.vmdk"]));
        let of = |name: &str| descriptor_of(&dir.path().join(name)).unwrap();
        assert_eq!(of("a-s001.vmdk"), None);
        write("renamed.vmdk", &text(&["a-s001.vmdk", "folder/a-s002.vmdk"]));
        assert_eq!(of("a-s001.vmdk"), Some(Found { name: "renamed.vmdk".into(), extents: 2 }));
        assert_eq!(of("a-s002.vmdk"), Some(Found { name: "renamed.vmdk".into(), extents: 2 }));
        // The one whose name fits is read first.
        write("a.vmdk", &text(&["a-s001.vmdk"]));
        assert_eq!(of("a-s001.vmdk"), Some(Found { name: "a.vmdk".into(), extents: 1 }));
        assert_eq!(of("nothing.vmdk"), None);
        assert_eq!(descriptor_of(Path::new("/nowhere/a.vmdk")).unwrap(), None);
    }
}
