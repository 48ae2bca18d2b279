//! Files as a boot loader sees them: by device and path, before anything is mounted.

use std::cell::Cell;
use std::rc::Rc;

use imsprep_filesystem::{GuestTree, Subvolume};

use crate::files::Files;
use crate::root::Root;
use crate::{Answer, Disk, GrubFiles, LoaderPath, NotKnown, Origin, SearchKind, text};

/// Most bytes of a file that a loader reads as its configuration.
const CONFIG_MAX: usize = text::FILE_MAX;

/// The volumes of a disk as loaders see them.
pub(super) struct LoaderFiles<'d, 'a> {
    disk: &'d Disk<'a>,
    /// The trees of each volume in which a path may begin: a Btrfs has several.
    trees: Vec<Vec<Files<'a>>>,
    cancelled: Cell<bool>,
}

/// A file that was looked up.
pub(super) struct Found<'f, 'a> {
    pub(super) files: &'f Files<'a>,
    pub(super) path: String,
}

impl<'d, 'a> LoaderFiles<'d, 'a> {
    pub(super) fn new(disk: &'d Disk<'a>, root: &Root<'a>) -> Self {
        let trees = disk.volumes.iter().enumerate().map(|(index, volume)| {
            let Ok(files) = &volume.files else { return Vec::new() };
            // GRUB begins at the top of a Btrfs, unless it is told to take the default subvolume; loaders of other kinds may have
            // paths within the system's root.
            let top = files.subvolume(Subvolume::Id(5)).ok().flatten();
            let of_root = (index == root.volume).then_some(root.node);
            let mut nodes = Vec::new();
            for node in top.into_iter().chain([files.root()]).chain(of_root) {
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
            nodes
                .into_iter()
                .map(|node| Files::new(GuestTree::new(Rc::clone(files), node), &volume.name))
                .collect()
        });
        Self { disk, trees: trees.collect(), cancelled: Cell::new(false) }
    }

    /// The name of a volume as a device, for [`LoaderPath::device`].
    pub(super) fn device(index: usize) -> String {
        format!("volume{index}")
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.get() || self.trees.iter().flatten().any(Files::is_cancelled)
    }

    /// Notes that reading a file of this disk in another way was cancelled.
    pub(super) fn note_cancelled(&self) {
        self.cancelled.set(true);
    }

    /// The volume that a loader means by a device; `Ok(None)` if it is certainly not on this disk.
    pub(super) fn volume(&self, device: &str) -> Answer<Option<usize>> {
        let unknown =
            || NotKnown::because(format!("which volume ({}) is could not be determined", text::name(device)));
        if let Some(index) = device.strip_prefix("volume").and_then(|number| number.parse::<usize>().ok()) {
            return Ok((index < self.trees.len()).then_some(index));
        }
        if let Some(uuid) = device.strip_prefix("uuid/") {
            return self
                .search(SearchKind::Uuid, uuid)
                .map_err(NotKnown::because)
                .map(|found| found.and_then(|device| self.volume(&device).ok().flatten()));
        }
        if let Some(name) = device.strip_prefix("lvm/") {
            let spec = crate::DeviceSpec::parse(&format!("/dev/mapper/{name}"));
            return match self.disk.find(&spec) {
                crate::Lookup::Found(index) => Ok(Some(index)),
                crate::Lookup::Absent => Ok(None),
                crate::Lookup::Unknown(reason) => Err(NotKnown::because(reason)),
            };
        }
        let Some((disk, partition)) = device.split_once(',') else {
            // A whole disk.
            return if device == "hd0" {
                self.disk.whole().map(Some).ok_or_else(unknown)
            } else {
                Err(unknown())
            };
        };
        // The image is the first disk; `hd96` is what GRUB of SUSE has for the disk it was started from.
        if !matches!(disk, "hd0" | "hd96" | "") {
            return if disk.starts_with("hd") { Ok(None) } else { Err(unknown()) };
        }
        let digits = partition
            .rsplit(',')
            .next()
            .unwrap_or_default()
            .trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let number = digits.parse::<u32>().map_err(|_| unknown())?;
        Ok(self.disk.partition(number))
    }

    /// A file by device and path; `None` if it is certainly not there.
    pub(super) fn find(&self, path: &LoaderPath) -> Answer<Option<Found<'_, 'a>>> {
        let Some(index) = self.volume(path.device.as_deref().unwrap_or_default())? else { return Ok(None) };
        let volume = self.disk.volume(index);
        if let Some(Err(reason)) = volume.map(|volume| &volume.files) {
            let name = volume.map(|volume| volume.name.clone()).unwrap_or_default();
            let reason = if reason.is_empty() { "it holds no files" } else { reason };
            return Err(NotKnown::because(format!("{name}: {reason}")));
        }
        let path = normal(&path.path);
        for files in self.trees.get(index).map(Vec::as_slice).unwrap_or_default() {
            if files.exists(&path)? {
                return Ok(Some(Found { files, path }));
            }
        }
        Ok(None)
    }

    /// Where a file is, or would be.
    pub(super) fn origin(&self, path: &LoaderPath) -> Origin {
        let index = self.volume(path.device.as_deref().unwrap_or_default()).ok().flatten();
        let name = index.and_then(|index| self.disk.volume(index)).map(|volume| volume.name.clone());
        let name =
            name.unwrap_or_else(|| format!("({})", text::name(path.device.as_deref().unwrap_or_default())));
        Origin { volume: name, path: text::value(&normal(&path.path)), line: None }
    }

    /// A whole file.
    pub(super) fn read_file(&self, path: &LoaderPath, max: usize) -> Answer<Option<Vec<u8>>> {
        match self.find(path)? {
            Some(found) => found.files.read_up_to(&found.path, max),
            None => Ok(None),
        }
    }

    /// The names in a directory.
    pub(super) fn names(&self, path: &LoaderPath) -> Answer<Vec<String>> {
        match self.find(path)? {
            Some(found) => Ok(found.files.list(&found.path)?.into_iter().map(|(name, _)| name).collect()),
            None => Ok(Vec::new()),
        }
    }
}

/// A path with `/` before it and between its parts, without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

impl GrubFiles for LoaderFiles<'_, '_> {
    fn read(&self, path: &LoaderPath) -> Result<Option<Vec<u8>>, String> {
        self.read_file(path, CONFIG_MAX).map_err(|reason| reason.to_string())
    }

    fn size(&self, path: &LoaderPath) -> Result<Option<u64>, String> {
        let size = || self.find(path)?.map_or(Ok(None), |found| found.files.size(&found.path));
        size().map_err(|reason: NotKnown| reason.to_string())
    }

    fn list(&self, path: &LoaderPath) -> Result<Vec<String>, String> {
        self.names(path).map_err(|reason| reason.to_string())
    }

    fn search(&self, kind: SearchKind, value: &str) -> Result<Option<String>, String> {
        let by = |fits: &dyn Fn(&crate::DiskVolume<'_>) -> bool| self.disk.volumes.iter().position(fits);
        let found = match kind {
            SearchKind::Uuid => {
                by(&|volume| volume.uuid.as_deref().is_some_and(|uuid| uuid.eq_ignore_ascii_case(value)))
            }
            SearchKind::Label => by(&|volume| volume.label.as_deref() == Some(value)),
            SearchKind::File => {
                let mut found = None;
                for index in 0..self.trees.len() {
                    let path = LoaderPath { device: Some(Self::device(index)), path: value.to_owned() };
                    if self.trees.get(index).is_some_and(|trees| !trees.is_empty())
                        && self.find(&path).map_err(|reason| reason.to_string())?.is_some()
                    {
                        found = Some(index);
                        break;
                    }
                }
                found
            }
        };
        match (found, self.disk.hidden()) {
            (Some(index), _) => Ok(Some(Self::device(index))),
            (None, Some(reason)) => Err(reason),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_loaders_are_brought_into_one_form() {
        for (path, expected) in [
            ("vmlinuz", "/vmlinuz"),
            ("\\EFI\\Linux\\a.efi", "/EFI/Linux/a.efi"),
            ("/boot/extlinux/../vmlinuz", "/boot/vmlinuz"),
            ("//a/./b", "/a/b"),
            ("../../x", "/x"),
        ] {
            assert_eq!(normal(path), expected);
        }
    }
}
