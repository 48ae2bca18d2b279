//! What the boot loader starts: kernel, initramfs, drivers, root file system.

use imsprep_findings::{Finding, Rule};
use imsprep_guest::{
    Answer, BootEntry, BootLoader, DeviceSpec, Driver, DriverPlaces, Kernel, Linux, Lookup, NotKnown, Origin,
    version_numbers,
};

use super::commands::{
    change_command_line, in_system, initramfs_anew, initramfs_with, make_menu_anew, plain, root_by_uuid,
};
use super::judgement::{Judgement, on_volume, place};
use super::os_rules::{
    BOOT_FILE_ABSENT, KERNEL_TOO_OLD, NO_DISK_DRIVER, NO_NETWORK_DRIVER, NO_SERIAL_CONSOLE, ROOT_ABSENT,
    ROOT_BY_NAME,
};

/// What the service asks for at least.
const OLDEST_KERNEL: [u32; 3] = [2, 6, 24];
/// The drivers of the disk, as modules.
const DISK_MODULES: &str = "virtio virtio_ring virtio_pci virtio_blk virtio_scsi";
/// Rules that ask for the kernel.
const OF_KERNEL: [&Rule; 3] = [&NO_DISK_DRIVER, &NO_NETWORK_DRIVER, &KERNEL_TOO_OLD];
/// Rules that ask for the entry that starts.
pub(super) const OF_ENTRY: [&Rule; 4] = [&ROOT_ABSENT, &ROOT_BY_NAME, &NO_SERIAL_CONSOLE, &BOOT_FILE_ABSENT];

/// Judges what one loader starts.
pub(super) fn check_loader(
    linux: &Linux,
    (loader, kernel): (&BootLoader, &Answer<Kernel>),
    judgement: &mut Judgement<'_>,
) {
    check_kernel(linux, (loader, kernel), judgement);
    let unknown = loader.unknown.iter();
    unknown.for_each(|reason| judgement.gap("parts of the boot loader's configuration", reason));
    match &loader.default {
        Ok(entry) => check_entry(linux, loader, entry, judgement),
        Err(reason) => OF_ENTRY.iter().for_each(|rule| judgement.unknown(rule, reason)),
    }
}

/// The rules that ask for the kernel, as far as they apply.
pub(super) fn rules_of_kernel(judgement: &Judgement<'_>) -> Vec<&'static Rule> {
    OF_KERNEL.into_iter().filter(|_| judgement.has_virtio()).collect()
}

fn check_kernel(
    linux: &Linux,
    (loader, kernel): (&BootLoader, &Answer<Kernel>),
    judgement: &mut Judgement<'_>,
) {
    let rules = rules_of_kernel(judgement);
    // Which entry starts is a choice that is made at boot.
    let entry = loader.default.as_ref().ok();
    let computed = entry.and_then(|entry| Some((entry, entry.computed.as_ref()?)));
    let kernel = match (computed, kernel) {
        (Some((entry, reason)), _) => Err(NotKnown::at(entry.origin.clone(), reason.clone())),
        (None, kernel) => kernel.as_ref().map_err(Clone::clone),
    };
    let kernel = match kernel {
        Ok(kernel) => kernel,
        Err(reason) => {
            rules.iter().for_each(|rule| judgement.unknown(rule, &reason));
            return;
        }
    };
    if rules.is_empty() {
        return;
    }
    match kernel.boots_from_virtio() {
        Ok(true) => {}
        Ok(false) => judgement.push(no_disk_driver(linux, kernel)),
        Err(reason) => judgement.unknown(&NO_DISK_DRIVER, &reason),
    }
    match kernel.has_virtio_network() {
        Ok(true) => {}
        Ok(false) => judgement.push(no_network_driver(linux, kernel)),
        Err(reason) => judgement.unknown(&NO_NETWORK_DRIVER, &reason),
    }
    match &kernel.version {
        Err(reason) => judgement.unknown(&KERNEL_TOO_OLD, reason),
        Ok(version) => match version_numbers(&version.value) {
            None => judgement.unknown_because(
                &KERNEL_TOO_OLD,
                format!("{}: {:?} is no version that is known", version.origin, version.value),
            ),
            Some(numbers) if numbers < OLDEST_KERNEL => {
                let message = format!("the kernel that starts by default is {}", version.value);
                let finding = Finding::new(&KERNEL_TOO_OLD, message).in_guest(place(&version.origin));
                judgement.push(finding.expected("2.6.24 or later").found(&version.value));
            }
            Some(_) => {}
        },
    }
}

/// The kernel's version as messages have it.
fn name_of(kernel: &Kernel) -> String {
    kernel
        .version
        .as_ref()
        .map_or_else(|_| "the kernel".to_owned(), |version| format!("kernel {}", version.value))
}

fn version_of(kernel: &Kernel) -> Option<&str> {
    kernel.version.as_ref().ok().map(|version| version.value.as_str())
}

/// Where it stands what the kernel has when it boots.
fn place_of_drivers(linux: &Linux, kernel: &Kernel) -> imsprep_findings::GuestPlace {
    let initramfs = kernel.initramfs.as_ref().ok().and_then(Option::as_ref).map(|found| &found.origin);
    let list = kernel.builtin_list.as_ref().ok();
    let image = kernel.version.as_ref().ok().map(|version| &version.origin);
    initramfs.or(list).or(image).map_or_else(|| on_volume(&linux.root.volume), place)
}

fn no_disk_driver(linux: &Linux, kernel: &Kernel) -> Finding {
    let lacks = |driver: &Driver| {
        kernel.drivers.get(driver).is_some_and(|places: &DriverPlaces| places.at_boot() == Ok(false))
    };
    let mut missing = [Driver::Virtio, Driver::VirtioRing, Driver::VirtioPci]
        .into_iter()
        .filter(lacks)
        .map(|driver| driver.module().to_owned())
        .collect::<Vec<_>>();
    let scsi = [Driver::VirtioScsi, Driver::SdMod];
    if lacks(&Driver::VirtioBlk) && scsi.iter().any(lacks) {
        let scsi =
            scsi.iter().filter(|driver| lacks(driver)).map(|driver| driver.module()).collect::<Vec<_>>();
        missing.push(format!("virtio_blk (or {})", scsi.join(" and ")));
    }
    let initramfs = kernel.initramfs.as_ref().ok().and_then(Option::as_ref);
    let lacks = match initramfs {
        Some(found) if found.value.hostonly => {
            "has drivers neither built in nor in its initramfs, which dracut made for the old hardware only (hostonly)"
        }
        Some(_) => "has drivers neither built in nor in its initramfs",
        None => "has no initramfs, and drivers are not built in",
    };
    let missing = format!("missing: {}", missing.join(", "));
    let message = format!("{} {lacks}; {missing}", name_of(kernel));
    // What is no module of this kernel no initramfs can get.
    let is_module = |driver: Driver| {
        kernel.drivers.get(&driver).is_some_and(|places| {
            places.anywhere() == Ok(true) || places.modules.is_err() || places.builtin.is_err()
        })
    };
    let has_modules = [Driver::Virtio, Driver::VirtioRing, Driver::VirtioPci].into_iter().all(is_module)
        && (is_module(Driver::VirtioBlk) || is_module(Driver::VirtioScsi));
    let fix = if has_modules {
        let commands =
            initramfs_with(linux, initramfs.map(|found| &found.value), version_of(kernel), DISK_MODULES);
        in_system("put the drivers into the initramfs, and create it again", &commands)
    } else {
        "install a kernel that has virtio drivers: this one has none, not even as modules".to_owned()
    };
    Finding::new(&NO_DISK_DRIVER, message)
        .in_guest(place_of_drivers(linux, kernel))
        .expected(DISK_MODULES.replace(" virtio_scsi", " or virtio_scsi"))
        .found(missing)
        .fix(fix)
}

fn no_network_driver(linux: &Linux, kernel: &Kernel) -> Finding {
    let message = format!("{} has virtio_net neither built in nor as a module", name_of(kernel));
    let origin = kernel.modules.as_ref().ok().and_then(Option::as_ref);
    let place = origin.map_or_else(|| place_of_drivers(linux, kernel), place);
    Finding::new(&NO_NETWORK_DRIVER, message).in_guest(place).expected("virtio_net")
}

fn check_entry(linux: &Linux, loader: &BootLoader, entry: &BootEntry, judgement: &mut Judgement<'_>) {
    if let Some(reason) = &entry.computed {
        let reason = NotKnown::at(entry.origin.clone(), reason.clone());
        OF_ENTRY.iter().for_each(|rule| judgement.unknown(rule, &reason));
        return;
    }
    let line = &entry.command_line;
    match &entry.root {
        Some((device, lookup)) => check_root(linux, loader, &line.origin, (device, lookup), judgement),
        None => {
            let reason = NotKnown::at(line.origin.clone(), "the command line has no root=");
            judgement.unknown(&ROOT_ABSENT, &reason);
        }
    }
    if !line.value.has_serial_console() {
        let commands = change_command_line(linux, loader, None, Some("console=tty0 console=ttyS0"));
        let finding = Finding::new(&NO_SERIAL_CONSOLE, "the command line has no console=ttyS0")
            .in_guest(place(&line.origin))
            .fix(in_system("add console=tty0 console=ttyS0 to the command line", &commands));
        judgement.push(finding);
    }
    let files = entry.kernel.iter().map(|file| ("kernel", file));
    for (what, file) in files.chain(entry.initramfs.iter().map(|file| ("initramfs", file))) {
        match &file.exists {
            Ok(true) => {}
            Ok(false) => {
                let message = format!(
                    "the entry {:?} names the {what} {}, which is not there",
                    entry.title, file.path.path
                );
                let finding = Finding::new(&BOOT_FILE_ABSENT, message)
                    .in_guest(place(&entry.origin))
                    .found(format!("no {}", file.origin))
                    .fix(fix_of_absent(linux, loader, what, &file.path.path));
                judgement.push(finding);
            }
            Err(reason) => judgement.unknown(&BOOT_FILE_ABSENT, reason),
        }
    }
}

fn fix_of_absent(linux: &Linux, loader: &BootLoader, what: &str, path: &str) -> String {
    let mut commands = Vec::new();
    if what == "initramfs" {
        let version = imsprep_guest::version_in_name(path);
        commands = initramfs_anew(linux, None, version.as_deref().and_then(plain));
    }
    commands.extend(make_menu_anew(linux, loader));
    let what = match what {
        "initramfs" => "create the initramfs and the boot loader's menu again",
        _ => "install the kernel again, and create the boot loader's menu again",
    };
    in_system(what, &commands)
}

fn check_root(
    linux: &Linux,
    loader: &BootLoader,
    origin: &Origin,
    (device, lookup): (&DeviceSpec, &Lookup),
    judgement: &mut Judgement<'_>,
) {
    let fix = || {
        in_system(
            "make the boot loader name the root file system by its UUID",
            &root_by_uuid(linux, loader, &device.to_string()),
        )
    };
    let expected = linux.root.uuid.as_ref().map(|uuid| format!("root=UUID={uuid}"));
    let of = |rule, message: String| {
        let finding =
            Finding::new(rule, message).in_guest(place(origin)).found(format!("root={device}")).fix(fix());
        match &expected {
            Some(expected) => finding.expected(expected),
            None => finding,
        }
    };
    if !device.is_block_device() {
        // A root of the network or of the loader's own.
        judgement
            .unknown_because(&ROOT_ABSENT, format!("{origin}: root={device} is no file system of a disk"));
        return;
    }
    match lookup {
        Lookup::Absent => {
            judgement.push(of(&ROOT_ABSENT, format!("root={device} is no volume of this disk")));
            return;
        }
        // Of names that the hardware gives the next rule tells.
        Lookup::Unknown(_) if device.depends_on_hardware() => {}
        Lookup::Unknown(reason) => {
            judgement.unknown_because(&ROOT_ABSENT, format!("{origin}: root={device}: {reason}"));
        }
        Lookup::Found(_) => {}
    }
    if device.depends_on_hardware() {
        judgement.push(of(&ROOT_BY_NAME, format!("root={device} depends on the hardware")));
    }
}
