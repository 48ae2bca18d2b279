//! Whether the service knows the system.

use imsprep_findings::Finding;
use imsprep_guest::{Guest, Origin, System};

use super::judgement::{Judgement, place};
use super::os_rules::NOT_LISTED;
use crate::Profile;
use crate::request::{GuestSystem, OsVersions, SystemValue};

/// Compares the system with the list that `imsprep request` fills `os_version` from, so that both report the same.
pub(super) fn check(guest: &Guest, profile: &Profile, judgement: &mut Judgement<'_>) {
    let origin = match &guest.system {
        System::Linux(linux) => judgement.known(&NOT_LISTED, &linux.release).map(|release| &release.origin),
        System::Windows(windows) => {
            judgement.known(&NOT_LISTED, &windows.release).map(|release| &release.origin)
        }
        System::None | System::NotKnown(_) => None,
    };
    let (Some(origin), Some(system)) = (origin, GuestSystem::of(guest)) else { return };
    let list = OsVersions::built_in(profile);
    let SystemValue::Offered(values) = list.of_system(&system) else { return };
    match system.lacking {
        // With what is missing, it might have a value.
        Some(lacking) if list.might_name(&system) => {
            let values = values.join("; ");
            let reason =
                format!("{}, but not {lacking}; os_version of the request may be {values}", system.by);
            judgement.unknown_because(&NOT_LISTED, reason);
        }
        _ => judgement.push(not_listed(&system, origin, &values)),
    }
}

fn not_listed(system: &GuestSystem, origin: &Origin, values: &[String]) -> Finding {
    let name = system.wanted.as_deref().unwrap_or(&system.product);
    Finding::new(&NOT_LISTED, format!("no value of os_version is known for {name}"))
        .in_guest(place(origin))
        .found(&system.product)
        .fix(format!(
            "choose the nearest value for os_version of the request: {}; imsprep os-versions lists all of them",
            values.join("; ")
        ))
}
