//! The system that the files of an image name, in the words of os_version.

use imsprep_guest::{Answer, Guest, Linux, Machine, Release, Sourced, System, Windows, WindowsRelease};

use super::os_type::OsType;

/// Most characters of a version that is taken over.
const VERSION_MAX: usize = 24;

/// The system in an image, as its files name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSystem {
    /// Its family.
    pub os: OsType,
    /// The name for people, from the image: `CentOS Linux 7 (Core)`.
    pub product: String,
    /// How a value of `os_version` would name it: `CentOS 7.9 64bit`. `None` for a distribution that is not known.
    pub wanted: Option<String>,
    /// What `wanted` lacks, because no file of the image tells it.
    pub lacking: Option<&'static str>,
    /// Whether releases that differ in the last part of the version are one system with updates: the point releases of Debian.
    pub has_points: bool,
    /// Identifiers of distributions that it is like: `rhel`, `fedora`.
    pub like: Vec<String>,
    /// What tells it: `partition 2: /etc/os-release names CentOS Linux 7 (Core) 7.9.2009`.
    pub by: String,
}

impl GuestSystem {
    /// The system of a guest; `None` if there is none, or no file names it.
    pub fn of(guest: &Guest) -> Option<Self> {
        match &guest.system {
            System::Linux(linux) => Self::of_linux(linux),
            System::Windows(windows) => Self::of_windows(windows),
            System::None | System::NotKnown(_) => None,
        }
    }

    fn of_linux(linux: &Linux) -> Option<Self> {
        let Sourced { value: release, origin } = linux.release.as_ref().ok()?;
        let Named { text, lacking } = linux_name(release);
        let (wanted, lacking) = with_bits(text, lacking, &linux.machine);
        let full = release.full_version.as_deref().filter(|full| !release.product.contains(full));
        let full = full.map_or_else(String::new, |full| format!(", {full}"));
        Some(Self {
            os: OsType::Linux,
            product: release.product.clone(),
            wanted,
            lacking,
            has_points: release.id == "debian",
            like: release.id_like.clone(),
            by: format!("{origin} names {}{full}", release.product),
        })
    }

    fn of_windows(windows: &Windows) -> Option<Self> {
        let Sourced { value: release, origin } = windows.release.as_ref().ok()?;
        let Named { text, lacking } = windows_name(release);
        let (wanted, lacking) = with_bits(text, lacking, &windows.machine);
        Some(Self {
            os: OsType::Windows,
            product: release.product.clone(),
            wanted,
            lacking,
            has_points: false,
            like: Vec::new(),
            by: format!("{origin} names {}, build {}", release.product, release.build),
        })
    }
}

/// A system without its bits.
struct Named {
    text: Option<String>,
    lacking: Option<&'static str>,
}

impl Named {
    fn whole(text: String) -> Self {
        Self { text: Some(text), lacking: None }
    }

    const UNKNOWN: Self = Self { text: None, lacking: None };
}

fn with_bits(
    text: Option<String>,
    lacking: Option<&'static str>,
    machine: &Answer<Sourced<Machine>>,
) -> (Option<String>, Option<&'static str>) {
    match machine {
        Ok(machine) => (text.map(|text| format!("{text} {}bit", machine.value.bits())), lacking),
        Err(_) => (text, lacking.or(Some("whether it has 32 or 64 bits"))),
    }
}

/// How values of os_version name a distribution.
fn linux_name(release: &Release) -> Named {
    let version = digits(&release.version);
    let full = release.full_version.as_deref().map(digits);
    let named = |name: &str| match version.as_str() {
        "" => Named { text: Some(name.to_owned()), lacking: Some("its version") },
        version => Named::whole(format!("{name} {version}")),
    };
    match release.id.as_str() {
        // Every release but the first has a point release, which stands in debian_version alone.
        "debian" => match full.filter(|full| !full.is_empty()) {
            Some(full) => Named::whole(format!("Debian {full}")),
            None => named("Debian"),
        },
        // PRETTY_NAME has the point release: `Ubuntu 20.04.6 LTS`.
        "ubuntu" => {
            let pretty = release.product.strip_prefix("Ubuntu ").map(digits);
            match pretty.filter(|pretty| !version.is_empty() && pretty.starts_with(&version)) {
                Some(pretty) => Named::whole(format!("Ubuntu {pretty} server")),
                None if version.is_empty() => named("Ubuntu"),
                None => Named::whole(format!("Ubuntu {version} server")),
            }
        }
        "centos" if release.product.contains("Stream") => {
            let mut named = minor_needed("CentOS Stream", &version, full.as_deref());
            named.lacking = named.lacking.map(|_| "its minor version (a CentOS Stream has none)");
            named
        }
        "centos" => minor_needed("CentOS", &version, full.as_deref()),
        "rhel" => minor_needed("Red Hat Enterprise Linux", &version, full.as_deref()),
        "ol" => minor_needed("Oracle Linux Server release", &version, full.as_deref()),
        "rocky" => minor_needed("Rocky Linux", &version, full.as_deref()),
        "almalinux" => minor_needed("AlmaLinux", &version, full.as_deref()),
        "fedora" => named("Fedora"),
        "opensuse" | "opensuse-leap" => named("openSUSE"),
        "opensuse-tumbleweed" => Named { text: Some("openSUSE Tumbleweed".into()), lacking: None },
        "sles" => match version.split_once('.') {
            Some((major, "0")) => Named::whole(format!("SUSE Linux Enterprise Server {major}")),
            Some((major, pack)) => Named::whole(format!("SUSE Linux Enterprise Server {major} SP{pack}")),
            None => named("SUSE Linux Enterprise Server"),
        },
        // `EulerOS 2.0 (SP5)` is called 2.5, and `2.0 (SP9x86_64)` 2.9.
        "euleros" => match (version.as_str(), service_pack(release)) {
            ("2.0" | "2", Some(pack)) => Named::whole(format!("EulerOS 2.{pack}")),
            ("2.0" | "2" | "", None) => {
                Named { text: Some("EulerOS 2".into()), lacking: Some("its service pack") }
            }
            _ => named("EulerOS"),
        },
        // `openEuler 20.03 (LTS-SP1)`
        "openeuler" => match (version.is_empty(), service_pack(release)) {
            (false, Some(pack)) => Named::whole(format!("openEuler {version} SP{pack}")),
            _ => named("openEuler"),
        },
        "neokylin" => named("NeoKylin"),
        "hce" => named("HCE"),
        "kylin" => named("Kylin"),
        "uos" | "uniontech" => named("UOS"),
        "amzn" => named("Amazon Linux"),
        "arch" => Named::whole("Arch Linux".into()),
        "alpine" => named("Alpine Linux"),
        "kali" => named("Kali Linux"),
        "linuxmint" => named("Linux Mint"),
        "scientific" => named("Scientific Linux"),
        "gentoo" => Named::whole("Gentoo".into()),
        "nixos" => named("NixOS"),
        "flatcar" => named("Flatcar"),
        "photon" => named("Photon OS"),
        // Names of others may have words of a family that they are not of.
        _ => Named::UNKNOWN,
    }
}

/// A distribution whose values name the minor version. A file of its own has it where os-release has not: `7.9.2009`.
fn minor_needed(name: &str, version: &str, full: Option<&str>) -> Named {
    let most = [full, Some(version)].into_iter().flatten().find(|text| text.contains('.'));
    let lacking = Some("its minor version");
    match (most, version) {
        (Some(most), _) => {
            let parts = most.split('.').take(2).collect::<Vec<_>>();
            Named::whole(format!("{name} {}", parts.join(".")))
        }
        (None, "") => Named { text: Some(name.to_owned()), lacking: Some("its version") },
        (None, version) => Named { text: Some(format!("{name} {version}")), lacking },
    }
}

/// The number of `SP5` in the release's name or its code name.
fn service_pack(release: &Release) -> Option<String> {
    let texts = [Some(&release.product), release.codename.as_ref()];
    texts.into_iter().flatten().find_map(|text| {
        let (_, rest) = text.split_once("SP")?;
        let number = rest.bytes().take_while(u8::is_ascii_digit).count().min(3);
        rest.get(..number).filter(|number| !number.is_empty()).map(str::to_owned)
    })
}

/// The numbers and dots that a text begins with.
fn digits(text: &str) -> String {
    let text = text.trim();
    let end = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count().min(VERSION_MAX);
    text.get(..end).unwrap_or_default().trim_matches('.').to_owned()
}

/// The servers and their builds, the last of each.
const SERVERS: &[(&str, u32)] = &[
    ("2008 R2", 7601),
    ("2012", 9200),
    ("2012 R2", 9600),
    ("2016", 14_393),
    ("2019", 17_763),
    ("2022", 20_348),
    ("2025", 26_100),
];
/// The first build of Windows 11, whose registry says Windows 10.
const WINDOWS_11: u32 = 22_000;

/// How values of os_version name a Windows: `Windows Server 2019 Standard`, `Windows 10`.
fn windows_name(release: &WindowsRelease) -> Named {
    let product =
        release.product.replace(['\u{ae}', '\u{2122}'], " ").replace("(R)", " ").replace("(TM)", " ");
    let words =
        product.split_whitespace().filter(|word| *word != "Microsoft" && !word.starts_with("Evaluation"));
    let words = words.take(10).collect::<Vec<_>>();
    let build = release.build.trim().parse::<u32>().ok();
    let plain = words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    match words.as_slice() {
        ["Windows", ..] if !plain => Named::UNKNOWN,
        ["Windows", "Server", ..] => {
            let text = words.join(" ");
            let by_name =
                SERVERS.iter().rev().find(|(name, _)| text.starts_with(&format!("Windows Server {name}")));
            let by_build = SERVERS.iter().find(|(_, number)| Some(*number) == build);
            match (by_name, by_build) {
                (Some((name, _)), Some((other, _))) if name != other => {
                    Named { text: None, lacking: Some("its version: the build is that of another product") }
                }
                _ => Named::whole(text),
            }
        }
        ["Windows", "10", ..] if build.is_some_and(|build| build >= WINDOWS_11) => {
            Named::whole("Windows 11".into())
        }
        // Values name no edition of these.
        ["Windows", number @ ("10" | "11"), ..] => Named::whole(format!("Windows {number}")),
        ["Windows", ..] => Named::whole(words.join(" ")),
        _ => Named::UNKNOWN,
    }
}

#[cfg(test)]
mod tests;
