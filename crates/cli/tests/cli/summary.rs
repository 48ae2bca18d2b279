//! `imsprep summary`: lines of many runs, good ones and bad ones, into one report.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::folder::{Folder, Run};
use crate::snapshots::assert_run;

const GIB: u64 = 1 << 30;

/// A line of `check` on an image of that name; `change` makes it another's.
fn line(path: &str, change: impl FnOnce(&mut Value)) -> String {
    let finding =
        |code: &str, severity: &str| json!({"code": code, "severity": severity, "message": "m", "fix": "f"});
    let mut line = json!({
        "schema": "imsprep.check.file", "version": 1, "tool": {"name": "imsprep", "version": "0.1.0"},
        "exit_status": 0, "rule_set": "2026-11-21", "profile": "huawei", "config": null,
        "path": path, "verdict": "importable", "reservations": ["bitmap-layout-unproven"], "seconds": 1.0, "error": null,
        "detection": {"file_size": GIB},
        "report": {"findings": [finding("BM-005", "warning")], "totals": [{"code": "BM-005", "severity": "warning", "total": 1, "listed": 1}]},
    });
    change(&mut line);
    // The schema first, as imsprep writes it.
    let schema = line.as_object_mut().unwrap().remove("schema").unwrap();
    let rest = serde_json::to_string(&line).unwrap();
    format!("{{\"schema\":{schema},{}\n", rest.strip_prefix('{').unwrap())
}

fn broken(line: &mut Value) {
    line["verdict"] = "not-importable".into();
    line["exit_status"] = 1.into();
    line["reservations"] = json!([]);
    line["report"]["findings"] = json!([{"code": "ZV-014", "severity": "error", "message": "record 7 is torn", "fix": "convert it again"}]);
    line["report"]["totals"] = json!([
        {"code": "ZV-014", "severity": "error", "total": 12, "listed": 12},
        {"code": "IMS-005", "severity": "note", "total": 1, "listed": 1},
        {"code": "IMS-012", "severity": "error", "total": 1, "listed": 1},
    ]);
}

fn unseen(line: &mut Value) {
    line["verdict"] = "could-not-tell".into();
    line["exit_status"] = 2.into();
    line["error"] = "c.raw: Input/output error (os error 5)".into();
    line["reservations"] = json!([]);
    line["detection"] = Value::Null;
    line["report"] = Value::Null;
}

/// Runs with the lines on standard input.
fn pipe(folder: &Folder, args: &[&str], input: &[u8]) -> Run {
    let output = folder.command(&[&["summary"], args].concat()).write_stdin(input).output().unwrap();
    Run {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn json_of(folder: &Folder, args: &[&str], input: &str) -> (i32, Value) {
    let run = pipe(folder, &[args, &["--json"]].concat(), input.as_bytes());
    let value = serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{e}: {run:?}"));
    (run.status, value)
}

#[test]
fn a_report_for_people_word_for_word() {
    let folder = Folder::new();
    let mut lines = String::new();
    for number in 0..12 {
        lines +=
            &line(&format!("images/good{number:02}.raw"), |line| line["seconds"] = f64::from(number).into());
    }
    for number in 0..12 {
        lines += &line(&format!("images/torn{number:02}.zvhd2"), broken);
    }
    lines += &line("images/c.raw", unseen);
    lines += &line("images/strict.raw", |line| line["exit_status"] = 1.into());
    lines += &line("images/new.raw", |line| {
        line["tool"]["version"] = "0.2.0".into();
        line["report"]["totals"] =
            json!([{"code": "NEW-001", "severity": "warning", "total": 1, "listed": 1}]);
    });
    // The same image again: mended.
    lines += &line("./images/torn11.zvhd2", |_| {});
    lines += &line("other.raw", |_| {});
    lines += "not a line\n{\"schema\":\"imsprep.check.file\",\"ver";
    folder.write("lines.ndjson", lines.as_bytes());
    let mut list =
        (0..12).map(|n| format!("images/good{n:02}.raw\nimages/torn{n:02}.zvhd2\n")).collect::<String>();
    list += "images/c.raw\nimages/strict.raw\nimages/new.raw\nimages/died.raw\n";
    folder.write("list", list.as_bytes());
    assert_run("summary", &folder, &["summary", "--expect", "list", "lines.ndjson"]);
    assert_run("summary_verbose", &folder, &["summary", "-v", "--expect", "list", "lines.ndjson"]);
    folder.write("good.ndjson", (line("a.raw", |_| {}) + &line("b.raw", |_| {})).as_bytes());
    assert_run("summary_good", &folder, &["summary", "good.ndjson"]);
    assert_run("help_summary", &folder, &["summary", "--help"]);
}

#[test]
fn the_exit_status_is_the_worst_of_all() {
    let folder = Folder::new();
    let (good, bad, unseen) = (line("a", |_| {}), line("b", broken), line("c", unseen));
    for (input, status) in [
        (good.clone(), 0),
        (format!("{good}{bad}"), 1),
        (format!("{unseen}{bad}{good}"), 2),
        (format!("{good}garbage"), 2),
        (String::new(), 2),
        ("\n\n".into(), 2),
    ] {
        for args in [&[][..], &["-q"], &["--json"]] {
            let run = pipe(&folder, args, input.as_bytes());
            assert_eq!(run.status, status, "{args:?} {input}: {run:?}");
            assert!(args != ["-q"] || run.out.is_empty());
        }
    }
    folder.write("list", b"a\nb\n");
    for (input, status) in [(good.clone(), 2), (format!("{good}{bad}"), 1), (String::new(), 2)] {
        let run = pipe(&folder, &["--expect", "list"], input.as_bytes());
        assert_eq!(run.status, status, "{input}: {run:?}");
    }
    let run = pipe(&folder, &[], b"");
    assert!(run.err.contains("there is no report to merge"), "{run:?}");
    assert_eq!(pipe(&folder, &["none.ndjson"], b"").status, 2);
    assert_eq!(pipe(&folder, &["-", "--expect", "-"], b"").status, 2);
}

#[test]
fn of_an_image_that_comes_twice_the_last_counts() {
    let folder = Folder::new();
    let lines = line("a", unseen) + &line("b", |_| {}) + &line("./a", |line| line["seconds"] = 5.0.into());
    let (status, json) = json_of(&folder, &[], &lines);
    assert_eq!((status, &json["images"]["importable"], &json["images"]["total"]), (0, &json!(2), &json!(2)));
    assert_eq!((&json["documents"]["counted"], &json["documents"]["again"]), (&json!(3), &json!(1)));
    assert_eq!((&json["seconds"], &json["bytes"]), (&json!(6.0), &json!(2 * GIB)));
    let lines = line("a", |_| {}) + &line("a", broken);
    let (status, json) = json_of(&folder, &[], &lines);
    assert_eq!(
        (status, &json["to_do"][0]["path"], &json["to_do"][0]["errors"]),
        (1, &json!("a"), &json!(13))
    );
    // Names are bytes: these two are shown alike.
    let other = |hex: &'static str| move |line: &mut Value| line["path_bytes"] = hex.into();
    let lines = line("\u{fffd}", other("ff")) + &line("\u{fffd}", other("fe")) + &line("\u{fffd}", |_| {});
    assert_eq!(json_of(&folder, &[], &lines).1["images"]["total"], 3);
}

#[test]
fn an_image_without_a_line_is_missing() {
    let folder = Folder::new();
    let lines = line("a", |_| {}) + &line("x\ny", |_| {}) + &line("stranger", |_| {});
    folder.write("nul", b"a\0./x\ny\0died\0");
    let (status, json) = json_of(&folder, &["--expect", "nul"], &lines);
    assert_eq!((status, &json["images"]["missing"]), (2, &json!(1)));
    let todo = &json["to_do"][0];
    assert_eq!(
        (&todo["path"], &todo["standing"], &todo["exit_status"]),
        (&json!("died"), &json!("missing"), &json!(2))
    );
    assert_eq!(json["unexpected"], json!({"total": 1, "listed": [{"path": "stranger"}]}));
    // A list on standard input, lines in a file.
    folder.write("lines", lines.as_bytes());
    let run = pipe(&folder, &["--expect", "-", "lines"], b"a\r\nstranger\r\n");
    assert_eq!(run.status, 0, "{run:?}");
}

#[test]
fn pieces_that_do_not_count_are_told_by_their_line() {
    let folder = Folder::new();
    let whole = line("a", |_| {});
    let torn = &whole[..100];
    let detect = "{\"schema\":\"imsprep.detect\",\"version\":1}";
    let later = line("b", |line| line["version"] = 2.into());
    let input = format!(
        "\u{feff}{whole}\r\n{{\"level\":\"info\"}}\n{detect}\n{later}{torn}{whole}{{\n  \"schema\": 1,\n{whole}{torn}"
    );
    folder.write("lines", input.as_bytes());
    let (status, json) = folder.json(&["summary", "lines"]);
    assert_eq!(
        (status, &json["documents"]["counted"], &json["documents"]["not_counted"]),
        (2, &json!(3), &json!(6))
    );
    let listed = json["documents"]["listed"].as_array().unwrap();
    let told = listed.iter().map(|piece| (piece["line"].as_u64().unwrap(), piece["why"].as_str().unwrap()));
    let told = told.map(|(line, why)| (line, why.split(':').next().unwrap().to_owned())).collect::<Vec<_>>();
    let expected = [
        (3, "valid JSON, but not an imsprep report"),
        (
            4,
            "imsprep.detect has no verdict on an image; supported are imsprep.check.file, imsprep.check, imsprep.prepare, imsprep.prepare.files",
        ),
        (5, "version 2 of imsprep.check.file needs a newer imsprep; this one supports version 1"),
        (6, "truncated JSON"),
        (7, "truncated"),
        (10, "truncated JSON"),
    ];
    assert_eq!(told, expected.map(|(line, why)| (line, why.to_owned())));
    assert_eq!(listed[0]["file"]["path"], "lines");
    assert_eq!(json["images"]["importable"], 1);
}

#[test]
fn documents_on_several_lines_and_folders_are_taken() {
    let folder = Folder::new();
    for name in ["reference.zvhd2", "disk.qcow2"] {
        std::fs::copy(imsprep_testdata::folder().join(name), folder.path(name)).unwrap();
    }
    std::fs::create_dir(folder.path("reports")).unwrap();
    let check = folder.run(&["check", "--json", "reference.zvhd2", "disk.qcow2"]);
    folder.write("reports/check.json", check.out.as_bytes());
    folder.write("reports/notes.txt", b"not read");
    let (status, json) = folder.json(&["summary", "reports"]);
    assert_eq!(
        (status, &json["images"]["importable"], &json["images"]["not_importable"]),
        (1, &json!(1), &json!(1))
    );
    assert_eq!(json["to_do"][0]["code"], "IMS-001");
    // Prepared, and that twice: it is there by then.
    let prepare = |name: &str| folder.run(&["prepare", "--json", name]);
    let (first, second) = (prepare("disk.qcow2"), prepare("disk.qcow2"));
    assert_eq!((first.status, second.status), (0, 2));
    assert!(second.err.contains("disk.zvhd2") && second.out.contains("\"error\": \""), "{second:?}");
    folder.write("reports/prepare1.json", first.out.as_bytes());
    let (status, json) = folder.json(&["summary", "reports"]);
    assert_eq!(
        (status, &json["images"]["importable"], &json["documents"]["again"]),
        (0, &json!(2), &json!(1))
    );
    folder.write("reports/prepare2.json", (first.out + &second.out).as_bytes());
    let (status, json) = folder.json(&["summary", "reports"]);
    assert_eq!((status, &json["images"]["could_not_look"]), (2, &json!(1)));
}

#[test]
fn nothing_in_a_line_moves_the_cursor() {
    let folder = Folder::new();
    let evil = "\u{1b}[2J\n\u{202e}";
    let lines = line(evil, |line| {
        broken(line);
        line["report"]["findings"] =
            json!([{"code": evil, "severity": "error", "message": evil, "fix": evil}]);
        line["report"]["totals"] = json!([{"code": evil, "severity": "error", "total": 1, "listed": 1}]);
        line["tool"]["version"] = evil.into();
        line["profile"] = evil.into();
    }) + &line("b", |line| line["reservations"] = json!([evil]))
        + &line("c", |line| {
            unseen(line);
            line["error"] = evil.into();
        })
        + &line("d", |line| line["schema"] = format!("imsprep.{evil}").into());
    let run = pipe(&folder, &["-v"], lines.as_bytes());
    assert!(run.status == 2 && !run.out.contains(['\u{1b}', '\u{202e}']), "{run:?}");
    assert_eq!(run.out.matches("\\u{1b}[2J\\n\\u{202e}").count(), 12, "{}", run.out);
}

/// Writes `times` of a piece to the command's standard input, in 160 MiB of address space.
fn stream(folder: &Folder, pieces: impl Iterator<Item = Vec<u8>>) -> Run {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v 163840 && exec \"$0\" --threads 1 summary --json"])
        .arg(env!("CARGO_BIN_EXE_imsprep"))
        .current_dir(folder.path("."))
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for piece in pieces {
        input.write_all(&piece).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    Run {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn memory_is_bounded_whatever_the_lines_hold() {
    let folder = Folder::new();
    // A line of 180 MiB, and one on so many lines, then a good one.
    let block = vec![b'x'; 4 << 20];
    let long = std::iter::repeat_n(block.clone(), 45).chain([b"\n{\n".to_vec()]);
    let indented = [b"  ".to_vec(), block, b"\n".to_vec()].concat();
    let high = std::iter::repeat_n(indented, 45).chain([b"}\n".to_vec(), line("a", |_| {}).into_bytes()]);
    let run = stream(&folder, long.chain(high));
    let json = serde_json::from_str::<Value>(&run.out).unwrap_or_else(|e| panic!("{e}: {run:?}"));
    assert_eq!(
        (run.status, &json["documents"]["counted"], &json["documents"]["not_counted"]),
        (2, &json!(1), &json!(2))
    );
    // Twenty-five thousand images that differ, with a text of 4 KiB in each.
    let fat = "f".repeat(4096);
    let lines = (0..25_u32).map(|hundred| {
        let fat = &fat;
        let lines = (0..1000).map(|n| {
            line(&format!("{hundred}/{n}"), |line| {
                line["report"]["findings"][0]["fix"] = fat.as_str().into();
                line["report"]["findings"][0]["message"] = fat.as_str().into();
            })
        });
        lines.collect::<String>().into_bytes()
    });
    let run = stream(&folder, lines);
    let json = serde_json::from_str::<Value>(&run.out).unwrap_or_else(|e| panic!("{e}: {run:?}"));
    assert_eq!((run.status, &json["images"]["importable"]), (0, &json!(25_000)));
    // Lists in a line that are as long as a line can be.
    let many = |field: &str, item: &str| {
        let text = line("a", |_| {});
        let start = text.trim_end().strip_suffix('}').unwrap().to_owned();
        let text = start.replace("\"reservations\":", "\"x\":");
        format!("{text},\"{field}\":[{}null]}}\n", format!("{item},").repeat((15 << 20) / (item.len() + 1)))
            .into_bytes()
    };
    let run = stream(
        &folder,
        [many("reservations", "\"\""), many("more", "{}"), line("b", |_| {}).into_bytes()].into_iter(),
    );
    let json = serde_json::from_str::<Value>(&run.out).unwrap_or_else(|e| panic!("{e}: {run:?}"));
    // Of the second the reservations are missing.
    assert_eq!(
        (run.status, &json["documents"]["counted"], &json["documents"]["not_counted"]),
        (2, &json!(1), &json!(2))
    );
}
