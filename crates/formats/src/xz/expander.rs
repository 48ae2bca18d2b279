//! liblzma as a reader.

use std::io::{self, BufRead, Read};

use liblzma::stream::{Action, CONCATENATED, Error, Status, Stream, TELL_UNSUPPORTED_CHECK};

/// Expands what `packed` holds.
pub(super) struct Expander<R> {
    packed: R,
    stream: Stream,
    is_over: bool,
}

impl<R: BufRead> Expander<R> {
    /// All streams of a file, with their padding. `None` if there is no memory for it.
    pub(super) fn of_file(packed: R, memory: u64) -> Option<Self> {
        Self::new(packed, memory, CONCATENATED)
    }

    /// One stream, with which `packed` has to end.
    pub(super) fn of_stream(packed: R, memory: u64) -> Option<Self> {
        Self::new(packed, memory, 0)
    }

    fn new(packed: R, memory: u64, flags: u32) -> Option<Self> {
        // A check that liblzma does not know would be passed over.
        let stream = Stream::new_stream_decoder(memory, flags | TELL_UNSUPPORTED_CHECK).ok()?;
        Some(Self { packed, stream, is_over: false })
    }
}

impl<R: BufRead> Read for Expander<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() || self.is_over {
            return Ok(0);
        }
        loop {
            let packed = self.packed.fill_buf()?;
            let is_end = packed.is_empty();
            let action = if is_end { Action::Finish } else { Action::Run };
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let status = self.stream.process(packed, buf, action).map_err(error)?;
            let taken = usize::try_from(self.stream.total_in() - taken).unwrap_or(0);
            let filled = usize::try_from(self.stream.total_out() - given).unwrap_or(0);
            self.packed.consume(taken);
            match status {
                Status::StreamEnd => {
                    self.is_over = true;
                    if !self.packed.fill_buf()?.is_empty() {
                        return Err(error(Error::Format));
                    }
                    return Ok(filled);
                }
                _ if filled > 0 => return Ok(filled),
                Status::MemNeeded => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ if is_end && taken == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        }
    }
}

fn error(error: Error) -> io::Error {
    let kind = match error {
        Error::MemLimit | Error::Mem => io::ErrorKind::OutOfMemory,
        _ => io::ErrorKind::InvalidData,
    };
    io::Error::new(kind, error)
}

/// Bytes of memory that expanding takes of what begins like this is at most `memory`.
pub(super) fn fits(start: &[u8], memory: u64) -> bool {
    let mut nothing = [0];
    let Ok(mut stream) = Stream::new_stream_decoder(memory, 0) else { return false };
    !matches!(stream.process(start, &mut nothing, Action::Run), Err(Error::MemLimit | Error::Mem))
}
