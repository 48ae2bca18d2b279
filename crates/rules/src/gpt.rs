//! Where the backup of a GPT will be after an import.

use imsprep_detect::{Detection, Evidence, Format};
use imsprep_findings::{Finding, Report};

use crate::Size;
use crate::rules::BACKUP_GPT;

const GIB: u64 = 1 << 30;

/// Warns of a GPT on a disk whose source image has `size` bytes, not a whole number of GiB, be it imported as RAW or as
/// ZVHD2. `disk` is what was found on the disk, not what was found out about a container that it lies in.
pub fn check_backup_gpt(disk: &Detection, size: u64, report: &mut Report) {
    let has_gpt = disk.format == Format::Raw && disk.evidence.contains(&Evidence::Gpt);
    if !has_gpt || size.is_multiple_of(GIB) {
        return;
    }
    let gib = size.div_ceil(GIB);
    let fix = format!(
        "enlarge the RAW and move the backup header, before it is converted or imported: truncate -s {gib}G RAW && \
         sgdisk -e RAW"
    );
    report.push(
        Finding::new(&BACKUP_GPT, "the disk has a GPT and is not a whole number of GiB")
            .expected(format!("a multiple of 1 GiB, such as {}", Size(gib.saturating_mul(GIB))))
            .found(Size(size))
            .fix(fix),
    );
}
