//! The rules for the content of a disk.

use imsprep_findings::rules;

const CONTENT: &str = "the disk's content";

rules! {
    /// Every rule for the content of a disk, by code.
    pub static CONTENT_RULES: convertible = true;

    pub(crate) BACKUP_GPT_ELSEWHERE = "IMS-050", Warning, "the backup of the GPT is not at the end of the disk", {
        why: "the disk was enlarged after it was partitioned; some firmware and boot loaders treat this as damage: the server may not boot",
        source: CONTENT,
        fix: "convert the image with imsprep convert --fit, which moves the backup header to the end of the disk in the output",
    }

    pub(crate) PARTITION_PAST_END = "IMS-051", Error, "a partition ends past the end of the disk", {
        why: "part of the partition is not in the image: the copy is truncated, or the disk was shrunk and the partition was not; \
              the server may not boot, and the data there is lost",
        source: CONTENT,
        fix: "compare the size with that of the original disk and copy it again",
    }

    pub(crate) TABLE_DAMAGED = "IMS-052", Warning, "the partition table is damaged", {
        why: "programs may find other partitions, or none: the server may not boot",
        source: CONTENT,
        fix: "examine the table with a partitioning program, and repair it on the original disk or on a copy",
    }

    pub(crate) UEFI_ONLY = "IMS-053", Note, "the image boots by UEFI only", {
        why: "a server boots by BIOS unless the request sets UEFI, and would find no boot loader",
        source: "OTC: FAQ on UEFI; HW: hw_firmware_type of the quick import request",
        fix: "set hw_firmware_type to uefi in the request",
    }

    pub(crate) LVM_SYSTEM_DISK = "IMS-055", Warning, "the system disk uses LVM", {
        why: "the service cannot inject files, such as a password or a key, into a server whose system is on LVM",
        source: "OTC: constraints on image files",
        fix: "install cloud-init, which sets them at the first boot, and test it, or move the system to a partition without LVM",
    }

    pub(crate) NOT_UNMOUNTED = "IMS-056", Warning, "a file system was not cleanly unmounted", {
        why: "the image was copied from a running, crashed or hibernated machine: the server may stop at a file system check, and \
              the last writes may be missing",
        source: "OTC: preparation of image files",
        fix: "shut the machine down cleanly, then copy the disk again; Windows: shutdown /s /t 0, with fast startup off",
    }

    pub(crate) ONE_OF_SEVERAL = "IMS-057", Warning, "a volume needs other disks, too", {
        why: "an image holds one system disk or one data disk: the data on the other disks is missing",
        source: "OTC: constraints on image files",
        fix: "move the volume to one disk before the copy, or import the other disks as data disks",
    }

    pub(crate) WINDOWS = "IMS-058", Warning, "the image contains Windows", {
        why: "according to Huawei's international pages of 2025 and 2026, quick import no longer takes Windows; other pages do not say so",
        source: "HW: quick import, constraints, where pages disagree",
        fix: "import a small Windows image first, or use the common import, which takes files of up to 128 GiB",
    }

    pub(crate) NOTHING_STARTS = "IMS-059", Warning, "the system disk has no boot loader", {
        why: "neither boot code for BIOS nor a boot loader for UEFI was found: a server would not boot from it",
        source: CONTENT,
        fix: "install a boot loader in the original machine; for a data disk, use --purpose data",
    }

    pub(crate) DATA_DISK_STARTS = "IMS-060", Note, "the data disk looks like a system disk", {
        why: "a server would boot from it; servers cannot be created from an image that was imported as a data disk",
        source: CONTENT,
        fix: "for a system disk, use --purpose system",
    }

    pub(crate) FILE_SYSTEM_PAST_END = "IMS-061", Error, "a file system is larger than its partition or disk", {
        why: "the end of the file system is not in the image: the copy is truncated, or the partition was shrunk and the file \
              system was not; files are lost, and the system may refuse to mount it",
        source: CONTENT,
        fix: "compare the size with that of the original disk and copy it again, or shrink the file system before the partition",
    }

    pub(crate) BACKUP_GPT_LOST = "IMS-062", Warning, "the backup of the GPT is beyond the end of the disk", {
        why: "the partition table was made for a larger disk: the end of the copy is missing, although no partition reaches into \
              it; some firmware and boot loaders treat a missing backup as damage",
        source: CONTENT,
        fix: "compare the size with that of the original disk and copy it again",
    }

    pub(crate) SECTORS_OF_4096 = "IMS-063", Warning, "the partition table is for sectors of 4096 bytes", {
        why: "the positions in a GPT are sector numbers; on a disk with sectors of 512 bytes this GPT is not found, so the server \
              would see no partitions and not boot",
        source: "an assumption: no page of the service says that its disks have sectors of 512 bytes",
        fix: "copy the partitions to an image whose partition table was made for sectors of 512 bytes",
    }

    pub(crate) BIOS_UNCERTAIN = "IMS-064", Note, "the image boots by UEFI, and possibly by BIOS", {
        why: "a server boots by BIOS unless the request sets UEFI, and the BIOS boot code in this image is unknown",
        source: "OTC: FAQ on UEFI; HW: hw_firmware_type of the quick import request",
        fix: "if the system was installed for UEFI, set hw_firmware_type to uefi in the request",
    }
}
