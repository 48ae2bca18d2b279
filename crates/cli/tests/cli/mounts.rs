//! Loop devices and file systems, gone when dropped, also when a test fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use imsprep_testdata::{has_tool, skip};

use crate::folder::Folder;

/// Runs a script in a folder, with the programs for root in reach. What it printed, or what it said when it failed.
pub(crate) fn script(folder: &Path, script: &str) -> Result<String, String> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output =
        Command::new("sh").args(["-e", "-c", script]).env("PATH", path).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A loop device.
pub(crate) struct LoopDevice(pub(crate) String);

impl LoopDevice {
    /// Over this file, with these options of `losetup`. `None`, with a word about it, where this user may make none.
    pub(crate) fn over(image: &Path, options: &str) -> Option<Self> {
        if !has_tool("losetup") {
            return None;
        }
        let command = format!("losetup -f --show {options} '{}'", image.display());
        match script(Path::new("/"), &command) {
            Ok(device) => Some(Self(device)),
            Err(error) => {
                skip(&format!("no loop device: {error}"));
                None
            }
        }
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        let _ = script(Path::new("/"), &format!("losetup -d {}", self.0));
    }
}

/// A kind of file system.
pub(crate) struct FileSystem {
    pub(crate) name: &'static str,
    tools: &'static [&'static str],
    /// Mounts one at `at`.
    script: &'static str,
    /// Whether it keeps holes and tells of them, so that a TiB of them costs nothing.
    pub(crate) has_holes: bool,
}

/// All that the tests look at. Of those without holes ramfs can be mapped, but knows no `SEEK_DATA`; NTFS and exFAT come by
/// FUSE, as not every kernel has its own, and have no unnamed files, exFAT no hard links either.
pub(crate) const FILE_SYSTEMS: &[FileSystem] = &[
    FileSystem { name: "tmpfs", tools: &[], script: "mount -t tmpfs -o size=256m none at", has_holes: true },
    FileSystem { name: "ramfs", tools: &[], script: "mount -t ramfs none at", has_holes: false },
    FileSystem {
        name: "ext4",
        tools: &["mkfs.ext4"],
        script: "truncate -s 512M image; mkfs.ext4 -q image; mount -o loop image at",
        has_holes: true,
    },
    FileSystem {
        name: "XFS",
        tools: &["mkfs.xfs"],
        script: "truncate -s 512M image; mkfs.xfs -q image; mount -o loop image at",
        has_holes: true,
    },
    FileSystem {
        name: "Btrfs",
        tools: &["mkfs.btrfs"],
        script: "truncate -s 512M image; mkfs.btrfs -q image; mount -o loop image at",
        has_holes: true,
    },
    FileSystem {
        name: "Btrfs that compresses",
        tools: &["mkfs.btrfs"],
        script: "truncate -s 512M image; mkfs.btrfs -q image; mount -o loop,compress-force=zstd image at",
        has_holes: true,
    },
    FileSystem {
        name: "overlay",
        tools: &[],
        script: "mkdir lower upper work; \
                 mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none at",
        has_holes: true,
    },
    FileSystem {
        name: "NTFS",
        tools: &["mkfs.ntfs", "ntfs-3g"],
        script: "truncate -s 256M image; mkfs.ntfs -q -F image; ntfs-3g image at",
        has_holes: false,
    },
    FileSystem {
        name: "exFAT",
        tools: &["mkfs.exfat", "mount.exfat-fuse"],
        // It takes nothing but a device, which goes when the file system does.
        script: "truncate -s 256M image; mkfs.exfat image >&2; device=$(losetup -f --show image); status=0; \
                 mount.exfat-fuse $device at >&2 || status=1; losetup -d $device; exit $status",
        has_holes: false,
    },
];

/// A file system that is mounted.
pub(crate) struct Mounted {
    at: PathBuf,
    // Dropped after the file system is unmounted.
    _folder: Folder,
}

impl Mounted {
    /// `None`, with a word about it, where this user may mount none.
    pub(crate) fn new(kind: &FileSystem) -> Option<Self> {
        if !kind.tools.iter().all(|tool| has_tool(tool)) {
            return None;
        }
        let folder = Folder::on_disk();
        let at = folder.path("at");
        std::fs::create_dir(&at).unwrap();
        match script(&folder.path("."), kind.script) {
            Ok(_) => Some(Self { at, _folder: folder }),
            Err(error) => {
                skip(&format!("no {}: {error}", kind.name));
                None
            }
        }
    }

    /// The folder that shows it.
    pub(crate) fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // At once if nobody is in it, else as soon as nobody is. Its loop device goes with it.
        let _ = script(Path::new("/"), &format!("umount '{0}' || umount -l '{0}'", self.at.display()));
    }
}
