//! YAML of netplan and cloud-init as a bounded tree. Parsing is saphyr-parser's; aliases are not expanded, so a small file
//! cannot become a large tree.

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::text;

/// Most bytes of a file that are parsed.
const BYTES_MAX: usize = 256 << 10;
/// Most nodes of a tree.
const NODES_MAX: usize = 20_000;
/// How deep nodes lie in each other at most.
const DEPTH_MAX: usize = 32;

/// A node with the line where it begins, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) line: u32,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A scalar as it is written, without quotes; whether it was quoted.
    Scalar(String, bool),
    List(Vec<Node>),
    /// In the order of the file; of a key that is there twice both are kept.
    Map(Vec<(String, Node)>),
    /// A reference to another node, which is not followed.
    Alias,
}

impl Node {
    /// The last value of a key, if this is a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().rev().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[(String, Node)] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// A scalar's text.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Value::Scalar(text, _) = &self.value { Some(text) } else { None }
    }

    /// Whether it is the null value: nothing, `~` or `null` without quotes.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(text, false) if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// A boolean by any of its YAML 1.1 names.
    pub(crate) fn truth(&self) -> Option<bool> {
        let word = self.text()?;
        match () {
            () if text::is_yes(word) => Some(true),
            () if text::is_no(word) => Some(false),
            () => None,
        }
    }
}

/// The first document of a file; `None` if it is empty.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Node>, String> {
    if bytes.len() > BYTES_MAX {
        return Err(format!("the YAML file is larger than {} KiB", BYTES_MAX >> 10));
    }
    let source = String::from_utf8_lossy(bytes);
    let source = source.strip_prefix('\u{feff}').unwrap_or(&source);
    let mut parser = Parser::new_from_str(source);
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = 0;
    while let Some(next) = parser.next_event() {
        let (event, span) =
            next.map_err(|error| format!("invalid YAML: {}", text::name(&error.to_string())))?;
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        nodes += 1;
        if nodes > NODES_MAX || open.len() > DEPTH_MAX {
            return Err("the YAML file has too many or too deeply nested nodes".into());
        }
        let done = match event {
            Event::Scalar(value, style, ..) => {
                Node { value: Value::Scalar(text::value(&value), style != ScalarStyle::Plain), line }
            }
            Event::Alias(_) => Node { value: Value::Alias, line },
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new(), line));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Vec::new(), None, line));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items, line)) => Node { value: Value::List(items), line },
                Some(Open::Map(entries, _, line)) => Node { value: Value::Map(entries), line },
                None => return Err("invalid YAML: an end without a start".into()),
            },
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => continue,
        };
        match open.last_mut() {
            None => return Ok(Some(done)),
            Some(Open::List(items, _)) => items.push(done),
            Some(Open::Map(entries, key, _)) => match key.take() {
                Some(key) => entries.push((key, done)),
                // A key that is no scalar is none that anybody looks for.
                None => *key = Some(done.text().unwrap_or_default().to_owned()),
            },
        }
    }
    Ok(None)
}

enum Open {
    List(Vec<Node>, u32),
    Map(Vec<(String, Node)>, Option<String>, u32),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tree_has_lines() {
        let node =
            parse(b"# x\nnetwork:\n  version: 2\n  ethernets:\n    eth0: {dhcp4: yes, a: [1, 'no']}\n")
                .unwrap();
        let node = node.unwrap();
        let eth0 = node.get("network").unwrap().get("ethernets").unwrap().get("eth0").unwrap();
        assert_eq!(eth0.get("dhcp4").unwrap().truth(), Some(true));
        assert_eq!(eth0.get("dhcp4").unwrap().line, 5);
        assert_eq!(eth0.get("a").unwrap().items().len(), 2);
        assert_eq!(parse(b"").unwrap(), None);
        assert_eq!(parse(b"# nothing\n").unwrap(), None);
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        let bomb = format!("a: &a [x,x]\n{}", "b: [*a, *a, *a]\n".repeat(100));
        assert!(parse(bomb.as_bytes()).is_ok());
        assert!(parse("[".repeat(1000).as_bytes()).is_err());
        assert!(parse("- ".repeat(1000).as_bytes()).is_err());
        assert!(parse("- x\n".repeat(30_000).as_bytes()).is_err());
        assert!(parse(&vec![b' '; BYTES_MAX + 1]).is_err());
        assert!(parse(b"a: [1, 2").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_tree_or_refused(text in "[-a-c:\\[\\]{}&*!|>'\"%@`#?, \n\t0-9]{0,120}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn any_bytes_are_a_tree_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
