//! Bitmap and index together: what the check and the reader both go by.

use imsprep_findings::Report;
use imsprep_source::{Cancel, ReadAt};

use crate::bitmap::{self, Bitmap};
use crate::footer::{self, Placed};
use crate::index::{self, Entry};
use crate::{Error, layout};

/// What END points to, as far as it is in the file.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) bitmap: Bitmap,
    /// The entries whose record may be where they say, by file offset.
    pub(crate) entries: Vec<Entry>,
    /// Data blocks whose entry was not read: it is not in the file, or there are too many.
    pub(crate) missing: u64,
}

/// Reads bitmap and index, and reports what is wrong with them; `None`, with a finding, if there is no bitmap.
pub(crate) fn read_body(
    source: &dyn ReadAt,
    end: &Placed,
    report: &mut Report,
    cancel: &Cancel,
) -> Result<Option<Body>, Error> {
    let Some(bitmap) = bitmap::read_bitmap(source, end, report, cancel)? else { return Ok(None) };
    let place = layout::check_index_place(end, &bitmap, report);
    layout::check_regions(end, &bitmap, place, report);
    layout::check_counts(end, &bitmap, report);
    layout::check_data_count(end, &bitmap, report);
    layout::check_exposed(end, &bitmap, footer::block_size(&end.footer), report);
    let Some(place) = place else {
        let missing = bitmap.total;
        return Ok(Some(Body { bitmap, entries: Vec::new(), missing }));
    };
    let entries = index::read_index(source, place, &bitmap, report, cancel)?;
    let missing = bitmap.total - entries.len() as u64;
    index::check_blocks(&entries, report);
    let entries = index::check_places(entries, place, &bitmap, end.offset, report);
    Ok(Some(Body { bitmap, entries, missing }))
}
