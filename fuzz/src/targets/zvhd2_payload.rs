//! Input: a choice of method, block size and form, then a payload, or, by the form, a block that is compressed and of which one
//! byte is altered.
//!
//! Oracle: the twin that expands through a stream, of zlib byte by byte: both take and refuse the same payloads, and where
//! both take one it holds the same. Nothing is written beyond the block.

use std::io::Read;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use imsprep_zvhd2::{ExpandError, Expander, Method};

use crate::plant::planted;
use crate::random::noise;

/// Small blocks, so that payloads are.
const SIZES: [usize; 4] = [64, 512, 4096, 65536];
/// What lies behind the block.
const SENTINEL: [u8; 32] = [0xc3; 32];

/// See the module.
pub fn run(data: &[u8]) {
    let Some(([choice, at, change], rest)) = data.split_first_chunk() else { return };
    let method = if choice & 1 == 0 { Method::Zstd } else { Method::Zlib };
    let size = SIZES[usize::from(choice >> 1 & 3)];
    let payload = match choice >> 3 & 1 {
        0 => rest.to_vec(),
        _ => altered(method, size, rest, (usize::from(*at), *change)),
    };
    let mut block = vec![0xee; size];
    block.extend(SENTINEL);
    let mut expander = Expander::new(method, size);
    let found = expander.expand(&payload, &mut block).map(|_| block[..size].to_vec());
    assert_eq!(block[size..], SENTINEL, "bytes behind the block");
    // A failure leaves nothing behind.
    let again = expander.expand(&payload, &mut block).map(|_| block[..size].to_vec());
    assert_eq!(found, again, "the second time");
    let found = planted(found, |found| {
        // Too short is long enough.
        if let Err(ExpandError::Short { .. }) = found {
            *found = Ok(vec![0; size]);
        }
    });
    match method {
        Method::Zlib => {
            assert_eq!(found.as_ref().ok(), naive_zlib(&payload, size).as_ref().ok(), "{found:?}")
        }
        Method::Zstd => compare_zstd(&payload, size, &found),
    }
}

/// A payload of a block made of the input, with one byte changed, or none.
fn altered(method: Method, size: usize, pattern: &[u8], (at, change): (usize, u8)) -> Vec<u8> {
    let block =
        if pattern.is_empty() { vec![1; size] } else { pattern.iter().copied().cycle().take(size).collect() };
    let mut payload = match method {
        Method::Zstd => zstd::bulk::compress(&block, 1).expect("a compressor"),
        Method::Zlib => {
            let mut stream = Compress::new(Compression::new(1), true);
            let mut out = Vec::with_capacity(size * 2 + 1024);
            stream.compress_vec(&block, &mut out, FlushCompress::Sync).expect("room enough");
            out
        }
    };
    let place = at % payload.len();
    payload[place] ^= change;
    payload
}

/// One byte in, one byte out. A stream that comes to its end is refused, as the reference refuses it.
fn naive_zlib(payload: &[u8], size: usize) -> Result<Vec<u8>, ()> {
    let mut stream = Decompress::new(true);
    let mut block = Vec::new();
    for byte in payload {
        let mut input = &[*byte][..];
        loop {
            let (before_in, before_out) = (stream.total_in(), stream.total_out());
            let mut output = [0];
            let status = stream.decompress(input, &mut output, FlushDecompress::None).map_err(|_| ())?;
            if status == Status::StreamEnd {
                return Err(());
            }
            if stream.total_out() > before_out {
                block.push(output[0]);
            }
            if stream.total_in() > before_in {
                input = &[];
            }
            if (stream.total_in(), stream.total_out()) == (before_in, before_out) {
                break;
            }
            if block.len() > size {
                return Err(());
            }
        }
        if !input.is_empty() {
            return Err(());
        }
    }
    if block.len() == size { Ok(block) } else { Err(()) }
}

fn compare_zstd(payload: &[u8], size: usize, found: &Result<Vec<u8>, ExpandError>) {
    let mut decoder = zstd::stream::read::Decoder::new(payload).expect("a decoder");
    // What wants a larger window than any block is needs memory, and is left to the one that needs none.
    decoder.window_log_max(20).expect("a window");
    let mut block = Vec::new();
    match decoder.take(size as u64 + 1).read_to_end(&mut block) {
        Ok(_) if block.len() == size => assert_eq!(found.as_ref().ok(), Some(&block), "{found:?}"),
        Ok(_) => assert!(found.is_err(), "the stream holds {} bytes or more, not {size}", block.len()),
        Err(error) if error.to_string().contains("memory") => {}
        // The end of what was requested may come before the fault.
        Err(error) => assert!(found.is_err(), "{error}"),
    }
}

/// Payloads of each method, of the right size and not.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for choice in 0..16_u8 {
        let method = if choice & 1 == 0 { Method::Zstd } else { Method::Zlib };
        let size = SIZES[usize::from(choice >> 1 & 3)];
        seeds.push([vec![choice, 0, 0], altered(method, size, b"what is in it", (0, 0))].concat());
        seeds.push([vec![choice, 0, 0], altered(method, size / 2, b"what is in it", (0, 0))].concat());
        seeds.push([vec![choice | 8, 9, 1], noise(u64::from(choice), 40)].concat());
    }
    seeds
}
