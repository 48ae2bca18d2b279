use imsprep_guest::{
    NotKnown, Origin, parse_debian_version, parse_lsb_release, parse_os_release, parse_redhat_release,
    parse_suse_release,
};

use super::*;
use crate::request::{KnownSystem, OsVersions, SystemValue};
use crate::{HUAWEI, OTC};

fn system(release: Release, machine: Machine) -> GuestSystem {
    let origin = Origin { volume: "partition 2".into(), path: "/etc/os-release".into(), line: None };
    let Named { text, lacking } = linux_name(&release);
    let machine = Ok(Sourced::new(machine, origin));
    let (wanted, lacking) = with_bits(text, lacking, &machine);
    GuestSystem {
        os: OsType::Linux,
        has_points: release.id == "debian",
        product: release.product,
        wanted,
        lacking,
        like: release.id_like,
        by: "the test".into(),
    }
}

/// A system by its os-release and the version of a file that has more.
fn by_os_release(text: &str, full: Option<&str>) -> GuestSystem {
    let mut release = parse_os_release(text.as_bytes()).unwrap();
    release.full_version = full.map(str::to_owned);
    system(release, Machine::X86_64)
}

fn windows(product: &str, build: &str) -> GuestSystem {
    let release =
        WindowsRelease { product: product.into(), build: build.into(), ..WindowsRelease::default() };
    let Named { text, lacking } = windows_name(&release);
    let wanted = text.map(|text| format!("{text} 64bit"));
    GuestSystem {
        os: OsType::Windows,
        product: product.into(),
        wanted,
        lacking,
        has_points: false,
        like: Vec::new(),
        by: "the test".into(),
    }
}

/// What each of the two lists has for a system.
fn values(system: &GuestSystem) -> [SystemValue; 2] {
    [&HUAWEI, &OTC].map(|profile| {
        let value = OsVersions::built_in(profile).of_system(system);
        let all = match &value {
            SystemValue::Named(value) | SystemValue::Nearest(value) => std::slice::from_ref(value),
            SystemValue::Offered(values) => values.as_slice(),
        };
        assert!(!all.is_empty());
        for value in all {
            assert!(KnownSystem::named(value).is_some(), "{value} is in no table");
        }
        value
    })
}

fn named(value: &str) -> SystemValue {
    SystemValue::Named(value.into())
}

fn first_offered(value: &SystemValue) -> &str {
    let SystemValue::Offered(values) = value else { panic!("{value:?} is not offered") };
    &values[0]
}

#[test]
fn a_system_that_a_value_names_gets_it_in_both_clouds() {
    for (text, full, huawei, otc) in [
        (
            "ID=debian\nVERSION_ID=\"11\"\nPRETTY_NAME=\"Debian GNU/Linux 11 (bullseye)\"",
            Some("11.7"),
            "Linux 11.7.0 64bit",
            "Linux 11.7.0 64bit",
        ),
        (
            "ID=debian\nVERSION_ID=10\nPRETTY_NAME='Debian GNU/Linux 10 (buster)'",
            Some("10.0"),
            "Debian GNU/Linux 10.0.0 64bit",
            "Debian GNU/Linux 10.0.0 64bit",
        ),
        (
            "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=22.04\nPRETTY_NAME='Ubuntu 22.04.4 LTS'",
            None,
            "Ubuntu 22.04 Server 64bit",
            "Ubuntu 22.04 Server 64bit",
        ),
        (
            "ID=ubuntu\nVERSION_ID=24.04\nPRETTY_NAME='Ubuntu 24.04.1 LTS'",
            None,
            "Ubuntu 24.04 server 64bit",
            "Ubuntu 24.04 server 64bit",
        ),
        (
            "ID=ubuntu\nVERSION_ID=18.04\nPRETTY_NAME='Ubuntu 18.04.6 LTS'",
            None,
            "Ubuntu 18.04 server 64bit",
            "Ubuntu 18.04 server 64bit",
        ),
        (
            "ID=ubuntu\nVERSION_ID=16.04\nPRETTY_NAME='Ubuntu 16.04.6 LTS'",
            None,
            "Ubuntu 16.04.6 server 64bit",
            "Ubuntu 16.04.6 Server 64bit",
        ),
        (
            "ID=centos\nVERSION_ID=7\nPRETTY_NAME='CentOS Linux 7 (Core)'",
            Some("7.9.2009"),
            "CentOS 7.9 64bit",
            "CentOS 7.9 64bit",
        ),
        (
            "ID=centos\nVERSION_ID=7\nPRETTY_NAME='CentOS Linux 7 (Core)'",
            Some("7.0.1406"),
            "CentOS 7.0 64bit",
            "CentOS 7.0 64bit",
        ),
        (
            "ID=centos\nVERSION_ID=8\nPRETTY_NAME='CentOS Linux 8 (Core)'",
            Some("8.2.2004"),
            "CentOS 8.2 64bit",
            "CentOS 8.2 64bit",
        ),
        (
            "ID=rhel\nVERSION_ID=7.5\nPRETTY_NAME='Red Hat Enterprise Linux Server 7.5 (Maipo)'",
            None,
            "Redhat Linux Enterprise 7.5 64bit",
            "Redhat Linux Enterprise 7.5 64bit",
        ),
        (
            "ID=rhel\nVERSION_ID=7.6\nPRETTY_NAME='Red Hat Enterprise Linux Server 7.6 (Maipo)'",
            None,
            "Redhat Linux Enterprise 7.6 64bit",
            "Redhat 7.6 64bit",
        ),
        (
            "ID=rhel\nVERSION_ID=9.1\nPRETTY_NAME='Red Hat Enterprise Linux 9.1 (Plow)'",
            None,
            "Red Hat Linux Enterprise 9.1 64bit",
            "Red Hat Linux Enterprise 9.1 64bit",
        ),
        (
            "ID=ol\nVERSION_ID=7.6\nPRETTY_NAME='Oracle Linux Server 7.6'",
            None,
            "Oracle Linux Server release 7.6 64bit",
            "Oracle Linux Server release 7.6 64bit",
        ),
        (
            "ID=almalinux\nVERSION_ID=8.9\nPRETTY_NAME='AlmaLinux 8.9 (Midnight Oncilla)'",
            None,
            "Alma 8 64bit",
            "Alma 8 64bit",
        ),
        (
            "ID=euleros\nVERSION_ID=2.0\nPRETTY_NAME='EulerOS 2.0 (SP5)'",
            None,
            "EulerOS 2.5 64bit",
            "EulerOS 2.5 64bit",
        ),
        (
            "ID=euleros\nVERSION_ID=2.0\nPRETTY_NAME='EulerOS 2.0 (SP10x86_64)'",
            None,
            "EulerOS 2.10 64bit",
            "EulerOS 2.10 64bit",
        ),
        (
            "ID=openEuler\nVERSION_ID=20.03\nPRETTY_NAME='openEuler 20.03 (LTS)'",
            None,
            "openEuler 20.03 64bit",
            "openEuler 20.03 64bit",
        ),
        (
            "ID=openEuler\nVERSION_ID=22.03\nPRETTY_NAME='openEuler 22.03 (LTS-SP1)'",
            None,
            "Euler 22.03 SP1 64bit",
            "Euler 22.03 SP1 64bit",
        ),
        (
            "ID=sles\nVERSION_ID=12.5\nPRETTY_NAME='SUSE Linux Enterprise Server 12 SP5'",
            None,
            "SUSE Linux Enterprise Server 12 SP5 64bit",
            "SUSE Linux Enterprise Server 12 SP5 64bit",
        ),
        (
            "ID=sles\nVERSION_ID=15\nPRETTY_NAME='SUSE Linux Enterprise Server 15'",
            None,
            "SUSE Linux Enterprise Server 15 64bit",
            "SUSE Linux Enterprise Server 15 64bit",
        ),
        (
            "ID=\"opensuse-leap\"\nVERSION_ID=15.1\nPRETTY_NAME='openSUSE Leap 15.1'",
            None,
            "SUSE 15.1 64bit",
            "openSUSE 15.1 64bit",
        ),
        (
            "ID=opensuse\nVERSION_ID=42.3\nPRETTY_NAME='openSUSE Leap 42.3'",
            None,
            "openSUSE 42.3 64bit",
            "openSUSE 42.3 64bit",
        ),
        (
            "ID=fedora\nVERSION_ID=39\nPRETTY_NAME='Fedora Linux 39 (Cloud Edition)'\nVARIANT_ID=cloud",
            None,
            "Fedora 39 64bit",
            "Fedora 39 64bit",
        ),
    ] {
        assert_eq!(values(&by_os_release(text, full)), [named(huawei), named(otc)], "{text}");
    }
}

#[test]
fn systems_before_os_release_and_of_32_bits_get_theirs() {
    for (release, machine, value) in [
        (parse_redhat_release(b"CentOS release 6.10 (Final)"), Machine::X86, "CentOS 6.10 32bit"),
        (
            parse_redhat_release(b"Red Hat Enterprise Linux Server release 6.9 (Santiago)"),
            Machine::X86_64,
            "Redhat Linux Enterprise 6.9 64bit",
        ),
        (parse_redhat_release(b"EulerOS release 2.0 (SP2)"), Machine::X86_64, "EulerOS 2.2 64bit"),
        (
            parse_suse_release(b"SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n"),
            Machine::X86_64,
            "SUSE Linux Enterprise Server 11 SP4 64bit",
        ),
        (
            parse_suse_release(b"openSUSE 13.2 (x86_64)\nVERSION = 13.2\n"),
            Machine::X86_64,
            "openSUSE 13.2 64bit",
        ),
        (
            parse_lsb_release(
                b"DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_DESCRIPTION=\"Ubuntu 14.04.5 LTS\"",
            ),
            Machine::X86_64,
            "Ubuntu 14.04.5 server 64bit",
        ),
        (parse_debian_version(b"8.10\n"), Machine::X86_64, "Debian GNU/Linux 8.10.0 64bit"),
    ] {
        assert_eq!(values(&system(release.unwrap(), machine)), [named(value), named(value)]);
    }
}

#[test]
fn a_point_release_without_a_value_gets_the_nearest_of_its_version() {
    let text = "ID=debian\nVERSION_ID=12\nPRETTY_NAME='Debian GNU/Linux 12 (bookworm)'";
    for (full, value) in
        [(Some("12.15"), "Linux 12.0.0 64bit"), (None, "Linux 12.0.0 64bit"), (Some("12.0"), "")]
    {
        let expected = if value.is_empty() {
            named("Linux 12.0.0 64bit")
        } else {
            match full {
                // Without a point release the version alone is what the value names.
                None => named(value),
                Some(_) => SystemValue::Nearest(value.into()),
            }
        };
        assert_eq!(values(&by_os_release(text, full))[0], expected, "{full:?}");
    }
    let eleven = by_os_release("ID=debian\nVERSION_ID=11\nPRETTY_NAME='Debian GNU/Linux 11'", Some("11.11"));
    assert_eq!(values(&eleven)[1], SystemValue::Nearest("Linux 11.7.0 64bit".into()));
}

#[test]
fn what_the_image_does_not_tell_is_offered_and_not_guessed() {
    for (text, lacking, offered) in [
        (
            "ID=centos\nVERSION_ID=7\nPRETTY_NAME='CentOS Linux 7 (Core)'",
            "its minor version",
            "CentOS 7.0 64bit",
        ),
        (
            "ID=centos\nVERSION_ID=9\nPRETTY_NAME='CentOS Stream 9'",
            "its minor version (a CentOS Stream has none)",
            "CentOS Stream 9.6 64bit",
        ),
        ("ID=centos\nVERSION_ID=8\nPRETTY_NAME='CentOS Linux 8'", "its minor version", "CentOS 8.0 64bit"),
        ("ID=rhel\nVERSION_ID=8\nPRETTY_NAME='Red Hat Enterprise Linux 8'", "its minor version", ""),
        ("ID=rhel\nPRETTY_NAME='Red Hat Enterprise Linux'", "its version", ""),
        ("ID=debian\nPRETTY_NAME='Debian GNU/Linux trixie/sid'", "its version", ""),
        ("ID=euleros\nVERSION_ID=2.0\nPRETTY_NAME='EulerOS 2.0'", "its service pack", "EulerOS 2.1 64bit"),
    ] {
        let system = by_os_release(text, None);
        assert_eq!(system.lacking, Some(lacking), "{text}");
        for value in values(&system) {
            assert!(first_offered(&value).starts_with(offered), "{text}: {value:?}");
        }
    }
    // The width of a word that no program tells.
    let (wanted, lacking) =
        with_bits(Some("CentOS 7.9".into()), None, &Err(NotKnown::because("no program was found")));
    assert_eq!((wanted.as_deref(), lacking), (Some("CentOS 7.9"), Some("whether it has 32 or 64 bits")));
}

#[test]
fn a_system_that_no_value_names_is_offered_the_nearest() {
    for (text, full, offered) in [
        (
            "ID=rhel\nVERSION_ID=9.4\nPRETTY_NAME='Red Hat Enterprise Linux 9.4 (Plow)'",
            None,
            "Red Hat Linux Enterprise 9.1 64bit",
        ),
        ("ID=rocky\nVERSION_ID=9.3\nID_LIKE='rhel centos fedora'", None, "Other(64 bit)"),
        ("ID=almalinux\nVERSION_ID=9.4\nPRETTY_NAME='AlmaLinux 9.4'", None, "Alma 8 64bit"),
        ("ID=ubuntu\nVERSION_ID=26.04\nPRETTY_NAME='Ubuntu 26.04 LTS'", None, "Ubuntu 24.04 server 64bit"),
        ("ID=ubuntu\nVERSION_ID=20.10\nPRETTY_NAME='Ubuntu 20.10'", None, "Ubuntu 20.04"),
        ("ID=fedora\nVERSION_ID=41", None, "Fedora 39 64bit"),
        (
            "ID=debian\nVERSION_ID=13\nPRETTY_NAME='Debian GNU/Linux 13 (trixie)'",
            Some("13.1"),
            "Linux 12.0.0 64bit",
        ),
        (
            "ID=sles\nVERSION_ID=15.6\nPRETTY_NAME='SUSE Linux Enterprise Server 15 SP6'",
            None,
            "SUSE Linux Enterprise Server 15 SP5 64bit",
        ),
        ("ID=opensuse-tumbleweed\nVERSION_ID=20240101", None, ""),
        ("ID=openEuler\nVERSION_ID=24.03\nPRETTY_NAME='openEuler 24.03 (LTS)'", None, "Euler 22.03"),
        ("ID=arch\nPRETTY_NAME='Arch Linux'", None, "Other(64 bit)"),
        // Its name has a word that values of Debian have.
        ("ID=clear-linux-os\nVERSION_ID=10\nPRETTY_NAME='Clear Linux OS'", None, "Other(64 bit)"),
        ("ID=linux\nNAME=x", None, "Other(64 bit)"),
    ] {
        for value in values(&by_os_release(text, full)) {
            assert!(first_offered(&value).starts_with(offered), "{text}: {value:?}");
        }
    }
}

#[test]
fn a_windows_is_known_by_its_product_and_its_build() {
    for (product, build, value) in [
        ("Windows Server 2008 R2 Enterprise", "7601", "Windows Server 2008 R2 Enterprise 64bit"),
        ("Windows Server 2012 Standard", "9200", "Windows Server 2012 Standard 64bit"),
        ("Windows Server 2012 R2 Datacenter", "9600", "Windows Server 2012 R2 Datacenter 64bit"),
        ("Windows Server 2016 Standard Evaluation", "14393", "Windows Server 2016 Standard 64bit"),
        ("Windows Server 2019 Datacenter", "17763", "Windows Server 2019 Datacenter 64bit"),
        ("Windows Server\u{ae} 2022 Standard", "20348", "Windows Server 2022 Standard 64bit"),
        ("Windows 10 Pro", "19045", "Windows 10 64bit"),
        ("Windows 7 Enterprise", "7601", "Windows 7 Enterprise 64bit"),
    ] {
        let [huawei, otc] = values(&windows(product, build));
        // Open Telekom Cloud's table alone has Windows 7, and has no 2019.
        assert!([&huawei, &otc].contains(&&named(value)), "{product}: {huawei:?} {otc:?}");
        if KnownSystem::named(value).unwrap().pages.iter().any(|page| page.name() == "guide") {
            assert_eq!([&huawei, &otc], [&named(value), &named(value)], "{product}");
        }
    }
    for (product, build) in [
        ("Windows 10 Pro", "22631"),
        ("Windows Server 2025 Standard", "26100"),
        ("Windows Server 2022 Datacenter Azure Edition", "20348"),
        ("Windows Server 2019 Standard", "20348"),
        ("Windows Server Standard", "18363"),
        ("Windows 7 Ultimate", "7601"),
        ("Windows \u{1b}[31m", "1"),
    ] {
        for value in values(&windows(product, build)) {
            let first = first_offered(&value);
            assert!(first.starts_with("Windows") || first.starts_with("Other"), "{product}: {first}");
        }
    }
    assert_eq!(windows("Windows 10 Pro", "22631").wanted.as_deref(), Some("Windows 11 64bit"));
}

#[test]
fn the_list_of_the_service_alone_counts_where_it_was_given() {
    let list = OsVersions::of_answer(br#"["Debian 12.0.0 64bit", "CentOS 7.9 64bit", "Other(64 bit)"]"#, "x");
    let list = list.unwrap();
    let debian = by_os_release("ID=debian\nVERSION_ID=12", Some("12.15"));
    assert_eq!(list.of_system(&debian), SystemValue::Nearest("Debian 12.0.0 64bit".into()));
    let centos = by_os_release("ID=centos\nVERSION_ID=7\nPRETTY_NAME='CentOS Linux 7'", Some("7.9.2009"));
    assert_eq!(list.of_system(&centos), named("CentOS 7.9 64bit"));
    let ubuntu = by_os_release("ID=ubuntu\nVERSION_ID=22.04", None);
    assert_eq!(list.of_system(&ubuntu), SystemValue::Offered(vec!["Other(64 bit)".into()]));
}

#[test]
fn a_hostile_release_file_makes_no_value() {
    for text in [
        "ID=debian\nVERSION_ID=\"12\u{1b}[2J\"",
        "ID=centos\nVERSION_ID=7.9999999999999999999999999999999\nPRETTY_NAME='CentOS'",
        "ID=ubuntu\nVERSION_ID=\"Other(64 bit)\"",
        "ID=\"windows server 2019\"\nVERSION_ID=1",
    ] {
        let system = by_os_release(text, None);
        for value in values(&system) {
            assert!(!matches!(&value, SystemValue::Named(value) if value.contains("Windows")), "{text}");
        }
    }
}
