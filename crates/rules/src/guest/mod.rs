//! The system in an image, held against what a server of the cloud needs to start and to be reached.
//!
//! Only what is known is judged: a fact that could not be read is listed as not checked, with the reason, by [`check_guest`].

mod boot;
mod cloud_init;
mod commands;
mod firmware;
mod identity;
mod judgement;
mod loaders;
#[cfg(test)]
mod loaders_test;
mod login;
mod mounts;
mod network;
mod os_rules;
mod release;
#[cfg(test)]
mod release_test;
#[cfg(test)]
mod tests;
mod windows;

use imsprep_findings::{Report, Tally};
use imsprep_guest::{Guest, System};
use imsprep_inspect::Inspection;

use crate::{Intent, Profile, Purpose, purpose_of};
use judgement::Judgement;
pub use os_rules::SYSTEM_RULES;

/// A system that was read, with the disk that it is on.
#[derive(Clone, Copy, Debug)]
pub struct SystemOnDisk<'a> {
    /// The system.
    pub guest: &'a Guest,
    /// The disk.
    pub inspection: &'a Inspection,
}

/// Whether a server would start the system in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WouldStart {
    /// A rule speaks against it for certain.
    No,
    /// Everything that the rules ask for was read, and nothing speaks against it.
    Yes,
    /// Nothing speaks against it, but not everything could be read.
    NotKnown,
}

/// Whether these findings are about the start of the system, and not about the import: findings of the rules on the system, unless the
/// user made them errors.
pub fn is_about_the_start(tally: &Tally) -> bool {
    tally.severity == tally.by_itself && SYSTEM_RULES.iter().any(|rule| rule.code == tally.rule.code)
}

/// Whether the system on a disk is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemAsked {
    /// Yes.
    Yes,
    /// Nothing is asked of a data disk, which it is as the user says.
    DataDisk,
    /// Nothing is asked of it, because it looks like a data disk.
    LooksLikeDataDisk,
}

/// Whether the system on the disk is asked for.
pub fn asks_for_a_system(inspection: &Inspection, intent: &Intent) -> SystemAsked {
    match (intent.purpose, purpose_of(intent, inspection)) {
        (Some(Purpose::Data), _) => SystemAsked::DataDisk,
        (None, Some(Purpose::Data)) => SystemAsked::LooksLikeDataDisk,
        _ => SystemAsked::Yes,
    }
}

/// Holds the system against the rules, and lists what of it could not be checked. `None` if there is no system, or it is not known
/// whether there is one.
pub fn check_guest(
    system: SystemOnDisk<'_>,
    profile: &Profile,
    intent: &Intent,
    report: &mut Report,
) -> Option<WouldStart> {
    let guest = system.guest;
    let mut judgement = Judgement::new(guest, intent);
    match &guest.system {
        System::Linux(linux) => {
            loaders::check(linux, system.inspection.summary.firmware, &mut judgement);
            mounts::check(linux, &mut judgement);
            network::check(linux, &mut judgement);
            cloud_init::check(linux, &mut judgement);
            login::check(linux, &mut judgement);
            identity::check(linux, &mut judgement);
            firmware::check(linux, system.inspection, &mut judgement);
        }
        System::Windows(windows) => windows::check(windows, &mut judgement),
        System::None | System::NotKnown(_) => return None,
    }
    release::check(guest, profile, &mut judgement);
    Some(judgement.end(report))
}
