//! The code in a disk's first sector.

use imsprep_ondisk::disk::{BOOT_SIGNATURE, Mbr};
use imsprep_ondisk::mbr::SIGNATURE_OFFSET;

use crate::view::View;
use crate::{BootCode, VolumeKind, mbr};

/// By what code is known: how it starts, and what it holds. The texts are messages that it prints.
struct Sign {
    code: BootCode,
    start: &'static [u8],
    holds: &'static [&'static [u8]],
}

const fn holding(code: BootCode, holds: &'static [&'static [u8]]) -> Sign {
    Sign { code, start: &[], holds }
}

/// What Windows prints, and FreeBSD in the same words.
const NO_SYSTEM: &[u8] = b"Invalid partition table\0Error loading operating system\0";

/// The first that fits counts.
const KNOWN: &[Sign] = &[
    holding(BootCode::Grub, &[b"GRUB \0"]),
    holding(BootCode::Isolinux, &[b"isolinux.bin"]),
    holding(BootCode::Syslinux, &[b"Operating system load error."]),
    holding(BootCode::Syslinux, &[b"Missing OS\r\n"]),
    holding(BootCode::FreeBsdGpt, &[b"Missing boot loader\0", b"Boot loader too large\0"]),
    // Strings forward, then zero into AX, where Windows begins with the latter.
    Sign { code: BootCode::FreeBsd, start: &[0xfc, 0x31, 0xc0], holds: &[NO_SYSTEM] },
    holding(BootCode::Windows, &[NO_SYSTEM]),
    // Interrupts off, 0x1000 into AX and SS, 0xb000 into SP.
    holding(BootCode::Parted, &[&[0xfa, 0xb8, 0x00, 0x10, 0x8e, 0xd0, 0xbc, 0x00, 0xb0]]),
];

/// The code before the partition table or where it would be, if a BIOS would take the sector for a boot record. That of a
/// volume is not reported: its code is there whether or not anything can be started.
pub(crate) fn recognise(disk: &View<'_>, whole: &VolumeKind) -> Option<BootCode> {
    let sector = disk.head().first_chunk::<{ Mbr::SIZE }>()?;
    if !sector.ends_with(&BOOT_SIGNATURE) || mbr::has_boot_record(whole) {
        return None;
    }
    let code = disk.head().get(..SIGNATURE_OFFSET)?;
    if code.iter().all(|byte| *byte == 0) {
        return None;
    }
    let has = |text: &[u8]| code.windows(text.len()).any(|window| window == text);
    let fits = |sign: &&Sign| code.starts_with(sign.start) && sign.holds.iter().all(|text| has(text));
    Some(KNOWN.iter().find(fits).map_or(BootCode::Other, |sign| sign.code))
}
