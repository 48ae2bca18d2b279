//! Cutting what many processes wrote, one after the other, into documents.
//!
//! A document stands on one line, as `--format ndjson` prints it, or on several as `--json` does: then its first line is `{`, its
//! last `}`, and those between are indented. So each torn one ends where the next begins, whatever is missing of it: also where a
//! process was killed in the middle of a line and another went on behind it.

use std::io::{self, BufRead};

use memchr::{memchr, memmem};

/// Most bytes of a document that are kept. A line of `check` has some KiB; the most that one can have, with each rule broken a
/// hundred times, is below this.
pub(crate) const MAX_DOCUMENT: usize = 16 << 20;

/// How each document on one line begins, and no text within one can: there, quotes are escaped.
const START: &[u8] = b"{\"schema\":\"imsprep.";

/// Something between two documents, or one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// What may be a document; `line` is that of its first byte, from 1.
    Text { line: u64, text: Vec<u8> },
    /// Longer than any document: it was passed over.
    TooLong { line: u64 },
    /// One on several lines whose end is missing.
    Cut { line: u64 },
}

/// Documents in the order of the input.
pub(crate) struct Documents<R> {
    input: R,
    /// Lines that were read.
    lines: u64,
    /// A line that ended a document without being of it.
    held: Option<Line>,
}

/// One line, without its end.
enum Line {
    Text(Vec<u8>),
    TooLong,
}

impl<R: BufRead> Documents<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, lines: 0, held: None }
    }

    /// The next piece that is not blank, or `None` at the end.
    ///
    /// # Errors
    ///
    /// If the input can't be read.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let Some(line) = self.next_line()? else { return Ok(None) };
            let number = self.lines;
            match line {
                Line::TooLong => return Ok(Some(Piece::TooLong { line: number })),
                Line::Text(text) if text.is_empty() => {}
                Line::Text(text) if text == b"{" => return self.several_lines(number).map(Some),
                Line::Text(mut text) => {
                    if let Some(start) = start_within(&text) {
                        self.held = Some(Line::Text(text.split_off(start)));
                    }
                    return Ok(Some(Piece::Text { line: number, text }));
                }
            }
        }
    }

    /// The rest of a document whose first line is `{`.
    fn several_lines(&mut self, first: u64) -> io::Result<Piece> {
        let mut text = b"{".to_vec();
        // Of one that is too long nothing is kept, but its end must be found.
        let mut too_long = false;
        loop {
            let line = match self.next_line()? {
                None => return Ok(Piece::Cut { line: first }),
                Some(Line::TooLong) => {
                    too_long = true;
                    continue;
                }
                Some(Line::Text(line)) => line,
            };
            if let Some(start) = start_within(&line) {
                self.held = Some(Line::Text(line.get(start..).unwrap_or_default().to_vec()));
                return Ok(Piece::Cut { line: first });
            }
            let ends = line == b"}";
            if !ends && !line.is_empty() && !line.starts_with(b" ") && !line.starts_with(b"\t") {
                self.held = Some(Line::Text(line));
                return Ok(Piece::Cut { line: first });
            }
            too_long |= text.len() + line.len() >= MAX_DOCUMENT;
            if too_long {
                text = Vec::new();
            } else {
                text.push(b'\n');
                text.extend_from_slice(&line);
            }
            match (ends, too_long) {
                (true, true) => return Ok(Piece::TooLong { line: first }),
                (true, false) => return Ok(Piece::Text { line: first, text }),
                (false, _) => {}
            }
        }
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.held.take() {
            return Ok(Some(line));
        }
        let line = read_line(&mut self.input)?;
        if line.is_some() {
            self.lines += 1;
        }
        Ok(match line {
            // A mark that some editors and shells put at the start of a text.
            Some(Line::Text(text)) if self.lines == 1 => {
                Some(Line::Text(text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text).to_vec()))
            }
            other => other,
        })
    }
}

/// Where the next document begins on a line, behind its first byte.
fn start_within(line: &[u8]) -> Option<usize> {
    memmem::find(line.get(1..)?, START).map(|place| place + 1)
}

/// Reads up to a line feed or the end; blanks at the line's end are left out, a carriage return among them.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let (mut text, mut any, mut too_long) = (Vec::new(), false, false);
    loop {
        let bytes = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if bytes.is_empty() {
            break;
        }
        any = true;
        let (part, used, ended) = match memchr(b'\n', bytes) {
            Some(end) => (bytes.get(..end).unwrap_or_default(), end + 1, true),
            None => (bytes, bytes.len(), false),
        };
        if text.len() + part.len() > MAX_DOCUMENT {
            (text, too_long) = (Vec::new(), true);
        }
        if !too_long {
            text.extend_from_slice(part);
        }
        input.consume(used);
        if ended {
            break;
        }
    }
    text.truncate(text.trim_ascii_end().len());
    Ok(match (any, too_long) {
        (false, _) => None,
        (true, true) => Some(Line::TooLong),
        (true, false) => Some(Line::Text(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(input: &[u8]) -> Vec<Piece> {
        let mut documents = Documents::new(input);
        std::iter::from_fn(|| documents.next().unwrap()).collect()
    }

    fn text(line: u64, text: &str) -> Piece {
        Piece::Text { line, text: text.into() }
    }

    #[test]
    fn lines_are_documents_whatever_ends_them() {
        assert_eq!(pieces(b""), []);
        assert_eq!(pieces(b"\n  \r\n\t\n"), []);
        let expected = [text(1, "{\"a\":1}"), text(3, "{}"), text(4, "x")];
        assert_eq!(pieces(b"{\"a\":1}\r\n\n{} \nx"), expected);
        assert_eq!(pieces(b"\xef\xbb\xbf{}\n"), [text(1, "{}")]);
    }

    #[test]
    fn documents_on_several_lines_end_where_the_next_begins() {
        let whole = "{\n  \"a\": [\n    1\n  ]\n}";
        assert_eq!(pieces(format!("{whole}\n{whole}").as_bytes()), [text(1, whole), text(6, whole)]);
        assert_eq!(pieces(whole.replace('\n', "\r\n").as_bytes()), [text(1, whole)]);
        for next in ["{\"b\":2}", "} x", "what"] {
            let torn = format!("{{\n  \"a\": [\n{next}\n{whole}\n");
            assert_eq!(pieces(torn.as_bytes()), [Piece::Cut { line: 1 }, text(3, next), text(4, whole)]);
        }
        assert_eq!(
            pieces(format!("{{\n  \"a\"\n{whole}").as_bytes()),
            [Piece::Cut { line: 1 }, text(3, whole)]
        );
        assert_eq!(pieces(b"{\n  \"a\": 1\n"), [Piece::Cut { line: 1 }]);
        assert_eq!(pieces(b"{"), [Piece::Cut { line: 1 }]);
    }

    #[test]
    fn a_document_begins_behind_a_torn_one_on_the_same_line() {
        let start = String::from_utf8_lossy(START);
        let (one, two) = (format!("{start}check\",1}}"), format!("{start}check\",2}}"));
        let torn = &one[..25];
        let joined = format!("{torn}{one}{two}\n{two}\n");
        assert_eq!(pieces(joined.as_bytes()), [text(1, torn), text(1, &one), text(1, &two), text(2, &two)]);
        let joined = format!("{{\n  \"a\": \"{one}\n{two}\n");
        assert_eq!(pieces(joined.as_bytes()), [Piece::Cut { line: 1 }, text(2, &one), text(3, &two)]);
        // A file may bear such a name.
        let name = serde_json::to_string(&format!("{one}.raw")).unwrap();
        assert_eq!(pieces(name.as_bytes()), [text(1, &name)]);
    }

    #[test]
    fn what_is_longer_than_any_document_is_passed_over() {
        let most = "x".repeat(MAX_DOCUMENT);
        assert_eq!(pieces(format!("{most}\n{{}}\n").as_bytes()), [text(1, &most), text(2, "{}")]);
        assert_eq!(
            pieces(format!("{most}x\n{{}}\n").as_bytes()),
            [Piece::TooLong { line: 1 }, text(2, "{}")]
        );
        let wide = format!("{{\n  {most}x\n}}\n{{}}\n");
        assert_eq!(pieces(wide.as_bytes()), [Piece::TooLong { line: 1 }, text(4, "{}")]);
        let high = format!("{{\n{}}}\n{{}}\n", format!("  {}\n", "x".repeat(1 << 20)).repeat(17));
        assert_eq!(pieces(high.as_bytes()), [Piece::TooLong { line: 1 }, text(20, "{}")]);
    }
}
