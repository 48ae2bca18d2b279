//! What every server made from the image would share, and guest tools of other platforms.

use imsprep_findings::Finding;
use imsprep_guest::{Linux, Origin, Sourced};

use super::commands::{Family, in_system};
use super::judgement::{Judgement, place};
use super::os_rules::{FOREIGN_TOOLS, SHARED_IDENTITY};

/// Packages of guest tools, as most distributions call them.
const PACKAGES: &[(&str, &str)] = &[
    ("VMware Tools (open-vm-tools)", "open-vm-tools"),
    ("Hyper-V daemons", "hyperv-daemons"),
    ("Azure Linux Agent (waagent)", "WALinuxAgent"),
    ("Google guest agent", "google-guest-agent"),
    ("Amazon SSM agent", "amazon-ssm-agent"),
    ("XenServer tools (xe-guest-utilities)", "xe-guest-utilities"),
];

pub(super) fn check(linux: &Linux, judgement: &mut Judgement<'_>) {
    let identity = &linux.identity;
    if let Some(Some(origin)) = judgement.known(&SHARED_IDENTITY, &identity.machine_id) {
        let finding = shared("the machine-id is set", origin, "truncate -s 0 /etc/machine-id");
        judgement.push(finding);
    }
    if let Some(keys) = judgement.known(&SHARED_IDENTITY, &identity.host_keys)
        && let Some(first) = keys.first()
        // cloud-init makes new ones on each server.
        && linux.cloud_init.runs() != Ok(true)
    {
        let message = format!("{} private host keys of SSH are in /etc/ssh", keys.len());
        judgement.push(shared(&message, first, "rm /etc/ssh/ssh_host_*_key*"));
    }
    let tools = judgement.known(&FOREIGN_TOOLS, &linux.foreign_tools).cloned().unwrap_or_default();
    for tool in &tools {
        let package = PACKAGES.iter().find(|(name, _)| *name == tool.value).map(|(_, package)| *package);
        let commands = package.map(|package| remove(linux, package)).unwrap_or_default();
        judgement.push(foreign(tool).fix(in_system("remove the guest tools", &commands)));
    }
}

fn shared(message: &str, origin: &Origin, command: &str) -> Finding {
    Finding::new(&SHARED_IDENTITY, message).in_guest(place(origin)).fix(in_system(
        "delete it just before the copy: the first start makes a new one",
        &[command.to_owned()],
    ))
}

/// Guest tools of another platform.
pub(super) fn foreign(tool: &Sourced<&'static str>) -> Finding {
    Finding::new(&FOREIGN_TOOLS, format!("{} are installed", tool.value))
        .in_guest(place(&tool.origin))
        .found(tool.value)
}

fn remove(linux: &Linux, package: &str) -> Vec<String> {
    let (command, package) = match (Family::of(linux), package) {
        (Family::Debian, "WALinuxAgent") => ("apt-get purge", "waagent"),
        (Family::Debian, package) => ("apt-get purge", package),
        (Family::RedHat, package) => ("yum remove", package),
        (Family::Suse, "WALinuxAgent") => ("zypper remove", "python-azure-agent"),
        (Family::Suse, package) => ("zypper remove", package),
        (Family::Arch, package) => ("pacman -R", package),
        (Family::Alpine, package) => ("apk del", package),
        (Family::Other, _) => return Vec::new(),
    };
    vec![format!("{command} {package}")]
}
