//! Systems as small trees of files: what rules and readers of systems are tested on.

#![expect(clippy::indexing_slicing, reason = "files of a size that this module chooses")]

use std::collections::BTreeMap;
use std::path::Path;

/// The UUID of the root file system that these systems name.
pub const ROOT: &str = "4f6d1c1e-0a51-4d10-9c8e-7d4b5e3f0a01";
/// The version of their kernel.
pub const KERNEL: &str = "6.1.0-18-amd64";
/// What an initramfs needs for a virtio disk, below `kernel/drivers` and without an end.
pub const DISK_DRIVERS: [&str; 4] =
    ["virtio/virtio", "virtio/virtio_ring", "virtio/virtio_pci", "block/virtio_blk"];

/// A file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeFile {
    /// A regular file.
    Bytes(Vec<u8>),
    /// A symbolic link to this path.
    Link(String),
}

/// Files by their absolute paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, TreeFile>);

impl Tree {
    /// Adds a file, or replaces it.
    pub fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.0.insert(path.into(), TreeFile::Bytes(bytes.into()));
        self
    }

    /// Adds a symbolic link, or replaces what is there.
    pub fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.0.insert(path.into(), TreeFile::Link(target.into()));
        self
    }

    /// Removes a file.
    ///
    /// # Panics
    ///
    /// If it is not there: a test would then break nothing.
    pub fn remove(&mut self, path: &str) -> &mut Self {
        assert!(self.0.remove(path).is_some(), "{path} is not in the tree");
        self
    }

    /// Replaces text in a file.
    ///
    /// # Panics
    ///
    /// If the file is not there, or does not have it.
    pub fn replace(&mut self, path: &str, text: &str, with: &str) -> &mut Self {
        let Some(TreeFile::Bytes(bytes)) = self.0.get_mut(path) else { panic!("{path} is not in the tree") };
        let old = String::from_utf8(bytes.clone()).expect("the file is text");
        assert!(old.contains(text), "{path} has no {text:?}");
        *bytes = old.replace(text, with).into_bytes();
        self
    }

    /// Writes the tree into a folder. Links on systems that have none are left out.
    ///
    /// # Panics
    ///
    /// If it can't be written.
    pub fn write_to(&self, folder: &Path) {
        for (path, file) in &self.0 {
            let path = folder.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().expect("it lies in the folder"))
                .expect("the folder is made");
            match file {
                TreeFile::Bytes(bytes) => std::fs::write(&path, bytes).expect("the file is written"),
                #[cfg(unix)]
                TreeFile::Link(target) => {
                    std::os::unix::fs::symlink(target, &path).expect("the link is made")
                }
                #[cfg(not(unix))]
                TreeFile::Link(_) => {}
            }
        }
    }
}

/// A cpio archive (`newc`) of files with one byte each.
pub fn archive(files: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in files.iter().copied().chain(["TRAILER!!!"]) {
        let size = usize::from(name != "TRAILER!!!");
        let (mode, length) = (0o100_644, name.len() + 1);
        let header = format!(
            "070701{:08x}{mode:08x}{:08x}{:08x}{:08x}{:08x}{size:08x}{:08x}{:08x}{:08x}{:08x}{length:08x}{:08x}",
            1, 0, 0, 1, 0, 0, 0, 0, 0, 0
        );
        bytes.extend(header.into_bytes());
        bytes.extend(name.bytes().chain([0]));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.resize(bytes.len() + size.next_multiple_of(4), 0);
    }
    bytes
}

/// An initramfs with these modules of [`KERNEL`], such as `block/virtio_blk`.
pub fn initramfs(modules: &[&str]) -> Vec<u8> {
    let path = |name: &&str| format!("usr/lib/modules/{KERNEL}/kernel/drivers/{name}.ko.xz");
    let names = modules.iter().map(path).collect::<Vec<_>>();
    archive(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A kernel: the header of a bzImage with its version.
pub fn kernel(version: &str) -> Vec<u8> {
    let mut bytes = vec![0; 0x1000];
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes[0x206..0x208].copy_from_slice(&0x20f_u16.to_le_bytes());
    bytes[0x20e..0x210].copy_from_slice(&0x300_u16.to_le_bytes());
    bytes[0x236] = 1;
    let text = format!("{version} (x@y) #1\0");
    bytes[0x500..0x500 + text.len()].copy_from_slice(text.as_bytes());
    bytes
}

/// The header of a program for x86 with 64 bits.
pub fn elf() -> Vec<u8> {
    let mut head = vec![0; 64];
    head[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
    head[18] = 62;
    head
}

/// The configuration of GRUB with one entry that starts [`KERNEL`] from `folder` on the volume with this UUID.
pub fn grub_cfg(options: &str, folder: &str, uuid: &str) -> String {
    format!(
        "set default=\"0\"\nmenuentry 'Debian' --id x {{\n search --no-floppy --fs-uuid --set=root {uuid}\n \
         linux {folder}/vmlinuz-{KERNEL} {options}\n initrd {folder}/initrd.img-{KERNEL}\n}}\n"
    )
}

/// A sound Debian on one volume with the UUID [`ROOT`], started by a BIOS.
pub fn debian() -> Tree {
    let mut files = Tree::default();
    files
        .file(
            "/usr/lib/os-release",
            "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
        )
        .link("/etc/os-release", "../usr/lib/os-release")
        .file("/etc/debian_version", "12.5\n")
        .link("/bin", "usr/bin")
        .link("/lib", "usr/lib")
        .link("/sbin", "usr/sbin")
        .link("/usr/bin/sh", "dash")
        .file("/usr/bin/dash", elf())
        .file("/etc/fstab", format!("UUID={ROOT} / ext4 errors=remount-ro 0 1\n"))
        .file(&format!("/boot/vmlinuz-{KERNEL}"), kernel(KERNEL))
        .file(&format!("/boot/initrd.img-{KERNEL}"), initramfs(&DISK_DRIVERS))
        .file("/boot/grub/grub.cfg", grub_cfg(&format!("root=UUID={ROOT} ro console=ttyS0"), "/boot", ROOT))
        .file(&format!("/usr/lib/modules/{KERNEL}/modules.builtin"), "kernel/drivers/scsi/sd_mod.ko\n")
        .file(&format!("/usr/lib/modules/{KERNEL}/kernel/drivers/net/virtio_net.ko"), "x")
        .file("/etc/network/interfaces", "auto lo eth0\niface lo inet loopback\niface eth0 inet dhcp\n")
        .file("/usr/bin/cloud-init", "x")
        .file("/etc/cloud/cloud.cfg", "users: [default]\n")
        .file("/usr/lib/systemd/system/cloud-init.service", "x")
        .link(
            "/etc/systemd/system/cloud-init.target.wants/cloud-init.service",
            "/usr/lib/systemd/system/cloud-init.service",
        )
        .file("/usr/sbin/sshd", "x")
        .file("/usr/lib/systemd/system/ssh.service", "x")
        .link(
            "/etc/systemd/system/multi-user.target.wants/ssh.service",
            "/usr/lib/systemd/system/ssh.service",
        )
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        .file("/etc/shadow", "root:$6$abc$0123456789012345678901234567890123456789:19000:0:99999:7:::\n")
        .file("/etc/machine-id", "");
    files
}
