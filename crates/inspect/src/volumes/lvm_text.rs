//! The text of LVM2's metadata: sections in braces, and names with values.

use std::collections::BTreeMap;

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::text;

use crate::VolumeGroup;

/// Most tokens that are read: a text of 1 MiB has fewer.
const TOKENS_MAX: usize = 1 << 20;
/// How deep sections lie in each other at most: group, list, volume, segment.
const DEPTH_MAX: usize = 8;
/// Most physical and most logical volumes that are kept.
const VOLUMES_MAX: usize = 1024;

/// What a text describes.
pub(super) struct Metadata {
    pub(super) group: VolumeGroup,
    extent_sectors: u64,
    /// Of each physical volume, by its UUID, where its extents begin, in sectors, and their number.
    extents: BTreeMap<String, (u64, u64)>,
}

impl Metadata {
    /// Where the extents of a physical volume end, in bytes from its start.
    pub(super) fn end_of_extents(&self, uuid: &str) -> Option<u64> {
        let (start, count) = self.extents.get(uuid)?;
        count.checked_mul(self.extent_sectors)?.checked_add(*start)?.checked_mul(SECTOR)
    }
}

/// The group that a text describes, and where its extents are.
pub(super) fn metadata(bytes: &[u8]) -> Option<Metadata> {
    let mut found = Found::default();
    // The names of the sections that the place is in.
    let mut path: Vec<&[u8]> = Vec::new();
    let mut tokens = Tokens(bytes);
    let mut word = None;
    for _ in 0..TOKENS_MAX {
        match tokens.next() {
            None => break,
            Some(Token::Word(next)) => word = Some(next),
            Some(Token::Open) => {
                path.push(word.take()?);
                if path.len() > DEPTH_MAX {
                    return None;
                }
                found.section(&path);
            }
            Some(Token::Close) => {
                path.pop()?;
            }
            Some(Token::Equals) => {
                let name = word.take()?;
                match tokens.next()? {
                    Token::String(value) => found.value(&path, name, value),
                    Token::Word(value) => found.number(&path, name, value),
                    Token::OpenList => tokens.skip_list()?,
                    _ => return None,
                }
            }
            Some(Token::String(_) | Token::OpenList | Token::CloseList | Token::Comma) => return None,
        }
    }
    let group = found.group.filter(|group| path.is_empty() && !group.uuid.is_empty())?;
    Some(Metadata { group, extent_sectors: found.extent_sectors, extents: found.extents })
}

#[derive(Default)]
struct Found {
    group: Option<VolumeGroup>,
    extent_sectors: u64,
    extents: BTreeMap<String, (u64, u64)>,
}

impl Found {
    /// A section has been opened.
    fn section(&mut self, path: &[&[u8]]) {
        match (path, &mut self.group) {
            ([name], group @ None) => {
                *group = Some(VolumeGroup {
                    name: text::utf8(name),
                    uuid: String::new(),
                    physical: Vec::new(),
                    missing: Vec::new(),
                    logical: Vec::new(),
                });
            }
            ([_, b"logical_volumes", name], Some(group)) if group.logical.len() < VOLUMES_MAX => {
                group.logical.push(text::utf8(name));
            }
            _ => {}
        }
    }

    /// A number has been given a name. The UUID of a physical volume stands before its numbers.
    fn number(&mut self, path: &[&[u8]], name: &[u8], value: &[u8]) {
        let number = || str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
        match (path, name) {
            ([_], b"extent_size") => self.extent_sectors = number().unwrap_or_default(),
            ([_, b"physical_volumes", _], b"pe_start" | b"pe_count") => {
                let Some(uuid) = self.group.as_ref().and_then(|group| group.physical.last()) else { return };
                let entry = self.extents.entry(uuid.clone()).or_default();
                let field = if name == b"pe_start" { &mut entry.0 } else { &mut entry.1 };
                *field = number().unwrap_or_default();
            }
            _ => {}
        }
    }

    /// A string has been given a name.
    fn value(&mut self, path: &[&[u8]], name: &[u8], value: &[u8]) {
        let Some(group) = self.group.as_mut().filter(|_| name == b"id") else { return };
        match path {
            [_] => group.uuid = text::utf8(value),
            [_, b"physical_volumes", _] if group.physical.len() < VOLUMES_MAX => {
                group.physical.push(text::utf8(value));
            }
            _ => {}
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A name or a number.
    Word(&'a [u8]),
    /// What stands in quotes, with the backslashes in it.
    String(&'a [u8]),
    Equals,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
}

struct Tokens<'a>(&'a [u8]);

impl<'a> Tokens<'a> {
    /// Goes on behind the end of a list.
    fn skip_list(&mut self) -> Option<()> {
        for _ in 0..TOKENS_MAX {
            match self.next()? {
                Token::CloseList => return Some(()),
                Token::Word(_) | Token::String(_) | Token::Comma => {}
                _ => return None,
            }
        }
        None
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    fn skip_space(&mut self) {
        loop {
            let space = self.0.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.take(space);
            if self.0.first() != Some(&b'#') {
                return;
            }
            let comment = self.0.iter().take_while(|byte| **byte != b'\n').count();
            self.take(comment);
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    /// The text ends at its end, at a NUL, and at what can't begin anything.
    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        let simple = match self.0.first()? {
            b'=' => Token::Equals,
            b'{' => Token::Open,
            b'}' => Token::Close,
            b'[' => Token::OpenList,
            b']' => Token::CloseList,
            b',' => Token::Comma,
            b'"' => {
                self.take(1);
                let length = string_length(self.0)?;
                let value = self.take(length);
                self.take(1);
                return Some(Token::String(value));
            }
            _ => {
                let length = self.0.iter().take_while(|byte| is_of_word(**byte)).count();
                return (length > 0).then(|| Token::Word(self.take(length)));
            }
        };
        self.take(1);
        Some(simple)
    }
}

/// Bytes up to the closing quote; one behind a backslash is none.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    bytes.iter().position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    })
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(bytes: &[u8]) -> Option<VolumeGroup> {
        metadata(bytes).map(|metadata| metadata.group)
    }

    const TEXT: &str = r#"
vg0 {
    id = "aaaaaa-bbbb"
    seqno = 3 # a comment with "quotes" and { braces
    status = ["RESIZEABLE", "READ"]
    tags = []
    physical_volumes {
        pv0 { id = "one" device = "/dev/\"x" dev_size = 5 }
        pv1 { id = "two" flags = ["MISSING"] }
    }
    logical_volumes {
        root { id = "three" segment1 { stripes = ["pv0", 0] } }
        swap_1 { id = "four" }
    }
}
contents = "Text Format Volume Group"
version = 1
"#;

    #[test]
    fn a_group_has_its_parts() {
        let group = group(TEXT.as_bytes()).unwrap();
        assert_eq!((group.name.as_str(), group.uuid.as_str()), ("vg0", "aaaaaa-bbbb"));
        assert_eq!(group.physical, ["one", "two"]);
        assert_eq!(group.logical, ["root", "swap_1"]);
    }

    #[test]
    fn what_is_not_whole_is_no_group() {
        for text in [
            "",
            "vg {",
            "vg { id = \"x\"",
            "} vg",
            "{}",
            "vg { id = }",
            "vg { }",
            "x = [",
            "x = [{]",
            "\"x\"",
        ] {
            assert_eq!(group(text.as_bytes()), None, "{text}");
        }
        assert_eq!(group("a {".repeat(100).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_group_or_none(
            changes in prop::collection::vec((0..TEXT.len(), any::<u8>()), 0..5), end in 0..TEXT.len(),
        ) {
            let mut bytes = TEXT.as_bytes().to_vec();
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            group(&bytes[..end]);
            group(&bytes);
        }
    }
}
