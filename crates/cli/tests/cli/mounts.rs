//! Loop devices and file systems, gone when dropped, also when a test fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use imsprep_testdata::{command, missing, need_tools};

use crate::folder::Folder;

/// Runs a script in a folder, with the programs that `need_tools` finds in reach. What it printed, or what it said when it failed.
pub(crate) fn script(folder: &Path, script: &str) -> Result<String, String> {
    let output = command("sh").args(["-e", "-c", script]).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A shell that runs a script, in which `$0` is the command, and that may mount file systems, which it alone sees. Leaves the test
/// where this user may make no such shell.
pub(crate) fn with_own_mounts(script: &str) -> Command {
    need_tools(["unshare", "mount"]);
    let shell = |script: &str| {
        let mut shell = command("unshare");
        shell.args(["--map-root-user", "--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_imsprep")]);
        shell
    };
    let tried = shell("mount -t tmpfs none /tmp").output().unwrap();
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr).trim().to_owned();
        missing(format!("no namespace to mount file systems in: {why}"));
    }
    shell(script)
}

/// A loop device.
pub(crate) struct LoopDevice(pub(crate) String);

impl LoopDevice {
    /// Over this file, with these options of `losetup`. Leaves the test where this user may make none.
    pub(crate) fn over(image: &Path, options: &str) -> Self {
        need_tools(["losetup"]);
        let command = format!("losetup -f --show {options} '{}'", image.display());
        match script(Path::new("/"), &command) {
            Ok(device) => Self(device),
            Err(error) => missing(format!("loop devices can't be made: {error}")),
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
        tools: &["mkfs.exfat", "mount.exfat-fuse", "losetup"],
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
    /// Leaves the test where this user may mount none.
    pub(crate) fn new(kind: &FileSystem) -> Self {
        need_tools(["mount", "umount"].iter().chain(kind.tools));
        let folder = Folder::on_disk();
        let at = folder.path("at");
        std::fs::create_dir(&at).unwrap();
        match script(&folder.path("."), kind.script) {
            Ok(_) => Self { at, _folder: folder },
            Err(error) => missing(format!("{} can't be mounted: {error}", kind.name)),
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
