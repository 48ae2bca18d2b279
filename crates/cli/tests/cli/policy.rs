//! One policy: in one folder every command that judges comes to the same verdict on a rule, whoever set it.

use serde_json::Value;

use crate::folder::Folder;

const MIB: u64 = 1 << 20;

const REQUEST: &[&str] =
    &["--bucket", "my-images", "--name", "web-01", "--os-version", "CentOS 7.0 64bit", "--firmware", "bios"];

/// An image that breaks a rule of this severity, and the commands that say so.
struct Case {
    code: &'static str,
    severity: &'static str,
    commands: Vec<Vec<&'static str>>,
}

fn request(file: &'static str) -> Vec<&'static str> {
    [&["request", file], REQUEST].concat()
}

fn cases(folder: &Folder) -> [Case; 3] {
    // A partition that ends past the end of the disk.
    let path = folder.sparse("cut.raw", 250 * MIB, &[]);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[446 + 4] = 0x83;
    bytes[446 + 8..446 + 12].copy_from_slice(&2048_u32.to_le_bytes());
    bytes[446 + 12..446 + 16].copy_from_slice(&(500 * 2048_u32).to_le_bytes());
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    std::fs::write(&path, bytes).unwrap();
    folder.sparse("disk.raw", 2048 * MIB, &[0]);
    for image in ["cut.raw", "disk.raw"] {
        assert_eq!(folder.run(&["bitmap", "create", image]).status, 0);
    }
    let mut bytes = imsprep_testdata::golden("zstd_k_uniform.zvhd2").to_vec();
    bytes[300] ^= 1;
    folder.write("odd.zvhd2", &bytes);
    let odd = crate::folder::codes(&folder.json(&["zvhd2", "check", "odd.zvhd2"]).1["report"]).remove(0);
    [
        Case {
            code: "IMS-051",
            severity: "error",
            commands: vec![
                vec!["check", "cut.raw"],
                vec!["check", "--quick", "cut.raw"],
                vec!["prepare", "cut.raw"],
                vec!["prepare", "cut.raw", "--force", "-o", "prepared.zvhd2"],
                vec!["convert", "cut.raw", "--force", "converted.zvhd2"],
                request("cut.raw"),
            ],
        },
        Case {
            code: "BM-005",
            severity: "warning",
            commands: vec![
                vec!["check", "disk.raw"],
                vec!["prepare", "disk.raw"],
                vec!["bitmap", "verify", "disk.raw"],
                request("disk.raw"),
            ],
        },
        Case {
            code: Box::leak(odd.into_boxed_str()),
            severity: "warning",
            commands: vec![
                vec!["check", "odd.zvhd2"],
                vec!["prepare", "odd.zvhd2"],
                vec!["zvhd2", "check", "odd.zvhd2"],
                request("odd.zvhd2"),
            ],
        },
    ]
}

/// Every finding in a document, as code and severity.
fn findings(json: &Value) -> Vec<(String, String)> {
    match json {
        Value::Object(fields) => match fields.get("findings") {
            Some(Value::Array(found)) => {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                found.iter().map(|one| (text(&one["code"]), text(&one["severity"]))).collect()
            }
            _ => fields.values().flat_map(findings).collect(),
        },
        Value::Array(items) => items.iter().flat_map(findings).collect(),
        _ => vec![],
    }
}

/// What is set: some rules are allowed or denied, or warnings count.
#[derive(Clone, Copy, Debug)]
struct Setting<'a> {
    allow: &'a [String],
    deny: Option<&'a str>,
    strict: bool,
}

impl Setting<'_> {
    fn flags(self) -> Vec<String> {
        let mut flags =
            self.allow.iter().flat_map(|code| ["--allow".into(), code.clone()]).collect::<Vec<_>>();
        flags.extend(self.deny.into_iter().flat_map(|code| ["--deny".into(), code.into()]));
        flags.extend(self.strict.then(|| "--strict".into()));
        flags
    }

    fn file(self) -> String {
        let allowed = self.allow.iter().map(|code| format!("{code} = \"known\"\n")).collect::<String>();
        format!("strict = {}\ndeny = {:?}\n[allow]\n{allowed}", self.strict, Vec::from_iter(self.deny))
    }
}

#[test]
fn every_command_that_judges_comes_to_one_verdict_under_every_setting() {
    let folder = Folder::new();
    for Case { code, severity, commands } in cases(&folder) {
        // What else each of them finds is allowed, so that this rule decides.
        let mut others = commands.iter().flat_map(|args| findings(&folder.json(args).1)).collect::<Vec<_>>();
        let of_rule = others.iter().filter(|(found, _)| found == code).collect::<Vec<_>>();
        assert!(
            of_rule.len() >= commands.len() && of_rule.iter().all(|(_, found)| found == severity),
            "{of_rule:?}"
        );
        others.retain(|(found, _)| found != code);
        let mut others = others.into_iter().map(|(found, _)| found).collect::<Vec<_>>();
        others.sort();
        others.dedup();
        let all = [&others[..], &[code.to_owned()]].concat();
        let none = Setting { allow: &others, deny: None, strict: false };
        for (setting, expected, status) in [
            (none, severity, i32::from(severity == "error")),
            (Setting { strict: true, ..none }, severity, 1),
            (Setting { deny: Some(code), ..none }, "error", 1),
            (Setting { allow: &all, ..none }, "allowed", 0),
            (Setting { allow: &all, strict: true, ..none }, "allowed", 0),
        ] {
            for (flag, file) in [(true, false), (false, true), (true, true)] {
                if file {
                    folder.write("imsprep.toml", setting.file().as_bytes());
                }
                let flags = if flag { setting.flags() } else { vec![] };
                let flags = flags.iter().map(String::as_str).collect::<Vec<_>>();
                for args in &commands {
                    let (got, json) = folder.json(&[&args[..], &flags].concat());
                    let found = findings(&json).into_iter().filter(|(found, _)| found == code);
                    let found = found.map(|(_, severity)| severity).collect::<Vec<_>>();
                    let is_same = !found.is_empty() && found.iter().all(|found| found == expected);
                    assert!(
                        is_same && got == status,
                        "{args:?} {flags:?} {setting:?} {file}: {got} {found:?} {json}"
                    );
                    assert_eq!(json["config"]["path"].as_str(), file.then_some("imsprep.toml"), "{args:?}");
                }
                let _ = std::fs::remove_file(folder.path("imsprep.toml"));
            }
        }
    }
}

#[test]
fn a_profile_from_the_project_file_counts_everywhere_and_next_steps_carry_it() {
    let folder = Folder::new();
    let cases = cases(&folder);
    folder.write("imsprep.toml", b"profile = \"otc\"\nprefix = \"images\"\n");
    let inspect = vec!["inspect", "disk.raw"];
    for args in cases.iter().flat_map(|case| &case.commands).chain([&inspect]) {
        assert_eq!(folder.json(args).1["profile"], "otc", "{args:?}");
    }
    let (_, json) = folder.json(&["prepare", "disk.raw"]);
    assert!(json["next_step"].as_str().unwrap().contains(" --profile otc "), "{json}");
    let run = folder.run(
        &[&request("disk.raw")[..], &["--next-steps", "--strict", "--allow", "IMS-014,IMS-121,BM-005"]]
            .concat(),
    );
    assert!(run.out.contains("KEY=images/disk.raw\n"), "{run:?}");
    assert!(run.out.contains("imsprep check --profile otc --strict --allow BM-005 "), "{run:?}");
    // A flag beats the file in what it advises, too.
    let (_, json) = folder.json(&["prepare", "--profile", "huawei", "disk.raw"]);
    assert!(json["next_step"].as_str().unwrap().contains(" --profile huawei "), "{json}");
}

#[test]
fn no_allowance_makes_a_conversion_of_what_is_not_whole() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(imsprep_testdata::folder().join("disk.qcow2")).unwrap();
    // The name of a backing file, within the first cluster.
    bytes[8..16].copy_from_slice(&0x200_u64.to_be_bytes());
    bytes[16..20].copy_from_slice(&4_u32.to_be_bytes());
    bytes[0x200..0x204].copy_from_slice(b"base");
    folder.write("overlay.qcow2", &bytes);
    let (status, json) = folder.json(&["convert", "overlay.qcow2", "new.zvhd2", "--allow", "IMS-007"]);
    assert_eq!((status, findings(&json)), (1, vec![("IMS-007".into(), "error".into())]));
    assert!(!folder.path("new.zvhd2").exists());
    let rules = folder.json(&["rules", "IMS-007", "IMS-008"]).1;
    assert_eq!(
        (&rules["rules"][0]["convertible"], &rules["rules"][1]["convertible"]),
        (&false.into(), &true.into())
    );
}

#[test]
fn formats_manifest_and_page_are_one_for_all_commands() {
    let folder = Folder::new();
    cases(&folder);
    for args in [
        &["prepare", "disk.raw"][..],
        &["prepare", "cut.raw", "-o", "new.zvhd2"],
        &["zvhd2", "check", "odd.zvhd2"],
        &["bitmap", "verify", "disk.raw"],
        &["detect", "odd.zvhd2"],
        &["detect", "none.raw"],
        &["inspect", "disk.raw"],
        &["inspect", "none.raw"],
    ] {
        let (status, _) = folder.json(args);
        let run = |format| folder.run(&[args, &["--format", format]].concat());
        let (junit, sarif, line) = (run("junit"), run("sarif"), run("ndjson"));
        assert_eq!([junit.status, sarif.status, line.status], [status; 3], "{args:?}");
        let junit = roxmltree::Document::parse(&junit.out).unwrap();
        let failed = junit.descendants().any(|node| node.has_tag_name("failure"));
        assert_eq!(failed, status == 1, "{args:?}");
        let could_not = junit.descendants().any(|node| node.has_tag_name("error"));
        assert_eq!(could_not, status == 2, "{args:?}");
        let sarif = serde_json::from_str::<Value>(&sarif.out).unwrap();
        assert_eq!(sarif["runs"][0]["invocations"][0]["exitCode"], status);
        assert_eq!(line.out.lines().count(), 1, "{args:?}");
        let page = run("html");
        assert_eq!(page.status, status, "{args:?}");
        assert!(
            page.out.starts_with("<!DOCTYPE html>") && page.out.trim_end().ends_with("</html>"),
            "{args:?}"
        );
        assert_eq!(page.out.contains("class=\"verdict bad\""), status != 0, "{args:?}");
    }
    let extra = ["--manifest", "sums.json", "--html", "page.html"];
    let run = folder.run(&[&["prepare", "disk.raw"][..], &extra].concat());
    assert!(
        run.status == 0 && folder.path("sums.json").exists() && folder.path("page.html").exists(),
        "{run:?}"
    );
    let run = folder.run(&["prepare", "cut.raw", "-o", "new.zvhd2", "--html", "other.html"]);
    assert!(run.status == 1 && run.err.contains("other.html: not written"), "{run:?}");
}
