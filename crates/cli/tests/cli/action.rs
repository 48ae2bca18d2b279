//! The script of the GitHub Action (`action.yml`), with the environment that GitHub sets.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;

use imsprep_testdata::{command, need_tools};

use crate::folder::Folder;
use crate::names::is_ci_command;

fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect::<PathBuf>().canonicalize().unwrap()
}

/// What the action sets for its script: the inputs, as `action.yml` maps them to variables.
fn mapped() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let pairs = text.lines().filter_map(|line| line.trim().split_once(": ${{ inputs."));
    pairs
        .filter_map(|(variable, input)| Some((input.strip_suffix(" }}")?.to_owned(), variable.to_owned())))
        .collect()
}

struct Ran {
    status: i32,
    log: String,
    outputs: BTreeMap<String, String>,
    summary: String,
}

fn action(folder: &Folder, inputs: &[(&str, &str)]) -> Ran {
    need_tools(["bash", "jq", "sed"]);
    let mapped = mapped();
    for name in ["runner", "work"] {
        std::fs::create_dir_all(folder.path(name)).unwrap();
    }
    let (outputs, summary) = (folder.write("runner/outputs", b""), folder.write("runner/summary", b""));
    let mut step = command("bash");
    // As GitHub runs the steps of a composite action.
    step.args([
        "--noprofile",
        "--norc",
        "-e",
        "-o",
        "pipefail",
        "-c",
        "\"$GITHUB_ACTION_PATH/packaging/action/run\"",
    ])
    .current_dir(folder.path("work"))
    .env("CI", "true")
    .env("GITHUB_ACTIONS", "true")
    .env("GITHUB_ACTION_PATH", root())
    .env("GITHUB_WORKSPACE", folder.path("work"))
    .env("GITHUB_OUTPUT", &outputs)
    .env("GITHUB_STEP_SUMMARY", &summary)
    .env("RUNNER_TEMP", folder.path("runner"))
    .env("IMSPREP_PROGRAM", env!("CARGO_BIN_EXE_imsprep"));
    for (input, value) in inputs {
        step.env(&mapped[*input], value);
    }
    let Output { status, stdout, stderr } = step.output().unwrap();
    let read = |path| std::fs::read_to_string(path).unwrap();
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ran {
        status: status.code().unwrap(),
        log: String::from_utf8([stdout, stderr].concat()).unwrap(),
        outputs: read(outputs).lines().filter_map(pair).collect(),
        summary: read(summary),
    }
}

/// What the runner would act on: all but the two lines by which the script itself turns commands off and on.
fn commands_in(log: &str) -> Vec<&str> {
    let mut lines = log.lines().filter(|line| is_ci_command(line)).collect::<Vec<_>>();
    if let Some(word) = lines.first().and_then(|line| line.strip_prefix("::stop-commands::")) {
        assert_eq!(lines.pop(), Some(&*format!("::{word}::")), "{log}");
        lines.remove(0);
    }
    lines
}

#[test]
fn every_input_reaches_the_script() {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let inputs = text.split_once("\ninputs:\n").unwrap().1.split_once("\noutputs:\n").unwrap().0;
    let names = inputs.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    let names = names.filter(|name| !name.starts_with(' ') && *name != "upload-sarif").collect::<Vec<_>>();
    assert!(names.len() > 5, "{names:?}");
    let (mapped, script) = (mapped(), std::fs::read_to_string(root().join("packaging/action/run")).unwrap());
    for name in names {
        assert!(script.contains(&mapped[name]), "{name}");
    }
    // A part of the script itself could add commands to it.
    assert!(!text.lines().any(|line| line.trim_start().starts_with("run:") && line.contains("${{")));
}

#[test]
fn a_check_ends_with_its_status_and_leaves_a_summary_and_sarif() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("work")).unwrap();
    for name in ["reference.zvhd2", "disk.qcow2"] {
        let bytes = std::fs::read(imsprep_testdata::folder().join(name)).unwrap();
        folder.write(&format!("work/{name}"), &bytes);
    }
    let good = action(&folder, &[("files", "reference.zvhd2")]);
    assert_eq!((good.status, &*good.outputs["status"]), (0, "0"), "{}", good.log);
    assert!(good.summary.starts_with("### imsprep: importable\n"), "{}", good.summary);
    assert!(good.log.contains("imsprep check: importable\n"), "{}", good.log);

    let both =
        action(&folder, &[("files", "reference.zvhd2\n\n disk.qcow2 \r\ndisk.qcow2"), ("profile", "otc")]);
    // A name with blanks around it is another name.
    assert_eq!((both.status, &*both.outputs["status"]), (2, "2"), "{}", both.log);
    let bad = action(&folder, &[("files", "reference.zvhd2\ndisk.qcow2\n"), ("arguments", "--purpose=data")]);
    assert_eq!((bad.status, &*bad.outputs["status"]), (1, "1"), "{}", bad.log);
    assert!(bad.log.contains("error IMS-001: disk.qcow2: "), "{}", bad.log);
    assert!(bad.summary.contains("<pre>disk.qcow2</pre></td><td>1</td>"), "{}", bad.summary);
    let sarif = std::fs::read_to_string(&bad.outputs["sarif"]).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&sarif).unwrap()["version"], "2.1.0");
    let strict = action(&folder, &[("files", "reference.zvhd2"), ("strict", "true")]);
    assert_eq!(strict.status, 1, "{}", strict.log);

    let made = action(&folder, &[("command", "prepare"), ("files", "disk.qcow2"), ("output", "made.zvhd2")]);
    assert_eq!(made.status, 0, "{}", made.log);
    assert!(folder.path("work/made.zvhd2").exists());
    for wrong in [
        &[("command", "convert"), ("files", "disk.qcow2")][..],
        &[("files", "\n \n")],
        &[("files", "disk.qcow2"), ("strict", "yes")],
        &[("files", "disk.qcow2"), ("arguments", "--no-such-flag")],
        // No file is a flag.
        &[("files", "--help")],
    ] {
        let ran = action(&folder, wrong);
        assert_eq!(ran.status, 2, "{wrong:?}: {}", ran.log);
    }
}

#[test]
fn no_text_of_an_image_acts_on_the_log_or_the_page() {
    need_tools(["sgdisk"]);
    let folder = Folder::new();
    std::fs::create_dir(folder.path("work")).unwrap();
    for word in ["::error::x", "##[debug]x", "##vso[task.debug]x", "</pre><b>x", "```\n# x", "$(id)`id`"] {
        std::fs::create_dir(folder.path("work/images")).unwrap();
        folder.sparse("work/disk.raw", 64 << 20, &[]);
        let label = word.replace(['\n', '/', '<', '`', '$'], "");
        let made = command("sgdisk")
            .args(["-n", "1:2048:+48M", "-c", &format!("1:{label}"), "disk.raw"])
            .current_dir(folder.path("work"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let name = format!("work/images/{}.raw", word.replace('/', "_"));
        std::fs::rename(folder.path("work/disk.raw"), folder.path(&name)).unwrap();
        let ran = action(
            &folder,
            &[
                ("files", &format!("images\n{word}")),
                ("arguments", &format!("--prefix={word}\n--purpose=system")),
            ],
        );
        assert!(commands_in(&ran.log).is_empty(), "{word:?}: {}", ran.log);
        assert!(ran.status > 0, "{}", ran.log);
        assert!(!ran.summary.contains("<b>") && !ran.summary.contains("\n# x"), "{word:?}: {}", ran.summary);
        let outputs = ran.outputs.keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(outputs, ["sarif", "status"], "{word:?}");
        std::fs::remove_dir_all(folder.path("work/images")).unwrap();
    }
}
