//! The descriptor of a Parallels bundle: `DiskDescriptor.xml` in a folder that ends in `.hdd`.

use imsprep_ondisk::format::parallels::{SECTOR, XML_NO_ENGINE, XML_ROOT};
use imsprep_ondisk::text;
use imsprep_source::Result;

use crate::candidate::Candidate;
use crate::input::Input;
use crate::{Fact, Format};

/// Bytes of a descriptor that are read; an ordinary one has 2 KB.
const MAX: u64 = 256 << 10;
/// Bytes in which the root element has to begin, after the XML declaration and comments.
const ROOT_WITHIN: usize = 4096;
/// Most images that are named; each snapshot adds one.
const IMAGES_MAX: usize = 256;

pub(crate) fn probe(input: &Input<'_>) -> Result<Option<Candidate>> {
    let start = input.head().get(..ROOT_WITHIN).unwrap_or(input.head());
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if !start.starts_with(b"<") || !String::from_utf8_lossy(start).contains(&format!("<{XML_ROOT}")) {
        return Ok(None);
    }
    let bytes = input.read(0, MAX)?;
    let xml = String::from_utf8_lossy(&bytes);
    let mut found = Candidate::new(Format::Parallels).variant("bundle descriptor");
    if bytes.len() as u64 == MAX {
        found.damaged(format!("the descriptor has more than {MAX} bytes, which is the limit"));
    }
    let sectors = elements(&xml, "Disk_size").next().and_then(|size| size.parse::<u64>().ok());
    found.virtual_size = sectors.and_then(|sectors| sectors.checked_mul(SECTOR));
    if found.virtual_size.is_none() {
        found.damaged("the size of the disk is missing or out of range");
    }
    found.check_size();
    let names = elements(&xml, "File").take(IMAGES_MAX).map(|name| text::utf8(unescaped(name).as_bytes()));
    found.facts.push(Fact::ExtentFiles(names.collect()));
    // Each snapshot freezes one image and begins another; the current state is one of these entries.
    let shots = elements(&xml, "Shot").count().saturating_sub(1);
    if let Some(shots) = u32::try_from(shots).ok().filter(|shots| *shots > 0) {
        found.facts.push(Fact::Snapshots(shots));
    }
    if elements(&xml, "Engine").any(|engine| engine != XML_NO_ENGINE) {
        found.facts.push(Fact::Encrypted("Parallels"));
    }
    Ok(Some(found))
}

/// What stands in each element of this name that has no attributes, trimmed. Elements of a name don't nest here.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (inside, next) = after.split_once(&close)?;
        rest = next;
        Some(inside.trim())
    })
}

/// Text without the five entities of XML.
fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    entities.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_in_order_and_an_open_end_is_none() {
        let xml = "<a> 1 </a><b>x</b><a>2</a><a>3";
        assert_eq!(elements(xml, "a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(elements(xml, "c").count(), 0);
        assert_eq!(unescaped("a&amp;lt;b&quot;"), "a&lt;b\"");
    }
}
