//! What a bitmap file says, compared with what the image holds.

use imsprep_findings::{Finding, Report};
use imsprep_source::BlockMap;

use crate::binary::MapForm;
use crate::layout::{Form, Layout, NotThisLayout, ZVHD2};
use crate::rules::{
    BITMAP_DAMAGED, BITMAP_UNRECOGNISED, BITMAP_WRONG_SIZE, DATA_MARKED_ZERO, ZERO_MARKED_DATA,
};

/// A finding for each block in which the bitmap and the content differ. Offsets are the image's.
///
/// Both maps must be of the same image size and block size.
pub fn check_against_content(claimed: &BlockMap, content: &BlockMap, report: &mut Report) {
    for block in claimed.differing_blocks(content) {
        let offset = block * content.block_size().bytes();
        let (rule, message) = if content.is_data(block) {
            (&DATA_MARKED_ZERO, "holds data, but the bitmap marks it zero")
        } else {
            (&ZERO_MARKED_DATA, "contains only zeros, but the bitmap marks it data")
        };
        let finding =
            Finding::new(rule, format!("block {block}, at offset {offset} of the image, {message}"));
        report.push(finding.in_block(block).at(offset));
    }
}

/// What can be said of a bitmap file in no known layout once the content is known: that it is the default layout for
/// another image size, if its bits show that; else only that it is unrecognised.
///
/// The bits show it if they agree with the content as far as both go, and have both data and zero blocks there: a file
/// that is all ones or all zeros would agree with much.
pub fn check_unrecognised_against_content(bytes: &[u8], why: &str, content: &BlockMap, report: &mut Report) {
    report.push(match agrees_but_for_length(&ZVHD2, bytes, content) {
        Some(expected) => {
            let message = format!(
                "{} bytes in layout {}, for an image of another size: the bitmap of this image has {expected} bytes",
                bytes.len(),
                ZVHD2.name
            );
            Finding::new(&BITMAP_WRONG_SIZE, message).expected(expected).found(bytes.len())
        }
        None => unrecognised(why),
    });
}

/// The finding that a bitmap file is in no known layout.
pub(crate) fn unrecognised(why: &str) -> Finding {
    Finding::new(
        &BITMAP_UNRECOGNISED,
        format!("unrecognised bitmap file ({why}); its content was not checked"),
    )
}

/// The finding that a bitmap file says itself that it is of an image of another size.
pub(crate) fn other_size(layout: &Layout, said: u64, image_size: u64) -> Finding {
    let message = format!("a bitmap in layout {}, for an image of another size", layout.name);
    Finding::new(&BITMAP_WRONG_SIZE, message)
        .expected(format!("an image of {image_size} bytes"))
        .found(format!("an image of {said} bytes"))
}

/// The finding that a file has the signs of a layout, and a fault.
pub(crate) fn damaged(layout: &Layout, why: &NotThisLayout) -> Finding {
    let finding =
        Finding::new(&BITMAP_DAMAGED, format!("a bitmap in layout {}, damaged: {why}", layout.name));
    match why {
        NotThisLayout::Padding { offset }
        | NotThisLayout::Cell { offset }
        | NotThisLayout::Run { offset }
        | NotThisLayout::Constant { offset } => finding.at(*offset),
        NotThisLayout::Field { offset, expected, found, .. } => {
            finding.at(*offset).expected(expected).found(found)
        }
        _ => finding,
    }
}

fn agrees_but_for_length(layout: &Layout, bytes: &[u8], content: &BlockMap) -> Option<u64> {
    let Form::Binary(description) = &layout.form else { return None };
    let MapForm::Bits(form) = description.map else { return None };
    let expected = layout.encoded_len(content.image_size())?;
    let unit = description.padding.unit as usize;
    if bytes.len() as u64 == expected || !bytes.len().is_multiple_of(unit) {
        return None;
    }
    let bits = (bytes.len() as u64).saturating_mul(8);
    let common = bits.saturating_mul(layout.block_size.bytes()).min(content.image_size());
    let claimed = form.decode_prefix(bytes, layout.block_size, common)?;
    let content = content.in_blocks_of(layout.block_size)?;
    let data = claimed.data_count();
    let telling = data > 0 && data < claimed.block_count();
    (telling && claimed.differing_blocks(&content).next().is_none()).then_some(expected)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use imsprep_findings::Severity;
    use imsprep_source::BlockSize;

    use super::*;

    fn map(blocks: u64, data: impl IntoIterator<Item = u64>) -> BlockMap {
        let mut map = BlockMap::zeroed(Path::new("x"), blocks << 21, BlockSize::MIB_2).unwrap();
        data.into_iter().for_each(|block| map.set(block, true));
        map
    }

    #[test]
    fn each_wrong_bit_is_a_finding_with_its_block_and_offset() {
        let mut report = Report::new();
        check_against_content(&map(9, [0, 3, 8]), &map(9, [0, 4, 8]), &mut report);
        let found = report.findings().iter().map(|f| (f.rule.code, f.severity, f.block, f.offset));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                ("BM-002", Severity::Warning, Some(3), Some(3 << 21)),
                ("BM-001", Severity::Error, Some(4), Some(4 << 21))
            ]
        );
        let mut report = Report::new();
        check_against_content(&map(9, [0, 3, 8]), &map(9, [0, 3, 8]), &mut report);
        assert_eq!(report, Report::new());
    }

    #[test]
    fn another_images_size_shows_only_by_bits_that_agree() {
        let verdict = |bytes: &[u8], content: &BlockMap| {
            let mut report = Report::new();
            check_unrecognised_against_content(bytes, "why", content, &mut report);
            report.findings()[0].rule.code
        };
        let big = map(40_000, [0, 7, 39_999]);
        let small = map(100, [0, 7]);
        let of_small = ZVHD2.encode(&small).unwrap();
        assert_eq!(verdict(&of_small, &big), "BM-004");
        assert_eq!(verdict(&ZVHD2.encode(&big).unwrap(), &small), "BM-004");
        // Other bits: nothing is known of it.
        assert_eq!(verdict(&of_small, &map(40_000, [0, 8])), "BM-006");
        // All ones agree with an image full of data, whatever the layout is.
        assert_eq!(verdict(&[0xff; 4096], &map(40_000, 0..40_000)), "BM-006");
        assert_eq!(verdict(&of_small[..4000], &big), "BM-006");
    }
}
