//! Which distribution a Linux is: os-release and the files that came before it.

use crate::assignments::{last, parse_assignments};
use crate::text;

/// Which distribution it is. Texts come from the image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// The name for people: `Debian GNU/Linux 12 (bookworm)`.
    pub product: String,
    /// The name for programs in lower case: `debian`, `rhel`, `opensuse-leap`; empty if it could not be told.
    pub id: String,
    /// The version as `VERSION_ID` has it or the release file: `12`, `8.9`, `15.5`; empty for a rolling release.
    pub version: String,
    /// Distributions that it is like, nearest first.
    pub id_like: Vec<String>,
    /// The version with its minor parts from a file that has more than os-release: `7.9.2009` of centos-release, `12.5` of
    /// debian_version.
    pub full_version: Option<String>,
    /// The variant: `server`, `cloud`; `VARIANT_ID`.
    pub variant: Option<String>,
    /// The code name: `bookworm`; `VERSION_CODENAME`, or what stands in brackets.
    pub codename: Option<String>,
}

/// os-release (`/etc/os-release`, `/usr/lib/os-release`), as os-release(5) describes it. `None` if it names no system.
pub fn parse_os_release(bytes: &[u8]) -> Option<Release> {
    let all = parse_assignments(bytes);
    let get = |name: &str| last(&all, name).map(|a| a.value.clone()).filter(|value| !value.is_empty());
    let id = get("ID").map(|id| id.to_ascii_lowercase());
    let name = get("NAME");
    let product = get("PRETTY_NAME").or_else(|| {
        let name = name.clone()?;
        Some(get("VERSION").map_or_else(|| name.clone(), |version| format!("{name} {version}")))
    });
    let id = id.or_else(|| name.is_some().then(|| "linux".to_owned()))?;
    Some(Release {
        product: product.unwrap_or_else(|| id.clone()),
        version: get("VERSION_ID").unwrap_or_default(),
        id_like: get("ID_LIKE")
            .unwrap_or_default()
            .split_whitespace()
            .take(16)
            .map(str::to_ascii_lowercase)
            .collect(),
        full_version: None,
        variant: get("VARIANT_ID"),
        codename: get("VERSION_CODENAME"),
        id,
    })
}

/// lsb-release (`/etc/lsb-release`): `DISTRIB_ID`, `DISTRIB_RELEASE`, `DISTRIB_DESCRIPTION`.
pub fn parse_lsb_release(bytes: &[u8]) -> Option<Release> {
    let all = parse_assignments(bytes);
    let get = |name: &str| last(&all, name).map(|a| a.value.clone()).filter(|value| !value.is_empty());
    let distributor = get("DISTRIB_ID")?;
    let version = get("DISTRIB_RELEASE").unwrap_or_default();
    Some(Release {
        product: get("DISTRIB_DESCRIPTION").unwrap_or_else(|| format!("{distributor} {version}")),
        id: distributor.to_ascii_lowercase(),
        version,
        codename: get("DISTRIB_CODENAME"),
        ..Release::default()
    })
}

/// What a one-line release file may begin with, and the distribution that it is.
const RELEASE_NAMES: &[(&str, &str)] = &[
    ("Red Hat Enterprise Linux", "rhel"),
    ("CentOS", "centos"),
    ("Rocky Linux", "rocky"),
    ("AlmaLinux", "almalinux"),
    ("Oracle Linux", "ol"),
    ("Enterprise Linux Enterprise Linux", "ol"),
    ("Scientific Linux", "scientific"),
    ("Fedora", "fedora"),
    ("EulerOS", "euleros"),
    ("openEuler", "openeuler"),
    ("Huawei Cloud EulerOS", "hce"),
    ("Anolis OS", "anolis"),
    ("Kylin Linux", "kylin"),
    ("NeoKylin", "neokylin"),
    ("Amazon Linux", "amzn"),
    ("XenServer", "xenenterprise"),
];

/// A one-line file of the Red Hat family: redhat-release, centos-release, oracle-release, euleros-release:
/// `CentOS Linux release 7.9.2009 (Core)`.
pub fn parse_redhat_release(bytes: &[u8]) -> Option<Release> {
    let (_, line) = text::lines(bytes).find(|(_, line)| !line.trim().is_empty())?;
    let line = text::name(line.trim());
    let (_, id) = RELEASE_NAMES.iter().find(|(name, _)| line.starts_with(name))?;
    let after = line.split_once("release ").map_or("", |(_, after)| after).trim_start();
    let version = after.split([' ', '(']).next().unwrap_or_default().to_owned();
    let codename =
        after.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(name, _)| name.to_owned());
    Some(Release {
        id: (*id).to_owned(),
        full_version: Some(version.clone()).filter(|version| !version.is_empty()),
        version,
        codename: codename.filter(|name| !name.is_empty()),
        product: line,
        ..Release::default()
    })
}

/// SuSE-release, which SUSE had up to 12: a name, then `VERSION = 11` and `PATCHLEVEL = 4`.
pub fn parse_suse_release(bytes: &[u8]) -> Option<Release> {
    let mut lines = text::lines(bytes).map(|(_, line)| line);
    let product = text::name(lines.next()?.trim());
    let id = match product.to_ascii_lowercase() {
        name if name.starts_with("opensuse") => "opensuse",
        name if name.starts_with("suse linux enterprise desktop") => "sled",
        name if name.starts_with("suse linux enterprise") => "sles",
        _ => return None,
    };
    let mut fields = [None, None];
    for line in lines.take(32) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let [version, patch] = &mut fields;
        match key.trim() {
            "VERSION" => *version = Some(text::name(value.trim())),
            "PATCHLEVEL" => *patch = Some(text::name(value.trim())),
            _ => {}
        }
    }
    let version = match fields {
        // openSUSE's version has its minor part already.
        [Some(version), Some(patch)] if patch != "0" && !version.contains('.') => {
            format!("{version}.{patch}")
        }
        [Some(version), _] => version,
        _ => String::new(),
    };
    Some(Release { product, id: id.to_owned(), version, ..Release::default() })
}

/// debian_version: `12.5`, or `trixie/sid` of what is not released.
pub fn parse_debian_version(bytes: &[u8]) -> Option<Release> {
    let version = text::lines(bytes).next().map(|(_, line)| text::name(line.trim()))?;
    let is_number = version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_name = version.ends_with("/sid") && version.chars().all(|c| c.is_ascii_alphanumeric() || c == '/');
    (is_number || is_name).then(|| Release {
        product: format!("Debian GNU/Linux {version}"),
        id: "debian".to_owned(),
        version: if is_number {
            version.split('.').next().unwrap_or_default().to_owned()
        } else {
            String::new()
        },
        full_version: is_number.then_some(version),
        ..Release::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn os_release_names_the_system() {
        let text =
            b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
            VERSION_CODENAME=bookworm\nID=debian\n";
        let release = parse_os_release(text).unwrap();
        assert_eq!((release.id.as_str(), release.version.as_str()), ("debian", "12"));
        assert_eq!(release.product, "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(release.codename.as_deref(), Some("bookworm"));
        let rocky = parse_os_release(
            b"NAME='Rocky Linux'\nVERSION='8.9 (Green Obsidian)'\nID=Rocky\nID_LIKE=\"rhel centos fedora\"\n",
        );
        let rocky = rocky.unwrap();
        assert_eq!(
            (rocky.id.as_str(), rocky.product.as_str()),
            ("rocky", "Rocky Linux 8.9 (Green Obsidian)")
        );
        assert_eq!(rocky.id_like, ["rhel", "centos", "fedora"]);
        assert_eq!(parse_os_release(b"\n# nothing\n"), None);
    }

    #[test]
    fn files_before_os_release_are_read() {
        for (text, id, version) in [
            ("CentOS release 6.10 (Final)\n", "centos", "6.10"),
            ("CentOS Linux release 7.9.2009 (Core)", "centos", "7.9.2009"),
            ("Red Hat Enterprise Linux Server release 6.9 (Santiago)", "rhel", "6.9"),
            ("EulerOS release 2.0 (SP5)", "euleros", "2.0"),
            ("Fedora release 39 (Thirty Nine)", "fedora", "39"),
        ] {
            let release = parse_redhat_release(text.as_bytes()).unwrap();
            assert_eq!((release.id.as_str(), release.version.as_str()), (id, version), "{text}");
        }
        assert_eq!(parse_redhat_release(b"Something else"), None);
        let suse =
            parse_suse_release(b"SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n")
                .unwrap();
        assert_eq!((suse.id.as_str(), suse.version.as_str()), ("sles", "11.4"));
        let opensuse =
            parse_suse_release(b"openSUSE 13.2 (x86_64)\nVERSION = 13.2\nCODENAME = Harlequin\n").unwrap();
        assert_eq!((opensuse.id.as_str(), opensuse.version.as_str()), ("opensuse", "13.2"));
        let debian = parse_debian_version(b"12.5\n").unwrap();
        assert_eq!((debian.version.as_str(), debian.full_version.as_deref()), ("12", Some("12.5")));
        assert_eq!(parse_debian_version(b"trixie/sid").unwrap().version, "");
        assert_eq!(parse_debian_version(b"what"), None);
        let ubuntu = b"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\nDISTRIB_DESCRIPTION=\"Ubuntu 14.04.6 LTS\"\n";
        let ubuntu = parse_lsb_release(ubuntu).unwrap();
        assert_eq!((ubuntu.id.as_str(), ubuntu.version.as_str()), ("ubuntu", "14.04"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for parse in [parse_os_release, parse_lsb_release, parse_redhat_release, parse_suse_release, parse_debian_version] {
                if let Some(release) = parse(&bytes) {
                    prop_assert!(!release.id.is_empty());
                }
            }
        }
    }
}
