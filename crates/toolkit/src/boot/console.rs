//! What a guest writes to its serial console.

use std::collections::VecDeque;

/// Lines that are kept.
const LINES: usize = 20;
/// Bytes of a line that are kept. A guest may write without ever ending one.
const LINE_MAX: usize = 4096;

/// The text of a console, without control sequences. Its memory is bounded, whatever the guest writes.
pub(super) struct Console {
    until: Vec<u8>,
    /// The last bytes, as many as the text has that is looked for.
    tail: VecDeque<u8>,
    lines: VecDeque<Vec<u8>>,
    line: Vec<u8>,
    state: State,
    found: bool,
}

/// Where in a control sequence the output is (ECMA-48).
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// After ESC.
    Escape,
    /// In a control sequence, until its final byte.
    Sequence,
    /// In a string for the terminal, until BEL or ESC.
    String,
}

impl Console {
    /// A console on which `until` is looked for.
    pub(super) fn new(until: &str) -> Self {
        Self {
            until: until.as_bytes().to_vec(),
            tail: VecDeque::new(),
            lines: VecDeque::new(),
            line: Vec::new(),
            state: State::Text,
            found: until.is_empty(),
        }
    }

    /// Takes more output; whether the text has appeared so far.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            self.state = match (self.state, *byte) {
                (State::Text, 0x1b) => State::Escape,
                (State::Text, byte) => {
                    self.put(byte);
                    State::Text
                }
                (State::Escape, b'[') => State::Sequence,
                (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::String,
                // A charset has one byte more.
                (State::Escape, b' '..=b'/') => State::Escape,
                (State::Sequence, 0x20..=0x3f) => State::Sequence,
                (State::String, 0x1b) => State::Escape,
                (State::String, byte) if byte != 0x07 => State::String,
                _ => State::Text,
            };
        }
        self.found
    }

    fn put(&mut self, byte: u8) {
        match byte {
            b'\r' => return,
            b'\n' => {
                self.lines.push_back(std::mem::take(&mut self.line));
                if self.lines.len() > LINES {
                    self.lines.pop_front();
                }
            }
            _ if self.line.len() < LINE_MAX => self.line.push(byte),
            _ => {}
        }
        if !self.found {
            self.tail.push_back(byte);
            if self.tail.len() > self.until.len() {
                self.tail.pop_front();
            }
            self.found = self.tail.iter().eq(&self.until);
        }
    }

    /// The last lines.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let all = self.lines.iter().chain((!self.line.is_empty()).then_some(&self.line));
        let lines = all.map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>();
        lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_found_across_reads_lines_and_colours() {
        let mut console = Console::new("debian login:");
        let output = b"\x1b[2J\x1b[0;32mok\x1b[m\r\n\x1b]0;title\x07deb\x1b[1mian\x1b[0m log\x1b(Bin: ";
        let found = output.iter().map(|byte| console.take(&[*byte])).collect::<Vec<_>>();
        assert_eq!(found.iter().position(|found| *found), Some(output.len() - 2));
        assert_eq!(console.last_lines(), ["ok", "debian login: "]);
        // What was found stays so.
        assert!(console.take(b"x"));
        assert!(!Console::new("a\nb").take(b"a b"));
        assert!(Console::new("a\nb").take(b"xa\r\nb"));
    }

    #[test]
    fn memory_is_bounded() {
        let mut console = Console::new("never");
        for _ in 0..100 {
            console.take(&[b'x'; 1 << 16]);
        }
        assert_eq!(console.last_lines(), ["x".repeat(LINE_MAX)]);
        console.take(&b"\ny".repeat(1000));
        assert_eq!(console.last_lines().len(), LINES);
    }
}
