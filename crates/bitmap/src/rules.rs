//! The rules for bitmap files.

use imsprep_findings::rules;

const IMS_DOCS: &str = "OTC and Huawei Cloud IMS documentation, quick import";
const MEANING: &str = "the meaning of a bitmap: a block marked zero is not loaded";

rules! {
    /// Every rule of this crate, by code.
    pub static RULES: convertible = true;

    pub DATA_MARKED_ZERO = "BM-001", Error, "a data block is marked zero", {
        why: "quick import does not load blocks marked zero: the data would be lost silently",
        source: MEANING,
        fix: "create the bitmap again: `imsprep bitmap create --force FILE`; but keep a bitmap that the vendor's program made, \
              because it may have another layout than the one detected",
    }

    pub ZERO_MARKED_DATA = "BM-002", Warning, "a zero block is marked data", {
        why: "no data is lost, but the bitmap was not made from the current content of the image",
        source: MEANING,
        fix: "create the bitmap again: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_MISSING = "BM-003", Error, "the bitmap file is missing", {
        why: "quick import takes a RAW image only with its bitmap file: same folder, same name, extension .mf. The vendor's own \
              Packer plugin offers quick import of RAW images and uploads the image without a .mf; whether the service accepted \
              such an image is not known",
        source: IMS_DOCS,
        fix: "create it: `imsprep bitmap create FILE`",
        service_code: Some("IMG.0158"),
    }

    pub BITMAP_WRONG_SIZE = "BM-004", Error, "the bitmap file was made for another image size", {
        why: "the bitmap file contains the size of its image; or its bits match the image up to their end, so that it was made \
              from this image when the image had another size",
        source: MEANING,
        fix: "create the bitmap again: `imsprep bitmap create --force FILE`",
    }

    pub LAYOUT_UNPROVEN = "BM-005", Warning, "the bitmap's layout is unproven", {
        why: "the vendor has not published the layout of bitmap files; this is the layout of the bitmap inside ZVHD2, the only \
              bitmap layout that the vendor has published",
        source: "a search of the vendor's documentation, SDKs and public code that found none",
        fix: "import one small image with such a bitmap first; or prove the layout with the vendor's CreateMF.jar: imsprep bitmap \
              learn --program 'java -jar CreateMF.jar {image} {bitmap}' --install",
    }

    pub BITMAP_UNRECOGNISED = "BM-006", Warning, "the layout of the bitmap file is unknown", {
        why: "it may be the layout of the vendor, which is not published; the bitmap was not compared with the image",
        source: "the vendor has published no layout for bitmap files",
        fix: "if the vendor's program made it from this image, keep it; otherwise create it again with imsprep bitmap create \
              --force",
    }

    pub BITMAP_OLDER = "BM-007", Note, "the bitmap file is older than the image", {
        why: "the image may have changed after the bitmap was made; copying files changes the times, too",
        source: "modification times",
        fix: "none needed if the content was compared; otherwise run without --quick",
    }

    pub BITMAP_EMPTY = "BM-008", Error, "the bitmap file is empty", {
        why: "an empty file has no bits, in any layout",
        source: MEANING,
        fix: "create the bitmap again: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_SHARED = "BM-009", Error, "two images would share one bitmap file", {
        why: "the service finds a bitmap by the name of the image with the extension .mf: one file cannot be the bitmap of both",
        source: IMS_DOCS,
        fix: "rename one of the images",
        service_code: Some("IMG.0158"),
    }

    pub BITMAP_OTHER_LAYOUT = "BM-010", Warning, "the bitmap file has a layout that is not intended for the service", {
        why: "it has one of imsprep's other layouts, which are for archives, scripts and bmaptool; the service is unlikely to \
              read it",
        source: "docs/bitmap-file.md: what each layout is for",
        fix: "create it in the layout for the service: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_DAMAGED = "BM-011", Error, "the bitmap file is damaged", {
        why: "it has a known layout, but its checksums, counts or text contradict each other",
        source: "docs/bitmap-file.md: the layout of the file",
        fix: "create the bitmap again: `imsprep bitmap create --force FILE`",
    }

    pub BITMAP_NONE = "BM-012", Error, "the .mf file is not a bitmap", {
        why: "it has the name of the bitmap file, but is another kind of file: an OVF manifest has the same extension, and a \
              failed download may be an error page",
        source: IMS_DOCS,
        fix: "if it belongs to another file, move it away, or rename the image; then create the bitmap of the image",
    }
}
