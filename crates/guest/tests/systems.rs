//! Systems as small trees: what is found, what is not there, and what is not known.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what is not as it should be ends the test"
)]

use std::rc::Rc;

use imsprep_filesystem::MemoryTree;
use imsprep_guest::*;
use imsprep_inspect::Firmware;
use imsprep_testdata::systems::{self, KERNEL, ROOT, Tree, TreeFile, archive, initramfs};

const BOOT: &str = "4f6d1c1e-0a51-4d10-9c8e-7d4b5e3f0a02";

const VIRTIO: [&str; 5] =
    ["virtio/virtio", "virtio/virtio_ring", "virtio/virtio_pci", "block/virtio_blk", "net/virtio_net"];

fn kernel() -> Vec<u8> {
    systems::kernel(KERNEL)
}

fn grub_cfg(options: &str, folder: &str) -> String {
    systems::grub_cfg(options, folder, if folder.is_empty() { BOOT } else { ROOT })
}

/// A tree as a volume.
fn memory(tree: &Tree) -> MemoryTree {
    let mut files = MemoryTree::new();
    for (path, file) in &tree.0 {
        match file {
            TreeFile::Bytes(bytes) => files.file(path, bytes.clone()),
            TreeFile::Link(target) => files.link(path, target.as_str()),
        };
    }
    files
}

/// A sound Debian on one volume.
fn debian() -> MemoryTree {
    memory(&systems::debian())
}

fn volume(number: u32, uuid: &str, files: MemoryTree) -> DiskVolume<'static> {
    let kind = imsprep_filesystem::FileSystem::name(&files);
    DiskVolume {
        name: format!("partition {number}"),
        partition: Some(PartitionName { number, uuid: None, label: None, is_efi_system: kind == "vfat" }),
        logical: None,
        kind,
        uuid: Some(uuid.to_owned()),
        label: None,
        is_raid: false,
        hides: None,
        files: Ok(Rc::new(files)),
    }
}

fn disk(volumes: Vec<DiskVolume<'static>>, firmware: Firmware) -> Disk<'static> {
    Disk { volumes, firmware, efi: Vec::new() }
}

fn linux_on(disk: &Disk<'_>) -> Linux {
    match read_guest(disk).unwrap().system {
        System::Linux(linux) => *linux,
        other => panic!("{other:?}"),
    }
}

fn linux(files: MemoryTree) -> Linux {
    linux_on(&disk(vec![volume(1, ROOT, files)], Firmware::Bios))
}

#[test]
fn a_sound_debian() {
    let found = linux(debian());
    let release = found.release.clone().unwrap();
    assert_eq!((release.value.id.as_str(), release.value.version.as_str()), ("debian", "12"));
    assert_eq!(release.value.full_version.as_deref(), Some("12.5"));
    assert_eq!(release.origin.to_string(), "partition 1: /etc/os-release");
    assert_eq!(found.machine.clone().unwrap().value, Machine::X86_64);
    let entry = found.default_entry().unwrap();
    assert_eq!(entry.root, Some((DeviceSpec::Uuid(ROOT.into()), Lookup::Found(0))));
    assert_eq!(entry.command_line.origin.to_string(), "partition 1: /boot/grub/grub.cfg:4");
    assert!(entry.command_line.value.has_serial_console());
    assert_eq!(entry.kernel.as_ref().unwrap().exists, Ok(true));
    assert_eq!(entry.initramfs[0].exists, Ok(true));
    let kernel = found.kernel.clone().unwrap();
    assert_eq!(kernel.version.clone().unwrap().value, KERNEL);
    assert_eq!((kernel.boots_from_virtio(), kernel.has_virtio_network()), (Ok(true), Ok(true)));
    let fstab = found.fstab.clone().unwrap();
    assert!(!fstab[0].stops_boot());
    assert!(found.network.interfaces.iter().any(|fact| fact.interface.is_dhcp() && fact.interface.enabled));
    assert_eq!((found.cloud_init.runs(), found.cloud_init.allows_openstack()), (Ok(true), Ok(true)));
    assert!(found.login.sshd_service.clone().unwrap().is_enabled());
    assert_eq!(found.login.has_credentials(), Ok(true));
    assert_eq!((found.identity.machine_id.clone(), found.identity.host_keys.clone()), (Ok(None), Ok(vec![])));
    assert_eq!(found.foreign_tools, Ok(vec![]));
    assert_eq!((found.unread.clone(), found.network.unread.clone()), (vec![], vec![]));
}

/// What another program for the same purpose gets wrong: the driver is on the disk, which cannot be read without it.
#[test]
fn a_driver_below_lib_modules_does_not_help_at_boot() {
    let mut files = debian();
    files.file(&format!("/boot/initrd.img-{KERNEL}"), initramfs(&["ata/ata_piix"]));
    files.file(&format!("/usr/lib/modules/{KERNEL}/kernel/drivers/block/virtio_blk.ko"), "x");
    let kernel = linux(files).kernel.unwrap();
    assert_eq!((kernel.boots_from_virtio(), kernel.has_virtio_network()), (Ok(false), Ok(true)));
    assert_eq!(kernel.drivers[&Driver::VirtioBlk].modules, Ok(true));
}

#[test]
fn drivers_may_be_built_in_each_by_itself() {
    let list = format!("/usr/lib/modules/{KERNEL}/modules.builtin");
    // Everything but the disk is in the initramfs, and there is no list of what is built in.
    let partial = || {
        let mut files = debian();
        files.file(&list, "").link(&list, "/nowhere");
        files.file(&format!("/boot/initrd.img-{KERNEL}"), initramfs(&VIRTIO[..3]));
        files
    };
    let builtin = "kernel/drivers/virtio/virtio.ko\nkernel/drivers/virtio/virtio_ring.ko\nkernel/drivers/scsi/sd_mod.ko\n";
    for (in_initramfs, expected) in [
        (&["virtio/virtio_pci", "scsi/virtio_scsi"][..], Ok(true)),
        (&["virtio/virtio_pci"], Ok(false)),
        (&["scsi/virtio_scsi"], Ok(false)),
    ] {
        let mut files = debian();
        files.file(&format!("/usr/lib/modules/{KERNEL}/modules.builtin"), builtin);
        files.file(&format!("/boot/initrd.img-{KERNEL}"), initramfs(in_initramfs));
        assert_eq!(linux(files).kernel.unwrap().boots_from_virtio(), expected, "{in_initramfs:?}");
    }
    // By the configuration, if there is no list.
    for (config, expected) in [("CONFIG_VIRTIO_BLK=y\n", Ok(true)), ("CONFIG_VIRTIO_BLK=m\n", Ok(false))] {
        let mut files = partial();
        files.file(&format!("/boot/config-{KERNEL}"), config);
        assert_eq!(linux(files).kernel.unwrap().boots_from_virtio(), expected, "{config}");
    }
    let mut files = partial();
    files.file(&list, "x").refuse(&list, "it is compressed in a new way");
    let unknown = linux(files).kernel.unwrap();
    assert_eq!(unknown.boots_from_virtio(), Err(unknown.builtin_list.clone().unwrap_err()));
    assert!(unknown.builtin_list.unwrap_err().reason.contains("new way"));
}

#[test]
fn what_can_not_be_unpacked_is_not_known() {
    let mut files = debian();
    files.file(&format!("/boot/initrd.img-{KERNEL}"), "a new compressor");
    let kernel = linux(files).kernel.unwrap();
    assert!(kernel.boots_from_virtio().unwrap_err().reason.contains("not known"));
    let mut files = debian();
    files.refuse(&format!("/boot/initrd.img-{KERNEL}"), "uses inline data");
    let kernel = linux(files).kernel.unwrap();
    assert!(kernel.boots_from_virtio().unwrap_err().reason.contains("uses inline data"));
}

#[test]
fn files_that_the_entry_names_may_be_missing() {
    let mut files = debian();
    files
        .file("/boot/grub/grub.cfg", grub_cfg("root=UUID=00000000-1111-2222-3333-444444444444", "/boot/old"));
    let found = linux(files);
    let entry = found.default_entry().unwrap();
    assert_eq!(
        (entry.kernel.as_ref().unwrap().exists.clone(), entry.initramfs[0].exists.clone()),
        (Ok(false), Ok(false))
    );
    assert_eq!(entry.root.as_ref().unwrap().1, Lookup::Absent);
    assert!(found.kernel.unwrap().boots_from_virtio().is_err());
}

#[test]
fn a_separate_boot_volume_is_mounted() {
    let mut root = debian();
    root.file(
        "/etc/fstab",
        format!("UUID={ROOT} / ext4 defaults 0 1\nUUID={BOOT} /boot ext4 defaults 0 2\n"),
    );
    let boot = || {
        let mut boot = MemoryTree::new();
        boot.file(&format!("/vmlinuz-{KERNEL}"), kernel())
            .file(&format!("/initrd.img-{KERNEL}"), initramfs(&VIRTIO))
            .file("/grub/grub.cfg", grub_cfg(&format!("root=UUID={ROOT}"), ""));
        boot
    };
    let both = disk(vec![volume(1, BOOT, boot()), volume(2, ROOT, root)], Firmware::Bios);
    let found = linux_on(&both);
    let entry = found.default_entry().unwrap();
    assert_eq!(found.loaders[0].config.volume, "partition 1");
    assert_eq!(entry.kernel.as_ref().unwrap().origin.to_string(), format!("partition 1: /vmlinuz-{KERNEL}"));
    assert_eq!(found.kernel.clone().unwrap().boots_from_virtio(), Ok(true));
    // If it can't be read, nothing of what is in it is known; what the root has at that place does not count.
    let mut unreadable = both;
    unreadable.volumes[0].files = Err("uses a feature that is not supported".into());
    let found = linux_on(&unreadable);
    assert!(found.unread[0].reason.contains("not supported"), "{:?}", found.unread);
    assert!(found.default_entry().is_err() && found.kernel.is_err());
}

#[test]
fn a_red_hat_with_entries_and_its_own_network_files() {
    let mut root = MemoryTree::new();
    root.file("/etc/os-release", "ID=\"rocky\"\nVERSION_ID=\"8.9\"\nNAME=\"Rocky Linux\"\nID_LIKE=\"rhel centos fedora\"\n")
        .file("/etc/rocky-release", "Rocky Linux release 8.9 (Green Obsidian)\n")
        .file("/etc/fstab", format!("/dev/mapper/rl-root / xfs defaults 0 0\nUUID={BOOT} /boot xfs defaults 0 0\n/dev/sdb1 /data xfs defaults 0 0\n/dev/mapper/rl-swap none swap defaults 0 0\n"))
        .file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
        .file("/etc/shadow", "root:!!:19000::::::\n")
        .file("/etc/sysconfig/network-scripts/ifcfg-ens192", "BOOTPROTO=none\nIPADDR=192.0.2.5\nHWADDR=00:0c:29:01:02:03\nONBOOT=yes\n")
        .file("/etc/sysconfig/network-scripts/ifcfg-ens192.bak", "BOOTPROTO=none\nIPADDR=192.0.2.6\n")
        .file("/etc/udev/rules.d/70-persistent-net.rules", "SUBSYSTEM==\"net\", ATTR{address}==\"00:0c:29:01:02:03\", NAME=\"eth0\"\n")
        .file("/etc/udev/rules.d/75-persistent-net-generator.rules", "")
        .file("/usr/bin/vmtoolsd", "x")
        .file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        .file("/etc/ssh/ssh_host_rsa_key", "x")
        .link("/etc/systemd/system/sshd.service", "/dev/null")
        .file("/usr/sbin/sshd", "x");
    let mut boot = MemoryTree::named("xfs");
    let env = "# GRUB Environment Block\nsaved_entry=m-4.18.0-513\nkernelopts=root=/dev/mapper/rl-root ro crashkernel=auto\n";
    boot.file("/grub2/grub.cfg", "load_env\nset default=\"${saved_entry}\"\nset boot='hd0,msdos1'\nblscfg\n")
        .file("/grub2/grubenv", env)
        .file("/loader/entries/m-4.18.0-513.conf", "title Rocky\nversion 4.18.0-513\nlinux /vmlinuz-4.18.0-513\ninitrd /initramfs-4.18.0-513.img\noptions $kernelopts\n")
        .file("/vmlinuz-4.18.0-513", "x")
        .file("/initramfs-4.18.0-513.img", archive(&[]));
    let mut volumes = vec![volume(1, BOOT, boot), volume(2, ROOT, root)];
    volumes[1].partition = None;
    volumes[1].logical = Some(("rl".into(), "root".into()));
    volumes[1].name = "logical volume rl/root".into();
    let found = linux_on(&disk(volumes, Firmware::Bios));
    assert_eq!(found.root.volume, "logical volume rl/root");
    let release = found.release.clone().unwrap().value;
    assert_eq!((release.id.as_str(), release.full_version.as_deref()), ("rocky", Some("8.9")));
    let entry = found.default_entry().unwrap();
    assert_eq!(entry.origin.to_string(), "partition 1: /loader/entries/m-4.18.0-513.conf:3");
    assert_eq!(entry.root.as_ref().unwrap().1, Lookup::Found(1));
    assert_eq!(entry.kernel.as_ref().unwrap().exists, Ok(true));
    let kernel = found.kernel.clone().unwrap();
    assert_eq!(kernel.version.clone().unwrap().value, "4.18.0-513");
    // No list of what is built in: nothing is known.
    assert!(kernel.boots_from_virtio().is_err());
    let stops = found.fstab.clone().unwrap().iter().map(MountFact::stops_boot).collect::<Vec<_>>();
    assert_eq!(stops, [false, false, true, false]);
    let fixed = found.network.interfaces.iter().filter(|fact| fact.interface.is_static()).collect::<Vec<_>>();
    assert_eq!(fixed.len(), 1);
    assert_eq!(fixed[0].origin.line, Some(2));
    assert_eq!(fixed[0].interface.mac.clone().unwrap().1, 3);
    assert_eq!(found.network.rules.len(), 2);
    assert_eq!((found.network.rules[0].rules.len(), found.network.rules[1].empty), (1, true));
    assert!(matches!(found.login.sshd_service, Ok(ServiceState::Masked(_))));
    assert_eq!(found.login.has_credentials(), Ok(false));
    assert_eq!(found.cloud_init.program, Ok(None));
    assert_eq!(found.foreign_tools.clone().unwrap()[0].value, "VMware Tools (open-vm-tools)");
    assert!(found.identity.machine_id.clone().unwrap().is_some());
    assert_eq!(found.identity.host_keys.clone().unwrap().len(), 1);
}

#[test]
fn cloud_init_may_be_switched_off_or_kept_to_another_cloud() {
    type Change = fn(&mut MemoryTree);
    let cases: [(Change, bool, bool); 7] = [
        (|_| {}, true, true),
        (
            |files| {
                files.file("/etc/cloud/cloud-init.disabled", "");
            },
            false,
            true,
        ),
        (
            |files| {
                files.link("/etc/systemd/system/cloud-init.service", "/dev/null");
            },
            false,
            true,
        ),
        (
            |files| {
                files.file("/etc/cloud/ds-identify.cfg", "policy: disabled\n");
            },
            false,
            true,
        ),
        (
            |files| {
                files.file("/etc/cloud/cloud.cfg.d/99.cfg", "datasource_list: [ Ec2 ]\n");
            },
            true,
            false,
        ),
        (
            |files| {
                files.file("/etc/cloud/ds-identify.cfg", "datasource: Ec2\n");
            },
            true,
            false,
        ),
        (
            |files| {
                files.file("/etc/cloud/cloud.cfg.d/90.cfg", "datasource_list: [ Ec2 ]\n");
                files.file("/etc/cloud/cloud.cfg.d/99.cfg", "datasource_list: [ OpenStack, None ]\n");
            },
            true,
            true,
        ),
    ];
    for (number, (change, runs, allows)) in cases.into_iter().enumerate() {
        let mut files = debian();
        change(&mut files);
        let found = linux(files).cloud_init;
        assert_eq!((found.runs(), found.allows_openstack()), (Ok(runs), Ok(allows)), "case {number}");
    }
    let mut files = debian();
    files.file("/etc/cloud/cloud.cfg", "## template: jinja\n{% if x %}\n");
    assert!(linux(files).cloud_init.allows_openstack().is_err());
}

#[test]
fn systemd_boot_and_unified_kernels_are_read() {
    let mut root = debian();
    root.file("/etc/fstab", format!("UUID={ROOT} / ext4\nUUID=C10D-0E51 /boot/efi vfat\n"));
    let mut esp = MemoryTree::named("vfat");
    esp.file("/EFI/systemd/systemd-bootx64.efi", "x")
        .file("/loader/loader.conf", "default m-*\n")
        .file(
            "/loader/entries/m-6.1.0-18-amd64.conf",
            format!("title Debian\nlinux /m/linux\ninitrd /m/initrd\noptions root=UUID={ROOT} ro\n"),
        )
        .file("/loader/entries/other.conf", "linux /other\n")
        .file("/m/linux", kernel())
        .file("/m/initrd", initramfs(&VIRTIO));
    let volumes = |esp, root| vec![volume(1, "C10D-0E51", esp), volume(2, ROOT, root)];
    let mut without_grub = debian();
    without_grub.file("/etc/fstab", format!("UUID={ROOT} / ext4\nUUID=C10D-0E51 /boot/efi vfat\n"));
    let found = linux_on(&disk(volumes(esp, root), Firmware::Uefi));
    assert_eq!((found.loaders[0].kind, found.loaders[0].entries), (LoaderKind::SystemdBoot, 2));
    let entry = found.default_entry().unwrap();
    assert_eq!(entry.origin.to_string(), "partition 1: /loader/entries/m-6.1.0-18-amd64.conf:2");
    assert_eq!(entry.kernel.as_ref().unwrap().exists, Ok(true));
    assert_eq!(found.kernel.clone().unwrap().boots_from_virtio(), Ok(true));
    let mut esp = MemoryTree::named("vfat");
    let line = format!("root=UUID={ROOT} ro\0");
    let initrd = initramfs(&VIRTIO);
    esp.file(
        "/EFI/BOOT/BOOTX64.EFI",
        unified(&[(".linux", &kernel()), (".cmdline", line.as_bytes()), (".initrd", &initrd)]),
    );
    let found = linux_on(&disk(volumes(esp, without_grub), Firmware::Uefi));
    assert_eq!(found.loaders[0].kind, LoaderKind::UnifiedKernel);
    let entry = found.default_entry().unwrap();
    assert_eq!(entry.root.as_ref().unwrap().1, Lookup::Found(1));
    let kernel = found.kernel.clone().unwrap();
    assert_eq!(kernel.version.clone().unwrap().value, KERNEL);
    assert_eq!(kernel.boots_from_virtio(), Ok(true));
}

fn unified(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = vec![0; 0x400 + sections.len() * 40];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x80;
    file[0x80..0x84].copy_from_slice(b"PE\0\0");
    file[0x84..0x86].copy_from_slice(&0x8664_u16.to_le_bytes());
    file[0x86] = u8::try_from(sections.len()).unwrap();
    for (index, (name, bytes)) in sections.iter().enumerate() {
        let row = 0x98 + index * 40;
        file[row..row + name.len()].copy_from_slice(name.as_bytes());
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        file[row + 8..row + 12].copy_from_slice(&length);
        file[row + 16..row + 20].copy_from_slice(&length);
        let at = u32::try_from(file.len()).unwrap().to_le_bytes();
        file[row + 20..row + 24].copy_from_slice(&at);
        file.extend_from_slice(bytes);
    }
    file
}

#[test]
fn a_btrfs_with_subvolumes() {
    let mut files = MemoryTree::named("btrfs");
    files
        .file("/@/etc/os-release", "ID=opensuse-leap\nVERSION_ID=\"15.5\"\n")
        .file(
            "/@/etc/fstab",
            format!(
                "UUID={ROOT} / btrfs subvol=@,compress=zstd 0 0\nUUID={ROOT} /home btrfs subvol=/@home 0 0\n"
            ),
        )
        .file("/@/etc/passwd", "u:x:1000:1000::/home/u:/bin/sh\n")
        .file("/@/boot/grub2/grub.cfg", grub_cfg(&format!("root=UUID={ROOT} rootflags=subvol=@"), "/@/boot"))
        .file(&format!("/@/boot/vmlinuz-{KERNEL}"), kernel())
        .file(&format!("/@/boot/initrd.img-{KERNEL}"), initramfs(&VIRTIO))
        .file("/@home/u/.ssh/authorized_keys", "ssh-ed25519 AAAA u@h\n")
        .subvolume("/@", 256)
        .subvolume("/@home", 257);
    let found = linux(files);
    assert_eq!(found.root.subvolume.as_deref(), Some("@"));
    assert_eq!(found.release.clone().unwrap().value.id, "opensuse-leap");
    let entry = found.default_entry().unwrap();
    assert_eq!(entry.kernel.as_ref().unwrap().exists, Ok(true));
    assert_eq!(entry.command_line.value.root_subvolume(), Some("@"));
    assert_eq!(found.login.keys.clone().unwrap()[0].value, "u");
    assert_eq!(found.login.has_credentials(), Ok(true));
}

#[test]
fn a_disk_without_a_system() {
    let mut files = MemoryTree::new();
    files.file("/data/x", "y");
    let data = disk(vec![volume(1, ROOT, files)], Firmware::Unknown);
    assert_eq!(read_guest(&data).unwrap().system, System::None);
    // A directory that can't be read may hold the system.
    let mut files = MemoryTree::new();
    files.directory("/etc").refuse("/", "its directories are encrypted");
    let found = read_guest(&disk(vec![volume(1, ROOT, files)], Firmware::Unknown)).unwrap();
    assert!(
        matches!(&found.system, System::NotKnown(reasons) if reasons[0].reason.contains("encrypted")),
        "{found:?}"
    );
    let mut unreadable = volume(2, BOOT, MemoryTree::new());
    unreadable.files = Err("it is encrypted".into());
    let found = read_guest(&disk(vec![unreadable], Firmware::Unknown)).unwrap();
    assert!(
        matches!(&found.system, System::NotKnown(reasons) if reasons[0].reason == "partition 2: it is encrypted")
    );
}

#[test]
fn what_is_refused_is_never_absent() {
    for path in [
        "/etc/passwd",
        "/etc/shadow",
        "/etc/machine-id",
        "/etc/fstab",
        "/etc/cloud/cloud.cfg",
        "/etc/network/interfaces",
    ] {
        let mut files = debian();
        files.file(path, "x").refuse(path, "a reason");
        let found = linux(files);
        let unknown = match path {
            "/etc/passwd" | "/etc/shadow" => found.login.passwords.is_err(),
            "/etc/machine-id" => found.identity.machine_id.is_err(),
            "/etc/fstab" => found.fstab.is_err(),
            "/etc/cloud/cloud.cfg" => found.cloud_init.datasources.is_err(),
            _ => !found.network.unread.is_empty(),
        };
        assert!(unknown, "{path}");
    }
}
