//! GRUB's command `test`, also written `[`.

/// What is known of a file that a test asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    Absent,
    Directory,
    /// A file of this many bytes.
    File(u64),
    Unknown,
}

/// A word of a test: its text, and whether that is known.
pub(super) type Operand = (String, bool);

/// How deep brackets and negations lie in each other at most.
const DEPTH_MAX: usize = 16;

/// The outcome of a test; `None` if it is not known.
pub(super) fn evaluate(words: &[Operand], file: &mut dyn FnMut(&str) -> FileState) -> Option<bool> {
    let mut test = Test { words, file };
    let outcome = test.any_of(DEPTH_MAX)?;
    test.words.is_empty().then_some(outcome)?
}

struct Test<'a> {
    words: &'a [Operand],
    file: &'a mut dyn FnMut(&str) -> FileState,
}

impl Test<'_> {
    /// Terms with `-o` between them. The outer `None` means that it is no test.
    fn any_of(&mut self, depth: usize) -> Option<Option<bool>> {
        let mut outcome = self.all_of(depth)?;
        while self.takes("-o") {
            let next = self.all_of(depth)?;
            outcome = match (outcome, next) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        Some(outcome)
    }

    /// Terms with `-a` between them.
    fn all_of(&mut self, depth: usize) -> Option<Option<bool>> {
        let mut outcome = self.term(depth)?;
        while self.takes("-a") {
            let next = self.term(depth)?;
            outcome = match (outcome, next) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        Some(outcome)
    }

    fn term(&mut self, depth: usize) -> Option<Option<bool>> {
        if depth == 0 {
            return None;
        }
        if let [left, (operator, true), right, ..] = self.words
            && let Some(outcome) = compare(left, operator, right)
        {
            self.words = self.words.get(3..).unwrap_or_default();
            return Some(outcome);
        }
        if let [(operator, true), operand, ..] = self.words
            && let Some(outcome) = self.unary(operator, operand)
        {
            self.words = self.words.get(2..).unwrap_or_default();
            return Some(outcome);
        }
        if self.words.len() > 1 && self.takes("!") {
            return Some(self.term(depth - 1)?.map(|outcome| !outcome));
        }
        if self.takes("(") {
            let outcome = self.any_of(depth - 1)?;
            return self.takes(")").then_some(outcome);
        }
        // A single word holds if it is not empty; no word at all does not.
        Some(match self.words.split_first() {
            Some(((text, known), rest)) => {
                self.words = rest;
                known.then_some(!text.is_empty())
            }
            None => Some(false),
        })
    }

    fn unary(&mut self, operator: &str, (operand, known): &Operand) -> Option<Option<bool>> {
        let empty = |expected: bool| Some(known.then_some(operand.is_empty() == expected));
        match operator {
            "-z" => return empty(true),
            "-n" => return empty(false),
            "-d" | "-e" | "-f" | "-s" => {}
            _ => return None,
        }
        if !known {
            return Some(None);
        }
        Some(match ((self.file)(operand), operator) {
            (FileState::Unknown, _) => None,
            (FileState::Absent, _) => Some(false),
            (_, "-e") => Some(true),
            (FileState::Directory, operator) => Some(operator == "-d"),
            (FileState::File(size), "-s") => Some(size > 0),
            (FileState::File(_), operator) => Some(operator == "-f"),
        })
    }

    fn takes(&mut self, expected: &str) -> bool {
        match self.words.split_first() {
            Some(((word, true), rest)) if word == expected => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

/// The outcome of a comparison; the outer `None` if it is none.
fn compare(
    (left, left_known): &Operand,
    operator: &str,
    (right, right_known): &Operand,
) -> Option<Option<bool>> {
    let number = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
    let outcome = match operator {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-eq" => number(left) == number(right),
        "-ne" => number(left) != number(right),
        "-gt" => number(left) > number(right),
        "-ge" => number(left) >= number(right),
        "-lt" => number(left) < number(right),
        "-le" => number(left) <= number(right),
        _ => return None,
    };
    Some((*left_known && *right_known).then_some(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(text: &str) -> Option<bool> {
        let words = text.split(' ').map(|word| match word {
            "''" => (String::new(), true),
            "?" => ("?".into(), false),
            word => (word.to_owned(), true),
        });
        evaluate(&words.collect::<Vec<_>>(), &mut |path| match path {
            "/file" => FileState::File(3),
            "/empty" => FileState::File(0),
            "/dir" => FileState::Directory,
            "/what" => FileState::Unknown,
            _ => FileState::Absent,
        })
    }

    #[test]
    fn tests_hold_or_not_or_are_not_known() {
        for (text, expected) in [
            ("a = a", Some(true)),
            ("a != a", Some(false)),
            ("-s /file", Some(true)),
            ("-s /empty", Some(false)),
            ("-f /dir", Some(false)),
            ("-d /dir", Some(true)),
            ("-e /none", Some(false)),
            ("-f /what", None),
            ("-z ''", Some(true)),
            ("-n ?", None),
            ("''", Some(false)),
            ("x", Some(true)),
            ("! x", Some(false)),
            ("a = b -o -s /file", Some(true)),
            ("a = a -a ? = a", None),
            ("a = b -a ? = a", Some(false)),
            ("( a = b -o a = a ) -a 2 -gt 1", Some(true)),
            ("a b c d", None),
            ("( a", None),
        ] {
            assert_eq!(test(text), expected, "{text}");
        }
        assert_eq!(evaluate(&[], &mut |_| FileState::Unknown), Some(false));
        assert_eq!(test(&"! ".repeat(100)), None);
    }
}
