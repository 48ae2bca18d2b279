//! The code in a disk's first sector.

use imsprep_ondisk::disk::{BOOT_SIGNATURE, Mbr};
use imsprep_ondisk::mbr::SIGNATURE_OFFSET;

use crate::view::View;
use crate::{BootCode, VolumeKind, mbr};

/// Texts and bytes by which code is known. The texts are messages that it prints.
const KNOWN: &[(BootCode, &[u8])] = &[
    (BootCode::Grub, b"GRUB \0"),
    (BootCode::Isolinux, b"isolinux.bin"),
    (BootCode::Syslinux, b"Operating system load error."),
    (BootCode::Syslinux, b"Missing OS\r\n"),
    (BootCode::Windows, b"Invalid partition table\0Error loading operating system\0"),
    // Interrupts off, 0x1000 into AX and SS, 0xb000 into SP.
    (BootCode::Parted, &[0xfa, 0xb8, 0x00, 0x10, 0x8e, 0xd0, 0xbc, 0x00, 0xb0]),
];

/// The code before the partition table or where it would be, if a BIOS would take the sector for a boot record. That of a
/// volume is not told of: its code is there whether or not anything can be started.
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
    let known = KNOWN.iter().find(|(_, text)| has(text));
    Some(known.map_or(BootCode::Other, |(code, _)| *code))
}
