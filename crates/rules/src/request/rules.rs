//! The rules of the request, in one table.
//!
//! Where the service's pages disagree, what every page refuses is an error, and what one page refuses is a warning.

use imsprep_findings::{Rule, Severity};

const API: &str = "OTC and HW: API reference, quick import";
const COMMON: &str = "OTC and HW: API reference, images from external image files";
const CODES: &str = "OTC and HW: API reference, error codes";
const NEWER: &str = "HW: API reference of 2024 to 2026";
const OBS: &str = "OTC and HW: OBS documentation, naming of buckets and objects";
const JSON: &str = "RFC 8259";

macro_rules! rules {
    ($($name:ident, $code:literal, $severity:ident, $service:expr, $title:expr, $why:expr, $source:expr, $fix:expr;)+) => {
        $(pub(crate) static $name: Rule = Rule {
            code: $code,
            severity: Severity::$severity,
            convertible: true,
            service_code: $service,
            title: $title,
            why: $why,
            source: $source,
            fix: $fix,
        };)+

        /// Every rule of the request, by code.
        pub static REQUEST_RULES: &[&Rule] = &[$(&$name),+];
    };
}

rules! {
    // The body as a whole.
    SYNTAX, "IMS-100", Error, Some("IMG.0001"), "the body is not JSON",
        "the service refuses what it can't parse", JSON, "correct it at the line and column named";
    BODY_EMPTY, "IMS-101", Error, Some("IMG.0007"), "the body is empty",
        "there is nothing in it to act on", CODES, "let imsprep request make one";
    WRONG_TYPE, "IMS-102", Error, Some("IMG.0001"), "a value is of the wrong type",
        "min_disk is a number, names are strings, tags are arrays", API, "write the value in the type named";
    DUPLICATE_KEY, "IMS-103", Error, Some("IMG.0001"), "a field is there twice",
        "which of the two counts depends on who reads it, so the two may be understood differently", JSON, "keep one of them";
    UNKNOWN_FIELD, "IMS-104", Error, None, "a field is unknown",
        "no page lists it: it is refused, or passed over without a word", API, "correct its name, or leave it out";
    FOREIGN_FIELD, "IMS-105", Error, None, "a field belongs to another request",
        "each request has its own fields; one that belongs elsewhere is refused, or passed over without a word", API,
        "leave it out, or send the request that has it";
    CLIENT_FIELD, "IMS-106", Note, None, "a field is of the other kind of disk",
        "the vendor's SDKs have one structure for the quick import of system disks and of data disks, and some of them send fields \
         of the other kind, even empty; the page of this request does not list the field", "the vendor's Go and Python SDKs",
        "nothing to do if an SDK wrote the body; else leave the field out";

    // The image's name and description.
    NAME_MISSING, "IMS-110", Error, Some("IMG.0013"), "the image has no name",
        "name is mandatory", CODES, "give it one: \"name\" in the body, --name on the command line";
    NAME_LONG, "IMS-111", Error, Some("IMG.0002"), "the image's name is too long",
        "a name has 1 to 128 characters", CODES, "shorten it";
    NAME_LETTERS, "IMS-112", Error, Some("IMG.0003"), "the image's name has characters that are not allowed",
        "letters, digits, spaces, and - . _ are allowed; on Huawei Cloud Chinese characters, too", API, "leave them out";
    NAME_ENDS, "IMS-113", Error, Some("IMG.0062"), "the image's name begins or ends with a space",
        "spaces are allowed inside a name only", API, "remove them";
    DESCRIPTION_LONG, "IMS-114", Error, Some("IMG.0004"), "the description is too long",
        "a description has at most 1024 characters", CODES, "shorten it";
    DESCRIPTION_LETTERS, "IMS-115", Error, Some("IMG.0054"), "the description has line ends or angle brackets",
        "carriage returns, line feeds, < and > are not allowed", API, "write it on one line, without < and >";
    DESCRIPTION_PLAIN, "IMS-116", Warning, Some("IMG.0054"), "the description has more than letters and digits",
        "one page allows letters and digits only, although the examples of others have spaces and full stops",
        "OTC: API reference, error codes", "if the request is refused for it, leave the description out";

    // The operating system.
    OS_VERSION_MISSING, "IMS-120", Error, Some("IMG.0159"), "os_version is missing",
        "quick import needs the version of a system disk's operating system, in the service's words (IMG.0159); the common import \
         refuses an empty one (IMG.0056)", API,
        "give it: \"os_version\" in the body, --os-version on the command line";
    OS_VERSION_UNKNOWN, "IMS-121", Warning, Some("IMG.0056"), "os_version is not in the list of known values",
        "a value that the service does not know is refused (IMG.0056); the list built in is old, and the service's own \
         is newer: GET /v1/cloudimages/os_version", CODES,
        "take a value of the list; or fetch the service's list and give it with --os-versions";
    OS_TYPE, "IMS-122", Error, Some("IMG.0056"), "os_type is not Linux or Windows",
        "these two are all there are", CODES, "write Linux or Windows, as spelled here";
    OS_TYPE_MISSING, "IMS-123", Warning, None, "os_type is missing",
        "one page calls it mandatory for data disks; the others take Linux for granted", "HW: four pages against one",
        "add \"os_type\": \"Linux\" or \"Windows\"; --os-type on the command line";
    OS_CONTRADICTS, "IMS-124", Error, Some("IMG.0122"), "the request names another operating system than the image shows",
        "drivers and start-up scripts are put in by the operating system named", CODES, "name the one that is in the image";
    WINDOWS, "IMS-125", Warning, None, "Windows may not be taken by quick import",
        "Huawei's international pages of 2025 and 2026 say that Windows can't be quick-imported any more; other pages don't",
        NEWER, "ask the provider first, or use the common import if the file has at most 128 GiB";
    OS_VERSION_OF_GUIDE, "IMS-126", Note, Some("IMG.0056"), "os_version is named in the user guide, not in the API's table",
        "the user guide and the documentation of the vendor's Terraform provider name newer systems than the table of values in the \
         API reference; no page says that the API takes them", "OTC: user guide of 2024; HW: Terraform provider",
        "nothing to do; if the request is refused for it, take a value of the service's own list: GET /v1/cloudimages/os_version";
    NOT_IN_UEFI_TABLE, "IMS-127", Warning, None, "the system is not in the table of those that start by UEFI",
        "the user guide lists the systems that may start by UEFI; others were not tested by the vendor", "OTC: user guide of 2024",
        "if the image starts by BIOS as well, write bios; else start a server from the image before you rely on it";

    // Where the image file is.
    IMAGE_URL, "IMS-130", Error, Some("IMG.0017"), "image_url is not BUCKET:KEY",
        "the service wants the bucket's name, a colon, and the object's key; no https://, obs:// or s3://", API,
        "write it as bucket:folder/file.zvhd2";
    BUCKET_NAME, "IMS-131", Error, Some("IMG.0109"), "the bucket's name can't be one",
        "3 to 63 of a-z, 0-9, - and . ; beginning with a letter or digit, not ending in - or . ; no \"..\", \".-\" or \"-.\"; no IP address",
        OBS, "give the name of the bucket alone";
    KEY_SPACES, "IMS-132", Error, Some("IMG.0175"), "the object's key has spaces or control characters",
        "neither folders nor image files may have spaces in their names", CODES, "rename the file, or change the prefix";
    KEY_LONG, "IMS-133", Error, None, "the object's key is too long",
        "a key has at most 1024 bytes in UTF-8", OBS, "shorten the prefix or the file's name";
    KEY_LETTERS, "IMS-134", Warning, Some("IMG.0075"), "the object's name has unusual characters or length",
        "one page allows 1 to 128 letters, digits, hyphens, dots and underscores only", CODES, "rename the file";
    KEY_OTHER_FORMAT, "IMS-135", Error, Some("IMG.0057"), "the object's name tells of a format that is not taken here",
        "quick import takes RAW and ZVHD2 only; the common import takes neither ISO files nor compressed ones", API,
        "name the image file, not another; if only the name is wrong, rename it, and give the image to be looked at";
    KEY_SUFFIX, "IMS-136", Warning, None, "the object's suffix does not tell its format",
        "the service and its console go by the suffix", "OTC and HW: naming of image files", "rename the file";
    KEY_OTHER_NAME, "IMS-137", Note, None, "the object bears another name than the file",
        "the upload must give it this name; a RAW's bitmap needs the same name with .mf", "the request and the file's name",
        "nothing to do if that is meant";
    FORMAT_NOT_TAKEN, "IMS-138", Error, Some("IMG.0057"), "the image is in a format that this request does not take",
        "quick import takes RAW and ZVHD2; the common import takes vmdk, vhd, qcow2, raw, vhdx, qed, vdi, qcow, zvhd2 and zvhd",
        API, "convert the image to ZVHD2 (recommended), or to RAW with a bitmap";
    FILE_TOO_LARGE, "IMS-139", Error, Some("IMG.0059"), "the image file is too large for this request",
        "quick import takes files of up to 1 TiB, the common import of up to 128 GiB", API,
        "convert the image to ZVHD2 (recommended), or to RAW with a bitmap, and use quick import";
    FILE_AT_LIMIT, "IMS-140", Warning, Some("IMG.0059"), "the image file is exactly as large as the limit",
        "one page says \"smaller than 128 GB\", another \"not larger than\"", COMMON, "convert it to ZVHD2 and use quick import";

    // The least size of a disk made from it.
    MIN_DISK, "IMS-145", Error, Some("IMG.0055"), "min_disk is missing or out of range",
        "a whole number of GB that every page allows", API, "write a number within the range named";
    MIN_DISK_LOW, "IMS-146", Warning, Some("IMG.0055"), "min_disk is below the range of some pages",
        "pages disagree on where the range begins", API, "raise min_disk to the number named";
    MIN_DISK_CONSOLE, "IMS-147", Note, None, "min_disk is below what the console offers",
        "the console's own range is 40 to 1024 GB; the API's begins lower", "HW: console", "nothing to do";
    MIN_DISK_TOO_SMALL, "IMS-148", Error, Some("IMG.0111"), "min_disk can't hold the disk",
        "a disk made from the image must hold all of it", API, "raise min_disk to the number named";
    MIN_DISK_TIGHT, "IMS-149", Warning, Some("IMG.0055"), "min_disk is not greater than what it must hold",
        "some pages ask for a min_disk greater than the disk, others for one not less; older ones compare with the file", API,
        "raise min_disk by 1";

    // Tags.
    TAGS_TWICE, "IMS-155", Error, Some("IMG.0115"), "there are tags and image_tags",
        "one of the two may be given", API, "keep image_tags, the newer of the two";
    TAGS_MANY, "IMS-156", Error, Some("IMG.0116"), "there are more than 10 tags",
        "an image has at most 10", CODES, "leave some out";
    TAG, "IMS-157", Error, Some("IMG.0115"), "a tag is not well formed",
        "a key has 1 to 36 letters, digits, _ and -; a value at most 43; on Huawei Cloud Chinese characters, too, and dots in the \
         value; in tags the two are joined by a dot", API, "correct the tag";
    TAG_TWICE, "IMS-158", Error, Some("IMG.0115"), "two tags have the same key",
        "a key may be given once", API, "keep one of them";

    // What kind of image it becomes.
    TYPE, "IMS-160", Error, Some("IMG.0024"), "type is not one that this request takes",
        "ECS or BMS for a system disk (IMG.0117), DataImage for a data disk", API, "write it as spelled here, or leave it out for ECS";
    BMS_FORMAT, "IMS-161", Error, None, "an image for bare metal must be ZVHD2",
        "the bare-metal service takes no other format", "OTC and HW: BMS user guide", "convert the image to ZVHD2, as imsprep convert does";
    BMS_ENCRYPTED, "IMS-162", Error, Some("IMG.0118"), "an image for bare metal can't be encrypted",
        "type BMS and cmk_id exclude each other", CODES, "leave out cmk_id";
    PURPOSE, "IMS-163", Warning, None, "the image looks like another kind of disk than the request makes of it",
        "a system disk needs something that boots; a data disk made from a system does not boot", "the image's content",
        "say which is meant: --purpose system or --purpose data";
    PROJECT, "IMS-165", Error, Some("IMG.0155"), "enterprise_project_id is not 0 or a UUID",
        "0 or no value stands for the default project", API, "write 0, or 36 characters such as 5fce4f8b-61de-4d3a-9f4f-0c7d2f1f5c3a";
    KEY_ID, "IMS-166", Warning, Some("IMG.0095"), "cmk_id is not a UUID",
        "the identifiers of keys are UUIDs: one of another form names no key", CODES, "copy the key's ID from the console";
    LICENSE, "IMS-167", Error, None, "license_type does not fit",
        "platform or byol, for Windows, on Huawei Cloud", NEWER, "leave it out";

    // Processor and firmware.
    ARCHITECTURE, "IMS-170", Error, Some("IMG.0212"), "architecture is not x86 or arm",
        "these two are all there are", NEWER, "write x86 or arm, as spelled here";
    FIRMWARE, "IMS-171", Error, Some("IMG.0141"), "hw_firmware_type is not bios or uefi",
        "these two are all there are", CODES, "write bios or uefi, as spelled here";
    ARM_BIOS, "IMS-172", Error, Some("IMG.0141"), "an arm image can't start by BIOS",
        "arm implies UEFI (IMG.0212)", NEWER, "write uefi, or leave hw_firmware_type out";
    FIRMWARE_CONTRADICTS, "IMS-173", Error, Some("IMG.0141"), "the request names another firmware than the image starts by",
        "a machine with the wrong firmware finds no boot loader", "OTC: FAQ on UEFI images; the image's content",
        "name the firmware that the image was made for";
    ARCHITECTURE_CONTRADICTS, "IMS-174", Error, None, "the request names another architecture than the image is for",
        "a processor can't run the other's programs", "the image's content", "name the architecture that the image was made for";
    FIRMWARE_NEWER, "IMS-175", Note, None, "hw_firmware_type stands on newer pages only",
        "older pages of the same request don't list it", "OTC: API reference, quick import",
        "if the request is refused for it, set the firmware after the import";

    // Tools that send it.
    TOOL_CANT_SEND, "IMS-176", Error, None, "the tool cannot send this request",
        "tools have some of the service's requests only, and upload some files only", "documentation and source of the vendors' Terraform providers and Packer plugin",
        "send the request otherwise: --next-steps prints the commands";
    TOOL_LACKS_FIELD, "IMS-177", Warning, None, "the tool has no place for a part of the request",
        "what the tool cannot send is left out of its values, and the image is made without it", "documentation and source of the vendors' Terraform providers and Packer plugin",
        "set it after the import, or send the request otherwise: --next-steps prints the commands";
    TOOL_SENDS_COMMON, "IMS-178", Note, None, "the tool sends the common import",
        "the tool has no quick import; the common import takes files of up to 128 GiB, needs no bitmap file, and takes longer",
        "OTC: Terraform provider", "nothing to do; --next-steps prints the commands of the quick import";
}
