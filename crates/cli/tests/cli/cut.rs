//! Disks that were cut off: the same answer from every command, whatever the disk lies in.

use std::os::unix::fs::FileExt;

use imsprep_testdata::{command, need_tools};
use serde_json::Value;

use crate::folder::Folder;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The codes of the errors on what is lost, in a report.
fn lost(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter();
    let errors = findings.filter(|finding| finding["severity"] == "error");
    let mut codes = errors.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    codes.retain(|code| ["IMS-051", "IMS-061"].contains(&code.as_str()));
    codes
}

const REQUEST: [&str; 6] = ["--bucket", "b", "--name", "n", "--os-version", "Debian GNU/Linux 12.0.0 64bit"];

/// What each command says is lost of an image.
fn every_command(folder: &Folder, name: &str) -> Vec<Vec<String>> {
    let (_, check) = folder.json(&["check", name]);
    let (_, quick) = folder.json(&["check", "--quick", name]);
    let output = if name.ends_with(".zvhd2") { "out.raw" } else { "out.zvhd2" };
    let (_, convert) = folder.json(&["convert", name, output]);
    assert_eq!(folder.path(output).exists(), lost(&convert["report"]).is_empty(), "{name}");
    let _ = std::fs::remove_file(folder.path(output));
    let _ = std::fs::remove_file(folder.path("out.mf"));
    let (_, request) = folder.json(&[&["request", name][..], &REQUEST].concat());
    let reports =
        [&check["files"][0]["report"], &quick["files"][0]["report"], &convert["report"], &request["report"]];
    reports.map(lost).to_vec()
}

/// A disk of so many bytes with one partition of 500 MiB, and a swap space in it that takes so many pages.
fn disk(folder: &Folder, name: &str, size: u64, pages: u32) {
    let path = folder.sparse(name, size, &[]);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let mut sector = [0; 512];
    sector[446 + 4] = 0x82;
    sector[446 + 8..446 + 12].copy_from_slice(&2048_u32.to_le_bytes());
    sector[446 + 12..446 + 16].copy_from_slice(&(500 * 2048_u32).to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    file.write_all_at(&sector, 0).unwrap();
    swap(&file, MIB, pages);
}

fn swap(file: &std::fs::File, at: u64, pages: u32) {
    file.write_all_at(b"SWAPSPACE2", at + 4086).unwrap();
    file.write_all_at(&[1_u32.to_le_bytes(), (pages - 1).to_le_bytes()].concat(), at + 1024).unwrap();
}

#[test]
fn every_command_says_what_is_lost() {
    let folder = Folder::new();
    let pages = 500 * 256;
    for (name, size, pages, code) in [
        ("fits.raw", 501 * MIB, pages, None),
        ("sector.raw", 501 * MIB - 512, pages, Some("IMS-051")),
        ("half.raw", 250 * MIB, pages, Some("IMS-051")),
        ("table.raw", MIB, 1000, Some("IMS-051")),
        ("larger.raw", 600 * MIB, pages + 1, Some("IMS-061")),
    ] {
        disk(&folder, name, size, pages);
        let expected = code.map(str::to_owned).into_iter().collect::<Vec<_>>();
        for said in every_command(&folder, name) {
            assert_eq!(said, expected, "{name}");
        }
        // The disk in a container goes on to a whole GiB.
        let container = name.replace("raw", "zvhd2");
        let allow = "IMS-051,IMS-061";
        assert_eq!(folder.run(&["convert", name, &container, "--allow", allow]).status, 0);
        for said in every_command(&folder, &container) {
            assert_eq!(said, expected, "{container}");
        }
    }
    // A file system on the whole disk.
    let path = folder.sparse("whole.raw", 64 * MIB, &[]);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    swap(&file, 0, 64 * 256);
    assert!(every_command(&folder, "whole.raw").concat().is_empty());
    file.set_len(64 * MIB - 1).unwrap();
    for said in every_command(&folder, "whole.raw") {
        assert_eq!(said, ["IMS-061"]);
    }
}

#[test]
fn a_disk_that_was_cut_is_one_in_other_formats_too() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    disk(&folder, "cut.raw", 256 * MIB, 500 * 256);
    disk(&folder, "fits.raw", 512 * MIB, 500 * 256);
    for format in ["qcow2", "vmdk", "vpc"] {
        for (name, expected) in [("cut", &["IMS-051"][..]), ("fits", &[])] {
            let output = format!("{name}.{format}");
            let made = command("qemu-img")
                .args(["convert", "-O", format, &format!("{name}.raw"), &output])
                .current_dir(folder.path("."))
                .status()
                .unwrap();
            assert!(made.success());
            for said in every_command(&folder, &output) {
                assert_eq!(said, expected, "{output}");
            }
            let (status, json) = folder.json(&["prepare", &output, "-o", "new.zvhd2"]);
            assert_eq!(status == 0, expected.is_empty(), "{json}");
            assert_eq!(folder.path("new.zvhd2").exists(), expected.is_empty(), "{output}");
            let _ = std::fs::remove_file(folder.path("new.zvhd2"));
        }
    }
    let (status, json) = folder.json(&["prepare", "cut.qcow2", "-o", "new.zvhd2", "--allow", "IMS-051"]);
    assert_eq!(status, 0, "{json}");
}

/// The commands see the same in a compressed disk: at its start if its size is known, else when all of it was unpacked.
#[test]
fn a_disk_that_was_cut_and_compressed_is_refused() {
    imsprep_testdata::each(
        [("gzip", "gz", false), ("xz", "xz", true), ("zstd", "zst", true)],
        |(tool, end, sized)| {
            need_tools([tool]);
            let folder = Folder::new();
            let pages = 40 * 256;
            // The partition begins behind what is read of the start, so that the file system shows only later.
            small_disk(&folder, "fits.raw", 44 * MIB, 40, pages);
            small_disk(&folder, "table.raw", 20 * MIB, 40, pages);
            small_disk(&folder, "larger.raw", 44 * MIB, 40, pages + 1);
            for (name, code) in [("fits", None), ("table", Some("IMS-051")), ("larger", Some("IMS-061"))] {
                let packed = format!("{name}.raw.{end}");
                let made = command(tool)
                    .args(["-q", "-k", &format!("{name}.raw")])
                    .current_dir(folder.path("."))
                    .status();
                assert!(made.unwrap().success(), "{packed}");
                // Through a pipe zstd does not know the size.
                let script = format!("{tool} -q < {name}.raw > {name}.pipe.{end}");
                let piped = command("sh").args(["-ec", &script]).current_dir(folder.path(".")).status();
                assert!(piped.unwrap().success(), "{script}");
                let expected = code.map(str::to_owned).into_iter().collect::<Vec<_>>();
                let by_size = if sized && code == Some("IMS-051") { expected.clone() } else { Vec::new() };
                let [check, quick, convert, request] = &every_command(&folder, &packed)[..] else { panic!() };
                assert_eq!([check, convert], [&expected; 2], "{packed}");
                assert_eq!([quick, request], [&by_size; 2], "{packed}");
                let before = folder.names();
                for source in [packed.clone(), format!("{name}.pipe.{end}")] {
                    for output in ["new.zvhd2", "new.raw"] {
                        for command in ["convert", "prepare"] {
                            let args: &[&str] = if command == "prepare" {
                                &["prepare", &source, "-o", output]
                            } else {
                                &["convert", &source, output]
                            };
                            let (status, json) = folder.json(args);
                            let report = if command == "prepare" {
                                &json["conversion"]["report"]
                            } else {
                                &json["report"]
                            };
                            assert_eq!(
                                (lost(report), status == 0),
                                (expected.clone(), code.is_none()),
                                "{args:?} {json}"
                            );
                            if code.is_none() {
                                assert!(folder.path(output).exists(), "{args:?}");
                                std::fs::remove_file(folder.path(output)).unwrap();
                                let _ = std::fs::remove_file(folder.path("new.mf"));
                            }
                            assert_eq!(folder.names(), before, "{args:?} leaves nothing");
                        }
                    }
                }
                if let Some(code) = code {
                    let allowed = folder.run(&["convert", &packed, "new.zvhd2", "--allow", code]);
                    assert_eq!(allowed.status, 0, "{}", allowed.err);
                    std::fs::remove_file(folder.path("new.zvhd2")).unwrap();
                }
            }
        },
    );
}

/// What compressed a disk does not matter: a file that lacks its end is damaged, by `check` and by `convert`.
#[test]
fn a_compressed_file_without_its_end_is_damaged() {
    let tools = [
        ("gzip", "gzip -q -k d.raw", "gz"),
        ("bzip2", "bzip2 -q -k d.raw", "bz2"),
        ("xz", "xz -q -k d.raw", "xz"),
        ("zstd", "zstd -q -k d.raw", "zst"),
        ("lz4", "lz4 -q d.raw d.raw.lz4", "lz4"),
        ("7z", "7z a d.raw.7z d.raw >/dev/null", "7z"),
    ];
    imsprep_testdata::each(tools, |(tool, script, end)| {
        need_tools([tool]);
        let folder = Folder::new();
        folder.write("d.raw", &imsprep_testdata::noise(7, 3 << 20));
        let made = command("sh").args(["-ec", script]).current_dir(folder.path(".")).status();
        assert!(made.unwrap().success(), "{script}");
        let file = std::fs::read(folder.path(&format!("d.raw.{end}"))).unwrap();
        for cut in [0, 1, 4, 5, 1000, file.len() / 2] {
            let name = format!("cut.raw.{end}");
            folder.write(&name, &file[..file.len() - cut]);
            let (_, json) = folder.json(&["check", &name]);
            let findings = json["files"][0]["report"]["findings"].as_array().unwrap().iter();
            let found = findings.filter(|finding| finding["code"] == "IMS-020").count();
            assert_eq!(found > 0, cut > 0, "{tool}, {cut} bytes cut off: {json}");
            let run = folder.run(&["convert", &name, "out.zvhd2"]);
            assert!(
                cut == 0 || (run.status != 0 && !folder.path("out.zvhd2").exists()),
                "{tool} {cut} {run:?}"
            );
            let _ = std::fs::remove_file(folder.path("out.zvhd2"));
        }
    });
}

/// One partition of so many MiB from 4 MiB on, with a swap space of so many pages.
fn small_disk(folder: &Folder, name: &str, size: u64, mib: u32, pages: u32) {
    let path = folder.sparse(name, size, &[]);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let mut sector = [0; 512];
    sector[446 + 4] = 0x82;
    sector[446 + 8..446 + 12].copy_from_slice(&8192_u32.to_le_bytes());
    sector[446 + 12..446 + 16].copy_from_slice(&(mib * 2048).to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    file.write_all_at(&sector, 0).unwrap();
    swap(&file, 4 * MIB, pages);
}

#[test]
fn each_disk_of_an_archive_is_looked_at() {
    need_tools(["tar", "qemu-img"]);
    let folder = Folder::new();
    small_disk(&folder, "fits.raw", 44 * MIB, 40, 40 * 256);
    // Data at its end, which the cut takes away.
    let noise =
        (0..300_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect::<Vec<_>>();
    let file = std::fs::File::options().write(true).open(folder.path("fits.raw")).unwrap();
    file.write_all_at(&noise, 30 * MIB).unwrap();
    small_disk(&folder, "cut.raw", 20 * MIB, 40, 40 * 256);
    let script = "qemu-img convert -O vmdk -o subformat=streamOptimized fits.raw fits.vmdk; head -c 200000 fits.vmdk > cut.vmdk; \
                  printf '<Envelope/>' > box.ovf; tar --format=ustar -cf only.ova box.ovf cut.vmdk; \
                  tar --format=ustar -cf raw.ova box.ovf cut.raw; tar --format=ustar -cf first.ova box.ovf cut.raw fits.vmdk; \
                  tar --format=ustar -cf second.ova box.ovf fits.raw cut.vmdk";
    let made = command("sh").args(["-ec", script]).current_dir(folder.path(".")).status();
    assert!(made.unwrap().success());
    for (name, code, names, advice) in [
        ("only.ova", "IMS-020", Some("\"cut.vmdk\": "), None),
        ("raw.ova", "IMS-051", None, Some("imsprep prepare raw.ova --allow IMS-051")),
        ("first.ova", "IMS-051", Some("\"cut.raw\": "), Some("imsprep prepare first.ova --disk 2")),
        ("second.ova", "IMS-020", Some("\"cut.vmdk\": "), Some("imsprep prepare second.ova --disk 1")),
    ] {
        for args in [&["check", name][..], &["check", "--quick", name]] {
            let (status, json) = folder.json(args);
            let findings = json["files"][0]["report"]["findings"].as_array().unwrap();
            let of = |code: &str| {
                findings.iter().find(|one| one["code"] == code).unwrap_or_else(|| panic!("{json}"))
            };
            let message = of(code)["message"].as_str().unwrap();
            assert!(status == 1 && names.is_none_or(|names| message.starts_with(names)), "{name}: {message}");
            let fix = of("IMS-024")["fix"].as_str().unwrap();
            match advice {
                Some(advice) => assert!(fix.contains(advice), "{name}: {fix}"),
                None => assert!(!fix.contains("prepare"), "{name}: {fix}"),
            }
        }
    }
}

/// A disk of an XVA has its zeros left out, so that no chunk of it is a disk.
#[test]
fn an_export_of_a_xen_server_is_no_disk_that_was_cut() {
    need_tools(["tar"]);
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("Ref:4")).unwrap();
    folder.write("ova.xml", b"<value><struct/></value>");
    small_disk(&folder, "Ref:4/00000000", MIB, 40, 10);
    folder.write("Ref:4/00000000.checksum", b"abc");
    folder.write("Ref:4/00000007", &[7; 1 << 20]);
    let made = command("tar")
        .args(["--format=ustar", "-cf", "m.xva", "ova.xml", "Ref:4"])
        .current_dir(folder.path("."))
        .status();
    assert!(made.unwrap().success());
    let (status, json) = folder.json(&["check", "m.xva"]);
    let findings = json["files"][0]["report"]["findings"].as_array().unwrap();
    let codes = findings.iter().map(|one| one["code"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!((status, codes), (1, vec!["IMS-024"]), "{json}");
    let fix = findings[0]["fix"].as_str().unwrap();
    assert!(fix.contains("export the disk") && !fix.contains('`'), "{fix}");
    for args in [["convert", "m.xva", "new.zvhd2"], ["prepare", "m.xva", "-onew.zvhd2"]] {
        let run = folder.run(&args);
        assert!(
            run.status != 0 && run.err.contains("export the disk") && !run.err.contains("cat "),
            "{run:?}"
        );
    }
}

/// The way out of a request's own rules goes by what is on the disk, too.
#[test]
fn a_request_advises_no_plain_conversion_of_a_disk_that_was_cut() {
    need_tools(["qemu-img"]);
    let folder = Folder::new();
    for (size, allow) in [(44 * MIB, ""), (20 * MIB, " --allow IMS-051")] {
        small_disk(&folder, "disk.raw", size, 40, 40 * 256);
        let made = command("qemu-img")
            .args(["convert", "-O", "qcow2", "disk.raw", "disk.qcow2"])
            .current_dir(folder.path("."))
            .status();
        assert!(made.unwrap().success());
        let file = std::fs::File::options().write(true).open(folder.path("disk.qcow2")).unwrap();
        file.set_len(129 << 30).unwrap();
        let (_, json) = folder.json(&[&["request", "disk.qcow2"][..], &REQUEST].concat());
        let findings = json["report"]["findings"].as_array().unwrap();
        let fix = findings.iter().find(|one| one["code"] == "IMS-139").unwrap()["fix"].as_str().unwrap();
        assert!(fix.contains(&format!("`imsprep prepare disk.qcow2{allow}`")), "{fix}");
        std::fs::remove_file(folder.path("disk.raw")).unwrap();
    }
}

#[test]
fn min_disk_is_the_same_number_everywhere() {
    let folder = Folder::new();
    for (size, expected) in
        [(GIB, 10), (50 * GIB, 51), (50 * GIB - 512, 50), (1023 * GIB + 1, 1024), (1024 * GIB, 1024)]
    {
        let path = folder.sparse("disk.raw", size, &[]);
        let (_, inspect) = folder.json(&["inspect", "disk.raw"]);
        assert_eq!(inspect["files"][0]["min_disk"], expected, "{size}");
        let (_, request) = folder.json(&[&["request", "disk.raw"][..], &REQUEST].concat());
        let filled = request["filled"].as_array().unwrap().iter().find(|one| one["field"] == "min_disk");
        assert_eq!(filled.unwrap()["value"], expected.to_string(), "{size}");
        let least = expected.to_string();
        let (_, check) = folder.json(&["check", "--quick", "disk.raw", "--min-disk", &least]);
        let findings = check["files"][0]["report"]["findings"].as_array().unwrap().clone();
        let is_tight = |code: &str| findings.iter().any(|finding| finding["code"] == code);
        // A disk of 1 TiB has no larger number to ask for.
        assert_eq!(is_tight("IMS-042") || is_tight("IMS-043"), size == 1024 * GIB, "{size}");
        std::fs::remove_file(path).unwrap();
    }
}

/// The fix is run as it stands.
#[test]
fn the_backup_of_a_gpt_is_moved_by_the_command_that_is_given() {
    need_tools(["sgdisk", "truncate"]);
    let folder = Folder::new();
    folder.sparse("a disk.raw", GIB + MIB, &[]);
    let sh = |script: &str| {
        let path = std::path::Path::new(env!("CARGO_BIN_EXE_imsprep")).parent().unwrap();
        let path = format!("{}:{}", path.display(), imsprep_testdata::tool_path().display());
        let status =
            command("sh").args(["-ec", script]).env("PATH", path).current_dir(folder.path(".")).status();
        assert!(status.unwrap().success(), "{script}");
    };
    sh("sgdisk -n1:2048:+100M 'a disk.raw' >/dev/null");
    assert_eq!(folder.run(&["convert", "a disk.raw", "b.zvhd2"]).status, 0);
    for (name, made) in [("a disk.raw", "a disk.fit.raw"), ("b.zvhd2", "b.fit.zvhd2")] {
        let (_, json) = folder.json(&["check", name]);
        let findings = json["files"][0]["report"]["findings"].as_array().unwrap();
        let fix = findings.iter().find(|one| one["code"] == "IMS-018").unwrap()["fix"].as_str().unwrap();
        sh(fix.split('`').nth(1).unwrap());
        let (_, json) = folder.json(&["inspect", made]);
        let disk = &json["files"][0];
        assert_eq!(disk["disk_size"], 2 * GIB, "{name}");
        assert_eq!(disk["table"]["problems"].as_array().unwrap().len(), 0, "{name}: {disk}");
        assert_eq!(disk["partitions"].as_array().unwrap().len(), 1, "{name}");
    }
}
