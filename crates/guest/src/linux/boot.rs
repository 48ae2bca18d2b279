//! What the boot loader starts by default.

use imsprep_inspect::Firmware;

use crate::files::Files;
use crate::linux::loader_files::{Found, LoaderFiles};
use crate::{
    Answer, CommandLine, DeviceSpec, Disk, DiskVolume, GrubMenu, KERNEL_HEAD, KernelImage, LoaderPath,
    Lookup, MenuEntry, NotKnown, Origin, Sourced, evaluate_grub, parse_bls, parse_cmdline_section,
    parse_grub_legacy, parse_kernel, parse_loader_conf, parse_syslinux, select_bls, sort_bls, text,
};

/// Most entries of systemd-boot, and most unified kernel images.
const ENTRIES_MAX: usize = 64;
/// Most bytes of a `.cmdline` section.
const CMDLINE_MAX: u64 = 16 << 10;
/// Most bytes of a program in which a path is looked for.
const PROGRAM_MAX: usize = 8 << 20;
/// Where GRUB has its configuration on the system's volumes.
const GRUB_CONFIGS: [&str; 2] = ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"];

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

/// All boot loaders of a system that the disk's firmware may start. Those of a BIOS come first if either firmware starts the disk: the
/// service takes a BIOS unless the request names UEFI.
pub(super) fn collect(disk: &Disk<'_>, files: &Files<'_>, loader: &LoaderFiles<'_, '_>) -> Vec<BootLoader> {
    let mut found = Vec::new();
    match disk.firmware {
        Firmware::Bios => on_bios(disk, files, loader, &mut found),
        Firmware::Uefi => on_esp(disk, files, loader, &mut found),
        Firmware::Both => {
            on_bios(disk, files, loader, &mut found);
            on_esp(disk, files, loader, &mut found);
        }
        Firmware::UncertainBios { .. } | Firmware::Unknown => {
            on_esp(disk, files, loader, &mut found);
            on_bios(disk, files, loader, &mut found);
        }
    }
    found
}

/// What a BIOS would start. Which of two configurations GRUB reads stands in its own compressed image.
fn on_bios(disk: &Disk<'_>, files: &Files<'_>, loader: &LoaderFiles<'_, '_>, found: &mut Vec<BootLoader>) {
    let mut seen = Vec::new();
    for path in GRUB_CONFIGS {
        let Some(config) = on_volume(disk, files, path) else { continue };
        // One folder may be a link to the other.
        let text = loader.read_file(&config, text::FILE_MAX).ok().flatten();
        if text.is_some() && seen.contains(&text) {
            continue;
        }
        seen.push(text);
        add(grub(disk, loader, &config, Platform::Bios), found);
    }
    if seen.is_empty() {
        found.extend(without_grub(disk, files, loader));
    }
}

/// Adds a loader, unless another one of the same firmware comes to the same entry of the same menu.
fn add(new: BootLoader, found: &mut Vec<BootLoader>) {
    let is_same = |known: &BootLoader| {
        (known.platform, &known.config, &known.default) == (new.platform, &new.config, &new.default)
    };
    if !found.iter().any(is_same) {
        found.push(new);
    }
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

/// The program that firmware starts from an EFI system partition without an entry of its own.
struct Fallback<'f, 'a> {
    path: LoaderPath,
    program: Found<'f, 'a>,
    image: KernelImage,
}

fn on_partition(index: usize, path: &str) -> LoaderPath {
    LoaderPath { device: Some(LoaderFiles::device(index)), path: path.to_owned() }
}

fn fallback<'f, 'a>(loader: &'f LoaderFiles<'_, 'a>, index: usize) -> Option<Fallback<'f, 'a>> {
    let paths = ["/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTAA64.EFI", "/EFI/BOOT/BOOTIA32.EFI"];
    paths.into_iter().map(|path| on_partition(index, path)).find_map(|path| {
        let program = loader.find(&path).ok().flatten()?;
        let head = program.files.head(&program.path, KERNEL_HEAD).ok().flatten();
        let image = head.and_then(|head| parse_kernel(&head)).unwrap_or_default();
        Some(Fallback { path, program, image })
    })
}

/// What UEFI would start: from the first EFI system partition with a program that firmware starts by itself, or else from the first with
/// a loader.
fn on_esp(disk: &Disk<'_>, files: &Files<'_>, loader: &LoaderFiles<'_, '_>, found: &mut Vec<BootLoader>) {
    let is_esp = |volume: &DiskVolume<'_>| {
        volume.partition.as_ref().map_or(volume.kind == "vfat", |partition| partition.is_efi_system)
    };
    let volumes = disk.volumes.iter().enumerate();
    let systems = volumes.filter(|(_, volume)| is_esp(volume) && volume.files.is_ok());
    let mut systems = systems.map(|(index, _)| (index, fallback(loader, index))).collect::<Vec<_>>();
    systems.sort_by_key(|(_, fallback)| fallback.is_none());
    let before = found.len();
    for (index, fallback) in systems {
        of_esp(disk, files, loader, (index, fallback), found);
        if found.len() > before {
            return;
        }
    }
}

fn of_esp(
    disk: &Disk<'_>,
    files: &Files<'_>,
    loader: &LoaderFiles<'_, '_>,
    (index, fallback): (usize, Option<Fallback<'_, '_>>),
    found: &mut Vec<BootLoader>,
) {
    if let Some(Fallback { path, image, .. }) = &fallback {
        if image.is_unified() {
            found.push(unified(disk, loader, path));
            return;
        }
        if image.section(".sdmagic").is_some() {
            found.extend(systemd_boot(disk, loader, index));
            return;
        }
    }
    let mut folders = loader.names(&on_partition(index, "/EFI")).unwrap_or_default();
    // Without a program that firmware starts by itself it is systemd-boot's folder that shows what was installed.
    if fallback.is_none() && folders.iter().any(|name| name.eq_ignore_ascii_case("systemd")) {
        found.extend(systemd_boot(disk, loader, index));
        return;
    }
    // The folder of that program comes first.
    folders.sort_by_key(|name| !name.eq_ignore_ascii_case("BOOT"));
    let config = |name: &String| on_partition(index, &format!("/EFI/{name}/grub.cfg"));
    folders.truncate(ENTRIES_MAX);
    folders.retain(|name| loader.find(&config(name)).is_ok_and(|file| file.is_some()));
    if let (Some(fallback), 2..) = (&fallback, folders.len()) {
        keep_named(loader, index, fallback, &mut folders);
    }
    for name in &folders {
        add(grub(disk, loader, &config(name), Platform::Uefi), found);
    }
    if !folders.is_empty() {
        return;
    }
    // GRUB may have the path of its configuration in itself.
    let elsewhere = GRUB_CONFIGS.into_iter().find_map(|path| on_volume(disk, files, path));
    if let Some(config) = elsewhere {
        found.push(grub(disk, loader, &config, Platform::Uefi));
        return;
    }
    found.extend(systemd_boot(disk, loader, index));
}

/// Of several folders with a configuration the one whose path is in the program that starts, or in the GRUB beside it, which a shim
/// starts. If none is, or several are, all of them stay.
fn keep_named(
    loader: &LoaderFiles<'_, '_>,
    index: usize,
    fallback: &Fallback<'_, '_>,
    folders: &mut Vec<String>,
) {
    let mut programs = vec![fallback.program.files.read_up_to(&fallback.program.path, PROGRAM_MAX)];
    for name in ["grubx64.efi", "grubaa64.efi"] {
        programs.push(loader.read_file(&on_partition(index, &format!("/EFI/BOOT/{name}")), PROGRAM_MAX));
    }
    let programs = programs.into_iter().filter_map(|bytes| bytes.ok().flatten()).collect::<Vec<_>>();
    // GRUB keeps the folder as a text with a zero at its end.
    let is_named = |name: &String| {
        let folder = format!("/EFI/{name}\0").to_ascii_lowercase();
        programs.iter().any(|bytes| {
            bytes.windows(folder.len()).any(|window| window.eq_ignore_ascii_case(folder.as_bytes()))
        })
    };
    let named = folders.iter().filter(|name| is_named(name)).cloned().collect::<Vec<_>>();
    if let [only] = named.as_slice() {
        *folders = vec![only.clone()];
    }
}

/// systemd-boot on an EFI system partition; entries may also lie on an extended boot partition.
fn systemd_boot(disk: &Disk<'_>, loader: &LoaderFiles<'_, '_>, esp: usize) -> Option<BootLoader> {
    let here = on_partition;
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
    let image = parse_kernel(&head).filter(KernelImage::is_unified);
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
