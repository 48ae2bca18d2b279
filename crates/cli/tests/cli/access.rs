//! No output is readable for more people than what it is made from, or what it replaces; and no number of images needs as many open
//! files.

use std::os::unix::fs::PermissionsExt;

use imsprep_testdata::need_tools;

use crate::folder::Folder;
use crate::way::Way;
use crate::writers::{Stage, WRITERS};

fn mode(stage: &Stage, name: &str) -> u32 {
    std::fs::metadata(stage.folder.path(name)).unwrap().permissions().mode() & 0o777
}

fn set_mode(stage: &Stage, name: &str, mode: u32) {
    std::fs::set_permissions(stage.folder.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn an_output_is_no_more_readable_than_each_of_its_inputs() {
    let mut stage = Stage::new();
    for writer in WRITERS {
        for input in writer.inputs {
            let args = stage.prepare(writer, false);
            let before = mode(&stage, input);
            set_mode(&stage, input, 0o600);
            let run = stage.folder.run(&args);
            assert_eq!(run.status, 0, "{args:?}: {run:?}");
            for output in writer.outputs {
                assert_eq!(mode(&stage, output), 0o600, "{args:?}: {output}, made from {input}");
            }
            set_mode(&stage, input, before);
            stage.clear(writer);
        }
    }
}

#[test]
fn an_output_is_no_more_readable_than_what_it_replaces() {
    let mut stage = Stage::new();
    for writer in WRITERS.iter().filter(|writer| writer.replaces) {
        for (old, expected) in [(0o600, 0o600), (0o640, 0o640), (0o400, 0o600)] {
            let args = stage.prepare(writer, true);
            for output in writer.outputs {
                set_mode(&stage, output, old);
            }
            let run = stage.folder.run(&args);
            assert_eq!(run.status, 0, "{args:?}: {run:?}");
            for output in writer.outputs {
                assert_eq!(mode(&stage, output), expected, "{args:?}: {output}, which had {old:o}");
            }
            stage.clear(writer);
        }
    }
}

#[test]
fn more_images_than_there_may_be_open_files() {
    need_tools(["prlimit"]);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("images")).unwrap();
    for number in 0..200 {
        folder.sparse(&format!("images/{number:03}.raw"), 1 << 20, &[0]);
    }
    let way = Way::plain().threads(1).limit("--nofile=64");
    let args = ["check", "images", "--html", "page.html", "--manifest", "sums.json"];
    let run = way.run(&folder.path("."), &args);
    assert_eq!(run.status, 1, "{}", run.err);
    assert!(folder.path("page.html").exists() && folder.path("sums.json").exists(), "{}", run.err);
    // None of them is ever replaced.
    let run = way.run(&folder.path("."), &["check", "images", "--html", "images/199.raw", "--force"]);
    assert!(run.status == 2 && run.err.contains("199.raw"), "{run:?}");
}
