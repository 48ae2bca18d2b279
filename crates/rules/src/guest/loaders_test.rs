//! Disks with several boot loaders: which of them count, and what a finding says of them.

use imsprep_filesystem::MemoryTree;
use imsprep_findings::{Report, Severity};
use imsprep_inspect::Firmware;
use imsprep_testdata::systems::{DISK_DRIVERS, KERNEL, ROOT, Tree, debian, grub_cfg, initramfs, kernel};

use super::tests::{bios, guest_on, judged_on, memory, volume};
use super::*;

const ESP: &str = "C10D-0E51";
const GRUB_2: &str = "/boot/grub2/grub.cfg";
const NO_DRIVER: &[&str] = &["ata/ata_piix"];

/// An EFI system partition with systemd-boot and a kernel whose initramfs has these drivers.
fn systemd_boot(drivers: &[&str]) -> MemoryTree {
    let mut esp = MemoryTree::named("vfat");
    esp.file("/EFI/systemd/systemd-bootx64.efi", "x")
        .file("/loader/loader.conf", "default m-*\n")
        .file(
            "/loader/entries/m-1.conf",
            format!(
                "title Debian\nlinux /m/linux\ninitrd /m/initrd\noptions root=UUID={ROOT} console=ttyS0\n"
            ),
        )
        .file("/m/linux", kernel(KERNEL))
        .file("/m/initrd", initramfs(drivers));
    esp
}

/// A Debian with GRUB whose initramfs has these drivers.
fn grub(drivers: &[&str]) -> Tree {
    let mut tree = debian();
    tree.file(
        "/etc/fstab",
        format!("UUID={ROOT} / ext4 defaults 0 1\nUUID={ESP} /boot/efi vfat defaults 0 1\n"),
    );
    tree.file(&format!("/boot/initrd.img-{KERNEL}"), initramfs(drivers));
    for module in DISK_DRIVERS {
        tree.file(&format!("/usr/lib/modules/{KERNEL}/kernel/drivers/{module}.ko"), "x");
    }
    tree
}

fn judged(esp: MemoryTree, root: &Tree, firmware: Firmware) -> (Report, Option<WouldStart>) {
    let guest = guest_on(vec![volume(1, ESP, esp), volume(2, ROOT, memory(root))], firmware);
    let mut inspection = bios();
    inspection.summary.firmware = firmware;
    judged_on(&guest, &inspection, &Intent::default())
}

/// Codes, severities, and the loaders that lead to the findings.
fn found(report: &Report) -> Vec<(&'static str, Severity, &str)> {
    let which = |message: &'_ str| message.rfind("; if ").map(|at| at + "; if ".len());
    let findings = report.findings().iter().map(|finding| {
        let message = finding.message.as_str();
        (finding.rule.code, finding.severity, which(message).map_or("", |at| &message[at..]))
    });
    findings.collect()
}

const OF_GRUB: &str = "GRUB for BIOS (partition 2: /boot/grub/grub.cfg) starts the server";
const OF_SYSTEMD_BOOT: &str = "systemd-boot for UEFI (partition 1: /loader/loader.conf) starts the server";

#[test]
fn the_loaders_of_the_firmware_that_starts_the_server_decide() {
    use Severity::{Error, Warning};
    let (sound, no) = (&DISK_DRIVERS[..], NO_DRIVER);
    for (firmware, esp, root, expected, would_start) in [
        (Firmware::Both, sound, sound, vec![], WouldStart::Yes),
        (Firmware::Both, no, sound, vec![("OS-001", Warning, OF_SYSTEMD_BOOT)], WouldStart::Yes),
        (Firmware::Both, sound, no, vec![("OS-001", Error, OF_GRUB)], WouldStart::No),
        (
            Firmware::Both,
            no,
            no,
            vec![("OS-001", Error, OF_GRUB), ("OS-001", Warning, OF_SYSTEMD_BOOT)],
            WouldStart::No,
        ),
        // The other firmware starts nothing on the disk.
        (Firmware::Uefi, no, sound, vec![("OS-001", Error, "")], WouldStart::No),
        (Firmware::Uefi, sound, no, vec![], WouldStart::Yes),
        (Firmware::Bios, no, sound, vec![], WouldStart::Yes),
        (Firmware::Bios, sound, no, vec![("OS-001", Error, "")], WouldStart::No),
        // The disk does not show which firmware it is for.
        (Firmware::Unknown, no, sound, vec![("OS-001", Warning, OF_SYSTEMD_BOOT)], WouldStart::NotKnown),
        (
            Firmware::UncertainBios { uefi: true },
            sound,
            no,
            vec![("OS-001", Warning, OF_GRUB)],
            WouldStart::NotKnown,
        ),
        (
            Firmware::Unknown,
            no,
            no,
            vec![("OS-001", Error, OF_SYSTEMD_BOOT), ("OS-001", Error, OF_GRUB)],
            WouldStart::No,
        ),
    ] {
        let (report, starts) = judged(systemd_boot(esp), &grub(root), firmware);
        let what = format!("{firmware:?}, {esp:?}, {root:?}: {report:?}");
        assert_eq!(found(&report), expected, "{what}");
        assert_eq!(starts, Some(would_start), "{what}");
    }
}

#[test]
fn what_another_firmware_would_start_may_be_unknown() {
    let mut esp = systemd_boot(&DISK_DRIVERS);
    esp.refuse("/loader/loader.conf", "a block can't be read");
    let (report, would_start) = judged(esp, &grub(&DISK_DRIVERS), Firmware::Both);
    assert_eq!((found(&report), would_start), (vec![], Some(WouldStart::Yes)));
    assert!(report.not_checked().iter().any(|item| item.what.contains("other firmware")), "{report:?}");
    // The loader of the server's firmware is not there.
    let mut root = grub(&DISK_DRIVERS);
    root.remove("/boot/grub/grub.cfg");
    let (report, would_start) = judged(systemd_boot(&DISK_DRIVERS), &root, Firmware::Both);
    assert_eq!((found(&report), would_start), (vec![], Some(WouldStart::NotKnown)));
    let gap = report.not_checked().iter().find(|item| item.what.contains("OS-001")).unwrap();
    assert!(gap.what.contains("OS-018") && gap.why.contains("for BIOS was found"), "{gap:?}");
}

#[test]
fn of_two_configurations_of_grub_both_count() {
    let with_second = |first: &str, second: &str| {
        let mut root = grub(&DISK_DRIVERS);
        root.file(
            "/boot/grub/grub.cfg",
            grub_cfg(&format!("root=UUID={first} console=ttyS0"), "/boot", ROOT),
        );
        root.file(GRUB_2, grub_cfg(&format!("root=UUID={second} console=ttyS0 quiet"), "/boot", ROOT));
        judged(MemoryTree::named("vfat"), &root, Firmware::Bios)
    };
    let (report, would_start) = with_second(ROOT, ROOT);
    assert_eq!((found(&report), would_start), (vec![], Some(WouldStart::Yes)));
    let (report, would_start) = with_second(ROOT, "0-0");
    let second = "GRUB for BIOS (partition 2: /boot/grub2/grub.cfg) starts the server";
    assert_eq!(found(&report), [("OS-003", Severity::Warning, second)]);
    assert_eq!(would_start, Some(WouldStart::NotKnown));
    let gap = report.not_checked().iter().find(|item| item.what.contains("OS-003")).unwrap();
    assert!(gap.why.contains(GRUB_2) && gap.why.contains("/boot/grub/grub.cfg"), "{gap:?}");
    let (report, would_start) = with_second("0-0", "1-1");
    assert!(report.findings().iter().all(|finding| finding.severity == Severity::Error), "{report:?}");
    assert_eq!((report.findings().len(), would_start), (2, Some(WouldStart::No)));
    // One folder that is a link to the other is one configuration.
    let mut root = grub(&DISK_DRIVERS);
    root.link("/boot/grub2", "grub");
    root.file("/boot/grub/grub.cfg", grub_cfg("root=UUID=0-0 console=ttyS0", "/boot", ROOT));
    let (report, _) = judged(MemoryTree::named("vfat"), &root, Firmware::Bios);
    assert_eq!(found(&report), [("OS-003", Severity::Error, "")]);
}

#[test]
fn of_several_folders_on_the_esp_the_one_counts_that_the_program_names() {
    let with_program = |program: &str| {
        let mut esp = MemoryTree::named("vfat");
        esp.file("/EFI/BOOT/BOOTX64.EFI", format!("MZ{program}\0"));
        for (folder, root) in [("debian", ROOT), ("aold", "0-0")] {
            let text = grub_cfg(&format!("root=UUID={root} console=ttyS0"), "/boot", ROOT);
            esp.file(&format!("/EFI/{folder}/grub.cfg"), text);
        }
        let mut root = grub(&DISK_DRIVERS);
        root.remove("/boot/grub/grub.cfg");
        let (report, would_start) = judged(esp, &root, Firmware::Uefi);
        let codes =
            found(&report).into_iter().map(|(code, severity, _)| (code, severity)).collect::<Vec<_>>();
        (codes, would_start.unwrap())
    };
    assert_eq!(with_program("(,gpt1)/EFI/debian"), (vec![], WouldStart::Yes));
    assert_eq!(with_program("/efi/aold"), (vec![("OS-003", Severity::Error)], WouldStart::No));
    for unclear in ["", "/EFI/aold\0/EFI/debian", "/EFI/debian-2"] {
        let expected = (vec![("OS-003", Severity::Warning)], WouldStart::NotKnown);
        assert_eq!(with_program(unclear), expected, "{unclear}");
    }
}
