//! Which operating system is in a disk image and how it is configured, read from its files without starting it.
//!
//! [`VolumeSources`] finds the volumes of a disk that was inspected (partitions, logical volumes, a software RAID of one copy),
//! [`Disk`] has their files, and [`read_guest`] collects the facts: [`Linux`] or [`Windows`]. Facts only: whether they matter to
//! an import is for rules to say.
//!
//! Every fact has its [`Origin`]: volume, path, line. What can't be known is a [`NotKnown`] with the reason: a reader that
//! refused, an unknown compressor, a choice that a boot loader makes when the machine starts. It never counts as absent. All
//! parsers are pure, take hostile bytes, and are bounded; texts in facts come from the image and are not to be printed unescaped.
//!
//! ```
//! use std::rc::Rc;
//!
//! use imsprep_filesystem::MemoryTree;
//! use imsprep_guest::{Disk, DiskVolume, System, read_guest};
//! use imsprep_inspect::Firmware;
//!
//! let mut files = MemoryTree::new();
//! files.file("/etc/os-release", "ID=debian\nVERSION_ID=12\n");
//! files.file("/etc/fstab", "UUID=ab-cd / ext4 defaults 0 1\n");
//! let volume = DiskVolume {
//!     name: "partition 1".into(),
//!     partition: None,
//!     logical: None,
//!     kind: "ext4",
//!     uuid: Some("ab-cd".into()),
//!     label: None,
//!     is_raid: false,
//!     hides: None,
//!     files: Ok(Rc::new(files)),
//! };
//! let disk = Disk { volumes: vec![volume], firmware: Firmware::Bios, efi: Vec::new() };
//! let System::Linux(linux) = read_guest(&disk)?.system else { panic!("it is a Linux") };
//! let release = linux.release.expect("os-release names it");
//! assert_eq!((release.value.id.as_str(), release.origin.path.as_str()), ("debian", "/etc/os-release"));
//! assert!(linux.kernel.is_err(), "it has no boot loader");
//! # Ok::<(), imsprep_source::Error>(())
//! ```

mod accounts;
mod assignments;
mod boot;
mod cloud_init;
mod cmdline;
mod device;
mod disk;
mod fact;
mod files;
mod fstab;
mod guest;
mod ini;
mod initramfs;
mod kernel;
mod kernel_image;
mod linux;
mod machine;
mod mapped;
mod network;
mod open;
mod partitioned;
mod release;
mod root;
mod space;
mod text;
mod unreadable;
mod windows;
mod yaml;

pub use accounts::{
    Account, Password, ShadowEntry, SshdOption, has_authorized_key, parse_passwd, parse_shadow,
    parse_sshd_config, password,
};
pub use assignments::{Assignment, parse_assignments};
pub use boot::{
    BlsEntry, GRUBENV_SIZE, GrubFiles, GrubMenu, LoaderConf, LoaderPath, Menu, MenuEntry, SearchKind,
    evaluate_grub, parse_bls, parse_grub_legacy, parse_grubenv, parse_loader_conf, parse_syslinux,
    select_bls, sort_bls,
};
pub use cloud_init::{
    CloudParameters, DatasourceList, DsIdentify, cloud_parameters, parse_datasource_list, parse_ds_identify,
};
pub use cmdline::CommandLine;
pub use device::{DeviceSpec, NameKind};
pub use disk::{Disk, DiskVolume, Lookup, PartitionName};
pub use fact::{Answer, NotKnown, Origin, Sourced};
pub use fstab::{CryptVolume, Mount, parse_crypttab, parse_fstab, parse_mount_unit};
pub use guest::{Guest, System, VolumeNote, read_guest};
pub use ini::{Entry, parse_ini};
pub use initramfs::{ArchiveFile, Generator, Initramfs, read_initramfs};
pub use kernel::{Driver, ModulesBuiltin, module_name, parse_kernel_config, parse_modules_builtin};
pub use kernel_image::{
    KERNEL_HEAD, KernelImage, Section, parse_cmdline_section, parse_kernel, version_in_name, version_numbers,
};
pub use linux::{
    BootEntry, BootFile, BootLoader, CloudInit, DriverPlaces, Identity, InterfaceFact, Kernel, Linux,
    LoaderKind, Login, MountFact, NetRuleFile, Network, Platform, RootVolume, ServiceState,
};
pub use machine::{Machine, parse_elf_machine};
pub(crate) use network::is_persistent_net_rule;
pub use network::{
    Addressing, CloudNetwork, Interface, Interfaces, NetRule, Netplan, NetworkManager,
    is_written_by_cloud_init, parse_cloud_network, parse_ifcfg_redhat, parse_ifcfg_suse, parse_interfaces,
    parse_keyfile, parse_link, parse_net_rules, parse_netplan, parse_networkd,
};
pub use open::VolumeSources;
pub use release::{
    Release, parse_debian_version, parse_lsb_release, parse_os_release, parse_redhat_release,
    parse_suse_release,
};
pub use space::{DiskSpace, VolumeSpace};
pub use windows::{Hive, Key, Service, StaticAddress, Value, Windows, WindowsRelease};
