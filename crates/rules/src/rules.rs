//! The rules of the service that can be checked on a file.

use imsprep_findings::rules;

rules! {
    /// Every rule that can be checked on a file, by code.
    pub static RULES: convertible = true;

    pub(crate) FORMAT = "IMS-001", Error, "quick import does not take this format", {
        why: "quick import takes RAW and ZVHD2 only",
        source: "OTC and HW: quick import, constraints",
        fix: "convert the image to ZVHD2 (recommended), or to RAW with a bitmap",
    }

    pub(crate) FILE_TOO_LARGE = "IMS-002", Error, "the file is larger than 1 TiB", {
        why: "no import takes a file of more than 1 TiB",
        source: "OTC and HW: all pages (\"1 TB\")",
        fix: "shrink the disk; a RAW that is mostly empty becomes small as ZVHD2, if the disk itself is no larger than 1 TiB",
    }

    pub(crate) DISK_TOO_LARGE = "IMS-003", Error, "the disk is larger than 1 TiB", {
        why: "min_disk, which must hold the virtual disk, ends at 1024 GB",
        source: "OTC and HW: min_disk of the quick import request",
        fix: "shrink the last partition and the disk, or move data to a second disk",
        convertible: false,
    }

    pub(crate) DISK_SMALL = "IMS-004", Warning, "the disk is smaller than 1 GiB", {
        why: "the documented range of disks begins at 1 GB; min_disk 1 would hold it",
        source: "OTC and HW: min_disk of the quick import request",
        fix: "enlarge the disk to 1 GiB, or convert the image to ZVHD2, whose disk has at least 1 GiB",
    }

    pub(crate) DISK_BELOW_CONSOLE = "IMS-005", Note, "the disk is smaller than the console's minimum (no change needed)", {
        why: "the console's own range of system disks is 40 to 1024 GB; the API's begins lower",
        source: "HW: console",
        fix: "none needed: a system disk made from the image is at least as large as the console's minimum",
    }

    pub(crate) COMMON_IMPORT_ENOUGH = "IMS-006", Note, "the file is small enough for the common import", {
        why: "for files of up to 128 GiB the common import is recommended: it needs no bitmap and optimises the image",
        source: "HW: quick import, introduction",
        fix: "none needed, unless you prefer the common import",
    }

    pub(crate) NOT_WHOLE = "IMS-007", Error, "part of the disk is in another file", {
        why: "only one file is imported; deltas, backing files, data files and split disks are not supported",
        source: "OTC: FAQ on image files",
        fix: "convert all files of the disk into one",
        convertible: false,
    }

    pub(crate) SNAPSHOTS = "IMS-008", Error, "the image has internal snapshots", {
        why: "images with snapshots are not supported",
        source: "OTC: FAQ on image files",
        fix: "convert the current state into a new file without the snapshots",
    }

    pub(crate) ENCRYPTED = "IMS-009", Error, "the image is encrypted", {
        why: "encrypted image files are not supported",
        source: "OTC and HW: constraints on image files",
        fix: "decrypt the disk inside the original machine, or convert it with its key into an unencrypted image",
        convertible: false,
    }

    pub(crate) NAME_SPACES = "IMS-010", Error, "the object's name has spaces", {
        why: "the name of the object in OBS is the prefix and the name of the file; names with spaces are refused",
        source: "OTC and HW: error codes",
        fix: "rename the file, or use another prefix",
        service_code: Some("IMG.0175"),
    }

    pub(crate) NAME_CHARACTERS = "IMS-011", Warning, "the object's name has unusual characters or length", {
        why: "one page allows 1 to 128 letters, digits, hyphens, dots and underscores only, and slashes between folders",
        source: "OTC and HW: error codes",
        fix: "rename the file, or use another prefix",
        service_code: Some("IMG.0075"),
    }

    pub(crate) NAME_SUFFIX = "IMS-012", Warning, "the extension does not match the format", {
        why: "the service and its console derive the format from the extension",
        source: "OTC and HW: naming of image files",
        fix: "rename the file",
    }

    pub(crate) POLYGLOT = "IMS-013", Error, "the file is two formats at once", {
        why: "readers disagree on the content; such files are used to attack importers",
        source: "CVE-2024-32498, CVE-2024-40767",
        fix: "find out which of the two formats is intended, and convert that disk into a new file",
        convertible: false,
    }

    pub(crate) NOTHING_KNOWN = "IMS-014", Warning, "the content of the image is not recognised", {
        why: "without a partition table or a file system the image may not boot; a file is taken for RAW if no other format \
              is recognised",
        source: "the file's content",
        fix: "make sure that this is a disk image; for an empty data disk this is normal",
    }

    pub(crate) EMPTY = "IMS-015", Error, "the disk is empty", {
        why: "there is nothing to import",
        source: "the file's content",
        fix: "copy or download the file again, or find out why the disk was never written",
        convertible: false,
    }

    pub(crate) DAMAGED = "IMS-016", Error, "the image is damaged", {
        why: "its headers contradict each other or the file, or mark the image as corrupt",
        source: "the file's content",
        fix: "download or copy the image again",
        convertible: false,
    }

    pub(crate) NOT_CLOSED = "IMS-017", Warning, "the image was not closed cleanly", {
        why: "the program that writes it was killed, or is still running",
        source: "the file's content",
        fix: "shut the machine down cleanly, then copy the image again",
    }

    pub(crate) BACKUP_GPT = "IMS-018", Warning, "the backup of the GPT will not be at the end of the disk", {
        why: "the service enlarges the disk to a multiple of 1 GiB, as ZVHD2 does; the backup header is then not at the end of \
              the disk, which some firmware and boot loaders treat as damage: the server may not boot",
        source: "the file's content; HW: min_disk is in whole GB",
        fix: "convert the image with imsprep convert --fit, which enlarges the disk to a multiple of 1 GiB and moves the backup header to \
              its end",
    }

    pub(crate) OUTSIDE_FILE = "IMS-020", Error, "parts of the image are beyond the end of the file", {
        why: "its headers point beyond the end of the file: the file was truncated, or is still being written",
        source: "the file's content",
        fix: "copy or download the image again, and compare the sizes",
        convertible: false,
    }

    pub(crate) MARKED_CORRUPT = "IMS-021", Error, "the image is marked corrupt", {
        why: "a program that opened the image found contradictions in its structures and marked it; data that is read from \
              it may be wrong",
        source: "the file's content",
        fix: "download or copy the image again; or repair a copy as far as possible",
        convertible: false,
    }

    pub(crate) UNKNOWN_FEATURES = "IMS-022", Error, "the image uses features that no specification names", {
        why: "according to its headers, a reader must know these features to read the disk correctly; the service does not",
        source: "the file's content",
        fix: "convert it to RAW with the program that made it",
        convertible: false,
    }

    pub(crate) COMPRESSED = "IMS-023", Error, "the file is a compressed image", {
        why: "quick import takes RAW and ZVHD2 only, and does not decompress files",
        source: "OTC and HW: quick import, constraints",
        fix: "decompress it, then check the image",
    }

    pub(crate) ARCHIVE = "IMS-024", Error, "the file is an archive", {
        why: "quick import takes one disk as RAW or ZVHD2, and does not unpack archives; an OVA is an archive, too",
        source: "OTC and HW: quick import, constraints",
        fix: "unpack it, then check each disk in it",
    }

    pub(crate) SIZE_DISPUTED = "IMS-025", Warning, "readers disagree on the size of the disk", {
        why: "two fields of the footer give the disk different sizes: qemu uses the geometry if Virtual PC or qemu made the \
              file, other programs use the size; the end of the disk may be missing after a conversion",
        source: "qemu block/vpc.c; Microsoft, Virtual Hard Disk Image Format Specification 1.0",
        fix: "convert it with a program that takes the size as an option, and specify the correct size",
    }

    pub(crate) NAMES_A_FILE_ELSEWHERE = "IMS-026", Warning, "the image refers to a file outside of its folder", {
        why: "a program that opens that file copies its content into the converted image; such images are used to read files \
              of the machine that converts them",
        source: "CVE-2022-47951, CVE-2024-32498",
        fix: "check the name; convert the image only if you know that the file belongs to it",
    }

    pub(crate) NAME_DENIED = "IMS-034", Error, "the file does not have the format of its extension", {
        why: "the extension is that of an image format, but the content is neither that nor any other known format or disk: it \
              is another kind of file, or its beginning is damaged; it would be imported as a RAW disk that does not boot",
        source: "the file's content and its name",
        fix: "download or copy the image again, and compare its size and checksum with the source; if it is a RAW disk, use the \
              extension .raw",
    }

    pub(crate) NO_DISK = "IMS-035", Error, "the file is not a disk image", {
        why: "no partition table or file system is recognised, and the file contains only text or is smaller than any disk; the \
              service would take it for a RAW disk",
        source: "the file's content and its size",
        fix: "make sure that this is the correct file; download or copy the image again if it should be larger",
    }

    pub(crate) SIZE_NOT_SECTORS = "IMS-036", Warning, "the size of the RAW is not a multiple of 512 bytes", {
        why: "the size of a disk is a multiple of its sector size: the file was truncated, has bytes appended, or is not a \
              disk; qemu reads it as if zeros filled up the last sector; the behaviour of the service is not documented",
        source: "the file's size; qemu block/file-posix.c",
        fix: "copy or download the image again, and compare the sizes; if the size is correct, convert the image to ZVHD2: \
              the conversion fills up the last sector",
    }

    pub(crate) NO_DATA = "IMS-037", Warning, "the disk contains only zeros", {
        why: "no server boots from it; for a new data disk this is normal, but the cloud creates an empty disk without an import",
        source: "the file's content",
        fix: "find out why the disk was never written; for an empty data disk use --purpose data",
    }

    pub(crate) IN_USE = "IMS-038", Warning, "the image is in use", {
        why: "what is written while the image is read is in it in part: file systems in the result may be damaged",
        source: "the mounts of this machine; the image locks of qemu, block/file-posix.c",
        fix: "shut down the virtual machine, or unmount the volumes, and run the command again",
    }
}
