//! A Windows: its drivers, its network, and how it can be reached.

use imsprep_findings::Finding;
use imsprep_guest::{Answer, Service, Windows};

use super::commands::{in_windows, plain};
use super::identity::foreign;
use super::judgement::{Judgement, on_volume, place};
use super::os_rules::{
    FOREIGN_TOOLS, WINDOWS_NO_CLOUDBASE_INIT, WINDOWS_NO_DISK_DRIVER, WINDOWS_NO_NETWORK_DRIVER,
    WINDOWS_NO_REMOTE_DESKTOP, WINDOWS_NOT_GENERALIZED, WINDOWS_STATIC_ADDRESS,
};

/// A service that does not start.
const DISABLED: u32 = 4;

pub(super) fn check(windows: &Windows, judgement: &mut Judgement<'_>) {
    if judgement.has_virtio() {
        check_disk(windows, judgement);
        check_card(windows, judgement);
    }
    check_addresses(windows, judgement);
    if let Some(on) = judgement.known(&WINDOWS_NO_REMOTE_DESKTOP, &windows.remote_desktop)
        && !on.value
    {
        judgement.push(
            Finding::new(&WINDOWS_NO_REMOTE_DESKTOP, "connections by remote desktop are denied")
                .in_guest(place(&on.origin))
                .expected("fDenyTSConnections = 0")
                .fix(in_windows(
                    "enable remote desktop, and its rule of the firewall",
                    &[
                        r#"reg add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server" /v fDenyTSConnections /t REG_DWORD /d 0 /f"#
                            .to_owned(),
                        r#"netsh advfirewall firewall set rule group="remote desktop" new enable=Yes"#.to_owned(),
                    ],
                )),
        );
    }
    check_cloudbase_init(windows, judgement);
    check_sysprep(windows, judgement);
    let tools = judgement.known(&FOREIGN_TOOLS, &windows.foreign_tools).cloned().unwrap_or_default();
    tools.iter().for_each(|tool| judgement.push(foreign(tool).fix("remove them in Programs and Features")));
}

/// Why a driver is of no use; `None` if it may be of use.
fn why_not(name: &str, driver: &Answer<Option<Service>>, starts: &str, latest: u32) -> Option<String> {
    match driver {
        Ok(None) => Some(format!("{name} is not installed")),
        Ok(Some(service)) if service.start > latest => {
            Some(format!("{name} has Start = {}, which is not {starts}", service.start))
        }
        Ok(Some(Service { has_file: Ok(false), .. })) => Some(format!("the file of {name} is not there")),
        Ok(Some(_)) | Err(_) => None,
    }
}

fn place_of(windows: &Windows, drivers: &[&Answer<Option<Service>>]) -> imsprep_findings::GuestPlace {
    let found = drivers.iter().find_map(|driver| driver.as_ref().ok()?.as_ref());
    found.map_or_else(|| on_volume(&windows.volume), |service| place(&service.origin))
}

const INSTALL: &str =
    "install the virtio drivers in the system (virtio-win, or VirtIO drivers of the service)";

fn check_disk(windows: &Windows, judgement: &mut Judgement<'_>) {
    match windows.boots_from_virtio() {
        Ok(true) => {}
        Err(reason) => judgement.unknown(&WINDOWS_NO_DISK_DRIVER, &reason),
        Ok(false) => {
            let reasons = [("viostor", &windows.viostor), ("vioscsi", &windows.vioscsi)]
                .into_iter()
                .filter_map(|(name, driver)| why_not(name, driver, "0 (boot)", 0));
            let message = reasons.collect::<Vec<_>>().join(", and ");
            let installed = [("viostor", &windows.viostor), ("vioscsi", &windows.vioscsi)].into_iter().find(
                |(_, driver)| matches!(driver, Ok(Some(Service { start: 1.., has_file: Ok(true), .. }))),
            );
            let fix = match installed {
                Some((name, _)) => {
                    let key = format!(r"HKLM\SYSTEM\CurrentControlSet\Services\{name}");
                    in_windows(
                        "start the driver at boot",
                        &[format!("reg add {key} /v Start /t REG_DWORD /d 0 /f")],
                    )
                }
                None => INSTALL.to_owned(),
            };
            judgement.push(
                Finding::new(&WINDOWS_NO_DISK_DRIVER, message)
                    .in_guest(place_of(windows, &[&windows.viostor, &windows.vioscsi]))
                    .expected("viostor or vioscsi with Start = 0 and its file")
                    .fix(fix),
            );
        }
    }
}

fn check_card(windows: &Windows, judgement: &mut Judgement<'_>) {
    let Some(driver) = judgement.known(&WINDOWS_NO_NETWORK_DRIVER, &windows.netkvm) else { return };
    let usable = driver.as_ref().map_or(Ok(false), Service::is_usable);
    match usable {
        Ok(true) => {}
        Err(reason) => judgement.unknown(&WINDOWS_NO_NETWORK_DRIVER, &reason),
        Ok(false) => {
            let message = why_not("netkvm", &windows.netkvm, "on demand or earlier", DISABLED - 1);
            judgement.push(
                Finding::new(&WINDOWS_NO_NETWORK_DRIVER, message.unwrap_or_default())
                    .in_guest(place_of(windows, &[&windows.netkvm]))
                    .expected("netkvm that is not disabled, and its file")
                    .fix(INSTALL),
            );
        }
    }
}

fn check_addresses(windows: &Windows, judgement: &mut Judgement<'_>) {
    let found =
        judgement.known(&WINDOWS_STATIC_ADDRESS, &windows.static_addresses).cloned().unwrap_or_default();
    for interface in found {
        let addresses = interface.addresses.join(", ");
        let key = plain(interface.interface.trim_matches(['{', '}']));
        let command = key.map(|key| {
            let key =
                format!(r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces\{{{key}}}");
            format!(r#"reg add "{key}" /v EnableDHCP /t REG_DWORD /d 1 /f"#)
        });
        judgement.push(
            Finding::new(
                &WINDOWS_STATIC_ADDRESS,
                format!("the interface {} has the address {addresses}", interface.interface),
            )
            .in_guest(place(&interface.origin))
            .expected("EnableDHCP = 1")
            .found(&addresses)
            .fix(in_windows("configure the interface for DHCP", &command.into_iter().collect::<Vec<_>>())),
        );
    }
}

fn check_cloudbase_init(windows: &Windows, judgement: &mut Judgement<'_>) {
    let Some(service) = judgement.known(&WINDOWS_NO_CLOUDBASE_INIT, &windows.cloudbase_init) else { return };
    let (message, place, fix) = match service {
        None => (
            "the service cloudbase-init is not installed",
            on_volume(&windows.volume),
            "install Cloudbase-Init from cloudbase.it in the system".to_owned(),
        ),
        Some(service) if service.start >= DISABLED => (
            "the service cloudbase-init is disabled",
            place(&service.origin),
            in_windows("enable the service", &["sc config cloudbase-init start= auto".to_owned()]),
        ),
        Some(_) => return,
    };
    judgement.push(Finding::new(&WINDOWS_NO_CLOUDBASE_INIT, message).in_guest(place).fix(fix));
}

fn check_sysprep(windows: &Windows, judgement: &mut Judgement<'_>) {
    match windows.is_generalized() {
        Ok(true) => {}
        Err(reason) => judgement.unknown(&WINDOWS_NOT_GENERALIZED, &reason),
        Ok(false) => {
            let state = windows.image_state.as_ref().ok().and_then(Option::as_ref);
            let place = state.map_or_else(|| on_volume(&windows.volume), |state| place(&state.origin));
            let message = match state {
                Some(state) => format!("its state is {}", state.value),
                None => "no state of an image is in the registry".to_owned(),
            };
            judgement.push(
                Finding::new(&WINDOWS_NOT_GENERALIZED, message)
                    .in_guest(place)
                    .expected("IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE")
                    .fix(in_windows(
                        "if several servers will be made from the image, generalize it as the last step",
                        &[r"C:\Windows\System32\Sysprep\sysprep.exe /generalize /oobe /shutdown".to_owned()],
                    )),
            );
        }
    }
}
