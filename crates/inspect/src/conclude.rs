//! What follows from what was found.

use imsprep_ondisk::gpt;

use crate::{
    Architecture, Boot, BootCode, DiskUse, EfiMachine, Firmware, Loader, OsFamily, Partition, PartitionType,
    Reasons, Summary, Volume, VolumeKind,
};

/// All that was found, and the reasons so far.
struct Conclusion<'a> {
    partitions: &'a [Partition],
    whole: Option<&'a Volume>,
    boot: &'a Boot,
    reasons: Reasons,
}

/// Whether a machine would start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Starts {
    Yes,
    No,
    /// Unknown.
    Perhaps,
}

pub(crate) fn summary(partitions: &[Partition], whole: Option<&Volume>, boot: &Boot) -> Summary {
    let mut all = Conclusion { partitions, whole, boot, reasons: Reasons::default() };
    let firmware = all.firmware();
    Summary {
        firmware,
        architecture: all.architecture(firmware),
        purpose: all.purpose(firmware),
        system: all.system(),
        reasons: all.reasons,
    }
}

impl Conclusion<'_> {
    fn firmware(&mut self) -> Firmware {
        let (bios, uefi) = (self.bios(), self.has_uefi());
        match (bios, uefi) {
            (Starts::Yes, true) => Firmware::Both,
            (Starts::Yes, false) => Firmware::Bios,
            (Starts::Perhaps, uefi) => Firmware::UncertainBios { uefi },
            (Starts::No, true) => Firmware::Uefi,
            (Starts::No, false) => {
                if self.reasons.firmware.is_empty() {
                    self.reasons.firmware.push("no boot code and no EFI boot loader was found".into());
                }
                Firmware::Unknown
            }
        }
    }

    /// Whether a BIOS would start it. Code that only starts the active partition starts nothing if there is none; Windows
    /// and parted put such code on every disk. Of code that is not known nothing is certain.
    fn bios(&mut self) -> Starts {
        let Some(code) = self.boot.code else {
            self.reasons.firmware.extend(self.without_code());
            return Starts::No;
        };
        let (text, starts) = match code {
            BootCode::Grub => self.with_rest("boot code of GRUB", PartitionType::is_bios_boot, Starts::Yes),
            BootCode::FreeBsdGpt => {
                self.with_rest("boot code of FreeBSD", PartitionType::is_freebsd_boot, Starts::No)
            }
            BootCode::Isolinux => ("the first sector has boot code of ISOLINUX".into(), Starts::Yes),
            BootCode::Syslinux => self.with_active(code, self.active().is_some(), Starts::No),
            BootCode::Windows | BootCode::Parted | BootCode::FreeBsd => {
                self.with_active(code, self.boot.mbr_active, Starts::No)
            }
            BootCode::Other => match self.partitions.iter().find(|partition| partition.kind.is_loader()) {
                Some(_) => self.with_rest("unknown boot code", PartitionType::is_loader, Starts::Perhaps),
                None => {
                    self.with_active(code, self.active().is_some() || self.boot.mbr_active, Starts::Perhaps)
                }
            },
        };
        self.reasons.firmware.push(text);
        starts
    }

    /// The partition that is active, by an MBR or by the attribute of a GPT.
    fn active(&self) -> Option<u32> {
        self.partitions.iter().find(|partition| partition.active).map(|active| active.number)
    }

    /// What was meant for a BIOS where no code leads to it.
    fn without_code(&self) -> Option<String> {
        if let Some(partition) = self.partitions.iter().find(|partition| partition.kind.is_loader()) {
            let (number, what) = (partition.number, partition.kind.name().unwrap_or_default());
            return Some(format!("partition {number} ({what}) is for a BIOS, but no boot code leads to it"));
        }
        let number = self.active()?;
        Some(format!("partition {number} is active, but there is no boot code to start it"))
    }

    /// Code that loads the rest of itself from a partition of a certain type; `otherwise` if there is none.
    fn with_rest(
        &self,
        code: &str,
        is_rest: fn(PartitionType) -> bool,
        otherwise: Starts,
    ) -> (String, Starts) {
        let rest = self.partitions.iter().find(|partition| is_rest(partition.kind));
        match rest {
            Some(Partition { number, content, .. }) if content.kind == VolumeKind::Empty => (
                format!("the first sector has {code}, but partition {number} for the rest of it is empty"),
                if otherwise == Starts::Perhaps { otherwise } else { Starts::No },
            ),
            Some(Partition { number, .. }) => {
                (format!("the first sector has {code}, and partition {number} the rest of it"), Starts::Yes)
            }
            None if otherwise == Starts::No => (
                format!("the first sector has {code}, but there is no partition with the rest of it"),
                otherwise,
            ),
            None => (format!("the first sector has {code}"), otherwise),
        }
    }

    /// Code that starts the active partition; `otherwise` if none is active.
    fn with_active(&self, code: BootCode, is_active: bool, otherwise: Starts) -> (String, Starts) {
        let begins = format!("the first sector has boot code ({code})");
        match (is_active, self.active()) {
            (true, Some(number)) => (format!("{begins}, and partition {number} is active"), Starts::Yes),
            (true, None) => (format!("{begins}, and the MBR has an active partition"), Starts::Yes),
            (false, _) if otherwise == Starts::Perhaps => {
                (format!("{begins}, which may start without an active partition"), otherwise)
            }
            (false, _) => (format!("{begins}, but no partition is active"), otherwise),
        }
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
                    "{place} has {}, but no loader in /EFI/BOOT: the firmware of a new machine may not find it",
                    first.path
                ),
            };
            self.reasons.firmware.push(text);
        }
        self.programs().next().is_some()
    }

    /// The loaders that are programs.
    fn programs(&self) -> impl Iterator<Item = (&Loader, EfiMachine)> {
        let loaders = self.boot.efi.iter().flat_map(|system| &system.loaders);
        loaders.filter_map(|loader| loader.machine.map(|machine| (loader, machine)))
    }

    fn architecture(&mut self, firmware: Firmware) -> Architecture {
        let (mut x86, mut arm, mut reasons) = (false, false, Vec::new());
        for machine in [EfiMachine::X64, EfiMachine::Ia32, EfiMachine::Aa64, EfiMachine::Arm] {
            let Some((loader, _)) = self.programs().find(|(_, of)| *of == machine) else { continue };
            match machine {
                EfiMachine::X64 | EfiMachine::Ia32 => x86 = true,
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
        if let Some((loader, machine)) = self
            .programs()
            .find(|(_, machine)| matches!(machine, EfiMachine::Other(_)))
            .filter(|_| !x86 && !arm)
        {
            reasons.push(format!("{} is a program for {machine}", loader.path));
        }
        if reasons.is_empty() {
            reasons.push("there is no evidence on the disk".into());
        }
        self.reasons.architecture = reasons;
        match (x86, arm) {
            (true, true) => Architecture::Both,
            (true, false) => Architecture::X86,
            (false, true) => Architecture::Arm,
            (false, false) => Architecture::Unknown,
        }
    }

    fn purpose(&mut self, firmware: Firmware) -> DiskUse {
        let (purpose, reason) = if self.whole.is_some_and(|whole| whole.kind == VolumeKind::Iso9660) {
            (
                DiskUse::Unknown,
                "it is an ISO image: an installer or a live system rather than a disk".to_owned(),
            )
        } else if firmware.starts() {
            (DiskUse::System, "a machine would boot from it".to_owned())
        } else if firmware != Firmware::Unknown {
            (DiskUse::Unknown, "it has boot code; whether it would boot is unknown".to_owned())
        } else if let Some(why) = self.is_for_a_system() {
            (DiskUse::Unknown, why)
        } else if self.volumes().any(|volume| is_content(&volume.kind)) {
            (DiskUse::Data, "it has no boot loader".to_owned())
        } else {
            (DiskUse::Unknown, "its content is not recognised".to_owned())
        };
        self.reasons.purpose.push(reason);
        purpose
    }

    /// Signs of a system on a disk from which nothing starts.
    fn is_for_a_system(&self) -> Option<String> {
        let sign = self.partitions.iter().find(|partition| {
            let kind = partition.kind;
            kind.is_efi_system() || kind.is_loader() || partition.active || is_root(kind)
        })?;
        let what = match sign.kind {
            _ if sign.active => "is active",
            kind if kind.is_efi_system() => "is an EFI system partition",
            kind if kind.is_loader() => "is a BIOS boot partition",
            _ => "is a root file system by its type",
        };
        Some(format!("partition {} {what}, but no boot loader was found", sign.number))
    }

    fn volumes(&self) -> impl Iterator<Item = &Volume> {
        self.whole.into_iter().chain(self.partitions.iter().map(|partition| &partition.content))
    }

    fn system(&mut self) -> OsFamily {
        let (mut linux, mut windows) = (Vec::new(), Vec::new());
        if let Some(volume) = self.volumes().find(|volume| is_of_linux(&volume.kind)) {
            linux.push(format!("{} belongs to Linux", volume.kind.name()));
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
            windows.push(format!("{} belongs to Windows", volume.kind.name()));
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
            linux.push("there is no evidence on the disk".into());
        }
        self.reasons.system = linux;
        system
    }
}

/// Whether it is in use for something.
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
