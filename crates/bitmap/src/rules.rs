//! The rules for bitmap files.

use imsprep_findings::rules;

const IMS_DOCS: &str = "OTC and Huawei Cloud IMS documentation, quick import";
const MEANING: &str = "the meaning of a bitmap: a block that is not marked is not loaded";

rules! {
    /// Every rule of this crate, by code.
    pub static RULES: convertible = true;

    pub DATA_MARKED_ZERO = "BM-001", Error, "a data block is marked zero", {
        why: "quick import does not load a block marked zero: its data would be lost without a word",
        source: MEANING,
        fix: "write the bitmap anew from the image as it is now: `imsprep bitmap create --force FILE`; but keep one that the \
              vendor's program made, as its layout may be another than the one it was read in",
    }

    pub ZERO_MARKED_DATA = "BM-002", Warning, "a zero block is marked data", {
        why: "nothing is lost, but the bitmap was not made from this image as it is now",
        source: MEANING,
        fix: "write the bitmap anew from the image as it is now: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_MISSING = "BM-003", Error, "the bitmap file is missing", {
        why: "quick import takes a RAW image only with its bitmap file beside it: same name, extension .mf. The vendor's own \
              Packer plugin offers quick import of RAW images and uploads the image without a .mf; whether the service accepted \
              such an image is not known",
        source: IMS_DOCS,
        fix: "make one: `imsprep bitmap create FILE`",
        service_code: Some("IMG.0158"),
    }

    pub BITMAP_WRONG_SIZE = "BM-004", Error, "the bitmap file was made for another image size", {
        why: "it says so itself; or its bits agree with the image as far as they go, so that it was made from this image when \
              that had another size",
        source: MEANING,
        fix: "write the bitmap anew from the image as it is now: `imsprep bitmap create --force FILE`",
    }

    pub LAYOUT_UNPROVEN = "BM-005", Warning, "the bitmap's layout is unproven", {
        why: "the vendor has published no layout for bitmap files; this one is the layout that ZVHD2 has inside, the only \
              bitmap layout the vendor did publish",
        source: "a search of the vendor's documentation, SDKs and public code that found none",
        fix: "import one small image with such a bitmap first; or, with the vendor's CreateMF.jar, prove its layout: imsprep bitmap \
              learn --program 'java -jar CreateMF.jar {image} {bitmap}' --install",
    }

    pub BITMAP_UNRECOGNISED = "BM-006", Warning, "the bitmap file is in no layout that imsprep knows", {
        why: "it may be the vendor's own, whose layout is unpublished; whether it fits the image was not checked",
        source: "the vendor has published no layout for bitmap files",
        fix: "if the vendor's program made it from this image, keep it; if imsprep was to make it, write it anew with \
              imsprep bitmap create and --force",
    }

    pub BITMAP_OLDER = "BM-007", Note, "the bitmap file is older than the image", {
        why: "the image may have changed since the bitmap was made; copying files changes the times as well",
        source: "modification times",
        fix: "where the content was compared, nothing; else run without --quick",
    }

    pub BITMAP_EMPTY = "BM-008", Error, "the bitmap file is empty", {
        why: "a file of no bytes says nothing of any block, in whatever layout",
        source: MEANING,
        fix: "write the bitmap anew from the image as it is now: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_SHARED = "BM-009", Error, "two images would share one bitmap file", {
        why: "the service finds a bitmap by the image's name with the extension .mf: one file can't serve both",
        source: IMS_DOCS,
        fix: "rename one of the images",
        service_code: Some("IMG.0158"),
    }

    pub BITMAP_OTHER_LAYOUT = "BM-010", Warning, "the bitmap file is in another layout than the one written for the service", {
        why: "it is in one of imsprep's other layouts, which are for archives, scripts and bmaptool; that the service reads it \
              is unlikely",
        source: "docs/bitmap-file.md: what each layout is for",
        fix: "write it in the layout that is meant for the service: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_DAMAGED = "BM-011", Error, "the bitmap file is damaged", {
        why: "it has the signs of a known layout, and its checksums, counts or text contradict each other",
        source: "docs/bitmap-file.md: the layout that it is in",
        fix: "write the bitmap anew from the image as it is now: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_NONE = "BM-012", Error, "the .mf file is no bitmap", {
        why: "it has the name that the service takes the bitmap from, and is another file: an OVF manifest has the same \
              extension, and a download may end in a page that reports an error",
        source: IMS_DOCS,
        fix: "keep it if it belongs to another file: move it away, or give the image another name; then create the bitmap of \
              the image",
    }
}
