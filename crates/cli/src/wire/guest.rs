//! The system in an image, as `imsprep inspect --json` shows it: every fact that was read.

use imsprep_guest::{
    Addressing, Answer, BootEntry, BootFile, BootLoader, CloudInit, DriverPlaces, Guest, InterfaceFact,
    Kernel, Linux, Login, Lookup, Machine, MountFact, NetRuleFile, Network, NotKnown, Origin, Release,
    Sourced, SshdOption, System, VolumeNote, Windows, WindowsRelease,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::words::guest::{generator, loader_kind, manager, platform, service_state};

/// The system in an image.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct WireGuest {
    /// `linux`, `windows`, `none` or `not-known`.
    is: &'static str,
    /// Why it is not known whether there is a system, or which.
    not_known: Vec<WireReason>,
    volumes: Vec<WireGuestVolume>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linux: Option<WireLinux>,
    #[serde(skip_serializing_if = "Option::is_none")]
    windows: Option<WireWindows>,
}

impl From<&Guest> for WireGuest {
    fn from(guest: &Guest) -> Self {
        let (is, reasons, linux, windows) = match &guest.system {
            System::Linux(linux) => ("linux", &[][..], Some(linux), None),
            System::Windows(windows) => ("windows", &[][..], None, Some(windows)),
            System::None => ("none", &[][..], None, None),
            System::NotKnown(reasons) => ("not-known", reasons.as_slice(), None, None),
        };
        Self {
            is,
            not_known: all(reasons),
            volumes: all(&guest.volumes),
            linux: linux.map(|linux| linux.as_ref().into()),
            windows: windows.map(|windows| windows.as_ref().into()),
        }
    }
}

fn all<'t, T, W: From<&'t T>>(items: &'t [T]) -> Vec<W> {
    items.iter().map(W::from).collect()
}

/// A volume on which the system was looked for.
#[derive(Debug, JsonSchema, Serialize)]
struct WireGuestVolume {
    name: String,
    kind: &'static str,
    /// Why its files could not be read, if it has any.
    unread: Option<String>,
}

impl From<&VolumeNote> for WireGuestVolume {
    fn from(volume: &VolumeNote) -> Self {
        Self { name: volume.name.clone(), kind: volume.kind, unread: volume.unread.clone() }
    }
}

/// A file in the image, perhaps a line of it.
#[derive(Debug, JsonSchema, Serialize)]
struct Place {
    volume: String,
    path: String,
    line: Option<u32>,
}

impl From<&Origin> for Place {
    fn from(origin: &Origin) -> Self {
        Self { volume: origin.volume.clone(), path: origin.path.clone(), line: origin.line }
    }
}

/// Why something is not known.
#[derive(Debug, JsonSchema, Serialize)]
struct WireReason {
    reason: String,
    at: Option<Place>,
}

impl From<&NotKnown> for WireReason {
    fn from(unknown: &NotKnown) -> Self {
        Self { reason: unknown.reason.clone(), at: unknown.origin.as_ref().map(Place::from) }
    }
}

/// A fact with its place, or why it is not known.
#[derive(Debug, JsonSchema, Serialize)]
struct Fact<T> {
    /// `null` if there is none, or if it is not known.
    value: Option<T>,
    /// Where it was read.
    at: Option<Place>,
    /// Why it is not known. Absent if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_known: Option<String>,
}

impl<T> Fact<T> {
    fn new<'a, A>(
        answer: &'a Answer<A>,
        place: impl FnOnce(&'a A) -> Option<&'a Origin>,
        value: impl FnOnce(&'a A) -> Option<T>,
    ) -> Self {
        match answer {
            Ok(found) => Self { value: value(found), at: place(found).map(Place::from), not_known: None },
            Err(unknown) => Self {
                value: None,
                at: unknown.origin.as_ref().map(Place::from),
                not_known: Some(unknown.reason.clone()),
            },
        }
    }

    /// A fact that follows from others.
    fn plain(answer: Answer<T>) -> Self {
        match answer {
            Ok(value) => Self { value: Some(value), at: None, not_known: None },
            Err(NotKnown { reason, origin }) => {
                Self { value: None, at: origin.as_ref().map(Place::from), not_known: Some(reason) }
            }
        }
    }

    /// A fact without a place of its own.
    fn of<'a, A>(answer: &'a Answer<A>, value: impl FnOnce(&'a A) -> T) -> Self {
        Self::new(answer, |_| None, |found| Some(value(found)))
    }

    fn sourced<'a, A>(answer: &'a Answer<Sourced<A>>, value: impl FnOnce(&'a A) -> T) -> Self {
        Self::new(answer, |found| Some(&found.origin), |found| Some(value(&found.value)))
    }

    fn optional<'a, A>(answer: &'a Answer<Option<Sourced<A>>>, value: impl FnOnce(&'a A) -> T) -> Self {
        Self::new(
            answer,
            |found| found.as_ref().map(|found| &found.origin),
            |found| found.as_ref().map(|found| value(&found.value)),
        )
    }
}

impl Fact<bool> {
    /// Whether a file is there.
    fn there(answer: &Answer<Option<Origin>>) -> Self {
        Self::new(answer, Option::as_ref, |found| Some(found.is_some()))
    }
}

impl<W> Fact<Vec<W>> {
    fn list<'t, T>(answer: &'t Answer<Vec<T>>) -> Self
    where
        W: From<&'t T>,
    {
        Self::of(answer, |items| all(items))
    }
}

/// A text with its place.
#[derive(Debug, JsonSchema, Serialize)]
struct WireText {
    value: String,
    at: Place,
}

impl<T: ToString> From<&Sourced<T>> for WireText {
    fn from(text: &Sourced<T>) -> Self {
        Self { value: text.value.to_string(), at: (&text.origin).into() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireMachine {
    /// `x86_64`, `i386`, `aarch64`, `arm`, or another one in words.
    name: String,
    bits: u32,
}

impl From<&Machine> for WireMachine {
    fn from(machine: &Machine) -> Self {
        Self { name: machine.to_string(), bits: machine.bits() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireLinux {
    root: WireRoot,
    release: Fact<WireRelease>,
    machine: Fact<WireMachine>,
    loaders: Vec<WireBootLoader>,
    kernel: Fact<WireKernel>,
    fstab: Fact<Vec<WireMount>>,
    mount_units: Fact<Vec<WireMount>>,
    network: WireNetwork,
    cloud_init: WireCloudInit,
    login: WireLogin,
    identity: WireIdentity,
    foreign_tools: Fact<Vec<WireText>>,
    own_tools: Fact<Vec<WireText>>,
    /// Volumes of the system that could not be read.
    unread: Vec<WireReason>,
}

impl From<&Linux> for WireLinux {
    fn from(linux: &Linux) -> Self {
        let root = &linux.root;
        Self {
            root: WireRoot {
                volume: root.volume.clone(),
                kind: root.kind,
                uuid: root.uuid.clone(),
                subvolume: root.subvolume.clone(),
                others: root.others.clone(),
            },
            release: Fact::sourced(&linux.release, WireRelease::from),
            machine: Fact::sourced(&linux.machine, WireMachine::from),
            loaders: all(&linux.loaders),
            kernel: Fact::of(&linux.kernel, WireKernel::from),
            fstab: Fact::list(&linux.fstab),
            mount_units: Fact::list(&linux.mount_units),
            network: (&linux.network).into(),
            cloud_init: (&linux.cloud_init).into(),
            login: (&linux.login).into(),
            identity: WireIdentity {
                machine_id: Fact::there(&linux.identity.machine_id),
                host_keys: Fact::list(&linux.identity.host_keys),
            },
            foreign_tools: Fact::list(&linux.foreign_tools),
            own_tools: Fact::list(&linux.own_tools),
            unread: all(&linux.unread),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRoot {
    volume: String,
    kind: &'static str,
    uuid: Option<String>,
    /// The Btrfs subvolume, if it is not the default one.
    subvolume: Option<String>,
    /// Other roots of a Linux on the disk: snapshots, copies, a second system.
    others: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRelease {
    product: String,
    id: String,
    version: String,
    id_like: Vec<String>,
    /// The version with its minor parts, from a file that has more than os-release.
    full_version: Option<String>,
    variant: Option<String>,
    codename: Option<String>,
}

impl From<&Release> for WireRelease {
    fn from(release: &Release) -> Self {
        let Release { product, id, version, id_like, full_version, variant, codename } = release.clone();
        Self { product, id, version, id_like, full_version, variant, codename }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireBootLoader {
    /// `grub`, `grub-legacy`, `syslinux`, `systemd-boot` or `unified-kernel`.
    kind: &'static str,
    /// The firmware that starts it: `bios` or `uefi`.
    firmware: &'static str,
    config: Place,
    /// Entries of the menu.
    entries: usize,
    default: Fact<WireEntry>,
    /// What of the configuration is not known.
    not_known: Vec<WireReason>,
}

impl From<&BootLoader> for WireBootLoader {
    fn from(loader: &BootLoader) -> Self {
        Self {
            kind: loader_kind(loader.kind),
            firmware: platform(loader.platform),
            config: (&loader.config).into(),
            entries: loader.entries,
            default: Fact::new(&loader.default, |entry| Some(&entry.origin), |entry| Some(entry.into())),
            not_known: all(&loader.unknown),
        }
    }
}

/// The entry that starts by default.
#[derive(Debug, JsonSchema, Serialize)]
struct WireEntry {
    title: String,
    command_line: WireText,
    root: Option<WireDevice>,
    kernel: Option<WireBootFile>,
    initramfs: Vec<WireBootFile>,
    /// Why the entry is not known for certain.
    computed: Option<String>,
}

impl From<&BootEntry> for WireEntry {
    fn from(entry: &BootEntry) -> Self {
        let line = &entry.command_line;
        Self {
            title: entry.title.clone(),
            command_line: WireText { value: line.value.text.clone(), at: (&line.origin).into() },
            root: entry.root.as_ref().map(|(device, lookup)| WireDevice::new(device, lookup)),
            kernel: entry.kernel.as_ref().map(WireBootFile::from),
            initramfs: all(&entry.initramfs),
            computed: entry.computed.clone(),
        }
    }
}

/// A device as a configuration names it, and whether the disk has it.
#[derive(Debug, JsonSchema, Serialize)]
struct WireDevice {
    device: String,
    /// Whether it is on this disk; `null` if that is not known.
    on_disk: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_known: Option<String>,
}

impl WireDevice {
    fn new(device: &impl ToString, lookup: &Lookup) -> Self {
        let (on_disk, not_known) = match lookup {
            Lookup::Found(_) => (Some(true), None),
            Lookup::Absent => (Some(false), None),
            Lookup::Unknown(reason) => (None, Some(reason.clone())),
        };
        Self { device: device.to_string(), on_disk, not_known }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireBootFile {
    at: Place,
    exists: Fact<bool>,
}

impl From<&BootFile> for WireBootFile {
    fn from(file: &BootFile) -> Self {
        Self { at: (&file.origin).into(), exists: Fact::of(&file.exists, |exists| *exists) }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireKernel {
    version: Fact<String>,
    machine: Option<WireMachine>,
    /// The folder of its modules.
    modules: Fact<bool>,
    initramfs: Fact<WireInitramfs>,
    drivers: Vec<WireDriver>,
    /// Whether it can read a virtio disk when it boots.
    boots_from_virtio: Fact<bool>,
    virtio_network: Fact<bool>,
}

impl From<&Kernel> for WireKernel {
    fn from(kernel: &Kernel) -> Self {
        Self {
            version: Fact::sourced(&kernel.version, String::clone),
            machine: kernel.machine.as_ref().map(WireMachine::from),
            modules: Fact::there(&kernel.modules),
            initramfs: Fact::optional(&kernel.initramfs, |initramfs| WireInitramfs {
                generator: initramfs.generator.map(generator),
                hostonly: initramfs.hostonly,
                compressors: initramfs.compressors.clone(),
                modules: initramfs.modules.values().map(std::collections::BTreeSet::len).sum(),
                not_known: initramfs.incomplete.clone(),
            }),
            drivers: kernel
                .drivers
                .iter()
                .map(|(driver, places)| WireDriver::new(driver.module(), places))
                .collect(),
            boots_from_virtio: Fact::plain(kernel.boots_from_virtio()),
            virtio_network: Fact::plain(kernel.has_virtio_network()),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireInitramfs {
    /// `dracut`, `initramfs-tools` or `mkinitcpio`, where that shows.
    generator: Option<&'static str>,
    /// Whether dracut made it for the hardware of one machine only.
    hostonly: bool,
    /// The compressors of its archives.
    compressors: Vec<&'static str>,
    /// The number of modules in it.
    modules: usize,
    /// Why not all of it was read.
    not_known: Option<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireDriver {
    name: &'static str,
    builtin: Fact<bool>,
    initramfs: Fact<bool>,
    /// Below /lib/modules.
    modules: Fact<bool>,
}

impl WireDriver {
    fn new(name: &'static str, places: &DriverPlaces) -> Self {
        let fact = |answer: &Answer<bool>| Fact::of(answer, |is| *is);
        Self {
            name,
            builtin: fact(&places.builtin),
            initramfs: fact(&places.initramfs),
            modules: fact(&places.modules),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireMount {
    at: Place,
    source: WireDevice,
    target: String,
    /// The kind of file system, as the entry names it.
    kind: String,
    options: Vec<String>,
    enabled: bool,
    /// The volume of this disk that it means.
    volume: Option<String>,
    /// Whether the system does not come up because the device is not on the disk.
    stops_boot: bool,
}

impl From<&MountFact> for WireMount {
    fn from(fact: &MountFact) -> Self {
        let mount = &fact.mount.value;
        Self {
            at: (&fact.mount.origin).into(),
            source: WireDevice::new(&mount.device, &fact.lookup),
            target: mount.target.clone(),
            kind: mount.kind.clone(),
            options: mount.options.clone(),
            enabled: mount.enabled,
            volume: fact.volume.clone(),
            stops_boot: fact.stops_boot(),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireNetwork {
    interfaces: Vec<WireInterface>,
    rules: Vec<WireRuleFile>,
    /// Where cloud-init is told to leave the network alone.
    cloud_init_disabled: Option<Place>,
    /// Files that could not be read or understood.
    unread: Vec<WireReason>,
}

impl From<&Network> for WireNetwork {
    fn from(network: &Network) -> Self {
        Self {
            interfaces: all(&network.interfaces),
            rules: all(&network.rules),
            cloud_init_disabled: network.cloud_init_disabled.as_ref().map(Place::from),
            unread: all(&network.unread),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireInterface {
    /// The name, or a pattern of names.
    name: Option<String>,
    at: Place,
    /// `netplan`, `ifupdown`, `ifcfg`, `ifcfg-suse`, `networkmanager`, `systemd-networkd` or `cloud-init`.
    manager: &'static str,
    ipv4: WireAddressing,
    ipv6: WireAddressing,
    mac: Option<String>,
    enabled: bool,
    /// Whether it is a network card: no loopback, bridge, bond, VLAN or tunnel.
    physical: bool,
    written_by_cloud_init: bool,
}

impl From<&InterfaceFact> for WireInterface {
    fn from(fact: &InterfaceFact) -> Self {
        let interface = &fact.interface;
        Self {
            name: interface.name.clone(),
            at: (&fact.origin).into(),
            manager: manager(fact.manager),
            ipv4: (&interface.ipv4).into(),
            ipv6: (&interface.ipv6).into(),
            mac: interface.mac.as_ref().map(|(mac, _)| mac.clone()),
            enabled: interface.enabled,
            physical: interface.physical,
            written_by_cloud_init: fact.written_by_cloud_init,
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireAddressing {
    /// `none`, `dhcp`, `automatic`, `static` or `not-known`.
    is: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_known: Option<String>,
}

impl From<&Addressing> for WireAddressing {
    fn from(addressing: &Addressing) -> Self {
        let (is, addresses, not_known) = match addressing {
            Addressing::None => ("none", Vec::new(), None),
            Addressing::Dhcp => ("dhcp", Vec::new(), None),
            Addressing::Automatic => ("automatic", Vec::new(), None),
            Addressing::Static(addresses) => ("static", addresses.clone(), None),
            Addressing::Unknown(reason) => ("not-known", Vec::new(), Some(reason.clone())),
        };
        Self { is, addresses, not_known }
    }
}

/// A file of udev rules for network cards.
#[derive(Debug, JsonSchema, Serialize)]
struct WireRuleFile {
    at: Place,
    rules: Vec<WireNetRule>,
    empty: bool,
    in_initramfs: bool,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireNetRule {
    mac: String,
    name: String,
    line: u32,
}

impl From<&NetRuleFile> for WireRuleFile {
    fn from(file: &NetRuleFile) -> Self {
        let rules = file.rules.iter().map(|rule| WireNetRule {
            mac: rule.mac.clone(),
            name: rule.name.clone(),
            line: rule.line,
        });
        Self {
            at: (&file.origin).into(),
            rules: rules.collect(),
            empty: file.empty,
            in_initramfs: file.in_initramfs,
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireCloudInit {
    installed: Fact<bool>,
    /// Whether it is installed and not disabled.
    runs: Fact<bool>,
    /// What disables it.
    disabled: Fact<Vec<WireText>>,
    /// The list of data sources; `null` if the default counts, which has OpenStack.
    datasources: Fact<Vec<String>>,
    /// The only data source that is used, if one is named.
    only_datasource: Fact<String>,
    allows_openstack: Fact<bool>,
}

impl From<&CloudInit> for WireCloudInit {
    fn from(cloud_init: &CloudInit) -> Self {
        Self {
            installed: Fact::there(&cloud_init.program),
            runs: Fact::plain(cloud_init.runs()),
            disabled: Fact::list(&cloud_init.disabled),
            datasources: Fact::optional(&cloud_init.datasources, |list| list.names.clone()),
            only_datasource: Fact::optional(&cloud_init.only_datasource, String::clone),
            allows_openstack: Fact::plain(cloud_init.allows_openstack()),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireLogin {
    /// Whether an SSH server is installed.
    sshd: Fact<bool>,
    /// `enabled`, `disabled`, `masked` or `absent`.
    sshd_service: Fact<&'static str>,
    sshd_options: Fact<Vec<WireOption>>,
    /// Accounts with a shell and a password that lets somebody in.
    passwords: Fact<Vec<WireText>>,
    /// Accounts with a shell and a key; the place is the file with the key.
    keys: Fact<Vec<WireText>>,
}

impl From<&Login> for WireLogin {
    fn from(login: &Login) -> Self {
        Self {
            sshd: Fact::there(&login.sshd),
            sshd_service: Fact::new(
                &login.sshd_service,
                |state| service_state(state).1,
                |state| Some(service_state(state).0),
            ),
            sshd_options: Fact::list(&login.sshd_options),
            passwords: Fact::list(&login.passwords),
            keys: Fact::list(&login.keys),
        }
    }
}

/// An option of sshd.
#[derive(Debug, JsonSchema, Serialize)]
struct WireOption {
    name: String,
    value: String,
    at: Place,
}

impl From<&Sourced<SshdOption>> for WireOption {
    fn from(option: &Sourced<SshdOption>) -> Self {
        let SshdOption { keyword, value, .. } = &option.value;
        Self { name: keyword.clone(), value: value.clone(), at: (&option.origin).into() }
    }
}

/// What every server made from the image would share.
#[derive(Debug, JsonSchema, Serialize)]
struct WireIdentity {
    /// Whether a machine-id is set.
    machine_id: Fact<bool>,
    host_keys: Fact<Vec<Place>>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireWindows {
    volume: String,
    release: Fact<WireWindowsRelease>,
    machine: Fact<WireMachine>,
    viostor: Fact<WireService>,
    vioscsi: Fact<WireService>,
    netkvm: Fact<WireService>,
    /// Whether a virtio disk driver starts at boot.
    boots_from_virtio: Fact<bool>,
    static_addresses: Fact<Vec<WireStaticAddress>>,
    remote_desktop: Fact<bool>,
    cloudbase_init: Fact<WireService>,
    image_state: Fact<String>,
    generalized: Fact<bool>,
    foreign_tools: Fact<Vec<WireText>>,
}

impl From<&Windows> for WireWindows {
    fn from(windows: &Windows) -> Self {
        Self {
            volume: windows.volume.clone(),
            release: Fact::sourced(&windows.release, WireWindowsRelease::from),
            machine: Fact::sourced(&windows.machine, WireMachine::from),
            viostor: service(&windows.viostor),
            vioscsi: service(&windows.vioscsi),
            netkvm: service(&windows.netkvm),
            boots_from_virtio: Fact::plain(windows.boots_from_virtio()),
            static_addresses: Fact::list(&windows.static_addresses),
            remote_desktop: Fact::sourced(&windows.remote_desktop, |on| *on),
            cloudbase_init: service(&windows.cloudbase_init),
            image_state: Fact::optional(&windows.image_state, String::clone),
            generalized: Fact::plain(windows.is_generalized()),
            foreign_tools: Fact::list(&windows.foreign_tools),
        }
    }
}

fn service(answer: &Answer<Option<imsprep_guest::Service>>) -> Fact<WireService> {
    Fact::new(
        answer,
        |found| found.as_ref().map(|service| &service.origin),
        |found| {
            found.as_ref().map(|service| WireService {
                start: service.start,
                has_file: Fact::of(&service.has_file, |has| *has),
            })
        },
    )
}

/// A service or a driver.
#[derive(Debug, JsonSchema, Serialize)]
struct WireService {
    /// 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled.
    start: u32,
    has_file: Fact<bool>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireWindowsRelease {
    product: String,
    build: String,
    edition: Option<String>,
    installation: Option<String>,
    display_version: Option<String>,
}

impl From<&WindowsRelease> for WireWindowsRelease {
    fn from(release: &WindowsRelease) -> Self {
        let WindowsRelease { product, build, edition, installation, display_version } = release.clone();
        Self { product, build, edition, installation, display_version }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireStaticAddress {
    /// The interface's GUID.
    interface: String,
    addresses: Vec<String>,
    at: Place,
}

impl From<&imsprep_guest::StaticAddress> for WireStaticAddress {
    fn from(address: &imsprep_guest::StaticAddress) -> Self {
        let imsprep_guest::StaticAddress { interface, addresses, origin } = address;
        Self { interface: interface.clone(), addresses: addresses.clone(), at: origin.into() }
    }
}
