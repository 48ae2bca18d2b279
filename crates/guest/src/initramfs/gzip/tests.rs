use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// Numbers that look random, the same each time.
fn numbers() -> impl FnMut() -> u64 {
    let mut state = 1_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    }
}

/// Words, old and new ones, with zeros and bytes that can't be compressed between them.
fn mixed(size: usize) -> Vec<u8> {
    let mut number = numbers();
    let word = |number: &mut dyn FnMut() -> u64| -> Vec<u8> {
        (0..3 + number() % 9).map(|_| b'a' + (number() % 26) as u8).collect()
    };
    let mut words: Vec<Vec<u8>> = (0..500).map(|_| word(&mut number)).collect();
    let mut bytes = Vec::new();
    while bytes.len() < size {
        match number() % 200 {
            0 => bytes.resize(bytes.len() + (number() % 5000) as usize, 0),
            1 => bytes.extend((0..number() % 3000).map(|_| number().to_le_bytes()[0])),
            2..20 => words[(number() % 500) as usize] = word(&mut number),
            _ => bytes.extend(&words[(number() % 500) as usize]),
        }
    }
    bytes
}

/// A part that does not repeat within a match's reach, again and again: no byte is ever known without the first ones.
fn repeated(size: usize) -> Vec<u8> {
    let part = mixed(30_000);
    part.iter().copied().cycle().take(size).collect()
}

fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What one of the two ways expands, the error of it, and where the cursor is then.
#[derive(Debug, PartialEq)]
struct Outcome {
    bytes: Vec<u8>,
    error: Option<String>,
    position: u64,
}

fn read(stream: &mut dyn Read) -> (Vec<u8>, Option<String>) {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).err().map(|error| error.to_string());
    (bytes, error)
}

fn by_one(file: &[u8]) -> Outcome {
    let file = file.to_vec();
    let mut cursor = Cursor::new(&file);
    let (bytes, error) = read(&mut GzDecoder::new(&mut cursor));
    Outcome { bytes, error, position: cursor.position() }
}

/// The same by two.
fn by_two(file: &[u8], round: usize) -> Outcome {
    let file = file.to_vec();
    let mut cursor = Cursor::new(&file);
    let (bytes, error) = read(&mut Expander::new(&mut cursor, Helper::start().unwrap(), round));
    Outcome { bytes, error, position: cursor.position() }
}

#[test]
fn two_threads_expand_what_one_does() {
    let bytes = mixed(6 << 20);
    for level in [1, 6, 9] {
        let mut file = gzip(&bytes, level);
        // Whatever follows the stream is left.
        file.resize(file.len() + 1000, 0);
        let one = by_one(&file);
        assert!(one.bytes == bytes && one.error.is_none());
        for round in [256 << 10, 1 << 20] {
            let two = by_two(&file, round);
            assert!(two == one, "{level} {round} {:?}", two.error);
        }
    }
}

#[test]
fn a_guess_becomes_what_the_stream_expands_to() {
    let bytes = mixed(6 << 20);
    let file = gzip(&bytes, 6);
    let stream = &file[HEADER..][..1 << 20];
    let mut begin = 0;
    let guess = Guess::make(stream, Output::default(), |bit| begin = bit).unwrap();
    assert!(begin / 8 >= first_part(stream.len()));
    let mut decoder = Decompress::new(false);
    let (mut taken, mut output) = (0, vec![0; bytes.len()]);
    let (count, _) = expand(&mut decoder, &stream[..begin / 8], &mut taken, &mut output).unwrap();
    output.truncate(count);
    output.extend(leave(&mut decoder, stream, begin).unwrap());
    let (more, mut decoder) = guess.resolve(&output[output.len() - WINDOW..]).unwrap();
    assert!(more.bytes().len() > 256 << 10);
    output.extend(more.bytes());
    // And its decoder goes on from there.
    let mut taken = HEADER + stream.len();
    let mut rest = vec![0; bytes.len() - output.len()];
    assert!(
        matches!(expand(&mut decoder, &file, &mut taken, &mut rest), Some((count, _)) if count == rest.len())
    );
    output.extend(rest);
    assert!(output == bytes);
}

#[test]
fn a_guess_that_does_not_hold_is_not_taken() {
    // Copies of copies without end; and a stream within stored blocks, whose blocks begin as well as those of a real one.
    let inner = gzip(&mixed(6 << 20), 6);
    for (bytes, level, round) in [(repeated(6 << 20), 9, 2 << 10), (inner, 0, 256 << 10)] {
        let file = gzip(&bytes, level);
        let two = by_two(&file, round);
        assert!(two == by_one(&file), "{:?}", two.error);
    }
}

#[test]
fn damage_is_told_as_by_one_thread() {
    let good = gzip(&mixed(2 << 20), 6);
    let mut number = numbers();
    for case in 0..60 {
        let mut file = good.clone();
        let at = match case {
            // The header has no field that is checked.
            0..8 => file.len() - 1 - case,
            _ => usize::try_from(number()).unwrap() % (file.len() - 10) + 10,
        };
        if case % 3 == 2 {
            file.truncate(at)
        } else {
            file[at] ^= 1 << (case % 8)
        };
        let one = by_one(&file);
        let two = by_two(&file, 128 << 10);
        assert!(one.error.is_some());
        assert_eq!(one.error, two.error, "{case} {at}");
        // The one that notices it in a shorter piece hands over more before it.
        let both = one.bytes.len().min(two.bytes.len());
        assert!(one.bytes[..both] == two.bytes[..both], "{case} {at}");
    }
}

#[test]
fn a_block_is_left_only_where_it_ends() {
    let file = gzip(&mixed(2 << 20), 6);
    let bytes = &file[HEADER..];
    let mut begin = 0;
    assert!(Guess::make(bytes, Output::default(), |bit| begin = bit).is_none(), "the stream ends");
    let left_at = |bit: usize| {
        let mut decoder = Decompress::new(false);
        let (mut taken, mut output) = (0, vec![0; 4 << 20]);
        expand(&mut decoder, &bytes[..bit / 8], &mut taken, &mut output).unwrap();
        leave(&mut decoder, bytes, bit)
    };
    assert!(left_at(begin).is_some());
    assert!((1..2000).all(|more| left_at(begin + more).is_none()));
    // In a last block of stored bytes, the ones that are to be told apart are content.
    let mut stored = vec![1, 255, 255, 0, 0];
    stored.resize(5 + 65_535, 7);
    for room in 0..60 {
        let mut decoder = Decompress::new(false);
        let (mut taken, mut output) = (0, vec![0; 1 << 17]);
        expand(&mut decoder, &stored[..stored.len() - room], &mut taken, &mut output).unwrap();
        let bytes = [7; 9];
        assert!(leave(&mut decoder, &bytes, 64).is_none(), "{room}");
    }
}
