//! Boot code and loaders made by the real tools, and what is concluded from them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use crate::support::{Folder, MIB};
use imsprep_inspect::{Architecture, BootCode, Firmware, Inspection, Machine, OsFamily, Purpose};
use imsprep_testdata::{each, need_file};

/// The start of a program for a machine.
fn program(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0; 600];
    bytes[..2].copy_from_slice(b"MZ");
    // Beyond the first sector, and so perhaps beyond the first cluster.
    bytes[0x3c..0x40].copy_from_slice(&540_u32.to_le_bytes());
    bytes[540..544].copy_from_slice(b"PE\0\0");
    bytes[544..546].copy_from_slice(&machine.to_le_bytes());
    bytes
}

/// A disk whose first partition is an ESP with these programs: path and machine.
fn esp(mkfs: &str, programs: &[(&str, u16)], after: &str) -> Folder {
    let folder = Folder::new();
    folder.image("image", 100 * MIB);
    folder.image("esp", 40 * MIB);
    let mut script = format!("{mkfs} esp\n");
    let mut folders = vec![];
    for (number, (path, machine)) in programs.iter().enumerate() {
        std::fs::write(folder.path(&format!("p{number}")), program(*machine)).unwrap();
        for (at, _) in path.match_indices('/').skip(1) {
            if !folders.contains(&&path[..at]) {
                script += &format!("mmd -i esp '::{}'\n", &path[..at]);
                folders.push(&path[..at]);
            }
        }
        script += &format!("mcopy -i esp p{number} '::{path}'\n");
    }
    script += "printf 'label: gpt\\nstart=2048,size=81920,type=uefi\\n,,L\\n' | sfdisk -q image\n\
               dd if=esp of=image bs=1M seek=1 conv=notrunc status=none\n";
    script += after;
    folder.run(&["mkfs.vfat", "mmd", "mcopy", "sfdisk"], &script);
    folder
}

fn loaders(found: &Inspection) -> Vec<(String, Option<Machine>)> {
    found.boot.efi.iter().flat_map(|esp| &esp.loaders).map(|l| (l.path.clone(), l.machine)).collect()
}

#[test]
fn loaders_are_found_on_every_kind_of_fat() {
    let programs = [
        ("/EFI/debian/shimx64.efi", 0x8664),
        ("/EFI/BOOT/BOOTX64.EFI", 0x8664),
        ("/EFI/Microsoft/Boot/bootmgfw.efi", 0x8664),
        ("/EFI/systemd/systemd-bootx64.efi", 0x8664),
    ];
    for mkfs in ["mkfs.vfat -F 12 -s 64", "mkfs.vfat -F 16 -s 4", "mkfs.vfat -F 32 -s 1"] {
        let folder = esp(mkfs, &programs, "");
        let found = folder.inspect("image");
        let mut ours = loaders(&found);
        assert_eq!(ours[0].0, "/EFI/BOOT/BOOTX64.EFI", "{mkfs}");
        ours.sort_by(|a, b| a.0.cmp(&b.0));
        let mut theirs = programs.map(|(path, _)| (path.to_owned(), Some(Machine::X64))).to_vec();
        theirs.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(ours, theirs, "{mkfs}");
        let summary = &found.summary;
        assert_eq!((summary.firmware, summary.architecture), (Firmware::Uefi, Architecture::X86));
        assert_eq!(summary.purpose, Purpose::System);
    }
}

#[test]
fn what_a_program_says_counts_more_than_its_name() {
    for (programs, architecture) in [
        (&[("/EFI/BOOT/BOOTX64.EFI", 0xaa64)][..], Architecture::Arm),
        (&[("/EFI/BOOT/BOOTAA64.EFI", 0xaa64), ("/EFI/BOOT/BOOTX64.EFI", 0x8664)], Architecture::Both),
        (&[("/EFI/BOOT/BOOTIA32.EFI", 0x14c)], Architecture::X86),
        (&[("/EFI/BOOT/BOOTRISCV64.EFI", 0x5064)], Architecture::Unknown),
    ] {
        let folder = esp("mkfs.vfat -F 16", programs, "");
        let summary = folder.inspect("image").summary;
        assert_eq!((summary.firmware, summary.architecture), (Firmware::Uefi, architecture), "{programs:?}");
        assert!(summary.reasons.architecture.iter().all(|reason| reason.contains(".EFI")), "{summary:?}");
    }
}

#[test]
fn a_loader_that_firmware_does_not_know_of_is_told() {
    for (programs, is_default) in [
        (&[("/EFI/debian/grubx64.efi", 0x8664)][..], false),
        (&[("/EFI/debian/grubx64.efi", 0x8664), ("/EFI/BOOT/BOOTX64.EFI", 0x8664)], true),
    ] {
        let folder = esp("mkfs.vfat -F 16", programs, "");
        let summary = folder.inspect("image").summary;
        assert_eq!(summary.firmware, Firmware::Uefi);
        assert_eq!(!summary.reasons.firmware[0].contains("may not find it"), is_default, "{summary:?}");
    }
}

#[test]
fn a_file_that_is_no_program_starts_nothing() {
    let folder = esp("mkfs.vfat -F 16", &[("/EFI/BOOT/BOOTX64.EFI", 0x8664)], "");
    let at = folder.read_at("image", 0, usize::try_from(41 * MIB).unwrap());
    let at = at.windows(4).position(|window| window == b"PE\0\0").unwrap();
    folder.write_at("image", at as u64, b"NO");
    let found = folder.inspect("image");
    assert_eq!(loaders(&found), [("/EFI/BOOT/BOOTX64.EFI".to_owned(), None)]);
    assert_eq!((found.summary.firmware, found.summary.purpose), (Firmware::Unknown, Purpose::Unknown));
}

#[test]
fn a_real_loader_of_grub() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    let script = "grub-mkimage -O x86_64-efi -o g.efi -p /boot/grub normal
        mkfs.vfat -F 32 -s 1 image
        mmd -i image ::EFI ::EFI/BOOT
        mcopy -i image g.efi ::EFI/BOOT/bootx64.efi";
    need_file("/usr/lib/grub/x86_64-efi/kernel.img", "grub-efi-amd64-bin");
    folder.run(&["grub-mkimage", "mkfs.vfat", "mmd", "mcopy"], script);
    let found = folder.inspect("image");
    assert_eq!(loaders(&found), [("/EFI/BOOT/bootx64.efi".to_owned(), Some(Machine::X64))]);
    assert_eq!((found.boot.efi[0].partition, found.summary.firmware), (None, Firmware::Uefi));
}

/// Where packages put boot code.
const GRUB: &str = "/usr/lib/grub/i386-pc/boot.img";
const SYSLINUX: &str = "/usr/lib/syslinux/mbr/mbr.bin";
const SYSLINUX_GPT: &str = "/usr/lib/syslinux/mbr/gptmbr.bin";

fn with_code(label: &str, code: &str) -> Folder {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    need_file(code, if code == GRUB { "grub-pc-bin" } else { "syslinux-common" });
    let script = format!(
        "printf 'label: {label}' | sfdisk -q image; dd if={code} of=image bs=440 count=1 conv=notrunc status=none"
    );
    folder.run(&["sfdisk"], &script);
    folder
}

#[test]
fn boot_code_is_known_and_starts_what_it_can() {
    let cases = [
        ("dos\\n,,83\\n", GRUB, BootCode::Grub, Firmware::Bios),
        ("dos\\n,,83,*\\n", SYSLINUX, BootCode::Syslinux, Firmware::Bios),
        ("dos\\n,,83\\n", SYSLINUX, BootCode::Syslinux, Firmware::Unknown),
        ("gpt\\n,,L\\n", SYSLINUX_GPT, BootCode::Syslinux, Firmware::Unknown),
        // The rest of GRUB is not there.
        ("gpt\\n,1M,21686148-6449-6E6F-744E-656564454649\\n,,L\\n", GRUB, BootCode::Grub, Firmware::Unknown),
    ];
    each(cases, |(label, path, code, firmware)| {
        let folder = with_code(label, path);
        let Inspection { boot, summary, .. } = folder.inspect("image");
        assert_eq!((boot.code, summary.firmware), (Some(code), firmware), "{label} {path}: {summary:?}");
        if firmware == Firmware::Bios {
            assert_eq!((summary.architecture, summary.purpose), (Architecture::X86, Purpose::System));
        }
    });
}

#[test]
fn a_bios_boot_partition_that_is_filled_completes_grub() {
    let label = "gpt\\n,1M,21686148-6449-6E6F-744E-656564454649\\n,,L\\n";
    let folder = with_code(label, GRUB);
    let script = "grub-mkimage -O i386-pc -o core -p /boot/grub biosdisk part_gpt normal
        dd if=core of=image bs=1M seek=1 conv=notrunc status=none";
    need_file("/usr/lib/grub/i386-pc/kernel.img", "grub-pc-bin");
    folder.run(&["grub-mkimage"], script);
    let summary = folder.inspect("image").summary;
    assert_eq!((summary.firmware, summary.system), (Firmware::Bios, OsFamily::Linux));
    assert!(summary.reasons.firmware[0].contains("partition 1 the rest of it"), "{summary:?}");
}

#[test]
fn grub_needs_no_partitions() {
    let folder = with_code("dos\\n", GRUB);
    let script = "dd if=image of=sector bs=512 count=1 status=none; mkfs.ext4 -q -F image
        dd if=sector of=image conv=notrunc status=none";
    folder.run(&["mkfs.ext4"], script);
    let found = folder.inspect("image");
    assert_eq!((found.table, found.boot.code), (None, Some(BootCode::Grub)));
    assert_eq!((found.summary.firmware, found.summary.purpose), (Firmware::Bios, Purpose::System));
}

#[test]
fn code_that_parted_writes_is_known() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.run(&["parted"], "parted -s image mklabel msdos mkpart primary ext4 1MiB 60MiB");
    let found = folder.inspect("image");
    assert_eq!((found.boot.code, found.summary.firmware), (Some(BootCode::Parted), Firmware::Unknown));
}

#[test]
fn a_data_disk_is_one() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.run(&["mkfs.ext4"], "mkfs.ext4 -q -F image");
    let summary = folder.inspect("image").summary;
    assert_eq!((summary.purpose, summary.firmware), (Purpose::Data, Firmware::Unknown));
    assert_eq!((summary.architecture, summary.system), (Architecture::Unknown, OsFamily::Linux));
    assert_eq!(summary.min_disk, 1);
    let folder = Folder::new();
    folder.image("image", (1 << 30) + 512);
    let summary = folder.inspect("image").summary;
    assert_eq!((summary.purpose, summary.min_disk), (Purpose::Unknown, 2));
}

#[test]
fn the_type_of_a_root_partition_tells_the_architecture() {
    for (kind, architecture) in [
        ("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", Architecture::X86),
        ("B921B045-1DF0-41C3-AF44-4C6F280D3FAE", Architecture::Arm),
    ] {
        let folder = Folder::new();
        folder.image("image", 64 * MIB);
        folder.run(&["sfdisk"], &format!("printf 'label: gpt\\n,,{kind}\\n' | sfdisk -q image"));
        let summary = folder.inspect("image").summary;
        assert_eq!((summary.architecture, summary.purpose), (architecture, Purpose::Unknown), "{summary:?}");
    }
}
