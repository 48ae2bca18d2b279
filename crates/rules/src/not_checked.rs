//! What a check did not look at, and what no look at a file can tell.

use imsprep_findings::Report;
use imsprep_inspect::{Inspection, OsFamily, Partition, State, Volume, VolumeKind};

use crate::{Intent, Profile};

/// Whether somebody looked into the disk.
#[derive(Clone, Copy, Debug)]
pub enum Inspected<'a> {
    /// Yes, and saw this.
    Inside(&'a Inspection),
    /// No, for this reason.
    Nothing(&'a str),
}

/// Lists what the service asks for and this check did not look at.
pub fn not_checkable(sight: Inspected<'_>, profile: &Profile, intent: &Intent, report: &mut Report) {
    match sight {
        Inspected::Nothing(why) => report.push_not_checked("partitions and file systems", why),
        Inspected::Inside(inspection) => list_unread(inspection, report),
    }
    report.push_not_checked(
        "the operating system",
        "virtio drivers in the initramfs, cloud-init, DHCP, fstab by UUID, password rules and the version can't be seen \
         from outside",
    );
    let system = match sight {
        Inspected::Inside(inspection) => inspection.summary.system,
        Inspected::Nothing(_) => OsFamily::Unknown,
    };
    if let Some(doubt) = profile.windows_doubt.filter(|_| system == OsFamily::Unknown) {
        report.push_not_checked("whether it is a Windows", doubt);
    }
    let what = match intent.prefix {
        None => "bucket, prefix, storage class and request",
        Some(_) => "bucket, storage class and request",
    };
    report.push_not_checked(what, "they are not part of the file");
}

/// What inspection met and could not read, or does not read.
fn list_unread(inspection: &Inspection, report: &mut Report) {
    for (partition, volume) in inspection.volumes() {
        list_unread_of(partition, volume, report);
    }
    for system in &inspection.boot.efi {
        if let Some(why) = system.unread {
            report.push_not_checked(format!("the boot loaders on {}", name_of(system.partition)), why);
        }
    }
}

fn list_unread_of(partition: Option<&Partition>, volume: &Volume, report: &mut Report) {
    let name = name_of(partition.map(|partition| partition.number));
    if volume.state == State::Unknown {
        let what = format!("whether the file system on {name} was left in order");
        report.push_not_checked(what, format!("of this {} it could not be found out", volume.kind.name()));
    }
    match &volume.kind {
        VolumeKind::Lvm(lvm) => {
            if let Some(why) = lvm.unread {
                report.push_not_checked(format!("the LVM volume group on {name}"), why);
            }
            let what = format!("file systems in the LVM on {name}");
            report.push_not_checked(what, "logical volumes are not looked into");
        }
        VolumeKind::MdRaid(_) => {
            report.push_not_checked(format!("what is in the RAID on {name}"), "arrays are not looked into");
        }
        _ => {}
    }
}

fn name_of(partition: Option<u32>) -> String {
    partition.map_or_else(|| "the disk".into(), |number| format!("partition {number}"))
}
