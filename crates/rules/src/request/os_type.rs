//! A family of operating systems, as a request names it.

/// A family of operating systems, as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OsType {
    /// Linux.
    Linux,
    /// Windows.
    Windows,
}

impl OsType {
    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
        }
    }
}
