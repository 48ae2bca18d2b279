//! What pages say that no definition of the command line holds.

/// A variable or a file, and the pages that it matters to.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// The names of pages; of none: all of them.
    pub(super) pages: &'static [&'static str],
}

impl Entry {
    pub(super) fn is_for(&self, page: &str) -> bool {
        self.pages.is_empty() || self.pages.contains(&page)
    }
}

/// What an exit status means, whatever the command.
pub(super) const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Fine, perhaps with warnings."),
    ("1", "Looked, and something is wrong."),
    (
        "2",
        "Could not look: wrong usage, a missing file, an error of reading or writing. Of several files 2 beats 1 beats 0.",
    ),
    ("129, 130, 143", "Interrupted by SIGHUP, SIGINT or SIGTERM. Nothing half-written is left."),
    ("141", "The reader of an image on standard output went away."),
];

pub(super) const ENVIRONMENT: &[Entry] = &[
    Entry {
        name: "NO_COLOR",
        text: "If it is set and not empty, nothing is coloured, unless --color always asks for it.",
        pages: &[],
    },
    Entry {
        name: "CLICOLOR_FORCE",
        text: "If it is set and not 0, the output is coloured although it goes to no terminal.",
        pages: &[],
    },
    Entry {
        name: "SOURCE_DATE_EPOCH",
        text: "The time, in seconds since 1970, that a ZVHD2 says it was made at, so that it can be made again byte for byte.",
        pages: &["imsprep", "imsprep-convert", "imsprep-prepare"],
    },
    Entry {
        name: "TMPDIR",
        text: "Where the socket lies over which qemu-nbd is asked for images that only qemu reads; /tmp unless set.",
        pages: &["imsprep-convert", "imsprep-prepare", "imsprep-compare", "imsprep-inspect"],
    },
];

pub(super) const FILES: &[Entry] = &[
    Entry {
        name: "imsprep.toml",
        text: "The settings of a project, looked for in the current folder and, within a repository, in those above it.",
        pages: &["imsprep", "imsprep-check"],
    },
    Entry {
        name: "NAME.mf",
        text: "The bitmap file of NAME.raw or NAME.img, beside it: which blocks of 2 MiB hold data.",
        pages: &["imsprep", "imsprep-check", "imsprep-prepare", "imsprep-convert", "imsprep-bitmap"],
    },
];

/// Pages of others that matter to some of ours.
pub(super) const OTHERS: &[(&str, &[&str])] = &[
    ("qemu-img(1)", &["imsprep", "imsprep-convert", "imsprep-compare", "imsprep-detect"]),
    ("qemu-nbd(8)", &["imsprep-convert", "imsprep-prepare"]),
    ("bmaptool(1)", &["imsprep-bitmap-create", "imsprep-bitmap-convert"]),
];
