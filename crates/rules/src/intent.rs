//! What the import is going to be, as far as the user says.

use std::fmt;

/// What the disk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Servers boot from it.
    System,
    /// It is attached to servers that boot from another.
    Data,
}

impl Purpose {
    /// The word used on the command line and in JSON: `system` or `data`.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Data => "data",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The import that is meant. The default says nothing, and nothing is compared with it then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intent {
    /// What the disk is for; `None` if the user did not say.
    pub purpose: Option<Purpose>,
    /// `min_disk` of the request, in GB.
    pub min_disk: Option<u32>,
    /// The image is for bare-metal servers.
    pub bare_metal: bool,
    /// What comes before the file's name in the bucket, such as `images/2026`; `None` if the user did not say.
    pub prefix: Option<String>,
}
