//! What is on the disk that is compressed as a whole, which is read from its first byte to its last.

use imsprep_detect::{Content, Fact, Format};
use imsprep_formats::ENDS_TOO_EARLY;
use imsprep_inspect::Inspection;
use imsprep_rules::HUAWEI;
use imsprep_source::{Cancel, Error as SourceError, Stage, Work};

use crate::archive::Member;
use crate::passing::{Passed, Passing};
use crate::wrapped::Blocks;
use crate::{Error, OpenedImage, Result};

/// What a look at a compressed disk found.
pub(crate) struct Unwrapped {
    /// What is on the disk, or why that was not looked into.
    pub(crate) inside: std::result::Result<Inspection, String>,
    /// What its start shows of a disk that was not read through.
    pub(crate) start: Option<Inspection>,
    /// What is wrong with the compressed data.
    pub(crate) damage: Option<Fact>,
    /// What was not checked, and why.
    pub(crate) not_checked: Option<(&'static str, String)>,
}

impl Unwrapped {
    fn closed(why: impl Into<String>) -> Self {
        Self { inside: Err(why.into()), start: None, damage: None, not_checked: None }
    }
}

/// How much of a compressed disk is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent<'a> {
    /// All of it.
    Whole,
    /// Its first block, for this reason.
    Start(&'a str),
}

const REST: &str = "whether the compressed data and the disk in it are complete";

/// Looks at the RAW in a compressed file. Where only its start is read, the disk is known as far as that shows it.
pub(crate) fn look_through(image: &OpenedImage, extent: Extent<'_>, work: Work<'_>) -> Result<Unwrapped> {
    if !holds_raw(image) {
        return Ok(Unwrapped::closed(format!("the disk in this {} file is not inspected", image.format())));
    }
    let found = match extent {
        Extent::Whole => Blocks::open(image).and_then(|blocks| match blocks {
            Some(blocks) => read_through(image, blocks, image.content_size(), work),
            None => Ok(Unwrapped::closed("it is not compressed")),
        }),
        Extent::Start(why) => read_start(image, work.cancel).map(|start| Unwrapped {
            start,
            not_checked: Some((REST, why.to_owned())),
            ..Unwrapped::closed(format!("only the start of this {} file was read", image.format()))
        }),
    };
    found_or_damage(found)
}

/// The same of a member of an archive, which is read through.
pub(crate) fn look_through_member(image: &OpenedImage, member: &Member, work: Work<'_>) -> Result<Unwrapped> {
    let size = member.detection.virtual_size;
    found_or_damage(Blocks::of_member(image, member).and_then(|blocks| match blocks {
        Some(blocks) => read_through(image, blocks, size, work),
        None => Ok(Unwrapped::closed("it is not compressed")),
    }))
}

/// What was found, or what is wrong with the compressed data.
fn found_or_damage(found: Result<Unwrapped>) -> Result<Unwrapped> {
    match found {
        Err(Error::Source(SourceError::Damaged { offset, what, .. })) => {
            Ok(Unwrapped { damage: Some(damage(offset, &what)), ..Unwrapped::closed(what) })
        }
        Err(Error::Source(error @ SourceError::NotExpanded { .. })) => Ok(Unwrapped {
            not_checked: Some((REST, error.to_string())),
            ..Unwrapped::closed(error.to_string())
        }),
        Err(Error::NotConvertible { advice, .. }) => Ok(Unwrapped::closed(advice)),
        other => other,
    }
}

/// What is wrong with compressed data of which this is damaged, at this place.
pub(crate) fn damage(offset: u64, what: &str) -> Fact {
    let what_and_where = format!("{what}, at offset {offset}");
    if what == ENDS_TOO_EARLY { Fact::OutsideFile(what_and_where) } else { Fact::Damaged(what_and_where) }
}

/// Whether a RAW is in the file and nothing speaks against reading it.
fn holds_raw(image: &OpenedImage) -> bool {
    let is_readable = |fact: &Fact| match fact {
        Fact::Inside(inside) => match &inside.content {
            Content::Found { format, .. } => *format == Format::Raw,
            Content::Nothing => true,
            Content::NotLookedAt(_) => false,
        },
        Fact::NotLookedAt(_) => true,
        _ => false,
    };
    image.detection().also.is_empty() && image.detection().facts.iter().all(is_readable)
}

/// What the first block shows of the disk if its size is known; `None` if it is not.
pub(crate) fn read_start(image: &OpenedImage, cancel: &Cancel) -> Result<Option<Inspection>> {
    let Some(size) = image.content_size() else { return Ok(None) };
    let mut passing = Passing::new(image.path());
    if let Some(block) = Blocks::open(image)?.as_mut().and_then(Iterator::next) {
        passing.take(block?, cancel)?;
    }
    Ok(Some(passing.inspect(size, cancel)?))
}

fn read_through(
    image: &OpenedImage,
    mut blocks: Blocks<'_>,
    size: Option<u64>,
    work: Work<'_>,
) -> Result<Unwrapped> {
    let stage = Stage::begin(work.progress, "unpacking", size.unwrap_or(0));
    let mut passing = Passing::new(image.path());
    let mut length = 0;
    for block in blocks.by_ref() {
        work.cancel.check()?;
        let block = block?;
        length += block.len() as u64;
        if length > HUAWEI.max_disk {
            return Ok(Unwrapped {
                not_checked: Some((REST, "the disk is larger than any import takes".into())),
                ..Unwrapped::closed("the disk is larger than any import takes")
            });
        }
        stage.advance(block.len() as u64);
        passing.take(block, work.cancel)?;
    }
    blocks.ends().refuse_unless_raw()?;
    let Passed { inspection, missed } = passing.finish(work.cancel)?;
    let not_checked = missed.then(|| {
        (
            "some partitions or file systems",
            "what leads to them comes after them, and the file was read once".to_owned(),
        )
    });
    Ok(Unwrapped { inside: Ok(inspection), start: None, damage: None, not_checked })
}
