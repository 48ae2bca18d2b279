//! The kernel that starts by default: its version, and which drivers it has when.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::Files;
use crate::linux::boot::BootEntry;
use crate::linux::initramfs::Reading;
use crate::linux::loader_files::LoaderFiles;
use crate::{
    Answer, Driver, Initramfs, KERNEL_HEAD, Machine, NotKnown, Origin, Sourced, module_name, parse_kernel,
    parse_kernel_config, parse_modules_builtin, text, version_in_name,
};

/// Most bytes of `modules.dep`.
const MODULES_DEP_MAX: usize = 8 << 20;
/// Folders of modules that virtio drivers lie in.
const MODULE_FOLDERS: &[&str] =
    &["kernel/drivers/virtio", "kernel/drivers/block", "kernel/drivers/scsi", "kernel/drivers/net"];

/// The kernel that starts by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its version, as `uname -r` prints it.
    pub version: Answer<Sourced<String>>,
    /// The machine that it is for, if its file tells.
    pub machine: Option<Machine>,
    /// The folder of its modules.
    pub modules: Answer<Option<Origin>>,
    /// The initramfs; `None` if the entry has none.
    pub initramfs: Answer<Option<Sourced<Initramfs>>>,
    /// For each driver where it is.
    pub drivers: BTreeMap<Driver, DriverPlaces>,
    /// Where it stands what is built in.
    pub builtin_list: Answer<Origin>,
}

/// Where a driver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriverPlaces {
    /// Built into the kernel.
    pub builtin: Answer<bool>,
    /// In the initramfs, for this kernel.
    pub initramfs: Answer<bool>,
    /// Below `/lib/modules`, for this kernel.
    pub modules: Answer<bool>,
}

impl DriverPlaces {
    /// Whether the kernel has it before the root file system is mounted. `Err` if that is not known.
    pub fn at_boot(&self) -> Answer<bool> {
        either(&self.builtin, &self.initramfs)
    }

    /// Whether the kernel has it at all.
    pub fn anywhere(&self) -> Answer<bool> {
        either(&self.at_boot(), &self.modules)
    }
}

/// `true` if one is; `false` if both are known not to be.
fn either(one: &Answer<bool>, other: &Answer<bool>) -> Answer<bool> {
    match (one, other) {
        (Ok(true), _) | (_, Ok(true)) => Ok(true),
        (Ok(false), Ok(false)) => Ok(false),
        (Err(reason), _) | (_, Err(reason)) => Err(reason.clone()),
    }
}

impl Kernel {
    fn has(&self, driver: Driver, at: fn(&DriverPlaces) -> Answer<bool>) -> Answer<bool> {
        self.drivers.get(&driver).map_or_else(|| Err(NotKnown::because("the driver was not looked for")), at)
    }

    /// Whether the kernel can read a virtio disk when it boots, by OS-001: the bus, the queues, the devices, and one of the two
    /// kinds of disks. `Err` if that is not known.
    pub fn boots_from_virtio(&self) -> Answer<bool> {
        let at_boot = DriverPlaces::at_boot;
        let scsi = match (self.has(Driver::VirtioScsi, at_boot), self.has(Driver::SdMod, at_boot)) {
            (Ok(false), _) | (_, Ok(false)) => Ok(false),
            (scsi, sd) => sd.and(scsi),
        };
        let disk = either(&self.has(Driver::VirtioBlk, at_boot), &scsi);
        let mut all = vec![disk];
        all.extend(
            [Driver::Virtio, Driver::VirtioRing, Driver::VirtioPci].map(|driver| self.has(driver, at_boot)),
        );
        if all.contains(&Ok(false)) {
            return Ok(false);
        }
        all.into_iter().try_fold(true, |sum, answer| answer.map(|is| sum && is))
    }

    /// Whether the kernel has a virtio network driver, now or later, by OS-002. `Err` if that is not known.
    pub fn has_virtio_network(&self) -> Answer<bool> {
        self.has(Driver::VirtioNet, DriverPlaces::anywhere)
    }
}

/// Looks at the kernel of an entry, and at its initramfs, which may still be read by another thread: the result is waited for when
/// nothing else is left to do.
pub(super) fn collect(
    files: &Files<'_>,
    loader: &LoaderFiles<'_, '_>,
    entry: &BootEntry,
    mut reading: Reading<'_>,
) -> Kernel {
    let image = entry.kernel.as_ref().and_then(|kernel| {
        let found = loader.find(&kernel.path).ok().flatten()?;
        let head = match kernel.section {
            Some((at, length)) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX).min(KERNEL_HEAD);
                found.files.range(&found.path, at, length)
            }
            None => found.files.head(&found.path, KERNEL_HEAD),
        };
        parse_kernel(&head.ok()??)
    });
    let machine = image.as_ref().and_then(|image| image.machine);
    let version = version(entry, image.and_then(|image| image.version), &mut reading);
    let folder = version.as_ref().ok().map(|version| folder(files, &version.value));
    let modules = match folder {
        Some(folder) => folder.map(|path| path.map(|path| files.origin(&path))),
        None => Err(NotKnown::because("the version of the kernel is not known")),
    };
    let builtin =
        builtin(files, version.as_ref().ok().map(|version| version.value.as_str()), &modules, &mut reading);
    let below = modules_below(files, &modules);
    let initramfs = reading.finish(loader);
    let drivers = Driver::ALL.map(|driver| {
        let module = driver.module();
        let version = version.as_ref().ok().map(|version| version.value.as_str());
        let places = DriverPlaces {
            builtin: builtin.as_ref().map(|(names, _)| names.contains(module)).map_err(Clone::clone),
            initramfs: in_initramfs(&initramfs, version, module),
            modules: below.as_ref().map(|names| names.contains(module)).map_err(Clone::clone),
        };
        (driver, places)
    });
    Kernel {
        version,
        machine,
        modules,
        initramfs,
        drivers: drivers.into_iter().collect(),
        builtin_list: builtin.map(|(_, origin)| origin),
    }
}

fn in_initramfs(
    initramfs: &Answer<Option<Sourced<Initramfs>>>,
    version: Option<&str>,
    module: &str,
) -> Answer<bool> {
    match initramfs {
        Err(reason) => Err(reason.clone()),
        Ok(None) => Ok(false),
        Ok(Some(found)) => found.value.has_module(version, module).ok_or_else(|| {
            let reason = found.value.incomplete.clone().unwrap_or_default();
            NotKnown::at(
                found.origin.clone(),
                format!("the initramfs could not be read to its end: {reason}"),
            )
        }),
    }
}

/// The version: the kernel's own word first, then the names of files, then the modules in the initramfs.
fn version(
    entry: &BootEntry,
    in_image: Option<String>,
    reading: &mut Reading<'_>,
) -> Answer<Sourced<String>> {
    if let (Some(version), Some(kernel)) = (in_image, &entry.kernel) {
        return Ok(Sourced::new(version, kernel.origin.clone()));
    }
    for file in entry.kernel.iter().chain(&entry.initramfs) {
        if let Some(version) = version_in_name(&file.path.path) {
            return Ok(Sourced::new(version, file.origin.clone()));
        }
    }
    if let Ok(Some(found)) = reading.wait() {
        let mut versions = found.value.modules.keys().filter(|version| !version.is_empty());
        if let (Some(version), None) = (versions.next(), versions.next()) {
            return Ok(Sourced::new(version.clone(), found.origin.clone()));
        }
    }
    Err(NotKnown::because("neither the file of the kernel nor its name has the version"))
}

/// The folder of a version's modules.
fn folder(files: &Files<'_>, version: &str) -> Answer<Option<String>> {
    if version.contains('/') || version.starts_with('.') {
        return Ok(None);
    }
    for path in [format!("/lib/modules/{version}"), format!("/usr/lib/modules/{version}")] {
        if files.exists(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

type Builtin = (BTreeSet<String>, Origin);

/// What is built in: by the list beside the modules, in the initramfs, or by the kernel's configuration.
fn builtin(
    files: &Files<'_>,
    version: Option<&str>,
    modules: &Answer<Option<Origin>>,
    reading: &mut Reading<'_>,
) -> Answer<Builtin> {
    let Some(version) = version else {
        return Err(NotKnown::because("the version of the kernel is not known"));
    };
    let folder = modules.as_ref().ok().and_then(Option::as_ref).map(|origin| origin.path.clone());
    if let Some(folder) = &folder {
        let path = format!("{folder}/modules.builtin");
        if let Some(bytes) = files.read(&path)? {
            return Ok((parse_modules_builtin(&bytes), files.origin(&path)));
        }
    }
    if let Ok(Some(found)) = reading.wait()
        && let Some(names) = found.value.builtin.get(version)
    {
        return Ok((names.clone(), found.origin.clone()));
    }
    let configs = [Some(format!("/boot/config-{version}")), folder.map(|folder| format!("{folder}/config"))];
    for path in configs.into_iter().flatten() {
        if let Some(bytes) = files.read(&path)? {
            let config = parse_kernel_config(&bytes);
            let is_built_in =
                |driver: &&Driver| config.get(driver.option()).is_some_and(|value| value == "y");
            let names =
                Driver::ALL.iter().filter(is_built_in).map(|driver| driver.module().to_owned()).collect();
            return Ok((names, files.origin(&path)));
        }
    }
    Err(NotKnown::because(format!(
        "neither modules.builtin nor a configuration of the kernel {} was found",
        text::name(version)
    )))
}

/// The names of virtio's modules below the folder of modules.
fn modules_below(files: &Files<'_>, modules: &Answer<Option<Origin>>) -> Answer<BTreeSet<String>> {
    let folder = match modules {
        Ok(Some(origin)) => origin.path.clone(),
        Ok(None) => return Ok(BTreeSet::new()),
        Err(reason) => return Err(reason.clone()),
    };
    let mut names = BTreeSet::new();
    for part in MODULE_FOLDERS {
        for (name, _) in files.list(&format!("{folder}/{part}"))? {
            names.extend(module_name(&name));
        }
    }
    // Others lie anywhere; the list tells where, and may be out of date.
    if Driver::ALL.iter().any(|driver| !names.contains(driver.module()))
        && let Some(list) = files.read_up_to(&format!("{folder}/modules.dep"), MODULES_DEP_MAX)?
    {
        for line in list.split(|byte| *byte == b'\n') {
            let path = line.split(|byte| *byte == b':').next().unwrap_or_default();
            let Ok(path) = str::from_utf8(path) else { continue };
            let Some(name) = module_name(path) else { continue };
            if !names.contains(&name) && Driver::ALL.iter().any(|driver| driver.module() == name) {
                let full = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
                if files.exists(&full)? {
                    names.insert(name);
                }
            }
        }
    }
    Ok(names)
}
