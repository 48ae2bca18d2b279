//! `inspect` and `request` on disks with a real Debian, which testdata/guest-images/build makes. Where none was built, the test is
//! ignored; under `IMSPREP_GUEST_IMAGES=all` each of them must be there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use imsprep_testdata::missing;
use serde_json::Value;

use crate::folder::{Folder, Run};

/// What an image shows.
struct Expected {
    name: &'static str,
    firmware: &'static str,
    /// Volume, file system and subvolume of the root.
    root: (&'static str, &'static str, Option<&'static str>),
    generator: &'static str,
    hostonly: bool,
    boots_from_virtio: bool,
    openstack: bool,
    /// Files that all servers would share.
    shared: bool,
}

const GOOD: Expected = Expected {
    name: "deb12-ext4-bios",
    firmware: "bios",
    root: ("partition 2", "ext4", None),
    generator: "initramfs-tools",
    hostonly: false,
    boots_from_virtio: true,
    openstack: true,
    shared: false,
};

const LVM: Expected =
    Expected { root: ("logical volume vg0/root", "xfs", None), generator: "dracut", ..GOOD };

const IMAGES: &[Expected] = &[
    GOOD,
    Expected { name: "deb12-xfs-lvm-dracut-hostonly", hostonly: true, boots_from_virtio: false, ..LVM },
    Expected { name: "deb12-xfs-lvm-dracut-generic", ..LVM },
    Expected { name: "deb12-btrfs-zstd", root: ("partition 2", "btrfs", Some("@")), ..GOOD },
    Expected { name: "deb12-efi-nofallback", firmware: "uefi", ..GOOD },
    Expected { name: "deb12-cloudinit-ec2", openstack: false, shared: true, ..GOOD },
];

/// Where the images are.
pub(crate) fn images() -> PathBuf {
    let beside = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guest-images");
    std::env::var_os("IMSPREP_GUEST_IMAGES_FOLDER").map_or_else(beside, PathBuf::from)
}

/// Tries each image that was built.
fn each(case: impl Fn(&Expected, &str)) {
    let all = std::env::var("IMSPREP_GUEST_IMAGES").is_ok_and(|value| value == "all");
    let mut tried = 0;
    for image in IMAGES {
        let path = images().join(format!("{}.raw", image.name));
        if !path.exists() {
            assert!(!all, "{} is not there: testdata/guest-images/build target/guest-images", path.display());
            continue;
        }
        case(image, path.to_str().unwrap());
        tried += 1;
    }
    if tried == 0 {
        missing("no image of testdata/guest-images was built");
    }
}

#[test]
fn inspect_shows_the_system_of_each_image() {
    each(|image, path| {
        let folder = Folder::new();
        let (status, json) = folder.json(&["inspect", path]);
        assert_eq!(status, 0, "{}", image.name);
        let guest = &json["files"][0]["guest"];
        let linux = &guest["linux"];
        assert_eq!(guest["is"], "linux", "{}: {guest}", image.name);
        let root = (&linux["root"]["volume"], &linux["root"]["kind"], linux["root"]["subvolume"].as_str());
        assert_eq!(
            (root.0.as_str(), root.1.as_str(), root.2),
            (Some(image.root.0), Some(image.root.1), image.root.2),
            "{}",
            image.name
        );
        let release = &linux["release"]["value"];
        assert_eq!((release["id"].as_str(), release["version"].as_str()), (Some("debian"), Some("12")));
        assert!(release["full_version"].as_str().unwrap().starts_with("12."), "{release}");
        assert_eq!(linux["machine"]["value"]["name"], "x86_64");
        let loader = &linux["loaders"][0];
        assert_eq!((&loader["kind"], &loader["firmware"]), (&"grub".into(), &image.firmware.into()));
        let entry = &loader["default"]["value"];
        assert_eq!(entry["root"]["on_disk"], true, "{}: {entry}", image.name);
        assert_eq!(entry["kernel"]["exists"]["value"], true, "{}: {entry}", image.name);
        let kernel = &linux["kernel"]["value"];
        assert!(kernel["version"]["value"].as_str().unwrap().starts_with("6.1."), "{kernel}");
        let initramfs = &kernel["initramfs"]["value"];
        assert_eq!(initramfs["generator"], image.generator, "{}", image.name);
        assert_eq!(initramfs["hostonly"], image.hostonly, "{}", image.name);
        assert_eq!(kernel["boots_from_virtio"]["value"], image.boots_from_virtio, "{}: {kernel}", image.name);
        assert_eq!(kernel["virtio_network"]["value"], true, "{}", image.name);
        let interface = &linux["network"]["interfaces"];
        let card = interface.as_array().unwrap().iter().find(|one| one["name"] == "eth0").unwrap();
        assert_eq!(card["ipv4"]["is"], "dhcp", "{}", image.name);
        assert_eq!(linux["cloud_init"]["runs"]["value"], true, "{}", image.name);
        assert_eq!(linux["cloud_init"]["allows_openstack"]["value"], image.openstack, "{}", image.name);
        assert_eq!(linux["identity"]["machine_id"]["value"], image.shared, "{}", image.name);
        assert_eq!(linux["identity"]["host_keys"]["value"] != Value::Array(vec![]), image.shared);
        // Nothing of these systems is beyond the readers.
        assert_eq!(reasons(guest), [""; 0], "{}", image.name);

        let text = folder.run(&["inspect", path]).out;
        for words in
            ["installed     Debian GNU/Linux 12", "cloud-init    installed", "eth0: DHCP", image.generator]
        {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    });
}

/// Every reason why something is not known.
fn reasons(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("not_known", Value::String(reason)) => vec![reason.clone()],
                _ => reasons(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(reasons).collect(),
        _ => Vec::new(),
    }
}

/// dissect.target reads the same files by its own code.
#[test]
fn product_architecture_and_mounts_are_those_of_dissect_target() {
    let Some(program) = std::env::var_os("IMSPREP_TARGET_QUERY") else {
        missing("IMSPREP_TARGET_QUERY does not name target-query of dissect.target");
    };
    each(|image, path| {
        // Version 3.25.1 fails on a root in a subvolume: "'Subvolume' object has no attribute 'is_symlink'".
        if image.root.2.is_some() {
            return;
        }
        let (_, ours) = Folder::new().json(&["inspect", path]);
        let linux = &ours["files"][0]["guest"]["linux"];
        let product = linux["release"]["value"]["product"].as_str().unwrap();
        let mounts = linux["fstab"]["value"].as_array().unwrap().iter();
        let mounts =
            mounts.filter_map(|mount| mount["target"].as_str()).filter(|target| target.starts_with('/'));
        let machine = linux["machine"]["value"]["name"].as_str().unwrap();

        let program = Path::new(&program).with_file_name("target-info");
        let output = std::process::Command::new(program).args(["--json", path]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let theirs: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mounted = theirs["mounts"].as_array().unwrap().iter().filter_map(|mount| mount["path"].as_str());
        assert_eq!(theirs["os_family"], "linux", "{}", image.name);
        assert!(
            theirs["os_version"].as_str().unwrap().contains(product),
            "{}: {product}: {text}",
            image.name
        );
        assert_eq!(theirs["architecture"], format!("{machine}-linux"), "{}", image.name);
        assert_eq!(mounted.collect::<BTreeSet<_>>(), mounts.collect::<BTreeSet<_>>(), "{}", image.name);
    });
}

/// A request for an image whose bitmap file is not at hand.
fn request(path: &str, more: &[&str]) -> Run {
    let mut args = vec!["request", path, "--bucket", "my-images", "--name", "web-01", "--allow", "BM-003"];
    args.extend(more);
    Folder::new().run(&args)
}

/// Images of which nothing keeps a server from starting.
fn sound(image: &Expected) -> bool {
    image.boots_from_virtio && image.firmware == "bios"
}

#[test]
fn a_request_needs_nothing_but_bucket_and_name() {
    each(|image, path| {
        let run = request(path, &[]);
        let filled = "filled in: os_version Linux 12.0.0 64bit: ";
        assert!(run.err.contains(filled), "{}: {}", image.name, run.err);
        assert!(run.err.contains("/etc/os-release names Debian GNU/Linux 12"), "{}", run.err);
        let firmware = format!("filled in: hw_firmware_type {}", image.firmware);
        assert!(run.err.contains(&firmware), "{}: {}", image.name, run.err);
        if sound(image) {
            assert_eq!(run.status, 0, "{}: {}", image.name, run.err);
            let body = serde_json::from_str::<Value>(&run.out).unwrap();
            let expected = serde_json::json!({
                "name": "web-01",
                "os_version": "Linux 12.0.0 64bit",
                "image_url": format!("my-images:{}.raw", image.name),
                "min_disk": 10,
                "type": "ECS",
                "architecture": "x86",
                "hw_firmware_type": image.firmware,
            });
            assert_eq!(body, expected, "{}", image.name);
        }
    });
}

#[test]
fn what_the_user_says_wins_and_a_contradiction_is_a_finding() {
    each(|image, path| {
        for value in ["CentOS 7.9 64bit", "Linux 11.7.0 64bit", "Windows Server 2019 Standard 64bit"] {
            let run = request(path, &["--os-version", value]);
            assert_eq!((run.status, run.out.as_str()), (1, ""), "{}: {value}: {}", image.name, run.err);
            assert!(run.err.contains("error IMS-124"), "{}: {value}: {}", image.name, run.err);
            assert!(run.err.contains("/etc/os-release names Debian"), "{}: {value}: {}", image.name, run.err);
        }
        for (value, note) in [("Linux 12.0.0 64bit", true), ("Other(64 bit)", false)] {
            let run = request(path, &["--os-version", value]);
            assert_eq!(run.err.contains("IMS-128"), note, "{}: {value}: {}", image.name, run.err);
            assert!(!run.err.contains("IMS-124"), "{}: {value}: {}", image.name, run.err);
            assert!(!sound(image) || run.out.contains(value), "{}: {value}: {}", image.name, run.err);
        }
    });
}
