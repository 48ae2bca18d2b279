//! `--sha256`, `--sha512`, `--checksums`: a file is the one that its publisher has, or nothing is made of it.

use imsprep_testdata::{golden, need_tools};
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use crate::folder::Folder;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file in the folder, with its SHA-256 and SHA-512.
fn download(folder: &Folder, name: &str, bytes: &[u8]) -> (String, String) {
    folder.write(name, bytes);
    (hexadecimal(&Sha256::digest(bytes)), hexadecimal(&Sha512::digest(bytes)))
}

#[test]
fn a_file_is_converted_if_it_is_the_published_one() {
    let folder = Folder::new();
    let (sha256, sha512) = download(&folder, "disk.zvhd2", golden("zstd_a_8m.zvhd2"));
    folder
        .write("SHA512SUMS", format!("{}  other.raw\n{sha512} *./disk.zvhd2\n", "0".repeat(128)).as_bytes());
    let (status, document) =
        folder.json(&["convert", "--sha256", &sha256, "--checksums", "SHA512SUMS", "disk.zvhd2", "a.raw"]);
    let expected =
        json!([{"algorithm": "sha256", "value": sha256}, {"algorithm": "sha512", "value": sha512}]);
    assert_eq!((status, &document["checksums"]), (0, &expected));
    let run = folder.run(&["convert", "--sha512", &sha512.to_uppercase(), "disk.zvhd2", "b.raw"]);
    assert!(run.status == 0 && run.out.contains("  sums    SHA-512 as published\n"), "{run:?}");
    for command in ["check", "prepare"] {
        let (_, document) = folder.json(&[command, "--sha256", &sha256, "disk.zvhd2"]);
        let file = if command == "check" { &document["files"][0] } else { &document["result"] };
        assert_eq!(file["checksums"], json!([{"algorithm": "sha256", "value": sha256}]), "{command}");
        let run = folder.run(&[command, "--sha256", &sha256, "disk.zvhd2"]);
        assert!(run.out.contains("  file: SHA-256 as published\n"), "{run:?}");
    }
}

#[test]
fn of_another_file_nothing_is_made() {
    let folder = Folder::new();
    let (sha256, _) = download(&folder, "disk.zvhd2", golden("zstd_a_8m.zvhd2"));
    let other = sha256.replace(|digit: char| digit.is_ascii_digit(), "a");
    folder.write("sums", format!("{other}  disk.zvhd2\n").as_bytes());
    folder.write("lacks", format!("{sha256}  disk.raw\n").as_bytes());
    folder.write("weak", format!("{}  disk.zvhd2\n", "0".repeat(32)).as_bytes());
    let names = folder.names();
    let wrong =
        format!("disk.zvhd2: SHA-256 is {sha256}, expected {other}: the file is not the published one");
    for (args, status, reason) in [
        (["--sha256", &other], 1, wrong.as_str()),
        (["--checksums", "sums"], 1, &wrong),
        (["--checksums", "lacks"], 2, "disk.zvhd2: lacks does not list this file"),
        (["--checksums", "weak"], 2, "disk.zvhd2: weak has neither a SHA-256 nor a SHA-512 of this file"),
        (["--checksums", "none"], 2, "none: cannot read"),
        (["--sha256", "12"], 2, "a SHA-256 has 64 hexadecimal digits"),
    ] {
        for command in
            [&["convert", "disk.zvhd2", "out.raw"][..], &["prepare", "disk.zvhd2"], &["check", "disk.zvhd2"]]
        {
            let run = folder.run(&[command, &args].concat());
            assert!(run.status == status && run.err.contains(reason), "{command:?} {args:?}: {run:?}");
            assert_eq!(folder.names(), names);
        }
    }
    // Into a stream nothing goes either.
    let output = folder.command(&["convert", "--sha256", &other, "disk.zvhd2", "-"]).output().unwrap();
    assert!(output.status.code() == Some(1) && output.stdout.is_empty());
}

#[test]
fn what_is_compressed_is_compared_as_it_was_downloaded() {
    need_tools(["gzip"]);
    let folder = Folder::new();
    folder.write("disk.zvhd2", golden("zstd_h1_mbr_ext4.zvhd2"));
    assert_eq!(folder.run(&["convert", "disk.zvhd2", "disk.raw"]).status, 0);
    let packed = imsprep_testdata::command("gzip")
        .args(["-c", "disk.raw"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let (sha256, _) = download(&folder, "disk.raw.gz", &packed.stdout);
    // A list for several files, as check takes them.
    folder.write("sums", format!("SHA256 (disk.raw.gz) = {sha256}\n").as_bytes());
    assert_eq!(folder.run(&["convert", "--checksums", "sums", "disk.raw.gz", "out.raw"]).status, 0);
    let (status, document) = folder.json(&["check", "--checksums", "sums", "disk.raw.gz", "disk.raw"]);
    assert_eq!(status, 2);
    let errors = document["files"].as_array().unwrap().iter().map(|file| file["error"].as_str());
    assert_eq!(errors.collect::<Vec<_>>(), [None, Some("disk.raw: sums does not list this file")]);
    let run = folder.run(&["check", "--sha256", &sha256, "disk.raw.gz", "disk.raw"]);
    assert!(run.status == 2 && run.err.contains("are for one file"), "{run:?}");
}
