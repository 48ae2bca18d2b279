//! Block devices of every make: what is found and written is what is found of a file of the same bytes.

use serde_json::Value;

use crate::answers::images;
use crate::folder::Folder;
use crate::mounts::{LoopDevice, script};

const MIB: u64 = 1 << 20;
const IDENTITY: [&str; 2] = ["--uuid=00112233-4455-4677-8899-aabbccddeeff", "--timestamp=1700000000"];

/// What `inspect` and `detect` say, without the name and the kind of what it is read from.
fn found(folder: &Folder, image: &str) -> Vec<Value> {
    let said = ["inspect", "detect"].map(|command| {
        let (status, mut json) = folder.json(&[command, image]);
        assert_eq!(status, 0, "{json}");
        let mut file = json["files"][0].take();
        file.as_object_mut().unwrap().retain(|name, _| !["path", "kind"].contains(&name.as_str()));
        file
    });
    said.into()
}

/// A file that is made, and its bytes; the file is gone then.
fn made(folder: &Folder, name: &str, args: &[&str]) -> Vec<u8> {
    let run = folder.run(args);
    assert_eq!(run.status, 0, "{args:?}: {}", run.err);
    let bytes = std::fs::read(folder.path(name)).unwrap();
    std::fs::remove_file(folder.path(name)).unwrap();
    bytes
}

#[test]
fn a_device_is_what_a_file_of_its_bytes_is() {
    let folder = images();
    let image = folder.path("disk.raw");
    for (size, options) in [
        (40 * MIB, ""),
        (40 * MIB, "--sector-size 4096"),
        (40 * MIB, "--read-only"),
        (40 * MIB, "--direct-io=on"),
        // Sizes that are a whole number of nothing but sectors, and of not even these.
        (40 * MIB + 3 * 512, ""),
        (40 * MIB + 3 * 4096, "--sector-size 4096"),
        (40 * MIB - 100, ""),
    ] {
        let what = format!("{size} bytes, losetup {options}");
        std::fs::File::options().write(true).open(&image).unwrap().set_len(size).unwrap();
        let device = LoopDevice::over(&image, options);
        let sectors = script(&folder.path("."), &format!("cat /sys/block/{}/size", &device.0[5..])).unwrap();
        let device_size = sectors.parse::<u64>().unwrap() * 512;
        assert!(device_size <= size && device_size + 4096 > size, "{what}: {device_size}");
        script(
            &folder.path("."),
            &format!("cp --sparse=always disk.raw same.raw; truncate -s {device_size} same.raw"),
        )
        .unwrap();
        assert_eq!(found(&folder, &device.0), found(&folder, "same.raw"), "{what}");
        let expected = made(&folder, "out.mf", &["bitmap", "create", "same.raw", "-o", "out.mf"]);
        for mode in ["auto", "read", "map", "direct"] {
            let args = ["bitmap", "create", &device.0, "-o", "out.mf", "--io", mode];
            assert_eq!(made(&folder, "out.mf", &args), expected, "{what}: --io {mode}");
        }
        let convert = |from: &str| {
            made(&folder, "out.zvhd2", &[&["convert", from, "out.zvhd2"], &IDENTITY[..]].concat())
        };
        assert!(convert(&device.0) == convert("same.raw"), "{what}");
        let (status, compared) = folder.json(&["compare", &device.0, "same.raw"]);
        assert_eq!((status, &compared["longer"]), (0, &Value::Null), "{what}");
    }
}
