//! The facts of a Linux.

mod boot;
mod cloud;
mod identity;
mod initramfs;
mod kernel;
mod loader_files;
mod login;
mod mounts;
mod network;
mod release;
mod units;

use std::thread;

pub use boot::{BootEntry, BootFile, BootLoader, LoaderKind, Platform};
pub use cloud::CloudInit;
pub use identity::Identity;
pub use kernel::{DriverPlaces, Kernel};
pub use login::Login;
pub use mounts::MountFact;
pub use network::{InterfaceFact, NetRuleFile, Network};
pub use units::ServiceState;

use initramfs::Reading;
use loader_files::LoaderFiles;

use crate::files::Files;
use crate::root::Root;
use crate::{Answer, Disk, Machine, NotKnown, Release, Sourced};

/// What is known of a Linux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linux {
    /// The root file system.
    pub root: RootVolume,
    /// The distribution.
    pub release: Answer<Sourced<Release>>,
    /// The machine that its programs run on.
    pub machine: Answer<Sourced<Machine>>,
    /// The boot loaders that the disk's firmware may start, the likeliest first.
    pub loaders: Vec<BootLoader>,
    /// The kernel that the first of them starts by default.
    pub kernel: Answer<Kernel>,
    /// For each loader the kernel that it starts by default; `None` if it is that of the first.
    pub other_kernels: Vec<Option<Answer<Kernel>>>,
    /// The entries of `/etc/fstab`.
    pub fstab: Answer<Vec<MountFact>>,
    /// Mount units of systemd in `/etc/systemd/system`.
    pub mount_units: Answer<Vec<MountFact>>,
    /// The network.
    pub network: Network,
    /// cloud-init.
    pub cloud_init: CloudInit,
    /// Who can log in.
    pub login: Login,
    /// What every server would share.
    pub identity: Identity,
    /// Guest tools of other platforms.
    pub foreign_tools: Answer<Vec<Sourced<&'static str>>>,
    /// Tools that serve on this platform.
    pub own_tools: Answer<Vec<Sourced<&'static str>>>,
    /// Volumes of the system that could not be read.
    pub unread: Vec<NotKnown>,
}

/// The volume with the root directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootVolume {
    /// The volume's name.
    pub volume: String,
    /// The volume's index in [`Disk::volumes`].
    pub index: usize,
    /// The kind of file system.
    pub kind: &'static str,
    /// Its UUID.
    pub uuid: Option<String>,
    /// The Btrfs subvolume, if it is not the default one.
    pub subvolume: Option<String>,
    /// Other roots of a Linux on the disk: snapshots, copies, a second system.
    pub others: Vec<String>,
}

impl Linux {
    /// The default entry of the first loader. `Err` if it is not known, or there is no loader.
    pub fn default_entry(&self) -> Answer<&BootEntry> {
        match self.loaders.first() {
            Some(loader) => loader.default.as_ref().map_err(Clone::clone),
            None => Err(no_loader()),
        }
    }

    /// The boot loaders, each with the kernel that it starts by default.
    pub fn kernels(&self) -> impl Iterator<Item = (&BootLoader, &Answer<Kernel>)> {
        self.loaders.iter().enumerate().map(|(index, loader)| {
            let other = self.other_kernels.get(index).and_then(Option::as_ref);
            (loader, other.unwrap_or(&self.kernel))
        })
    }
}

/// Collects the kernels of the loaders, as far as they are other ones than that of the first.
fn other_kernels(
    files: &Files<'_>,
    loader_files: &LoaderFiles<'_, '_>,
    loaders: &[BootLoader],
) -> Vec<Option<Answer<Kernel>>> {
    let starts = |loader: &BootLoader| {
        let entry = loader.default.as_ref().ok()?;
        Some((entry.kernel.clone(), entry.initramfs.clone()))
    };
    let first = loaders.first().and_then(starts);
    let kernel = |loader: &BootLoader| {
        let entry = loader.default.as_ref().map_err(Clone::clone);
        entry.map(|entry| {
            let reading = Reading::here(loader_files, &entry.initramfs);
            kernel::collect(files, loader_files, entry, reading)
        })
    };
    loaders.iter().map(|loader| (starts(loader) != first).then(|| kernel(loader))).collect()
}

fn no_loader() -> NotKnown {
    NotKnown::because("no configuration of a boot loader was found")
}

/// Collects the facts; `None` if the work was interrupted.
pub(crate) fn collect<'a>(disk: &Disk<'a>, root: &Root<'a>, others: Vec<String>) -> Option<Linux> {
    let mounted = mounts::mount(disk, root);
    let loader_files = LoaderFiles::new(disk, root);
    let loaders = boot::collect(disk, &mounted.files, &loader_files);
    let volume = disk.volume(root.volume)?;
    let root = RootVolume {
        volume: volume.name.clone(),
        index: root.volume,
        kind: volume.kind,
        uuid: volume.uuid.clone(),
        subvolume: root.subvolume.clone(),
        others,
    };
    let linux = thread::scope(|scope| {
        let default = loaders.first().map_or_else(|| Err(no_loader()), |loader| loader.default.clone());
        // Begun first, since reading it takes as long as everything else together.
        let reading =
            default.as_ref().ok().map(|entry| Reading::start(scope, &loader_files, &entry.initramfs));
        let files = &mounted.files;
        let line = default.as_ref().ok().map(|entry| entry.command_line.clone());
        let other_kernels = other_kernels(files, &loader_files, &loaders);
        let mut network = network::collect(files);
        let release = release::release(files);
        let machine = release::machine(files);
        let cloud_init = cloud::collect(files, line.as_ref());
        let login = login::collect(files);
        let identity = identity::collect(files);
        let foreign_tools = identity::foreign_tools(files);
        let own_tools = identity::own_tools(files);
        let kernel = default.map(|entry| {
            let reading = reading.unwrap_or_else(|| Ok(None).into());
            kernel::collect(files, &loader_files, &entry, reading)
        });
        if let Ok(Kernel { initramfs: Ok(Some(initramfs)), .. }) = &kernel {
            for (path, bytes) in &initramfs.value.net_rules {
                let mut origin = initramfs.origin.clone();
                origin.path = crate::text::value(&format!("{}:{path}", origin.path));
                network.rules.push(network::rule_file(origin, bytes, true));
            }
        }
        Linux {
            root,
            release,
            machine,
            // They are still in use.
            loaders: Vec::new(),
            kernel,
            other_kernels,
            fstab: mounted.fstab,
            mount_units: mounted.units,
            network,
            cloud_init,
            login,
            identity,
            foreign_tools,
            own_tools,
            unread: mounted.unread,
        }
    });
    let linux = Linux { loaders, ..linux };
    (!mounted.files.is_cancelled() && !loader_files.is_cancelled()).then_some(linux)
}
