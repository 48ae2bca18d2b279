//! A Windows in an image: real registry hives on a real NTFS, as `check` and `inspect` read them.

use std::os::unix::fs::FileExt;

use imsprep_testdata::{command, missing, need_tools};
use serde_json::Value;

use crate::folder::{Folder, codes};
use crate::test_hive::{Node, hive, utf16};

const SET: &str = "ControlSet001";
const POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";
const INTERFACE: &str =
    r"ControlSet001\Services\Tcpip\Parameters\Interfaces\{4D36E972-E325-11CE-BFC1-08002BE10318}";
/// Bytes of the NTFS.
const SIZE: u64 = 16 << 20;
/// Where it begins on the disk.
const START: u64 = 1 << 20;

/// Two hives: `SYSTEM` and `SOFTWARE`.
#[derive(Default)]
struct Registry {
    system: Node,
    software: Node,
}

impl Registry {
    /// One that breaks no rule, but for what is left out: drivers and services by their names.
    fn without(left_out: &str) -> Self {
        let mut all = Self::default();
        let system = &mut all.system;
        system.number("Select", "Current", 1).number("Select", "Default", 1);
        system.text(
            &format!(r"{SET}\Control\Session Manager\Environment"),
            "PROCESSOR_ARCHITECTURE",
            "AMD64",
        );
        system.number(&format!(r"{SET}\Control\Terminal Server"), "fDenyTSConnections", 0);
        system.number(INTERFACE, "EnableDHCP", 1);
        for (name, start, kind) in [("viostor", 0, 1), ("netkvm", 3, 1), ("cloudbase-init", 2, 0x10)] {
            if name != left_out {
                all.service(name, start, kind);
            }
        }
        let version = r"Microsoft\Windows NT\CurrentVersion";
        all.software.text(version, "ProductName", "Windows Server 2019 Standard").text(
            version,
            "CurrentBuildNumber",
            "17763",
        );
        if left_out != "ImageState" {
            all.state("IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE");
        }
        all
    }

    fn service(&mut self, name: &str, start: u32, kind: u32) -> &mut Self {
        let key = format!(r"{SET}\Services\{name}");
        self.system.number(&key, "Start", start).number(&key, "Type", kind);
        if kind == 1 {
            self.system.text(&key, "ImagePath", &format!(r"\SystemRoot\System32\drivers\{name}.sys"));
        }
        self
    }

    fn state(&mut self, state: &str) -> &mut Self {
        self.software.text(r"Microsoft\Windows\CurrentVersion\Setup\State", "ImageState", state);
        self
    }

    fn address(&mut self, dhcp: u32, address: &str) -> &mut Self {
        let interface = format!("{INTERFACE}2");
        self.system.number(&interface, "EnableDHCP", dhcp);
        self.system.at(&interface).values.push(("IPAddress".into(), 7, utf16(&format!("{address}\0\0"))));
        self
    }
}

/// An NTFS with the folders and drivers of a Windows. Hives are written into it without a mount.
fn volume(folder: &Folder) {
    need_tools(["mkfs.ntfs", "ntfs-3g", "ntfscp", "umount"]);
    for name in ["SYSTEM", "SOFTWARE"] {
        folder.write(name, &hive(&Node::default(), b"lf"));
    }
    folder.sparse("part", SIZE, &[]);
    let script = "mkfs.ntfs -q -F part >&2; mkdir at; ntfs-3g part at >&2 || exit 9
        config=at/Windows/System32/config; mkdir -p $config at/Windows/System32/drivers; cp SYSTEM SOFTWARE $config
        for name in viostor vioscsi netkvm; do echo driver > at/Windows/System32/drivers/$name.sys; done; umount at";
    let run = command("sh").args(["-ec", script]).current_dir(folder.path("")).output().unwrap();
    if run.status.code() == Some(9) {
        missing("NTFS can't be mounted here");
    }
    assert!(run.status.success(), "{run:?}");
}

/// A disk with that volume, in which the registry is this one.
fn disk(folder: &Folder, registry: &Registry) {
    for (name, root) in [("SYSTEM", &registry.system), ("SOFTWARE", &registry.software)] {
        folder.write(name, &hive(root, b"lf"));
        let run = command("ntfscp")
            .args(["-q", "-f", "part", name, &format!("/Windows/System32/config/{name}")])
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
    }
    let mut head = vec![0; 512];
    let entry = &mut head[446..462];
    entry[0] = 0x80;
    entry[4] = 7;
    entry[8..12].copy_from_slice(&u32::try_from(START / 512).unwrap().to_le_bytes());
    entry[12..16].copy_from_slice(&u32::try_from(SIZE / 512).unwrap().to_le_bytes());
    head[510..].copy_from_slice(&[0x55, 0xaa]);
    let file = std::fs::File::create(folder.path("disk.raw")).unwrap();
    file.set_len(2 << 30).unwrap();
    file.write_all_at(&head, 0).unwrap();
    let bytes = std::fs::read(folder.path("part")).unwrap();
    for (number, block) in (0..).zip(bytes.chunks(4096)) {
        if block.iter().any(|byte| *byte != 0) {
            file.write_all_at(block, START + number * 4096).unwrap();
        }
    }
}

/// The rules on the system that `check` finds broken, and whether it would start; and the system that `inspect` shows.
fn read(folder: &Folder, registry: &Registry) -> (Vec<String>, String, Value) {
    disk(folder, registry);
    let (_, json) = folder.json(&["check", "--quick", "--purpose", "system", "disk.raw"]);
    let file = &json["files"][0];
    let mut broken = codes(&file["report"]);
    broken.retain(|code| code.starts_with("OS-"));
    let open = file["report"]["not_checked"].to_string();
    assert!(!open.contains("OS-0"), "every rule was asked: {open}");
    let (status, inspected) = folder.json(&["inspect", "disk.raw"]);
    assert_eq!(status, 0, "{inspected}");
    let windows = inspected["files"][0]["guest"]["windows"].clone();
    (broken, file["system"]["would_start"].as_str().unwrap().to_owned(), windows)
}

/// A change, the rule that it breaks, and what `inspect` shows of it: a fact and its value.
type Case = (&'static str, fn() -> Registry, Option<&'static str>, &'static str, Value);

fn cases() -> Vec<Case> {
    vec![
        ("sound", || Registry::without(""), None, "boots_from_virtio", true.into()),
        ("no viostor", || Registry::without("viostor"), Some("OS-020"), "boots_from_virtio", false.into()),
        (
            "viostor starts on demand",
            || {
                let mut all = Registry::without("viostor");
                all.service("viostor", 3, 1);
                all
            },
            Some("OS-020"),
            "boots_from_virtio",
            false.into(),
        ),
        (
            "the file of the driver is not there",
            || {
                let mut all = Registry::without("viostor");
                let key = format!(r"{SET}\Services\viostor");
                all.system.number(&key, "Start", 0).number(&key, "Type", 1);
                all.system.text(&key, "ImagePath", r"\SystemRoot\System32\drivers\gone.sys");
                all
            },
            Some("OS-020"),
            "boots_from_virtio",
            false.into(),
        ),
        (
            "vioscsi is as good",
            || {
                let mut all = Registry::without("viostor");
                all.service("vioscsi", 0, 1);
                all
            },
            None,
            "boots_from_virtio",
            true.into(),
        ),
        (
            "another control set has the driver",
            || {
                let mut all = Registry::without("viostor");
                all.system.number(r"ControlSet002\Services\viostor", "Start", 0);
                all
            },
            Some("OS-020"),
            "boots_from_virtio",
            false.into(),
        ),
        ("no netkvm", || Registry::without("netkvm"), Some("OS-021"), "netkvm", Value::Null),
        (
            "netkvm is disabled",
            || {
                let mut all = Registry::without("netkvm");
                all.service("netkvm", 4, 1);
                all
            },
            Some("OS-021"),
            "netkvm/start",
            4.into(),
        ),
        (
            "a static address",
            || {
                let mut all = Registry::without("");
                all.address(0, "192.0.2.7");
                all
            },
            Some("OS-022"),
            "static_addresses/0/addresses/0",
            "192.0.2.7".into(),
        ),
        (
            "an address that DHCP replaces",
            || {
                let mut all = Registry::without("");
                all.address(1, "192.0.2.7");
                all
            },
            None,
            "static_addresses",
            Value::Array(vec![]),
        ),
        (
            "remote desktop is denied",
            || {
                let mut all = Registry::without("");
                all.system.at(&format!(r"{SET}\Control\Terminal Server")).values.clear();
                all.system.number(&format!(r"{SET}\Control\Terminal Server"), "fDenyTSConnections", 1);
                all
            },
            Some("OS-023"),
            "remote_desktop",
            false.into(),
        ),
        (
            "a policy denies it",
            || {
                let mut all = Registry::without("");
                all.software.number(POLICY, "fDenyTSConnections", 1);
                all
            },
            Some("OS-023"),
            "remote_desktop",
            false.into(),
        ),
        (
            "no Cloudbase-Init",
            || Registry::without("cloudbase-init"),
            Some("OS-024"),
            "cloudbase_init",
            Value::Null,
        ),
        (
            "Cloudbase-Init is disabled",
            || {
                let mut all = Registry::without("cloudbase-init");
                all.service("cloudbase-init", 4, 0x10);
                all
            },
            Some("OS-024"),
            "cloudbase_init/start",
            4.into(),
        ),
        (
            "Sysprep never ran",
            || Registry::without("ImageState"),
            Some("OS-025"),
            "generalized",
            false.into(),
        ),
        (
            "Sysprep's state is that of a system in use",
            || {
                let mut all = Registry::without("ImageState");
                all.state("IMAGE_STATE_COMPLETE");
                all
            },
            Some("OS-025"),
            "generalized",
            false.into(),
        ),
    ]
}

#[test]
fn each_rule_on_windows_is_broken_and_kept_on_a_real_disk() {
    let folder = Folder::new();
    volume(&folder);
    for (name, registry, code, fact, value) in cases() {
        let (broken, would_start, windows) = read(&folder, &registry());
        assert_eq!(broken, Vec::from_iter(code), "{name}");
        assert_eq!(would_start, if code == Some("OS-020") { "no" } else { "yes" }, "{name}");
        let (fact, part) = fact.split_once('/').unwrap_or((fact, ""));
        let found = &windows[fact]["value"];
        let found = if part.is_empty() { found } else { found.pointer(&format!("/{part}")).unwrap() };
        assert_eq!(*found, value, "{name}: {windows}");
        assert_eq!(windows["release"]["value"]["product"], "Windows Server 2019 Standard", "{name}");
    }
    let tried = cases().into_iter().filter_map(|(_, _, code, ..)| code);
    let tried = tried.collect::<std::collections::BTreeSet<_>>();
    assert_eq!(tried.len(), 6, "OS-020 to OS-025: {tried:?}");

    // For people: the findings have their keys, and `inspect` its block.
    disk(&folder, &Registry::without("viostor"));
    let run = folder.run(&["check", "--quick", "--purpose", "system", "disk.raw"]);
    for words in [
        "system: Windows Server 2019 Standard, x86_64, build 17763; would not start",
        "OS-020",
        "viostor is not installed, and vioscsi is not installed",
    ] {
        assert!(run.out.contains(words), "{words} is not in {}", run.out);
    }
    let inspected = folder.run(&["inspect", "disk.raw"]).out;
    for words in [
        "installed     Windows Server 2019 Standard, build 17763",
        "no virtio driver for disks starts at boot",
    ] {
        assert!(inspected.contains(words), "{words} is not in {inspected}");
    }
    let facts = folder.run(&["request", "disk.raw", "--bucket", "b-1", "--name", "n", "--allow", "BM-003"]);
    assert!(facts.err.contains("names Windows Server 2019 Standard"), "{}", facts.err);
}

#[test]
fn a_hive_that_cannot_be_read_is_neither_a_finding_nor_a_pass() {
    let folder = Folder::new();
    volume(&folder);
    disk(&folder, &Registry::without(""));
    // Both hives begin with the same word; the first sector of each is overwritten on the disk.
    let bytes = std::fs::read(folder.path("part")).unwrap();
    let file = std::fs::File::options().write(true).open(folder.path("disk.raw")).unwrap();
    let mut hives = 0;
    for (number, block) in (0..).zip(bytes.chunks(512)).filter(|(_, block)| block.starts_with(b"regf")) {
        assert_eq!(block.len(), 512);
        file.write_all_at(b"xxxx", START + number * 512).unwrap();
        hives += 1;
    }
    assert!(hives >= 2);
    let (_, json) = folder.json(&["check", "--quick", "--purpose", "system", "disk.raw"]);
    let file = &json["files"][0];
    assert!(codes(&file["report"]).iter().all(|code| !code.starts_with("OS-")), "{file}");
    let open = file["report"]["not_checked"].to_string();
    for code in ["OS-020", "OS-021", "OS-022", "OS-023", "OS-024", "OS-025"] {
        assert!(open.contains(code), "{code}: {open}");
    }
    assert_eq!(file["system"]["would_start"], "not-known");
}
