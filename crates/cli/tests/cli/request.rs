//! `imsprep request` as a person runs it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, Run, codes};

const GIB: u64 = 1 << 30;

const SYSTEM: [&str; 6] = ["--bucket", "my-images", "--name", "web-01", "--os-version", "CentOS 7.0 64bit"];

/// A folder with a RAW of 200 GiB of which nothing is known, and its bitmap.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.sparse("disk.raw", 200 * GIB, &[0]);
    assert_eq!(folder.run(&["bitmap", "create", "disk.raw"]).status, 0);
    folder
}

fn request(folder: &Folder, file: &str, args: &[&str]) -> Run {
    folder.run(&[&["request", file], &SYSTEM[..], args].concat())
}

/// The bodies of the folder of this name in the test data, sorted.
fn bodies(name: &str) -> Vec<(String, String)> {
    let folder = imsprep_testdata::folder().join("requests").join(name);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut bodies = entries
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), path.to_str().unwrap().to_owned())
        })
        .collect::<Vec<_>>();
    bodies.sort();
    bodies
}

#[test]
fn the_body_alone_goes_to_standard_output() {
    let folder = folder();
    let run = request(&folder, "disk.raw", &["--prefix", "linux"]);
    assert_eq!(run.status, 0, "{}", run.err);
    let body: Value = serde_json::from_str(&run.out).unwrap();
    let expected = json!({
        "name": "web-01",
        "os_version": "CentOS 7.0 64bit",
        "image_url": "my-images:linux/disk.raw",
        "min_disk": 201,
        "type": "ECS",
    });
    assert_eq!(body, expected);
    assert!(
        run.err.contains("disk.raw: POST /v2/cloudimages/quickimport/action, quick import of a system disk"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("filled in: min_disk 201: the disk has 214748364800 bytes (200 GiB)"),
        "{}",
        run.err
    );
    // The standing warning on the bitmap's layout does not keep it back, unless warnings count.
    assert!(run.err.contains("warning BM-005"), "{}", run.err);
    let run = request(&folder, "disk.raw", &["--strict"]);
    assert_eq!((run.status, run.out.as_str()), (1, ""));
    // Quiet leaves out all that is said about it.
    let run = request(&folder, "disk.raw", &["-q"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap()["min_disk"], 201);
}

#[test]
fn with_an_error_there_is_no_body() {
    let folder = folder();
    let run = request(&folder, "disk.raw", &["--min-disk", "100", "-o", "body.json"]);
    assert_eq!((run.status, run.out.as_str()), (1, ""));
    assert!(run.err.contains("error IMS-148 (IMG.0111)") && run.err.contains("no body"), "{}", run.err);
    assert_eq!(folder.names(), ["disk.mf", "disk.raw"]);
    let run = request(&folder, "disk.raw", &["--architecture", "arm", "--firmware", "bios"]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("error IMS-172 (IMG.0141)"), "{}", run.err);
}

#[test]
fn what_a_quick_look_at_the_image_finds_counts_as_well() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 200 * GIB, &[0]);
    let run = request(&folder, "disk.raw", &[]);
    assert_eq!((run.status, run.out.as_str()), (1, ""));
    assert!(run.err.contains("error BM-003 (IMG.0158)"), "{}", run.err);
    assert!(run.err.contains("not checked: the image's content"), "{}", run.err);
    folder.sparse("large.raw", (1 << 40) + 1, &[0]);
    let run = request(&folder, "large.raw", &[]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("IMS-139 (IMG.0059)") && run.err.contains("IMS-003"), "{}", run.err);
    // A name is told of once: as the object's.
    folder.sparse("my disk.raw", 200 * GIB, &[0]);
    folder.run(&["bitmap", "create", "my disk.raw"]);
    let run = request(&folder, "my disk.raw", &[]);
    assert_eq!(run.status, 1);
    assert!(run.err.contains("IMS-132 (IMG.0175)") && !run.err.contains("IMS-010"), "{}", run.err);
}

#[test]
fn the_body_goes_to_a_file_that_replaces_nothing() {
    let folder = folder();
    let run = request(&folder, "disk.raw", &["-o", "body.json"]);
    assert_eq!((run.status, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(run.err.contains("written to body.json"), "{}", run.err);
    let written = std::fs::read_to_string(folder.path("body.json")).unwrap();
    assert_eq!(written, request(&folder, "disk.raw", &[]).out);
    let run = request(&folder, "disk.raw", &["-o", "body.json"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("body.json"), "{}", run.err);
    assert_eq!(request(&folder, "disk.raw", &["-o", "body.json", "--force"]).status, 0);
    let run = request(&folder, "disk.raw", &["-o", "disk.raw", "--force"]);
    assert_eq!(run.status, 2);
    assert_eq!(std::fs::metadata(folder.path("disk.raw")).unwrap().len(), 200 * GIB);
    // What was made passes the check of what others made.
    assert_eq!(folder.run(&["request", "--validate", "body.json", "disk.raw"]).status, 0);
}

#[test]
fn a_data_disk_and_other_formats_get_their_own_bodies() {
    let folder = folder();
    let data = ["--bucket", "my-images", "--name", "data-01", "--purpose", "data"];
    let run = folder.run(&[&["request", "disk.raw"], &data[..]].concat());
    let body: Value = serde_json::from_str(&run.out).unwrap();
    let expected = json!({
        "name": "data-01",
        "os_type": "Linux",
        "image_url": "my-images:disk.raw",
        "min_disk": 201,
        "type": "DataImage",
    });
    assert_eq!(body, expected);
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("disk.qcow2")).unwrap();
    let run = folder.run(&[&["request", "disk.qcow2"], &data[..]].concat());
    assert_eq!(run.status, 0, "{}", run.err);
    assert!(run.err.contains("POST /v1/cloudimages/dataimages/action"), "{}", run.err);
    assert!(run.err.contains("the image is qcow2, but quick import takes RAW and ZVHD2 only"), "{}", run.err);
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap()["min_disk"], 40);
    let run = request(&folder, "disk.qcow2", &[]);
    assert!(run.status == 0 && run.err.contains("POST /v2/cloudimages/action"), "{}", run.err);
    let file = std::fs::File::options().write(true).open(folder.path("disk.qcow2")).unwrap();
    file.set_len((128 << 30) + 1).unwrap();
    let run = request(&folder, "disk.qcow2", &["--min-disk", "140"]);
    assert_eq!((run.status, run.out.as_str()), (1, ""));
    assert!(
        run.err.contains("IMS-139 (IMG.0059)") && run.err.contains("imsprep prepare disk.qcow2"),
        "{}",
        run.err
    );
}

#[test]
fn every_field_can_be_given() {
    let folder = folder();
    let uuid = "117b0e6e-6ec7-4f76-b0c9-6b0e1b1f5c3a";
    let run = request(
        &folder,
        "disk.raw",
        &[
            "--min-disk",
            "300",
            "--architecture",
            "arm",
            "--firmware",
            "uefi",
            "--type",
            "ECS",
            "--purpose",
            "system",
            "--description",
            "A web server",
            "--image-tag",
            "team=web",
            "--image-tag",
            "stage=a.b",
            "--enterprise-project",
            uuid,
        ],
    );
    assert_eq!(run.status, 0, "{}", run.err);
    let expected = json!({
        "name": "web-01",
        "description": "A web server",
        "os_version": "CentOS 7.0 64bit",
        "image_url": "my-images:disk.raw",
        "min_disk": 300,
        "type": "ECS",
        "architecture": "arm",
        "hw_firmware_type": "uefi",
        "image_tags": [{"key": "team", "value": "web"}, {"key": "stage", "value": "a.b"}],
        "enterprise_project_id": uuid,
    });
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap(), expected);
    let run = request(&folder, "disk.raw", &["--tag", "team=web"]);
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap()["tags"], json!(["team.web"]));
    assert_eq!(request(&folder, "disk.raw", &["--tag", "team"]).status, 2);
    // A key encrypts what the common import makes; quick import has no such field.
    let run = request(&folder, "disk.raw", &["--cmk-id", uuid]);
    assert!(run.status == 1 && run.err.contains("IMS-105"), "{}", run.err);
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), folder.path("disk.qcow2")).unwrap();
    let run = request(&folder, "disk.qcow2", &["--cmk-id", uuid]);
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap()["cmk_id"], uuid);
}

#[test]
fn the_examples_of_the_api_page_are_valid_and_those_with_a_qcow2_are_not() {
    let folder = Folder::new();
    for (name, path) in bodies("examples") {
        let run = folder.run(&["request", "--validate", &path]);
        let wrong = name.contains("-qcow2");
        assert_eq!(run.status, i32::from(wrong), "{name}: {}", run.out);
        assert_eq!(run.out.contains(": NOT VALID for POST /v2"), wrong, "{name}: {}", run.out);
        assert_eq!(run.out.contains("error IMS-135 (IMG.0057)"), wrong, "{name}: {}", run.out);
    }
}

#[test]
fn a_body_that_breaks_a_rule_is_told_which_with_the_services_own_code() {
    let folder = Folder::new();
    let (_, rules) = folder.json(&["rules"]);
    let rules = rules["rules"].as_array().unwrap();
    let mut errors = 0;
    for (name, path) in bodies("broken") {
        let (status, json) = folder.json(&["request", "--validate", &path]);
        let code = name.get(..7).unwrap();
        assert_eq!(codes(&json["report"]), [code], "{name}");
        let rule = rules.iter().find(|rule| rule["code"] == code).unwrap();
        let finding = &json["report"]["findings"][0];
        assert_eq!(finding["service_code"], rule["service_code"]);
        assert_eq!(status, i32::from(finding["severity"] == "error"), "{name}");
        errors += status;
        // Warnings count under --strict; notes never do.
        let strict = folder.run(&["request", "--validate", &path, "--strict"]).status;
        assert_eq!(strict, i32::from(finding["severity"] != "note"), "{name}");
    }
    assert!(errors > 40, "{errors}");
}

#[test]
fn a_body_is_held_against_the_image_it_is_for() {
    let folder = folder();
    let body = |min_disk: u64, name: &str| {
        let body = json!({"name": "a", "os_version": "CentOS 7.0 64bit", "image_url": format!("abc:{name}"),
            "min_disk": min_disk, "type": "ECS"});
        folder.write("body.json", body.to_string().as_bytes());
        let (status, json) = folder.json(&["request", "--validate", "body.json", "disk.raw"]);
        let mut codes = codes(&json["report"]);
        codes.retain(|code| code.starts_with("IMS-1"));
        (status, codes)
    };
    assert_eq!(body(201, "disk.raw"), (0, vec![]));
    assert_eq!(body(199, "disk.raw"), (1, vec!["IMS-148".into()]));
    // The content is RAW, whatever the object's name says.
    assert_eq!(body(201, "disk.qcow2"), (0, vec!["IMS-136".into(), "IMS-137".into()]));
    let run = folder.run(&["request", "--validate", "body.json", "none.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("none.raw"), "{}", run.err);
}

#[test]
fn a_body_can_come_from_standard_input_and_its_place_in_it_is_told() {
    let folder = Folder::new();
    let check = |text: &str, args: &[&str]| {
        let output = folder
            .command(&[&["request", "--validate", "-"], args].concat())
            .write_stdin(text)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, out) = check("{\n  \"name\": \"a\",\n  \"min_disk\": 040\n}", &[]);
    assert_eq!(status, 1);
    assert!(out.contains("standard input: NOT VALID\n") && out.contains("line 3, column 16"), "{out}");
    let text = r#"{"name": "a", "os_type": "Linux", "image_url": "abc:a.raw", "min_disk": 40}"#;
    let (status, out) = check(text, &[]);
    assert!(status == 0 && out.contains("VALID for POST /v1/cloudimages/dataimages/action"), "{out}");
    let (status, out) = check(text, &["--endpoint", "quickimport"]);
    assert!(status == 1 && out.contains("IMS-160 (IMG.0024)"), "{out}");
    let (status, out) = check(&" ".repeat((1 << 20) + 1), &[]);
    assert!(status == 1 && out.contains("IMS-100"), "{out}");
}

#[test]
fn the_list_of_operating_systems_is_the_built_in_one_or_the_services_own() {
    let folder = folder();
    let args =
        ["request", "disk.raw", "--bucket", "my-images", "--name", "a", "--os-version", "ubuntu 22.04"];
    let run = folder.run(&args);
    assert_eq!(run.status, 0);
    assert!(
        run.err.contains("warning IMS-121 (IMG.0056)") && run.err.contains("\"Ubuntu 22.04 Server 64bit\""),
        "{}",
        run.err
    );
    let answer = json!([{"platform": "Ubuntu", "version_list": [{"platform": "Ubuntu", "os_version_key": "Ubuntu 22.04 server 64bit",
        "os_version": "Ubuntu 22.04 server 64bit", "os_bit": 64, "os_type": "Linux"}]}]);
    folder.write("list.json", answer.to_string().as_bytes());
    let run = folder.run(&[&args[..], &["--os-versions", "list.json"]].concat());
    assert!(
        run.err.contains("nearest values of Ubuntu in the list: \"Ubuntu 22.04 server 64bit\""),
        "{}",
        run.err
    );
    let exact = ["--os-version", "Ubuntu 22.04 server 64bit", "--os-versions", "list.json"];
    let run = folder.run(&[&args[..6], &exact[..]].concat());
    assert!(run.status == 0 && !run.err.contains("IMS-121"), "{}", run.err);
    folder.write("list.json", b"{}");
    let run = folder.run(&[&args[..], &["--os-versions", "list.json"]].concat());
    assert_eq!(run.status, 2);
    assert!(run.err.contains("list.json: has no os_version in it"), "{}", run.err);
}

#[test]
fn json_holds_the_body_or_why_there_is_none() {
    let folder = folder();
    let args = [&["request", "disk.raw"], &SYSTEM[..]].concat();
    let (status, made) = folder.json(&args);
    assert_eq!((status, made["schema"].as_str()), (0, Some("imsprep.request")));
    assert_eq!(made["request"]["path"], "/v2/cloudimages/quickimport/action");
    assert_eq!((&made["body"]["min_disk"], &made["next_steps"]), (&json!(201), &Value::Null));
    assert_eq!(made["bitmap"]["path"], "disk.mf");
    let (status, made) = folder.json(&[&args[..], &["--min-disk", "0"]].concat());
    assert_eq!((status, &made["body"]), (1, &Value::Null));
    assert_eq!(made["report"]["findings"][0]["field"], "min_disk");
    let (_, made) = folder.json(&[&args[..], &["--next-steps"]].concat());
    assert!(made["next_steps"].as_str().unwrap().contains("obsutil cp"));
}

#[test]
fn usage_errors_are_told_by_the_parser() {
    let folder = folder();
    for args in [
        &["request"][..],
        &["request", "disk.raw"],
        &["request", "disk.raw", "--bucket", "b"],
        &["request", "--validate", "body.json", "--name", "x"],
        &["request", "disk.raw", "--bucket", "b", "--name", "n", "--endpoint", "images"],
        &["request", "disk.raw", "--bucket", "b", "--name", "n", "--region", "eu-de"],
        &["request", "disk.raw", "--bucket", "b", "--name", "n", "--force"],
    ] {
        let run = folder.run(args);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{args:?}");
    }
    let run = request(&folder, "none.raw", &[]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.contains("none.raw: cannot open"), "{}", run.err);
}

/// A program of that name which writes its arguments into a file, one on a line in brackets, and then does as told.
fn stub(folder: &Folder, name: &str, then: &str) {
    let text = format!("#!/bin/sh\n{{ echo {name}; printf '[%s]\\n' \"$@\"; }} >> \"$LOG\"\n{then}\n");
    let path = folder.write(name, text.as_bytes());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs the script with programs in the place of obsutil, curl and sleep, and a token. Returns its status, output and what was
/// called.
fn run_script(script: &str, working_folder: &Path) -> (i32, String, String) {
    run_with(Command::new("sh").env("TOKEN", "secret-token"), script, working_folder, "", "")
}

/// The same without a token, but with what is typed; and, if it is not empty, with this for the answer to the request.
fn run_answered(script: &str, folder: &Path, typed: Option<&str>, answer: &str) -> (i32, String, String) {
    run_with(Command::new("sh").env_remove("TOKEN"), script, folder, typed.unwrap_or_default(), answer)
}

fn run_with(
    shell: &mut Command,
    script: &str,
    working_folder: &Path,
    typed: &str,
    answer: &str,
) -> (i32, String, String) {
    need_tools(["sed", "grep"]);
    let bin = Folder::new();
    stub(&bin, "obsutil", "");
    stub(&bin, "sleep", "");
    let request = if answer.is_empty() { r#"{"job_id": "job-1"}"# } else { answer };
    let answers = format!(
        "cat >> \"$LOG\"\ncase \"$*\" in\n*quickimport*) printf '%s\\n' '{request}' ;;\n*)\n\
         if [ -e \"$LOG.seen\" ]; then printf '{{\"status\":\"SUCCESS\",\"job_id\":\"job-1\"}}'; \
         else : > \"$LOG.seen\"; printf '{{\"status\": \"RUNNING\"}}'; fi ;;\nesac"
    );
    stub(&bin, "curl", &answers);
    let (log, file) = (bin.path("log"), bin.path("script"));
    std::fs::write(&file, script).unwrap();
    let mut child = shell
        .arg(file)
        .current_dir(working_folder)
        .env("PATH", format!("{}:{}", bin.path("").display(), std::env::var("PATH").unwrap()))
        .env("LOG", &log)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that reads nothing may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), text, std::fs::read_to_string(log).unwrap_or_default())
}

#[test]
fn the_next_steps_are_a_script_that_uploads_sends_and_waits() {
    let folder = folder();
    let steps =
        ["--prefix", "linux", "--next-steps", "--region", "eu-de", "--project-id", "p-1", "--profile", "otc"];
    let run = request(&folder, "disk.raw", &steps);
    assert_eq!(run.status, 0, "{}", run.err);
    let (status, text, log) = run_script(&run.out, &folder.path(""));
    assert_eq!(status, 0, "{text}\n{log}");
    let (raw, mf) = (folder.path("disk.raw"), folder.path("disk.mf"));
    let uploads = format!(
        "obsutil\n[cp]\n[{}]\n[obs://my-images/linux/disk.raw]\n[-threshold=52428800]\n[-ps=auto]\n[-vlength]\n\
         [-sc=standard]\nobsutil\n[cp]\n[{}]\n[obs://my-images/linux/disk.mf]\n",
        raw.display(),
        mf.display()
    );
    assert!(log.contains(&uploads), "{log}");
    assert!(run.out.contains("# imsprep check --profile otc \"$IMAGE\"\n"), "{}", run.out);
    assert!(log.contains("[https://ims.eu-de.otc.t-systems.com/v2/cloudimages/quickimport/action]"), "{log}");
    assert!(log.contains("[https://ims.eu-de.otc.t-systems.com/v1/p-1/jobs/job-1]"), "{log}");
    assert!(log.contains("X-Auth-Token: secret-token\n"), "the token goes by standard input: {log}");
    assert!(!log.contains("[X-Auth-Token"), "and not by the arguments: {log}");
    assert!(log.contains("sleep\n[30]\n") && text.contains("SUCCESS"), "{log}\n{text}");
    assert!(!run.out.contains("hcloud"), "the vendor's tool does not know this cloud: {}", run.out);

    let huawei = request(&folder, "disk.raw", &["--next-steps"]);
    assert!(huawei.out.contains("hcloud IMS ImportImageQuick"), "{}", huawei.out);
    assert!(huawei.out.contains("DOMAIN=myhuaweicloud.com\n"), "{}", huawei.out);
    let dublin = request(&folder, "disk.raw", &["--next-steps", "--region", "eu-west-101"]);
    assert!(dublin.out.contains("DOMAIN=myhuaweicloud.eu\n"), "{}", dublin.out);
    // Without region and project the variables must tell; nothing is run before.
    let (status, text, log) = run_script(&huawei.out, &folder.path(""));
    assert!(status != 0 && text.contains("REGION") && log.is_empty(), "{status} {text} {log}");
    // A body in a file is named, and its content not repeated.
    let run = request(&folder, "disk.raw", &["--next-steps", "-o", "body.json"]);
    let body = format!("BODY={}\n", folder.path("body.json").display());
    assert!(run.out.contains(&body) && !run.out.contains("min_disk"), "{}", run.out);
}

#[test]
fn the_next_steps_work_in_any_folder_and_ask_for_the_token_when_it_is_needed() {
    let folder = folder();
    let steps = ["--next-steps", "-o", "body.json", "--region", "r", "--project-id", "p"];
    let script = request(&folder, "disk.raw", &steps).out;
    let elsewhere = Folder::new();
    let (status, text, log) = run_script(&script, &elsewhere.path(""));
    assert_eq!(status, 0, "{text}\n{log}");
    assert!(log.contains(&format!("[@{}]", folder.path("body.json").display())), "{log}");

    // The upload is over when the token is asked for; here nobody answers, there somebody does.
    let (status, text, log) = run_answered(&script, &elsewhere.path(""), None, "");
    assert!(status == 1 && text.contains("set the variable TOKEN"), "{status} {text}");
    assert!(log.contains("obsutil") && !log.contains("curl"), "{log}");
    let (status, text, log) = run_answered(&script, &elsewhere.path(""), Some("typed-token\n"), "");
    assert!(
        status == 0 && text.contains("https://iam.r.myhuaweicloud.com/v3/auth/tokens"),
        "{status} {text}"
    );
    assert!(log.contains("X-Auth-Token: typed-token\n"), "{log}");

    // Nothing is uploaded of what is not there.
    std::fs::remove_file(folder.path("disk.mf")).unwrap();
    let (status, text, log) = run_script(&script, &elsewhere.path(""));
    assert!(status == 1 && text.contains("disk.mf: is not there") && log.is_empty(), "{status} {text} {log}");
}

#[test]
fn the_next_steps_say_what_answers_mean_that_are_about_the_account() {
    let folder = folder();
    let script = request(&folder, "disk.raw", &["--next-steps", "--region", "r", "--project-id", "p"]).out;
    for (code, meaning) in [
        ("IMG.0238", "real-name"),
        ("IMG.0239", "balance"),
        ("IMG.0241", "payment"),
        ("IMG.0242", "budget"),
        ("IMG.0087", "token"),
    ] {
        let answer = format!("{{\"error\":{{\"message\":\"x\",\"code\":\"{code}\"}}}}");
        let (status, text, _) = run_answered(&script, &folder.path(""), Some("t\n"), &answer);
        let told = text.lines().find(|line| line.starts_with(&format!("{code}: ")));
        assert!(status == 1 && told.is_some_and(|line| line.contains(meaning)), "{code}: {text}");
    }
}

#[test]
fn a_large_image_is_uploaded_in_no_more_parts_than_there_may_be() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 1 << 40, &[0]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let run = request(&folder, "disk.raw", &["--next-steps"]);
    assert!(run.out.contains("--multipart-chunk-size-mb=112 "), "{}", run.out);
    assert!((1u64 << 40).div_ceil(112 << 20) <= 10_000);
}

#[test]
fn names_from_outside_stay_what_they_are_in_the_commands() {
    let folder = Folder::new();
    let inner = folder.path("it's $(touch hacked)\n`touch hacked`; \"x\"");
    std::fs::create_dir(&inner).unwrap();
    let image = inner.join("-d.raw");
    folder.sparse(image.strip_prefix(folder.path("")).unwrap().to_str().unwrap(), 200 * GIB, &[0]);
    let image = image.to_str().unwrap();
    assert_eq!(folder.run(&["bitmap", "create", image]).status, 0);
    let steps = ["--next-steps", "--region", "$(touch hacked)", "--project-id", "'; touch hacked; '"];
    let run =
        request(&folder, image, &[&steps[..], &["--description", "$(touch hacked) `touch hacked`"]].concat());
    assert_eq!(run.status, 0, "{}", run.err);
    let (status, text, log) = run_script(&run.out, &folder.path(""));
    assert_eq!(status, 0, "{text}\n{log}");
    assert!(log.contains(&format!("[cp]\n[{image}]\n[obs://my-images/-d.raw]\n")), "{log}");
    assert!(!folder.path("hacked").exists() && !inner.join("hacked").exists());
    // Every line of the script that is not meant to be a command is a comment, or within quotes: the shell agrees.
    let syntax = Command::new("sh").args(["-n", "-c", &run.out]).status().unwrap();
    assert!(syntax.success());
}

/// A program for UEFI as far as its headers go: `MZ`, `PE` and the machine.
fn efi_program(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
    bytes[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
    bytes
}

fn tool(folder: &Folder, name: &str, args: &[&str]) {
    let output = command(name).args(args).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{name} {args:?}: {output:?}");
}

/// Makes `name`, a RAW of 2 GiB with a GPT, an EFI system partition that has this boot loader, and an ext4; and its bitmap.
fn uefi_disk(folder: &Folder, name: &str, loader: &str, machine: u16) {
    let image = folder.sparse(name, 2 << 30, &[]);
    tool(folder, "sgdisk", &["-n", "1:2048:+64M", "-t", "1:ef00", "-n", "2:0:0", "-t", "2:8300", name]);
    folder.sparse("esp.img", 64 << 20, &[]);
    tool(folder, "mkfs.vfat", &["-F", "32", "esp.img"]);
    folder.write("loader.efi", &efi_program(machine));
    tool(folder, "mmd", &["-i", "esp.img", "::/EFI", "::/EFI/BOOT"]);
    tool(folder, "mcopy", &["-i", "esp.img", "loader.efi", &format!("::/EFI/BOOT/{loader}")]);
    let file = std::fs::File::options().write(true).open(image).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &std::fs::read(folder.path("esp.img")).unwrap(), 1 << 20)
        .unwrap();
    // The second partition begins behind the 64 MiB of the first.
    let offset = format!("offset={}", 65 << 20);
    tool(folder, "mkfs.ext4", &["-q", "-E", &offset, name, "1G"]);
    assert_eq!(folder.run(&["bitmap", "create", name]).status, 0);
}

#[test]
fn a_real_image_fills_in_firmware_and_architecture_and_contradicts_wrong_flags() {
    need_tools(["sgdisk", "mkfs.vfat", "mkfs.ext4", "mmd", "mcopy"]);
    let folder = Folder::new();
    uefi_disk(&folder, "disk.raw", "BOOTX64.EFI", 0x8664);
    let run = request(&folder, "disk.raw", &[]);
    assert_eq!(run.status, 0, "{}", run.err);
    let expected = json!({
        "name": "web-01",
        "os_version": "CentOS 7.0 64bit",
        "image_url": "my-images:disk.raw",
        "min_disk": 10,
        "type": "ECS",
        "architecture": "x86",
        "hw_firmware_type": "uefi",
    });
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap(), expected, "{}", run.err);
    assert!(run.err.contains("/EFI/BOOT/BOOTX64.EFI is a program for x86-64"), "what tells it: {}", run.err);

    let wrong = |args: &[&str]| {
        let (status, json) = folder.json(&[&["request", "disk.raw"], &SYSTEM[..], args].concat());
        let mut codes = codes(&json["report"]);
        codes.retain(|code| code.as_str() > "IMS-150");
        (status, codes)
    };
    assert_eq!(wrong(&["--firmware", "bios"]), (1, vec!["IMS-173".into()]));
    assert_eq!(wrong(&["--architecture", "arm"]), (1, vec!["IMS-174".into()]));
    assert_eq!(wrong(&["--firmware", "uefi", "--architecture", "x86"]), (0, vec![]));
    let windows =
        ["request", "disk.raw", "--bucket", "abc", "--name", "a", "--os-version", "Windows 10 64bit"];
    let run = folder.run(&windows);
    assert!(run.status == 1 && run.err.contains("IMS-124 (IMG.0122)"), "{}", run.err);
    let data = ["request", "disk.raw", "--bucket", "abc", "--name", "a", "--purpose", "data"];
    let run = folder.run(&data);
    assert!(run.status == 0 && run.err.contains("warning IMS-163"), "{}", run.err);

    // The same disk in the other format, and one for the other processor.
    assert_eq!(folder.run(&["convert", "disk.raw", "disk.zvhd2"]).status, 0);
    let run = request(&folder, "disk.zvhd2", &[]);
    let body = serde_json::from_str::<Value>(&run.out).unwrap();
    assert_eq!(
        (&body["hw_firmware_type"], &body["architecture"]),
        (&json!("uefi"), &json!("x86")),
        "{}",
        run.err
    );
    uefi_disk(&folder, "arm.raw", "BOOTAA64.EFI", 0xaa64);
    let run = request(&folder, "arm.raw", &[]);
    let body = serde_json::from_str::<Value>(&run.out).unwrap();
    assert_eq!(
        (&body["hw_firmware_type"], &body["architecture"]),
        (&json!("uefi"), &json!("arm")),
        "{}",
        run.err
    );
    // A body that leaves both out says x86 and BIOS.
    folder.write(
        "body.json",
        br#"{"name": "a", "os_version": "CentOS 7.0 64bit", "image_url": "abc:arm.raw", "min_disk": 40}"#,
    );
    let (status, json) = folder.json(&["request", "--validate", "body.json", "arm.raw"]);
    assert_eq!(
        (status, codes(&json["report"])),
        (1, vec!["BM-005".into(), "IMS-173".into(), "IMS-174".into()])
    );
}

#[test]
fn a_damaged_container_is_told_and_gets_no_body() {
    let folder = Folder::new();
    folder.write("cut.zvhd2", &imsprep_testdata::golden("zstd_k_uniform.zvhd2")[..570_000]);
    let run = request(&folder, "cut.zvhd2", &[]);
    assert_eq!((run.status, run.out.as_str()), (1, ""), "{}", run.err);
    assert!(run.err.contains("error ZV-") && run.err.contains("not checked: firmware"), "{}", run.err);
}
