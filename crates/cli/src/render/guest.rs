//! The system in an image, for people: a few lines of what decides how a server made from it starts.

use std::fmt::Write as _;

use imsprep_guest::{
    Answer, BootLoader, CloudInit, DeviceSpec, Driver, Guest, Kernel, Linux, Login, Network, NotKnown,
    System, Windows,
};

use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::counted;
use crate::words::guest::{addressing, generator, loader_name, service_state};

/// Most lines of one kind: interfaces, reasons.
const LINES: usize = 4;

/// The block on the system; empty if the disk has none.
pub(super) fn text(guest: &Guest, detail: Detail) -> String {
    let mut block = Block(String::new());
    match &guest.system {
        System::Linux(linux) => block.linux(linux, detail),
        System::Windows(windows) => block.windows(windows),
        System::None => {}
        System::NotKnown(reasons) => {
            let reasons = reasons.iter().map(|reason| format!("not known: {reason}")).collect::<Vec<_>>();
            block.several("installed", &reasons, detail);
        }
    }
    block.0
}

struct Block(String);

impl Block {
    /// A line, or none for an empty text.
    fn line(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            let _ = writeln!(self.0, "  {name:12}  {}", shown(text));
        }
    }

    /// The first in colour.
    fn head(&mut self, name: &str, strong: &str, rest: &str) {
        let bold = style::BOLD;
        let _ = writeln!(self.0, "  {name:12}  {bold}{}{bold:#}{}", shown(strong), shown(rest));
    }

    fn several(&mut self, name: &str, lines: &[String], detail: Detail) {
        let most = if detail == Detail::Verbose { usize::MAX } else { LINES };
        for (index, line) in lines.iter().take(most).enumerate() {
            self.line(if index == 0 { name } else { "" }, line);
        }
        if let Some(more) = lines.len().checked_sub(most).filter(|more| *more > 0) {
            self.line("", &format!("and {more} more (-v shows them)"));
        }
    }

    fn linux(&mut self, linux: &Linux, detail: Detail) {
        match &linux.release {
            Ok(release) => {
                let full = release
                    .value
                    .full_version
                    .as_deref()
                    .map_or_else(String::new, |full| format!(", {full}"));
                let machine =
                    linux.machine.as_ref().map_or_else(unknown, |machine| machine.value.to_string());
                self.head("installed", &release.value.product, &format!("{full}, {machine}"));
            }
            Err(reason) => self.line("installed", &format!("Linux; which one is {}", unknown(reason))),
        }
        let root = &linux.root;
        let uuid = root.uuid.as_deref().map_or_else(String::new, |uuid| format!(", UUID {uuid}"));
        let subvolume =
            root.subvolume.as_deref().map_or_else(String::new, |name| format!(", subvolume {name}"));
        self.line("root", &format!("{} on {}{subvolume}{uuid}", root.kind, root.volume));
        let others = root.others.iter().map(|other| format!("another system, or a copy: {other}"));
        self.several("", &others.collect::<Vec<_>>(), detail);
        if linux.loaders.is_empty() {
            self.line("boot loader", "no configuration of one was found");
        }
        for loader in &linux.loaders {
            self.loader(loader, detail);
        }
        self.kernel(&linux.kernel);
        self.network(&linux.network, detail);
        self.line("cloud-init", &cloud_init(&linux.cloud_init));
        self.line("login", &login(&linux.login));
        let unread = linux.unread.iter().map(ToString::to_string).collect::<Vec<_>>();
        self.several("not read", &unread, detail);
    }

    fn loader(&mut self, loader: &BootLoader, detail: Detail) {
        let firmware = match loader.platform {
            imsprep_guest::Platform::Bios => "BIOS",
            imsprep_guest::Platform::Uefi => "UEFI",
        };
        self.line("boot loader", &format!("{} for {firmware}, {}", loader_name(loader.kind), loader.config));
        match &loader.default {
            Ok(entry) => {
                let root = entry
                    .root
                    .as_ref()
                    .map_or_else(String::new, |(device, _)| format!(", root {}", device_text(device)));
                let computed = entry
                    .computed
                    .as_deref()
                    .map_or_else(String::new, |why| format!(" (not certain: {why})"));
                self.line("", &format!("starts \"{}\"{root}{computed}", entry.title));
                if detail == Detail::Verbose {
                    self.line("", &format!("command line: {}", entry.command_line.value.text));
                }
            }
            Err(reason) => self.line("", &format!("the default entry is {}", unknown(reason))),
        }
        let reasons = loader.unknown.iter().map(unknown).collect::<Vec<_>>();
        self.several("", &reasons, detail);
    }

    fn kernel(&mut self, kernel: &Answer<Kernel>) {
        let kernel = match kernel {
            Ok(kernel) => kernel,
            Err(reason) => return self.line("kernel", &unknown(reason)),
        };
        let version = kernel.version.as_ref().map_or_else(unknown, |version| version.value.clone());
        let initramfs = match &kernel.initramfs {
            Ok(Some(found)) => {
                let by =
                    found.value.generator.map_or_else(String::new, |by| format!(" by {}", generator(by)));
                let hostonly = if found.value.hostonly { ", for the hardware of one machine" } else { "" };
                format!("initramfs{by}{hostonly}")
            }
            Ok(None) => "no initramfs".into(),
            Err(reason) => format!("the initramfs is {}", unknown(reason)),
        };
        self.line("kernel", &format!("{version}, {initramfs}"));
        self.line("drivers", &drivers(kernel));
    }

    fn network(&mut self, network: &Network, detail: Detail) {
        let interfaces = network.interfaces.iter().filter(|fact| fact.interface.physical);
        let mut lines = interfaces
            .map(|fact| {
                let name = fact.interface.name.as_deref().unwrap_or("any interface");
                format!("{name}: {} ({})", addressing(fact), fact.origin.path)
            })
            .collect::<Vec<_>>();
        lines.extend(network.rules.iter().filter(|file| !file.rules.is_empty()).map(|file| {
            format!("{} for MAC addresses in {}", counted(file.rules.len() as u64, "rule"), file.origin.path)
        }));
        lines.extend(network.unread.iter().map(unknown));
        if lines.is_empty() {
            lines.push("no file configures an interface".into());
        }
        self.several("network", &lines, detail);
    }

    fn windows(&mut self, windows: &Windows) {
        match &windows.release {
            Ok(release) => {
                let machine =
                    windows.machine.as_ref().map_or_else(unknown, |machine| machine.value.to_string());
                let rest = format!(", build {}, {machine}", release.value.build);
                self.head("installed", &release.value.product, &rest);
            }
            Err(reason) => self.line("installed", &format!("Windows; which one is {}", unknown(reason))),
        }
        self.line("root", &windows.volume);
        let disk = says(
            &windows.boots_from_virtio(),
            "virtio for disks starts at boot",
            "no virtio driver for disks starts at boot",
        );
        let usable = windows
            .netkvm
            .clone()
            .and_then(|service| service.map_or(Ok(false), |service| service.is_usable()));
        let net = says(&usable, "virtio for the network", "no virtio driver for the network");
        self.line("drivers", &format!("{disk}; {net}"));
        let addresses = match &windows.static_addresses {
            Ok(all) if all.is_empty() => "DHCP on every interface".into(),
            Ok(all) => {
                let each = all.iter().map(|one| one.addresses.join(", ")).collect::<Vec<_>>();
                format!("static {}", each.join("; "))
            }
            Err(reason) => unknown(reason),
        };
        self.line("network", &addresses);
        let desktop = windows.remote_desktop.as_ref().map(|on| on.value).map_err(Clone::clone);
        self.line("login", &says(&desktop, "remote desktop is on", "remote desktop is off"));
        let cloudbase =
            windows.cloudbase_init.clone().map(|service| service.is_some_and(|service| service.start < 4));
        self.line(
            "cloud-init",
            &says(&cloudbase, "Cloudbase-Init is installed", "Cloudbase-Init is not installed, or disabled"),
        );
        self.line("sysprep", &says(&windows.is_generalized(), "generalized", "not generalized"));
    }
}

fn unknown(reason: &NotKnown) -> String {
    format!("not known: {reason}")
}

fn says(answer: &Answer<bool>, yes: &str, no: &str) -> String {
    match answer {
        Ok(true) => yes.to_owned(),
        Ok(false) => no.to_owned(),
        Err(reason) => format!("{yes}: {}", unknown(reason)),
    }
}

fn device_text(device: &DeviceSpec) -> String {
    device.to_string()
}

/// Where each virtio driver is: `virtio_pci built in; virtio_blk in the initramfs; virtio_net in /lib/modules`.
fn drivers(kernel: &Kernel) -> String {
    let mut places: [(&str, Vec<&str>); 5] = [
        ("built in", Vec::new()),
        ("in the initramfs", Vec::new()),
        ("in /lib/modules", Vec::new()),
        ("not there", Vec::new()),
        ("not known", Vec::new()),
    ];
    for (driver, found) in kernel.drivers.iter().filter(|(driver, _)| **driver != Driver::SdMod) {
        let index = match (&found.builtin, &found.initramfs, &found.modules) {
            (Ok(true), ..) => 0,
            (_, Ok(true), _) => 1,
            (Ok(false), Ok(false), Ok(true)) => 2,
            (Ok(false), Ok(false), Ok(false)) => 3,
            _ => 4,
        };
        if let Some((_, names)) = places.get_mut(index) {
            names.push(driver.module());
        }
    }
    let texts = places.iter().filter(|(_, names)| !names.is_empty());
    texts.map(|(place, names)| format!("{place}: {}", names.join(", "))).collect::<Vec<_>>().join("; ")
}

fn cloud_init(found: &CloudInit) -> String {
    match &found.program {
        Err(reason) => return unknown(reason),
        Ok(None) => return "not installed".into(),
        Ok(Some(_)) => {}
    }
    let runs = match &found.disabled {
        Ok(reasons) => match reasons.first() {
            None => "installed and enabled".to_owned(),
            Some(first) => format!("installed, but disabled: {} ({})", first.value, first.origin.path),
        },
        Err(reason) => format!("installed; whether it is enabled is {}", unknown(reason)),
    };
    let sources = match (&found.only_datasource, &found.datasources) {
        (Ok(Some(only)), _) => format!("only the data source {}", only.value),
        (Ok(None), Ok(None)) => "the default data sources".into(),
        (Ok(None), Ok(Some(list))) => format!("data sources {}", list.value.names.join(", ")),
        (Err(reason), _) | (_, Err(reason)) => format!("the data sources are {}", unknown(reason)),
    };
    format!("{runs}, {sources}")
}

fn login(found: &Login) -> String {
    let sshd = match (&found.sshd, &found.sshd_service) {
        (Ok(None), _) => "no SSH server".to_owned(),
        (_, Ok(state)) => format!("SSH server {}", service_state(state).0),
        (_, Err(reason)) => format!("the SSH server is {}", unknown(reason)),
    };
    let names = |answer: &Answer<Vec<imsprep_guest::Sourced<String>>>, what: &str| match answer {
        Ok(accounts) if accounts.is_empty() => None,
        Ok(accounts) => {
            let names = accounts.iter().take(LINES).map(|account| account.value.as_str()).collect::<Vec<_>>();
            Some(format!("{what}: {}", names.join(", ")))
        }
        Err(reason) => Some(format!("{what}: {}", unknown(reason))),
    };
    let who = [names(&found.passwords, "a password"), names(&found.keys, "a key")];
    let who = who.into_iter().flatten().collect::<Vec<_>>();
    let who = if who.is_empty() { "no account has a password or a key".into() } else { who.join("; ") };
    format!("{sshd}; {who}")
}
