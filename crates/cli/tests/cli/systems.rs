//! Systems that requests name, the service's error codes, and requests as values for other tools.

use std::process::Command;

use imsprep_testdata::command;
use serde_json::Value;

use crate::folder::Folder;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A folder with a ZVHD2 under the name `disk.zvhd2`.
fn folder() -> Folder {
    let folder = Folder::new();
    std::fs::copy(imsprep_testdata::folder().join("reference.zvhd2"), folder.path("disk.zvhd2")).unwrap();
    folder
}

const REQUEST: [&str; 10] = [
    "request",
    "disk.zvhd2",
    "--bucket",
    "my-images",
    "--name",
    "web-01",
    "--purpose",
    "system",
    "--os-version",
    "Ubuntu 22.04 server 64bit",
];

#[test]
fn systems_are_listed_by_words_in_any_case() {
    let folder = Folder::new();
    let run = folder.run(&["os-versions", "22.04", "UBUNTU"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    let values = run.out.lines().filter(|line| line.contains("64bit")).collect::<Vec<_>>();
    assert_eq!(values.len(), 3, "{}", run.out);
    assert!(values.iter().any(|line| line.contains("ecs, terraform")), "{}", run.out);
    let run = folder.run(&["os-versions"]);
    assert!(
        run.out.contains("305 values")
            && run.out.contains("130  api:huawei")
            && run.out.contains("204  guide"),
        "{}",
        run.out
    );

    let list = json(&folder.run(&["os-versions", "--json", "redhat linux enterprise 7.3"]).out);
    assert_eq!(
        (list["schema"].as_str(), list["exit_status"].as_u64()),
        (Some("imsprep.os-versions"), Some(0))
    );
    let system = &list["systems"][0];
    assert_eq!(
        (system["family"].as_str(), system["bits"].as_u64(), system["uefi"].as_bool()),
        (Some("Red Hat"), Some(64), Some(true))
    );
    for profile in ["huawei", "otc"] {
        assert!(system["profiles"].as_array().unwrap().iter().any(|name| name == profile), "{system}");
    }
    assert_eq!(system["spellings"], serde_json::json!(["Red Hat Linux Enterprise 7.3 64bit"]));
    assert_eq!(list["pages"].as_array().unwrap().len(), 7);
    assert_eq!(folder.run(&["os-versions", "-q", "ubuntu"]).out, "");
}

#[test]
fn an_unknown_word_says_so_with_the_nearest() {
    let folder = Folder::new();
    for (words, told) in [
        (&["ubunto", "22.04"][..], "the nearest of Ubuntu: \"Ubuntu 22.04 Server 64bit\""),
        (&["Rocky"], "has a value for Rocky Linux; \"Other(64 bit)\""),
        (&["almalinux 9"], "the nearest of AlmaLinux: \"Alma 8 64bit\""),
        (&["\u{1b}[2J"], "imsprep os-versions lists all values"),
    ] {
        let run = folder.run(&[&["os-versions"], words].concat());
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{words:?}");
        assert!(run.err.contains(told) && !run.err.contains('\u{1b}'), "{words:?}: {}", run.err);
    }
}

#[test]
fn bash_completes_values_with_spaces_and_no_help_lists_them() {
    let folder = Folder::new();
    folder.write("imsprep.bash", folder.run(&["generate", "complete-bash"]).out.as_bytes());
    let script = r#"
        source ./imsprep.bash
        function=$(complete -p imsprep | sed 's/.*-F \([^ ]*\) .*/\1/')
        try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); "$function" imsprep "${@: -1}" "${@: -2:1}"; printf '%s|' "${COMPREPLY[@]}"; echo; }
        try imsprep request --os-version 'Ubuntu\ 24'
        try imsprep request --os-version "'Ubuntu 24"
        try imsprep request --os-version Alma
        try imsprep os-v
    "#;
    let output =
        command("bash").args(["--norc", "-c", script]).current_dir(folder.path(".")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let expected =
        [r"Ubuntu\ 24.04\ server\ 64bit|", "Ubuntu 24.04 server 64bit|", r"Alma\ 8\ 64bit|", "os-versions|"];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    // They are in no help.
    assert!(!folder.run(&["request", "--help"]).out.contains("NeoKylin"));
    assert!(!folder.run(&["generate", "man", "request"]).out.contains("NeoKylin"));
}

#[test]
fn fish_completes_values_with_spaces() {
    let folder = Folder::new();
    folder.write("imsprep.fish", folder.run(&["generate", "complete-fish"]).out.as_bytes());
    for (line, value) in
        [("Alma", "Alma 8 64bit"), ("'Other(6", "Other(64 bit)"), ("'Ubuntu 24", "Ubuntu 24.04 server 64bit")]
    {
        let script = "source imsprep.fish; complete --do-complete \"imsprep request --os-version $argv[1]\"";
        let mut fish = command("fish");
        fish.args(["--no-config", "-c", script, line])
            .current_dir(folder.path("."))
            .env("HOME", folder.path("."));
        let output = fish.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            text.lines().filter_map(|line| line.split('\t').next()).collect::<Vec<_>>(),
            [value],
            "{output:?}"
        );
    }
}

#[test]
fn zsh_completes_values_with_spaces() {
    let folder = Folder::new();
    let script = folder.run(&["generate", "complete-zsh"]).out;
    assert!(
        script.contains(r"Ubuntu\ 24.04\ server\ 64bit") && script.contains(r"Other\(64\ bit\)"),
        "{script}"
    );
}

#[test]
fn the_services_codes_are_explained() {
    let folder = Folder::new();
    let run = folder.run(&["rules", "IMG.0158", "img.0239"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert!(run.out.contains("BM-005") || run.out.contains("BM-0"), "{}", run.out);
    assert!(
        run.out.contains("predicted by: no rule of imsprep") && run.out.contains("what to do: Top up"),
        "{}",
        run.out
    );
    let list = json(&folder.run(&["rules", "--json", "IMG.0111", "IMS-148"]).out);
    assert_eq!(list["rules"][0]["service_code"], "IMG.0111");
    assert_eq!(list["service_codes"][0]["rules"], serde_json::json!(["IMS-003", "IMS-042", "IMS-148"]));
    let run = folder.run(&["rules", "IMG.9056"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("no error code IMG.9056; the nearest is IMG.0056"), "{}", run.err);
    assert!(folder.run(&["rules", "--markdown", "IMG.0056"]).out.contains("| IMG.0056 | 400 |"));
}

#[test]
fn a_failed_job_is_explained() {
    let folder = Folder::new();
    let failed = r#"{"status": "FAIL", "job_id": "edc8", "job_type": "createImageByFile", "error_code": "IMG.0111",
        "fail_reason": "min_disk \u001b[2J too small", "entities": {"sub_jobs_result": [{"error_code": "IMG.7777"}]}}"#;
    folder.write("job.json", failed.as_bytes());
    let run = folder.run(&["request", "--job", "job.json"]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    for part in [
        "the job failed",
        "edc8",
        "IMG.0111",
        "IMS-148 error",
        "what to do: Set min_disk",
        "IMG.7777  is not in",
    ] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert!(!run.out.contains('\u{1b}'));
    let told = json(&folder.run(&["request", "--job", "job.json", "--json"]).out);
    assert_eq!(
        (told["schema"].as_str(), told["state"].as_str()),
        (Some("imsprep.request.job"), Some("failed"))
    );
    assert_eq!(told["service_codes"][0]["rules"][2], "IMS-148");
    assert_eq!(told["service_codes"][1]["meaning"], Value::Null);
    folder.write("job.json", br#"{"status": "SUCCESS", "entities": {"image_id": "a1"}}"#);
    let run = folder.run(&["request", "--job", "job.json"]);
    assert_eq!(run.status, 0);
    assert!(run.out.contains("the job succeeded") && run.out.contains("image: a1"), "{}", run.out);
    folder.write("job.json", br#"{"error": {"code": "IMG.0009", "message": "name exists"}}"#);
    let run = folder.run(&["request", "--job", "job.json"]);
    assert!(
        run.status == 1 && run.out.contains("was refused") && run.out.contains("IMG.0009"),
        "{}",
        run.out
    );
}

#[test]
fn what_is_no_answer_about_a_job_names_line_and_column() {
    let folder = Folder::new();
    for (text, place) in [
        ("{\n  \"status\": FAIL\n}", "line 2 column 13"),
        ("{\n \"job_id\": \"x\"\n}", "line 3 column 1"),
        ("", "line 1 column 0"),
    ] {
        folder.write("job.json", text.as_bytes());
        let run = folder.run(&["request", "--job", "job.json"]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{text}");
        assert!(run.err.contains("job.json") && run.err.contains(place), "{text}: {}", run.err);
    }
    assert_eq!(folder.run(&["request", "--job", "absent.json"]).status, 2);
    assert_eq!(folder.run(&["request", "--job", "job.json", "--name", "x"]).status, 2);
}

#[test]
fn a_request_becomes_values_for_terraform() {
    let folder = folder();
    let args =
        [&REQUEST[..], &["--description", "${x} \"y\"", "--image-tag", "team=web", "--format", "tfvars"]]
            .concat();
    let run = folder.run(&args);
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(
        run.out.starts_with("# Values for the resource huaweicloud_ims_quickimport_system_image"),
        "{}",
        run.out
    );
    assert!(run.out.contains(r#"description = "$${x} \"y\"""#), "{}", run.out);
    let run = folder.run(&[&args[..], &["-o", "image.auto.tfvars"]].concat());
    assert_eq!((run.status, run.out.as_str()), (0, ""));
    let made = json(&folder.run(&[&args[..], &["--json"]].concat()).out);
    assert_eq!(
        made["tool_values"].as_str(),
        Some(std::fs::read_to_string(folder.path("image.auto.tfvars")).unwrap().as_str())
    );
    // Open Telekom Cloud's provider has no quick import.
    let run = folder.run(&[&REQUEST[..], &["--format", "tfvars", "--profile", "otc"]].concat());
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(
        run.out.contains("opentelekomcloud_ims_image_v2") && run.err.contains("IMS-178"),
        "{}{}",
        run.out,
        run.err
    );
    assert_eq!(folder.run(&[&args[..], &["--next-steps"]].concat()).status, 2);
    folder.write("main.tf", documented("terraform.md", "terraform").as_bytes());
    // Debian has none, so that it can't be asked of every machine; Packer lays HCL out the same way, see below.
    let mut terraform = Command::new("terraform");
    if let Ok(output) = terraform.args(["fmt", "-check", "-diff"]).current_dir(folder.path(".")).output() {
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn a_request_becomes_values_for_packer() {
    let folder = folder();
    let description = "${file(\"x\")} $${y} %{ if } {{timestamp}} \\";
    let args =
        [&REQUEST[..], &["--description", description, "--image-tag", "team=web", "--format", "pkrvars"]]
            .concat();
    let run = folder.run(&[&args[..], &["-o", "image.pkrvars.hcl"]].concat());
    assert_eq!(run.status, 0, "{}", run.err);
    // The plugin uploads no bitmap file.
    for name in ["small.raw", "small.mf"] {
        std::fs::copy(imsprep_testdata::folder().join(name), folder.path(name)).unwrap();
    }
    let mut raw = REQUEST.to_vec();
    raw[1] = "small.raw";
    let run = folder.run(&[&raw[..], &["--format", "pkrvars"]].concat());
    assert_eq!((run.status, run.out.as_str()), (1, ""));
    assert!(run.err.contains("IMS-176") && run.err.contains("ZVHD2"), "{}", run.err);
    let firmware = folder.run(&[&REQUEST[..], &["--firmware", "uefi", "--format", "pkrvars"]].concat());
    assert!(
        firmware.status == 0 && firmware.err.contains("IMS-177") && firmware.err.contains("PATCH"),
        "{}",
        firmware.err
    );
    let terraform =
        folder.run(&[&args[..args.len() - 1], &["tfvars", "-o", "terraform.pkrvars.hcl"]].concat());
    assert_eq!(terraform.status, 0, "{}", terraform.err);
    folder.write("terraform.pkr.hcl", documented("terraform.md", "terraform").as_bytes());
    folder.write("image.pkr.hcl", documented("packer.md", "packer").as_bytes());
    let packer = |args: &[&str]| {
        let mut packer = command("packer");
        packer.args(args).current_dir(folder.path("."));
        packer.env("HOME", folder.path(".")).env("CHECKPOINT_DISABLE", "1");
        packer
    };
    for args in [
        &[
            "validate",
            "-syntax-only",
            "-var-file=image.pkrvars.hcl",
            "-var",
            "image_file=disk.zvhd2",
            "image.pkr.hcl",
        ][..],
        &["fmt", "-check", "image.pkr.hcl"],
        &["fmt", "-check", "image.pkrvars.hcl"],
        &["fmt", "-check", "terraform.pkr.hcl"],
        &["fmt", "-check", "terraform.pkrvars.hcl"],
    ] {
        let output = packer(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    }
    // What HCL makes of the value is the text, but for the template of Go, which the plugin renders to it.
    use std::io::Write as _;
    let mut console = packer(&[
        "console",
        "-config-type=hcl2",
        "-var-file=image.pkrvars.hcl",
        "-var",
        "image_file=x",
        "image.pkr.hcl",
    ]);
    let mut child =
        console.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"var.image_description\n").unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let expected = description.replace("{{", "{{\"{{\"}}");
    assert!(said.contains(&expected), "{said}");
}

/// The block of a page after the mark with this word.
fn documented(page: &str, mark: &str) -> String {
    let page = std::fs::read_to_string(format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (_, rest) = page.split_once(&format!("<!-- {mark} -->\n```hcl\n")).unwrap();
    rest.split_once("```\n").unwrap().0.to_owned()
}
