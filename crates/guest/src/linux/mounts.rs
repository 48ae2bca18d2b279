//! What the system mounts, and the tree of its files with everything mounted that can be.

use std::rc::Rc;

use imsprep_filesystem::{GuestTree, Subvolume};

use crate::files::Files;
use crate::root::{Root, subvolume};
use crate::unreadable::Unreadable;
use crate::{Answer, Disk, Lookup, Mount, NotKnown, Sourced, parse_crypttab, parse_fstab, parse_mount_unit};

/// Where volumes are mounted that facts may lie on. No fact is below any other path.
const SYSTEM_PATHS: &[&str] =
    &["/boot", "/efi", "/usr", "/var", "/etc", "/lib", "/lib64", "/bin", "/sbin", "/root", "/home", "/opt"];
/// Most volumes that are mounted.
const MOUNTS_MAX: usize = 48;

/// An entry of fstab, or a mount unit, with the volume that it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountFact {
    /// The entry and its place.
    pub mount: Sourced<Mount>,
    /// The volume that it means.
    pub lookup: Lookup,
    /// The volume's name, if it is on this disk.
    pub volume: Option<String>,
}

impl MountFact {
    /// Whether the boot waits for a local device in vain, so that the system does not come up: the entry is not optional, no
    /// swap, nothing of the network, and its device is certainly not on the disk. By OS-005.
    pub fn stops_boot(&self) -> bool {
        let mount = &self.mount.value;
        self.lookup == Lookup::Absent
            && !mount.is_optional()
            && !mount.is_swap()
            && !mount.is_network()
            && !mount.has_no_device()
    }
}

/// The files of a system and what it mounts.
pub(super) struct Mounted<'a> {
    pub(super) files: Files<'a>,
    pub(super) fstab: Answer<Vec<MountFact>>,
    pub(super) units: Answer<Vec<MountFact>>,
    /// Volumes that would be mounted and could not be read.
    pub(super) unread: Vec<NotKnown>,
}

/// Mounts what the system mounts.
pub(super) fn mount<'a>(disk: &Disk<'a>, root: &Root<'a>) -> Mounted<'a> {
    let name = disk.volume(root.volume).map(|volume| volume.name.clone()).unwrap_or_default();
    let mut files = Files::new(GuestTree::new(Rc::clone(&root.files), root.node), &name);
    let fstab = fstab(disk, &files);
    let mut unread = Vec::new();
    let mut facts = fstab.clone().unwrap_or_default();
    // What lies over another is mounted later.
    facts.sort_by_key(|fact| fact.mount.value.target.matches('/').count());
    for fact in facts.into_iter().filter(|fact| is_of_system(&fact.mount.value)).take(MOUNTS_MAX) {
        let mount = &fact.mount.value;
        let target = mount.target.as_str();
        match volume_of(disk, &fact) {
            Ok((volume_name, volume, node)) => {
                if files.tree_mut().mount(target, volume, node).is_ok() {
                    files.mounted(target, &volume_name);
                }
            }
            // One that is not mounted by itself has its content on the root as far as the system knows.
            Err(_) if mount.option("noauto").is_some() => {}
            Err(reason) => {
                let reason = format!("{target} could not be looked into: {reason}");
                unread.push(NotKnown::at(fact.mount.origin.clone(), reason.clone()));
                let stand_in = Rc::new(Unreadable(reason));
                let node = imsprep_filesystem::FileSystem::root(&*stand_in);
                let _ = files.tree_mut().mount(target, stand_in, node);
            }
        }
    }
    let units = units(disk, &files);
    Mounted { files, fstab, units, unread }
}

fn is_of_system(mount: &Mount) -> bool {
    let target = mount.target.trim_end_matches('/');
    let below =
        |path: &str| target.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    !mount.is_swap() && !mount.has_no_device() && SYSTEM_PATHS.iter().any(|path| below(path))
}

type VolumeRoot<'a> = (String, Rc<dyn imsprep_filesystem::FileSystem + 'a>, imsprep_filesystem::Node);

/// The directory that an entry mounts; or why it can't be read.
fn volume_of<'a>(disk: &Disk<'a>, fact: &MountFact) -> Result<VolumeRoot<'a>, String> {
    let mount = &fact.mount.value;
    let index = match &fact.lookup {
        Lookup::Found(index) => *index,
        Lookup::Absent => return Err(format!("{} is not on this disk", mount.device)),
        Lookup::Unknown(reason) => return Err(reason.clone()),
    };
    let volume = disk.volume(index).ok_or("the volume is not there")?;
    let files = volume.files.as_ref().map_err(|reason| match reason.as_str() {
        "" => format!("{} holds no files ({})", volume.name, volume.kind),
        reason => reason.to_owned(),
    })?;
    let node = match (mount.subvolume(), mount.subvolume_id()) {
        (Some(path), _) if files.name() == "btrfs" => {
            subvolume(&**files, path).ok_or_else(|| format!("the subvolume {path} was not found"))?
        }
        (None, Some(id)) if files.name() == "btrfs" => match files.subvolume(Subvolume::Id(id)) {
            Ok(Some(node)) => node,
            Ok(None) => return Err(format!("the subvolume {id} was not found")),
            Err(error) => return Err(error.reason().to_owned()),
        },
        _ => files.root(),
    };
    Ok((volume.name.clone(), Rc::clone(files), node))
}

fn fact(disk: &Disk<'_>, mount: Mount, files: &Files<'_>, path: &str) -> MountFact {
    let lookup = disk.find(&mount.device);
    let volume = lookup.found().and_then(|index| disk.volume(index)).map(|volume| volume.name.clone());
    let origin = files.origin(path).at_line(mount.line);
    MountFact { mount: Sourced::new(mount, origin), lookup, volume }
}

fn fstab(disk: &Disk<'_>, files: &Files<'_>) -> Answer<Vec<MountFact>> {
    let bytes = files.read("/etc/fstab")?.unwrap_or_default();
    let opened = parse_crypttab(&files.read("/etc/crypttab")?.unwrap_or_default());
    let mut facts = Vec::new();
    for mount in parse_fstab(&bytes) {
        let mut fact = fact(disk, mount, files, "/etc/fstab");
        // What crypttab opens is there once it is open.
        if let crate::DeviceSpec::LogicalVolume { group, volume } = &fact.mount.value.device
            && opened.iter().any(|crypt| crypt.name == format!("{group}-{volume}"))
        {
            fact.lookup = Lookup::Unknown("the device is encrypted".into());
        }
        facts.push(fact);
    }
    Ok(facts)
}

/// The `.mount` and `.swap` units in `/etc/systemd/system` that some target wants.
fn units(disk: &Disk<'_>, files: &Files<'_>) -> Answer<Vec<MountFact>> {
    let folder = "/etc/systemd/system";
    let is_unit = |name: &str| name.ends_with(".mount") || name.ends_with(".swap");
    let mut facts = Vec::new();
    for path in files.files_in(folder, is_unit)?.iter().take(256) {
        let Some(bytes) = files.read(path)? else { continue };
        let name = path.rsplit('/').next().unwrap_or_default();
        // `local-fs.target` and its like want it; an automount unit of the same name makes it optional.
        let mut enabled = false;
        for target in [
            "local-fs.target",
            "multi-user.target",
            "swap.target",
            "remote-fs.target",
            "graphical.target",
            "sysinit.target",
        ] {
            for kind in ["wants", "requires"] {
                enabled |= files.has_name(&format!("{folder}/{target}.{kind}/{name}"))?;
            }
        }
        if let Some(mut mount) = parse_mount_unit(&bytes, enabled) {
            // A target that only wants a unit goes on without it; local-fs.target does so as well, but for units it requires.
            let required = files.has_name(&format!("{folder}/local-fs.target.requires/{name}"))?;
            mount.enabled = enabled && required;
            facts.push(fact(disk, mount, files, path));
        }
    }
    Ok(facts)
}
