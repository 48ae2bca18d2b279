//! Text from an image does not act on the build server that keeps the output, in any form. The commands tried do no harm: they print
//! a line for debugging.

use imsprep_testdata::{command, need_tools};
use serde_json::Value;

use crate::folder::Folder;
use crate::names::is_ci_command;

const WORDS: &[&str] = &["##vso[task.debug]x", "##[debug]x", "::debug::x"];

fn tool(folder: &Folder, name: &str, args: &[&str]) {
    let output = command(name).args(args).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{name} {args:?}: {output:?}");
}

/// A RAW with that word for the name of a partition and, as far as it goes, for the label of the file system in it.
fn labelled(folder: &Folder, word: &str) {
    folder.sparse("disk.raw", 64 << 20, &[]);
    tool(folder, "sgdisk", &["-n", "1:2048:+48M", "-c", &format!("1:{word}"), "disk.raw"]);
    let label = &word[..word.len().min(16)];
    tool(folder, "mkfs.ext4", &["-q", "-L", label, "-E", "offset=1048576", "disk.raw", "40M"]);
}

#[test]
fn labels_and_partition_names_command_nobody() {
    need_tools(["sgdisk", "mkfs.ext4"]);
    for word in WORDS {
        let folder = Folder::new();
        labelled(&folder, word);
        for args in [
            &["inspect", "disk.raw"][..],
            &["inspect", "-v", "disk.raw"],
            &["inspect", "--json", "disk.raw"],
            &["check", "-v", "disk.raw"],
            &["check", "--json", "disk.raw"],
            &["check", "--format", "ndjson", "disk.raw"],
            &["check", "--format", "sarif", "disk.raw"],
            &["check", "--format", "junit", "disk.raw"],
            &["check", "disk.raw", "--html", "page.html", "--manifest", "sums.json", "--force"],
            &["prepare", "--json", "disk.raw"],
            // The image has an error by this purpose: the words are in a finding, too.
            &["check", "disk.raw", "--purpose", "system", "--prefix", word],
        ] {
            let run = folder.run(args);
            let context = format!("{args:?}: {run:?}");
            assert!(!run.out.lines().chain(run.err.lines()).any(is_ci_command), "{context}");
        }
        let (_, json) = folder.json(&["inspect", "disk.raw"]);
        assert!(json.to_string().contains(word), "a reader of JSON has it whole: {json:#}");
        for file in ["page.html", "sums.json"] {
            let text = std::fs::read_to_string(folder.path(file)).unwrap();
            assert!(!text.lines().any(is_ci_command), "{file}: {text}");
        }
        let page = std::fs::read_to_string(folder.path("page.html")).unwrap();
        assert!(page.contains("debug]x") || page.contains("debug::x"), "the page has the label");
    }
}

#[test]
fn nor_do_names_in_an_image_in_a_body_and_in_error_texts() {
    for word in WORDS {
        let folder = Folder::new();
        // The name of a backing file, and that of a member of an archive.
        let mut qcow2 = vec![0; 1 << 16];
        qcow2[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
        qcow2[14..16].copy_from_slice(&[2, 0]);
        qcow2[19] = u8::try_from(word.len()).unwrap();
        qcow2[23] = 16;
        qcow2[30] = 1;
        qcow2[512..512 + word.len()].copy_from_slice(word.as_bytes());
        folder.write("disk.qcow2", &qcow2);
        folder.write("settings.toml", format!("'{word}' = 1\n").as_bytes());
        folder.write("body.json", serde_json::json!({ *word: *word, "name": word }).to_string().as_bytes());
        folder.sparse("disk.raw", 1 << 30, &[0]);
        assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
        for args in [
            &["check", "disk.qcow2"][..],
            &["check", "--json", "disk.qcow2"],
            &["detect", "disk.qcow2"],
            &["convert", "disk.qcow2", "x.zvhd2"],
            &["prepare", "disk.qcow2"],
            &["check", "--config", "settings.toml", "disk.raw"],
            &["request", "--validate", "body.json"],
            &["request", "--validate", "body.json", "--json"],
            &["rules", word],
            &["check", "--allow", word, "disk.raw"],
            &["request", "disk.raw", "--bucket", "my-images", "--name", word, "--os-version", word],
            &[
                "request",
                "disk.raw",
                "--bucket",
                "my-images",
                "--name",
                "n",
                "--purpose",
                "data",
                "--description",
                word,
            ],
            &[
                "request",
                "disk.raw",
                "--bucket",
                "my-images",
                "--name",
                "n",
                "--purpose",
                "data",
                "--description",
                word,
                "--next-steps",
            ],
        ] {
            let run = folder.run(args);
            let context = format!("{args:?}: {run:?}");
            assert!(!run.out.lines().chain(run.err.lines()).any(is_ci_command), "{context}");
        }
        let body = [
            "request",
            "disk.raw",
            "--bucket",
            "my-images",
            "--name",
            "n",
            "--purpose",
            "data",
            "--description",
            word,
        ];
        let run = folder.run(&body);
        let body = serde_json::from_str::<Value>(&run.out).unwrap();
        assert_eq!(body["description"], **word, "{run:?}");
    }
}
