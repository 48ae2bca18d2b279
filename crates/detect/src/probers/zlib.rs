//! zlib and lzma streams, whose headers are too short to be a proof: what follows has to expand.

use imsprep_ondisk::format::other::{LzmaHeader, is_zlib_header};
use imsprep_source::Result;

use super::other;
use crate::candidate::Candidate;
use crate::expand::{Codec, is_stream, look_inside};
use crate::input::{Input, Level};
use crate::{Fact, Inside};

/// The largest size of what is in an lzma file that is believed, as xz has it: 256 GiB.
const LZMA_SIZE_MAX: u64 = 1 << 38;

/// A zlib stream.
pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    if !input.head_array(0).is_some_and(is_zlib_header) {
        return Ok(None);
    }
    stream(input, "zlib", Codec::Zlib)
}

/// An lzma file.
pub(crate) fn probe_lzma(input: &Input<'_>) -> Result<Option<Candidate>> {
    let header = input.head_array(0).map(|bytes| LzmaHeader::decode(&bytes));
    let is_likely = header.is_some_and(|header| {
        header.properties < LzmaHeader::PROPERTIES_END
            && is_usual_dictionary(header.dictionary)
            // A size beside unusual properties is what a few small numbers look like, too.
            && (header.size == LzmaHeader::UNKNOWN
                || header.properties == LzmaHeader::USUAL && (1..=LZMA_SIZE_MAX).contains(&header.size))
            && header.first == 0
    });
    if is_likely { stream(input, "lzma", Codec::Lzma) } else { Ok(None) }
}

/// 2^n or 2^n + 2^(n-1) bytes, which is all that encoders write.
fn is_usual_dictionary(bytes: u32) -> bool {
    bytes >= 4096 && (bytes.is_power_of_two() || (bytes.is_multiple_of(3) && (bytes / 3).is_power_of_two()))
}

fn stream(input: &Input<'_>, name: &str, codec: Codec) -> Result<Option<Candidate>> {
    // A disk may begin with such bytes by chance.
    if other::shows_a_disk(input) || !is_stream(input, codec)? {
        return Ok(None);
    }
    let mut found = other::format(name).map(Candidate::new);
    if let Some(found) = &mut found
        && input.level() == Level::File
    {
        let (name, content) = look_inside(input, codec)?;
        found.facts.push(Fact::Inside(Inside { name, size: None, content }));
    }
    Ok(found)
}
