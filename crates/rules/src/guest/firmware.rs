//! What firmware finds on the EFI system partition.

use imsprep_findings::Finding;
use imsprep_guest::{Linux, LoaderKind, Machine};
use imsprep_inspect::{EfiMachine, EfiSystem, Firmware, Inspection, Loader, MAX_LOADERS};

use super::commands::{Family, in_system};
use super::judgement::{Judgement, on_volume};
use super::os_rules::NO_FALLBACK;

pub(super) fn check(linux: &Linux, inspection: &Inspection, judgement: &mut Judgement<'_>) {
    if inspection.summary.firmware != Firmware::Uefi {
        return;
    }
    let systems = &inspection.boot.efi;
    if systems.iter().flat_map(|system| &system.loaders).any(is_fallback) {
        return;
    }
    if let Some((system, why)) = systems.iter().find_map(|system| Some((system, why_unknown(system)?))) {
        judgement.unknown_because(&NO_FALLBACK, format!("{}: {why}", name_of(system)));
        return;
    }
    let Some(first) = systems.first() else { return };
    let found =
        first.loaders.iter().find(|loader| loader.machine.is_some()).map(|loader| loader.path.clone());
    let expected = format!("/EFI/BOOT/{}", file_name(linux));
    let message = match &found {
        Some(found) => format!("{} has {found}, and no {expected}", name_of(first)),
        None => format!("{} has no {expected}", name_of(first)),
    };
    let finding = Finding::new(&NO_FALLBACK, message)
        .in_guest(on_volume(&name_of(first)))
        .expected(expected)
        .fix(in_system("install the boot loader in the fallback path as well", &install(linux)));
    judgement.push(match found {
        Some(found) => finding.found(found),
        None => finding,
    });
}

/// Whether firmware of a server starts it without an entry of its own: it is for 64 bits, as the servers are.
fn is_fallback(loader: &Loader) -> bool {
    loader.is_default() && matches!(loader.machine, Some(EfiMachine::X64 | EfiMachine::Aa64))
}

fn why_unknown(system: &EfiSystem) -> Option<&'static str> {
    let is_cut = system.loaders.len() >= MAX_LOADERS;
    system.unread.or(is_cut.then_some("it has so many programs that not all of them were listed"))
}

fn name_of(system: &EfiSystem) -> String {
    system.partition.map_or_else(|| "the disk".into(), |number| format!("partition {number}"))
}

fn is_arm(linux: &Linux) -> bool {
    linux.machine.as_ref().is_ok_and(|machine| machine.value == Machine::Aarch64)
}

fn file_name(linux: &Linux) -> &'static str {
    if is_arm(linux) { "BOOTAA64.EFI" } else { "BOOTX64.EFI" }
}

fn install(linux: &Linux) -> Vec<String> {
    if linux.loaders.iter().any(|loader| loader.kind == LoaderKind::SystemdBoot) {
        return vec!["bootctl install".into()];
    }
    let (target, suffix) = if is_arm(linux) { ("arm64-efi", "aa64") } else { ("x86_64-efi", "x64") };
    let command = match Family::of(linux) {
        Family::RedHat => format!("yum reinstall shim-{suffix} grub2-efi-{suffix}"),
        Family::Suse => "shim-install --removable".into(),
        _ => format!("grub-install --target={target} --efi-directory=/boot/efi --removable"),
    };
    vec![command]
}
