//! The fast ways against lzma-rust2 on all of the file.

use imsprep_source::{MemoryImage, Result};
use liblzma::stream::{Action, Check, Stream};
use proptest::prelude::*;

use super::*;
use crate::{Unwrapped, Wrapper};

/// A stream of such blocks.
pub(super) fn stream(blocks: &[Vec<u8>], check: Check) -> Vec<u8> {
    let mut encoder = Stream::new_easy_encoder(0, check).unwrap();
    let mut packed = Vec::with_capacity(blocks.concat().len() * 2 + 4096);
    for block in blocks {
        let mut rest = &block[..];
        loop {
            let before = encoder.total_in();
            let status = encoder.process_vec(rest, &mut packed, Action::FullFlush).unwrap();
            rest = &rest[usize::try_from(encoder.total_in() - before).unwrap()..];
            if status == liblzma::stream::Status::StreamEnd {
                break;
            }
        }
    }
    while encoder.process_vec(&[], &mut packed, Action::Finish).unwrap() != liblzma::stream::Status::StreamEnd
    {
    }
    packed
}

/// All of it, or the error in words.
fn drain(mut stream: Unwrapped<'_>) -> std::result::Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    loop {
        let mut part = vec![0; 10_000];
        let filled = stream.fill(&mut part).map_err(|error| error.to_string())?;
        bytes.extend(&part[..filled]);
        if filled < part.len() {
            return Ok(bytes);
        }
    }
}

pub(super) fn write(folder: &std::path::Path, bytes: &[u8]) -> ImageFile {
    let path = folder.join("disk.raw.xz");
    std::fs::write(&path, bytes).unwrap();
    ImageFile::open(path).unwrap()
}

/// What lzma-rust2 makes of it.
fn naive(file: &ImageFile) -> std::result::Result<Vec<u8>, String> {
    let at = Arc::new(AtomicU64::new(0));
    let mut plain = XzStream::new(Slice::whole(file), None, Arc::clone(&at), None);
    plain.decoder = plain.plain().unwrap();
    drain(Unwrapped::over(&Slice::whole(file), Box::new(plain), at))
}

/// A file may be accepted or refused, but by all ways alike.
fn agree(bytes: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), bytes);
    let expected = naive(&file);
    for threads in [1, 2, 5] {
        let found = drain(Unwrapped::open_file(&file, Wrapper::Xz, threads, None).unwrap());
        assert!(found == expected, "{threads} threads: {found:?} is not {expected:?}");
    }
    expected
}

fn is_fast(file: &ImageFile, threads: usize) -> Result<bool> {
    let again = (threads > 1).then(|| file.reopen()).transpose()?;
    let for_threads = again.map(|again| (again, threads));
    let mut stream = XzStream::new(Slice::whole(file), for_threads, Arc::default(), None);
    io::copy(&mut stream, &mut io::sink()).unwrap();
    Ok(matches!(stream.decoder, Decoder::Fast(_)))
}

fn checks() -> impl Strategy<Value = Check> {
    prop_oneof![Just(Check::None), Just(Check::Crc32), Just(Check::Crc64), Just(Check::Sha256)]
}

/// Compressible, and not.
fn block() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..3000),
        prop::collection::vec(0u8..3, 1..40_000),
        (1usize..50_000).prop_map(|length| vec![0; length]),
    ]
}

/// What may be done to a file, at so many thousandths of it.
#[derive(Clone, Debug)]
enum Harm {
    Nothing,
    Alter { share: usize, bits: u8 },
    Cut { share: usize },
    Append(Vec<u8>),
    Remove { share: usize, length: usize },
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        Just(Harm::Nothing),
        (0usize..1000, 1u8..).prop_map(|(share, bits)| Harm::Alter { share, bits }),
        // Header, index and footer.
        (970usize..1000, 1u8..).prop_map(|(share, bits)| Harm::Alter { share, bits }),
        (0usize..1000).prop_map(|share| Harm::Cut { share }),
        prop::collection::vec(prop_oneof![3 => Just(0), 1 => any::<u8>()], 1..20).prop_map(Harm::Append),
        (0usize..1000, 1usize..40).prop_map(|(share, length)| Harm::Remove { share, length }),
    ]
}

fn harmed(mut file: Vec<u8>, harm: &Harm) -> Vec<u8> {
    let place = |share: &usize| file.len() * share / 1000;
    match harm {
        Harm::Nothing => {}
        Harm::Alter { share, bits } => {
            let at = place(share);
            file[at] ^= bits;
        }
        Harm::Cut { share } => file.truncate(place(share)),
        Harm::Append(bytes) => file.extend(bytes),
        Harm::Remove { share, length } => {
            let at = place(share);
            let end = file.len().min(at + length);
            file.drain(at..end);
        }
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn all_ways_give_the_same_bytes_and_the_same_errors(
        streams in prop::collection::vec((prop::collection::vec(block(), 0..7), checks(), 0usize..3), 1..3), harm in harm()
    ) {
        let padded = streams.iter().map(|(blocks, check, padding)| [stream(blocks, *check), vec![0; padding * 4]].concat());
        let result = agree(&harmed(padded.collect::<Vec<_>>().concat(), &harm));
        if matches!(harm, Harm::Nothing) {
            let content = streams.iter().flat_map(|(blocks, ..)| blocks.concat()).collect::<Vec<_>>();
            prop_assert!(result == Ok(content));
        }
    }
}

#[test]
fn a_sound_file_is_expanded_once_and_by_liblzma() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = (0..9_u8).map(|number| vec![number; 3 << 20]).collect::<Vec<_>>();
    let one = stream(&blocks, Check::Crc64);
    for bytes in [one.clone(), [&one[..], &[0; 8], &one].concat(), stream(&blocks[..1], Check::None)] {
        let file = write(folder.path(), &bytes);
        assert!(is_fast(&file, 1).unwrap() && is_fast(&file, 3).unwrap());
    }
}

#[test]
fn blocks_are_given_in_their_order_whoever_is_done_first() {
    let folder = tempfile::tempdir().unwrap();
    // The first ones take the longest.
    let blocks =
        (0..40_usize).map(|n| imsprep_testdata::noise(n as u64, (40 - n) * 40_000)).collect::<Vec<_>>();
    let file = write(folder.path(), &stream(&blocks, Check::Crc32));
    let mut stream = blocks::open(&Arc::new(file.reopen().unwrap()), 4).unwrap().unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes == blocks.concat());
    // And one who reads no further ends them all.
    let mut stream = blocks::open(&Arc::new(file), 4).unwrap().unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    drop(stream);
}

#[test]
fn what_waits_is_bounded_and_its_thread_goes_on_when_its_turn_comes() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = vec![vec![1; 52 << 20], vec![2; 60 << 20], vec![3; 5]];
    let file = write(folder.path(), &stream(&blocks, Check::None));
    let mut stream = blocks::open(&Arc::new(file), 3).unwrap().unwrap();
    let mut part = vec![0; 1 << 20];
    let mut counts = [0_u64; 4];
    loop {
        let length = stream.read(&mut part).unwrap();
        if length == 0 {
            break;
        }
        assert!(part[..length].iter().all(|byte| *byte == part[0]));
        counts[usize::from(part[0])] += length as u64;
        assert!(stream.waiting() <= 56 << 20);
    }
    assert_eq!(counts, [0, 52 << 20, 60 << 20, 5]);
}

#[test]
fn one_stream_alone_in_the_file_is_read_by_blocks() {
    let blocks = [vec![1; 5000], vec![2; 7000], vec![3; 11]];
    let one = stream(&blocks, Check::Crc64);
    let read = |bytes: &[u8]| index::read(&MemoryImage::new("x", bytes.to_vec())).unwrap();
    let found = read(&one).unwrap();
    assert_eq!(found.blocks.iter().map(|block| block.content).collect::<Vec<_>>(), [5000, 7000, 11]);
    for other in [
        [&one[..], &one].concat(),
        [&one[..], &[0; 4]].concat(),
        one[..one.len() - 1].to_vec(),
        one[4..].to_vec(),
        vec![],
        vec![0; 24],
    ] {
        assert_eq!(read(&other), None);
    }
    let last = found.blocks.last().unwrap();
    for at in usize::try_from(last.start + last.length()).unwrap()..one.len() {
        let mut altered = one.clone();
        altered[at] ^= 1;
        assert_eq!(read(&altered), None, "{at}");
    }
}
