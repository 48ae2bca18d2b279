//! What the system mounts when it boots.

use imsprep_findings::{Finding, Rule};
use imsprep_guest::{Linux, Lookup, MountFact, Origin};

use super::commands::{in_system, plain};
use super::judgement::{Judgement, place};
use super::os_rules::{MOUNT_ABSENT, MOUNT_BY_NAME};

pub(super) fn check(linux: &Linux, judgement: &mut Judgement<'_>) {
    for mount in judgement.known(&MOUNT_ABSENT, &linux.fstab).into_iter().flatten() {
        check_fstab(linux, mount, judgement);
    }
    if let Err(reason) = &linux.fstab {
        judgement.unknown(&MOUNT_BY_NAME, reason);
    }
    for mount in judgement.known(&MOUNT_ABSENT, &linux.mount_units).into_iter().flatten() {
        check_stops(mount, judgement);
    }
}

/// Whether the boot waits for a device that is not there. Returns whether it does.
fn check_stops(fact: &MountFact, judgement: &mut Judgement<'_>) -> bool {
    let mount = &fact.mount.value;
    if fact.stops_boot() {
        let message = format!("{} is mounted from {}, which is not on this disk", mount.target, mount.device);
        judgement.push(
            Finding::new(&MOUNT_ABSENT, message)
                .in_guest(place(&fact.mount.origin))
                .found(&mount.device)
                .expected("a file system of this disk, or nofail")
                .fix(fix_of_absent(&fact.mount.origin)),
        );
        return true;
    }
    // Whether an entry matters whose device can't be told.
    if let Lookup::Unknown(reason) = &fact.lookup
        && !(mount.is_optional() || mount.is_swap() || mount.is_network() || mount.has_no_device())
        && !mount.device.depends_on_hardware()
    {
        judgement
            .unknown_because(&MOUNT_ABSENT, format!("{}: {}: {reason}", fact.mount.origin, mount.device));
    }
    false
}

fn check_fstab(linux: &Linux, fact: &MountFact, judgement: &mut Judgement<'_>) {
    let mount = &fact.mount.value;
    // One finding for an entry.
    if check_stops(fact, judgement) || mount.has_no_device() || mount.is_network() || mount.kind == "ignore" {
        return;
    }
    let origin = &fact.mount.origin;
    let is_mounted = mount.option("noauto").is_none();
    if mount.is_swap() && fact.lookup == Lookup::Absent && is_mounted && !mount.is_optional() {
        judgement.push(
            of(&MOUNT_BY_NAME, format!("the swap space {} is not on this disk", mount.device), fact)
                .fix(fix_of_absent(origin)),
        );
    } else if mount.device.depends_on_hardware() && is_mounted && !is_removable(fact) {
        let what = if mount.is_swap() { "swap space".to_owned() } else { mount.target.clone() };
        let message = format!("{what} is named {}, which depends on the hardware", mount.device);
        let finding = of(&MOUNT_BY_NAME, message, fact).expected("UUID=...");
        judgement.push(finding.fix(fix_of_name(linux, fact)));
    }
}

fn of(rule: &'static Rule, message: String, fact: &MountFact) -> Finding {
    Finding::new(rule, message).in_guest(place(&fact.mount.origin)).found(&fact.mount.value.device)
}

/// A drive for discs, or a floppy: optional, and never part of the image.
fn is_removable(fact: &MountFact) -> bool {
    let mount = &fact.mount.value;
    ["iso9660", "udf", "floppy"].iter().any(|kind| mount.kind.split(',').any(|found| found == *kind))
}

fn fix_of_absent(origin: &Origin) -> String {
    let commands = match (origin.path.as_str(), origin.line) {
        ("/etc/fstab", Some(line)) => vec![format!("sed -i '{line}s/^/#/' /etc/fstab")],
        (path, _) => {
            let unit = path.rsplit('/').next().and_then(plain);
            unit.map(|unit| format!("systemctl disable {unit}")).into_iter().collect()
        }
    };
    in_system("remove the entry, or give it the option nofail", &commands)
}

fn fix_of_name(linux: &Linux, fact: &MountFact) -> String {
    let device = fact.mount.value.device.to_string();
    let is_root = fact.lookup.found() == Some(linux.root.index);
    let uuid = linux.root.uuid.as_deref().filter(|_| is_root).and_then(plain);
    let uuid = match (uuid, plain(&device)) {
        (Some(uuid), _) => uuid.to_owned(),
        (None, Some(device)) => format!("$(blkid -s UUID -o value {device})"),
        (None, None) => return in_system("name it by its UUID", &[]),
    };
    let line = fact.mount.origin.line.unwrap_or(1);
    let command = format!("sed -i \"{line}s|^[^[:space:]]*|UUID={uuid}|\" /etc/fstab");
    in_system("name it by its UUID", &[command])
}
