//! The rules of the service that a look at a file can hold it against.

use imsprep_findings::rules;

rules! {
    /// Every rule that a look at a file can hold it against, by code.
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
        fix: "if the import refuses it, enlarge the disk to 1 GiB",
    }

    pub(crate) DISK_BELOW_CONSOLE = "IMS-005", Note, "the disk is smaller than the console offers", {
        why: "the console's own range of system disks is 40 to 1024 GB; the API's begins lower",
        source: "HW: console",
        fix: "nothing to do: a system disk made from it will be at least as large as the console's minimum",
    }

    pub(crate) COMMON_IMPORT_ENOUGH = "IMS-006", Note, "the common import would take this file", {
        why: "for files of up to 128 GiB the common import is recommended: it needs no bitmap and optimises the image",
        source: "HW: quick import, introduction",
        fix: "nothing to do, unless the common import suits you better",
    }

    pub(crate) NOT_WHOLE = "IMS-007", Error, "part of the disk is in another file", {
        why: "one file is imported: snapshots, deltas, backing files, data files and split disks are not supported",
        source: "OTC: FAQ on image files",
        fix: "convert all files of the disk into one",
        convertible: false,
    }

    pub(crate) SNAPSHOTS = "IMS-008", Error, "the image has internal snapshots", {
        why: "images with snapshots are not supported",
        source: "OTC: FAQ on image files",
        fix: "convert the current state into a new file, which leaves the snapshots behind",
    }

    pub(crate) ENCRYPTED = "IMS-009", Error, "the image is encrypted", {
        why: "encrypted image files are not supported",
        source: "OTC and HW: constraints on image files",
        fix: "decrypt the disk inside the machine it came from, or convert it with its key into a plain image",
        convertible: false,
    }

    pub(crate) NAME_SPACES = "IMS-010", Error, "the object's name has spaces", {
        why: "the object in OBS bears the file's name behind the prefix, and names with spaces are refused",
        source: "OTC and HW: error codes",
        fix: "rename the file, or take another prefix",
        service_code: Some("IMG.0175"),
    }

    pub(crate) NAME_CHARACTERS = "IMS-011", Warning, "the object's name has unusual characters or length", {
        why: "one page allows 1 to 128 letters, digits, hyphens, dots and underscores only, and slashes between folders",
        source: "OTC and HW: error codes",
        fix: "rename the file, or take another prefix",
        service_code: Some("IMG.0075"),
    }

    pub(crate) NAME_SUFFIX = "IMS-012", Warning, "the file's extension does not tell its format", {
        why: "the service and its console go by the extension",
        source: "OTC and HW: naming of image files",
        fix: "rename the file",
    }

    pub(crate) POLYGLOT = "IMS-013", Error, "the file is two formats at once", {
        why: "readers will disagree on what is in it; such files are used to attack importers",
        source: "CVE-2024-32498, CVE-2024-40767",
        fix: "find out which of the two is meant, and convert that into a new file",
        convertible: false,
    }

    pub(crate) NOTHING_KNOWN = "IMS-014", Warning, "nothing in the image is known", {
        why: "without a partition table or a file system it may not boot; a RAW without them is RAW only because it is nothing \
              else",
        source: "the file's content",
        fix: "make sure that this is a disk image; for an empty data disk nothing is wrong",
    }

    pub(crate) EMPTY = "IMS-015", Error, "the disk is empty", {
        why: "there is nothing to import",
        source: "the file's content",
        fix: "look for what should have filled it",
        convertible: false,
    }

    pub(crate) DAMAGED = "IMS-016", Error, "the image is damaged", {
        why: "its headers contradict themselves or the file, or say that it is corrupt",
        source: "the file's content",
        fix: "fetch or copy it again",
        convertible: false,
    }

    pub(crate) NOT_CLOSED = "IMS-017", Warning, "the image was not closed cleanly", {
        why: "the program that wrote it was stopped, or still writes",
        source: "the file's content",
        fix: "shut the machine down cleanly, then copy the image again",
    }

    pub(crate) BACKUP_GPT = "IMS-018", Warning, "the backup of the GPT will not be at the end of the disk", {
        why: "the service makes the disk a whole number of GiB, as ZVHD2 does; the backup header then lies before its end, \
              which some firmware and boot loaders take for damage: it may not boot",
        source: "the file's content; HW: min_disk is in whole GB",
        fix: "enlarge the image to a whole number of GiB before the import and move the backup header to its end",
    }

    pub(crate) OUTSIDE_FILE = "IMS-020", Error, "parts of the image lie beyond the end of the file", {
        why: "its headers point to where the file has no bytes: it was cut off, or is still being written",
        source: "the file's content",
        fix: "copy or download the image again, and compare the sizes",
        convertible: false,
    }

    pub(crate) MARKED_CORRUPT = "IMS-021", Error, "the image says of itself that it is corrupt", {
        why: "a program that had it open found its structures contradicting each other and marked it; what is read of it may be \
              wrong",
        source: "the file's content",
        fix: "fetch or copy it again; or repair a copy as far as possible",
        convertible: false,
    }

    pub(crate) UNKNOWN_FEATURES = "IMS-022", Error, "the image uses features that no specification names", {
        why: "its headers say that a reader must know these features to read the disk rightly; the service's reader won't",
        source: "the file's content",
        fix: "convert it with the program that made it, into a plain RAW",
        convertible: false,
    }

    pub(crate) COMPRESSED = "IMS-023", Error, "the image is compressed as a whole", {
        why: "quick import takes RAW and ZVHD2 only, and unpacks nothing before it looks",
        source: "OTC and HW: quick import, constraints",
        fix: "unpack it, then check what was in it",
    }

    pub(crate) ARCHIVE = "IMS-024", Error, "the file is an archive", {
        why: "quick import takes one disk as RAW or ZVHD2, and unpacks nothing before it looks; an OVA is an archive, too",
        source: "OTC and HW: quick import, constraints",
        fix: "unpack it, then check each disk that was in it",
    }

    pub(crate) SIZE_DISPUTED = "IMS-025", Warning, "readers disagree on the size of the disk", {
        why: "two fields of the footer give the disk different sizes: qemu goes by the geometry where Virtual PC or qemu made \
              the file, others by the size; the end of the disk may be missing after a conversion",
        source: "qemu block/vpc.c; Microsoft, Virtual Hard Disk Image Format Specification 1.0",
        fix: "convert it with a program that can be told which size is right",
    }

    pub(crate) NAMES_A_FILE_ELSEWHERE = "IMS-026", Warning, "the image names a file outside of its own folder", {
        why: "a program that follows the name puts that file, whatever it is, into the converted image; such images are used \
              to read files of the machine that converts them",
        source: "CVE-2022-47951, CVE-2024-32498",
        fix: "look at the name; convert the image only if you know that the file belongs to it",
    }

    pub(crate) NAME_DENIED = "IMS-034", Error, "the file is not in the format that its name says", {
        why: "the name says that it is an image in some format, and the content is neither that nor any other format or disk that \
              is known: it is another file by that name, or its beginning is damaged; as RAW it would be imported as it is, and \
              hold nothing that starts",
        source: "the file's content and its name",
        fix: "download or copy the image again, and compare its size and its checksum with the source's; if it is a RAW disk, name \
              it .raw",
    }

    pub(crate) NO_DISK = "IMS-035", Error, "the file is no disk image", {
        why: "nothing that is known is in it, and it is nothing but text or smaller than any disk: the service would take it for a \
              RAW disk",
        source: "the file's content and its size",
        fix: "make sure that this is the file that you mean; download or copy the image again if it should be larger",
    }

    pub(crate) SIZE_NOT_SECTORS = "IMS-036", Warning, "the size of the RAW is no multiple of 512 bytes", {
        why: "a disk is made of whole sectors: the file was cut off, has something appended, or is no disk; qemu reads it as if \
              zeros filled up the last sector, and what the service does is not documented",
        source: "the file's size; qemu block/file-posix.c",
        fix: "copy or download the image again, and compare the sizes; if it is right as it is, convert it to ZVHD2, \
              whose disk has whole sectors",
    }

    pub(crate) NO_DATA = "IMS-037", Warning, "the disk holds nothing but zeros", {
        why: "no machine starts from it; for a new data disk nothing is wrong, but the cloud makes an empty disk without an import",
        source: "the file's content",
        fix: "find out why the disk was never written; for an empty data disk say so with --purpose data",
    }
}
