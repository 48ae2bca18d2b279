//! The rules for the intended use of the image.

use imsprep_findings::rules;

rules! {
    /// Every rule for the intended use, by code.
    pub static INTENT_RULES: convertible = true;

    pub(crate) KEY_TOO_LONG = "IMS-040", Error, "the object's key is too long", {
        why: "the key of an object is the prefix and the name of the file, and has at most 1024 bytes of UTF-8",
        source: "OBS documentation: naming of objects",
        fix: "use a shorter prefix or a shorter name",
    }

    pub(crate) BARE_METAL_FORMAT = "IMS-041", Error, "a bare-metal image is not ZVHD2", {
        why: "images for bare-metal servers are imported from ZVHD2 only",
        source: "HW and OTC: bare-metal image guide",
        fix: "convert it to ZVHD2",
    }

    pub(crate) MIN_DISK_TOO_SMALL = "IMS-042", Error, "min_disk is smaller than the disk", {
        why: "the disk of a server has at least min_disk GB, and the complete virtual disk must fit into it",
        source: "OTC and HW: min_disk of the quick import request",
        fix: "use a larger min_disk",
        service_code: Some("IMG.0111"),
    }

    pub(crate) MIN_DISK_NO_ROOM = "IMS-043", Warning, "min_disk is not larger than the disk", {
        why: "some pages require a min_disk that is not less than the image, others one that is greater; older pages compare it \
              with the file, newer ones with the disk in it",
        source: "OTC and HW: min_disk of the quick import request, where pages disagree",
        fix: "increase min_disk by 1",
        service_code: Some("IMG.0055"),
    }

    pub(crate) MIN_DISK_RANGE = "IMS-044", Error, "min_disk is out of its range", {
        why: "no page allows such a value",
        source: "OTC and HW: min_disk of the quick import request (1 to 1024)",
        fix: "use a min_disk from 1 to 1024",
        service_code: Some("IMG.0055"),
    }

    pub(crate) MIN_DISK_BELOW_STRICT = "IMS-045", Warning, "min_disk is smaller than some pages allow", {
        why: "the minimum for a system disk is 10 GB for Linux and 20 GB for Windows on newer pages, and 1 GB on older ones",
        source: "HW 2026 and the vendor's Terraform provider, where pages disagree",
        fix: "use a min_disk of 10 or more, for Windows of 20 or more",
        service_code: Some("IMG.0055"),
    }
}
