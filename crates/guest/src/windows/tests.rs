use std::rc::Rc;

use imsprep_filesystem::MemoryTree;
use imsprep_inspect::Firmware;
use proptest::prelude::*;

use super::log::marvin32;
use super::test_hive::{Node, hive, seal, utf16};
use super::*;
use crate::{Disk, DiskVolume, Machine, PartitionName, System, read_guest};

fn system() -> Node {
    let mut root = Node::default();
    root.number("Select", "Current", 1).number("Select", "Default", 2);
    let set = "ControlSet002";
    root.text(&format!(r"{set}\Control\Session Manager\Environment"), "PROCESSOR_ARCHITECTURE", "AMD64");
    root.number(&format!(r"{set}\Control\Terminal Server"), "fDenyTSConnections", 0);
    for (name, start) in [("viostor", 0), ("netkvm", 3), ("VMTools", 2)] {
        let key = format!(r"{set}\Services\{name}");
        root.number(&key, "Start", start).number(&key, "Type", u32::from(name != "VMTools"));
        root.text(&key, "ImagePath", &format!(r"\SystemRoot\System32\drivers\{name}.sys"));
    }
    let interfaces = format!(r"{set}\Services\Tcpip\Parameters\Interfaces");
    root.number(&format!(r"{interfaces}\{{one}}"), "EnableDHCP", 1);
    let fixed = format!(r"{interfaces}\{{two}}");
    root.number(&fixed, "EnableDHCP", 0);
    root.at(&fixed).values.push(("IPAddress".into(), 7, utf16("192.0.2.7\u{0}192.0.2.8\0\0")));
    // What does not count.
    root.number(r"ControlSet001\Services\viostor", "Start", 4);
    root
}

fn software() -> Node {
    let mut root = Node::default();
    let version = r"Microsoft\Windows NT\CurrentVersion";
    root.text(version, "ProductName", "Windows Server 2019 Standard").text(
        version,
        "CurrentBuildNumber",
        "17763",
    );
    root.text(r"Microsoft\Windows\CurrentVersion\Setup\State", "ImageState", "IMAGE_STATE_COMPLETE");
    root
}

fn windows(files: MemoryTree) -> Windows {
    let volume = DiskVolume {
        name: "partition 2".into(),
        partition: Some(PartitionName { number: 2, uuid: None, label: None, is_efi_system: false }),
        logical: None,
        kind: "ntfs",
        uuid: None,
        label: None,
        is_raid: false,
        hides: None,
        files: Ok(Rc::new(files)),
    };
    let disk = Disk { volumes: vec![volume], firmware: Firmware::Bios, efi: Vec::new() };
    match read_guest(&disk).unwrap().system {
        System::Windows(windows) => *windows,
        other => panic!("{other:?}"),
    }
}

fn tree(system: &Node, drivers: &[&str]) -> MemoryTree {
    let mut files = MemoryTree::named("ntfs");
    files.file("/Windows/System32/config/SYSTEM", hive(system, b"lh"));
    files.file("/Windows/System32/config/SOFTWARE", hive(&software(), b"ri"));
    for driver in drivers {
        files.file(&format!("/Windows/System32/drivers/{driver}.sys"), "MZ");
    }
    files
}

#[test]
fn a_windows_is_read_from_its_hives() {
    let found = windows(tree(&system(), &["viostor", "netkvm"]));
    let release = found.release.clone().unwrap().value;
    assert_eq!((release.product.as_str(), release.build.as_str()), ("Windows Server 2019 Standard", "17763"));
    assert_eq!(found.machine.clone().unwrap().value, Machine::X86_64);
    assert_eq!(found.boots_from_virtio(), Ok(true));
    assert_eq!(found.vioscsi, Ok(None));
    assert_eq!(found.netkvm.clone().unwrap().unwrap().is_usable(), Ok(true));
    let fixed = found.static_addresses.clone().unwrap();
    assert_eq!(fixed.len(), 1);
    assert_eq!(
        (fixed[0].interface.as_str(), fixed[0].addresses.join(",")),
        ("{two}", "192.0.2.7,192.0.2.8".into())
    );
    assert!(found.remote_desktop.clone().unwrap().value);
    assert_eq!(found.is_generalized(), Ok(false));
    assert_eq!(found.cloudbase_init, Ok(None));
    assert_eq!(found.foreign_tools.clone().unwrap()[0].value, "VMware Tools");
    let origin = found.viostor.unwrap().unwrap().origin;
    assert_eq!(
        origin.to_string(),
        r"partition 2: /Windows/System32/config/SYSTEM:ControlSet002\Services\viostor"
    );
}

#[test]
fn a_driver_must_start_at_boot_and_be_there() {
    assert_eq!(windows(tree(&system(), &[])).boots_from_virtio(), Ok(false));
    let mut late = system();
    late.number(r"ControlSet002\Services\viostor\StartOverride", "0", 3);
    assert_eq!(windows(tree(&late, &["viostor"])).boots_from_virtio(), Ok(false));
    let mut scsi = system();
    scsi.number(r"ControlSet002\Services\vioscsi", "Start", 0).number(
        r"ControlSet002\Services\vioscsi",
        "Type",
        1,
    );
    assert_eq!(windows(tree(&scsi, &["vioscsi"])).boots_from_virtio(), Ok(true));
}

#[test]
fn what_can_not_be_read_is_not_known() {
    let mut files = tree(&system(), &["viostor"]);
    files.file("/Windows/System32/config/SYSTEM", "no hive");
    let found = windows(files);
    assert!(found.boots_from_virtio().is_err() && found.remote_desktop.is_err() && found.release.is_ok());
    let mut dirty = hive(&system(), b"lf");
    dirty[4] = 8;
    seal(&mut dirty);
    let mut files = tree(&system(), &["viostor"]);
    files.file("/Windows/System32/config/SYSTEM", dirty);
    assert!(windows(files).boots_from_virtio().unwrap_err().reason.contains("transaction logs"));
}

/// A log whose one entry has a page with another content.
fn log(sequence: u32, offset: u32, page: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 512];
    file[..4].copy_from_slice(b"regf");
    file[28] = 6;
    seal(&mut file);
    let mut entry = vec![0; 40];
    entry[..4].copy_from_slice(b"HvLE");
    entry.extend([offset.to_le_bytes(), u32::try_from(page.len()).unwrap().to_le_bytes()].concat());
    entry.extend_from_slice(page);
    entry.resize(entry.len().next_multiple_of(512), 0);
    let size = u32::try_from(entry.len()).unwrap();
    entry[4..8].copy_from_slice(&size.to_le_bytes());
    entry[12..16].copy_from_slice(&sequence.to_le_bytes());
    entry[20] = 1;
    let first = marvin32(&entry[40..]).to_le_bytes();
    entry[24..32].copy_from_slice(&first);
    let second = marvin32(&entry[..32]).to_le_bytes();
    entry[32..40].copy_from_slice(&second);
    file.extend(entry);
    file
}

#[test]
fn a_log_completes_a_hive() {
    let whole = hive(&system(), b"lh");
    let mut torn = whole.clone();
    torn[4] = 8;
    seal(&mut torn[..512]);
    torn[4096..4096 + 512].fill(0xaa);
    let read = |logs: &[&dyn crate::ArchiveFile]| {
        let hive = Hive::open(&torn, logs)?;
        hive.value(r"ControlSet002\Services\viostor", "Start")
            .map(|value| value.and_then(|value| value.number()))
    };
    let right = log(7, 0, &whole[4096..4096 + 512]);
    assert_eq!(read(&[&right]), Ok(Some(0)));
    let mut altered = right.clone();
    altered[512 + 60] ^= 1;
    let other = log(6, 0, &whole[4096..4096 + 512]);
    let (later, gap) = (log(9, 0, &whole[4096..4096 + 512]), log(12, 0, &[7; 512]));
    assert_eq!(read(&[&later]), Ok(Some(0)));
    for logs in [&[][..], &[&altered], &[&other], &[&later, &gap]] {
        let logs = logs.iter().map(|log| *log as &dyn crate::ArchiveFile).collect::<Vec<_>>();
        assert!(read(&logs).unwrap_err().contains("transaction logs"));
    }
}

#[test]
fn all_kinds_of_lists_and_values_are_read() {
    let mut root = Node::default();
    for number in 0..9 {
        root.number(&format!(r"Many\key{number}"), "n", number);
    }
    root.at("Many").values.push(("large".into(), 3, vec![7; 9000]));
    for list in [b"lf", b"lh", b"li", b"ri"] {
        let bytes = hive(&root, list);
        let hive = Hive::open(&bytes, &[]).unwrap();
        for number in 0..9 {
            let value = hive.value(&format!(r"many\KEY{number}"), "N").unwrap().unwrap();
            assert_eq!(value.number(), Some(number));
        }
        assert_eq!(hive.names(&hive.key("Many").unwrap().unwrap()).unwrap().len(), 9);
        assert_eq!(hive.value("Many", "large").unwrap().unwrap().bytes, vec![7; 9000]);
        assert_eq!((hive.key("None").unwrap(), hive.value("Many", "x").unwrap()), (None, None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn altered_hives_are_read(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = hive(&system(), b"ri");
        for (at, byte) in changes {
            let at = 4096 + at.index(bytes.len() - 4096);
            bytes[at] = byte;
        }
        let end = 4096 + end.index(bytes.len() - 4096);
        for bytes in [&bytes[..], &bytes[..end]] {
            let bytes = bytes.to_vec();
            if let Ok(hive) = Hive::open(&bytes, &[]) {
                let _ = hive.value(r"ControlSet002\Services\viostor", "Start");
                let _ = hive.value(r"ControlSet002\Services\Tcpip\Parameters\Interfaces\{two}", "IPAddress");
                if let Ok(Some(key)) = hive.key(r"ControlSet002\Services") {
                    let _ = hive.names(&key);
                }
            }
        }
    }

    #[test]
    fn altered_logs_are_read(changes in prop::collection::vec((0..1600_usize, any::<u8>()), 0..6)) {
        let mut torn = hive(&system(), b"lh");
        torn[4] = 8;
        seal(&mut torn[..512]);
        let mut bytes = log(7, 0, &[7; 512]);
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = Hive::open(&torn, &[&bytes]).map(|hive| hive.key("Select"));
    }
}
