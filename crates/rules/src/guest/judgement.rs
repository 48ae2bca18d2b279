//! What the rules say of one system, and what they could not be asked.

use std::collections::BTreeMap;

use imsprep_findings::{Finding, GuestPlace, Report, Rule, Severity};
use imsprep_guest::{Answer, Guest, NotKnown, Origin};

use super::WouldStart;
use crate::Intent;

/// Most reasons that are listed for one gap.
const REASONS_MAX: usize = 3;
/// Most gaps that are listed of their kind.
const GAPS_MAX: usize = 16;
/// Most volumes that are listed as not read.
const VOLUMES_MAX: usize = 16;

/// Findings and gaps, as they come.
pub(super) struct Judgement<'g> {
    guest: &'g Guest,
    is_bare_metal: bool,
    findings: Vec<Finding>,
    /// What was not looked at, and why.
    gaps: Vec<(&'static str, String)>,
    /// The rules that could not be asked, by the reason.
    unknown: BTreeMap<String, Vec<&'static Rule>>,
}

impl<'g> Judgement<'g> {
    pub(super) fn new(guest: &'g Guest, intent: &Intent) -> Self {
        Self {
            guest,
            is_bare_metal: intent.bare_metal,
            findings: Vec::new(),
            gaps: Vec::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// Whether the servers have virtio devices. Bare-metal servers have not.
    pub(super) fn has_virtio(&self) -> bool {
        !self.is_bare_metal
    }

    /// Adds a finding. Two loaders may lead to the same entry, of which it is said once.
    pub(super) fn push(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Something was not looked at that no single rule asks for.
    pub(super) fn gap(&mut self, what: &'static str, reason: &NotKnown) {
        self.gap_because(what, reason.to_string());
    }

    fn gap_because(&mut self, what: &'static str, reason: String) {
        if !self.gaps.iter().any(|(_, known)| *known == reason) {
            self.gaps.push((what, reason));
        }
    }

    /// A rule could not be asked, for this reason.
    pub(super) fn unknown(&mut self, rule: &'static Rule, reason: &NotKnown) {
        self.unknown_because(rule, reason.to_string());
    }

    pub(super) fn unknown_because(&mut self, rule: &'static Rule, reason: String) {
        let rules = self.unknown.entry(reason).or_default();
        if !rules.iter().any(|known| known.code == rule.code) {
            rules.push(rule);
        }
    }

    /// An empty judgement of the same system.
    pub(super) fn apart(&self) -> Self {
        Self {
            guest: self.guest,
            is_bare_metal: self.is_bare_metal,
            findings: Vec::new(),
            gaps: Vec::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// Takes over what another one could not look at, and returns its findings. With `no_rule`, what its rules could not be asked is
    /// something of that name that no rule asks for.
    pub(super) fn take_gaps(&mut self, other: Self, no_rule: Option<&'static str>) -> Vec<Finding> {
        let unknown = other.unknown;
        for (reason, rules) in unknown {
            match no_rule {
                None => rules.into_iter().for_each(|rule| self.unknown_because(rule, reason.clone())),
                Some(what) => self.gap_because(what, reason),
            }
        }
        other.gaps.into_iter().for_each(|(what, why)| self.gap_because(what, why));
        other.findings
    }

    /// An answer as an option, with what is not known noted for the rule.
    pub(super) fn known<'a, T>(&mut self, rule: &'static Rule, answer: &'a Answer<T>) -> Option<&'a T> {
        answer.as_ref().map_err(|reason| self.unknown(rule, reason)).ok()
    }

    /// Puts everything into the report. Returns whether a server would start the system.
    pub(super) fn end(self, report: &mut Report) -> WouldStart {
        // What the user allows is true all the same.
        let stops = self.findings.iter().any(|finding| finding.severity == Severity::Error);
        let mut open = self.unknown.values().flatten();
        let would_start = match (stops, open.any(|rule| rule.severity == Severity::Error)) {
            (true, _) => WouldStart::No,
            (false, false) => WouldStart::Yes,
            (false, true) => WouldStart::NotKnown,
        };
        self.findings.into_iter().for_each(|finding| report.push(finding));
        let mut gaps = BTreeMap::<String, Vec<String>>::new();
        for (reason, mut rules) in self.unknown {
            rules.sort_by_key(|rule| rule.code);
            let topics = rules.iter().map(|rule| topic(rule)).collect::<Vec<_>>();
            let codes = rules.iter().map(|rule| rule.code).collect::<Vec<_>>();
            gaps.entry(format!("{} ({})", topics.join(", "), codes.join(", "))).or_default().push(reason);
        }
        for (what, mut reasons) in gaps {
            let more = reasons.len().saturating_sub(REASONS_MAX);
            reasons.truncate(REASONS_MAX);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            report.push_not_checked(what, reasons.join("; ") + &more);
        }
        for (what, why) in self.gaps.into_iter().take(GAPS_MAX) {
            report.push_not_checked(what, why);
        }
        let unread =
            self.guest.volumes.iter().filter_map(|volume| Some((&volume.name, volume.unread.as_ref()?)));
        for (name, why) in unread.take(VOLUMES_MAX) {
            report.push_not_checked(format!("the files on {name}"), why.as_str());
        }
        would_start
    }
}

/// The place of a finding.
pub(super) fn place(origin: &Origin) -> GuestPlace {
    GuestPlace { volume: origin.volume.clone(), path: Some(origin.path.clone()), line: origin.line }
}

/// A volume as the place of a finding.
pub(super) fn on_volume(name: &str) -> GuestPlace {
    GuestPlace { volume: name.to_owned(), path: None, line: None }
}

/// What a rule is about, in a list of what was not checked.
fn topic(rule: &Rule) -> &'static str {
    match rule.code {
        "OS-001" | "OS-020" => "virtio disk driver",
        "OS-002" | "OS-021" => "virtio network driver",
        "OS-003" => "root file system",
        "OS-004" => "name of the root file system",
        "OS-005" => "mounts",
        "OS-006" => "device names in fstab",
        "OS-007" => "network rules",
        "OS-008" | "OS-022" => "DHCP",
        "OS-009" => "cloud-init",
        "OS-010" => "data sources of cloud-init",
        "OS-011" => "accounts",
        "OS-012" => "boot loader of UEFI",
        "OS-013" => "version of the system",
        "OS-014" => "identity",
        "OS-015" => "serial console",
        "OS-016" => "guest tools",
        "OS-017" => "version of the kernel",
        "OS-018" => "files of the boot entry",
        "OS-023" => "remote desktop",
        "OS-024" => "Cloudbase-Init",
        "OS-025" => "Sysprep",
        _ => "the system",
    }
}
