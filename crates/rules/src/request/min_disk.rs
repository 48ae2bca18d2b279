//! The least size of a disk made from the image.

use imsprep_findings::{Finding, Report};

use super::context::{Context, is_wrapped};
use super::rules::{MIN_DISK, MIN_DISK_CONSOLE, MIN_DISK_LOW, MIN_DISK_TIGHT, MIN_DISK_TOO_SMALL};
use super::{BodyKind, Purpose};
use crate::{Profile, Size};

/// Bytes of what min_disk counts.
pub(super) const GIB: u64 = 1 << 30;

/// What the console offers as the smallest disk, in GB.
const CONSOLE: i64 = 40;

/// The least `min_disk`, in GB, that surely holds a disk of `size` bytes: the least that is greater, as pages disagree on whether
/// one of the same size will do; but no more than `most`, which is the most that may be asked for.
fn min_disk_for(size: u64, most: u64) -> u64 {
    (size / GIB + 1).min(most)
}

/// The range of min_disk in one kind of body, in GB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// No page allows less.
    pub(super) least: i64,
    /// Some page does not allow less.
    pub(super) usual: i64,
    /// No page allows more.
    pub(super) most: i64,
}

impl Range {
    pub(super) fn of(kind: BodyKind, windows: bool, profile: &Profile) -> Self {
        match kind {
            BodyKind::QuickSystem => {
                let request = &profile.request;
                let usual = if windows { request.usual_min_disk_windows } else { request.usual_min_disk };
                Self { least: 1, usual, most: 1024 }
            }
            BodyKind::QuickData => Self { least: 1, usual: 1, most: 1024 },
            BodyKind::CommonSystem => Self { least: 1, usual: 40, most: 1024 },
            BodyKind::CommonData => Self { least: 1, usual: 40, most: 2048 },
        }
    }

    /// The value for a disk of `size` bytes: the least that is greater than the disk, within the range as far as that goes.
    pub(super) fn value_for(self, size: u64) -> i64 {
        let most = u64::try_from(self.most).unwrap_or(u64::MAX);
        i64::try_from(min_disk_for(size, most)).unwrap_or(self.most).max(self.usual).min(self.most)
    }
}

/// The `min_disk` of a quick import of a disk of `size` bytes, in GB: the least that is greater than the disk, and no less than
/// where any page begins the range. `inspect`, `check` and `request` all say this number.
pub fn quick_min_disk(size: u64, purpose: Purpose, windows: bool, profile: &Profile) -> u64 {
    let kind = match purpose {
        Purpose::System => BodyKind::QuickSystem,
        Purpose::Data => BodyKind::QuickData,
    };
    u64::try_from(Range::of(kind, windows, profile).value_for(size)).unwrap_or(0)
}

pub(super) fn check_min_disk(context: &Context<'_>, report: &mut Report) {
    let draft = context.draft;
    let range = Range::of(context.kind, draft.body.names_windows(), context.profile);
    let Some(min_disk) = draft.body.min_disk else {
        // It can't be filled in for a disk that was not unpacked, which a finding of the image's own says.
        let is_unknown = context.facts.is_some_and(is_wrapped);
        if !draft.unreadable.contains("min_disk") && !is_unknown {
            let finding = Finding::new(&MIN_DISK, "min_disk is missing");
            report.push(finding.expected(format!("{} to {}", range.least, range.most)).in_field("min_disk"));
        }
        return;
    };
    if !(range.least..=range.most).contains(&min_disk) {
        let finding = Finding::new(&MIN_DISK, format!("min_disk is {min_disk}"));
        report.push(
            finding
                .expected(format!("{} to {}", range.least, range.most))
                .found(min_disk)
                .in_field("min_disk"),
        );
    } else if min_disk < range.usual {
        let finding = Finding::new(&MIN_DISK_LOW, format!("min_disk is {min_disk}"));
        report
            .push(finding.expected(format!("at least {}", range.usual)).found(min_disk).in_field("min_disk"));
    } else if min_disk < CONSOLE && context.kind.purpose() == Purpose::System {
        let finding = Finding::new(&MIN_DISK_CONSOLE, format!("min_disk is {min_disk}"));
        report.push(finding.expected(format!("at least {CONSOLE}")).found(min_disk).in_field("min_disk"));
    }
    check_against_image(min_disk, context, report);
}

fn check_against_image(min_disk: i64, context: &Context<'_>, report: &mut Report) {
    let Some(facts) = context.facts else { return };
    // What is out of range has been reported; a negative number holds nothing.
    let held = u64::try_from(min_disk).unwrap_or(0).saturating_mul(GIB);
    if let Some(disk) = facts.detection.virtual_size {
        let needed = disk.div_ceil(GIB);
        if held < disk {
            let message = format!("min_disk is {min_disk}, but the disk in the image has {}", Size(disk));
            report.push(
                Finding::new(&MIN_DISK_TOO_SMALL, message)
                    .expected(format!("at least {needed}, better {}", min_disk_for(disk, u64::MAX)))
                    .found(min_disk)
                    .in_field("min_disk"),
            );
            return;
        }
        if held == disk {
            let message = format!("min_disk is {min_disk}, exactly the size of the disk in the image");
            let finding = Finding::new(&MIN_DISK_TIGHT, message).expected(needed + 1).found(min_disk);
            let finding = if min_disk >= 1024 {
                finding.fix(
                    "no higher number is allowed; if the import is refused, shrink the disk below 1024 GiB",
                )
            } else {
                finding
            };
            report.push(finding.in_field("min_disk"));
            return;
        }
    }
    let file = facts.detection.file_size;
    if held <= file {
        let message = format!(
            "min_disk is {min_disk}, and the file has {}; older pages compare min_disk with the file",
            Size(file)
        );
        report.push(
            Finding::new(&MIN_DISK_TIGHT, message)
                .fix(format!("write {}", min_disk_for(file, u64::MAX)))
                .in_field("min_disk"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HUAWEI, OTC};

    #[test]
    fn a_data_disk_has_no_larger_minimum_than_its_size() {
        assert_eq!(quick_min_disk(GIB, Purpose::Data, false, &HUAWEI), 2);
        assert_eq!(quick_min_disk(GIB, Purpose::System, false, &HUAWEI), 10);
        assert_eq!(quick_min_disk(GIB, Purpose::System, true, &HUAWEI), 20);
        assert_eq!(quick_min_disk(GIB, Purpose::System, true, &OTC), 2);
    }

    #[test]
    fn the_value_filled_in_is_greater_than_the_disk_and_within_the_range() {
        let value = |profile, size| Range::of(BodyKind::QuickSystem, false, profile).value_for(size);
        for (size, huawei, otc) in [
            (0, 10, 1),
            (512 << 10, 10, 1),
            (GIB - 1, 10, 1),
            (GIB, 10, 2),
            (40 * GIB, 41, 41),
            (40 * GIB + 1, 41, 41),
            (41 * GIB - 1, 41, 41),
            (1023 * GIB, 1024, 1024),
            (1024 * GIB, 1024, 1024),
            (u64::MAX, 1024, 1024),
        ] {
            assert_eq!((value(&HUAWEI, size), value(&OTC, size)), (huawei, otc), "{size}");
        }
        assert_eq!(Range::of(BodyKind::QuickSystem, true, &HUAWEI).value_for(1), 20);
        assert_eq!(Range::of(BodyKind::CommonData, false, &OTC).value_for(5 << 30), 40);
    }
}
