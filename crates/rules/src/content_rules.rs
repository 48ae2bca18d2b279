//! The rules on what is inside the disk.

use imsprep_findings::rules;

const CONTENT: &str = "the disk's content";

rules! {
    /// Every rule on what is inside the disk, by code.
    pub static CONTENT_RULES: convertible = true;

    pub(crate) BACKUP_GPT_ELSEWHERE = "IMS-050", Warning, "the backup of the GPT is not at the end of the disk", {
        why: "the disk was enlarged after it was partitioned; some firmware and boot loaders take that for damage: it may not boot",
        source: CONTENT,
        fix: "make a RAW of the image, and move the backup header to its end",
    }

    pub(crate) PARTITION_PAST_END = "IMS-051", Error, "a partition ends past the end of the disk", {
        why: "part of it is not in the image: the copy is cut off, or the disk was shrunk and the partition was not; it may not \
              boot, and what was there is lost",
        source: CONTENT,
        fix: "compare the size with that of the original disk and copy it again",
    }

    pub(crate) TABLE_DAMAGED = "IMS-052", Warning, "the partition table is damaged", {
        why: "what reads it may find other partitions than there were, or none: it may not boot",
        source: CONTENT,
        fix: "verify the table with a partitioning program, and repair it on the original disk or on a copy",
    }

    pub(crate) UEFI_ONLY = "IMS-053", Note, "the image starts by UEFI only", {
        why: "a server starts by BIOS unless the request says otherwise, and would find nothing to start",
        source: "OTC: FAQ on UEFI; HW: hw_firmware_type of the quick import request",
        fix: "say hw_firmware_type uefi in the request",
    }

    pub(crate) LVM_SYSTEM_DISK = "IMS-055", Warning, "the system disk uses LVM", {
        why: "files, such as a password or a key, can't be put into a server whose system is on LVM",
        source: "OTC: constraints on image files",
        fix: "install what sets them at the first start (cloud-init) and test it, or move the system to a plain partition",
    }

    pub(crate) NOT_UNMOUNTED = "IMS-056", Warning, "a file system was not left in order", {
        why: "the image was copied from a running, crashed or hibernated machine: the server may stop at a repair, and may lack \
              the last writes",
        source: "OTC: preparation of image files",
        fix: "shut the machine down cleanly, then copy the disk again; Windows: shutdown /s /t 0, with fast startup off",
    }

    pub(crate) ONE_OF_SEVERAL = "IMS-057", Warning, "a volume needs more disks than this one", {
        why: "an image holds one system disk, or one data disk: what lies on the others is missing",
        source: "OTC: constraints on image files",
        fix: "move the volume to one disk before the copy, or import the other disks as data disks",
    }

    pub(crate) WINDOWS = "IMS-058", Warning, "the image is a Windows", {
        why: "Huawei's international pages of 2025 and 2026 say that Windows can't be quick-imported any more; others don't",
        source: "HW: quick import, constraints, where pages disagree",
        fix: "import a small Windows first, or use the common import, which takes files of up to 128 GiB",
    }

    pub(crate) NOTHING_STARTS = "IMS-059", Warning, "nothing on the system disk would start", {
        why: "neither boot code for a BIOS nor a boot loader for UEFI was found: a server would not start from it",
        source: CONTENT,
        fix: "install a boot loader in the machine it came from; of a data disk say --purpose data",
    }

    pub(crate) DATA_DISK_STARTS = "IMS-060", Note, "the data disk looks like a system disk", {
        why: "a machine would start from it; imported as a data disk it is none that servers can be made from",
        source: CONTENT,
        fix: "of a system disk say --purpose system",
    }

    pub(crate) FILE_SYSTEM_PAST_END = "IMS-061", Error, "a file system is larger than its partition or disk", {
        why: "its end is not in the image: the copy is cut off, or the partition was shrunk and the file system was not; files \
              are lost, and the system may refuse to mount it",
        source: CONTENT,
        fix: "compare the size with that of the original disk and copy it again, or shrink the file system before the partition",
    }

    pub(crate) BACKUP_GPT_LOST = "IMS-062", Warning, "the backup of the GPT lies beyond the end of the disk", {
        why: "the partition table is of a larger disk: the end of the copy is missing, although no partition reaches into it; \
              some firmware and boot loaders take a missing backup for damage",
        source: CONTENT,
        fix: "compare the size with that of the original disk and copy it again",
    }

    pub(crate) SECTORS_OF_4096 = "IMS-063", Warning, "the partition table is for sectors of 4096 bytes", {
        why: "a GPT counts in sectors; on a disk with sectors of 512 bytes nothing finds this one, so the server would see no \
              partitions and not boot",
        source: "an assumption: no page of the service says that its disks have sectors of 512 bytes",
        fix: "copy the partitions into an image whose partition table was made for sectors of 512 bytes",
    }

    pub(crate) BIOS_UNCERTAIN = "IMS-064", Note, "the image starts by UEFI, and perhaps by BIOS", {
        why: "a server starts by BIOS unless the request says otherwise, and the boot code for a BIOS in this image is not known",
        source: "OTC: FAQ on UEFI; HW: hw_firmware_type of the quick import request",
        fix: "if the system was installed for UEFI, set hw_firmware_type to uefi in the request",
    }
}
