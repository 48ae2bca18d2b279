//! An input that is read once, from its first byte to its last.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Error, FileKind, Input, Result, sys};

/// Time between two reads of a pipe that has nothing yet and does not wait.
const PAUSE: Duration = Duration::from_millis(10);

/// A pipe, a socket, or a file that the shell opened: it is read in order, and its size shows when it ends.
#[derive(Debug)]
pub struct InputStream {
    name: PathBuf,
    file: File,
    input: Option<Input>,
    /// Bytes that were read.
    at: u64,
}

impl InputStream {
    /// Standard input, as a file of its own, past the standard library's buffer.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if the process has none; [`Error::Terminal`].
    pub fn standard_input() -> Result<Self> {
        let name = PathBuf::from("standard input");
        match sys::standard_input() {
            Ok(file) => Self::new(name, file),
            Err(source) => Err(Error::Open { path: name, source }),
        }
    }

    /// An open file, which errors call `name`.
    ///
    /// # Errors
    ///
    /// [`Error::Terminal`]; [`Error::Query`] if the system reports nothing about it.
    pub fn new(name: impl Into<PathBuf>, file: File) -> Result<Self> {
        let name = name.into();
        if file.is_terminal() {
            return Err(Error::Terminal { path: name });
        }
        let status = sys::status(&file).map_err(|e| Error::query(&name, "read its metadata", e))?;
        let is_file = matches!(status.kind, FileKind::Regular | FileKind::BlockDevice);
        // A pipe has permissions as well, which restrict no user.
        let input = is_file.then(|| Input::of_status(name.clone(), &status));
        Ok(Self { name, file, input, at: 0 })
    }

    /// What errors call it.
    pub fn path(&self) -> &Path {
        &self.name
    }

    /// What an output must know of the file that it is; `None` of a pipe.
    pub fn input(&self) -> Option<&Input> {
        self.input.as_ref()
    }
}

impl Read for InputStream {
    /// # Errors
    ///
    /// [`Error::Read`] with the offset, within the error of the standard library: whatever passes that on need not know it.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(buf) {
                Ok(length) => {
                    self.at += length as u64;
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                // Whoever shares the pipe may have set it so.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
                Err(error) => return Err(io::Error::other(Error::read(&self.name, self.at, error))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_to_its_end_and_is_no_file() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"bytes").unwrap();
        drop(writer);
        let mut stream = InputStream::new("pipe", File::from(std::os::fd::OwnedFd::from(reader))).unwrap();
        assert!(stream.input().is_none());
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes.as_slice(), stream.at), (&b"bytes"[..], 5));
    }

    #[cfg(unix)]
    #[test]
    fn a_read_that_fails_is_named_with_its_offset() {
        let dir = tempfile::tempdir().unwrap();
        let mut stream = InputStream::new("folder", File::open(dir.path()).unwrap()).unwrap();
        let error = stream.read(&mut [0; 10]).unwrap_err().downcast::<Error>().unwrap();
        assert!(matches!(error, Error::Read { offset: 0, .. }), "{error}");
    }

    #[test]
    fn a_file_is_known_as_an_input() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk.raw");
        std::fs::write(&path, b"disk").unwrap();
        let stream = InputStream::new("standard input", File::open(&path).unwrap()).unwrap();
        let output = crate::OutputFile::create_from(
            &path,
            crate::Overwrite::Replace,
            &[stream.input().unwrap().clone()],
        );
        assert!(matches!(output, Err(Error::OutputIsInput { .. })));
    }
}
