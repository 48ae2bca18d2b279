//! What the exit status says.

use std::process::ExitCode;

/// How a command ended. Of several files the most severe counts: the order is that of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// 0: all is well; there may be warnings.
    Fine,
    /// 1: looked, and something is wrong.
    Wrong,
    /// 2: could not look.
    CouldNotLook,
    /// 141, as if SIGPIPE had ended the process: the reader of an image on standard output closed the pipe. Half an image
    /// is worth nothing, unlike half a text.
    ReaderGone,
    /// 129, 130 or 143, as the signal has it.
    Interrupted,
}

impl Status {
    /// The number for the shell. An interruption's own number is the signal's business: see [`crate::setup::Setup`].
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Wrong => 1,
            Self::CouldNotLook => 2,
            Self::ReaderGone => 141,
            Self::Interrupted => 130,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.number())
    }
}
