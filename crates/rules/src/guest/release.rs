//! Whether the service knows the system.

use imsprep_findings::{Finding, GuestPlace};
use imsprep_guest::{Answer, Guest, Machine, Release, Sourced, System, WindowsRelease};

use super::judgement::{Judgement, place};
use super::os_rules::NOT_LISTED;
use crate::{NearSystem, near_system};

/// Names of distributions in values of `os_version`, by the ID of os-release.
const NAMES: &[(&str, &str)] = &[
    ("debian", "Debian"),
    ("ubuntu", "Ubuntu"),
    ("centos", "CentOS"),
    ("rhel", "Red Hat Enterprise Linux"),
    ("fedora", "Fedora"),
    ("ol", "Oracle Linux"),
    ("rocky", "Rocky Linux"),
    ("almalinux", "AlmaLinux"),
    ("opensuse", "openSUSE"),
    ("opensuse-leap", "openSUSE"),
    ("sles", "SUSE Linux Enterprise Server"),
    ("euleros", "EulerOS"),
    ("openeuler", "openEuler"),
    ("neokylin", "NeoKylin"),
];

pub(super) fn check(guest: &Guest, judgement: &mut Judgement<'_>) {
    match &guest.system {
        System::Linux(linux) => {
            let Some(release) = judgement.known(&NOT_LISTED, &linux.release) else { return };
            judge(
                &linux_name(&release.value),
                &release.value.product,
                place(&release.origin),
                &linux.machine,
                judgement,
            );
        }
        System::Windows(windows) => {
            let Some(release) = judgement.known(&NOT_LISTED, &windows.release) else { return };
            let name = windows_name(&release.value);
            judge(&name, &release.value.product, place(&release.origin), &windows.machine, judgement);
        }
        System::None | System::NotKnown(_) => {}
    }
}

/// A distribution as a value of `os_version` names it, without its bits.
fn linux_name(release: &Release) -> String {
    let name = NAMES.iter().find(|(id, _)| *id == release.id).map(|(_, name)| *name);
    let Some(name) = name else { return release.product.clone() };
    let version = release.version.as_str();
    // `15.5` of SUSE is called 15 SP5.
    match (release.id.as_str(), version.split_once('.')) {
        ("sles", Some((major, "0"))) => format!("{name} {major}"),
        ("sles", Some((major, pack))) => format!("{name} {major} SP{pack}"),
        _ => format!("{name} {version}"),
    }
}

/// Windows 11 says that it is Windows 10; its builds begin with 22000.
fn windows_name(release: &WindowsRelease) -> String {
    let is_11 = release.build.parse::<u32>().is_ok_and(|build| build >= 22_000);
    if is_11 && release.product.starts_with("Windows 10") {
        "Windows 11".into()
    } else {
        release.product.clone()
    }
}

fn judge(
    name: &str,
    product: &str,
    place: GuestPlace,
    machine: &Answer<Sourced<Machine>>,
    judgement: &mut Judgement<'_>,
) {
    let bits = machine.as_ref().map_or(64, |machine| machine.value.bits());
    let near = near_system(&format!("{name} {bits}bit"));
    let finding =
        Finding::new(&NOT_LISTED, format!("no value of os_version is known for {product}, {bits} bits"))
            .in_guest(place)
            .found(product);
    match near {
        NearSystem::Values { values, .. }
            if values.iter().any(|value| is_same_version(name, value, bits)) => {}
        NearSystem::Values { values, .. } => {
            judgement.push(finding.fix(format!(
                "choose the nearest value for os_version of the request: {}",
                values.join("; ")
            )))
        }
        NearSystem::NoneOfFamily(_) | NearSystem::NoFamily => judgement.push(finding),
    }
}

/// Whether a value has the version that a name has, as far as both have one, and the bits.
fn is_same_version(name: &str, value: &str, bits: u32) -> bool {
    let numbers = |text: &str| {
        let words =
            text.split([' ', '.']).filter_map(|word| word.trim_start_matches("SP").parse::<u32>().ok());
        words.collect::<Vec<_>>()
    };
    let (wanted, found) = (numbers(name), numbers(value));
    // The point releases of one version are one system.
    let counts = if name.starts_with("Debian") { 1 } else { wanted.len() };
    let same = wanted.iter().zip(&found).take(counts).all(|(wanted, found)| wanted == found);
    same && found.is_empty() == wanted.is_empty() && value.contains(&format!("{bits}"))
}
