//! The text of LVM2's metadata: sections in braces, and names with values.

use std::collections::BTreeMap;
use std::ops::Range;

use imsprep_ondisk::disk::SECTOR;
use imsprep_ondisk::text;

use crate::{LogicalVolume, Segment, VolumeGroup};

/// Most tokens that are read: a text of 1 MiB has fewer.
const TOKENS_MAX: usize = 1 << 20;
/// How deep sections lie in each other at most: group, list, volume, segment.
const DEPTH_MAX: usize = 8;
/// Most physical and most logical volumes that are kept.
pub(super) const VOLUMES_MAX: usize = 1024;
/// Most segments of a logical volume, and most stripes of a segment.
const SEGMENTS_MAX: usize = 1024;
const STRIPES_MAX: usize = 128;

/// What a text describes.
#[derive(PartialEq)]
pub(super) struct Metadata {
    pub(super) group: VolumeGroup,
    extent_sectors: u64,
    /// Where the extents of each physical volume begin, in sectors, and their number, by its UUID.
    extents: BTreeMap<String, (u64, u64)>,
}

impl Metadata {
    /// Where the extents of a physical volume end, in bytes from its start.
    pub(super) fn end_of_extents(&self, uuid: &str) -> Option<u64> {
        let (start, count) = self.extents.get(uuid)?;
        count.checked_mul(self.extent_sectors)?.checked_add(*start)?.checked_mul(SECTOR)
    }

    /// Bytes of an extent.
    pub(super) fn extent_size(&self) -> Option<u64> {
        self.extent_sectors.checked_mul(SECTOR)
    }

    /// The extents of a physical volume, in bytes from its start.
    pub(super) fn extents(&self, uuid: &str) -> Option<Range<u64>> {
        let (start, _) = self.extents.get(uuid)?;
        Some(start.checked_mul(SECTOR)?..self.end_of_extents(uuid)?)
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
                    Token::OpenList => found.list(&path, name, &tokens.list()?),
                    _ => return None,
                }
            }
            Some(Token::String(_) | Token::OpenList | Token::CloseList | Token::Comma) => return None,
        }
    }
    let mut group = found.group.take().filter(|group| path.is_empty() && !group.uuid.is_empty())?;
    group.layout = found.layout(&group);
    Some(Metadata { group, extent_sectors: found.extent_sectors, extents: found.extents })
}

#[derive(Default)]
struct Found {
    group: Option<VolumeGroup>,
    extent_sectors: u64,
    extents: BTreeMap<String, (u64, u64)>,
    /// The UUIDs of physical volumes by the names that segments have for them.
    physical: BTreeMap<String, String>,
    /// The segments of each logical volume, in extents and sectors.
    segments: BTreeMap<String, Vec<RawSegment>>,
}

/// A segment as the text has it.
#[derive(Default)]
struct RawSegment {
    start: Option<u64>,
    length: Option<u64>,
    kind: String,
    stripe_sectors: u64,
    /// The names of physical volumes and the extents on them.
    stripes: Vec<(String, u64)>,
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
                    layout: Vec::new(),
                    unmapped: Err("its metadata was not read".to_owned()),
                });
            }
            ([_, b"logical_volumes", name], Some(group)) if group.logical.len() < VOLUMES_MAX => {
                group.logical.push(text::utf8(name));
            }
            ([_, b"logical_volumes", volume, name], _) if name.starts_with(b"segment") => {
                let segments = self.segments.entry(text::utf8(volume)).or_default();
                if segments.len() < SEGMENTS_MAX {
                    segments.push(RawSegment::default());
                }
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
            ([_, b"logical_volumes", volume, _], b"start_extent" | b"extent_count" | b"stripe_size") => {
                let Some(segment) = self.segments.get_mut(&text::utf8(volume)).and_then(|all| all.last_mut())
                else {
                    return;
                };
                match name {
                    b"start_extent" => segment.start = number(),
                    b"extent_count" => segment.length = number(),
                    _ => segment.stripe_sectors = number().unwrap_or_default(),
                }
            }
            _ => {}
        }
    }

    /// A list has been given a name.
    fn list(&mut self, path: &[&[u8]], name: &[u8], items: &[&[u8]]) {
        let [_, b"logical_volumes", volume, _] = path else { return };
        let segment = self.segments.get_mut(&text::utf8(volume)).and_then(|all| all.last_mut());
        let Some(segment) = segment.filter(|_| name == b"stripes") else { return };
        let number = |item: &[u8]| str::from_utf8(item).ok().and_then(|text| text.parse().ok());
        let pairs = items.as_chunks::<2>().0.iter().take(STRIPES_MAX);
        segment.stripes =
            pairs.filter_map(|[name, extent]| Some((text::utf8(name), number(extent)?))).collect();
        if segment.stripes.len() * 2 != items.len() {
            segment.stripes.clear();
        }
    }

    /// Where the logical volumes of a group lie.
    fn layout(&self, group: &VolumeGroup) -> Vec<LogicalVolume> {
        let volumes = group.logical.iter().map(|name| {
            let raw = self.segments.get(name).map(Vec::as_slice).unwrap_or_default();
            let segments = raw.iter().map(|segment| self.segment(segment)).collect::<Result<Vec<_>, _>>();
            match segments {
                Ok(mut segments) => {
                    segments.sort_by_key(|segment| segment.start);
                    let follows = |end: u64, segment: &Segment| {
                        (segment.start == end).then(|| end.checked_add(segment.length))?
                    };
                    let is_whole = segments.iter().try_fold(0, follows).is_some() && raw.len() < SEGMENTS_MAX;
                    let unread =
                        (!is_whole || segments.is_empty()).then(|| "its segments leave gaps".to_owned());
                    LogicalVolume { name: name.clone(), segments, unread }
                }
                Err(reason) => {
                    LogicalVolume { name: name.clone(), segments: Vec::new(), unread: Some(reason) }
                }
            }
        });
        volumes.collect()
    }

    fn segment(&self, raw: &RawSegment) -> Result<Segment, String> {
        if raw.kind != "striped" && raw.kind != "linear" {
            return Err(format!("it has a segment of the type {}", raw.kind));
        }
        let damaged = || "the metadata of a segment are damaged".to_owned();
        let bytes = |extents: Option<u64>| extents?.checked_mul(self.extent_sectors)?.checked_mul(SECTOR);
        let stripes = raw.stripes.iter().map(|(name, extent)| {
            let uuid = self.physical.get(name)?;
            let (start, _) = self.extents.get(uuid)?;
            Some((uuid.clone(), start.checked_mul(SECTOR)?.checked_add(bytes(Some(*extent))?)?))
        });
        let stripes =
            stripes.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty()).ok_or_else(damaged)?;
        let stripe_size = raw.stripe_sectors.checked_mul(SECTOR).ok_or_else(damaged)?;
        let (start, length) = (bytes(raw.start).ok_or_else(damaged)?, bytes(raw.length).ok_or_else(damaged)?);
        if stripes.len() > 1 && stripe_size == 0 {
            return Err(damaged());
        }
        let stripe_size = if stripes.len() == 1 { 0 } else { stripe_size };
        Ok(Segment { start, length, stripe_size, stripes })
    }

    /// A string has been given a name.
    fn value(&mut self, path: &[&[u8]], name: &[u8], value: &[u8]) {
        if let ([_, b"logical_volumes", volume, _], b"type") = (path, name) {
            if let Some(segment) = self.segments.get_mut(&text::utf8(volume)).and_then(|all| all.last_mut()) {
                segment.kind = text::utf8(value);
            }
            return;
        }
        if let ([_, b"physical_volumes", pv], b"id") = (path, name)
            && self.physical.len() < VOLUMES_MAX
        {
            self.physical.insert(text::utf8(pv), text::utf8(value));
        }
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
    /// The items of a list, of which no more are kept than any list has that counts; goes on behind its end.
    fn list(&mut self) -> Option<Vec<&'a [u8]>> {
        let mut items = Vec::new();
        for _ in 0..TOKENS_MAX {
            match self.next()? {
                Token::CloseList => return Some(items),
                Token::Word(item) | Token::String(item) if items.len() <= 2 * STRIPES_MAX => items.push(item),
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
    fn logical_volumes_lie_in_segments() {
        let text = r#"vg { id = "u" extent_size = 8192
            physical_volumes { pv0 { id = "one" pe_start = 2048 pe_count = 100 } pv1 { id = "two" pe_start = 4096 pe_count = 9 } }
            logical_volumes {
                root { id = "a" segment_count = 2
                    segment1 { start_extent = 0 extent_count = 10 type = "striped" stripe_count = 1 stripes = [ "pv0", 5 ] }
                    segment2 { start_extent = 10 extent_count = 4 type = "striped" stripe_count = 2 stripe_size = 128
                        stripes = [ "pv0", 0, "pv1", 2 ] }
                }
                thin { segment1 { start_extent = 0 extent_count = 1 type = "thin" } }
                gap { segment1 { start_extent = 1 extent_count = 1 type = "striped" stripes = ["pv0", 1] } }
                other { segment1 { start_extent = 0 extent_count = 1 type = "striped" stripes = ["pv7", 1] } }
                large { segment1 { start_extent = 0 extent_count = 18446744073709551615 type = "striped" stripes = ["pv0", 1] } }
            } }"#;
        let group = group(text.as_bytes()).unwrap();
        let [root, thin, gap, other, large] = &group.layout[..] else { panic!("{group:?}") };
        let extent = 4 << 20;
        assert_eq!(root.unread, None);
        assert_eq!(
            root.segments,
            [
                Segment {
                    start: 0,
                    length: 10 * extent,
                    stripe_size: 0,
                    stripes: vec![("one".into(), (1 << 20) + 5 * extent)]
                },
                Segment {
                    start: 10 * extent,
                    length: 4 * extent,
                    stripe_size: 64 << 10,
                    stripes: vec![("one".into(), 1 << 20), ("two".into(), (2 << 20) + 2 * extent)]
                }
            ]
        );
        for (volume, reason) in [(thin, "type thin"), (gap, "gaps"), (other, "damaged"), (large, "damaged")] {
            assert!(volume.unread.as_deref().unwrap().contains(reason), "{volume:?}");
        }
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
