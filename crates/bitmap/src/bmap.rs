//! The layout `bmap`: the XML block map of bmaptool, version 2.0, written so that `bmaptool copy` takes it.
//!
//! bmaptool's own maps list the blocks that the file system keeps something for; those that we write list the blocks whose
//! content is not zero.

use std::fmt::Write as _;

use imsprep_source::{BlockMap, BlockSize};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use sha2::{Digest, Sha256, Sha512};

use crate::error::{CannotEncode, LONGEST, NotThisLayout, zeroed};

/// The largest block that bmaptool copies: it takes up 1 MiB at a time, in whole blocks, and of larger ones none (measured with
/// bmaptool 3.6).
pub(crate) const LARGEST_BLOCK: BlockSize = BlockSize::MIB_1;

/// Hexadecimal digits of a SHA-256.
const DIGITS: usize = 64;

/// How far from its beginning a file may have its root element.
const HEAD: usize = 16 << 10;

/// Whether bytes begin as a block map does: the root element comes first, after declaration and comments.
pub(crate) fn begins_so(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
    let text = head.trim_ascii_start();
    text.starts_with(b"<") && memchr::memmem::find(head, b"<bmap").is_some()
}

pub(crate) fn encode(map: &BlockMap) -> Result<Vec<u8>, CannotEncode> {
    let zeros = "0".repeat(DIGITS);
    let mut text = format!(
        r#"<?xml version="1.0" ?>
<!-- Which blocks of an image hold data: written by imsprep, read by bmaptool. A block that is not listed holds zeros only;
     bmaptool copy leaves what is in its place on the target, so the target has to be empty. -->
<bmap version="2.0">
    <ImageSize> {} </ImageSize>
    <BlockSize> {} </BlockSize>
    <BlocksCount> {} </BlocksCount>
    <MappedBlocksCount> {} </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> {zeros} </BmapFileChecksum>
    <BlockMap>
"#,
        map.image_size(),
        map.block_size(),
        map.block_count(),
        map.data_count()
    );
    for run in map.runs().filter(|run| run.data) {
        let _ = match run.count {
            1 => writeln!(text, "        <Range> {} </Range>", run.first),
            _ => writeln!(text, "        <Range> {}-{} </Range>", run.first, run.first + (run.count - 1)),
        };
        if text.len() as u64 > LONGEST {
            return Err(CannotEncode::TooLong);
        }
    }
    text += "    </BlockMap>\n</bmap>\n";
    // Of the file with zeros in the place of the checksum, as bmaptool reckons it.
    let checksum = hexadecimal(&Sha256::digest(text.as_bytes()));
    Ok(text.replacen(&zeros, &checksum, 1).into_bytes())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The map in a file. Of its checksums that of the file is compared with it if it is a SHA-256 or SHA-512; those of ranges
/// are about the image and are passed over.
pub(crate) fn decode(bytes: &[u8]) -> Result<BlockMap, NotThisLayout> {
    if !begins_so(bytes) {
        return Err(NotThisLayout::NotSuchText);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| NotThisLayout::Fault {
        what: format!("not UTF-8 text, from byte {} on", e.valid_up_to()),
    })?;
    let found = Found::read(text)?;
    let map = found.map()?;
    check_checksum(text, &found)?;
    Ok(map)
}

/// What the elements say, before it is known whether that makes sense.
#[derive(Default)]
struct Found {
    image_size: Option<u64>,
    block_size: Option<u64>,
    blocks: Option<u64>,
    mapped: Option<u64>,
    checksum_type: Option<String>,
    checksum: Option<String>,
    /// First, last, and where in the file.
    ranges: Vec<(u64, u64, u64)>,
}

impl Found {
    fn read(text: &str) -> Result<Self, NotThisLayout> {
        let mut reader = Reader::from_str(text);
        let mut found = Self::default();
        // The elements that we are in, and the text of the innermost.
        let mut open: Vec<String> = Vec::new();
        let mut content = String::new();
        loop {
            let at = reader.buffer_position();
            let event = reader.read_event().map_err(|e| NotThisLayout::Fault {
                what: format!("not XML at byte {}: {e}", reader.error_position()),
            })?;
            match event {
                Event::Start(element) => {
                    if open.is_empty() {
                        check_version(&element)?;
                    }
                    // The format has three; a reader of anything deeper would only be filled up.
                    if open.len() > 8 {
                        return Err(fault(at, "elements are nested too deeply"));
                    }
                    open.push(element.name().0.to_owned());
                    content.clear();
                }
                Event::Text(piece) if content.len() < 1024 => content.push_str(&piece.xml10_content()),
                Event::End(_) => {
                    let path = open.iter().map(String::as_str).collect::<Vec<_>>();
                    found.take(&path, content.trim(), at)?;
                    open.pop();
                    content.clear();
                }
                Event::DocType(_) | Event::GeneralRef(_) | Event::CData(_) => {
                    return Err(fault(
                        at,
                        "document types, references and CDATA are not allowed in a block map",
                    ));
                }
                Event::Eof if open.is_empty() => return Ok(found),
                Event::Eof => return Err(fault(at, "the file ends within an element")),
                Event::Text(_) | Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Keeps what an element says that has just ended.
    fn take(&mut self, path: &[&str], content: &str, at: u64) -> Result<(), NotThisLayout> {
        let number = || content.parse().map_err(|_| fault(at, &format!("{content:?} is not a number")));
        match path {
            ["bmap", "ImageSize"] => self.image_size = Some(number()?),
            ["bmap", "BlockSize"] => self.block_size = Some(number()?),
            ["bmap", "BlocksCount"] => self.blocks = Some(number()?),
            ["bmap", "MappedBlocksCount"] => self.mapped = Some(number()?),
            ["bmap", "ChecksumType"] => self.checksum_type = Some(content.to_owned()),
            ["bmap", "BmapFileChecksum"] => self.checksum = Some(content.to_owned()),
            ["bmap", "BlockMap", "Range"] => {
                let (first, last) = content.split_once('-').unwrap_or((content, content));
                let numbers = first.trim().parse().ok().zip(last.trim().parse().ok());
                let (first, last) =
                    numbers.ok_or_else(|| fault(at, &format!("{content:?} is not a range")))?;
                self.ranges.push((first, last, at));
            }
            _ => {}
        }
        Ok(())
    }

    fn map(&self) -> Result<BlockMap, NotThisLayout> {
        let missing = |name: &str| NotThisLayout::Fault { what: format!("it has no {name}") };
        let image_size = self.image_size.ok_or_else(|| missing("ImageSize"))?;
        let block_size = self.block_size.ok_or_else(|| missing("BlockSize"))?;
        let block_size = BlockSize::new(block_size).ok_or_else(|| NotThisLayout::Fault {
            what: format!("its block size is {block_size}, and not a power of two from 512 to 67108864"),
        })?;
        let blocks = block_size.blocks_in(image_size);
        if self.blocks.ok_or_else(|| missing("BlocksCount"))? != blocks {
            let what = format!(
                "an image of {image_size} bytes has {blocks} blocks, but the file has another number"
            );
            return Err(NotThisLayout::Fault { what });
        }
        let mut map = zeroed(image_size, block_size)?;
        let mut free_from = 0;
        for (first, last, at) in &self.ranges {
            if first > last || *last >= blocks {
                return Err(fault(*at, &format!("the range {first}-{last} is not within {blocks} blocks")));
            }
            if *first < free_from {
                return Err(fault(*at, &format!("the range {first}-{last} is not after the previous range")));
            }
            map.set_run(*first, last - first + 1, true);
            free_from = last + 1;
        }
        match self.mapped {
            Some(mapped) if mapped != map.data_count() => Err(NotThisLayout::Fault {
                what: format!("it declares {mapped} mapped blocks and lists {}", map.data_count()),
            }),
            _ => Ok(map),
        }
    }
}

fn check_version(root: &BytesStart<'_>) -> Result<(), NotThisLayout> {
    let version = root.try_get_attribute("version").ok().flatten();
    let version = version.filter(|_| root.name().0 == "bmap").ok_or(NotThisLayout::NotSuchText)?;
    match version.value.split_once('.') {
        Some(("1" | "2", _)) => Ok(()),
        _ => Err(NotThisLayout::Fault {
            what: format!("its version is {:?}; only 1 and 2 are supported", version.value),
        }),
    }
}

fn check_checksum(text: &str, found: &Found) -> Result<(), NotThisLayout> {
    let (Some(kind), Some(checksum)) = (found.checksum_type.as_deref(), &found.checksum) else {
        return Ok(());
    };
    let zeroed = text.replacen(checksum, &"0".repeat(checksum.len()), 1);
    let right = match kind {
        "sha256" => hexadecimal(&Sha256::digest(zeroed)),
        "sha512" => hexadecimal(&Sha512::digest(zeroed)),
        // Of older programs; whether it is right is not known.
        "sha1" | "md5" => return Ok(()),
        _ => return Err(NotThisLayout::Fault { what: format!("the checksum type {kind:?} is unknown") }),
    };
    if right == *checksum {
        return Ok(());
    }
    Err(NotThisLayout::Fault { what: "the checksum of the file is wrong".into() })
}

fn fault(at: u64, what: &str) -> NotThisLayout {
    NotThisLayout::Fault { what: format!("byte {at}: {what}") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn map_of(data: &[bool], short: u64) -> BlockMap {
        let size = (data.len() as u64 * 4096).saturating_sub(short);
        let mut map = BlockMap::zeroed(Path::new("x"), size, BlockSize::KIB_4).unwrap();
        data.iter().zip(0..).for_each(|(data, block)| map.set(block, *data));
        map
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(data in prop::collection::vec(any::<bool>(), 0..100), short in 0u64..4096) {
            let map = map_of(&data, short);
            prop_assert_eq!(decode(&encode(&map).unwrap()), Ok(map));
        }

        #[test]
        fn any_byte_altered_is_seen(data in prop::collection::vec(any::<bool>(), 1..40),
                                    at in any::<prop::sample::Index>(), with in 1u8..128) {
            let mut bytes = encode(&map_of(&data, 0)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            prop_assert!(decode(&bytes).is_err(), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    /// A map as an old bmaptool wrote it, without checksums.
    fn old(elements: &str, ranges: &str) -> Result<BlockMap, NotThisLayout> {
        let text = format!(
            "<?xml version=\"1.0\"?>\n<bmap version=\"1.3\">{elements}<BlockMap>{ranges}</BlockMap></bmap>"
        );
        decode(text.as_bytes())
    }

    #[test]
    fn faults_are_named_and_nothing_is_expanded() {
        let sizes = "<ImageSize>40960</ImageSize><BlockSize>4096</BlockSize><BlocksCount>10</BlocksCount>";
        let map = old(sizes, "<Range sha1=\"x\"> 0-1 </Range>\n<Range>9</Range>").unwrap();
        assert_eq!(map.data_blocks().collect::<Vec<_>>(), [0, 1, 9]);
        for (ranges, word) in [
            ("<Range>10</Range>", "not within 10 blocks"),
            ("<Range>3-2</Range>", "not within 10 blocks"),
            ("<Range>3</Range><Range>3-4</Range>", "not after the previous range"),
            ("<Range>x</Range>", "is not a range"),
            ("<Range>1&#49;</Range>", "document types, references and CDATA are not allowed"),
            ("<Range>&a;</Range>", "document types, references and CDATA are not allowed"),
            ("<Range>", "not XML at byte"),
        ] {
            let error = old(sizes, ranges).unwrap_err().to_string();
            assert!(error.contains(word), "{ranges}: {error}");
        }
        let error = old(&sizes.replace("10<", "11<"), "").unwrap_err().to_string();
        assert!(error.contains("has 10 blocks"), "{error}");
        let error = old(&sizes.replace("4096<", "4095<"), "").unwrap_err().to_string();
        assert!(error.contains("its block size is 4095"), "{error}");
        let error = old(&format!("{sizes}<MappedBlocksCount>2</MappedBlocksCount>"), "").unwrap_err();
        assert!(error.to_string().contains("declares 2 mapped blocks and lists 0"), "{error}");
        let bomb = b"<!DOCTYPE bmap [<!ENTITY a \"aaaa\">]><bmap version=\"2.0\">&a;</bmap>";
        assert!(decode(bomb).unwrap_err().to_string().contains("document types"));
        let deep = format!("<bmap version=\"2.0\">{}", "<a>".repeat(100_000));
        assert!(decode(deep.as_bytes()).unwrap_err().to_string().contains("elements are nested too deeply"));
        assert_eq!(decode(b"<html></html>"), Err(NotThisLayout::NotSuchText));
        assert!(
            decode(b"<bmap version=\"3.0\"></bmap>")
                .unwrap_err()
                .to_string()
                .contains("1 and 2 are supported")
        );
    }
}
