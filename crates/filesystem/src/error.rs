//! Why something in a volume could not be read.

use std::fmt;

use imsprep_source as source;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of reason an [`Error`] is. Only [`NotFound`](Self::NotFound) and [`WrongType`](Self::WrongType) say something
/// about the guest; all others mean "not checked".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is nothing of that name, or a part of the path before it is no directory.
    NotFound,
    /// It is there, but no file, directory or link where one was requested.
    WrongType,
    /// Symbolic links lead in a circle, or through too many others.
    TooManyLinks,
    /// The volume, or the file, uses what the reader does not support, or would read wrongly.
    Refused,
    /// The reader could not follow what it read. The reason is the reader's opinion, and no finding about the image.
    Corrupt,
    /// It takes more bytes, entries or time than it is given.
    Limit,
    /// The image could not be read.
    Io,
    /// The user, or the program, asked to stop.
    Cancelled,
}

/// Why something could not be read: what, in which volume or under which path, and why.
///
/// Texts may hold names from the guest: hostile, not to be printed unescaped.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    path: Option<String>,
    reason: String,
    source: Option<Box<source::Error>>,
}

impl Error {
    /// An error of this kind. The reason is a part of a sentence, such as "the file has 12 bytes".
    pub fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, path: None, reason: reason.into(), source: None }
    }

    /// There is nothing of that name.
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "not found")
    }

    /// The reader does not support this, or would read it wrongly.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, reason)
    }

    /// The reader could not follow what it read.
    pub fn corrupt(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, reason)
    }

    /// It takes more than it is given.
    pub fn limit(reason: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, reason)
    }

    /// The same with the path that it is about, if it has none yet.
    #[must_use]
    pub fn at(mut self, path: impl AsRef<[u8]>) -> Self {
        self.path.get_or_insert_with(|| String::from_utf8_lossy(path.as_ref()).into_owned());
        self
    }

    /// What kind of reason it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The path in the guest, where there is one. Bytes that are no UTF-8 are replaced.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Why, without the path.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The error of this crate that an I/O error carries, as those of [`GuestFile`](crate::GuestFile) do.
    pub fn within(error: &std::io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Whether the guest has no such file, which is a fact, and no failure to look.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<source::Error> for Error {
    fn from(error: source::Error) -> Self {
        match error {
            source::Error::Cancelled => Self::new(ErrorKind::Cancelled, "interrupted"),
            other => Self {
                source: Some(Box::new(other)),
                ..Self::new(ErrorKind::Io, "the image could not be read")
            },
        }
    }
}

/// Takes "not there" as an answer instead of an error.
pub trait Found<T> {
    /// `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// All but [`ErrorKind::NotFound`].
    fn found(self) -> Result<Option<T>>;
}

impl<T> Found<T> for Result<T> {
    fn found(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
