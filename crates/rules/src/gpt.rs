//! Where the backup of a GPT will be after an import.

use imsprep_detect::{Detection, Evidence, Format};
use imsprep_findings::{Finding, Report};

use crate::Size;
use crate::rules::BACKUP_GPT;

const GIB: u64 = 1 << 30;

/// Warns of a GPT on a RAW disk that is not a whole number of GiB, be it imported as it is or as ZVHD2.
pub fn check_backup_gpt(detection: &Detection, report: &mut Report) {
    let size = detection.virtual_size.unwrap_or(0);
    let has_gpt = detection.format == Format::Raw && detection.evidence.contains(&Evidence::Gpt);
    if !has_gpt || size.is_multiple_of(GIB) {
        return;
    }
    let gib = size.div_ceil(GIB);
    let message = "the disk has a GPT and is not a whole number of GiB";
    let fix =
        format!("enlarge the image and move the backup header: truncate -s {gib}G FILE && sgdisk -e FILE");
    report.push(
        Finding::new(&BACKUP_GPT, message)
            .expected(format!("a multiple of {}, such as {}", Size(GIB), Size(gib.saturating_mul(GIB))))
            .found(Size(size))
            .fix(fix),
    );
}
