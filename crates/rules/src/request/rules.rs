//! The rules of the request, in one table.
//!
//! Where the service's pages disagree, what every page refuses is an error, and what one page refuses is a warning.

use imsprep_findings::rules;

const API: &str = "OTC and HW: API reference, quick import";
const COMMON: &str = "OTC and HW: API reference, images from external image files";
const CODES: &str = "OTC and HW: API reference, error codes";
const NEWER: &str = "HW: API reference of 2024 to 2026";
const OBS: &str = "OTC and HW: OBS documentation, naming of buckets and objects";
const JSON: &str = "RFC 8259";

rules! {
    /// Every rule of the request, by code.
    pub static REQUEST_RULES: convertible = true;

    // The body as a whole.
    pub(crate) SYNTAX = "IMS-100", Error, "the body is not JSON", {
        why: "the service refuses what it can't parse",
        source: JSON,
        fix: "correct it at the line and column named",
        service_code: Some("IMG.0001"),
    }
    pub(crate) BODY_EMPTY = "IMS-101", Error, "the body is empty", {
        why: "there is nothing in it to act on",
        source: CODES,
        fix: "let imsprep request make one",
        service_code: Some("IMG.0007"),
    }
    pub(crate) WRONG_TYPE = "IMS-102", Error, "a value is of the wrong type", {
        why: "min_disk is a number, names are strings, tags are arrays",
        source: API,
        fix: "write the value in the type named",
        service_code: Some("IMG.0001"),
    }
    pub(crate) DUPLICATE_KEY = "IMS-103", Error, "a field is there twice", {
        why: "which of the two counts depends on who reads it, so the two may be understood differently",
        source: JSON,
        fix: "keep one of them",
        service_code: Some("IMG.0001"),
    }
    pub(crate) UNKNOWN_FIELD = "IMS-104", Error, "a field is unknown", {
        why: "no page lists it: it is refused, or passed over without a word",
        source: API,
        fix: "correct its name, or leave it out",
    }
    pub(crate) FOREIGN_FIELD = "IMS-105", Error, "a field belongs to another request", {
        why: "each request has its own fields; one that belongs elsewhere is refused, or passed over without a word",
        source: API,
        fix: "leave it out, or send the request that has it",
    }
    pub(crate) CLIENT_FIELD = "IMS-106", Note, "a field is of the other kind of disk", {
        why: "the vendor's SDKs have one structure for the quick import of system disks and of data disks, and some of them send fields \
              of the other kind, even empty; the page of this request does not list the field",
        source: "the vendor's Go and Python SDKs",
        fix: "nothing to do if an SDK wrote the body; else leave the field out",
    }

    // The image's name and description.
    pub(crate) NAME_MISSING = "IMS-110", Error, "the image has no name", {
        why: "name is mandatory",
        source: CODES,
        fix: "give it one: \"name\" in the body, --name on the command line",
        service_code: Some("IMG.0013"),
    }
    pub(crate) NAME_LONG = "IMS-111", Error, "the image's name is too long", {
        why: "a name has 1 to 128 characters",
        source: CODES,
        fix: "shorten it",
        service_code: Some("IMG.0002"),
    }
    pub(crate) NAME_LETTERS = "IMS-112", Error, "the image's name has characters that are not allowed", {
        why: "letters, digits, spaces, and - . _ are allowed; on Huawei Cloud Chinese characters, too",
        source: API,
        fix: "leave them out",
        service_code: Some("IMG.0003"),
    }
    pub(crate) NAME_ENDS = "IMS-113", Error, "the image's name begins or ends with a space", {
        why: "spaces are allowed inside a name only",
        source: API,
        fix: "remove them",
        service_code: Some("IMG.0062"),
    }
    pub(crate) DESCRIPTION_LONG = "IMS-114", Error, "the description is too long", {
        why: "a description has at most 1024 characters",
        source: CODES,
        fix: "shorten it",
        service_code: Some("IMG.0004"),
    }
    pub(crate) DESCRIPTION_LETTERS = "IMS-115", Error, "the description has line ends or angle brackets", {
        why: "carriage returns, line feeds, < and > are not allowed",
        source: API,
        fix: "write it on one line, without < and >",
        service_code: Some("IMG.0054"),
    }
    pub(crate) DESCRIPTION_PLAIN = "IMS-116", Warning, "the description has more than letters and digits", {
        why: "one page allows letters and digits only, although the examples of others have spaces and full stops",
        source: "OTC: API reference, error codes",
        fix: "if the request is refused for it, leave the description out",
        service_code: Some("IMG.0054"),
    }

    // The operating system.
    pub(crate) OS_VERSION_MISSING = "IMS-120", Error, "os_version is missing", {
        why: "quick import needs the version of a system disk's operating system, in the service's words (IMG.0159); the common import \
              refuses an empty one (IMG.0056)",
        source: API,
        fix: "give it: \"os_version\" in the body, --os-version on the command line",
        service_code: Some("IMG.0159"),
    }
    pub(crate) OS_VERSION_UNKNOWN = "IMS-121", Warning, "os_version is not in the list of known values", {
        why: "a value that the service does not know is refused (IMG.0056); the list built in is old, and the service's own \
              is newer: GET /v1/cloudimages/os_version",
        source: CODES,
        fix: "take a value of the list; or fetch the service's list and give it with --os-versions",
        service_code: Some("IMG.0056"),
    }
    pub(crate) OS_TYPE = "IMS-122", Error, "os_type is not Linux or Windows", {
        why: "these two are all there are",
        source: CODES,
        fix: "write Linux or Windows, as spelled here",
        service_code: Some("IMG.0056"),
    }
    pub(crate) OS_TYPE_MISSING = "IMS-123", Warning, "os_type is missing", {
        why: "one page calls it mandatory for data disks; the others take Linux for granted",
        source: "HW: four pages against one",
        fix: "add \"os_type\": \"Linux\" or \"Windows\"; --os-type on the command line",
    }
    pub(crate) OS_CONTRADICTS = "IMS-124", Error, "the request names another operating system than the image shows", {
        why: "drivers and start-up scripts are put in by the operating system named",
        source: CODES,
        fix: "name the one that is in the image",
        service_code: Some("IMG.0122"),
    }
    pub(crate) WINDOWS = "IMS-125", Warning, "Windows may not be taken by quick import", {
        why: "Huawei's international pages of 2025 and 2026 say that Windows can't be quick-imported any more; other pages don't",
        source: NEWER,
        fix: "ask the provider first, or use the common import if the file has at most 128 GiB",
    }
    pub(crate) OS_VERSION_OF_GUIDE = "IMS-126", Note, "os_version is named in the user guide, not in the API's table", {
        why: "the user guide and the documentation of the vendor's Terraform provider name newer systems than the table of values in the \
              API reference; no page says that the API takes them",
        source: "OTC: user guide of 2024; HW: Terraform provider",
        fix: "nothing to do; if the request is refused for it, take a value of the service's own list: GET /v1/cloudimages/os_version",
        service_code: Some("IMG.0056"),
    }
    pub(crate) NOT_IN_UEFI_TABLE = "IMS-127", Warning, "the system is not in the table of those that start by UEFI", {
        why: "the user guide lists the systems that may start by UEFI; others were not tested by the vendor",
        source: "OTC: user guide of 2024",
        fix: "if the image starts by BIOS as well, write bios; else start a server from the image before you rely on it",
    }
    pub(crate) OTHER_RELEASE = "IMS-128", Note, "os_version names another release of the system than the image shows", {
        why: "the list has no value for the exact release, or another one was given; the service goes by the family and the version, and \
              the release in the image stays what it is",
        source: "the image's content",
        fix: "nothing to do if that is meant",
    }

    // Where the image file is.
    pub(crate) IMAGE_URL = "IMS-130", Error, "image_url is not BUCKET:KEY", {
        why: "the service wants the bucket's name, a colon, and the object's key; no https://, obs:// or s3://",
        source: API,
        fix: "write it as bucket:folder/file.zvhd2",
        service_code: Some("IMG.0017"),
    }
    pub(crate) BUCKET_NAME = "IMS-131", Error, "the bucket's name can't be one", {
        why: "3 to 63 of a-z, 0-9, - and . ; beginning with a letter or digit, not ending in - or . ; no \"..\", \".-\" or \"-.\"; no IP address",
        source: OBS,
        fix: "give the name of the bucket alone",
        service_code: Some("IMG.0109"),
    }
    pub(crate) KEY_SPACES = "IMS-132", Error, "the object's key has spaces or control characters", {
        why: "neither folders nor image files may have spaces in their names",
        source: CODES,
        fix: "rename the file, or change the prefix",
        service_code: Some("IMG.0175"),
    }
    pub(crate) KEY_LONG = "IMS-133", Error, "the object's key is too long", {
        why: "a key has at most 1024 bytes in UTF-8",
        source: OBS,
        fix: "shorten the prefix or the file's name",
    }
    pub(crate) KEY_LETTERS = "IMS-134", Warning, "the object's name has unusual characters or length", {
        why: "one page allows 1 to 128 letters, digits, hyphens, dots and underscores only",
        source: CODES,
        fix: "rename the file",
        service_code: Some("IMG.0075"),
    }
    pub(crate) KEY_OTHER_FORMAT = "IMS-135", Error, "the object's name tells of a format that is not taken here", {
        why: "quick import takes RAW and ZVHD2 only; the common import takes neither ISO files nor compressed ones",
        source: API,
        fix: "name the image file, not another; if only the name is wrong, rename it, and give the image to be looked at",
        service_code: Some("IMG.0057"),
    }
    pub(crate) KEY_SUFFIX = "IMS-136", Warning, "the object's suffix does not tell its format", {
        why: "the service and its console go by the suffix",
        source: "OTC and HW: naming of image files",
        fix: "rename the file",
    }
    pub(crate) KEY_OTHER_NAME = "IMS-137", Note, "the object bears another name than the file", {
        why: "the upload must give it this name; a RAW's bitmap needs the same name with .mf",
        source: "the request and the file's name",
        fix: "nothing to do if that is meant",
    }
    pub(crate) FORMAT_NOT_TAKEN = "IMS-138", Error, "the image is in a format that this request does not take", {
        why: "quick import takes RAW and ZVHD2; the common import takes vmdk, vhd, qcow2, raw, vhdx, qed, vdi, qcow, zvhd2 and zvhd",
        source: API,
        fix: "convert the image to ZVHD2 (recommended), or to RAW with a bitmap",
        service_code: Some("IMG.0057"),
    }
    pub(crate) FILE_TOO_LARGE = "IMS-139", Error, "the image file is too large for this request", {
        why: "quick import takes files of up to 1 TiB, the common import of up to 128 GiB",
        source: API,
        fix: "convert the image to ZVHD2 (recommended), or to RAW with a bitmap, and use quick import",
        service_code: Some("IMG.0059"),
    }
    pub(crate) FILE_AT_LIMIT = "IMS-140", Warning, "the image file is exactly as large as the limit", {
        why: "one page says \"smaller than 128 GB\", another \"not larger than\"",
        source: COMMON,
        fix: "convert it to ZVHD2 and use quick import",
        service_code: Some("IMG.0059"),
    }

    // The least size of a disk made from it.
    pub(crate) MIN_DISK = "IMS-145", Error, "min_disk is missing or out of range", {
        why: "a whole number of GB that every page allows",
        source: API,
        fix: "write a number within the range named",
        service_code: Some("IMG.0055"),
    }
    pub(crate) MIN_DISK_LOW = "IMS-146", Warning, "min_disk is below the range of some pages", {
        why: "pages disagree on where the range begins",
        source: API,
        fix: "raise min_disk to the number named",
        service_code: Some("IMG.0055"),
    }
    pub(crate) MIN_DISK_CONSOLE = "IMS-147", Note, "min_disk is below what the console offers", {
        why: "the console's own range is 40 to 1024 GB; the API's begins lower",
        source: "HW: console",
        fix: "nothing to do",
    }
    pub(crate) MIN_DISK_TOO_SMALL = "IMS-148", Error, "min_disk can't hold the disk", {
        why: "a disk made from the image must hold all of it",
        source: API,
        fix: "raise min_disk to the number named",
        service_code: Some("IMG.0111"),
    }
    pub(crate) MIN_DISK_TIGHT = "IMS-149", Warning, "min_disk is not greater than what it must hold", {
        why: "some pages ask for a min_disk greater than the disk, others for one not less; older ones compare with the file",
        source: API,
        fix: "raise min_disk by 1",
        service_code: Some("IMG.0055"),
    }

    // Tags.
    pub(crate) TAGS_TWICE = "IMS-155", Error, "there are tags and image_tags", {
        why: "one of the two may be given",
        source: API,
        fix: "keep image_tags, the newer of the two",
        service_code: Some("IMG.0115"),
    }
    pub(crate) TAGS_MANY = "IMS-156", Error, "there are more than 10 tags", {
        why: "an image has at most 10",
        source: CODES,
        fix: "leave some out",
        service_code: Some("IMG.0116"),
    }
    pub(crate) TAG = "IMS-157", Error, "a tag is not well formed", {
        why: "a key has 1 to 36 letters, digits, _ and -; a value at most 43; on Huawei Cloud Chinese characters, too, and dots in the \
              value; in tags the two are joined by a dot",
        source: API,
        fix: "correct the tag",
        service_code: Some("IMG.0115"),
    }
    pub(crate) TAG_TWICE = "IMS-158", Error, "two tags have the same key", {
        why: "a key may be given once",
        source: API,
        fix: "keep one of them",
        service_code: Some("IMG.0115"),
    }

    // What kind of image it becomes.
    pub(crate) TYPE = "IMS-160", Error, "type is not one that this request takes", {
        why: "ECS or BMS for a system disk (IMG.0117), DataImage for a data disk",
        source: API,
        fix: "write it as spelled here, or leave it out for ECS",
        service_code: Some("IMG.0024"),
    }
    pub(crate) BMS_FORMAT = "IMS-161", Error, "an image for bare metal must be ZVHD2", {
        why: "the bare-metal service takes no other format",
        source: "OTC and HW: BMS user guide",
        fix: "convert the image to ZVHD2, as imsprep convert does",
    }
    pub(crate) BMS_ENCRYPTED = "IMS-162", Error, "an image for bare metal can't be encrypted", {
        why: "type BMS and cmk_id exclude each other",
        source: CODES,
        fix: "leave out cmk_id",
        service_code: Some("IMG.0118"),
    }
    pub(crate) PURPOSE = "IMS-163", Warning, "the image looks like another kind of disk than the request makes of it", {
        why: "a system disk needs something that boots; a data disk made from a system does not boot",
        source: "the image's content",
        fix: "say which is meant: --purpose system or --purpose data",
    }
    pub(crate) PROJECT = "IMS-165", Error, "enterprise_project_id is not 0 or a UUID", {
        why: "0 or no value stands for the default project",
        source: API,
        fix: "write 0, or 36 characters such as 5fce4f8b-61de-4d3a-9f4f-0c7d2f1f5c3a",
        service_code: Some("IMG.0155"),
    }
    pub(crate) KEY_ID = "IMS-166", Warning, "cmk_id is not a UUID", {
        why: "the identifiers of keys are UUIDs: one of another form names no key",
        source: CODES,
        fix: "copy the key's ID from the console",
        service_code: Some("IMG.0095"),
    }
    pub(crate) LICENSE = "IMS-167", Error, "license_type does not fit", {
        why: "platform or byol, for Windows, on Huawei Cloud",
        source: NEWER,
        fix: "leave it out",
    }

    // Processor and firmware.
    pub(crate) ARCHITECTURE = "IMS-170", Error, "architecture is not x86 or arm", {
        why: "these two are all there are",
        source: NEWER,
        fix: "write x86 or arm, as spelled here",
        service_code: Some("IMG.0212"),
    }
    pub(crate) FIRMWARE = "IMS-171", Error, "hw_firmware_type is not bios or uefi", {
        why: "these two are all there are",
        source: CODES,
        fix: "write bios or uefi, as spelled here",
        service_code: Some("IMG.0141"),
    }
    pub(crate) ARM_BIOS = "IMS-172", Error, "an arm image can't start by BIOS", {
        why: "arm implies UEFI (IMG.0212)",
        source: NEWER,
        fix: "write uefi, or leave hw_firmware_type out",
        service_code: Some("IMG.0141"),
    }
    pub(crate) FIRMWARE_CONTRADICTS = "IMS-173", Error, "the request names another firmware than the image starts by", {
        why: "a machine with the wrong firmware finds no boot loader",
        source: "OTC: FAQ on UEFI images; the image's content",
        fix: "name the firmware that the image was made for",
        service_code: Some("IMG.0141"),
    }
    pub(crate) ARCHITECTURE_CONTRADICTS = "IMS-174", Error, "the request names another architecture than the image is for", {
        why: "a processor can't run the other's programs",
        source: "the image's content",
        fix: "name the architecture that the image was made for",
    }
    pub(crate) FIRMWARE_NEWER = "IMS-175", Note, "hw_firmware_type stands on newer pages only", {
        why: "older pages of the same request don't list it",
        source: "OTC: API reference, quick import",
        fix: "if the request is refused for it, set the firmware after the import",
    }

    // Tools that send it.
    pub(crate) TOOL_CANT_SEND = "IMS-176", Error, "the tool cannot send this request", {
        why: "tools have some of the service's requests only, and upload some files only",
        source: "documentation and source of the vendors' Terraform providers and Packer plugin",
        fix: "send the request otherwise: --next-steps prints the commands",
    }
    pub(crate) TOOL_LACKS_FIELD = "IMS-177", Warning, "the tool has no place for a part of the request", {
        why: "what the tool cannot send is left out of its values, and the image is made without it",
        source: "documentation and source of the vendors' Terraform providers and Packer plugin",
        fix: "set it after the import, or send the request otherwise: --next-steps prints the commands",
    }
    pub(crate) TOOL_SENDS_COMMON = "IMS-178", Note, "the tool sends the common import", {
        why: "the tool has no quick import; the common import takes files of up to 128 GiB, needs no bitmap file, and takes longer",
        source: "OTC: Terraform provider",
        fix: "nothing to do; --next-steps prints the commands of the quick import",
    }
}
