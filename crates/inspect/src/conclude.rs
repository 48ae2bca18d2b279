//! What follows from what was found.

use imsprep_ondisk::gpt;

use crate::{
    Architecture, Boot, BootCode, Firmware, Loader, Machine, OsFamily, Partition, PartitionType, Purpose,
    Reasons, Summary, Volume, VolumeKind,
};

const GIB: u64 = 1 << 30;

/// All that was found, and the reasons so far.
struct Conclusion<'a> {
    partitions: &'a [Partition],
    whole: Option<&'a Volume>,
    boot: &'a Boot,
    reasons: Reasons,
}

pub(crate) fn summary(
    disk_size: u64,
    partitions: &[Partition],
    whole: Option<&Volume>,
    boot: &Boot,
) -> Summary {
    let mut all = Conclusion { partitions, whole, boot, reasons: Reasons::default() };
    let firmware = all.firmware();
    Summary {
        firmware,
        architecture: all.architecture(firmware),
        purpose: all.purpose(firmware),
        system: all.system(),
        min_disk: disk_size.div_ceil(GIB),
        reasons: all.reasons,
    }
}

impl Conclusion<'_> {
    fn firmware(&mut self) -> Firmware {
        let (bios, uefi) = (self.has_bios(), self.has_uefi());
        match (bios, uefi) {
            (true, true) => Firmware::Both,
            (true, false) => Firmware::Bios,
            (false, true) => Firmware::Uefi,
            (false, false) => {
                if self.reasons.firmware.is_empty() {
                    self.reasons.firmware.push("no boot code and no EFI boot loader was found".into());
                }
                Firmware::Unknown
            }
        }
    }

    /// Whether a BIOS would start it. Code that only starts the active partition starts nothing if there is none; Windows
    /// and parted put such code on every disk.
    fn has_bios(&mut self) -> bool {
        let active = self.partitions.iter().find(|partition| partition.active).map(|active| active.number);
        let bios_boot = self.partitions.iter().find(|partition| partition.kind.is_bios_boot());
        let Some(code) = self.boot.code else {
            if let Some(partition) = bios_boot {
                let text = format!(
                    "partition {} is for GRUB on a BIOS, but no boot code leads to it",
                    partition.number
                );
                self.reasons.firmware.push(text);
            } else if let Some(number) = active {
                let text = format!("partition {number} is active, but there is no boot code to start it");
                self.reasons.firmware.push(text);
            }
            return false;
        };
        let (text, starts) = match (code, active) {
            (BootCode::Grub, _) => match bios_boot {
                Some(Partition { number, content, .. }) if content.kind == VolumeKind::Empty => (
                    format!(
                        "the first sector has boot code of GRUB, but partition {number}, for the rest, is empty"
                    ),
                    false,
                ),
                Some(Partition { number, .. }) => (
                    format!("the first sector has boot code of GRUB, and partition {number} the rest of it"),
                    true,
                ),
                None => ("the first sector has boot code of GRUB".into(), true),
            },
            (BootCode::Isolinux, _) => ("the first sector has boot code of ISOLINUX".into(), true),
            (code, Some(number)) => {
                (format!("the first sector has boot code ({code}), and partition {number} is active"), true)
            }
            (code, None) => {
                (format!("the first sector has boot code ({code}), but no partition is active"), false)
            }
        };
        self.reasons.firmware.push(text);
        starts
    }

    fn has_uefi(&mut self) -> bool {
        for system in &self.boot.efi {
            let place = match system.partition {
                Some(number) => format!("EFI system partition {number}"),
                None => "the FAT volume".into(),
            };
            let mut programs = system.loaders.iter().filter(|loader| loader.machine.is_some());
            // Those that firmware starts by itself come first.
            let text = match (system.unread, programs.next()) {
                (Some(why), _) => format!("the loaders of {place} could not be read: {why}"),
                (None, None) => format!("{place} has no loader"),
                (None, Some(first)) if first.is_default() => format!("{place} has {}", first.path),
                (None, Some(first)) => format!(
                    "{place} has {}, but nothing in /EFI/BOOT: a new machine's firmware may not find it",
                    first.path
                ),
            };
            self.reasons.firmware.push(text);
        }
        self.programs().next().is_some()
    }

    /// The loaders that are programs.
    fn programs(&self) -> impl Iterator<Item = (&Loader, Machine)> {
        let loaders = self.boot.efi.iter().flat_map(|system| &system.loaders);
        loaders.filter_map(|loader| loader.machine.map(|machine| (loader, machine)))
    }

    fn architecture(&mut self, firmware: Firmware) -> Architecture {
        let (mut x86, mut arm, mut reasons) = (false, false, Vec::new());
        for machine in [Machine::X64, Machine::Ia32, Machine::Aa64, Machine::Arm] {
            let Some((loader, _)) = self.programs().find(|(_, of)| *of == machine) else { continue };
            match machine {
                Machine::X64 | Machine::Ia32 => x86 = true,
                _ => arm = true,
            }
            reasons.push(format!("{} is a program for {machine}", loader.path));
        }
        if matches!(firmware, Firmware::Bios | Firmware::Both) {
            x86 = true;
            reasons.push("only x86 machines have a BIOS".into());
        }
        for partition in self.partitions {
            let PartitionType::Gpt(kind) = partition.kind else { continue };
            match kind {
                gpt::ROOT_X64 | gpt::USR_X64 | gpt::ROOT_IA32 => x86 = true,
                gpt::ROOT_AA64 | gpt::USR_AA64 | gpt::ROOT_ARM => arm = true,
                _ => continue,
            }
            let name = partition.kind.name().unwrap_or_default();
            reasons.push(format!("partition {} has the type {name}", partition.number));
        }
        if let Some((loader, machine)) =
            self.programs().find(|(_, machine)| matches!(machine, Machine::Other(_))).filter(|_| !x86 && !arm)
        {
            reasons.push(format!("{} is a program for {machine}", loader.path));
        }
        if reasons.is_empty() {
            reasons.push("nothing on the disk tells".into());
        }
        self.reasons.architecture = reasons;
        match (x86, arm) {
            (true, true) => Architecture::Both,
            (true, false) => Architecture::X86,
            (false, true) => Architecture::Arm,
            (false, false) => Architecture::Unknown,
        }
    }

    fn purpose(&mut self, firmware: Firmware) -> Purpose {
        let (purpose, reason) = if self.whole.is_some_and(|whole| whole.kind == VolumeKind::Iso9660) {
            (
                Purpose::Unknown,
                "it is an ISO image: an installer or a live system rather than a disk".to_owned(),
            )
        } else if firmware != Firmware::Unknown {
            (Purpose::System, "a machine would start from it".to_owned())
        } else if let Some(why) = self.is_for_a_system() {
            (Purpose::Unknown, why)
        } else if self.volumes().any(|volume| is_content(&volume.kind)) {
            (Purpose::Data, "nothing on it would start a machine".to_owned())
        } else {
            (Purpose::Unknown, "nothing known is on it".to_owned())
        };
        self.reasons.purpose.push(reason);
        purpose
    }

    /// Signs of a system on a disk from which nothing starts.
    fn is_for_a_system(&self) -> Option<String> {
        let sign = self.partitions.iter().find(|partition| {
            let kind = partition.kind;
            kind.is_efi_system() || kind.is_bios_boot() || partition.active || is_root(kind)
        })?;
        let what = match sign.kind {
            _ if sign.active => "is active",
            kind if kind.is_efi_system() => "is an EFI system partition",
            kind if kind.is_bios_boot() => "is a BIOS boot partition",
            _ => "is a root file system by its type",
        };
        Some(format!("partition {} {what}, but nothing was found that would start", sign.number))
    }

    fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.whole.into_iter().chain(self.partitions.iter().map(|partition| &partition.content))
    }

    fn system(&mut self) -> OsFamily {
        let (mut linux, mut windows) = (Vec::new(), Vec::new());
        if let Some(volume) = self.volumes().find(|volume| is_of_linux(&volume.kind)) {
            linux.push(format!("{} is of Linux", volume.kind.name()));
        }
        if self.boot.code == Some(BootCode::Grub) {
            linux.push("GRUB starts it".into());
        }
        let is_windows = |kind: PartitionType| {
            matches!(kind, PartitionType::Gpt(gpt::MICROSOFT_RESERVED | gpt::WINDOWS_RECOVERY))
        };
        if let Some(volume) =
            self.volumes().find(|volume| matches!(volume.kind, VolumeKind::Ntfs | VolumeKind::BitLocker))
        {
            windows.push(format!("{} is of Windows", volume.kind.name()));
        }
        if let Some(partition) = self.partitions.iter().find(|partition| is_windows(partition.kind)) {
            let name = partition.kind.name().unwrap_or_default();
            windows.push(format!("partition {} has the type {name}", partition.number));
        }
        if let Some((loader, _)) = self
            .programs()
            .find(|(loader, _)| loader.path.to_ascii_uppercase().starts_with("/EFI/MICROSOFT/"))
        {
            windows.push(format!("there is {}", loader.path));
        }
        if self.boot.code == Some(BootCode::Windows) {
            windows.push("the boot code is that of Windows".into());
        }
        let system = match (linux.is_empty(), windows.is_empty()) {
            (false, true) => OsFamily::Linux,
            (true, false) => OsFamily::Windows,
            _ => OsFamily::Unknown,
        };
        linux.append(&mut windows);
        if linux.is_empty() {
            linux.push("nothing on the disk tells".into());
        }
        self.reasons.system = linux;
        system
    }
}

/// Whether somebody keeps something in it.
fn is_content(kind: &VolumeKind) -> bool {
    !matches!(kind, VolumeKind::Unknown | VolumeKind::Empty | VolumeKind::Extended)
}

fn is_root(kind: PartitionType) -> bool {
    matches!(kind, PartitionType::Gpt(gpt::ROOT_X64 | gpt::ROOT_IA32 | gpt::ROOT_AA64 | gpt::ROOT_ARM))
}

fn is_of_linux(kind: &VolumeKind) -> bool {
    matches!(
        kind,
        VolumeKind::Ext2
            | VolumeKind::Ext3
            | VolumeKind::Ext4
            | VolumeKind::ExtJournal
            | VolumeKind::Xfs
            | VolumeKind::Btrfs { .. }
            | VolumeKind::F2fs
            | VolumeKind::Swap
            | VolumeKind::Hibernation
            | VolumeKind::Lvm(_)
            | VolumeKind::Luks { .. }
            | VolumeKind::MdRaid(_)
    )
}
