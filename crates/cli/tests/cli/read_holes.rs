//! `--read-holes`: whatever the file system says of holes, all of the file is read.

use crate::folder::Folder;

const MIB: u64 = 1 << 20;

#[test]
fn each_command_reads_what_is_reported_as_a_hole() {
    let folder = Folder::on_disk();
    let size = 64 * MIB;
    folder.sparse("disk.raw", size, &[0]);
    // Of a block that holds data, a page shows that it does.
    let least = size - 2 * MIB;
    let read = |args: &[&str], scan: &[&str]| {
        let (status, json) = folder.json(args);
        assert_eq!(status, 0, "{json}");
        scan.iter().fold(&json, |json, name| &json[*name])["bytes_read"].as_u64().unwrap()
    };
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    for io in ["map", "read"] {
        let args = ["bitmap", "create", "--force", "--read-holes", "--io", io, "disk.raw"];
        assert!(read(&args, &["scan"]) >= least);
        let args = ["convert", "--force", "--read-holes", "--io", io, "disk.raw", "all.zvhd2"];
        assert!(read(&args, &["zvhd2", "scan"]) >= least);
    }
    let scan_of = |command: &str| {
        let args = [command, "--purpose", "data", "--read-holes", "disk.raw", "--json"];
        let run = folder.run(&args);
        let json: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        let file = if command == "check" { &json["files"][0] } else { &json["result"] };
        file["scan"]["bytes_read"].as_u64()
    };
    for command in ["check", "prepare"] {
        assert!(scan_of(command) >= Some(least), "{command}");
    }
    // The result is the same.
    assert_eq!(folder.run(&["compare", "disk.raw", "all.zvhd2"]).status, 0);
    assert_eq!(folder.run(&["bitmap", "verify", "disk.raw"]).status, 0);
}
