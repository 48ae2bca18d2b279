//! Files that are no disk: what is left when a RAW shows nothing known.

use std::path::Path;

use imsprep_detect::{Detection, Fact, Format};
use imsprep_findings::{Finding, Report, Severity};
use imsprep_inspect::{Inspection, VolumeKind};

use crate::Size;
use crate::rules::{EMPTY, NAME_DENIED, NO_DISK};

/// What a RAW that shows nothing known is smaller than if it can't be a disk that anybody imports: a partition table with
/// the usual alignment, and one partition.
const SMALLEST: u64 = 1 << 20;

/// Whether a disk has a partition table, a file system, or anything else that is known.
pub fn is_known(inspection: &Inspection) -> bool {
    let whole = inspection.whole.as_ref();
    let is_known = whole.is_some_and(|whole| !matches!(whole.kind, VolumeKind::Unknown | VolumeKind::Empty));
    inspection.table.is_some() || is_known
}

/// Whether a file is RAW only because it is nothing else, as far as detection shows. What lies further on the disk
/// [`is_known`] shows.
pub fn shows_nothing(detection: &Detection) -> bool {
    detection.format == Format::Raw && detection.evidence.is_empty()
}

/// Why a file in which nothing is known is no disk; `None` if it may be one. `all_zeros` says that it holds zeros alone.
pub fn no_disk(path: &Path, detection: &Detection, all_zeros: bool) -> Option<Finding> {
    let size = Size(detection.file_size);
    let is_text = detection.facts.contains(&Fact::OnlyText);
    if let Some(format) = named(path) {
        let content = match (is_text, all_zeros) {
            (true, _) => "only text",
            (_, true) => "only zeros",
            _ => "no known content",
        };
        let message = format!("the extension is that of {format}; the file contains {content}");
        let finding = Finding::new(&NAME_DENIED, message).expected(format.name()).found(content);
        return Some(if is_text { finding.fix(READ_IT) } else { finding });
    }
    if is_text {
        let message = format!("the file contains {size} of text");
        return Some(Finding::new(&NO_DISK, message).found("text").fix(READ_IT));
    }
    // A small disk of zeros is an empty one.
    if detection.file_size < SMALLEST && !all_zeros {
        let message = format!(
            "the content is not recognised, and the file has only {size}, which is smaller than any disk"
        );
        return Some(
            Finding::new(&NO_DISK, message).expected(format!("at least {}", Size(SMALLEST))).found(size),
        );
    }
    None
}

/// Why a file of no bytes is no disk.
pub fn empty_file() -> Finding {
    Finding::new(&EMPTY, "the file is empty")
}

/// Whether a report says for certain that the file is no disk, so that what else a disk needs is of no use.
pub fn says_no_disk(report: &Report) -> bool {
    let is_it =
        |finding: &Finding| [&NAME_DENIED, &NO_DISK].iter().any(|rule| rule.code == finding.rule.code);
    report.findings().iter().any(|finding| is_it(finding) && finding.severity == Severity::Error)
}

/// What to do with a text in an image's place.
const READ_IT: &str = "read the file: it may be an error page that was downloaded instead of the image, a pointer \
 of Git LFS (then run git lfs pull), or a list; then download the image itself";

/// The format that the name describes, if that is none that a RAW disk may be called by.
fn named(path: &Path) -> Option<Format> {
    let format = Format::of_extension(path.extension()?.to_str()?)?;
    // A RAW may be called .dmg, too, but then something is known in it; a UDIF shows only by its end.
    if format == Format::Raw {
        return None;
    }
    let is_extent = format == Format::Vmdk
        && path.file_stem().is_some_and(|stem| is_raw_extent(&stem.to_string_lossy().to_ascii_lowercase()));
    (!is_extent).then_some(format)
}

/// Whether a VMDK's name, in lower case and without the extension, is that of a file with a RAW disk or a part of one:
/// `disk-flat`, `disk-f001`, `disk-rdmp`.
fn is_raw_extent(stem: &str) -> bool {
    let number = stem.rsplit_once("-f").map(|(_, number)| number);
    ["-flat", "-rdm", "-rdmp"].iter().any(|end| stem.ends_with(end))
        || number.is_some_and(|n| n.len() == 3 && n.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_raw_disk_may_have() {
        for (name, format) in [
            ("a.qcow2", Some(Format::Qcow2)),
            ("a.QCOW2", Some(Format::Qcow2)),
            ("a.raw.vmdk", Some(Format::Vmdk)),
            ("a-s001.vmdk", Some(Format::Vmdk)),
            ("a.ova", Some(Format::Tar)),
            ("a.raw.gz", Some(Format::Gzip)),
            ("a-flat.vmdk", None),
            ("A-FLAT.VMDK", None),
            ("a-f001.vmdk", None),
            ("a-rdmp.vmdk", None),
            ("a-flat.vhd", Some(Format::Vhd)),
            ("a.raw", None),
            ("a.img", None),
            ("a", None),
            ("a.dmg", Some(Format::Dmg)),
        ] {
            assert_eq!(named(Path::new(name)), format, "{name}");
        }
    }
}
