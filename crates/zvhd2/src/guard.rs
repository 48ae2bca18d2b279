//! What shows that a payload is as it was written, where the record's end marker does not.

use crate::Method;

/// What stands guard over a payload that expands to one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// A checksum over all of the data, which was compared with it when it was expanded.
    Checksum,
    /// It is compressed throughout: other bytes in it hardly ever expand to one block.
    Coded,
    /// Part of the data stands in it as it is: altered bytes there are altered data, which cannot be detected.
    Plain,
}

/// The guard over a payload.
pub(crate) fn guard(method: Method, payload: &[u8]) -> Guard {
    match method {
        Method::Zstd => zstd_guard(payload).unwrap_or(Guard::Plain),
        Method::Zlib if may_be_stored(payload) => Guard::Plain,
        Method::Zlib => Guard::Coded,
    }
}

/// Walks over frames and blocks (RFC 8878, 3.1.1). `None` where it is no such thing.
fn zstd_guard(mut rest: &[u8]) -> Option<Guard> {
    const MAGIC: u32 = 0xfd2f_b528;
    const SKIPPABLE: u32 = 0x184d_2a50;
    let (mut all_summed, mut plain, mut frames) = (true, false, 0);
    while !rest.is_empty() {
        let magic = u32::from_le_bytes(take(&mut rest)?);
        if magic & !15 == SKIPPABLE {
            let length = u32::from_le_bytes(take(&mut rest)?);
            rest = rest.get(usize::try_from(length).ok()?..)?;
            continue;
        }
        if magic != MAGIC {
            return None;
        }
        frames += 1;
        let [descriptor] = take(&mut rest)?;
        let single = descriptor & 0x20 != 0;
        let window = usize::from(!single);
        let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied()?;
        let size = match descriptor >> 6 {
            0 => usize::from(single),
            flag => 1 << flag,
        };
        rest = rest.get(window + dictionary + size..)?;
        loop {
            let [a, b, c] = take(&mut rest)?;
            let header = u32::from_le_bytes([a, b, c, 0]);
            let length = usize::try_from(header >> 3).ok()?;
            match header >> 1 & 3 {
                0 => {
                    plain |= length != 0;
                    rest = rest.get(length..)?;
                }
                1 => rest = rest.get(1..)?,
                2 => rest = rest.get(length..)?,
                _ => return None,
            }
            if header & 1 != 0 {
                break;
            }
        }
        if descriptor & 4 == 0 {
            all_summed = false;
        } else {
            let _: [u8; 4] = take(&mut rest)?;
        }
    }
    Some(match (frames > 0 && all_summed, plain) {
        (true, _) => Guard::Checksum,
        (false, true) => Guard::Plain,
        (false, false) => Guard::Coded,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// Whether a deflate stream may have a stored block (RFC 1951, 3.2.4): a length that is not 0, and its complement. Where the
/// blocks begin is known only to who decodes them, so this is said of more streams than have one.
fn may_be_stored(payload: &[u8]) -> bool {
    payload.windows(4).zip(4_usize..).any(|(bytes, after)| {
        let [a, b, c, d] = bytes else { return false };
        let (length, complement) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
        length != 0 && length == !complement && usize::from(length) <= payload.len() - after
    })
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use imsprep_testdata::noise;
    use zstd::zstd_safe::CParameter;

    use super::*;

    #[test]
    fn what_cannot_be_compressed_is_plain_and_a_checksum_guards_it() {
        let zeros = vec![0; 2 << 20];
        let mut half = noise(1, 1 << 20);
        half.resize(2 << 20, 7);
        let text = b"a line of text, and another one\n".repeat(1 << 16);
        for (block, expected) in [
            (&zeros, Guard::Coded),
            (&noise(1, 2 << 20), Guard::Plain),
            (&half, Guard::Plain),
            (&text, Guard::Coded),
        ] {
            let plain = zstd::bulk::compress(block, 3).unwrap();
            assert_eq!(guard(Method::Zstd, &plain), expected);
            let mut summing = zstd::bulk::Compressor::new(3).unwrap();
            summing.set_parameter(CParameter::ChecksumFlag(true)).unwrap();
            let summed = summing.compress(block).unwrap();
            assert_eq!(guard(Method::Zstd, &summed), Guard::Checksum);
            // One of two frames alone has one.
            assert_ne!(guard(Method::Zstd, &[summed, plain].concat()), Guard::Checksum);
            let mut stream = Compress::new(Compression::new(1), true);
            let mut payload = Vec::with_capacity(3 << 20);
            stream.compress_vec(block, &mut payload, FlushCompress::Sync).unwrap();
            assert_eq!(guard(Method::Zlib, &payload), expected);
        }
    }

    #[test]
    fn bytes_that_are_no_frames_are_plain() {
        let frame = zstd::bulk::compress(&[9; 1000], 3).unwrap();
        for end in 1..frame.len() {
            assert_eq!(guard(Method::Zstd, &frame[..end]), Guard::Plain, "{end}");
        }
        assert_eq!(guard(Method::Zstd, b"no frame"), Guard::Plain);
    }
}
