//! The layout `ranges`: text that says from which to which block there is data.

use std::fmt::Write as _;

use imsprep_source::{BlockMap, BlockSize};

use crate::error::{CannotEncode, LONGEST, NotThisLayout, zeroed};

/// The first line of each such file.
const FIRST_LINE: &str = "# imsprep bitmap ranges 1";
const NOTE: &str = "# Blocks that hold data, counted from 0, as first-last. Every other block is zero.";

/// Whether bytes begin as a file of this layout.
pub(crate) fn begins_so(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').next() == Some(FIRST_LINE.as_bytes())
}

pub(crate) fn encode(map: &BlockMap) -> Result<Vec<u8>, CannotEncode> {
    let mut text = format!(
        "{FIRST_LINE}\n{NOTE}\nimage-size {}\nblock-size {}\ndata-blocks {}\n",
        map.image_size(),
        map.block_size(),
        map.data_count()
    );
    for run in map.runs().filter(|run| run.data) {
        let _ = writeln!(text, "{}-{}", run.first, run.first + (run.count - 1));
        if text.len() as u64 > LONGEST {
            return Err(CannotEncode::TooLong);
        }
    }
    Ok(text.into_bytes())
}

/// The map in a file, which has to be as [`encode`] writes it: the same runs, ascending, neither touching nor overlapping.
pub(crate) fn decode(bytes: &[u8]) -> Result<BlockMap, NotThisLayout> {
    if !begins_so(bytes) {
        return Err(NotThisLayout::NotSuchText);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| NotThisLayout::Fault {
        what: format!("not UTF-8 text, from byte {} on", e.valid_up_to()),
    })?;
    if !text.ends_with('\n') {
        return Err(NotThisLayout::Fault { what: "its last line is truncated".into() });
    }
    let mut lines = (1u64..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#'));
    let (_, image_size) = header_line(&mut lines, "image-size")?;
    let (number, block_size) = header_line(&mut lines, "block-size")?;
    let (_, data_blocks) = header_line(&mut lines, "data-blocks")?;
    let block_size = BlockSize::new(block_size)
        .ok_or_else(|| fault(number, "a block size is a power of two from 512 to 67108864"))?;
    let mut map = zeroed(image_size, block_size)?;
    let mut free_from = 0;
    for (number, line) in lines {
        let (first, last) = run_of(line).ok_or_else(|| fault(number, "expected first-last"))?;
        if first > last || last >= map.block_count() {
            return Err(fault(
                number,
                &format!("the blocks are 0 to {}", map.block_count().saturating_sub(1)),
            ));
        }
        if first < free_from {
            return Err(fault(number, "runs must ascend, with a gap between two runs"));
        }
        map.set_run(first, last - first + 1, true);
        free_from = last + 2;
    }
    if map.data_count() != data_blocks {
        let what = format!("it declares {data_blocks} data blocks and lists {}", map.data_count());
        return Err(NotThisLayout::Fault { what });
    }
    Ok(map)
}

/// The next line, which is a word and a number; with its number.
fn header_line<'a>(
    lines: &mut impl Iterator<Item = (u64, &'a str)>,
    word: &str,
) -> Result<(u64, u64), NotThisLayout> {
    let (number, line) = lines
        .next()
        .ok_or_else(|| NotThisLayout::Fault { what: format!("it ends before the line {word}") })?;
    let value = line.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).and_then(whole_number);
    value.map(|value| (number, value)).ok_or_else(|| fault(number, &format!("expected {word} and a number")))
}

/// First and last of `3-7`.
fn run_of(line: &str) -> Option<(u64, u64)> {
    let (first, last) = line.split_once('-')?;
    Some((whole_number(first)?, whole_number(last)?))
}

/// Digits alone: no sign, no spaces, no zeros before them.
fn whole_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if digits { text.parse().ok() } else { None }
}

fn fault(line: u64, what: &str) -> NotThisLayout {
    NotThisLayout::Fault { what: format!("line {line}: {what}") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn map_of(data: &[bool], short: u64) -> BlockMap {
        let size = (data.len() as u64 * 2048).saturating_sub(short);
        let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::new(2048).unwrap()).unwrap();
        data.iter().zip(0..).for_each(|(data, block)| map.set(block, *data));
        map
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(data in prop::collection::vec(any::<bool>(), 0..100), short in 0u64..512) {
            let map = map_of(&data, short);
            prop_assert_eq!(decode(&encode(&map).unwrap()), Ok(map));
        }

        #[test]
        fn bytes_from_anywhere_are_read_or_refused(rest in "[-0-9a-z \n#]{0,200}") {
            let text = format!("{FIRST_LINE}\nimage-size 99999\nblock-size 512\n{rest}\n");
            if let Ok(map) = decode(text.as_bytes()) {
                let again = encode(&map).unwrap();
                prop_assert_eq!(decode(&again), Ok(map));
            }
        }
    }

    #[test]
    fn each_fault_is_named_with_its_line() {
        let head = format!("{FIRST_LINE}\nimage-size 20480\nblock-size 2048\ndata-blocks ");
        for (rest, word) in [
            ("2\n0-1\n", ""),
            ("2\n0-1", "truncated"),
            ("2\n0-1\n2-2\n", "line 6: runs must ascend"),
            ("2\n1-1\n0-0\n", "line 6: runs must ascend"),
            ("1\n10-10\n", "line 5: the blocks are 0 to 9"),
            ("1\n2-1\n", "line 5: the blocks are"),
            ("3\n0-1\n", "declares 3 data blocks and lists 2"),
            ("1\n+1-1\n", "line 5: expected first-last"),
            ("1\n01-1\n", "line 5: expected first-last"),
            ("1\n5\n", "line 5: expected first-last"),
            ("x\n", "line 4: expected data-blocks and a number"),
            ("99999999999999999999\n", "line 4: expected data-blocks"),
        ] {
            let result = decode(format!("{head}{rest}").as_bytes());
            match result {
                Ok(_) => assert_eq!(word, "", "{rest:?}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(!word.is_empty() && error.contains(word), "{rest:?}: {error}");
                }
            }
        }
        assert_eq!(decode(b"0-1\n"), Err(NotThisLayout::NotSuchText));
        let of = |size: u64, block: u64| {
            let text = format!("{FIRST_LINE}\nimage-size {size}\nblock-size {block}\ndata-blocks 0\n");
            decode(text.as_bytes())
        };
        for (size, block) in [(u64::MAX, 512), (1 << 53, 2 << 20), ((1 << 40) + 1, 4096)] {
            assert_eq!(of(size, block), Err(NotThisLayout::TooManyBlocks { image_size: size }));
        }
        assert_eq!(of(1 << 40, 4096).map(|map| map.block_count()), Ok(1 << 28));
    }
}
