//! The rules of the service that a look at a file can hold it against.

use imsprep_findings::{Rule, Severity};

/// IMS-001
pub(crate) static FORMAT: Rule = Rule {
    code: "IMS-001",
    severity: Severity::Error,
    convertible: true,
    service_code: None,
    title: "quick import does not take this format",
    why: "quick import takes RAW and ZVHD2 only",
    source: "OTC and HW: quick import, constraints",
    fix: "convert the image to ZVHD2 (recommended), or to RAW with a bitmap",
};

/// IMS-002
pub(crate) static FILE_TOO_LARGE: Rule = Rule {
    code: "IMS-002",
    severity: Severity::Error,
    convertible: true,
    service_code: None,
    title: "the file is larger than 1 TiB",
    why: "no import takes a file of more than 1 TiB",
    source: "OTC and HW: all pages (\"1 TB\")",
    fix: "shrink the disk; a RAW that is mostly empty becomes small as ZVHD2, if the disk itself is no larger than 1 TiB",
};

/// IMS-003
pub(crate) static DISK_TOO_LARGE: Rule = Rule {
    code: "IMS-003",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "the disk is larger than 1 TiB",
    why: "min_disk, which must hold the virtual disk, ends at 1024 GB",
    source: "OTC and HW: min_disk of the quick import request",
    fix: "shrink the last partition and the disk, or move data to a second disk",
};

/// IMS-004
pub(crate) static DISK_SMALL: Rule = Rule {
    code: "IMS-004",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "the disk is smaller than 1 GiB",
    why: "the documented range of disks begins at 1 GB; min_disk 1 would hold it",
    source: "OTC and HW: min_disk of the quick import request",
    fix: "if the import refuses it, enlarge the disk to 1 GiB",
};

/// IMS-005
pub(crate) static DISK_BELOW_CONSOLE: Rule = Rule {
    code: "IMS-005",
    severity: Severity::Note,
    convertible: true,
    service_code: None,
    title: "the disk is smaller than the console offers",
    why: "the console's own range of system disks is 40 to 1024 GB; the API's begins lower",
    source: "HW: console",
    fix: "nothing to do: a system disk made from it will be at least as large as the console's minimum",
};

/// IMS-006
pub(crate) static COMMON_IMPORT_ENOUGH: Rule = Rule {
    code: "IMS-006",
    severity: Severity::Note,
    convertible: true,
    service_code: None,
    title: "the common import would take this file",
    why: "for files of up to 128 GiB the common import is recommended: it needs no bitmap and optimises the image",
    source: "HW: quick import, introduction",
    fix: "nothing to do, unless the common import suits you better",
};

/// IMS-007
pub(crate) static NOT_WHOLE: Rule = Rule {
    code: "IMS-007",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "part of the disk is in another file",
    why: "one file is imported: snapshots, deltas, backing files, data files and split disks are not supported",
    source: "OTC: FAQ on image files",
    fix: "convert all files of the disk into one",
};

/// IMS-008
pub(crate) static SNAPSHOTS: Rule = Rule {
    code: "IMS-008",
    severity: Severity::Error,
    convertible: true,
    service_code: None,
    title: "the image has internal snapshots",
    why: "images with snapshots are not supported",
    source: "OTC: FAQ on image files",
    fix: "convert the current state into a new file, which leaves the snapshots behind",
};

/// IMS-009
pub(crate) static ENCRYPTED: Rule = Rule {
    code: "IMS-009",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "the image is encrypted",
    why: "encrypted image files are not supported",
    source: "OTC and HW: constraints on image files",
    fix: "decrypt the disk inside the machine it came from, or convert it with its key into a plain image",
};

/// IMS-010
pub(crate) static NAME_SPACES: Rule = Rule {
    code: "IMS-010",
    severity: Severity::Error,
    convertible: true,
    service_code: Some("IMG.0175"),
    title: "the object's name has spaces",
    why: "the object in OBS bears the file's name behind the prefix, and names with spaces are refused",
    source: "OTC and HW: error codes",
    fix: "rename the file, or take another prefix",
};

/// IMS-011
pub(crate) static NAME_CHARACTERS: Rule = Rule {
    code: "IMS-011",
    severity: Severity::Warning,
    convertible: true,
    service_code: Some("IMG.0075"),
    title: "the object's name has unusual characters or length",
    why: "one page allows 1 to 128 letters, digits, hyphens, dots and underscores only, and slashes between folders",
    source: "OTC and HW: error codes",
    fix: "rename the file, or take another prefix",
};

/// IMS-012
pub(crate) static NAME_SUFFIX: Rule = Rule {
    code: "IMS-012",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "the file's extension does not tell its format",
    why: "the service and its console go by the extension",
    source: "OTC and HW: naming of image files",
    fix: "rename the file",
};

/// IMS-013
pub(crate) static POLYGLOT: Rule = Rule {
    code: "IMS-013",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "the file is two formats at once",
    why: "readers will disagree on what is in it; such files are used to attack importers",
    source: "CVE-2024-32498, CVE-2024-40767",
    fix: "find out which of the two is meant, and convert that into a new file",
};

/// IMS-014
pub(crate) static NOTHING_KNOWN: Rule = Rule {
    code: "IMS-014",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "nothing in the image is known",
    why: "without a partition table or a file system it may not boot; a RAW without them is RAW only because it is nothing \
          else",
    source: "the file's content",
    fix: "make sure that this is a disk image; for an empty data disk nothing is wrong",
};

/// IMS-015
pub(crate) static EMPTY: Rule = Rule {
    code: "IMS-015",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "the disk is empty",
    why: "there is nothing to import",
    source: "the file's content",
    fix: "look for what should have filled it",
};

/// IMS-016
pub(crate) static DAMAGED: Rule = Rule {
    code: "IMS-016",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "the image is damaged",
    why: "its headers contradict themselves or the file, or say that it is corrupt",
    source: "the file's content",
    fix: "fetch or copy it again",
};

/// IMS-017
pub(crate) static NOT_CLOSED: Rule = Rule {
    code: "IMS-017",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "the image was not closed cleanly",
    why: "the program that wrote it was stopped, or still writes",
    source: "the file's content",
    fix: "shut the machine down cleanly, then copy the image again",
};

/// IMS-018
pub(crate) static BACKUP_GPT: Rule = Rule {
    code: "IMS-018",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "the backup of the GPT will not be at the end of the disk",
    why: "the service makes the disk a whole number of GiB, as ZVHD2 does; the backup header then lies before its end, \
          which some firmware and boot loaders take for damage: it may not boot",
    source: "the file's content; HW: min_disk is in whole GB",
    fix: "enlarge the image to a whole number of GiB before the import and move the backup header to its end",
};

/// IMS-020
pub(crate) static OUTSIDE_FILE: Rule = Rule {
    code: "IMS-020",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "parts of the image lie beyond the end of the file",
    why: "its headers point to where the file has no bytes: it was cut off, or is still being written",
    source: "the file's content",
    fix: "copy or download the image again, and compare the sizes",
};

/// IMS-021
pub(crate) static MARKED_CORRUPT: Rule = Rule {
    code: "IMS-021",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "the image says of itself that it is corrupt",
    why: "a program that had it open found its structures contradicting each other and marked it; what is read of it may be \
          wrong",
    source: "the file's content",
    fix: "fetch or copy it again; or repair a copy, as far as it can be, with qemu-img check",
};

/// IMS-022
pub(crate) static UNKNOWN_FEATURES: Rule = Rule {
    code: "IMS-022",
    severity: Severity::Error,
    convertible: false,
    service_code: None,
    title: "the image uses features that no specification names",
    why: "its headers say that a reader must know these features to read the disk rightly; the service's reader won't",
    source: "the file's content",
    fix: "convert it with the program that made it, into a plain RAW",
};

/// IMS-023
pub(crate) static COMPRESSED: Rule = Rule {
    code: "IMS-023",
    severity: Severity::Error,
    convertible: true,
    service_code: None,
    title: "the image is compressed as a whole",
    why: "quick import takes RAW and ZVHD2 only, and unpacks nothing before it looks",
    source: "OTC and HW: quick import, constraints",
    fix: "unpack it, then check what was in it",
};

/// IMS-024
pub(crate) static ARCHIVE: Rule = Rule {
    code: "IMS-024",
    severity: Severity::Error,
    convertible: true,
    service_code: None,
    title: "the file is an archive",
    why: "quick import takes one disk as RAW or ZVHD2, and unpacks nothing before it looks; an OVA is an archive, too",
    source: "OTC and HW: quick import, constraints",
    fix: "unpack it, then check each disk that was in it",
};

/// IMS-025
pub(crate) static SIZE_DISPUTED: Rule = Rule {
    code: "IMS-025",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "readers disagree on the size of the disk",
    why: "two fields of the footer give the disk different sizes: qemu goes by the geometry where Virtual PC or qemu made \
          the file, others by the size; the end of the disk may be missing after a conversion",
    source: "qemu block/vpc.c; Microsoft, Virtual Hard Disk Image Format Specification 1.0",
    fix: "convert it with qemu-img, and say which size is right",
};

/// IMS-026
pub(crate) static NAMES_A_FILE_ELSEWHERE: Rule = Rule {
    code: "IMS-026",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "the image names a file outside of its own folder",
    why: "a program that follows the name puts that file, whatever it is, into the converted image; such images are used \
          to read files of the machine that converts them",
    source: "CVE-2022-47951, CVE-2024-32498",
    fix: "look at the name; convert the image only if you know that the file belongs to it",
};

/// IMS-034
pub(crate) static NAME_DENIED: Rule = Rule {
    code: "IMS-034",
    severity: Severity::Error,
    convertible: true,
    service_code: None,
    title: "the file is not in the format that its name says",
    why: "the name says that it is an image in some format, and the content is neither that nor any other format or disk that \
          is known: it is another file by that name, or its beginning is damaged; as RAW it would be imported as it is, and \
          hold nothing that starts",
    source: "the file's content and its name",
    fix: "download or copy the image again, and compare its size and its checksum with the source's; if it is a RAW disk, name \
          it .raw",
};

/// IMS-035
pub(crate) static NO_DISK: Rule = Rule {
    code: "IMS-035",
    severity: Severity::Error,
    convertible: true,
    service_code: None,
    title: "the file is no disk image",
    why: "nothing that is known is in it, and it is nothing but text or smaller than any disk: the service would take it for a \
          RAW disk",
    source: "the file's content and its size",
    fix: "make sure that this is the file that you mean; download or copy the image again if it should be larger",
};

/// IMS-036
pub(crate) static SIZE_NOT_SECTORS: Rule = Rule {
    code: "IMS-036",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "the size of the RAW is no multiple of 512 bytes",
    why: "a disk is made of whole sectors: the file was cut off, has something appended, or is no disk; qemu reads it as if \
          zeros filled up the last sector, and what the service does is not documented",
    source: "the file's size; qemu block/file-posix.c",
    fix: "copy or download the image again, and compare the sizes; if it is right as it is, imsprep convert makes a ZVHD2 of \
          it, whose disk has whole sectors",
};

/// IMS-037
pub(crate) static NO_DATA: Rule = Rule {
    code: "IMS-037",
    severity: Severity::Warning,
    convertible: true,
    service_code: None,
    title: "the disk holds nothing but zeros",
    why: "no machine starts from it; for a new data disk nothing is wrong, but the cloud makes an empty disk without an import",
    source: "the file's content",
    fix: "find out why the disk was never written; for an empty data disk say so with --purpose data",
};

/// Every rule of this crate, by code.
pub static RULES: &[&Rule] = &[
    &FORMAT,
    &FILE_TOO_LARGE,
    &DISK_TOO_LARGE,
    &DISK_SMALL,
    &DISK_BELOW_CONSOLE,
    &COMMON_IMPORT_ENOUGH,
    &NOT_WHOLE,
    &SNAPSHOTS,
    &ENCRYPTED,
    &NAME_SPACES,
    &NAME_CHARACTERS,
    &NAME_SUFFIX,
    &POLYGLOT,
    &NOTHING_KNOWN,
    &EMPTY,
    &DAMAGED,
    &NOT_CLOSED,
    &BACKUP_GPT,
    &OUTSIDE_FILE,
    &MARKED_CORRUPT,
    &UNKNOWN_FEATURES,
    &COMPRESSED,
    &ARCHIVE,
    &SIZE_DISPUTED,
    &NAMES_A_FILE_ELSEWHERE,
    &NAME_DENIED,
    &NO_DISK,
    &SIZE_NOT_SECTORS,
    &NO_DATA,
];
