//! Each rule on a system that breaks it, and on one that does not.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::rc::Rc;

use imsprep_filesystem::MemoryTree;
use imsprep_findings::{Finding, Report, Severity};
use imsprep_guest::{
    Disk, DiskVolume, Guest, Kernel, Machine, NotKnown, Origin, PartitionName, Service, Sourced,
    StaticAddress, System, Windows, WindowsRelease, read_guest,
};
use imsprep_inspect::{EfiMachine, EfiSystem, Firmware, Inspection, Loader, inspect};
use imsprep_source::{Cancel, MemoryImage};
use imsprep_testdata::systems::{DISK_DRIVERS, KERNEL, ROOT, Tree, TreeFile, debian, grub_cfg, initramfs};

use super::*;
use crate::HUAWEI;

const GRUB: &str = "/boot/grub/grub.cfg";
const OS_RELEASE: &str = "/usr/lib/os-release";

pub(super) fn memory(tree: &Tree) -> MemoryTree {
    let mut files = MemoryTree::new();
    for (path, file) in &tree.0 {
        match file {
            TreeFile::Bytes(bytes) => files.file(path, bytes.clone()),
            TreeFile::Link(target) => files.link(path, target.as_str()),
        };
    }
    files
}

pub(super) fn volume(number: u32, uuid: &str, files: MemoryTree) -> DiskVolume<'static> {
    let kind = imsprep_filesystem::FileSystem::name(&files);
    let is_efi_system = kind == "vfat";
    DiskVolume {
        name: format!("partition {number}"),
        partition: Some(PartitionName { number, uuid: None, label: None, is_efi_system }),
        logical: None,
        kind,
        uuid: Some(uuid.into()),
        label: None,
        is_raid: false,
        hides: None,
        files: Ok(Rc::new(files)),
    }
}

pub(super) fn guest_on(volumes: Vec<DiskVolume<'_>>, firmware: Firmware) -> Guest {
    read_guest(&Disk { volumes, firmware, efi: Vec::new() }).unwrap()
}

pub(super) fn guest_of(files: MemoryTree) -> Guest {
    guest_on(vec![volume(1, ROOT, files)], Firmware::Bios)
}

/// A disk that starts by a BIOS.
pub(super) fn bios() -> Inspection {
    let mut inspection = inspect(&MemoryImage::new("disk", vec![0; 4096]), &Cancel::new()).unwrap();
    inspection.summary.firmware = Firmware::Bios;
    inspection
}

pub(super) fn judged_on(
    guest: &Guest,
    inspection: &Inspection,
    intent: &Intent,
) -> (Report, Option<WouldStart>) {
    let mut report = Report::new();
    let would_start = check_guest(SystemOnDisk { guest, inspection }, &HUAWEI, intent, &mut report);
    (report, would_start)
}

fn judged(guest: &Guest) -> (Report, Option<WouldStart>) {
    judged_on(guest, &bios(), &Intent::default())
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings().iter().map(|finding| finding.rule.code).collect()
}

/// The findings on a Debian in which this was changed.
fn changed(change: impl FnOnce(&mut Tree)) -> (Report, Option<WouldStart>) {
    let mut tree = debian();
    change(&mut tree);
    judged(&guest_of(memory(&tree)))
}

fn boots_with(tree: &mut Tree, options: &str) {
    tree.file(GRUB, grub_cfg(options, "/boot", ROOT));
}

/// What breaks a rule on a Debian, and parts of the finding: message, place, fix.
type Break = (&'static str, fn(&mut Tree), &'static str, &'static str, &'static str);

const BREAKS: &[Break] = &[
    (
        "OS-001",
        |tree| {
            tree.file(&format!("/boot/initrd.img-{KERNEL}"), initramfs(&DISK_DRIVERS[..3]));
            tree.file(&format!("/usr/lib/modules/{KERNEL}/kernel/drivers/block/virtio_blk.ko"), "x");
            for module in &DISK_DRIVERS[..3] {
                tree.file(&format!("/usr/lib/modules/{KERNEL}/kernel/drivers/{module}.ko"), "x");
            }
        },
        "virtio_blk (or virtio_scsi)",
        "partition 1: /boot/initrd.img-6.1.0-18-amd64",
        "`update-initramfs -u -k 6.1.0-18-amd64`",
    ),
    (
        "OS-002",
        |tree| {
            tree.remove(&format!("/usr/lib/modules/{KERNEL}/kernel/drivers/net/virtio_net.ko"));
        },
        "virtio_net",
        "partition 1: /lib/modules/6.1.0-18-amd64",
        "virtio_net",
    ),
    (
        "OS-003",
        |tree| boots_with(tree, "root=UUID=0-0 console=ttyS0"),
        "root=UUID=0-0",
        "partition 1: /boot/grub/grub.cfg:4",
        "`update-grub`",
    ),
    (
        "OS-004",
        |tree| boots_with(tree, "root=/dev/sda1 console=ttyS0"),
        "root=/dev/sda1",
        "partition 1: /boot/grub/grub.cfg:4",
        "`update-grub`",
    ),
    (
        "OS-005",
        |tree| {
            tree.file(
                "/etc/fstab",
                format!("UUID={ROOT} / ext4 defaults 0 1\nUUID=0-0 /data ext4 defaults 0 2\n"),
            );
        },
        "/data",
        "partition 1: /etc/fstab:2",
        "`sed -i '2s/^/#/' /etc/fstab`",
    ),
    (
        "OS-006",
        |tree| {
            tree.file("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n");
        },
        "/dev/sda1",
        "partition 1: /etc/fstab:1",
        "UUID=4f6d1c1e-0a51-4d10-9c8e-7d4b5e3f0a01|\" /etc/fstab`",
    ),
    (
        "OS-006",
        |tree| {
            tree.file("/etc/fstab", format!("UUID={ROOT} / ext4 defaults 0 1\nUUID=0-0 none swap sw 0 0\n"));
        },
        "swap space",
        "partition 1: /etc/fstab:2",
        "`sed -i '2s/^/#/' /etc/fstab`",
    ),
    (
        "OS-007",
        |tree| {
            let rule = "# old\nSUBSYSTEM==\"net\", ACTION==\"add\", ATTR{address}==\"00:50:56:aa:bb:cc\", NAME=\"eth0\"\n";
            tree.file("/etc/udev/rules.d/70-persistent-net.rules", rule);
        },
        "00:50:56:aa:bb:cc is eth0",
        "partition 1: /etc/udev/rules.d/70-persistent-net.rules:2",
        "`rm /etc/udev/rules.d/70-persistent-net.rules`",
    ),
    (
        "OS-008",
        |tree| {
            tree.file(
                "/etc/network/interfaces",
                "auto eth0\niface eth0 inet static\n  address 10.1.2.3/24\n",
            );
        },
        "eth0 has the address 10.1.2.3/24",
        "partition 1: /etc/network/interfaces",
        "inet6?[[:space:]]+)static/",
    ),
    (
        "OS-009",
        |tree| {
            tree.remove("/usr/bin/cloud-init");
        },
        "not installed",
        "partition 1",
        "`apt-get install cloud-init`",
    ),
    (
        "OS-009",
        |tree| {
            tree.file("/etc/cloud/cloud-init.disabled", "");
        },
        "disabled",
        "partition 1: /etc/cloud/cloud-init.disabled",
        "`rm /etc/cloud/cloud-init.disabled`",
    ),
    (
        "OS-010",
        |tree| {
            tree.file("/etc/cloud/cloud.cfg", "users: [default]\ndatasource_list: [ Ec2, None ]\n");
        },
        "Ec2, None",
        "partition 1: /etc/cloud/cloud.cfg:2",
        "OpenStack",
    ),
    (
        "OS-011",
        |tree| {
            tree.remove("/etc/systemd/system/multi-user.target.wants/ssh.service");
        },
        "does not start",
        "partition 1: /usr/lib/systemd/system/ssh.service",
        "`systemctl enable ssh`",
    ),
    (
        "OS-013",
        |tree| {
            tree.file(OS_RELEASE, "ID=templeos\nVERSION_ID=5\nPRETTY_NAME=\"TempleOS 5\"\n")
                .remove("/etc/debian_version");
        },
        "TempleOS 5",
        "partition 1: /etc/os-release",
        "os-versions",
    ),
    (
        "OS-014",
        |tree| {
            tree.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
        },
        "machine-id",
        "partition 1: /etc/machine-id",
        "`truncate -s 0 /etc/machine-id`",
    ),
    (
        "OS-015",
        |tree| boots_with(tree, &format!("root=UUID={ROOT} ro quiet")),
        "console=ttyS0",
        "partition 1: /boot/grub/grub.cfg:4",
        "`update-grub`",
    ),
    (
        "OS-016",
        |tree| {
            tree.file("/usr/bin/vmtoolsd", "x");
        },
        "VMware Tools",
        "partition 1: /usr/bin/vmtoolsd",
        "`apt-get purge open-vm-tools`",
    ),
    (
        "OS-018",
        |tree| {
            tree.remove(&format!("/boot/initrd.img-{KERNEL}"));
        },
        "/boot/initrd.img-6.1.0-18-amd64, which is not there",
        "partition 1: /boot/grub/grub.cfg:2",
        "`update-initramfs -c -k 6.1.0-18-amd64`",
    ),
];

#[test]
fn a_sound_system_breaks_no_rule_and_would_start() {
    let (report, would_start) = changed(|_| {});
    assert_eq!((codes(&report), report.not_checked(), would_start), (vec![], &[][..], Some(WouldStart::Yes)));
}

#[test]
fn each_rule_is_broken_by_one_change() {
    for (code, change, message, place, fix) in BREAKS {
        let (report, would_start) = changed(change);
        let what = format!("{code}: {:?}", report.findings());
        assert_eq!(codes(&report), [*code], "{what}");
        let finding = &report.findings()[0];
        assert!(finding.message.contains(message), "{what}");
        assert!(finding.guest.as_ref().unwrap().to_string().starts_with(place), "{what}");
        assert!(finding.advice().contains(fix), "{what}");
        let expected = match finding.severity {
            Severity::Error => WouldStart::No,
            _ => WouldStart::Yes,
        };
        assert_eq!(would_start, Some(expected), "{what}");
    }
}

/// The rules whose facts this file changes otherwise.
const OTHERS: [&str; 2] = ["OS-012", "OS-017"];

#[test]
fn every_rule_is_broken_somewhere() {
    let broken = BREAKS
        .iter()
        .map(|(code, ..)| *code)
        .chain(OTHERS)
        .chain(WINDOWS_BREAKS.iter().map(|(code, _)| *code));
    let all = SYSTEM_RULES.iter().map(|rule| rule.code).collect::<BTreeSet<_>>();
    assert_eq!(broken.collect::<BTreeSet<_>>(), all);
    assert!(SYSTEM_RULES.iter().all(|rule| rule.convertible && !rule.fix.contains('`')));
}

#[test]
fn nobody_can_log_in_without_a_password_a_key_or_cloud_init() {
    let locked = |tree: &mut Tree| {
        tree.file("/etc/shadow", "root:*:19000:0:99999:7:::\n");
    };
    assert_eq!(codes(&changed(locked).0), [""; 0], "cloud-init sets one");
    let (report, _) = changed(|tree| {
        locked(tree);
        tree.remove("/usr/bin/cloud-init");
    });
    assert_eq!(codes(&report), ["OS-009", "OS-011"]);
    assert!(report.findings()[1].message.contains("no account"), "{:?}", report.findings());
    let (report, _) = changed(|tree| {
        tree.remove("/usr/sbin/sshd");
    });
    assert_eq!(codes(&report), ["OS-011"]);
    assert!(report.findings()[0].advice().contains("`apt-get install openssh-server`"));
}

fn linux_of(guest: &mut Guest) -> &mut imsprep_guest::Linux {
    match &mut guest.system {
        System::Linux(linux) => linux,
        other => panic!("{other:?}"),
    }
}

fn kernel_of(guest: &mut Guest) -> &mut Kernel {
    linux_of(guest).kernel.as_mut().unwrap()
}

#[test]
fn an_old_kernel_is_an_error_and_bare_metal_needs_no_virtio() {
    let mut guest = guest_of(memory(&debian()));
    kernel_of(&mut guest).version.as_mut().unwrap().value = "2.6.23-1".into();
    let (report, would_start) = judged(&guest);
    assert_eq!((codes(&report), would_start), (vec!["OS-017"], Some(WouldStart::No)));
    kernel_of(&mut guest).version.as_mut().unwrap().value = "2.6.24".into();
    assert_eq!(codes(&judged(&guest).0), [""; 0]);

    kernel_of(&mut guest).version.as_mut().unwrap().value = "2.6.18".into();
    let intent = Intent { bare_metal: true, ..Intent::default() };
    assert_eq!(codes(&judged_on(&guest, &bios(), &intent).0), [""; 0]);
}

#[test]
fn firmware_needs_a_loader_in_the_fallback_path_for_64_bits() {
    let guest = guest_of(memory(&debian()));
    let loader = |path: &str, machine| Loader { path: path.into(), machine };
    let of = |loaders: Vec<Loader>, unread, firmware| {
        let mut inspection = bios();
        inspection.summary.firmware = firmware;
        inspection.boot.efi = vec![EfiSystem { partition: Some(1), loaders, unread }];
        judged_on(&guest, &inspection, &Intent::default())
    };
    let own = || loader("/EFI/debian/grubx64.efi", Some(EfiMachine::X64));
    let (report, would_start) = of(vec![own()], None, Firmware::Uefi);
    assert_eq!((codes(&report), would_start), (vec!["OS-012"], Some(WouldStart::No)));
    let finding = &report.findings()[0];
    assert!(finding.message.contains("/EFI/debian/grubx64.efi"), "{}", finding.message);
    assert!(finding.advice().contains("--removable"), "{}", finding.advice());
    for (fallback, machine, is_broken) in [
        ("/EFI/BOOT/BOOTX64.EFI", Some(EfiMachine::X64), false),
        ("/efi/boot/bootaa64.efi", Some(EfiMachine::Aa64), false),
        ("/EFI/BOOT/BOOTIA32.EFI", Some(EfiMachine::Ia32), true),
        ("/EFI/BOOT/BOOTX64.EFI", None, true),
    ] {
        let (report, _) = of(vec![own(), loader(fallback, machine)], None, Firmware::Uefi);
        assert_eq!(codes(&report).is_empty(), !is_broken, "{fallback}");
    }
    let (report, would_start) = of(vec![own()], Some("damaged"), Firmware::Uefi);
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::NotKnown)));
    assert!(report.not_checked()[0].what.contains("OS-012"));
    assert_eq!(codes(&of(vec![own()], None, Firmware::Both).0), [""; 0], "a BIOS starts it");
}

#[test]
fn what_is_not_known_is_neither_found_nor_passed() {
    let mut files = memory(&debian());
    files.refuse("/etc/fstab", "a block can't be read");
    let (report, would_start) = judged(&guest_of(files));
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::NotKnown)));
    let gap = report.not_checked().iter().find(|gap| gap.what.contains("OS-005")).unwrap();
    let what = report.not_checked().iter().map(|gap| &gap.what).collect::<Vec<_>>();
    assert_eq!(what.iter().collect::<BTreeSet<_>>().len(), what.len(), "nothing is listed twice: {what:?}");
    assert!(gap.what.contains("OS-006") && gap.why.contains("a block can't be read"), "{gap:?}");

    let mut files = memory(&debian());
    files.refuse(&format!("/boot/initrd.img-{KERNEL}"), "a block can't be read");
    let (report, would_start) = judged(&guest_of(files));
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::NotKnown)));
    assert!(
        report.not_checked().iter().any(|gap| gap.what.contains("virtio disk driver (OS-001)")),
        "{report:?}"
    );

    // A choice that is made when the machine starts.
    let mut guest = guest_of(memory(&debian()));
    linux_of(&mut guest).loaders[0].default.as_mut().unwrap().computed =
        Some("it depends on the date".into());
    let (report, would_start) = judged(&guest);
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::NotKnown)));
    for code in ["OS-001", "OS-003", "OS-004", "OS-015", "OS-018"] {
        assert!(report.not_checked().iter().any(|gap| gap.what.contains(code)), "{code}: {report:?}");
    }

    // Without a boot loader.
    let (report, would_start) = changed(|tree| {
        tree.remove(GRUB);
    });
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::NotKnown)));

    // Of every fact alone.
    let unknown = NotKnown::because("no reader");
    let mut guest = guest_of(memory(&debian()));
    let linux = linux_of(&mut guest);
    linux.kernel = Err(unknown.clone());
    linux.release = Err(unknown.clone());
    linux.fstab = Err(unknown.clone());
    linux.mount_units = Err(unknown.clone());
    linux.network.unread.push(unknown.clone());
    linux.cloud_init.program = Err(unknown.clone());
    linux.cloud_init.datasources = Err(unknown.clone());
    linux.login.sshd = Err(unknown.clone());
    linux.identity.machine_id = Err(unknown.clone());
    linux.foreign_tools = Err(unknown.clone());
    linux.loaders[0].default = Err(unknown);
    let (report, would_start) = judged(&guest);
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::NotKnown)));
    let gap = &report.not_checked()[0];
    let missing = SYSTEM_RULES.iter().filter(|rule| rule.code < "OS-020" && !gap.what.contains(rule.code));
    assert_eq!(missing.map(|rule| rule.code).collect::<Vec<_>>(), ["OS-012"], "{gap:?}");
}

#[test]
fn optional_and_network_mounts_and_rewritten_addresses_are_no_findings() {
    let (report, _) = changed(|tree| {
        tree.file(
            "/etc/fstab",
            format!(
                "UUID={ROOT} / ext4 defaults 0 1\nUUID=0-0 /data ext4 nofail 0 2\nUUID=0-1 /more xfs noauto 0 0\n\
                 server:/x /net nfs defaults 0 0\n/dev/sdb1 /usb auto noauto 0 0\ntmpfs /tmp tmpfs defaults 0 0\n\
                 /dev/sr0 /cdrom iso9660 ro 0 0\n"
            ),
        );
        // cloud-init wrote it, and does so again.
        let text = "# This file is generated by cloud-init\nauto eth0\niface eth0 inet static\n  address 10.1.2.3/24\n";
        tree.file("/etc/network/interfaces", text);
    });
    assert_eq!(codes(&report), [""; 0], "{report:?}");
}

fn commands_of(finding: &Finding) -> Vec<String> {
    finding.guest_commands().map(str::to_owned).collect()
}

/// Whether a shell understands a command; it is not run.
fn assert_is_shell(command: &str) {
    let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(command.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{command}");
}

#[test]
fn fixes_are_commands_of_the_distribution() {
    let release =
        |id: &str, like: &str| format!("ID={id}\nID_LIKE=\"{like}\"\nVERSION_ID=8\nPRETTY_NAME=\"X 8\"\n");
    for (id, like, drivers, menu) in [
        ("debian", "", "update-initramfs -u -k", "update-grub"),
        ("ubuntu", "debian", "update-initramfs -u -k", "update-grub"),
        ("rhel", "fedora", "dracut --force --kver", "grub2-mkconfig -o /boot/grub/grub.cfg"),
        ("mine", "rhel fedora", "dracut --force --kver", "grub2-mkconfig -o /boot/grub/grub.cfg"),
        ("opensuse-leap", "suse opensuse", "dracut --force --kver", "grub2-mkconfig -o /boot/grub/grub.cfg"),
        ("arch", "", "mkinitcpio -P", "grub-mkconfig -o /boot/grub/grub.cfg"),
        ("alpine", "", "mkinitfs", "grub-mkconfig -o /boot/grub/grub.cfg"),
    ] {
        let (report, _) = changed(|tree| {
            tree.file(OS_RELEASE, release(id, like));
            boots_with(tree, "root=/dev/sda1");
            let (_, break_drivers, ..) = BREAKS[0];
            break_drivers(tree);
        });
        let of = |code: &str| {
            let finding = report.findings().iter().find(|finding| finding.rule.code == code);
            commands_of(finding.unwrap_or_else(|| panic!("{id}: {code}")))
        };
        assert!(of("OS-001").iter().any(|command| command.starts_with(drivers)), "{id}: {:?}", of("OS-001"));
        for code in ["OS-004", "OS-015"] {
            assert!(of(code).iter().any(|command| command.starts_with(menu)), "{id}: {:?}", of(code));
        }
        report.findings().iter().flat_map(commands_of).for_each(|command| assert_is_shell(&command));
    }
    // And those of each change on a Debian.
    for (_, change, ..) in BREAKS {
        changed(change)
            .0
            .findings()
            .iter()
            .flat_map(commands_of)
            .for_each(|command| assert_is_shell(&command));
    }
}

#[test]
fn addresses_are_changed_in_the_words_of_each_program() {
    let text = "network:\n  ethernets:\n    ens3:\n      addresses: [10.1.2.3/24]\n";
    for (path, text, command) in [
        ("/etc/netplan/50.yaml", text, "netplan set ethernets.ens3.dhcp4=true"),
        (
            "/etc/NetworkManager/system-connections/wired.nmconnection",
            "[connection]\nid=wired\ntype=ethernet\n[ipv4]\nmethod=manual\naddress1=10.1.2.3/24\n",
            "nmcli connection modify wired ipv4.method auto",
        ),
        (
            "/etc/sysconfig/network-scripts/ifcfg-eth0",
            "DEVICE=eth0\nONBOOT=yes\nBOOTPROTO=none\nIPADDR=10.1.2.3\nPREFIX=24\n",
            "echo BOOTPROTO=dhcp >> /etc/sysconfig/network-scripts/ifcfg-eth0",
        ),
        (
            "/etc/sysconfig/network/ifcfg-eth0",
            "BOOTPROTO=static\nSTARTMODE=auto\nIPADDR=10.1.2.3/24\n",
            "echo \"BOOTPROTO='dhcp'\"",
        ),
        (
            "/etc/systemd/network/10.network",
            "[Match]\nName=eth0\n[Network]\nAddress=10.1.2.3/24\n",
            "sed -i -E",
        ),
    ] {
        let (report, _) = changed(|tree| {
            tree.file(path, text);
        });
        assert_eq!(codes(&report), ["OS-008"], "{path}: {report:?}");
        let commands = commands_of(&report.findings()[0]);
        assert!(commands.iter().any(|found| found.starts_with(command)), "{path}: {commands:?}");
        commands.iter().for_each(|command| assert_is_shell(command));
    }
}

#[test]
fn names_of_the_image_do_not_act_in_commands() {
    let evil = "x;touch$(id)|y";
    let (report, _) = changed(|tree| {
        tree.file("/etc/fstab", format!("/dev/{evil} / ext4 defaults 0 1\n"));
        tree.file(
            "/etc/network/interfaces",
            format!("auto {evil}\niface {evil} inet static\n  address 10.1.2.3/24\n"),
        );
        boots_with(tree, &format!("root=/dev/sd{evil}"));
        tree.file(
            &format!("/etc/udev/rules.d/{evil}-persistent-net.rules"),
            "SUBSYSTEM==\"net\", ATTR{address}==\"00:50:56:aa:bb:cc\", NAME=\"eth0\"\n",
        );
    });
    assert!(report.findings().len() > 3, "{report:?}");
    for finding in report.findings() {
        for command in commands_of(finding) {
            assert!(!command.contains("touch"), "{command}");
            assert_is_shell(&command);
        }
        assert_eq!(finding.commands().count(), 0, "commands for the system are not run on this machine");
    }
}

fn at(key: &str) -> Origin {
    Origin {
        volume: "partition 2".into(),
        path: format!("/Windows/System32/config/SYSTEM:{key}"),
        line: None,
    }
}

fn service(name: &str, start: u32) -> Option<Service> {
    Some(Service { origin: at(&format!(r"ControlSet001\Services\{name}")), start, has_file: Ok(true) })
}

/// A sound Windows.
pub(super) fn windows() -> Windows {
    let release = WindowsRelease {
        product: "Windows Server 2019 Standard".into(),
        build: "17763".into(),
        ..WindowsRelease::default()
    };
    Windows {
        volume: "partition 2".into(),
        release: Ok(Sourced::new(release, at("CurrentVersion"))),
        machine: Ok(Sourced::new(Machine::X86_64, at("Environment"))),
        viostor: Ok(service("viostor", 0)),
        vioscsi: Ok(None),
        netkvm: Ok(service("netkvm", 3)),
        static_addresses: Ok(vec![]),
        remote_desktop: Ok(Sourced::new(true, at("Terminal Server"))),
        cloudbase_init: Ok(service("cloudbase-init", 2)),
        image_state: Ok(Some(Sourced::new("IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE".into(), at("State")))),
        foreign_tools: Ok(vec![]),
    }
}

type WindowsBreak = (&'static str, fn(&mut Windows));

const WINDOWS_BREAKS: &[WindowsBreak] = &[
    ("OS-020", |windows| windows.viostor = Ok(None)),
    ("OS-020", |windows| windows.viostor = Ok(service("viostor", 3))),
    ("OS-020", |windows| windows.viostor.as_mut().unwrap().as_mut().unwrap().has_file = Ok(false)),
    ("OS-021", |windows| windows.netkvm = Ok(None)),
    ("OS-021", |windows| windows.netkvm = Ok(service("netkvm", 4))),
    ("OS-022", |windows| {
        let addresses = vec!["10.1.2.3".into()];
        windows.static_addresses =
            Ok(vec![StaticAddress { interface: "{4D36-E972}".into(), addresses, origin: at("Interfaces") }]);
    }),
    ("OS-023", |windows| windows.remote_desktop.as_mut().unwrap().value = false),
    ("OS-024", |windows| windows.cloudbase_init = Ok(None)),
    ("OS-024", |windows| windows.cloudbase_init = Ok(service("cloudbase-init", 4))),
    ("OS-025", |windows| {
        windows.image_state = Ok(Some(Sourced::new("IMAGE_STATE_COMPLETE".into(), at("State"))))
    }),
    ("OS-016", |windows| windows.foreign_tools = Ok(vec![Sourced::new("VMware Tools", at("VMTools"))])),
    ("OS-013", |windows| windows.release.as_mut().unwrap().value.product = "Windows Vista".into()),
];

fn judged_windows(change: impl FnOnce(&mut Windows)) -> (Report, Option<WouldStart>) {
    let mut windows = windows();
    change(&mut windows);
    judged(&Guest { system: System::Windows(Box::new(windows)), volumes: vec![] })
}

#[test]
fn a_sound_windows_breaks_no_rule_and_each_change_one() {
    let (report, would_start) = judged_windows(|_| {});
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::Yes)), "{report:?}");
    let (report, _) = judged_windows(|windows| {
        windows.viostor = Ok(None);
        windows.vioscsi = Ok(service("vioscsi", 0));
    });
    assert_eq!(codes(&report), [""; 0], "one of the two drivers is enough");
    for (code, change) in WINDOWS_BREAKS {
        let (report, would_start) = judged_windows(change);
        assert_eq!(codes(&report), [*code], "{report:?}");
        let finding = &report.findings()[0];
        assert!(!finding.message.is_empty() && finding.guest.is_some(), "{finding:?}");
        let expected = if *code == "OS-020" { WouldStart::No } else { WouldStart::Yes };
        assert_eq!(would_start, Some(expected), "{code}");
    }
    let unknown = || Err(NotKnown::because("the hive is damaged"));
    let (report, would_start) = judged_windows(|windows| {
        windows.viostor = unknown();
        windows.netkvm = unknown();
        windows.static_addresses = Err(NotKnown::because("the hive is damaged"));
        windows.remote_desktop = Err(NotKnown::because("the hive is damaged"));
        windows.cloudbase_init = unknown();
        windows.image_state = Err(NotKnown::because("the hive is damaged"));
    });
    assert_eq!((codes(&report), would_start), (vec![], Some(WouldStart::NotKnown)));
    assert!(
        report.not_checked()[0].what.contains("OS-020, OS-021, OS-022, OS-023, OS-024, OS-025"),
        "{report:?}"
    );
}

#[test]
fn no_system_is_no_finding_and_data_disks_are_not_asked() {
    let guest = Guest { system: System::None, volumes: vec![] };
    let (report, would_start) = judged(&guest);
    assert_eq!((codes(&report), would_start), (vec![], None));
    let intent = |purpose| Intent { purpose, ..Intent::default() };
    let inspection = bios();
    assert_eq!(asks_for_a_system(&inspection, &intent(Some(Purpose::Data))), SystemAsked::DataDisk);
    assert_eq!(asks_for_a_system(&inspection, &intent(Some(Purpose::System))), SystemAsked::Yes);
    let mut by_looks = bios();
    by_looks.summary.purpose = imsprep_inspect::DiskUse::Data;
    assert_eq!(asks_for_a_system(&by_looks, &intent(None)), SystemAsked::LooksLikeDataDisk);
    assert_eq!(asks_for_a_system(&by_looks, &intent(Some(Purpose::System))), SystemAsked::Yes);
}
