//! The boot loaders of a disk: each is judged by what it starts, and a finding says which of them lead to it.

use imsprep_findings::{Finding, Severity};
use imsprep_guest::{BootLoader, Linux, LoaderKind, Platform};
use imsprep_inspect::Firmware;

use super::boot;
use super::judgement::Judgement;

/// The firmware of a server, unless the user asks for another one: what `imsprep request` writes, or the service's default. `None` if the
/// disk does not show it.
fn firmware_of_server(firmware: Firmware) -> Option<Platform> {
    match firmware {
        Firmware::Bios | Firmware::Both => Some(Platform::Bios),
        Firmware::Uefi => Some(Platform::Uefi),
        Firmware::UncertainBios { .. } | Firmware::Unknown => None,
    }
}

/// A finding, and for each loader whether it leads to it.
struct Led {
    finding: Finding,
    by: Vec<bool>,
}

pub(super) fn check(linux: &Linux, firmware: Firmware, judgement: &mut Judgement<'_>) {
    let loaders = &linux.loaders;
    let server = firmware_of_server(firmware);
    // Only these loaders may start a server.
    let starts = |loader: &BootLoader| server.is_none_or(|server| loader.platform == server);
    if !loaders.iter().any(starts) {
        let reason = match server {
            Some(platform) if !loaders.is_empty() => {
                format!("no configuration of a boot loader for {} was found", name(platform))
            }
            _ => "no configuration of a boot loader was found".to_owned(),
        };
        let asked = boot::OF_ENTRY.into_iter().chain(boot::rules_of_kernel(judgement));
        asked.for_each(|rule| judgement.unknown_because(rule, reason.clone()));
    }
    let mut all: Vec<Led> = Vec::new();
    for (index, (loader, kernel)) in linux.kernels().enumerate() {
        let mut of_loader = judgement.apart();
        boot::check_loader(linux, (loader, kernel), &mut of_loader);
        let unknown = (!starts(loader)).then_some("what other firmware than the server's would start");
        for finding in judgement.take_gaps(of_loader, unknown) {
            let known = all.iter().position(|led| led.finding == finding);
            let place = known.unwrap_or_else(|| {
                all.push(Led { finding, by: vec![false; loaders.len()] });
                all.len() - 1
            });
            all.get_mut(place).and_then(|led| led.by.get_mut(index)).into_iter().for_each(|is| *is = true);
        }
    }
    // No loader that may start the server gets anywhere.
    let fails = |index: usize| {
        let is_error = |led: &Led| led.finding.severity == Severity::Error;
        all.iter().any(|led| is_error(led) && led.by.get(index) == Some(&true))
    };
    let all_fail = (0..loaders.len()).filter(|index| loaders.get(*index).is_some_and(starts)).all(fails);
    for Led { mut finding, by } in all {
        let leading = || loaders.iter().zip(&by).filter(|(_, leads)| **leads).map(|(loader, _)| loader);
        if leading().count() < loaders.len() {
            let which = leading().map(described).collect::<Vec<_>>().join(" or ");
            finding.message += &format!("; if {which} starts the server");
            let may_start = leading().any(starts);
            if finding.severity == Severity::Error && !(may_start && all_fail) {
                if may_start {
                    judgement.unknown_because(finding.rule, which_is_used(loaders, starts));
                }
                finding = finding.severity(Severity::Warning);
            }
        }
        judgement.push(finding);
    }
}

fn which_is_used(loaders: &[BootLoader], starts: impl Fn(&BootLoader) -> bool) -> String {
    let names = loaders.iter().filter(|loader| starts(loader)).map(described).collect::<Vec<_>>();
    format!("which of these starts the server is not known: {}", names.join(", "))
}

fn name(platform: Platform) -> &'static str {
    match platform {
        Platform::Bios => "BIOS",
        Platform::Uefi => "UEFI",
    }
}

/// `GRUB for BIOS (partition 1: /boot/grub/grub.cfg)`.
fn described(loader: &BootLoader) -> String {
    let kind = match loader.kind {
        LoaderKind::Grub => "GRUB",
        LoaderKind::GrubLegacy => "GRUB Legacy",
        LoaderKind::Syslinux => "Syslinux",
        LoaderKind::SystemdBoot => "systemd-boot",
        LoaderKind::UnifiedKernel => "a unified kernel image",
    };
    format!("{kind} for {} ({})", name(loader.platform), loader.config)
}
