//! Writing from the first byte to the last.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::{Error, OutputFile, Result, sys};

/// Where bytes go that are made one after the other and never looked at again: a file, or a stream that can't seek.
pub trait Sink: Send {
    /// What errors call it: the file's path, or a name.
    fn path(&self) -> &Path;

    /// Writes all of `bytes` at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Write`] of a file, [`Error::Stream`] of a stream.
    fn write_all(&mut self, bytes: &[u8]) -> Result<()>;
}

impl Sink for OutputFile {
    fn path(&self) -> &Path {
        self.path()
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes)
    }
}

/// Standard output as a file of its own, past the standard library's buffer, which splits what it gets into lines.
///
/// # Errors
///
/// What the system says, if the process has none.
pub fn standard_output() -> io::Result<File> {
    sys::standard_output()
}

/// Anything that can be written to, such as standard output, or a vector.
#[derive(Debug)]
pub struct StreamOutput<W> {
    name: PathBuf,
    stream: W,
}

impl<W: Write> StreamOutput<W> {
    /// A stream that errors call `name`.
    pub fn new(name: impl Into<PathBuf>, stream: W) -> Self {
        Self { name: name.into(), stream }
    }

    /// Hands on what the stream still holds, and gives it back.
    ///
    /// # Errors
    ///
    /// [`Error::Stream`].
    pub fn finish(mut self) -> Result<W> {
        match self.stream.flush() {
            Ok(()) => Ok(self.stream),
            Err(source) => Err(self.error(source)),
        }
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Stream { path: self.name.clone(), source }
    }
}

impl<W: Write + Send> Sink for StreamOutput<W> {
    fn path(&self) -> &Path {
        &self.name
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).map_err(|source| self.error(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Overwrite;

    #[test]
    fn a_file_and_a_stream_get_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut file = OutputFile::create(&path, Overwrite::Refuse, &[]).unwrap();
        let mut stream = StreamOutput::new("memory", Vec::new());
        for sink in [&mut file as &mut dyn Sink, &mut stream] {
            sink.write_all(b"one ").unwrap();
            sink.write_all(b"two").unwrap();
        }
        file.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one two");
        assert_eq!(stream.finish().unwrap(), b"one two");
    }

    #[test]
    fn a_stream_that_fails_is_named() {
        let mut room = [0u8; 4];
        let mut stream = StreamOutput::new("standard output", &mut room[..]);
        stream.write_all(b"1234").unwrap();
        let error = stream.write_all(b"5").unwrap_err();
        assert!(error.to_string().starts_with("standard output: cannot write"), "{error}");
    }
}
