//! Parts of manual pages that are not in the definitions of the command line.

/// A variable or a file, and the pages that describe it.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// The names of pages; empty for all pages.
    pub(super) pages: &'static [&'static str],
}

impl Entry {
    pub(super) fn is_for(&self, page: &str) -> bool {
        self.pages.is_empty() || self.pages.contains(&page)
    }
}

/// The meaning of each exit status, for all commands.
pub(super) const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Success, possibly with warnings."),
    ("1", "Checked, and something is wrong."),
    (
        "2",
        "Could not be checked: a usage error, a missing file, a read or write error. With several files, the highest status is returned.",
    ),
    ("129, 130, 143", "Interrupted by SIGHUP, SIGINT or SIGTERM. No partial output is left behind."),
    ("141", "convert to standard output: the reader closed the pipe, so the image is incomplete."),
];

pub(super) const ENVIRONMENT: &[Entry] = &[
    Entry {
        name: "NO_COLOR",
        text: "If set and not empty, the output is not coloured, except with --color always.",
        pages: &[],
    },
    Entry {
        name: "CLICOLOR_FORCE",
        text: "If set and not 0, the output is coloured even if it is not a terminal.",
        pages: &[],
    },
    Entry {
        name: "SOURCE_DATE_EPOCH",
        text: "Time of creation of a ZVHD2, in seconds since 1970; makes the output reproducible.",
        pages: &["imsprep", "imsprep-convert", "imsprep-prepare"],
    },
    Entry {
        name: "TMPDIR",
        text: "Folder of the socket of qemu-nbd, which reads some formats; the default is /tmp.",
        pages: &[
            "imsprep-convert",
            "imsprep-prepare",
            "imsprep-compare",
            "imsprep-inspect",
            "imsprep-serve",
            "imsprep-boot",
        ],
    },
];

pub(super) const FILES: &[Entry] = &[
    Entry {
        name: "imsprep.toml",
        text: "The settings of a project, looked up in the current folder and, within a repository, in its parent folders.",
        pages: &["imsprep", "imsprep-check"],
    },
    Entry {
        name: "NAME.mf",
        text: "The bitmap file of NAME.raw or NAME.img in the same folder: which blocks of 2 MiB hold data.",
        pages: &["imsprep", "imsprep-check", "imsprep-prepare", "imsprep-convert", "imsprep-bitmap"],
    },
];

/// Manual pages of other programs.
pub(super) const OTHERS: &[(&str, &[&str])] = &[
    ("qemu-img(1)", &["imsprep", "imsprep-convert", "imsprep-compare", "imsprep-detect"]),
    ("qemu-nbd(8)", &["imsprep-convert", "imsprep-prepare", "imsprep-serve"]),
    ("qemu-system-x86_64(1)", &["imsprep-boot"]),
    ("nbdcopy(1)", &["imsprep-serve"]),
    ("bmaptool(1)", &["imsprep-bitmap-create", "imsprep-bitmap-convert"]),
];
