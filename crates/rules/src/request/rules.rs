//! The rules of the request, in one table.
//!
//! If the pages of the service disagree, a value is an error if every page refuses it, and a warning if one page does.

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
        why: "the service refuses a body that it cannot parse",
        source: JSON,
        fix: "correct the body at the given line and column",
        service_code: Some("IMG.0001"),
    }
    pub(crate) BODY_EMPTY = "IMS-101", Error, "the body is empty", {
        why: "the service refuses an empty body",
        source: CODES,
        fix: "write a body with imsprep request",
        service_code: Some("IMG.0007"),
    }
    pub(crate) WRONG_TYPE = "IMS-102", Error, "a value is of the wrong type", {
        why: "min_disk is a number, names are strings, tags are arrays",
        source: API,
        fix: "write the value with the expected type",
        service_code: Some("IMG.0001"),
    }
    pub(crate) DUPLICATE_KEY = "IMS-103", Error, "a field occurs twice", {
        why: "the parsers of JSON differ in which of the two they use",
        source: JSON,
        fix: "keep one of them",
        service_code: Some("IMG.0001"),
    }
    pub(crate) UNKNOWN_FIELD = "IMS-104", Error, "a field is unknown", {
        why: "no page lists it: it is refused, or silently ignored",
        source: API,
        fix: "correct its name, or remove it",
    }
    pub(crate) FOREIGN_FIELD = "IMS-105", Error, "a field belongs to another request", {
        why: "each request has its own fields; a field of another request is refused, or silently ignored",
        source: API,
        fix: "remove it, or send the request that it belongs to",
    }
    pub(crate) CLIENT_FIELD = "IMS-106", Note, "a field belongs to the other kind of disk", {
        why: "the vendor's SDKs have one structure for the quick import of system disks and of data disks, and some of them send fields \
              of the other kind, even empty; the page of this request does not list the field",
        source: "the vendor's Go and Python SDKs",
        fix: "none needed if an SDK wrote the body; otherwise remove the field",
    }

    // The image's name and description.
    pub(crate) NAME_MISSING = "IMS-110", Error, "the image has no name", {
        why: "name is mandatory",
        source: CODES,
        fix: "set \"name\" in the body, or --name on the command line",
        service_code: Some("IMG.0013"),
    }
    pub(crate) NAME_LONG = "IMS-111", Error, "the image's name is too long", {
        why: "a name has 1 to 128 characters",
        source: CODES,
        fix: "shorten it",
        service_code: Some("IMG.0002"),
    }
    pub(crate) NAME_LETTERS = "IMS-112", Error, "the image's name has characters that are not allowed", {
        why: "letters, digits, spaces, and - . _ are allowed; on Huawei Cloud also Chinese characters",
        source: API,
        fix: "remove these characters",
        service_code: Some("IMG.0003"),
    }
    pub(crate) NAME_ENDS = "IMS-113", Error, "the image's name begins or ends with a space", {
        why: "spaces are allowed only inside a name",
        source: API,
        fix: "remove these spaces",
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
    pub(crate) DESCRIPTION_PLAIN = "IMS-116", Warning, "the description contains other characters than letters and digits", {
        why: "one page allows letters and digits only, although the examples on other pages contain spaces and full stops",
        source: "OTC: API reference, error codes",
        fix: "if the request is refused because of it, remove the description",
        service_code: Some("IMG.0054"),
    }

    // The operating system.
    pub(crate) OS_VERSION_MISSING = "IMS-120", Error, "os_version is missing", {
        why: "quick import of a system disk needs the version of its operating system, as the service spells it (IMG.0159); the common \
              import refuses an empty one (IMG.0056)",
        source: API,
        fix: "set \"os_version\" in the body, or --os-version on the command line; imsprep os-versions lists the values",
        service_code: Some("IMG.0159"),
    }
    pub(crate) OS_VERSION_UNKNOWN = "IMS-121", Warning, "os_version is not in the list of known values", {
        why: "the service refuses an unknown value (IMG.0056); the built-in list is older than the service's own list: GET \
              /v1/cloudimages/os_version",
        source: CODES,
        fix: "use a value of the list; or fetch the service's list and pass it with --os-versions",
        service_code: Some("IMG.0056"),
    }
    pub(crate) OS_TYPE = "IMS-122", Error, "os_type is not Linux or Windows", {
        why: "the API allows only these two values",
        source: CODES,
        fix: "write Linux or Windows, with this spelling",
        service_code: Some("IMG.0056"),
    }
    pub(crate) OS_TYPE_MISSING = "IMS-123", Warning, "os_type is missing", {
        why: "one page calls it mandatory for data disks; on the other pages the default is Linux",
        source: "HW: four pages against one",
        fix: "add \"os_type\": \"Linux\" or \"Windows\" to the body, or use --os-type",
    }
    pub(crate) OS_CONTRADICTS = "IMS-124", Error, "the operating system in the request is not the one in the image", {
        why: "the service injects drivers and start-up scripts for the operating system in the request",
        source: CODES,
        fix: "use the operating system of the image",
        service_code: Some("IMG.0122"),
    }
    pub(crate) WINDOWS = "IMS-125", Warning, "quick import may not take Windows", {
        why: "according to Huawei's international pages of 2025 and 2026, quick import no longer takes Windows; other pages do not say so",
        source: NEWER,
        fix: "ask the provider first, or use the common import for files of up to 128 GiB",
    }
    pub(crate) OS_VERSION_OF_GUIDE = "IMS-126", Note, "os_version is in the user guide, but not in the table of the API", {
        why: "the user guide and the documentation of the vendor's Terraform provider name newer systems than the table of values in the \
              API reference; no page says that the API accepts them",
        source: "OTC: user guide of 2024; HW: Terraform provider",
        fix: "none needed; if the request is refused because of it, use a value of the service's own list: GET /v1/cloudimages/os_version",
        service_code: Some("IMG.0056"),
    }
    pub(crate) NOT_IN_UEFI_TABLE = "IMS-127", Warning, "the system is not in the table of systems that boot by UEFI", {
        why: "the user guide lists the systems that may boot by UEFI; the vendor has not tested others",
        source: "OTC: user guide of 2024",
        fix: "if the image also boots by BIOS, use bios; otherwise test a server that boots from the image",
    }
    pub(crate) OTHER_RELEASE = "IMS-128", Note, "os_version names another release of the system than the image shows", {
        why: "the list has no value for the exact release, or another one was given; the service goes by the family and the version, and \
              the release in the image stays what it is",
        source: "the image's content",
        fix: "nothing to do if that is meant",
    }

    // Where the image file is.
    pub(crate) IMAGE_URL = "IMS-130", Error, "image_url is not BUCKET:KEY", {
        why: "the service expects the name of the bucket, a colon and the key of the object, without https://, obs:// or s3://",
        source: API,
        fix: "write it as bucket:folder/file.zvhd2",
        service_code: Some("IMG.0017"),
    }
    pub(crate) BUCKET_NAME = "IMS-131", Error, "the name of the bucket is not valid", {
        why: "3 to 63 of a-z, 0-9, - and . ; beginning with a letter or digit, not ending in - or . ; no \"..\", \".-\" or \"-.\"; no IP address",
        source: OBS,
        fix: "use only the name of the bucket: 3 to 63 lower-case letters, digits, hyphens and dots",
        service_code: Some("IMG.0109"),
    }
    pub(crate) KEY_SPACES = "IMS-132", Error, "the object's key has spaces or control characters", {
        why: "names of folders and image files must not contain spaces",
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
    pub(crate) KEY_OTHER_FORMAT = "IMS-135", Error, "the extension of the object is that of a format that the request does not take", {
        why: "quick import takes RAW and ZVHD2 only; the common import takes neither ISO files nor compressed ones",
        source: API,
        fix: "use the key of the image file; if only the extension is wrong, rename the object, and pass the image to imsprep as well",
        service_code: Some("IMG.0057"),
    }
    pub(crate) KEY_SUFFIX = "IMS-136", Warning, "the extension of the object does not match its format", {
        why: "the service and its console derive the format from the extension",
        source: "OTC and HW: naming of image files",
        fix: "rename the file",
    }
    pub(crate) KEY_OTHER_NAME = "IMS-137", Note, "the object and the file have different names", {
        why: "the upload must use the name of the object; the bitmap of a RAW needs the same name with .mf",
        source: "the request and the file's name",
        fix: "none needed if this is intended",
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
        why: "min_disk is a whole number of GB; no page allows this value",
        source: API,
        fix: "use a number in the given range",
        service_code: Some("IMG.0055"),
    }
    pub(crate) MIN_DISK_LOW = "IMS-146", Warning, "min_disk is below the range of some pages", {
        why: "pages disagree on the minimum",
        source: API,
        fix: "increase min_disk to the given number",
        service_code: Some("IMG.0055"),
    }
    pub(crate) MIN_DISK_CONSOLE = "IMS-147", Note, "min_disk is below the console's minimum", {
        why: "the console's own range is 40 to 1024 GB; the API's begins lower",
        source: "HW: console",
        fix: "none needed",
    }
    pub(crate) MIN_DISK_TOO_SMALL = "IMS-148", Error, "min_disk is smaller than the disk", {
        why: "the complete disk must fit into a disk made from the image",
        source: API,
        fix: "increase min_disk to the given number",
        service_code: Some("IMG.0111"),
    }
    pub(crate) MIN_DISK_TIGHT = "IMS-149", Warning, "min_disk is not larger than the disk", {
        why: "some pages require a min_disk greater than the disk, others one that is not less; older pages compare it with the file",
        source: API,
        fix: "increase min_disk by 1",
        service_code: Some("IMG.0055"),
    }

    // Tags.
    pub(crate) TAGS_TWICE = "IMS-155", Error, "the body has both tags and image_tags", {
        why: "only one of the two is allowed",
        source: API,
        fix: "keep image_tags, which is newer",
        service_code: Some("IMG.0115"),
    }
    pub(crate) TAGS_MANY = "IMS-156", Error, "there are more than 10 tags", {
        why: "an image has at most 10",
        source: CODES,
        fix: "remove some tags",
        service_code: Some("IMG.0116"),
    }
    pub(crate) TAG = "IMS-157", Error, "a tag is not well formed", {
        why: "a key has 1 to 36 letters, digits, _ and -; a value at most 43; on Huawei Cloud also Chinese characters, and dots in the \
              value; tags joins the two by a dot",
        source: API,
        fix: "correct the tag",
        service_code: Some("IMG.0115"),
    }
    pub(crate) TAG_TWICE = "IMS-158", Error, "two tags have the same key", {
        why: "a key is allowed only once",
        source: API,
        fix: "keep one of them",
        service_code: Some("IMG.0115"),
    }

    // What kind of image it becomes.
    pub(crate) TYPE = "IMS-160", Error, "type has a value that the request does not allow", {
        why: "ECS or BMS for a system disk (IMG.0117), DataImage for a data disk",
        source: API,
        fix: "use one of these values, or remove type for ECS",
        service_code: Some("IMG.0024"),
    }
    pub(crate) BMS_FORMAT = "IMS-161", Error, "an image for bare-metal servers must be ZVHD2", {
        why: "the bare-metal service accepts no other format",
        source: "OTC and HW: BMS user guide",
        fix: "convert the image to ZVHD2 with imsprep convert",
    }
    pub(crate) BMS_ENCRYPTED = "IMS-162", Error, "an image for bare-metal servers cannot be encrypted", {
        why: "type BMS and cmk_id exclude each other",
        source: CODES,
        fix: "remove cmk_id",
        service_code: Some("IMG.0118"),
    }
    pub(crate) PURPOSE = "IMS-163", Warning, "the image and the request are for different kinds of disk", {
        why: "a system disk needs a boot loader; a server cannot boot from a data disk",
        source: "the image's content",
        fix: "select the kind of disk: --purpose system or --purpose data",
    }
    pub(crate) PROJECT = "IMS-165", Error, "enterprise_project_id is not 0 or a UUID", {
        why: "0 or no value means the default project",
        source: API,
        fix: "write 0, or 36 characters such as 5fce4f8b-61de-4d3a-9f4f-0c7d2f1f5c3a",
        service_code: Some("IMG.0155"),
    }
    pub(crate) KEY_ID = "IMS-166", Warning, "cmk_id is not a UUID", {
        why: "the identifiers of keys are UUIDs",
        source: CODES,
        fix: "copy the key's ID from the console",
        service_code: Some("IMG.0095"),
    }
    pub(crate) LICENSE = "IMS-167", Error, "license_type is not allowed", {
        why: "license_type is platform or byol, only for Windows and only on Huawei Cloud",
        source: NEWER,
        fix: "remove it",
    }

    // Processor and firmware.
    pub(crate) ARCHITECTURE = "IMS-170", Error, "architecture is not x86 or arm", {
        why: "the API allows only these two values",
        source: NEWER,
        fix: "write x86 or arm, with this spelling",
        service_code: Some("IMG.0212"),
    }
    pub(crate) FIRMWARE = "IMS-171", Error, "hw_firmware_type is not bios or uefi", {
        why: "the API allows only these two values",
        source: CODES,
        fix: "write bios or uefi, with this spelling",
        service_code: Some("IMG.0141"),
    }
    pub(crate) ARM_BIOS = "IMS-172", Error, "an arm image cannot boot by BIOS", {
        why: "arm implies UEFI (IMG.0212)",
        source: NEWER,
        fix: "use uefi, or remove hw_firmware_type",
        service_code: Some("IMG.0141"),
    }
    pub(crate) FIRMWARE_CONTRADICTS = "IMS-173", Error, "the firmware in the request is not the one that the image boots by", {
        why: "a machine with the wrong firmware finds no boot loader",
        source: "OTC: FAQ on UEFI images; the image's content",
        fix: "use the firmware that the image was made for",
        service_code: Some("IMG.0141"),
    }
    pub(crate) ARCHITECTURE_CONTRADICTS = "IMS-174", Error, "the architecture in the request is not that of the image", {
        why: "a processor cannot run programs for the other architecture",
        source: "the image's content",
        fix: "use the architecture that the image was made for",
    }
    pub(crate) FIRMWARE_NEWER = "IMS-175", Note, "hw_firmware_type is documented on newer pages only", {
        why: "older pages of the same request do not list it",
        source: "OTC: API reference, quick import",
        fix: "if the request is refused because of it, set the firmware after the import",
    }

    // Tools that send it.
    pub(crate) TOOL_CANT_SEND = "IMS-176", Error, "the tool cannot send this request", {
        why: "the tool supports only some requests of the service, and uploads only some files",
        source: "documentation and source of the vendors' Terraform providers and Packer plugin",
        fix: "send the request with the script of --next-steps",
    }
    pub(crate) TOOL_LACKS_FIELD = "IMS-177", Warning, "the tool does not support a part of the request", {
        why: "the values for the tool do not include what it cannot send, and the image is created without it",
        source: "documentation and source of the vendors' Terraform providers and Packer plugin",
        fix: "set it after the import, or send the request with the script of --next-steps",
    }
    pub(crate) TOOL_SENDS_COMMON = "IMS-178", Note, "the tool sends the common import", {
        why: "the tool has no quick import; the common import takes files of up to 128 GiB, needs no bitmap file, and takes longer",
        source: "OTC: Terraform provider",
        fix: "none needed; --next-steps prints the commands of the quick import",
    }
}
