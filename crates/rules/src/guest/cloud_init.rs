//! cloud-init: installed, enabled, and asking the service's data source.

use imsprep_findings::Finding;
use imsprep_guest::{Linux, Origin, Sourced};

use super::commands::{Family, change_command_line, in_system, plain};
use super::judgement::{Judgement, on_volume, place};
use super::os_rules::{NO_CLOUD_INIT, NO_OPENSTACK};

pub(super) fn check(linux: &Linux, judgement: &mut Judgement<'_>) {
    let cloud = &linux.cloud_init;
    let is_installed = judgement.known(&NO_CLOUD_INIT, &cloud.program).map(Option::is_some);
    match is_installed {
        Some(false) => {
            let commands = Family::of(linux).install("cloud-init");
            judgement.push(
                Finding::new(&NO_CLOUD_INIT, "cloud-init is not installed")
                    .in_guest(on_volume(&linux.root.volume))
                    .fix(in_system("install cloud-init", &commands)),
            );
            return;
        }
        Some(true) => {
            for reason in judgement.known(&NO_CLOUD_INIT, &cloud.disabled).into_iter().flatten() {
                judgement.push(
                    Finding::new(&NO_CLOUD_INIT, format!("cloud-init is disabled: {}", reason.value))
                        .in_guest(place(&reason.origin))
                        .fix(in_system("enable cloud-init", &enable(linux, reason))),
                );
            }
        }
        None => {}
    }
    check_sources(linux, judgement);
}

/// Takes away what disables cloud-init.
fn enable(linux: &Linux, reason: &Sourced<String>) -> Vec<String> {
    let services = "cloud-init-local.service cloud-init.service cloud-config.service cloud-final.service";
    match (reason.origin.path.as_str(), reason.value.as_str()) {
        ("/etc/cloud/cloud-init.disabled", _) => vec!["rm /etc/cloud/cloud-init.disabled".into()],
        ("/etc/cloud/ds-identify.cfg", _) => vec!["sed -i '/^policy:/d' /etc/cloud/ds-identify.cfg".into()],
        (_, "the unit is masked") => {
            vec![format!("systemctl unmask {services}"), format!("systemctl enable {services}")]
        }
        (_, text) if text.contains("command line") => {
            let loader = linux.loaders.first();
            loader
                .map(|loader| change_command_line(linux, loader, Some("cloud-init=disabled"), None))
                .unwrap_or_default()
        }
        _ => vec![format!("systemctl enable {services}")],
    }
}

fn check_sources(linux: &Linux, judgement: &mut Judgement<'_>) {
    let cloud = &linux.cloud_init;
    match cloud.allows_openstack() {
        Ok(true) => {}
        Err(reason) => judgement.unknown(&NO_OPENSTACK, &reason),
        Ok(false) => {
            let only = cloud.only_datasource.as_ref().ok().and_then(Option::as_ref);
            let list = cloud.datasources.as_ref().ok().and_then(Option::as_ref);
            let (found, origin) = match (only, list) {
                (Some(only), _) => (only.value.clone(), &only.origin),
                (None, Some(list)) => (list.value.names.join(", "), &list.origin),
                (None, None) => return,
            };
            let found = if found.is_empty() { "none".to_owned() } else { found };
            let message = format!("cloud-init asks only: {found}");
            let finding = Finding::new(&NO_OPENSTACK, message).in_guest(place(origin)).expected("OpenStack");
            judgement.push(
                finding.found(found).fix(in_system(
                    "add OpenStack to the data sources",
                    &allow_openstack(linux, only, origin),
                )),
            );
        }
    }
}

fn allow_openstack(linux: &Linux, only: Option<&Sourced<String>>, origin: &Origin) -> Vec<String> {
    match only {
        Some(only) if origin.path == "/etc/cloud/ds-identify.cfg" => {
            let line = only.origin.line.unwrap_or(1);
            vec![format!("sed -i {line}d /etc/cloud/ds-identify.cfg")]
        }
        // `ds=` on the command line.
        Some(_) => {
            let words = linux.default_entry().ok().map(|entry| &entry.command_line.value);
            let value = words.and_then(|line| line.last("ds").or_else(|| line.last("ci.ds"))).and_then(plain);
            let word = value.map(|value| format!("ds={value}"));
            match (linux.loaders.first(), word) {
                (Some(loader), Some(word)) => change_command_line(linux, loader, Some(&word), None),
                _ => Vec::new(),
            }
        }
        // The last list in the order of the names counts.
        None => vec![
            "echo 'datasource_list: [ OpenStack, ConfigDrive, None ]' > /etc/cloud/cloud.cfg.d/zz-openstack.cfg".into(),
        ],
    }
}
