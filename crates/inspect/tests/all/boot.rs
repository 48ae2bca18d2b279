//! Boot code and loaders made by the real tools, and what is concluded from them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use crate::support::{Folder, MIB};
use imsprep_inspect::{Architecture, BootCode, DiskUse, EfiMachine, Firmware, Inspection, OsFamily};
use imsprep_testdata::{each, need_file, need_tools};

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

fn loaders(found: &Inspection) -> Vec<(String, Option<EfiMachine>)> {
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
        let mut theirs = programs.map(|(path, _)| (path.to_owned(), Some(EfiMachine::X64))).to_vec();
        theirs.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(ours, theirs, "{mkfs}");
        let summary = &found.summary;
        assert_eq!((summary.firmware, summary.architecture), (Firmware::Uefi, Architecture::X86));
        assert_eq!(summary.purpose, DiskUse::System);
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
    assert_eq!((found.summary.firmware, found.summary.purpose), (Firmware::Unknown, DiskUse::Unknown));
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
    assert_eq!(loaders(&found), [("/EFI/BOOT/bootx64.efi".to_owned(), Some(EfiMachine::X64))]);
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
            assert_eq!((summary.architecture, summary.purpose), (Architecture::X86, DiskUse::System));
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
    assert_eq!((found.summary.firmware, found.summary.purpose), (Firmware::Bios, DiskUse::System));
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
    assert_eq!((summary.purpose, summary.firmware), (DiskUse::Data, Firmware::Unknown));
    assert_eq!((summary.architecture, summary.system), (Architecture::Unknown, OsFamily::Linux));
    let folder = Folder::new();
    folder.image("image", MIB);
    assert_eq!(folder.inspect("image").summary.purpose, DiskUse::Unknown);
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
        assert_eq!((summary.architecture, summary.purpose), (architecture, DiskUse::Unknown), "{summary:?}");
    }
}

/// What stands before FreeBSD's messages is made up.
fn pmbr() -> Vec<u8> {
    let mut code = vec![0xfc, 0x31, 0xc0];
    code.extend(1..200);
    code.extend(b"Missing boot loader\0Boot loader too large\0I/O error\0");
    code
}

/// An ESP with a loader, and behind it what `types` are, each of 1 MiB from 50 MiB on.
fn with_uefi(types: &[&str]) -> Folder {
    let mut after = String::new();
    for (number, kind) in types.iter().enumerate() {
        after += &format!("sgdisk -n {0}:{1}M:+1M -t {0}:{kind} image >/dev/null\n", number + 3, number + 50);
    }
    let after = format!("sgdisk -d 2 image >/dev/null\n{after}");
    need_tools(["sgdisk"]);
    esp("mkfs.vfat -F 16", &[("/EFI/BOOT/BOOTX64.EFI", 0x8664)], &after)
}

#[test]
fn code_for_a_bios_beside_a_loader_for_uefi() {
    let freebsd = "83BD6B9D-7F41-11DC-BE0B-001560B84F0F";
    let illumos = "6A82CB45-1DD2-11B2-99A6-080020736631";
    let grub = "21686148-6449-6E6F-744E-656564454649";
    let unknown: &[u8] = b"\xeb\x10 a loader that nobody knows";
    let uncertain = Firmware::UncertainBios { uefi: true };
    for (types, code, filled, expected) in [
        (&[freebsd][..], pmbr(), true, Firmware::Both),
        (&[illumos], pmbr(), true, Firmware::Both),
        (&[freebsd], pmbr(), false, Firmware::Uefi),
        (&[], pmbr(), true, Firmware::Uefi),
        (&[freebsd], vec![], true, Firmware::Uefi),
        (&[freebsd], unknown.to_vec(), true, Firmware::Both),
        (&[grub], unknown.to_vec(), true, Firmware::Both),
        (&[grub], unknown.to_vec(), false, uncertain),
        (&[], unknown.to_vec(), true, uncertain),
        (&[grub], b"xxGRUB \0Geom".to_vec(), true, Firmware::Both),
        (&[grub], b"xxGRUB \0Geom".to_vec(), false, Firmware::Uefi),
        // Windows and parted put their code on every disk.
        (
            &[],
            b"\x33\xc0Invalid partition table\0Error loading operating system\0".to_vec(),
            true,
            Firmware::Uefi,
        ),
        (&[], b"\xfa\xb8\x00\x10\x8e\xd0\xbc\x00\xb0".to_vec(), true, Firmware::Uefi),
        (&[], b"Missing OS\r\n".to_vec(), true, Firmware::Uefi),
        (&[], vec![], true, Firmware::Uefi),
    ] {
        let folder = with_uefi(types);
        folder.write_at("image", 0, &code);
        if filled && !types.is_empty() {
            folder.write_at("image", 50 * MIB, b"\xeb\x0e the rest of it");
        }
        let found = folder.inspect("image");
        let text = String::from_utf8_lossy(&code).into_owned();
        assert_eq!(found.summary.firmware, expected, "{types:?} {text:?}: {found:?}");
        assert_eq!(found.summary.purpose, DiskUse::System, "{types:?} {text:?}");
    }
}

#[test]
fn what_a_hybrid_mbr_marks_active_counts_for_code_that_goes_by_it() {
    let folder = with_uefi(&["0700"]);
    folder.run(&["sgdisk"], "sgdisk -h 3 image >/dev/null");
    let code = b"\x33\xc0Invalid partition table\0Error loading operating system\0";
    folder.write_at("image", 0, code);
    assert_eq!(folder.inspect("image").summary.firmware, Firmware::Uefi);
    let own = (0..4).find(|n| !matches!(folder.read_at("image", 446 + 16 * n + 4, 1)[0], 0 | 0xee)).unwrap();
    folder.write_at("image", 446 + 16 * own, &[0x80]);
    assert_eq!(folder.inspect("image").summary.firmware, Firmware::Both);
    // The attribute of a GPT is another matter.
    folder.write_at("image", 446 + 16 * own, &[0]);
    folder.run(&["sgdisk"], "sgdisk -A 3:set:2 image >/dev/null");
    folder.write_at("image", 0, code);
    assert_eq!(folder.inspect("image").summary.firmware, Firmware::Uefi);
}

#[test]
fn code_that_nobody_knows_is_not_no_code() {
    let folder = Folder::new();
    folder.image("image", 64 * MIB);
    folder.run(&["sfdisk"], "printf 'label: dos\\n,,83\\n' | sfdisk -q image");
    folder.write_at("image", 0, b"\xeb\x10 a loader that nobody knows");
    let summary = folder.inspect("image").summary;
    assert_eq!(summary.firmware, Firmware::UncertainBios { uefi: false });
    assert_eq!((summary.firmware.name(), summary.purpose), ("unknown", DiskUse::Unknown));
    // FreeBSD prints what Windows does.
    folder.write_at("image", 0, b"\xfc\x31\xc0Invalid partition table\0Error loading operating system\0");
    let found = folder.inspect("image");
    assert_eq!((found.boot.code, found.summary.system), (Some(BootCode::FreeBsd), OsFamily::Unknown));
}
