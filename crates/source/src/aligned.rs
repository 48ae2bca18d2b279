//! Memory that direct reads can go into.

/// What offset, length and address of a direct read must be multiples of: a page, which every device's sector divides.
pub const DIRECT_ALIGN: usize = 4096;

/// A buffer that begins at a multiple of [`DIRECT_ALIGN`] in memory.
#[derive(Debug)]
pub struct AlignedBuffer {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl AlignedBuffer {
    /// A buffer of `length` zeros.
    pub fn zeroed(length: usize) -> Self {
        let memory = vec![0; length + DIRECT_ALIGN - 1];
        // The heap block never moves while the vector is neither grown nor shrunk.
        let start = memory.as_ptr().align_offset(DIRECT_ALIGN).min(DIRECT_ALIGN - 1);
        Self { memory, start, length }
    }

    /// Its bytes, to be filled.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.start..self.start + self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_where_it_should_and_is_as_long_as_asked_for() {
        for length in [0, 1, 4096, 2 << 20] {
            let mut buffer = AlignedBuffer::zeroed(length);
            assert_eq!(buffer.bytes_mut().len(), length);
            assert_eq!(buffer.bytes_mut().as_ptr() as usize % DIRECT_ALIGN, 0);
        }
    }
}
