//! Files that are only text.

use imsprep_source::Result;

use crate::input::Input;

/// Places at which a file is read that begins with text, evenly spread, the end included.
const SAMPLES: u64 = 64;
/// Bytes that are read there.
const SAMPLE: u64 = 4096;

/// Whether the file is only text: its first 72 KiB are, and so is every sample of the rest. A file of up to 328 KiB is
/// looked at whole. UTF-8, UTF-16 with a byte order mark, and encodings of one byte or more for a character are text.
pub(crate) fn is_only_text(input: &Input<'_>) -> Result<bool> {
    let encoding = Encoding::of(input.head());
    let (head, size) = (input.head().len() as u64, input.size());
    if !encoding.is_text(input.head()) {
        return Ok(false);
    }
    let rest = size.saturating_sub(head);
    for sample in 0..SAMPLES {
        let last = rest.saturating_sub(SAMPLE);
        // In a file that the samples cover they lie side by side, the last ones behind its end.
        let at = if rest <= SAMPLES * SAMPLE { sample * SAMPLE } else { last / (SAMPLES - 1) * sample };
        // Even, for UTF-16; the last one ends with the file.
        let at = if sample == SAMPLES - 1 && rest > SAMPLES * SAMPLE { last } else { at } & !1;
        if at < rest && !encoding.is_text(&input.read(head + at, SAMPLE)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// ASCII, or an encoding that has ASCII in it.
    Bytes,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            _ => Self::Bytes,
        }
    }

    /// Whether a stretch of a file is text. It may begin and end within a character.
    fn is_text(self, bytes: &[u8]) -> bool {
        match self {
            Self::Bytes => is_text(bytes),
            Self::Utf16Le => is_utf16(bytes, u16::from_le_bytes),
            Self::Utf16Be => is_utf16(bytes, u16::from_be_bytes),
        }
    }
}

/// Control characters that no text has. A tab, the ends of lines and pages, backspaces and escapes do occur.
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=7 | 14..=26 | 28..=31 | 127)
}

fn is_text(bytes: &[u8]) -> bool {
    if bytes.iter().any(|byte| is_binary(*byte)) {
        return false;
    }
    // The rest of a character that begins before.
    let start = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    let is_utf8 = match str::from_utf8(bytes.get(start..).unwrap_or_default()) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    // Older encodings, such as Latin-1: mostly ASCII. A pattern of some byte is none.
    let ascii = bytes.iter().filter(|byte| byte.is_ascii()).count();
    is_utf8 || ascii.saturating_mul(4) >= bytes.len().saturating_mul(3)
}

fn is_utf16(bytes: &[u8], decode: fn([u8; 2]) -> u16) -> bool {
    let units = bytes.as_chunks().0.iter().map(|unit| decode(*unit)).collect::<Vec<_>>();
    // Half of a character at either end.
    let units = match units.as_slice() {
        [0xdc00..=0xdfff, rest @ ..] => rest,
        all => all,
    };
    let units = match units {
        [rest @ .., 0xd800..=0xdbff] => rest,
        all => all,
    };
    char::decode_utf16(units.iter().copied())
        .all(|character| character.is_ok_and(|character| !u8::try_from(character).is_ok_and(is_binary)))
}

#[cfg(test)]
mod tests {
    use imsprep_source::MemoryImage;
    use proptest::prelude::*;

    use super::*;
    use crate::input::Level;

    fn only_text(bytes: Vec<u8>) -> bool {
        is_only_text(&Input::new(&MemoryImage::new("x", bytes), Level::File).unwrap()).unwrap()
    }

    #[test]
    fn what_is_text_by_itself() {
        let utf16 = |text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
            mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<_>>()
        };
        let long = "Grüße \u{1f600} und 漢字,\r\n".repeat(40_000);
        for (what, bytes) in [
            ("nothing but a line", b"a line\n".to_vec()),
            ("CRLF", b"<!DOCTYPE html>\r\n<html>\r\n".to_vec()),
            ("colours and pages", b"\x1b[1mbold\x1b[0m\x0c\x08".to_vec()),
            ("UTF-8", long.clone().into_bytes()),
            ("UTF-8 with a mark", format!("\u{feff}{long}").into_bytes()),
            ("UTF-16LE", utf16(&long, &[0xff, 0xfe], u16::to_le_bytes)),
            ("UTF-16BE", utf16(&long, &[0xfe, 0xff], u16::to_be_bytes)),
            ("Latin-1", b"Stra\xdfe nach K\xf6ln\n".repeat(100_000)),
        ] {
            assert!(only_text(bytes), "{what}");
        }
        for (what, bytes) in [
            ("a NUL", b"text\0".to_vec()),
            ("a control character", b"text\x01".to_vec()),
            ("a pattern", vec![0xa5; 1 << 20]),
            ("another", vec![7; 1 << 20]),
            ("erased flash", vec![0xff; 1 << 20]),
            ("UTF-16 without a mark", utf16("text", &[], u16::to_le_bytes)),
            ("zeros behind it", [b"text".repeat(1 << 18), vec![0; 1 << 18]].concat()),
            ("a byte order mark before a disk", [&[0xff, 0xfe][..], &[0; 4096]].concat()),
        ] {
            assert!(!only_text(bytes), "{what}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_text_wherever_it_is_cut(from in 0_usize..40, to in 0_usize..40) {
            let text = "naïve 漢字 \u{1f600}.".repeat(8);
            let middle = &text.as_bytes()[from..text.len() - to];
            prop_assert!(Encoding::Bytes.is_text(middle));
        }

        #[test]
        fn a_small_file_is_looked_at_whole(at in 0_usize..328 << 10, length in 300_usize << 10..=328 << 10) {
            let mut bytes = vec![b'x'; length];
            prop_assert!(only_text(bytes.clone()));
            if at < length {
                bytes[at] = 0;
                prop_assert!(!only_text(bytes));
            }
        }
    }
}
