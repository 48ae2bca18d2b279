//! A disk that comes as a stream, of which nothing can be read twice.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use imsprep_detect::{Detection, Format, detect_start};
use imsprep_findings::Finding;
use imsprep_formats::{Unwrapped, Wrapper};
use imsprep_rules::other_advice;
use imsprep_source::{Cancel, Error as SourceError, Input, InputStream};

use crate::published::Hashes;
use crate::wrapped::Blocks;
use crate::{Checksum, Error, Result};

/// Bytes of the start that show the format: what detection reads of the start of a file.
const START: u64 = 72 << 10;

/// A stream that was begun: a RAW, or a RAW that is compressed as a whole. What is known of it is what its first block of 2 MiB shows.
pub struct StreamSource {
    path: PathBuf,
    input: Option<Input>,
    detection: Detection,
    /// Taken by the conversion.
    blocks: Mutex<Option<Blocks<'static>>>,
    hashes: Arc<Mutex<Hashes>>,
}

impl StreamSource {
    /// Reads the start of a stream. All of its bytes are hashed for the checksums that are expected.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyStream`]; [`Error::Ambiguous`]; [`Error::NotFromStream`] and [`Error::NotConvertible`] of what is no RAW; what reading
    /// brings.
    pub(crate) fn begin(stream: InputStream, expected: &[Checksum]) -> Result<Self> {
        let (path, input) = (stream.path().to_owned(), stream.input().cloned());
        let hashes = Arc::new(Mutex::new(Hashes::of(expected)));
        let mut stream = Hashed { stream, hashes: Arc::clone(&hashes) };
        let mut start = Vec::new();
        (&mut stream).take(START).read_to_end(&mut start).map_err(|error| read_error(&path, error))?;
        if start.is_empty() {
            return Err(Error::EmptyStream { path });
        }
        let detection = detect_start(start.clone())?;
        let format = detection.format;
        if !detection.also.is_empty() {
            return Err(Error::Ambiguous { path, format });
        }
        let wrapper = match (format, Wrapper::of(format)) {
            (Format::Raw, _) => None,
            (_, Some(wrapper)) => Some(wrapper),
            (Format::Other(other), _) => {
                return Err(Error::NotConvertible { path, format, advice: other_advice(other).into() });
            }
            _ => return Err(Error::NotFromStream { path, format }),
        };
        let unwrapped = Unwrapped::of_stream(path.clone(), start, stream, wrapper)?;
        let blocks = Mutex::new(Some(Blocks::new(unwrapped, &path, format)));
        Ok(Self { path, input, detection, blocks, hashes })
    }

    /// What errors call it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its first bytes show. Its sizes are not known.
    pub fn detection(&self) -> &Detection {
        &self.detection
    }

    /// The file that it is, if it is one.
    pub(crate) fn input(&self) -> Option<&Input> {
        self.input.as_ref()
    }

    /// Refuses what its first block shows to be no RAW. Returns why a RAW is no disk, as far as that shows it.
    pub(crate) fn judge_first(&self, cancel: &Cancel) -> Result<Option<Finding>> {
        match &mut *self.blocks.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(blocks) => blocks.judge_first(cancel),
            None => Ok(None),
        }
    }

    /// Its blocks. They can be taken once.
    pub(crate) fn take_blocks(&self) -> Option<Blocks<'static>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Compares what was read, which is all of it, with the checksums that are expected.
    ///
    /// # Errors
    ///
    /// [`Error::WrongChecksum`].
    pub(crate) fn verify(&self, expected: &[Checksum]) -> Result<()> {
        let hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hashes.verify(&self.path, expected)
    }
}

impl fmt::Debug for StreamSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSource")
            .field("path", &self.path)
            .field("detection", &self.detection)
            .finish_non_exhaustive()
    }
}

/// A stream that is hashed as it is read.
struct Hashed {
    stream: InputStream,
    hashes: Arc<Mutex<Hashes>>,
}

impl Read for Hashed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buf)?;
        let bytes = buf.get(..length).unwrap_or_default();
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        Ok(length)
    }
}

/// A read that failed, as the stream reports it.
fn read_error(path: &Path, error: io::Error) -> Error {
    let error = error.downcast::<SourceError>();
    error.unwrap_or_else(|source| SourceError::Read { path: path.to_owned(), offset: 0, source }).into()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::File;
    use std::io::{PipeWriter, Write};
    use std::os::fd::OwnedFd;

    use imsprep_rules::{HUAWEI, Profile};
    use imsprep_source::Work;

    use super::*;
    use crate::{ConvertOptions, plan_stream};

    fn pipe() -> (InputStream, PipeWriter) {
        let (reader, writer) = io::pipe().unwrap();
        (InputStream::new("pipe", File::from(OwnedFd::from(reader))).unwrap(), writer)
    }

    /// Otherwise a slow source would show nothing for long.
    #[test]
    fn a_plan_needs_the_first_block_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (stream, mut writer) = pipe();
        let writing = std::thread::spawn(move || {
            writer.write_all(&vec![7; 2 << 20]).unwrap();
            // It stays open until the plan is made.
            writer
        });
        let options =
            ConvertOptions { output: Some(dir.path().join("out.raw")), ..ConvertOptions::default() };
        let cancel = Cancel::new();
        let plan = plan_stream(stream, options, Work::new(&(), &cancel)).unwrap();
        drop(writing.join().unwrap());
        assert!(plan.convert(Work::new(&(), &cancel)).unwrap().made.is_some());
        assert_eq!(dir.path().join("out.raw").metadata().unwrap().len(), 2 << 20);
    }

    #[test]
    fn a_disk_beyond_the_limit_is_left_and_leaves_nothing() {
        let small: &'static Profile = Box::leak(Box::new(Profile { max_disk: 4 << 20, ..HUAWEI.clone() }));
        let dir = tempfile::tempdir().unwrap();
        for name in ["out.raw", "out.zvhd2"] {
            let (stream, mut writer) = pipe();
            // Endless, until the reader goes.
            let writing = std::thread::spawn(move || while writer.write_all(&vec![7; 1 << 20]).is_ok() {});
            let options = ConvertOptions {
                output: Some(dir.path().join(name)),
                profile: small,
                ..ConvertOptions::default()
            };
            let cancel = Cancel::new();
            let plan = plan_stream(stream, options, Work::new(&(), &cancel)).unwrap();
            let error = plan.convert(Work::new(&(), &cancel)).unwrap_err();
            assert!(matches!(error, Error::StreamTooLarge { most: 0x40_0000, .. }), "{error}");
            assert_eq!(error.kind(), crate::ErrorKind::Unfit);
            writing.join().unwrap();
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
