//! The three footers: finding them, and what their fields must be.

use imsprep_findings::{Finding, Report, Rule, Severity};
use imsprep_ondisk::format::zvhd2::{self as disk, Footer};
use imsprep_source::{ReadAt, ReadAtExt};

use crate::{Error, rules};

/// A footer, where it was found, and the bytes it came from.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) name: &'static str,
    pub(crate) offset: u64,
    pub(crate) bytes: [u8; Footer::SIZE],
    pub(crate) footer: Footer,
}

/// Which format the footers say it is, and where they are.
#[derive(Debug)]
pub(crate) enum Footers {
    /// ZVHD version 1.
    V1 { head: Placed, end: Option<Placed> },
    /// ZVHD2. `head` has the cookie only if `head.footer.is_v2()`; `end` always does.
    V2 { head: Placed, end: Option<Placed> },
}

/// How far from the end of the file an END is searched for that has bytes after it.
const TRAILING_WINDOW: u64 = 1 << 20;

impl Placed {
    /// The footer at `offset`, which must be in the file.
    pub(crate) fn read(source: &dyn ReadAt, name: &'static str, offset: u64) -> Result<Self, Error> {
        let bytes = source.read_array(offset)?;
        Ok(Self { name, offset, footer: Footer::decode(&bytes), bytes })
    }

    /// The offset in the file of the named field.
    pub(crate) fn at(&self, field: &str) -> u64 {
        let offset = disk::FIELDS.iter().find(|f| f.name == field).map_or(0, |f| f.offset);
        self.offset.saturating_add(offset as u64)
    }

    pub(crate) fn checksum_ok(&self) -> bool {
        disk::checksum(&self.bytes) == self.footer.checksum
    }

    /// A finding about one field.
    fn wrong(
        &self,
        rule: &'static Rule,
        field: &str,
        expected: impl ToString,
        found: impl ToString,
    ) -> Finding {
        Finding::new(rule, format!("{field} in {} is wrong", self.name))
            .at(self.at(field))
            .expected(expected)
            .found(found)
    }
}

impl Footers {
    /// Looks at both ends of the file, and for a misplaced END.
    pub(crate) fn find(source: &dyn ReadAt) -> Result<Self, Error> {
        let size = source.size();
        let mut bytes = [0; Footer::SIZE];
        let there = usize::try_from(size).unwrap_or(usize::MAX).min(Footer::SIZE);
        source.read_at(bytes.get_mut(..there).unwrap_or_default(), 0)?;
        let head = Placed { name: "HEAD", offset: 0, footer: Footer::decode(&bytes), bytes };
        let last = match size.checked_sub(disk::ALIGN) {
            Some(offset) => Some(Placed::read(source, "END", offset)?),
            None => None,
        };
        let last_is = |is: fn(&Footer) -> bool| last.as_ref().is_some_and(|l| is(&l.footer));
        if last_is(Footer::is_v2) {
            return Ok(Self::V2 { head, end: last });
        }
        if head.footer.is_v2() {
            return Ok(Self::V2 { head, end: find_misplaced_end(source)? });
        }
        if head.footer.is_v1() || last_is(Footer::is_v1) {
            return Ok(Self::V1 { head, end: last.filter(|l| l.footer.is_v1()) });
        }
        Err(Error::NotZvhd2 { path: source.path().to_owned() })
    }
}

/// An END that has bytes after it: it is sound, and its bitmap ends where it begins.
pub(crate) fn find_misplaced_end(source: &dyn ReadAt) -> Result<Option<Placed>, Error> {
    let Some(last) = source.size().checked_sub(disk::ALIGN) else { return Ok(None) };
    let mut offset = last - last % disk::ALIGN;
    let lowest = last.saturating_sub(TRAILING_WINDOW);
    loop {
        let placed = Placed::read(source, "END", offset)?;
        let footer = &placed.footer;
        let bitmap_end = footer.bitmap_lba.checked_add(footer.bitmap_size.into());
        let whole_file = if offset == 0 { footer.orig_size == 0 } else { bitmap_end == Some(offset) };
        if footer.is_v2() && placed.checksum_ok() && whole_file {
            return Ok(Some(placed));
        }
        match offset.checked_sub(disk::ALIGN) {
            Some(next) if next >= lowest => offset = next,
            _ => return Ok(None),
        }
    }
}

/// That there is no END in the file.
pub(crate) fn report_no_end(source: &dyn ReadAt, report: &mut Report) {
    let size = source.size();
    let Some(last) = size.checked_sub(disk::ALIGN) else {
        let finding = Finding::new(&rules::TOO_SHORT, "the file ends within its first footer").at(size);
        report.push(finding.expected("at least 4096 bytes").found(size));
        return;
    };
    let finding = Finding::new(&rules::END_MISSING, "the last 4096 bytes are not an END footer").at(last);
    report.push(finding.expected("z2strm").found(
        "other bytes, and no END in the 1 MiB before them: the file is truncated, or it is another file",
    ));
}

/// What must hold for END, wherever the index reader's verdict comes from it.
pub(crate) fn check_end(source: &dyn ReadAt, end: &Placed, report: &mut Report) {
    let trailing = source.size() - end.offset - disk::ALIGN;
    if trailing != 0 {
        let file_end = end.offset + disk::ALIGN;
        let finding =
            Finding::new(&rules::TRAILING_BYTES, "the file continues after its END footer").at(file_end);
        let fix = format!("truncate the file: `truncate -s {file_end} FILE`");
        report.push(finding.found(format!("{trailing} bytes more")).template(fix));
    } else if !source.size().is_multiple_of(disk::SECTOR) {
        let size = source.size();
        let finding =
            Finding::new(&rules::FILE_LENGTH, "the file's length is not a multiple of 512").at(size);
        report.push(finding.expected("whole sectors of 512 bytes").found(format!("{size} bytes")));
    }
    check_checksum(end, &rules::END_CHECKSUM, report);
    check_frame(end, report);
    check_fields(end, report);
}

/// What must hold for HEAD in a file that has an END.
pub(crate) fn check_head(head: &Placed, end: &Placed, report: &mut Report) {
    if !head.footer.is_v2() {
        let finding = Finding::new(&rules::HEAD_COOKIE, "the file does not begin with a footer").at(0);
        let found = head.footer.cookie.escape_ascii();
        report.push(finding.expected(disk::COOKIE.escape_ascii()).found(found));
        return;
    }
    check_head_frame(head, report);
    check_agrees(head, end, &rules::HEAD_DIFFERS, report);
    // Any other value makes readers look at END.
    if head.footer.zvhd2_version == disk::VERSION_SEQUENTIAL {
        report.push(head.wrong(&rules::NO_INDEX, "zvhd2_version", disk::VERSION_INDEXED, 0));
    }
}

/// What holds for HEAD, whatever END says.
pub(crate) fn check_head_frame(head: &Placed, report: &mut Report) {
    check_checksum(head, &rules::HEAD_CHECKSUM, report);
    check_frame(head, report);
    check_end_fields_absent(head, &rules::HEAD_INDEX, &["non_zero_blk_num"], report);
}

/// A file that is HEAD alone must be a disk of size 0.
pub(crate) fn check_written(head: &Placed, report: &mut Report) {
    let size = head.footer.orig_size;
    if size != 0 {
        let finding = Finding::new(&rules::NEVER_WRITTEN, "the file contains only HEAD");
        report.push(finding.at(head.at("orig_size")).expected("a disk of 0 bytes").found(size));
    }
}

/// The fields that say what the disk is: of END, or of HEAD where there is no END.
pub(crate) fn check_fields(placed: &Placed, report: &mut Report) {
    let f = &placed.footer;
    let mut same = |rule, field: &str, expected: u64, found: u64| {
        if expected != found {
            report.push(placed.wrong(rule, field, expected, found));
        }
    };
    same(&rules::FEATURES, "features", disk::FEATURES.into(), f.features.into());
    same(&rules::FF_VERSION, "ff_version", disk::FF_VERSION.into(), f.ff_version.into());
    same(&rules::DATA_OFFSET, "data_offset", disk::DATA_OFFSET, f.data_offset);
    same(&rules::DISK_TYPE, "type", disk::TYPE.into(), f.disk_type.into());
    same(&rules::CREATOR, "crtr_os", 0, f.crtr_os.into());
    same(&rules::GEOMETRY, "geometry", disk::geometry(f.orig_size).into(), f.geometry.into());
    same(&rules::FLAGS, "saved", 0, f.saved.into());
    same(&rules::FLAGS, "hidden", 0, f.hidden.into());
    same(&rules::FLAGS, "align_64", 0, f.align_64.into());
    same(&rules::BLOCK_SIZE, "block_size", disk::BLOCK_SIZE.into(), f.block_size.into());
    same(&rules::INDEX_BY_BLOCK, "index_contains_zero_blk", 0, f.index_contains_zero_blk.into());
    same(&rules::BLOCK_COUNT, "max_blk_num", f.orig_size.div_ceil(block_size(f)), f.max_blk_num.into());
    match f.zvhd2_version {
        disk::VERSION_INDEXED => {}
        disk::VERSION_SEQUENTIAL => same(&rules::NO_INDEX, "zvhd2_version", 1, 0),
        other => same(&rules::VERSION_UNKNOWN, "zvhd2_version", 1, other.into()),
    }
    if method(f).is_none() {
        let found = f.compress_method;
        report.push(placed.wrong(&rules::METHOD, "compress_method", "1 (zstd) or 0 (zlib)", found));
    }
    if f.crtr_app != disk::CREATOR_APP {
        report.push(placed.wrong(&rules::CREATOR, "crtr_app", "tap", f.crtr_app.escape_ascii()));
    }
    if f.crtr_ver != disk::CREATOR_VERSION {
        let known = f.crtr_ver == disk::CREATOR_VERSION_OLD;
        let severity = if known { Severity::Note } else { Severity::Warning };
        let found = format!("{:#010x}", f.crtr_ver);
        report.push(placed.wrong(&rules::CREATOR, "crtr_ver", "0x00010004", found).severity(severity));
    }
    if !f.orig_size.is_multiple_of(disk::SECTOR) {
        report.push(placed.wrong(&rules::ORIG_SIZE, "orig_size", "a multiple of 512", f.orig_size));
    }
    let canonical = f.orig_size.checked_next_multiple_of(disk::DISK_SIZE_STEP);
    let expected = canonical.map_or("a size below 2^64".to_owned(), |c| c.to_string());
    if exposed_size(f) < f.orig_size {
        report.push(placed.wrong(&rules::DISK_TOO_SMALL, "curr_size", expected, f.curr_size));
    } else if Some(f.curr_size) != canonical {
        report.push(placed.wrong(&rules::DISK_SIZE, "curr_size", expected, f.curr_size));
    }
    let covered = covered_size(f);
    if f.curr_size > covered {
        let expected = format!("at most {covered}, by max_blk_num {}", f.max_blk_num);
        report.push(placed.wrong(&rules::TOO_FEW_SEGMENTS, "curr_size", expected, f.curr_size));
    }
}

/// Bytes of the disk that readers expose: whole sectors.
pub(crate) fn exposed_size(footer: &Footer) -> u64 {
    footer.curr_size - footer.curr_size % disk::SECTOR
}

/// Bytes of the largest disk that the index reader has bitmap segments for. It counts them in 32 bits, so that the largest
/// values of max_blk_num have none.
fn covered_size(footer: &Footer) -> u64 {
    let segments = footer.max_blk_num.wrapping_add(disk::BLOCKS_PER_SEGMENT - 1) / disk::BLOCKS_PER_SEGMENT;
    u64::from(segments) * u64::from(disk::BLOCKS_PER_SEGMENT) * u64::from(disk::BLOCK_SIZE)
}

/// What each of the footers must be, whatever the others hold.
pub(crate) fn check_frame(placed: &Placed, report: &mut Report) {
    let f = &placed.footer;
    if f.cookie != disk::COOKIE {
        let found = f.cookie.escape_ascii();
        report.push(placed.wrong(&rules::COOKIE_PADDING, "cookie", disk::COOKIE.escape_ascii(), found));
    }
    if let Some(first) = f.reserved.iter().position(|byte| *byte != 0) {
        let count = f.reserved.iter().filter(|byte| **byte != 0).count();
        report.push(
            Finding::new(&rules::RESERVED, format!("reserved bytes of {} are not zero", placed.name))
                .at(placed.at("reserved").saturating_add(first as u64))
                .expected("zeros")
                .found(format!("{count} bytes that are not zero")),
        );
    }
}

/// The checksum, for HEAD and END. MID's is wrong in files of the reference.
pub(crate) fn check_checksum(placed: &Placed, rule: &'static Rule, report: &mut Report) {
    if !placed.checksum_ok() {
        let expected = format!("{:#010x}", disk::checksum(&placed.bytes));
        report.push(placed.wrong(rule, "checksum", expected, format!("{:#010x}", placed.footer.checksum)));
    }
}

/// Fields that have their value in END alone.
const END_ONLY: [&str; 8] = [
    "index_lba",
    "bitmap_lba",
    "index_size",
    "bitmap_size",
    "index_seg_size",
    "bitmap_seg_size",
    "index_seg_num",
    "bitmap_seg_num",
];

/// Fields that are not the same in all footers, or are checked elsewhere.
const NOT_COMPARED: [&str; 5] =
    ["cookie", "checksum", "non_zero_blk_num", "index_contains_zero_blk", "reserved"];

/// Compares HEAD or MID with END.
pub(crate) fn check_agrees(placed: &Placed, end: &Placed, rule: &'static Rule, report: &mut Report) {
    let show = |field: &disk::Field, from: &Placed| match field.value(&from.bytes) {
        Some(number) => number.to_string(),
        None => field.bytes(&from.bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    for field in
        disk::FIELDS.iter().filter(|f| !NOT_COMPARED.contains(&f.name) && !END_ONLY.contains(&f.name))
    {
        if field.bytes(&placed.bytes) != field.bytes(&end.bytes) {
            report.push(
                Finding::new(rule, format!("{} differs between {} and END", field.name, placed.name))
                    .at(placed.at(field.name))
                    .expected(format!("{} as in END", show(field, end)))
                    .found(show(field, placed)),
            );
        }
    }
}

/// The fields of END must be 0 in HEAD and MID.
pub(crate) fn check_end_fields_absent(
    placed: &Placed,
    rule: &'static Rule,
    also: &[&str],
    report: &mut Report,
) {
    let fields = disk::FIELDS.iter().filter(|f| END_ONLY.contains(&f.name) || also.contains(&f.name));
    for (field, value) in fields.filter_map(|f| Some((f, f.value(&placed.bytes)?))) {
        if value != 0 {
            report.push(placed.wrong(rule, field.name, 0, value));
        }
    }
}

/// How the payloads are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One zlib stream for each record, ended by a sync flush.
    Zlib,
    /// One zstd frame for each record.
    Zstd,
}

impl Method {
    /// The word for it: `zlib` or `zstd`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        }
    }
}

/// The method that the footer names, if there is such a one.
pub(crate) fn method(footer: &Footer) -> Option<Method> {
    match footer.compress_method {
        disk::METHOD_ZLIB => Some(Method::Zlib),
        disk::METHOD_ZSTD => Some(Method::Zstd),
        _ => None,
    }
}

/// The footer's block size if a block can have it, else 2 MiB. So it is never 0, and never large.
pub(crate) fn block_size(footer: &Footer) -> u64 {
    let size = footer.block_size;
    let possible = size.is_power_of_two() && (disk::BLOCK_SIZE_MIN..=disk::BLOCK_SIZE_MAX).contains(&size);
    u64::from(if possible { size } else { disk::BLOCK_SIZE })
}
