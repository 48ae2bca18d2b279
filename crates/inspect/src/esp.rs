//! The loaders of an EFI system partition.

use imsprep_ondisk::volume::pe;
use imsprep_source::{Cancel, ReadAt, Result};

use crate::fat_volume::{Entry, FatVolume};
use crate::view::View;
use crate::{EfiMachine, EfiSystem, Loader, MAX_LOADERS, Partition, Volume, VolumeKind};

/// Most folders of `/EFI` that are inspected.
const FOLDERS_MAX: usize = 32;
/// Bytes of a program that are read: its header is near its start.
const PROGRAM_START: u64 = 4096;
/// Most partitions that are inspected.
const SYSTEMS_MAX: usize = 8;

/// The EFI system partitions of a disk with what is in them. Firmware that is given a disk without partitions takes a FAT
/// volume on it for one.
pub(crate) fn look(
    disk: &dyn ReadAt,
    partitions: &[Partition],
    whole: Option<&Volume>,
    cancel: &Cancel,
) -> Result<Vec<EfiSystem>> {
    let mut found = Vec::new();
    for partition in partitions.iter().filter(|partition| partition.kind.is_efi_system()).take(SYSTEMS_MAX) {
        cancel.check()?;
        let view = View::new(disk, partition.start, partition.length)?;
        found.push(system(&view, Some(partition.number))?);
    }
    let is_fat =
        |volume: &Volume| matches!(volume.kind, VolumeKind::Fat12 | VolumeKind::Fat16 | VolumeKind::Fat32);
    if partitions.is_empty() && whole.is_some_and(is_fat) {
        let system = system(&View::new(disk, 0, disk.size())?, None)?;
        // Not every FAT volume is meant to be one.
        found.extend(Some(system).filter(|system| !system.loaders.is_empty()));
    }
    Ok(found)
}

fn system(view: &View<'_>, partition: Option<u32>) -> Result<EfiSystem> {
    let Some(fat) = FatVolume::open(view) else {
        return Ok(EfiSystem { partition, loaders: Vec::new(), unread: Some("it has no FAT volume") });
    };
    Ok(EfiSystem { partition, loaders: loaders(&fat)?, unread: None })
}

/// What lies in the folders of `/EFI` and is called `.EFI`.
fn loaders(fat: &FatVolume<'_>) -> Result<Vec<Loader>> {
    let root = fat.directory(None)?;
    let Some(efi) = root.iter().find(|entry| entry.is_directory && entry.name.eq_ignore_ascii_case("EFI"))
    else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    let mut folders = fat.directory(Some(efi))?;
    folders.retain(|folder| folder.is_directory);
    for folder in folders.iter().take(FOLDERS_MAX) {
        let path = format!("/{}/{}", efi.name, folder.name);
        let mut files = fat.directory(Some(folder))?;
        // Windows keeps its loader one folder further down.
        if let Some(boot) =
            files.iter().find(|file| file.is_directory && file.name.eq_ignore_ascii_case("Boot")).cloned()
        {
            add(fat, &format!("{path}/{}", boot.name), &fat.directory(Some(&boot))?, &mut found)?;
        }
        files.retain(|file| !file.is_directory);
        add(fat, &path, &files, &mut found)?;
    }
    // What firmware starts by itself comes first.
    found.sort_by_key(|loader| !loader.is_default());
    Ok(found)
}

fn add(fat: &FatVolume<'_>, path: &str, files: &[Entry], found: &mut Vec<Loader>) -> Result<()> {
    let is_program = |file: &&Entry| !file.is_directory && file.name.to_ascii_uppercase().ends_with(".EFI");
    for file in files.iter().filter(is_program) {
        if found.len() == MAX_LOADERS {
            break;
        }
        let machine = machine(&fat.start_of_file(file, PROGRAM_START)?);
        found.push(Loader { path: format!("{path}/{}", file.name), machine });
    }
    Ok(())
}

/// The machine that a program says it is for.
fn machine(program: &[u8]) -> Option<EfiMachine> {
    let pointer = program.get(pe::HEADER_POINTER..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
    let header = program.get(usize::try_from(pointer).ok()?..)?.first_chunk().map(pe::Header::decode)?;
    let is_program = program.starts_with(&pe::DOS_MAGIC) && header.magic == pe::HEADER_MAGIC;
    is_program.then_some(match header.machine {
        pe::MACHINE_X64 => EfiMachine::X64,
        pe::MACHINE_IA32 => EfiMachine::Ia32,
        pe::MACHINE_AA64 => EfiMachine::Aa64,
        arm if pe::MACHINES_ARM.contains(&arm) => EfiMachine::Arm,
        other => EfiMachine::Other(other),
    })
}
