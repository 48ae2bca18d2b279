//! What to do with a file in a format that is recognised and not read.

use imsprep_detect::{Other, OtherKind};

/// What to do with it, in words: the programs that read it are seldom where the check runs.
pub fn other_advice(other: &Other) -> &'static str {
    match other.name {
        "acronis" => {
            "restore it with the program of Acronis to a virtual disk or a disk, and check the result"
        }
        "ad1" | "ewf-logical" => {
            "it contains files, not a disk: use an image of the complete disk, made with the same program"
        }
        "android-boot" => "it contains a kernel, not a disk: use the image of the complete disk",
        "android-ota" => "it contains images of partitions, not a disk: use the image of the complete disk",
        "ar" => "unpack it with ar or dpkg-deb, then check each disk in it",
        "asif" => "convert it to RAW with diskutil or hdiutil on a Mac, then check the RAW",
        "btrfs-send" | "zfs-send" => {
            "it contains files or a volume of a pool: receive it on a machine with that file system, and create an \
             image there"
        }
        "cab" => "unpack it with cabextract, then check each disk in it",
        "chd" => "unpack it with chdman, then check the result",
        "compress" => "unpack it with uncompress or gzip -d, then check the result",
        "cow" => "merge it into its backing disk with uml_moo, and check the result",
        "cpio" => "unpack it with cpio, then check each disk in it",
        "elf" => "it is not a disk: use the image of the machine's disk",
        "encrypted-file" => "decrypt it with the program that encrypted it, then check the result",
        "fsarchiver" | "partclone" | "partimage" | "ntfsclone" => {
            "restore it with the same program to a disk or a RAW file of the disk's size; if it is one partition of \
             several, also restore the others, and check the complete disk"
        }
        "ghost" => "restore it with Ghost to a virtual disk, and check the result",
        "libvirt-save" | "qemu-migration" | "virtualbox-save" | "vmware-state" | "xen-save" | "kdump"
        | "lime" => "it contains memory, not a disk: shut the machine down, and use the image of its disk",
        "lrzip" => "unpack it with lrzip -d, then check the result",
        "lzip" => "unpack it with lzip -dk, then check the result",
        "lzma" => "unpack it with xz --format=lzma -dk, then check the result",
        "lzop" => "unpack it with lzop -d, then check the result",
        "macrium" => "restore it with Macrium Reflect to a virtual disk, and check the result",
        "rar" => "unpack it with unrar or bsdtar, then check each disk in it",
        "rbd-diff" => "apply it to its image with rbd import-diff, then write the image with rbd export",
        "rbd-export" => {
            "import it with rbd import --export-format 2, then write a RAW with rbd export without that flag"
        }
        "rpm" => "unpack it with rpm2cpio and cpio, then check each disk in it",
        "sif" => "it contains the files of a container, not a disk that a machine boots from",
        "snappy" => "unpack it with snzip -d, then check the result",
        "sparseimage" => "convert it to RAW with hdiutil on a Mac, then check the RAW",
        "ubi" | "ubifs" => "it is for flash memory, not for a disk: use an image for a disk",
        "vma" => "extract the disks with vma extract on a Proxmox VE host, then check each of them",
        "vmfs" => "copy the .vmdk files of the machine from it, or export the machine as an OVA",
        "xar" => "unpack it with xar or bsdtar, then check each disk in it",
        "xfs-metadump" => "it does not contain the data of files: use an image of the disk",
        "xfsdump" => "restore it with xfsrestore, and create an image of the disk",
        "zlib" => "unpack it with pigz -dz, then check the result",
        _ => match other.kind {
            OtherKind::Compressed | OtherKind::Archive => "unpack it, then check the result",
            _ => "convert it to RAW with the program that wrote it, and check the RAW",
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
