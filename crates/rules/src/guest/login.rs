//! Who can log in to a server, and how.

use imsprep_findings::Finding;
use imsprep_guest::{Linux, ServiceState};

use super::commands::{Family, in_system, plain};
use super::judgement::{Judgement, on_volume, place};
use super::os_rules::NO_LOGIN;

pub(super) fn check(linux: &Linux, judgement: &mut Judgement<'_>) {
    check_accounts(linux, judgement);
    check_server(linux, judgement);
}

/// cloud-init sets a password or a key on the new server; without it an account must have one.
fn check_accounts(linux: &Linux, judgement: &mut Judgement<'_>) {
    match (linux.login.has_credentials(), linux.cloud_init.runs()) {
        (Ok(true), _) | (_, Ok(true)) => {}
        (Ok(false), Ok(false)) => {
            let message =
                "no account has a password or a key, and cloud-init, which would set one, does not run";
            let mut commands = Family::of(linux).install("cloud-init");
            if commands.is_empty() {
                commands.push("passwd root".into());
            }
            judgement.push(
                Finding::new(&NO_LOGIN, message)
                    .in_guest(on_volume(&linux.root.volume))
                    .expected("a password, a key or cloud-init")
                    .fix(in_system("install cloud-init, or set a password with passwd", &commands)),
            );
        }
        (Err(reason), _) | (_, Err(reason)) => judgement.unknown(&NO_LOGIN, &reason),
    }
}

/// Without an SSH server the console is the only way in.
fn check_server(linux: &Linux, judgement: &mut Judgement<'_>) {
    let login = &linux.login;
    let Some(program) = judgement.known(&NO_LOGIN, &login.sshd) else { return };
    let Some(state) = judgement.known(&NO_LOGIN, &login.sshd_service) else { return };
    let family = Family::of(linux);
    let service = if family == Family::Debian { "ssh" } else { "sshd" };
    let (message, origin, what, commands) = match (program, state) {
        (None, _) => {
            let package = match family {
                Family::Suse | Family::Arch | Family::Alpine => "openssh",
                _ => "openssh-server",
            };
            ("no SSH server is installed", None, "install an SSH server", family.install(package))
        }
        (Some(_), ServiceState::Enabled(_)) => return,
        (Some(_), ServiceState::Masked(origin)) => {
            let unit = origin.path.rsplit('/').next().and_then(plain).unwrap_or(service);
            let commands = vec![format!("systemctl unmask {unit}"), format!("systemctl enable {service}")];
            (
                "the SSH server is masked, so it does not start",
                Some(origin),
                "enable the SSH server",
                commands,
            )
        }
        (Some(_), ServiceState::Disabled(origin)) => {
            let commands = vec![format!("systemctl enable {service}")];
            ("the SSH server does not start with the system", Some(origin), "enable the SSH server", commands)
        }
        (Some(program), ServiceState::Absent) => {
            let commands = vec![format!("systemctl enable {service}")];
            ("nothing starts the SSH server", Some(program), "enable the SSH server", commands)
        }
    };
    let place = origin.map_or_else(|| on_volume(&linux.root.volume), place);
    judgement.push(
        Finding::new(&NO_LOGIN, message)
            .in_guest(place)
            .expected("an SSH server that starts")
            .fix(in_system(what, &commands)),
    );
}
