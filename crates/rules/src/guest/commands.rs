//! Commands that mend a system, in the words of its distribution. They run in the system itself, as root, before its disk is copied.
//!
//! Texts of the image stand in them only if a shell takes them as they are: see [`plain`].

use imsprep_guest::{BootLoader, Generator, Initramfs, Linux, LoaderKind, Platform, version_numbers};

/// A text of the image, if every shell takes it as one word and nothing more.
pub(super) fn plain(text: &str) -> Option<&str> {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '/' | ':' | '@');
    let is_word = !text.is_empty() && text.len() <= 200 && !text.starts_with('-');
    (is_word && text.chars().all(is_plain)).then_some(text)
}

/// Advice with commands to be run in a Linux.
pub(super) fn in_system(what: &str, commands: &[String]) -> String {
    with_commands(what, "in the system, as root", commands)
}

/// Advice with commands to be run in a Windows.
pub(super) fn in_windows(what: &str, commands: &[String]) -> String {
    with_commands(what, "in the system, as administrator", commands)
}

fn with_commands(what: &str, place: &str, commands: &[String]) -> String {
    let quoted = commands.iter().map(|command| format!("`{command}`")).collect::<Vec<_>>();
    match quoted.as_slice() {
        [] => what.to_owned(),
        quoted => format!("{what}; {place}: {}", quoted.join(", then ")),
    }
}

/// Distributions that have the same commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Debian,
    RedHat,
    Suse,
    Arch,
    Alpine,
    Other,
}

impl Family {
    pub(super) fn of(linux: &Linux) -> Self {
        let Ok(release) = &linux.release else { return Self::Other };
        let release = &release.value;
        let names = std::iter::once(&release.id).chain(&release.id_like);
        let by_name = names.map(String::as_str).find_map(|name| match name {
            "debian" | "ubuntu" => Some(Self::Debian),
            "rhel" | "fedora" | "centos" | "rocky" | "almalinux" | "ol" | "euleros" | "openeuler" | "hce"
            | "anolis" | "scientific" | "kylin" | "neokylin" | "amzn" | "openanolis" => Some(Self::RedHat),
            "arch" => Some(Self::Arch),
            "alpine" => Some(Self::Alpine),
            name if name.contains("suse") || name.starts_with("sle") => Some(Self::Suse),
            _ => None,
        });
        by_name.unwrap_or(Self::Other)
    }

    /// Installs packages.
    pub(super) fn install(self, packages: &str) -> Vec<String> {
        let command = match self {
            Self::Debian => "apt-get install",
            Self::RedHat => "yum install",
            Self::Suse => "zypper install",
            Self::Arch => "pacman -S",
            Self::Alpine => "apk add",
            Self::Other => return Vec::new(),
        };
        vec![format!("{command} {packages}")]
    }

    /// Makes the configuration of GRUB 2 anew.
    fn grub(self, loader: &BootLoader) -> String {
        if self == Self::Debian {
            return "update-grub".into();
        }
        let program = match self {
            Self::Arch | Self::Alpine => "grub-mkconfig",
            _ => "grub2-mkconfig",
        };
        let on_boot =
            |path: &str| format!("/boot/{}", path.trim_start_matches('/').trim_start_matches("boot/"));
        let of_uefi =
            loader.platform == Platform::Uefi && loader.config.path.to_ascii_uppercase().starts_with("/EFI/");
        let config = match plain(&loader.config.path) {
            Some(path) if of_uefi => format!("/boot/efi{path}"),
            Some(path) => on_boot(path),
            None => "/boot/grub2/grub.cfg".into(),
        };
        format!("{program} -o {config}")
    }
}

/// Changes what is on the kernel's command line, and makes the loader's configuration anew: removes `remove`, adds `add`. Both are plain.
pub(super) fn change_command_line(
    linux: &Linux,
    loader: &BootLoader,
    remove: Option<&str>,
    add: Option<&str>,
) -> Vec<String> {
    let family = Family::of(linux);
    let grubby = || {
        let remove = remove.map(|word| format!(" --remove-args={word}")).unwrap_or_default();
        let add = add.map(|words| format!(" --args='{words}'")).unwrap_or_default();
        format!("grubby --update-kernel=ALL{remove}{add}")
    };
    let mut edits = String::new();
    if let Some(word) = remove {
        edits += &format!(" -e 's|\\b{word}\\b||'");
    }
    match loader.kind {
        LoaderKind::Grub => {
            if let Some(words) = add {
                edits += &format!(" -e 's|^GRUB_CMDLINE_LINUX=\"|&{words} |'");
            }
            let defaults = format!("sed -i{edits} /etc/default/grub");
            let grubby = (family == Family::RedHat).then(grubby);
            [defaults].into_iter().chain(grubby).chain([family.grub(loader)]).collect()
        }
        LoaderKind::GrubLegacy | LoaderKind::Syslinux | LoaderKind::SystemdBoot => {
            let words = match loader.kind {
                LoaderKind::GrubLegacy => "kernel",
                LoaderKind::Syslinux => "append",
                _ => "options",
            };
            if let Some(add) = add {
                edits += &format!(" -e 's|^[[:space:]]*{words}[[:space:]].*|& {add}|I'");
            }
            let file = match (&loader.default, loader.kind) {
                (Ok(entry), LoaderKind::SystemdBoot) => format!("/boot{}", entry.origin.path),
                _ => loader.config.path.clone(),
            };
            plain(&file).map(|file| format!("sed -i{edits} {file}")).into_iter().collect()
        }
        LoaderKind::UnifiedKernel => {
            let add = add.map(|words| format!("echo '{words}' >> /etc/kernel/cmdline"));
            add.into_iter().chain(["kernel-install add-all".to_owned()]).collect()
        }
    }
}

/// Makes the boot loader name the root file system by its UUID.
pub(super) fn root_by_uuid(linux: &Linux, loader: &BootLoader, device: &str) -> Vec<String> {
    let uuid = linux.root.uuid.as_deref().and_then(plain);
    let uuid = uuid.map_or_else(|| "$(findmnt -no UUID /)".to_owned(), str::to_owned);
    let family = Family::of(linux);
    match loader.kind {
        LoaderKind::Grub => {
            let by_uuid =
                "sed -i -e '/^GRUB_DISABLE_LINUX_UUID=/d' -e 's|\\broot=[^ \"]*||' /etc/default/grub"
                    .to_owned();
            let grubby = (family == Family::RedHat)
                .then(|| format!("grubby --update-kernel=ALL --args=\"root=UUID={uuid}\""));
            [by_uuid].into_iter().chain(grubby).chain([family.grub(loader)]).collect()
        }
        LoaderKind::GrubLegacy | LoaderKind::Syslinux | LoaderKind::SystemdBoot => {
            let file = match (&loader.default, loader.kind) {
                (Ok(entry), LoaderKind::SystemdBoot) => format!("/boot{}", entry.origin.path),
                _ => loader.config.path.clone(),
            };
            let command =
                |file: &str, device: &str| format!("sed -i \"s|root={device}|root=UUID={uuid}|\" {file}");
            // `=` is none of the plain characters: what is named by a tag is replaced by any text up to the next space.
            let device = plain(device).unwrap_or("[^ ]*");
            plain(&file).map(|file| command(file, device)).into_iter().collect()
        }
        LoaderKind::UnifiedKernel => vec![
            format!("sed -i \"s|root=[^ ]*|root=UUID={uuid}|\" /etc/kernel/cmdline"),
            "kernel-install add-all".into(),
        ],
    }
}

/// Makes the loader's configuration anew, so that it names the kernels that are there.
pub(super) fn make_menu_anew(linux: &Linux, loader: &BootLoader) -> Vec<String> {
    match loader.kind {
        LoaderKind::Grub => vec![Family::of(linux).grub(loader)],
        LoaderKind::SystemdBoot | LoaderKind::UnifiedKernel => vec!["kernel-install add-all".into()],
        LoaderKind::GrubLegacy | LoaderKind::Syslinux => Vec::new(),
    }
}

/// Which program makes the initramfs.
fn generator(linux: &Linux, initramfs: Option<&Initramfs>) -> Option<Generator> {
    initramfs.and_then(|initramfs| initramfs.generator).or(match Family::of(linux) {
        Family::Debian => Some(Generator::InitramfsTools),
        Family::RedHat | Family::Suse => Some(Generator::Dracut),
        Family::Arch => Some(Generator::Mkinitcpio),
        Family::Alpine | Family::Other => None,
    })
}

/// Makes the initramfs of this kernel anew, with these modules in it.
pub(super) fn initramfs_with(
    linux: &Linux,
    initramfs: Option<&Initramfs>,
    version: Option<&str>,
    modules: &str,
) -> Vec<String> {
    let version = version.and_then(plain);
    let numbers = version.and_then(version_numbers);
    let is_of_old_suse =
        Family::of(linux) == Family::Suse && numbers.is_some_and(|numbers| numbers < [3, 12, 0]);
    if is_of_old_suse {
        return vec![
            format!("sed -i 's|^INITRD_MODULES=\"|&{modules} |' /etc/sysconfig/kernel"),
            "mkinitrd".into(),
        ];
    }
    match generator(linux, initramfs) {
        Some(Generator::Dracut) if numbers.is_some_and(|numbers| numbers < [2, 6, 32]) => {
            let with = modules.split(' ').map(|module| format!(" --with={module}")).collect::<String>();
            let version = version.unwrap_or_default();
            vec![format!("mkinitrd -f{with} /boot/initrd-{version}.img {version}")]
        }
        Some(Generator::Dracut) => {
            let config = format!("echo 'add_drivers+=\" {modules} \"' > /etc/dracut.conf.d/virtio.conf");
            vec![config, dracut(version, numbers)]
        }
        Some(Generator::InitramfsTools) => {
            let version = version.unwrap_or("all");
            vec![
                format!("printf '%s\\n' {modules} >> /etc/initramfs-tools/modules"),
                format!("update-initramfs -u -k {version}"),
            ]
        }
        Some(Generator::Mkinitcpio) => {
            vec![format!("sed -i 's|^MODULES=(|&{modules} |' /etc/mkinitcpio.conf"), "mkinitcpio -P".into()]
        }
        None if Family::of(linux) == Family::Alpine => {
            let version = version.unwrap_or_default();
            vec![
                "echo 'features=\"$features virtio\"' >> /etc/mkinitfs/mkinitfs.conf".into(),
                format!("mkinitfs {version}"),
            ]
        }
        None => Vec::new(),
    }
}

/// Makes the initramfs anew as it is configured.
pub(super) fn initramfs_anew(
    linux: &Linux,
    initramfs: Option<&Initramfs>,
    version: Option<&str>,
) -> Vec<String> {
    let version = version.and_then(plain);
    match generator(linux, initramfs) {
        Some(Generator::Dracut) => vec![dracut(version, version.and_then(version_numbers))],
        Some(Generator::InitramfsTools) => {
            vec![format!("update-initramfs -c -k {}", version.unwrap_or("all"))]
        }
        Some(Generator::Mkinitcpio) => vec!["mkinitcpio -P".into()],
        None => Vec::new(),
    }
}

fn dracut(version: Option<&str>, numbers: Option<[u32; 3]>) -> String {
    match (version, numbers) {
        // The dracut of these has no --kver.
        (Some(version), Some([2, ..])) => format!("dracut --force /boot/initramfs-{version}.img {version}"),
        (Some(version), _) => format!("dracut --force --kver {version}"),
        (None, _) => "dracut --force --regenerate-all".into(),
    }
}
