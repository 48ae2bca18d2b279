//! Where index and bitmap lie, and how large END says that they are.

use imsprep_findings::{Finding, Report, Rule, Severity};
use imsprep_ondisk::format::zvhd2::{self as disk, IndexEntry};

use crate::bitmap::Bitmap;
use crate::footer::{self, Placed};
use crate::rules;
use crate::span::Span;

/// Where the entries of the index are that the index reader needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexPlace {
    /// The entries.
    pub(crate) span: Span,
    /// Whether an entry's position is its block number.
    pub(crate) by_block: bool,
}

/// Bytes of the index that the index reader needs: by block number an entry for each block that it exposes.
fn needed_index(end: &Placed, bitmap: &Bitmap) -> u64 {
    let f = &end.footer;
    let by_block = f.index_contains_zero_blk != 0;
    let entries =
        if by_block { footer::exposed_size(f).div_ceil(footer::block_size(f)) } else { bitmap.total };
    entries.saturating_mul(IndexEntry::SIZE as u64)
}

/// Checks the index's place; `None` if none is needed, or, with a finding, if it is not in the file.
pub(crate) fn check_index_place(end: &Placed, bitmap: &Bitmap, report: &mut Report) -> Option<IndexPlace> {
    let f = &end.footer;
    let needed = needed_index(end, bitmap);
    if needed == 0 {
        return None;
    }
    let span = Span::within(f.index_lba, needed, end.offset);
    if span.is_none() {
        report.push(
            Finding::new(&rules::INDEX_BOUNDS, "the index is not between HEAD and END")
                .at(end.at("index_lba"))
                .expected(format!("{needed} bytes between 4096 and {}", end.offset))
                .found(format!("index_lba {}", f.index_lba)),
        );
    }
    Some(IndexPlace { span: span?, by_block: f.index_contains_zero_blk != 0 })
}

/// Checks how the regions of END follow one another.
pub(crate) fn check_regions(end: &Placed, bitmap: &Bitmap, index: Option<IndexPlace>, report: &mut Report) {
    let f = &end.footer;
    let mut aligned = |name: &str, offset: u64, at: u64| {
        if !offset.is_multiple_of(disk::ALIGN) {
            let message = format!("the {name} begins at {offset}");
            report.push(
                Finding::new(&rules::REGION_ALIGN, message)
                    .at(at)
                    .expected("a multiple of 4096")
                    .found(offset),
            );
        }
    };
    let index_in_file = index.is_some() || needed_index(end, bitmap) == 0;
    if index_in_file {
        aligned("index", f.index_lba, end.at("index_lba"));
    }
    aligned("bitmap", f.bitmap_lba, end.at("bitmap_lba"));
    aligned("END footer", end.offset, end.offset);

    let bitmap_last = !index_in_file || f.bitmap_lba >= f.index_lba;
    if let Some(index) = index.filter(|i| i.span.overlaps(bitmap.span)) {
        let (i, b) = (index.span, bitmap.span);
        report.push(
            Finding::new(&rules::REGION_OVERLAP, "index and bitmap overlap")
                .at(i.start.max(b.start))
                .expected(format!("the bitmap's {} bytes after the index's {}", b.length(), i.length()))
                .found(format!("index at {}, bitmap at {}", i.start, b.start)),
        );
    } else if !bitmap_last {
        report.push(
            Finding::new(&rules::REGION_ORDER, "the bitmap is before the index")
                .at(end.at("bitmap_lba"))
                .expected(format!("after index_lba {}", f.index_lba))
                .found(f.bitmap_lba),
        );
    } else if index_in_file {
        let sizes = [u64::from(f.index_size), u64::from(f.index_seg_num) * u64::from(f.index_seg_size)];
        follows("index", "bitmap", f.index_lba, sizes, f.bitmap_lba, report);
    }
    if bitmap_last {
        let sizes = [u64::from(f.bitmap_size), u64::from(f.bitmap_seg_num) * u64::from(f.bitmap_seg_size)];
        follows("bitmap", "END footer", f.bitmap_lba, sizes, end.offset, report);
    }
}

/// A region ends where the next one begins. Either of the two ways in which END gives its size may say so: a size that
/// is wrong has a rule of its own, and so has a place that is not aligned.
fn follows(name: &str, next_name: &str, start: u64, sizes: [u64; 2], next: u64, report: &mut Report) {
    let ends = sizes.map(|size| start.saturating_add(size));
    if !ends.contains(&next) && next.is_multiple_of(disk::ALIGN) {
        report.push(
            Finding::new(&rules::REGION_GAP, format!("the {next_name} does not follow the {name}"))
                .at(start)
                .expected(format!("the {next_name} at {}", ends[0]))
                .found(next),
        );
    }
}

/// Sizes and counts of END that no reader uses.
pub(crate) fn check_counts(end: &Placed, bitmap: &Bitmap, report: &mut Report) {
    let f = &end.footer;
    let segments = |blocks: u64| blocks.div_ceil(disk::BLOCKS_PER_SEGMENT.into());
    let mut same = |rule: &'static Rule, field: &str, expected: u64, found: u32| {
        if expected != u64::from(found) {
            let finding = Finding::new(rule, format!("{field} in END is wrong"));
            report.push(finding.at(end.at(field)).expected(expected).found(found));
        }
    };
    let (index_segment, bitmap_segment) =
        (u64::from(disk::INDEX_SEGMENT_SIZE), u64::from(disk::BITMAP_SEGMENT_SIZE));
    same(&rules::INDEX_SEG_SIZE, "index_seg_size", index_segment, f.index_seg_size);
    same(&rules::BITMAP_SEG_SIZE, "bitmap_seg_size", bitmap_segment, f.bitmap_seg_size);
    let blocks = segments(f.max_blk_num.into());
    same(&rules::BITMAP_SEG_NUM, "bitmap_seg_num", blocks, f.bitmap_seg_num);
    same(&rules::BITMAP_SIZE, "bitmap_size", blocks * bitmap_segment, f.bitmap_size);
    // How many segments an index by block number has, no reference says.
    if f.index_contains_zero_blk == 0 {
        let records = segments(bitmap.total);
        same(&rules::INDEX_SEG_NUM, "index_seg_num", records, f.index_seg_num);
        same(&rules::INDEX_SIZE, "index_size", records.saturating_mul(index_segment), f.index_size);
    }
}

/// Compares the number of data blocks in END with the bitmap. Readers count bits, so a lower number does no harm; a higher
/// one describes blocks that were written and that the bitmap does not mark.
pub(crate) fn check_data_count(end: &Placed, bitmap: &Bitmap, report: &mut Report) {
    let count = end.footer.non_zero_blk_num;
    if u64::from(count) == bitmap.total {
        return;
    }
    let (message, severity) = if u64::from(count) > bitmap.total {
        ("END counts more data blocks than the bitmap marks: those would be read as zeros", Severity::Error)
    } else {
        ("non_zero_blk_num in END is wrong", rules::DATA_COUNT.severity)
    };
    let finding = Finding::new(&rules::DATA_COUNT, message).severity(severity);
    report.push(finding.at(end.at("non_zero_blk_num")).expected(bitmap.total).found(count));
}

/// Data in a block that readers don't expose whole.
pub(crate) fn check_exposed(end: &Placed, bitmap: &Bitmap, block_size: u64, report: &mut Report) {
    let f = &end.footer;
    let Some(last) = bitmap.last else { return };
    let data_end = (last + 1).saturating_mul(block_size);
    // A curr_size below orig_size is reported with the fields.
    let exposed = footer::exposed_size(f);
    if data_end > exposed && exposed >= f.orig_size {
        report.push(
            Finding::new(&rules::DISK_TOO_SMALL, "curr_size ends within the last data block")
                .at(end.at("curr_size"))
                .in_block(last)
                .expected(format!("at least {data_end}"))
                .found(f.curr_size)
                .severity(Severity::Error),
        );
    }
}
