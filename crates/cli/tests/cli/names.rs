//! Names of files that do something to a terminal, that are no text, or that are as long as names can be: through every command,
//! in every form of output.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde_json::Value;

use imsprep_testdata::command;

use crate::folder::{Folder, names_in};

/// Escape sequences, C1 controls, line feeds, what turns the direction of writing, no UTF-8, a hyphen.
const NAMES: &[&[u8]] = &[
    b"a\x1b[2J\x1b]0;owned\x07b.raw",
    b"line\nerror: all is well.raw",
    b"tab\tcr\rbs\x08del\x7f.raw",
    "c1\u{9b}2J\u{85}x.raw".as_bytes(),
    "bidi\u{202e}war.\u{2066}exe\u{61c}.raw".as_bytes(),
    b"latin\xe9\xff.raw",
    b"-rf.raw",
    b"--json.raw",
    b"quote'\"<&>$(id)`.raw",
    // Commands to a build server, which do no harm.
    b"##vso[task.debug]x.raw",
    b"a ##[debug]x.raw",
    b"::debug::x.raw",
    b" \t::debug::x.raw",
    b"line\n::debug::x.raw",
    b":",
];

/// What a build server takes for a command in this line.
pub(crate) fn is_ci_command(line: &str) -> bool {
    line.trim_start().starts_with("::") || line.contains("##[") || line.to_lowercase().contains("##vso[")
}

/// Every command that takes the image, in each form of its output.
const COMMANDS: &[&[&str]] = &[
    &["check", "IMAGE"],
    &["check", "-v", "IMAGE"],
    &["check", "--json", "IMAGE"],
    &["check", "--format", "ndjson", "IMAGE"],
    &["check", "--format", "sarif", "IMAGE"],
    &["check", "--format", "junit", "IMAGE"],
    &["check", "--format", "html", "IMAGE"],
    &["detect", "--format", "html", "IMAGE"],
    &["check", "IMAGE", "IMAGE", "--write-bitmap", "--manifest", "sums.json", "--force"],
    &["check", "."],
    &["detect", "IMAGE"],
    &["detect", "--json", "IMAGE"],
    &["inspect", "IMAGE"],
    &["inspect", "--json", "IMAGE"],
    &["bitmap", "create", "IMAGE"],
    &["bitmap", "create", "IMAGE", "--force"],
    &["bitmap", "create", "IMAGE", "--force", "--json"],
    &["bitmap", "verify", "IMAGE"],
    &["bitmap", "verify", "IMAGE", "--json"],
    &["bitmap", "show", "PARTNER"],
    &["bitmap", "show", "PARTNER", "--json"],
    &["bitmap", "diff", "PARTNER", "PARTNER"],
    &["bitmap", "diff", "PARTNER", "PARTNER", "--json"],
    &["bitmap", "convert", "PARTNER", "x.bmap", "--to", "bmap", "--force"],
    &["bitmap", "convert", "PARTNER", "x.bmap", "--to", "bmap", "--force", "--json"],
    &["bitmap", "learn", "--image", "IMAGE", "--sample", "PARTNER"],
    &["bitmap", "learn", "--image", "IMAGE", "--sample", "PARTNER", "--json"],
    &["bitmap", "make-sample", "-o", "IMAGE"],
    &["convert", "IMAGE", "x.zvhd2", "--force"],
    &["convert", "IMAGE", "x.zvhd2", "--force", "--json"],
    &["convert", "x.zvhd2", "IMAGE"],
    &["compare", "IMAGE", "x.zvhd2"],
    &["compare", "IMAGE", "x.zvhd2", "--json"],
    &["prepare", "IMAGE"],
    &["prepare", "IMAGE", "--json"],
    &["zvhd2", "check", "IMAGE"],
    &["zvhd2", "info", "IMAGE"],
    &["zvhd2", "map", "IMAGE"],
    &["zvhd2", "repair", "IMAGE", "y.zvhd2"],
    &[
        "request",
        "IMAGE",
        "--bucket",
        "my-images",
        "--name",
        "n",
        "--os-version",
        "CentOS 7.0 64bit",
        "--next-steps",
    ],
    &[
        "request",
        "IMAGE",
        "--bucket",
        "my-images",
        "--name",
        "n",
        "--os-version",
        "CentOS 7.0 64bit",
        "--json",
    ],
    &["request", "--validate", "IMAGE"],
    &["rules", "IMAGE"],
    &["bench", "IMAGE", "--html", "IMAGE"],
    // Mistakes, which the parser words.
    &["bitmap", "convert", "PARTNER", "x", "--to", "IMAGE"],
    &["check", "--io", "IMAGE", "x"],
    &["detect", "IMAGE", "--nothing=IMAGE"],
    &["IMAGE"],
    // What is not there.
    &["check", "none/IMAGE"],
    &["check", "--json", "none/IMAGE"],
    &["detect", "none/IMAGE"],
    &["convert", "none/IMAGE", "x.zvhd2"],
    &["bitmap", "create", "x.zvhd2", "-o", "none/IMAGE"],
];

/// The arguments with the names put in; a name that begins with a hyphen comes as people write it.
fn arguments(command: &[&str], name: &OsStr) -> Vec<OsString> {
    let dashed = name.as_bytes().starts_with(b"-");
    let safe = if dashed { [b"./", name.as_bytes()].concat() } else { name.as_bytes().to_vec() };
    let partner = std::path::Path::new(OsStr::from_bytes(&safe)).with_extension("mf").into_os_string();
    let replaced = |word: &str| {
        let (before, image, after) = match (word.split_once("IMAGE"), word.split_once("PARTNER")) {
            (Some((before, after)), _) => (before, safe.clone(), after),
            (_, Some((before, after))) => (before, partner.clone().into_vec(), after),
            _ => return OsString::from(word),
        };
        OsString::from_vec([before.as_bytes(), &image, after.as_bytes()].concat())
    };
    command.iter().map(|word| replaced(word)).collect()
}

/// What may not stand in an output: the control characters of both sets but the line feed, and what turns the writing.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
            .contains(c)
}

/// All strings in a JSON document.
fn strings<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, all)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, all)),
        _ => {}
    }
}

/// A document names the file, or the partner of its name, whole: as text, or by its bytes.
fn assert_named(json: &Value, name: &OsStr, context: &str) {
    let mut all = Vec::new();
    strings(json, &mut all);
    let stem = name.as_bytes().strip_suffix(b".raw").unwrap_or(name.as_bytes());
    let hex = stem.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let found = all.iter().any(|text| {
        text.strip_prefix("./").unwrap_or(text).as_bytes().starts_with(stem) || text.contains(&hex)
    });
    assert!(found, "{context}: {json:#}");
}

#[test]
fn no_name_does_anything_to_a_terminal_and_json_tells_it_whole() {
    for name in NAMES {
        let folder = Folder::new();
        let name = OsStr::from_bytes(name);
        let made = std::fs::File::create(folder.path(".").join(name)).unwrap();
        made.set_len(4 << 20).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&made, b"x", 0).unwrap();
        drop(made);
        for command in COMMANDS {
            let mut process = folder.command(&[]);
            let output = process.args(arguments(command, name)).output().unwrap();
            let context = format!("{command:?} on {name:?}: {output:?}");
            assert!(matches!(output.status.code(), Some(0..=2)), "{context}");
            for text in [&output.stdout, &output.stderr] {
                let text = std::str::from_utf8(text).expect(&context);
                assert!(!text.contains(acts), "{context}");
                assert!(!text.lines().any(is_ci_command), "{context}");
                // Nor is a line of ours made by it.
                assert!(!text.lines().any(|line| line.starts_with("error: all is well")), "{context}");
            }
            let text = String::from_utf8_lossy(&output.stdout);
            let parsed = text.trim_start().starts_with(['{', '[']);
            if command.contains(&"--json") && !text.is_empty() && !command.contains(&"none/IMAGE") {
                let json = serde_json::from_str::<Value>(&text).expect(&context);
                assert_named(&json, name, &context);
            } else if parsed && !command.contains(&"map") {
                serde_json::from_str::<Value>(&text).expect(&context);
            }
        }
    }
}

/// As long as a name can be: nothing can be appended to it, neither `.mf` nor what a temporary file would need.
#[test]
fn names_of_255_bytes() {
    let folder = Folder::new();
    let plain = "n".repeat(255);
    folder.sparse(&plain, 4 << 20, &[0]);
    let (status, json) = folder.json(&["check", &plain]);
    let report = &json["files"][0]["report"];
    assert_eq!((status, crate::folder::codes(report).contains(&"BM-003".to_owned())), (1, true), "{json:#}");
    assert!(folder.run(&["check", &plain]).out.contains("rename the image to a shorter name"));
    for args in [&["bitmap", "create", &plain][..], &["bitmap", "verify", &plain]] {
        let run = folder.run(args);
        assert_eq!(run.status, 2, "{run:?}");
        assert!(run.err.contains(".mf: cannot open: File name too long"), "{run:?}");
    }
    let output = format!("{}.zvhd2", "o".repeat(249));
    let raw = format!("{}.raw", "o".repeat(251));
    for _ in 0..2 {
        assert_eq!(folder.run(&["convert", &plain, &output, "--force"]).status, 0);
        assert_eq!(folder.run(&["convert", &output, &raw, "--force"]).status, 0);
    }
    let run = folder.run(&["convert", &plain, &format!("{}.zvhd2", "o".repeat(250))]);
    assert!(run.status == 2 && run.err.contains("File name too long"), "{run:?}");
    let mut expected = [plain, format!("{}.mf", "o".repeat(251)), raw, output];
    expected.sort();
    assert_eq!(folder.names(), expected);
}

/// Below folders whose names are more than 4096 bytes together: no absolute path leads there.
#[test]
fn a_path_of_more_than_4096_bytes() {
    let folder = Folder::new();
    let far = format!("/{}disk.raw", "d/".repeat(2500));
    for args in
        [&["check", &far][..], &["detect", &far], &["convert", &far, "x.zvhd2"], &["bitmap", "create", &far]]
    {
        let run = folder.run(args);
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        assert!(run.err.contains("cannot open: File name too long"), "{args:?}: {run:?}");
    }
    let script = "i=0; while [ $i -lt 25 ]; do mkdir \"$1\" && cd -P \"$1\" || exit 9; i=$((i+1)); done; \
                  printf x > disk.raw && truncate -s 4M disk.raw || exit 9; shift; \
                  for a in 'check --write-bitmap disk.raw' 'check disk.raw --manifest sums.json' 'inspect disk.raw' \
                  'convert disk.raw x.zvhd2' 'convert x.zvhd2 x.raw' 'convert --force x.zvhd2 x.raw' 'compare disk.raw x.raw'; do \
                  \"$0\" $a >/dev/null || { echo \"$a: $?\" >&2; exit 8; }; done; ls -A; pwd -P | wc -c";
    let output = command("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_imsprep"), &"p".repeat(200)])
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let lines = out.lines().collect::<Vec<_>>();
    assert_eq!(lines[..6], ["disk.mf", "disk.raw", "sums.json", "x.mf", "x.raw", "x.zvhd2"], "{out}{err}");
    assert!(lines[6].trim().parse::<usize>().unwrap() > 4096, "{out}");
    assert_eq!(names_in(&folder.path(".")).len(), 1);
}
