//! Why a text is no command.

/// Why a text is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCommand {
    /// A quotation mark without its partner.
    #[error("a quotation mark is not closed")]
    OpenQuote,
    /// A backslash at the end.
    #[error("it ends in a backslash")]
    OpenEscape,
    /// There are no words.
    #[error("it has no words")]
    Empty,
    /// A placeholder is missing.
    #[error("{0} does not occur in it")]
    NoPlaceholder(&'static str),
    /// A character with a meaning to shells alone.
    #[error(
        "{0:?} outside of quotation marks: no shell runs it; for pipes and redirections, write a script and name that"
    )]
    ShellCharacter(char),
}
