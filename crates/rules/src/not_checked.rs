//! What a check did not look at, and what no look at a file can tell.

use imsprep_findings::Report;
use imsprep_guest::NotKnown;
use imsprep_inspect::{Inspection, OsFamily, Partition, State, Volume, VolumeKind};

use crate::{Intent, Profile};

/// Whether the disk was inspected.
#[derive(Clone, Copy, Debug)]
pub enum Inspected<'a> {
    /// Yes, and saw this.
    Inside(&'a Inspection),
    /// No, for this reason.
    Nothing(&'a str),
}

/// Whether the operating system was looked at.
#[derive(Clone, Copy, Debug)]
pub enum SystemSeen<'a> {
    /// Its files were read and judged; what of them was not is in the report.
    Judged,
    /// Nothing is asked of it: the disk is a data disk, as the user says.
    DataDisk,
    /// Nothing is asked of it: the disk looks like a data disk.
    LooksLikeDataDisk,
    /// The files were read, and there is no system, or none that could be read, for these reasons.
    NoSystem(&'a [NotKnown]),
    /// Its files were not read, for this reason.
    Nothing(&'a str),
}

/// Lists what the service asks for and this check did not look at.
pub fn not_checkable(
    sight: Inspected<'_>,
    seen: SystemSeen<'_>,
    profile: &Profile,
    intent: &Intent,
    report: &mut Report,
) {
    match sight {
        Inspected::Nothing(why) => report.push_not_checked("partitions and file systems", why),
        Inspected::Inside(inspection) => list_unread(inspection, seen, report),
    }
    if let Some(why) = why_no_system(seen) {
        report.push_not_checked("the operating system", why);
    }
    let system = match sight {
        Inspected::Inside(inspection) => inspection.summary.system,
        Inspected::Nothing(_) => OsFamily::Unknown,
    };
    if let Some(doubt) = profile.windows_doubt.filter(|_| system == OsFamily::Unknown) {
        report.push_not_checked("whether the system is Windows", doubt);
    }
    let what = match intent.prefix {
        None => "bucket, prefix, storage class and request",
        Some(_) => "bucket, storage class and request",
    };
    report.push_not_checked(what, "they are not part of the file");
}

/// Why nothing can be said of the operating system; `None` if it was judged, or is not asked for.
fn why_no_system(seen: SystemSeen<'_>) -> Option<String> {
    match seen {
        SystemSeen::Judged | SystemSeen::DataDisk => None,
        SystemSeen::LooksLikeDataDisk => {
            Some("the disk looks like a data disk; of a system disk say --purpose system".into())
        }
        SystemSeen::NoSystem([]) => Some("no volume of the disk has the files of a system".into()),
        SystemSeen::NoSystem(reasons) => {
            let reasons = reasons.iter().take(3).map(NotKnown::to_string).collect::<Vec<_>>();
            Some(reasons.join("; "))
        }
        SystemSeen::Nothing(why) => Some(why.to_owned()),
    }
}

/// What inspection met and could not read, or does not read.
fn list_unread(inspection: &Inspection, seen: SystemSeen<'_>, report: &mut Report) {
    for (partition, volume) in inspection.volumes() {
        list_unread_of(partition, volume, seen, report);
    }
    for system in &inspection.boot.efi {
        if let Some(why) = system.unread {
            report.push_not_checked(format!("the boot loaders on {}", name_of(system.partition)), why);
        }
    }
}

fn list_unread_of(partition: Option<&Partition>, volume: &Volume, seen: SystemSeen<'_>, report: &mut Report) {
    let name = name_of(partition.map(|partition| partition.number));
    if volume.state == State::Unknown {
        let what = format!("whether the file system on {name} was cleanly unmounted");
        report.push_not_checked(
            what,
            format!("the {} has no record of it that can be read", volume.kind.name()),
        );
    }
    match &volume.kind {
        VolumeKind::Lvm(lvm) => {
            if let Some(why) = lvm.unread {
                report.push_not_checked(format!("the LVM volume group on {name}"), why);
            }
            // If the system was read, its facts include the volumes in it.
            if !matches!(seen, SystemSeen::Judged) {
                let what = format!("file systems in the LVM on {name}");
                report.push_not_checked(what, "logical volumes are read only for the operating system");
            }
        }
        VolumeKind::MdRaid(_) if !matches!(seen, SystemSeen::Judged) => {
            report.push_not_checked(format!("the content of the RAID on {name}"), "arrays are not read");
        }
        _ => {}
    }
}

fn name_of(partition: Option<u32>) -> String {
    partition.map_or_else(|| "the disk".into(), |number| format!("partition {number}"))
}
