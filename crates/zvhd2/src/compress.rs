//! Compressing one block into a payload.

use zstd::zstd_safe::{self, CCtx, CParameter};

use crate::Error;

/// How hard zstd tries: from 1, fastest, to 22, smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(i32);

impl Level {
    /// The fastest.
    pub const MIN: Self = Self(1);
    /// What the reference uses.
    pub const REFERENCE: Self = Self(3);
    /// The smallest files, and by far the slowest.
    pub const MAX: Self = Self(22);

    /// `None` unless `level` is from 1 to 22.
    pub fn new(level: i32) -> Option<Self> {
        (Self::MIN.0..=Self::MAX.0).contains(&level).then_some(Self(level))
    }

    /// The level as zstd counts.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::REFERENCE
    }
}

/// The version of libzstd that compresses, such as 1.5.7: payloads differ from one to the next.
pub fn libzstd_version() -> &'static str {
    zstd_safe::version_string()
}

/// Compresses blocks as the reference does: one zstd frame each, with its content size, without checksum or dictionary.
/// Holds the compressor's memory, so use one for many blocks.
pub struct Compressor(CCtx<'static>);

impl Compressor {
    /// A compressor of this level.
    ///
    /// # Errors
    ///
    /// [`Error::Compress`] if there is no memory for it.
    pub fn new(level: Level) -> Result<Self, Error> {
        let mut context =
            CCtx::try_create().ok_or(Error::Compress { detail: "not enough memory for a context" })?;
        // All else is as zstd has it by default: content size yes, checksum no.
        context.set_parameter(CParameter::CompressionLevel(level.0)).map_err(error)?;
        Ok(Self(context))
    }

    /// Puts the compressed `block` in place of what `payload` holds.
    ///
    /// # Errors
    ///
    /// [`Error::Compress`] if there is no memory for it.
    pub fn compress(&mut self, block: &[u8], payload: &mut Vec<u8>) -> Result<(), Error> {
        payload.clear();
        payload.reserve(zstd_safe::compress_bound(block.len()));
        self.0.compress2(payload, block).map_err(error)?;
        Ok(())
    }
}

fn error(code: usize) -> Error {
    Error::Compress { detail: zstd_safe::get_error_name(code) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Expander, Method};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn what_is_compressed_expands_again(seed in prop::collection::vec(any::<u8>(), 1..70_000), level in 1..=22i32) {
            let block = seed.iter().copied().cycle().take(1 << 20).collect::<Vec<_>>();
            let mut payload = vec![1, 2, 3];
            Compressor::new(Level::new(level).unwrap()).unwrap().compress(&block, &mut payload).unwrap();
            let mut again = vec![0; block.len()];
            // No quirks: one frame, with its content size, without checksum or dictionary.
            prop_assert_eq!(Expander::new(Method::Zstd, block.len()).expand(&payload, &mut again), Ok(vec![]));
            prop_assert!(again == block);
        }
    }

    #[test]
    fn one_context_gives_what_a_fresh_call_gives() {
        let mut compressor = Compressor::new(Level::REFERENCE).unwrap();
        let mut payload = Vec::new();
        for step in [1usize, 7, 4096, 300_000] {
            let block = (0..2usize << 20).map(|i| u8::try_from(i / step % 256).unwrap()).collect::<Vec<_>>();
            compressor.compress(&block, &mut payload).unwrap();
            assert!(payload == zstd::bulk::compress(&block, 3).unwrap(), "{step}");
        }
    }

    #[test]
    fn levels_have_bounds() {
        assert_eq!(
            [-1, 0, 1, 3, 22, 23].map(|n| Level::new(n).is_some()),
            [false, false, true, true, true, false]
        );
        assert_eq!(Level::default().get(), 3);
    }
}
