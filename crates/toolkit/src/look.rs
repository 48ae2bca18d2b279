//! What an image is, with what its tables and the files beside it show: what every operation goes by.

use std::path::Path;

use imsprep_detect::{Detection, Fact, Format, detect};
use imsprep_formats::{Flaw, Framed, Slice, StreamEnd, check_tables, stream_end};
use imsprep_source::{Cancel, ImageFile, ReadAt};

use crate::descriptor::descriptor_of;
use crate::{Error, Result};

/// Detects the image's format, looks at its tables, at the end of compressed data, and for the descriptor of an extent-file.
/// Returns the bytes of what is compressed as well, where the file has them for certain.
pub(crate) fn look_at(image: &ImageFile, cancel: &Cancel) -> Result<(Detection, Option<u64>)> {
    let mut detection = detect(image)?;
    add_tables(Slice::whole(image), &mut detection, cancel)?;
    let content = add_end(Slice::whole(image), &mut detection, cancel)?;
    add_descriptor(image.path(), &mut detection)?;
    Ok((detection, content))
}

/// Adds whether a compressed file is cut off. Returns the bytes of its content, if the headers of all of its parts have them.
fn add_end(bytes: Slice<'_>, detection: &mut Detection, cancel: &Cancel) -> Result<Option<u64>> {
    let mut inside = detection.facts.iter_mut().filter_map(|fact| match fact {
        Fact::Inside(inside) => Some(inside),
        _ => None,
    });
    let framed = match detection.format {
        Format::Zstd => Framed::Zstd,
        Format::Lz4 => Framed::Lz4,
        Format::Bzip2 => Framed::Bzip2,
        // The index of an xz file is that of all its streams.
        Format::Xz => return Ok(inside.next().and_then(|inside| inside.size)),
        _ => return Ok(None),
    };
    match stream_end(&bytes, framed, cancel)? {
        StreamEnd::Complete(content) => {
            // Detection goes by the first frame.
            inside.for_each(|inside| inside.size = content);
            return Ok(content);
        }
        StreamEnd::Cut(what) => detection.facts.push(Fact::OutsideFile(what)),
        StreamEnd::Unknown => {}
    }
    Ok(None)
}

/// The same of a member of an archive, beside which no file lies.
pub(crate) fn look_at_member(bytes: Slice<'_>, cancel: &Cancel) -> Result<Detection> {
    let mut detection = detect(&bytes)?;
    add_tables(bytes, &mut detection, cancel)?;
    Ok(detection)
}

fn add_tables(bytes: Slice<'_>, detection: &mut Detection, cancel: &Cancel) -> Result<()> {
    if !has_plain_tables(detection) {
        return Ok(());
    }
    let flaws = match check_tables(bytes, detection.format, cancel) {
        Ok(flaws) => flaws,
        Err(imsprep_formats::Error::Unreadable { offset, what, .. }) => {
            detection.facts.push(Fact::Damaged(format!("{what}, at offset {offset}")));
            return Ok(());
        }
        Err(imsprep_formats::Error::Source(imsprep_source::Error::Damaged { offset, what, .. })) => {
            detection.facts.push(Fact::Damaged(format!("{what}, at offset {offset}")));
            return Ok(());
        }
        Err(other) => return Err(Error::Foreign(other)),
    };
    detection.facts.extend(flaws.into_iter().map(|flaw| match flaw {
        Flaw::Damaged { offset, what, .. } => {
            Fact::Damaged(format!("{what}; the entry is at offset {offset}"))
        }
        Flaw::Outside(what) => Fact::OutsideFile(what),
    }));
    Ok(())
}

/// Whether the tables are read: those of an image that stands alone, and of which nothing is known to be wrong.
fn has_plain_tables(detection: &Detection) -> bool {
    detection.facts.iter().all(|fact| match fact {
        Fact::Snapshots(_) | Fact::SizeDisputed(..) => true,
        // What is in the log would change the tables.
        Fact::Dirty => detection.format != Format::Vhdx,
        _ => false,
    })
}

/// Names the descriptor of an extent-file. A flat one has no header, and shows only by the descriptor that names it.
fn add_descriptor(path: &Path, detection: &mut Detection) -> Result<()> {
    let is_vmdk = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("vmdk"));
    let told = detection.facts.iter_mut().find_map(|fact| match fact {
        Fact::ExtentOf(name) => Some(name),
        _ => None,
    });
    match told {
        Some(name) => *name = descriptor_of(path)?.map(|found| found.name),
        None if is_vmdk && detection.format == Format::Raw => {
            // A flat extent that is all of the disk is a RAW by itself.
            let found = descriptor_of(path)?;
            let is_part = |extents: usize| extents != 1;
            if let Some(found) = found.filter(|found| is_part(found.extents)) {
                detection.facts.push(Fact::ExtentOf(Some(found.name)));
            }
        }
        None => {}
    }
    Ok(())
}
