//! What `check` reports on the name of the system (OS-013), and what `request` fills in for os_version: one answer for each system.

use imsprep_detect::{Detection, Evidence, Format};
use imsprep_findings::Report;
use imsprep_guest::{Guest, System};
use imsprep_testdata::systems::{Tree, debian};

use super::tests::{bios, guest_of, memory, windows};
use super::*;
use crate::{GuestSystem, HUAWEI, ImageFacts, OTC, OsVersions, RequestOptions, SystemValue, fill_request};

/// What both report.
#[derive(Debug, PartialEq)]
enum Expected {
    /// `check` has no finding, and `request` fills in this value, the same in both clouds.
    Filled(&'static str),
    /// OS-013, and no value is filled in; this one is offered first.
    NotListed(&'static str),
    /// The image does not tell enough: OS-013 is not checked, and no value is filled in.
    NotKnown(&'static str),
}
use Expected::{Filled, NotKnown, NotListed};

/// A Debian that says that it is another system.
fn named(os_release: &str, more: &[(&str, &str)]) -> Guest {
    let mut tree: Tree = debian();
    tree.remove("/etc/debian_version").file("/usr/lib/os-release", os_release);
    for (path, text) in more {
        tree.file(path, *text);
    }
    guest_of(memory(&tree))
}

fn windows_named(product: &str, build: &str) -> Guest {
    let mut windows = windows();
    let release = &mut windows.release.as_mut().unwrap().value;
    (release.product, release.build) = (product.into(), build.into());
    Guest { system: System::Windows(Box::new(windows)), volumes: vec![] }
}

fn of_check(guest: &Guest, profile: &Profile) -> (bool, bool) {
    let mut report = Report::new();
    check_guest(SystemOnDisk { guest, inspection: &bios() }, profile, &Intent::default(), &mut report);
    let is_broken = report.findings().iter().any(|finding| finding.rule.code == "OS-013");
    let is_open = report.not_checked().iter().any(|item| item.what.contains("OS-013"));
    assert!(!(is_broken && is_open), "{report:?}");
    (is_broken, is_open)
}

fn of_request(guest: &Guest, profile: &'static Profile) -> Option<String> {
    let detection = Detection {
        format: Format::Raw,
        variant: None,
        file_size: 40 << 30,
        virtual_size: Some(40 << 30),
        facts: vec![],
        also: vec![],
        evidence: vec![Evidence::Gpt],
    };
    let facts =
        ImageFacts { system: GuestSystem::of(guest), ..ImageFacts::of_detection("disk.raw", detection) };
    let options = RequestOptions { bucket: "b".into(), name: "n".into(), ..RequestOptions::default() };
    let list = OsVersions::built_in(profile);
    let body = fill_request(&options, &facts, profile, &list, &mut Report::new()).body;
    body.os_version
}

#[test]
fn check_and_request_agree_on_every_system() {
    let os = |id: &str, version: &str, pretty: &str| {
        named(&format!("ID={id}\nVERSION_ID=\"{version}\"\nPRETTY_NAME=\"{pretty}\"\n"), &[])
    };
    let debian_12 = named(
        "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
        &[("/etc/debian_version", "12.15\n")],
    );
    let centos = |full: &str| {
        let more = [("/etc/centos-release", full)];
        named(
            "ID=centos\nVERSION_ID=7\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n",
            &more[..usize::from(!full.is_empty())],
        )
    };
    for (guest, expected) in [
        (debian_12, Filled("Linux 12.0.0 64bit")),
        (os("debian", "13", "Debian GNU/Linux 13 (trixie)"), NotListed("")),
        (os("debian", "", "Debian GNU/Linux trixie/sid"), NotKnown("")),
        (os("ubuntu", "24.04", "Ubuntu 24.04.1 LTS"), Filled("Ubuntu 24.04 server 64bit")),
        (os("ubuntu", "26.04", "Ubuntu 26.04 LTS"), NotListed("")),
        (centos("CentOS Linux release 7.9.2009 (Core)\n"), Filled("CentOS 7.9 64bit")),
        (centos(""), NotKnown("CentOS 7.")),
        (os("centos", "9", "CentOS Stream 9"), NotKnown("CentOS Stream 9.6 64bit")),
        (os("centos", "10", "CentOS Stream 10"), NotListed("CentOS Stream 9.6 64bit")),
        (os("rocky", "9.3", "Rocky Linux 9.3 (Blue Onyx)"), NotListed("Other(64 bit)")),
        (os("rocky", "9", "Rocky Linux 9"), NotListed("Other(64 bit)")),
        (os("openEuler", "20.03", "openEuler 20.03 (LTS)"), Filled("openEuler 20.03 64bit")),
        (os("openEuler", "22.03", "openEuler 22.03 (LTS-SP1)"), Filled("Euler 22.03 SP1 64bit")),
        (os("openEuler", "24.03", "openEuler 24.03 (LTS)"), NotListed("")),
        (os("sles", "15.5", "SUSE Linux Enterprise Server 15 SP5"), Filled("")),
        (os("opensuse-tumbleweed", "20260101", "openSUSE Tumbleweed"), NotListed("")),
        (os("templeos", "5", "TempleOS 5"), NotListed("Other(64 bit)")),
        (windows_named("Windows Server 2019 Standard", "17763"), Filled("")),
        (windows_named("Windows 10 Pro", "22631"), NotListed("Windows")),
        (windows_named("Windows Vista", "6002"), NotListed("Windows")),
        (windows_named("Windows Server 2019 Standard", "20348"), NotKnown("Other(64 bit)")),
    ] {
        let system = GuestSystem::of(&guest).unwrap();
        for profile in [&HUAWEI, &OTC] {
            let what = format!("{system:?}");
            let checked = of_check(&guest, profile);
            let filled = of_request(&guest, profile);
            let (check, value) = match &expected {
                Filled(value) => ((false, false), Some(value)),
                NotListed(_) => ((true, false), None),
                NotKnown(_) => ((false, true), None),
            };
            assert_eq!(checked, check, "{what}");
            assert_eq!(filled.is_some(), value.is_some(), "{what}: {filled:?}");
            let offered = OsVersions::built_in(profile).of_system(&system);
            match (&expected, filled, offered) {
                (Filled(value), Some(filled), _) => assert!(filled.starts_with(value), "{what}: {filled}"),
                (NotListed(first) | NotKnown(first), _, SystemValue::Offered(values)) => {
                    assert!(values[0].starts_with(first), "{what}: {values:?}");
                }
                (_, filled, offered) => panic!("{what}: {filled:?}, {offered:?}"),
            }
        }
    }
}
