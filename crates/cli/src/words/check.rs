//! A verdict in words.

use imsprep_bitmap::{Layout, Origin};
use imsprep_findings::{Report, Severity};
use imsprep_inspect::{Architecture, DiskUse, Firmware, Inspection, OsFamily, VolumeKind};
use imsprep_rules::{GuestSystem, OsVersions, Purpose, Size, SystemValue, purpose_of, shell_quoted};
use imsprep_toolkit::{BitmapState, CheckedImage, System, Verdict, WouldStart};

use super::detect::format_line;
use super::disk_choice::choice_note;
use super::space::{saving_line, volume_line};
use super::zvhd2::blocks_line;
use super::{counted, percent, scan_line};
use crate::exit::Status;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::setup::Detail;
use crate::terminal::shown;

/// What the file is, by name.
pub(crate) fn facts(checked: &CheckedImage, detail: Detail) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("format", format_line(&checked.detection)),
        ("file", Size(checked.detection.file_size).to_string()),
    ];
    if let Some(disk) = checked.detection.virtual_size
        && disk != checked.detection.file_size
    {
        facts.push(("disk", Size(disk).to_string()));
    }
    if let Some(bitmap) = &checked.bitmap {
        facts.push(("bitmap", bitmap_line(bitmap)));
    }
    if let Some(scan) = &checked.scan {
        let (data, all) = (scan.map.data_count(), scan.map.block_count());
        let block = Size(scan.map.block_size().bytes()).scaled();
        facts.push(("blocks", format!("{data} of {all} hold data ({}), {block} each", percent(data, all))));
        facts.push(("scan", scan_line(scan, detail)));
    }
    if let Some(info) = &checked.zvhd2 {
        facts.push(("blocks", blocks_line(info)));
    }
    if let Some(member) = &checked.member {
        facts.push(("member", format!("{}{}", shown(&member.name), choice_note(member))));
    }
    if let Some(inspection) = &checked.inspection {
        facts.push(("content", content_line(inspection)));
    }
    facts.extend(system_line(checked).map(|line| ("system", line)));
    let volumes = checked.space.iter().flat_map(|space| &space.volumes);
    facts.extend(volumes.map(|volume| {
        let line = volume_line(volume, "free space not known");
        ("volume", shown(&line).to_string())
    }));
    facts.extend(saving_line(checked.saving).map(|line| ("free", line)));
    facts
}

/// The system on the disk, and whether a server would start it: `Debian GNU/Linux 12 (bookworm), x86_64; should start`. `None` if
/// there is none, or it was not read.
pub(crate) fn system_line(checked: &CheckedImage) -> Option<String> {
    let named = |product: Option<&String>, otherwise: &str, details: [Option<String>; 2]| {
        let product = product.map_or_else(|| otherwise.to_owned(), |product| shown(product).to_string());
        let all = std::iter::once(product).chain(details.into_iter().flatten());
        all.collect::<Vec<_>>().join(", ")
    };
    let system = match &checked.guest.as_ref()?.system {
        System::Linux(linux) => {
            let kernel = linux.kernel.as_ref().ok().and_then(|kernel| kernel.version.as_ref().ok());
            let details = [
                linux.machine.as_ref().ok().map(|machine| machine.value.to_string()),
                kernel.map(|version| format!("kernel {}", shown(&version.value))),
            ];
            named(linux.release.as_ref().ok().map(|release| &release.value.product), "a Linux", details)
        }
        System::Windows(windows) => {
            let release = windows.release.as_ref().ok();
            let details = [
                windows.machine.as_ref().ok().map(|machine| machine.value.to_string()),
                release.map(|release| format!("build {}", shown(&release.value.build))),
            ];
            named(release.map(|release| &release.value.product), "a Windows", details)
        }
        System::None | System::NotKnown(_) => return None,
    };
    Some(format!("{system}; {}", start_words(checked.would_start?)))
}

fn start_words(would_start: WouldStart) -> &'static str {
    match would_start {
        WouldStart::Yes => "should start",
        WouldStart::No => "would not start",
        WouldStart::NotKnown => "not known whether it starts",
    }
}

/// The verdict in words; loud for a headline.
pub(crate) fn verdict_text(verdict: &Verdict, loud: bool) -> String {
    match verdict {
        Verdict::NotImportable => if loud { "NOT IMPORTABLE" } else { "not importable" }.into(),
        Verdict::Importable(reservations) => {
            let mut words = vec![if loud { "IMPORTABLE" } else { "importable" }];
            words.extend(reservations.iter().map(|r| r.title()));
            words.join(", ")
        }
    }
}

pub(crate) fn bitmap_line(state: &BitmapState) -> String {
    let name = |path: &std::path::Path| shown(&path.display().to_string()).to_string();
    match state {
        BitmapState::Missing { path } => format!("{} is missing", name(path)),
        BitmapState::Written { path, layout } => {
            format!("{} written, layout {}", name(path), layout_name(layout))
        }
        BitmapState::Known { path, layout, compared: true } => {
            format!("{}, layout {}, compared with the content", name(path), layout_name(layout))
        }
        BitmapState::Known { path, layout, compared: false } => {
            format!("{}, layout {}, not compared with the content", name(path), layout_name(layout))
        }
        BitmapState::Unfit { path, layout } => {
            format!("{}, layout {}, for another image or damaged", name(path), layout_name(layout))
        }
        BitmapState::Unrecognised { path } => format!("{}, unknown layout", name(path)),
    }
}

/// What is on the disk, as far as it is known: `GPT, 3 partitions; system disk, Linux, UEFI, x86`.
pub(crate) fn content_line(inspection: &Inspection) -> String {
    let holds = match (&inspection.table, &inspection.whole) {
        (Some(table), _) => {
            let partitions = counted(inspection.partitions.len() as u64, "partition");
            format!("{}, {partitions}", table.kind.name())
        }
        (None, Some(whole)) if !matches!(whole.kind, VolumeKind::Unknown | VolumeKind::Empty) => {
            format!("no partition table, {}", whole.kind.name())
        }
        (None, _) => "no partition table or file system recognised".into(),
    };
    let summary = &inspection.summary;
    let purpose = match summary.purpose {
        DiskUse::System => Some("system disk"),
        DiskUse::Data => Some("data disk"),
        DiskUse::Unknown => None,
    };
    let system = match summary.system {
        OsFamily::Linux => Some("Linux"),
        OsFamily::Windows => Some("Windows"),
        OsFamily::Unknown => None,
    };
    let firmware = match summary.firmware {
        Firmware::Bios => Some("BIOS"),
        Firmware::Uefi => Some("UEFI"),
        Firmware::Both => Some("BIOS and UEFI"),
        Firmware::UncertainBios { uefi: true } => Some("UEFI, perhaps BIOS"),
        Firmware::UncertainBios { uefi: false } | Firmware::Unknown => None,
    };
    let architecture = match summary.architecture {
        Architecture::X86 => Some("x86"),
        Architecture::Arm => Some("ARM"),
        Architecture::Both => Some("x86 and ARM"),
        Architecture::Unknown => None,
    };
    let known = [purpose, system, firmware, architecture].into_iter().flatten().collect::<Vec<_>>();
    if known.is_empty() { holds } else { format!("{holds}; {}", known.join(", ")) }
}

/// The layout's name, and that it was learned if it was.
pub(crate) fn layout_name(layout: &Layout) -> String {
    let name = shown(&layout.name).to_string();
    match &layout.origin {
        Origin::Learned { samples } => {
            format!("{name} (learned from {})", counted(u64::from(*samples), "genuine file"))
        }
        Origin::Proven(proof) => format!("{name} ({})", shown(&proof.summary())),
        Origin::BuiltIn | Origin::Described => name,
    }
}

/// `3 files: 1 passed, 1 failed, 1 could not be checked`
pub(crate) fn sum(outcomes: &[Outcome]) -> String {
    let good = outcomes.iter().filter(|o| o.status == Status::Fine).count();
    let bad = outcomes.iter().filter(|o| o.status == Status::Wrong).count();
    let unknown = outcomes.len() - good - bad;
    let all = counted(outcomes.len() as u64, "file");
    format!("{all}: {good} passed, {bad} failed, {unknown} could not be checked")
}

/// The codes of what made the exit status: errors, and under `--strict` warnings.
pub(crate) fn codes_that_count(report: &Report, status: Status) -> String {
    if status != Status::Wrong {
        return String::new();
    }
    let least = if report.has_errors() { Severity::Error } else { Severity::Warning };
    let codes = report.tallies().filter(|tally| tally.severity >= least).map(|tally| tally.rule.code);
    let codes = codes.collect::<Vec<_>>();
    let shown = codes.iter().take(4).copied().collect::<Vec<_>>().join(", ");
    if codes.len() > 4 { format!("{shown}, ...") } else { shown }
}

/// The command that writes the request and its next steps.
pub(crate) fn next_step(checked: &CheckedImage, policy: &Policy) -> String {
    let (image, flag) = (shell_quoted(&checked.path), policy.flags());
    let purpose = checked.inspection.as_ref().and_then(|found| purpose_of(&policy.intent, found));
    let what = match purpose {
        Some(Purpose::Data) => " --purpose data",
        _ if fills_os_version(checked, policy) => "",
        _ => " --os-version 'OS VERSION'",
    };
    format!("imsprep request {image}{flag} --bucket BUCKET --name NAME{what} --next-steps")
}

/// Whether the request gets its os_version from the system in the image.
fn fills_os_version(checked: &CheckedImage, policy: &Policy) -> bool {
    let system = checked.guest.as_ref().and_then(GuestSystem::of);
    system.is_some_and(|system| {
        let value = OsVersions::built_in(policy.profile).of_system(&system);
        matches!(value, SystemValue::Named(_) | SystemValue::Nearest(_))
    })
}
