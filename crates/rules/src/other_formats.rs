//! What to do with a file in a format that is recognised and not read.

use imsprep_detect::{Other, OtherKind};

/// What to do with it, in words: the programs that read it are seldom where the check runs.
pub fn other_advice(other: &Other) -> &'static str {
    match other.name {
        "acronis" => "restore it with Acronis' program into a virtual disk or onto a disk, and check that",
        "ad1" | "ewf-logical" => {
            "it holds files and no disk: use an image of the whole disk, made with the same program"
        }
        "android-boot" => "it holds a kernel, not a disk: use the image of the whole disk",
        "android-ota" => "it holds the images of partitions, not a disk: use the image of the whole disk",
        "ar" => "unpack it with ar or dpkg-deb, then check each disk that was in it",
        "asif" => "make a RAW of it with diskutil or hdiutil on a Mac, then check that",
        "btrfs-send" | "zfs-send" => {
            "it holds files or a volume of a pool: receive it on a machine with that file system, and make an image there"
        }
        "cab" => "unpack it with cabextract, then check each disk that was in it",
        "chd" => "unpack it with chdman, then check what was in it",
        "compress" => "unpack it with uncompress or gzip -d, then check what was in it",
        "cow" => "merge it into its backing disk with uml_moo, and check the result",
        "cpio" => "unpack it with cpio, then check each disk that was in it",
        "elf" => "it is no disk: use the image of the machine's disk",
        "encrypted-file" => "decrypt it with the program that encrypted it, then check what was in it",
        "fsarchiver" | "partclone" | "partimage" | "ntfsclone" => {
            "restore it with the same program onto a disk or into a RAW file of the disk's size; if it is one partition of \
             several, restore the others, too, and check the whole disk"
        }
        "ghost" => "restore it with Ghost onto a virtual disk, and check that",
        "libvirt-save" | "qemu-migration" | "virtualbox-save" | "vmware-state" | "xen-save" | "kdump"
        | "lime" => "it holds memory and no disk: shut the machine down, and use the image of its disk",
        "lrzip" => "unpack it with lrzip -d, then check what was in it",
        "lzip" => "unpack it with lzip -dk, then check what was in it",
        "lzma" => "unpack it with xz --format=lzma -dk, then check what was in it",
        "lzop" => "unpack it with lzop -d, then check what was in it",
        "macrium" => "restore it with Macrium Reflect onto a virtual disk, and check that",
        "rar" => "unpack it with unrar or bsdtar, then check each disk that was in it",
        "rbd-diff" => {
            "apply it with rbd import-diff to the image that it belongs to, then write that with rbd export"
        }
        "rbd-export" => {
            "import it with rbd import --export-format 2, then write a RAW with rbd export and without that flag"
        }
        "rpm" => "unpack it with rpm2cpio and cpio, then check each disk that was in it",
        "sif" => "it holds a container's files, and no disk that a machine starts from",
        "snappy" => "unpack it with snzip -d, then check what was in it",
        "sparseimage" => "make a RAW of it with hdiutil on a Mac, then check that",
        "ubi" | "ubifs" => "it is written to flash memory, and is no disk: use an image for a disk",
        "vma" => "extract the disks with vma extract on a Proxmox VE host, then check each of them",
        "vmfs" => {
            "copy the .vmdk files of the machine out of it, or export the machine as an OVA, and use those"
        }
        "xar" => "unpack it with xar or bsdtar, then check each disk that was in it",
        "xfs-metadump" => "it holds no files' content: use an image of the disk itself",
        "xfsdump" => "restore it with xfsrestore, and make an image of the disk",
        "zlib" => "unpack it with pigz -dz, then check what was in it",
        _ => match other.kind {
            OtherKind::Compressed | OtherKind::Archive => "unpack it, then check what was in it",
            _ => "make a RAW of it with the program that wrote it, and check that",
        },
    }
}

#[cfg(test)]
mod tests {
    use imsprep_detect::OTHERS;

    use super::*;

    #[test]
    fn each_format_has_advice_of_its_own() {
        let general = |kind| other_advice(&Other { name: "none", title: "nothing", kind });
        for other in OTHERS {
            assert_ne!(other_advice(other), general(other.kind), "{}", other.name);
        }
    }
}
