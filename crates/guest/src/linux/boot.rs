//! What the boot loader starts by default.

use crate::files::Files;
use crate::linux::loader_files::LoaderFiles;
use crate::{
    Answer, CommandLine, DeviceSpec, Disk, GrubMenu, KERNEL_HEAD, LoaderPath, Lookup, MenuEntry, NotKnown,
    Origin, Sourced, evaluate_grub, parse_bls, parse_cmdline_section, parse_grub_legacy, parse_kernel,
    parse_loader_conf, parse_syslinux, select_bls, sort_bls, text,
};

/// Most entries of systemd-boot, and most unified kernel images.
const ENTRIES_MAX: usize = 64;
/// Most bytes of a `.cmdline` section.
const CMDLINE_MAX: u64 = 16 << 10;

/// A kind of boot loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoaderKind {
    /// GRUB 2.
    Grub,
    /// GRUB 0.9x.
    GrubLegacy,
    /// Syslinux, extlinux.
    Syslinux,
    /// systemd-boot.
    SystemdBoot,
    /// A unified kernel image that firmware starts itself.
    UnifiedKernel,
}

/// Which firmware starts a loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// A BIOS.
    Bios,
    /// UEFI.
    Uefi,
}

/// A boot loader with its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootLoader {
    /// The kind.
    pub kind: LoaderKind,
    /// The firmware that starts it.
    pub platform: Platform,
    /// The file that has the menu.
    pub config: Origin,
    /// Entries of the menu.
    pub entries: usize,
    /// The entry that starts by default.
    pub default: Answer<BootEntry>,
    /// What of the configuration is not known; the entry may be known all the same.
    pub unknown: Vec<NotKnown>,
}

/// The entry that a loader starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootEntry {
    /// The title.
    pub title: String,
    /// Where the entry stands.
    pub origin: Origin,
    /// The kernel's command line and where it stands.
    pub command_line: Sourced<CommandLine>,
    /// The root file system, and the volume that it means; `None` if the command line names none.
    pub root: Option<(DeviceSpec, Lookup)>,
    /// The kernel.
    pub kernel: Option<BootFile>,
    /// The archives of the initramfs.
    pub initramfs: Vec<BootFile>,
    /// Why the entry is not known for certain.
    pub computed: Option<String>,
}

/// A file that an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootFile {
    /// Where it is, or should be.
    pub origin: Origin,
    /// Whether it is there.
    pub exists: Answer<bool>,
    /// As the loader names it.
    pub path: LoaderPath,
    /// The section of the file, if it is part of a unified kernel image: start and length in bytes.
    pub section: Option<(u64, u64)>,
}

/// All boot loaders of a system: those that the disk's firmware would start.
pub(super) fn collect(disk: &Disk<'_>, files: &Files<'_>, loader: &LoaderFiles<'_, '_>) -> Vec<BootLoader> {
    let mut found = Vec::new();
    let (bios, uefi) = match disk.firmware {
        imsprep_inspect::Firmware::Bios => (true, false),
        imsprep_inspect::Firmware::Uefi => (false, true),
        _ => (true, true),
    };
    if uefi {
        on_esp(disk, files, loader, &mut found);
    }
    if bios {
        for path in ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"] {
            if let Some(config) = on_volume(disk, files, path) {
                found.push(grub(disk, loader, &config, Platform::Bios));
                break;
            }
        }
        if found.iter().all(|found| found.platform != Platform::Bios) {
            found.extend(without_grub(disk, files, loader));
        }
    }
    found
}

/// GRUB 0.9x and Syslinux.
fn without_grub(disk: &Disk<'_>, files: &Files<'_>, loader: &LoaderFiles<'_, '_>) -> Option<BootLoader> {
    for path in ["/boot/grub/grub.conf", "/boot/grub/menu.lst", "/boot/grub2/menu.lst"] {
        let Some(config) = on_volume(disk, files, path) else { continue };
        let menu = |bytes: &[u8]| {
            let saved = files.read("/boot/grub/default").ok().flatten();
            let saved = saved
                .and_then(|bytes| text::lines(&bytes).next().and_then(|(_, line)| line.trim().parse().ok()));
            parse_grub_legacy(bytes, saved)
        };
        let read = loader.read_file(&config, text::FILE_MAX).map(|bytes| menu(&bytes.unwrap_or_default()));
        return Some(plain(disk, loader, LoaderKind::GrubLegacy, &config, read, Numbers::FromZero));
    }
    for path in [
        "/boot/extlinux/extlinux.conf",
        "/boot/extlinux.conf",
        "/extlinux.conf",
        "/boot/syslinux/syslinux.cfg",
        "/boot/syslinux/extlinux.conf",
        "/syslinux/syslinux.cfg",
    ] {
        let Some(config) = on_volume(disk, files, path) else { continue };
        let folder = config.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let read = loader.read_file(&config, text::FILE_MAX).map(|bytes| {
            let mut menu = parse_syslinux(&bytes.unwrap_or_default());
            for entry in &mut menu.entries {
                for path in entry.kernel.iter_mut().chain(&mut entry.initramfs) {
                    if !path.path.starts_with(['/', '\\']) {
                        path.path = format!("{folder}/{}", path.path);
                    }
                }
            }
            menu
        });
        return Some(plain(disk, loader, LoaderKind::Syslinux, &config, read, Numbers::FromOne));
    }
    None
}

/// From which number a loader counts partitions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    FromZero,
    FromOne,
}

fn plain(
    disk: &Disk<'_>,
    loader: &LoaderFiles<'_, '_>,
    kind: LoaderKind,
    config: &LoaderPath,
    read: Answer<crate::Menu>,
    numbers: Numbers,
) -> BootLoader {
    let origin = loader.origin(config);
    let entries = read.as_ref().map_or(0, |menu| menu.entries.len());
    let default = read.and_then(|menu| {
        let entry = menu.default.and_then(|index| menu.entries.get(index).cloned());
        let mut entry =
            entry.ok_or_else(|| NotKnown::at(origin.clone(), menu.unknown.unwrap_or_default()))?;
        for path in entry.kernel.iter_mut().chain(&mut entry.initramfs) {
            match &path.device {
                None => path.device.clone_from(&config.device),
                Some(device) if numbers == Numbers::FromZero => path.device = Some(counted_from_one(device)),
                Some(_) => {}
            }
        }
        Ok(resolve(disk, loader, entry, &origin))
    });
    BootLoader { kind, platform: Platform::Bios, config: origin, entries, default, unknown: Vec::new() }
}

/// GRUB 0.9x counts partitions from 0: `hd0,0` is the first.
fn counted_from_one(device: &str) -> String {
    match device.split_once(',').map(|(disk, number)| (disk, number.parse::<u32>())) {
        Some((disk, Ok(number))) => format!("{disk},{}", number.saturating_add(1)),
        _ => device.to_owned(),
    }
}

/// A path of the system as a loader names it; `None` if nothing is there.
fn on_volume(disk: &Disk<'_>, files: &Files<'_>, path: &str) -> Option<LoaderPath> {
    if !files.exists(path).ok()? {
        return None;
    }
    let (volume, rest) = files.within_volume(path);
    let index = disk.volumes.iter().position(|found| found.name == volume)?;
    Some(LoaderPath { device: Some(LoaderFiles::device(index)), path: rest })
}

fn grub(
    disk: &Disk<'_>,
    loader: &LoaderFiles<'_, '_>,
    config: &LoaderPath,
    platform: Platform,
) -> BootLoader {
    let (name, cpu) = match platform {
        Platform::Bios => ("pc", "i386"),
        Platform::Uefi => ("efi", "x86_64"),
    };
    let origin = loader.origin(config);
    let (menu, default) = match evaluate_grub(loader, config, name, cpu) {
        Ok(menu) => {
            let default = grub_default(disk, loader, &menu);
            (menu, default)
        }
        Err(reason) => {
            (GrubMenu { config: config.clone(), ..GrubMenu::default() }, Err(NotKnown::at(origin, reason)))
        }
    };
    let config = loader.origin(&menu.config);
    let unknown = menu.unknown.iter().map(|reason| NotKnown::at(config.clone(), reason.clone())).collect();
    BootLoader {
        kind: LoaderKind::Grub,
        platform,
        config,
        entries: menu.menu.entries.len(),
        default,
        unknown,
    }
}

fn grub_default(disk: &Disk<'_>, loader: &LoaderFiles<'_, '_>, menu: &GrubMenu) -> Answer<BootEntry> {
    let config = loader.origin(&menu.config);
    let entry = menu.menu.default.and_then(|index| Some((index, menu.menu.entries.get(index)?)));
    let Some((index, entry)) = entry else {
        let reason = menu.menu.unknown.clone().unwrap_or_else(|| "the menu has no default entry".into());
        return Err(NotKnown::at(config, reason));
    };
    let file = menu.entry_files.get(&index).map_or(config, |file| loader.origin(file));
    Ok(resolve(disk, loader, entry.clone(), &file))
}

/// What an entry of a menu comes to on this disk.
fn resolve(disk: &Disk<'_>, loader: &LoaderFiles<'_, '_>, entry: MenuEntry, file: &Origin) -> BootEntry {
    let line = CommandLine::parse(&entry.options);
    let root = line.root().map(|device| {
        let lookup = disk.find(&device);
        (device, lookup)
    });
    let boot_file = |path: LoaderPath| BootFile {
        origin: loader.origin(&path),
        exists: loader.find(&path).map(|found| found.is_some()),
        path,
        section: None,
    };
    let mut computed = entry.computed;
    if computed.is_none() && line.has_variables() {
        computed = Some("the command line has variables of the loader".into());
    }
    if computed.is_none() && entry.kernel.is_none() {
        computed = Some("the entry starts no kernel".into());
    }
    BootEntry {
        title: entry.title,
        origin: file.at_line(entry.line),
        command_line: Sourced::new(line, file.at_line(entry.options_line)),
        root,
        kernel: entry.kernel.map(boot_file),
        initramfs: entry.initramfs.into_iter().map(boot_file).collect(),
        computed,
    }
}

/// What UEFI would start from the EFI system partitions.
fn on_esp(disk: &Disk<'_>, files: &Files<'_>, loader: &LoaderFiles<'_, '_>, found: &mut Vec<BootLoader>) {
    for (index, volume) in disk.volumes.iter().enumerate() {
        let is_esp =
            volume.partition.as_ref().map_or(volume.kind == "vfat", |partition| partition.is_efi_system);
        if !is_esp || volume.files.is_err() {
            continue;
        }
        let here =
            |path: &str| LoaderPath { device: Some(LoaderFiles::device(index)), path: path.to_owned() };
        let fallback = ["/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTAA64.EFI", "/EFI/BOOT/BOOTIA32.EFI"];
        let fallback = fallback.into_iter().map(here).find_map(|path| {
            let program = loader.find(&path).ok().flatten()?;
            let image = program
                .files
                .head(&program.path, KERNEL_HEAD)
                .ok()
                .flatten()
                .and_then(|head| parse_kernel(&head));
            Some((path, image.unwrap_or_default()))
        });
        if let Some((path, image)) = &fallback {
            if image.is_unified() {
                found.push(unified(disk, loader, path));
                return;
            }
            if image.section(".sdmagic").is_some() {
                found.extend(systemd_boot(disk, loader, index));
                return;
            }
        }
        let mut folders = loader.names(&here("/EFI")).unwrap_or_default();
        // Without a program that firmware starts by itself it is systemd-boot's folder that shows what was installed.
        if fallback.is_none() && folders.iter().any(|name| name.eq_ignore_ascii_case("systemd")) {
            found.extend(systemd_boot(disk, loader, index));
            return;
        }
        // The folder of that program comes first.
        folders.sort_by_key(|name| !name.eq_ignore_ascii_case("BOOT"));
        let configs =
            folders.into_iter().take(ENTRIES_MAX).map(|name| here(&format!("/EFI/{name}/grub.cfg")));
        let on_esp = configs.into_iter().find(|config| loader.find(config).is_ok_and(|file| file.is_some()));
        // GRUB may have the path of its configuration in itself.
        let elsewhere = || {
            ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"]
                .into_iter()
                .find_map(|path| on_volume(disk, files, path))
        };
        if let Some(config) = on_esp.or_else(elsewhere) {
            found.push(grub(disk, loader, &config, Platform::Uefi));
            return;
        }
        if let Some(found_here) = systemd_boot(disk, loader, index) {
            found.push(found_here);
            return;
        }
    }
}

/// systemd-boot on an EFI system partition; entries may also lie on an extended boot partition.
fn systemd_boot(disk: &Disk<'_>, loader: &LoaderFiles<'_, '_>, esp: usize) -> Option<BootLoader> {
    let here = |index: usize, path: &str| LoaderPath {
        device: Some(LoaderFiles::device(index)),
        path: path.to_owned(),
    };
    let config = here(esp, "/loader/loader.conf");
    let conf = loader.read_file(&config, text::FILE_MAX);
    let mut unknown = Vec::new();
    let mut entries = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for index in 0..disk.volumes.len() {
        let is_boot = index == esp || disk.volume(index).is_some_and(|volume| volume.partition.is_some());
        if !is_boot || disk.volume(index).is_none_or(|volume| volume.files.is_err()) {
            continue;
        }
        for (folder, end) in [("/loader/entries", ".conf"), ("/EFI/Linux", ".efi")] {
            let names = loader.names(&here(index, folder)).unwrap_or_else(|reason| {
                unknown.push(reason);
                Vec::new()
            });
            for name in names.iter().filter(|name| name.to_ascii_lowercase().ends_with(end)).take(ENTRIES_MAX)
            {
                let path = here(index, &format!("{folder}/{name}"));
                let entry = if end == ".conf" {
                    match loader.read_file(&path, text::FILE_MAX) {
                        Ok(bytes) => parse_bls(name, &bytes.unwrap_or_default()),
                        Err(reason) => {
                            unknown.push(reason);
                            continue;
                        }
                    }
                } else {
                    parse_bls(name, b"")
                };
                places.insert(entry.id.clone(), path);
                entries.push(entry);
            }
        }
    }
    if entries.is_empty() && conf.as_ref().is_ok_and(Option::is_none) {
        return None;
    }
    sort_bls(&mut entries);
    let origin = loader.origin(&config);
    let default = conf.and_then(|bytes| {
        let conf = parse_loader_conf(&bytes.unwrap_or_default());
        let index = select_bls(&entries, &conf).map_err(|reason| NotKnown::at(origin.clone(), reason))?;
        let entry = entries.get(index).ok_or_else(|| NotKnown::because("the entry is not there"))?;
        let Some(place) = places.get(&entry.id) else {
            return Err(NotKnown::because("the entry is not there"));
        };
        if place.path.ends_with(".conf") {
            let mut menu_entry = entry.menu_entry(|_| None);
            for path in
                menu_entry.kernel.iter_mut().chain(&mut menu_entry.initramfs).chain(&mut menu_entry.program)
            {
                path.device.clone_from(&place.device);
            }
            if let (None, Some(program)) = (&menu_entry.kernel, &menu_entry.program) {
                return unified_entry(disk, loader, program);
            }
            return Ok(resolve(disk, loader, menu_entry, &loader.origin(place)));
        }
        unified_entry(disk, loader, place)
    });
    let kind = LoaderKind::SystemdBoot;
    Some(BootLoader {
        kind,
        platform: Platform::Uefi,
        config: origin,
        entries: entries.len(),
        default,
        unknown,
    })
}

fn unified(disk: &Disk<'_>, loader: &LoaderFiles<'_, '_>, path: &LoaderPath) -> BootLoader {
    BootLoader {
        kind: LoaderKind::UnifiedKernel,
        platform: Platform::Uefi,
        config: loader.origin(path),
        entries: 1,
        default: unified_entry(disk, loader, path),
        unknown: Vec::new(),
    }
}

/// The entry that a unified kernel image is.
fn unified_entry(disk: &Disk<'_>, loader: &LoaderFiles<'_, '_>, path: &LoaderPath) -> Answer<BootEntry> {
    let origin = loader.origin(path);
    let missing = || NotKnown::at(origin.clone(), "the image is not there");
    let found = loader.find(path)?.ok_or_else(missing)?;
    let head = found.files.head(&found.path, KERNEL_HEAD)?.ok_or_else(missing)?;
    let image = parse_kernel(&head).filter(crate::KernelImage::is_unified);
    let image =
        image.ok_or_else(|| NotKnown::at(origin.clone(), "the program is no unified kernel image"))?;
    let line = match image.section(".cmdline") {
        Some(section) => {
            let length = usize::try_from(section.length.min(CMDLINE_MAX)).unwrap_or(0);
            parse_cmdline_section(
                &found.files.range(&found.path, section.offset, length)?.unwrap_or_default(),
            )
        }
        None => CommandLine::default(),
    };
    let part = |name: &str| {
        let section = image.section(name)?;
        let section = Some((section.offset, section.length));
        Some(BootFile { origin: origin.clone(), exists: Ok(true), path: path.clone(), section })
    };
    let root = line.root().map(|device| {
        let lookup = disk.find(&device);
        (device, lookup)
    });
    Ok(BootEntry {
        title: text::name(&path.path),
        origin: origin.clone(),
        command_line: Sourced::new(line, origin.clone()),
        root,
        kernel: part(".linux"),
        initramfs: part(".initrd").into_iter().collect(),
        computed: None,
    })
}
