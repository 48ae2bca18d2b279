//! What the registry says of a Windows.

use std::rc::Rc;

use imsprep_filesystem::GuestTree;

use crate::files::{Archive, Files};
use crate::initramfs::ArchiveFile;
use crate::root::{Root, SYSTEM_HIVE};
use crate::windows::Hive;
use crate::{Answer, Disk, Machine, NotKnown, Origin, Sourced, text};

/// The hive of installed software.
const SOFTWARE_HIVE: &str = "/Windows/System32/config/SOFTWARE";
/// Where the version stands.
const VERSION_KEY: &str = r"Microsoft\Windows NT\CurrentVersion";
/// Most interfaces that are looked at.
const INTERFACES_MAX: usize = 256;
/// Services of other platforms' guest tools.
const FOREIGN_SERVICES: &[(&str, &str)] = &[
    ("VMTools", "VMware Tools"),
    ("VGAuthService", "VMware Tools"),
    ("VBoxService", "VirtualBox Guest Additions"),
    ("xenagent", "Xen guest agent"),
    ("XenSvc", "XenServer tools"),
    ("XSAgent", "XenServer tools"),
    ("WindowsAzureGuestAgent", "Azure guest agent"),
    ("AmazonSSMAgent", "Amazon SSM agent"),
    ("AWSLiteAgent", "AWS PV tools"),
    ("GCEAgent", "Google guest agent"),
    ("prl_tools_service", "Parallels Tools"),
];

/// What is known of a Windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The volume of the system.
    pub volume: String,
    /// The product.
    pub release: Answer<Sourced<WindowsRelease>>,
    /// The machine that it runs on.
    pub machine: Answer<Sourced<Machine>>,
    /// virtio-blk's driver.
    pub viostor: Answer<Option<Service>>,
    /// virtio-scsi's driver.
    pub vioscsi: Answer<Option<Service>>,
    /// virtio-net's driver.
    pub netkvm: Answer<Option<Service>>,
    /// Interfaces with addresses that do not come from DHCP.
    pub static_addresses: Answer<Vec<StaticAddress>>,
    /// Whether remote desktop is on.
    pub remote_desktop: Answer<Sourced<bool>>,
    /// Cloudbase-Init's service.
    pub cloudbase_init: Answer<Option<Service>>,
    /// What Sysprep left: `IMAGE_STATE_COMPLETE`, `IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE`.
    pub image_state: Answer<Option<Sourced<String>>>,
    /// Guest tools of other platforms, by their services.
    pub foreign_tools: Answer<Vec<Sourced<&'static str>>>,
}

/// Which Windows it is. Texts come from the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowsRelease {
    /// `Windows Server 2019 Standard`. Windows 11 says `Windows 10` here; the build tells them apart.
    pub product: String,
    /// The build: `17763`.
    pub build: String,
    /// The edition: `ServerStandard`.
    pub edition: Option<String>,
    /// `Server`, `Server Core`, `Client`.
    pub installation: Option<String>,
    /// The version for people: `1809`, `22H2`.
    pub display_version: Option<String>,
}

/// A service or a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Where it stands: the hive, with the key after its path.
    pub origin: Origin,
    /// When it starts: 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled. `StartOverride` counts.
    pub start: u32,
    /// Whether the driver's file is there; of a service that is no driver always `true`.
    pub has_file: Answer<bool>,
}

impl Service {
    /// Whether it is a driver that starts with the kernel, and its file is there.
    pub fn starts_at_boot(&self) -> Answer<bool> {
        if self.start != 0 {
            return Ok(false);
        }
        self.has_file.clone()
    }

    /// Whether it is not disabled and its file is there.
    pub fn is_usable(&self) -> Answer<bool> {
        if self.start >= 4 {
            return Ok(false);
        }
        self.has_file.clone()
    }
}

/// An interface with fixed addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// The interface's GUID.
    pub interface: String,
    /// The addresses.
    pub addresses: Vec<String>,
    /// Where they stand.
    pub origin: Origin,
}

impl Windows {
    /// Whether a virtio disk driver starts at boot, by OS-020. `Err` if that is not known.
    pub fn boots_from_virtio(&self) -> Answer<bool> {
        let starts = |driver: &Answer<Option<Service>>| match driver {
            Ok(Some(service)) => service.starts_at_boot(),
            Ok(None) => Ok(false),
            Err(reason) => Err(reason.clone()),
        };
        match (starts(&self.viostor), starts(&self.vioscsi)) {
            (Ok(true), _) | (_, Ok(true)) => Ok(true),
            (Ok(false), Ok(false)) => Ok(false),
            (Err(reason), _) | (_, Err(reason)) => Err(reason),
        }
    }

    /// Whether Sysprep generalized it. `Err` if that is not known.
    pub fn is_generalized(&self) -> Answer<bool> {
        let state = self.image_state.clone()?;
        Ok(state.is_some_and(|state| state.value.starts_with("IMAGE_STATE_GENERALIZE_RESEAL")))
    }
}

/// A hive with the file that it is in.
struct Registry<'h> {
    hive: &'h Hive<'h>,
    origin: Origin,
}

impl Registry<'_> {
    /// The place of a key.
    fn at(&self, key: &str) -> Origin {
        Origin { path: text::value(&format!("{}:{key}", self.origin.path)), ..self.origin.clone() }
    }

    fn value(&self, key: &str, name: &str) -> Answer<Option<super::Value>> {
        self.hive.value(key, name).map_err(|reason| NotKnown::at(self.at(key), reason))
    }

    fn text(&self, key: &str, name: &str) -> Answer<Option<String>> {
        Ok(self.value(key, name)?.and_then(|value| value.text()).map(|found| text::name(&found)))
    }

    fn number(&self, key: &str, name: &str) -> Answer<Option<u32>> {
        Ok(self.value(key, name)?.and_then(|value| value.number()))
    }

    fn names(&self, key: &str) -> Answer<Vec<String>> {
        let names = self
            .hive
            .key(key)
            .and_then(|found| found.map_or(Ok(Vec::new()), |found| self.hive.names(&found)));
        names.map_err(|reason| NotKnown::at(self.at(key), reason))
    }

    fn exists(&self, key: &str) -> Answer<bool> {
        self.hive.key(key).map(|key| key.is_some()).map_err(|reason| NotKnown::at(self.at(key), reason))
    }
}

/// Collects the facts; `None` if the work was interrupted.
pub(crate) fn collect<'a>(disk: &Disk<'a>, root: &Root<'a>) -> Option<Windows> {
    let volume = disk.volume(root.volume)?.name.clone();
    let files = Files::new(GuestTree::new(Rc::clone(&root.files), root.node), &volume);
    let software = with_hive(&files, SOFTWARE_HIVE, |software| {
        (release(software), policy(software), image_state(software))
    });
    let (release, policy, image_state) =
        software.unwrap_or_else(|reason| (Err(reason.clone()), Err(reason.clone()), Err(reason)));
    let windows = with_hive(&files, SYSTEM_HIVE, |system| {
        let set = match control_set(system) {
            Ok(set) => set,
            Err(reason) => return unknown(&volume, &reason),
        };
        let driver = |name: &str| service(&files, system, &set, name);
        Windows {
            volume: volume.clone(),
            release: release.clone(),
            machine: machine(system, &set),
            viostor: driver("viostor"),
            vioscsi: driver("vioscsi"),
            netkvm: driver("netkvm"),
            static_addresses: static_addresses(system, &set),
            remote_desktop: remote_desktop(system, &set, policy.clone()),
            cloudbase_init: driver("cloudbase-init"),
            image_state: image_state.clone(),
            foreign_tools: foreign_tools(system, &set),
        }
    });
    let windows =
        windows.unwrap_or_else(|reason| Windows { release, image_state, ..unknown(&volume, &reason) });
    (!files.is_cancelled()).then_some(windows)
}

fn unknown(volume: &str, reason: &NotKnown) -> Windows {
    Windows {
        volume: volume.to_owned(),
        release: Err(reason.clone()),
        machine: Err(reason.clone()),
        viostor: Err(reason.clone()),
        vioscsi: Err(reason.clone()),
        netkvm: Err(reason.clone()),
        static_addresses: Err(reason.clone()),
        remote_desktop: Err(reason.clone()),
        cloudbase_init: Err(reason.clone()),
        image_state: Err(reason.clone()),
        foreign_tools: Err(reason.clone()),
    }
}

fn with_hive<T>(files: &Files<'_>, path: &str, work: impl FnOnce(&Registry<'_>) -> T) -> Answer<T> {
    let origin = files.origin(path);
    let file =
        files.open(path)?.ok_or_else(|| NotKnown::at(origin.clone(), "the registry hive is not there"))?;
    let file = Archive::new(file);
    let mut logs = Vec::new();
    for end in [".LOG1", ".LOG2"] {
        logs.extend(files.open(&format!("{path}{end}"))?.map(Archive::new));
    }
    let logs = logs.iter().map(|log| log as &dyn ArchiveFile).collect::<Vec<_>>();
    let hive = Hive::open(&file, &logs).map_err(|reason| NotKnown::at(origin.clone(), reason))?;
    Ok(work(&Registry { hive: &hive, origin }))
}

fn release(software: &Registry<'_>) -> Answer<Sourced<WindowsRelease>> {
    let get = |name: &str| software.text(VERSION_KEY, name);
    let product =
        get("ProductName")?.ok_or_else(|| NotKnown::at(software.at(VERSION_KEY), "it has no ProductName"))?;
    let build = match get("CurrentBuildNumber")? {
        Some(build) => build,
        None => get("CurrentBuild")?.unwrap_or_default(),
    };
    let display_version = match get("DisplayVersion")? {
        Some(version) => Some(version),
        None => get("ReleaseId")?,
    };
    let release = WindowsRelease {
        product,
        build,
        edition: get("EditionID")?,
        installation: get("InstallationType")?,
        display_version,
    };
    Ok(Sourced::new(release, software.at(VERSION_KEY)))
}

/// A policy for remote desktop comes before the setting.
fn policy(software: &Registry<'_>) -> Answer<Option<(u32, Origin)>> {
    let key = r"Policies\Microsoft\Windows NT\Terminal Services";
    Ok(software.number(key, "fDenyTSConnections")?.map(|number| (number, software.at(key))))
}

fn image_state(software: &Registry<'_>) -> Answer<Option<Sourced<String>>> {
    let key = r"Microsoft\Windows\CurrentVersion\Setup\State";
    Ok(software.text(key, "ImageState")?.map(|state| Sourced::new(state, software.at(key))))
}

/// The control set that the system starts with.
fn control_set(system: &Registry<'_>) -> Answer<String> {
    let number = match system.number("Select", "Default")? {
        Some(number) => Some(number),
        None => system.number("Select", "Current")?,
    };
    let set = format!("ControlSet{:03}", number.unwrap_or(1));
    if system.exists(&set)? {
        Ok(set)
    } else {
        Err(NotKnown::at(system.at("Select"), format!("the control set {set} is not there")))
    }
}

fn machine(system: &Registry<'_>, set: &str) -> Answer<Sourced<Machine>> {
    let key = format!(r"{set}\Control\Session Manager\Environment");
    let name = system.text(&key, "PROCESSOR_ARCHITECTURE")?;
    let machine = match name.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("AMD64") => Machine::X86_64,
        Some("X86") => Machine::X86,
        Some("ARM64") => Machine::Aarch64,
        Some("ARM") => Machine::Arm,
        _ => return Err(NotKnown::at(system.at(&key), "PROCESSOR_ARCHITECTURE is not known")),
    };
    Ok(Sourced::new(machine, system.at(&key)))
}

fn service(files: &Files<'_>, system: &Registry<'_>, set: &str, name: &str) -> Answer<Option<Service>> {
    let key = format!(r"{set}\Services\{name}");
    let Some(start) = system.number(&key, "Start")? else { return Ok(None) };
    // Setup writes this where a driver's start is put off until its device was seen.
    let start = system.number(&format!(r"{key}\StartOverride"), "0")?.unwrap_or(start);
    let kind = system.number(&key, "Type")?.unwrap_or(0);
    // 1 and 2 are drivers.
    let has_file = if kind & 3 == 0 {
        Ok(true)
    } else {
        let path = match system.text(&key, "ImagePath")? {
            Some(path) if !path.is_empty() => driver_path(&path),
            _ => format!("/Windows/System32/drivers/{name}.sys"),
        };
        files.size(&path).map(|size| size.is_some_and(|size| size > 0))
    };
    Ok(Some(Service { origin: system.at(&key), start, has_file }))
}

/// A driver's path: `system32\drivers\x.sys`, `\SystemRoot\System32\drivers\x.sys`, `\??\C:\Windows\...`.
fn driver_path(path: &str) -> String {
    let path = path.replace('\\', "/");
    let lower = path.to_ascii_lowercase();
    let rest = lower.find("system32/").and_then(|at| path.get(at..));
    format!("/Windows/{}", rest.unwrap_or_else(|| path.trim_start_matches(['/', '?'])))
}

fn static_addresses(system: &Registry<'_>, set: &str) -> Answer<Vec<StaticAddress>> {
    let folder = format!(r"{set}\Services\Tcpip\Parameters\Interfaces");
    let mut found = Vec::new();
    for interface in system.names(&folder)?.into_iter().take(INTERFACES_MAX) {
        let key = format!(r"{folder}\{interface}");
        // Without the value an interface uses DHCP.
        if system.number(&key, "EnableDHCP")?.unwrap_or(1) != 0 {
            continue;
        }
        let addresses = system.value(&key, "IPAddress")?.map(|value| value.texts()).unwrap_or_default();
        let addresses = addresses.into_iter().filter(|address| address != "0.0.0.0").collect::<Vec<_>>();
        if !addresses.is_empty() {
            found.push(StaticAddress {
                interface: text::name(&interface),
                addresses,
                origin: system.at(&key),
            });
        }
    }
    Ok(found)
}

fn remote_desktop(
    system: &Registry<'_>,
    set: &str,
    policy: Answer<Option<(u32, Origin)>>,
) -> Answer<Sourced<bool>> {
    let service = format!(r"{set}\Services\TermService");
    if system.number(&service, "Start")? == Some(4) {
        return Ok(Sourced::new(false, system.at(&service)));
    }
    if let Some((denied, origin)) = policy? {
        return Ok(Sourced::new(denied == 0, origin));
    }
    let key = format!(r"{set}\Control\Terminal Server");
    // Without the value connections are denied.
    let denied = system.number(&key, "fDenyTSConnections")?.unwrap_or(1);
    Ok(Sourced::new(denied == 0, system.at(&key)))
}

fn foreign_tools(system: &Registry<'_>, set: &str) -> Answer<Vec<Sourced<&'static str>>> {
    let mut found: Vec<Sourced<&'static str>> = Vec::new();
    for (name, tools) in FOREIGN_SERVICES {
        let key = format!(r"{set}\Services\{name}");
        if system.exists(&key)? && !found.iter().any(|known| known.value == *tools) {
            found.push(Sourced::new(*tools, system.at(&key)));
        }
    }
    Ok(found)
}
