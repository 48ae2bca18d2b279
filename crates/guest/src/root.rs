//! Which volumes hold the root of a system.

use std::rc::Rc;

use imsprep_filesystem::{FileKind, FileSystem, GuestTree, Node, Subvolume};

use crate::{Disk, Lookup, NotKnown, parse_fstab, text};

/// Subvolumes that distributions put the root into.
const SUBVOLUMES: &[&str] = &["@", "@rootfs", "root", "@/.snapshots/1/snapshot", "@root", "rootfs"];
/// Most directories at the top of a Btrfs that are tried.
const DIRECTORIES_MAX: usize = 32;
/// Most reasons that are kept.
const UNREAD_MAX: usize = 16;
/// Files that a Linux has of which one suffices, beside `/etc`. `/usr` may be a volume of its own.
const LINUX_SIGNS: &[&str] = &[
    "/etc/os-release",
    "/usr/lib/os-release",
    "/etc/redhat-release",
    "/etc/SuSE-release",
    "/etc/debian_version",
    "/etc/fstab",
    "/etc/passwd",
];
/// The hive that every Windows has.
pub(crate) const SYSTEM_HIVE: &str = "/Windows/System32/config/SYSTEM";

/// A directory that is the root of a system.
pub(crate) struct Root<'a> {
    /// The volume's index.
    pub(crate) volume: usize,
    pub(crate) files: Rc<dyn FileSystem + 'a>,
    pub(crate) node: Node,
    /// The Btrfs subvolume, if it is not the default one.
    pub(crate) subvolume: Option<String>,
}

/// What kinds of systems a disk has.
#[derive(Default)]
pub(crate) struct Roots<'a> {
    /// Of Linux; the likeliest first.
    pub(crate) linux: Vec<Root<'a>>,
    /// Of Windows.
    pub(crate) windows: Vec<Root<'a>>,
    /// Why it is not known of a volume whether it is a root.
    pub(crate) unread: Vec<NotKnown>,
}

/// Looks at every volume.
pub(crate) fn find_roots<'a>(disk: &Disk<'a>) -> Roots<'a> {
    let mut roots = Roots::default();
    for (volume, found) in disk.volumes.iter().enumerate() {
        let Ok(files) = &found.files else { continue };
        let mut seen = Vec::new();
        for (node, subvolume) in candidates(&**files) {
            if seen.contains(&node) {
                continue;
            }
            seen.push(node);
            let tree = GuestTree::new(Rc::clone(files), node);
            let root = Root { volume, files: Rc::clone(files), node, subvolume };
            let mut kind = |path: &str| match tree.kind(path) {
                Ok(kind) => kind,
                Err(error) => {
                    // What can't be read is not absent.
                    if roots.unread.len() < UNREAD_MAX {
                        let reason = format!("{}: {}", found.name, text::value(&error.to_string()));
                        roots.unread.push(NotKnown::because(reason));
                    }
                    None
                }
            };
            let is_windows = kind(SYSTEM_HIVE) == Some(FileKind::File);
            let is_linux = kind("/etc").is_some() && LINUX_SIGNS.iter().any(|path| kind(path).is_some());
            if is_windows {
                roots.windows.push(root);
            } else if is_linux {
                roots.linux.push(root);
            }
        }
    }
    // A system whose own fstab names it as the root is no copy, snapshot or container.
    roots.linux.sort_by_key(|root| !names_itself(disk, root));
    roots
}

fn candidates(files: &dyn FileSystem) -> Vec<(Node, Option<String>)> {
    let mut found = vec![(files.root(), None)];
    if files.name() != "btrfs" {
        return found;
    }
    let mut names = SUBVOLUMES.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    // Others stand at the top.
    if let Ok(Some(top)) = files.subvolume(Subvolume::Id(5)) {
        let mut count = 0;
        let _ = files.entries(top, &mut |entry| {
            count += 1;
            if entry.kind != Some(FileKind::File) {
                names.extend(String::from_utf8(entry.name).ok());
            }
            if count < DIRECTORIES_MAX {
                std::ops::ControlFlow::Continue(())
            } else {
                std::ops::ControlFlow::Break(())
            }
        });
    }
    for name in names {
        if let Ok(Some(node)) = files.subvolume(Subvolume::Path(name.as_bytes())) {
            found.push((node, Some(text::name(&name))));
        }
    }
    found
}

fn names_itself(disk: &Disk<'_>, root: &Root<'_>) -> bool {
    let tree = GuestTree::new(Rc::clone(&root.files), root.node);
    let Ok(bytes) = tree.read("/etc/fstab", text::FILE_MAX) else { return false };
    parse_fstab(&bytes).iter().filter(|mount| mount.target == "/").any(|mount| {
        let of_subvolume = mount.subvolume().map(|path| subvolume(&*root.files, path));
        disk.find(&mount.device) == Lookup::Found(root.volume)
            && of_subvolume.is_none_or(|node| node == Some(root.node))
    })
}

/// The root directory of a subvolume by its path.
pub(crate) fn subvolume(files: &dyn FileSystem, path: &str) -> Option<Node> {
    files.subvolume(Subvolume::Path(path.trim_matches('/').as_bytes())).ok().flatten()
}
