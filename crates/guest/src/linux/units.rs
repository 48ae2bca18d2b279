//! Which services start with the system: units of systemd, scripts of SysV, upstart and OpenRC.

use crate::files::Files;
use crate::{Answer, Origin};

/// Where systemd looks for units, the first that has one counts.
const UNIT_FOLDERS: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Whether a service starts with the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It does; where that is said.
    Enabled(Origin),
    /// It is there and does not.
    Disabled(Origin),
    /// It is switched off for good: the unit is a link to /dev/null.
    Masked(Origin),
    /// There is no such service.
    Absent,
}

impl ServiceState {
    /// Whether it starts.
    pub fn is_enabled(&self) -> bool {
        matches!(self, Self::Enabled(_))
    }
}

/// The state of the first of these services that starts; else of the one that is most there. Names have no `.service`; one with a
/// dot, such as `ssh.socket`, is taken as it is.
pub(super) fn service(files: &Files<'_>, names: &[&str]) -> Answer<ServiceState> {
    let mut best = ServiceState::Absent;
    for name in names {
        let state = one(files, name)?;
        match (&state, &best) {
            (ServiceState::Enabled(_), _) => return Ok(state),
            (ServiceState::Absent, _) => {}
            (ServiceState::Masked(_), _) | (_, ServiceState::Absent) => best = state,
            _ => {}
        }
    }
    Ok(best)
}

fn one(files: &Files<'_>, name: &str) -> Answer<ServiceState> {
    let unit = if name.contains('.') { name.to_owned() } else { format!("{name}.service") };
    let mut there = None;
    for folder in UNIT_FOLDERS {
        let path = format!("{folder}/{unit}");
        if files.link(&path)?.as_deref() == Some("/dev/null") {
            return Ok(ServiceState::Masked(files.origin(&path)));
        }
        if there.is_none() && files.has_name(&path)? {
            there = Some(files.origin(&path));
        }
    }
    for folder in UNIT_FOLDERS {
        for (target, _) in files.list(folder)? {
            if (target.ends_with(".wants") || target.ends_with(".requires")) && wants(&target) {
                let path = format!("{folder}/{target}/{unit}");
                // The link counts by its name; it leads nowhere if the program was removed.
                if there.is_some() && files.has_name(&path)? {
                    return Ok(ServiceState::Enabled(files.origin(&path)));
                }
            }
        }
    }
    if !name.contains('.')
        && let Some(state) = sysv(files, name)?
    {
        return Ok(state);
    }
    Ok(there.map_or(ServiceState::Absent, ServiceState::Disabled))
}

/// Whether a folder of wants is of a target that a normal start reaches.
fn wants(folder: &str) -> bool {
    let others = [
        "rescue.target",
        "emergency.target",
        "shutdown.target",
        "reboot.target",
        "poweroff.target",
        "halt.target",
    ];
    !others.iter().any(|target| folder.starts_with(target))
}

/// Scripts of SysV (runlevels 2 to 5), jobs of upstart, services of OpenRC.
fn sysv(files: &Files<'_>, name: &str) -> Answer<Option<ServiceState>> {
    for level in ["3", "2", "5", "4"] {
        let folder = format!("/etc/rc{level}.d");
        let starts = |file: &str| {
            file.strip_prefix('S')
                .is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()) == name)
        };
        if let Some(path) = files.files_in(&folder, starts)?.first() {
            return Ok(Some(ServiceState::Enabled(files.origin(path))));
        }
    }
    let runlevel = format!("/etc/runlevels/default/{name}");
    if files.has_name(&runlevel)? {
        return Ok(Some(ServiceState::Enabled(files.origin(&runlevel))));
    }
    let job = format!("/etc/init/{name}.conf");
    if files.exists(&job)? {
        let text = files.read(&job)?.unwrap_or_default();
        let starts = crate::text::lines(&text).any(|(_, line)| line.trim_start().starts_with("start on"));
        let override_file = files.read(&format!("/etc/init/{name}.override"))?.unwrap_or_default();
        let manual = crate::text::lines(&override_file).any(|(_, line)| line.trim() == "manual");
        let origin = files.origin(&job);
        return Ok(Some(if starts && !manual {
            ServiceState::Enabled(origin)
        } else {
            ServiceState::Disabled(origin)
        }));
    }
    let script = format!("/etc/init.d/{name}");
    Ok(files.exists(&script)?.then(|| ServiceState::Disabled(files.origin(&script))))
}
