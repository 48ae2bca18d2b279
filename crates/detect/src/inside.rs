//! What a wrapper or an archive holds, as far as a bounded amount of reading shows.

use imsprep_source::{ReadAt, Result};

use crate::input::{Input, Level};
use crate::resolve::resolve;
use crate::{Content, Detection, Fact, Format};

/// What a stretch of a file holds that is stored there as it is.
pub(crate) fn look_at_part(source: &dyn ReadAt, start: u64, length: u64) -> Result<Content> {
    look_at(&Part { source, start, length })
}

/// What something in a file holds.
pub(crate) fn look_at(part: &dyn ReadAt) -> Result<Content> {
    Ok(content(resolve(&Input::new(part, Level::Inside)?)?))
}

/// What a compressed member of an archive holds, with what is in it.
pub(crate) fn look_into_compressed(part: &dyn ReadAt) -> Result<Content> {
    Ok(content(resolve(&Input::new(part, Level::Compressed)?)?))
}

/// The same of one of which these are the first bytes.
pub(crate) fn look_into_compressed_head(head: Vec<u8>) -> Result<Content> {
    let mut found = resolve(&Input::of_head(head).at(Level::Compressed))?;
    found.facts.retain(|fact| !matches!(fact, Fact::Damaged(_) | Fact::OutsideFile(_)));
    Ok(content(found))
}

/// What something holds of which these are the first bytes.
pub(crate) fn look_at_head(head: Vec<u8>) -> Result<Content> {
    let mut found = resolve(&Input::of_head(head))?;
    // The head ends where it was cut: that says nothing of the file.
    found.facts.retain(|fact| !matches!(fact, Fact::Damaged(_) | Fact::OutsideFile(_)));
    Ok(content(found))
}

fn content(found: Detection) -> Content {
    let Detection { format, variant, virtual_size, facts, evidence, .. } = found;
    if format == Format::Raw && evidence.is_empty() {
        return Content::Nothing;
    }
    Content::Found { format, variant, virtual_size, evidence, facts }
}

/// A stretch of a file that lies in it whole.
struct Part<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    length: u64,
}

impl ReadAt for Part<'_> {
    fn path(&self) -> &std::path::Path {
        self.source.path()
    }

    fn size(&self) -> u64 {
        self.length
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        // The bounds hold because the stretch lies in the file and probers ask for nothing beyond its size.
        self.source.read_at(buf, self.start.saturating_add(offset))
    }
}
