//! The verdict for machines: what is meant for an image, rules allowed and denied, the project file, and the formats.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use imsprep_testdata::{command, need_tools};

use crate::folder::{Folder, Run, codes};

const GIB: u64 = 1 << 30;

/// A folder with one image of each verdict: passes, fails, can't be looked at.
fn mixed() -> Folder {
    let folder = Folder::new();
    folder.write("good.zvhd2", imsprep_testdata::golden("zstd_k_uniform.zvhd2"));
    folder.write("cut.zvhd2", &imsprep_testdata::golden("zstd_k_uniform.zvhd2")[..570_000]);
    folder.sparse("my \u{1b}disk.raw", 2 * GIB, &[0]);
    folder
}

const MIXED: [&str; 4] = ["good.zvhd2", "cut.zvhd2", "my \u{1b}disk.raw", "none.raw"];

fn check(folder: &Folder, args: &[&str]) -> Run {
    folder.run(&[&["check"], args].concat())
}

fn codes_of(folder: &Folder, args: &[&str]) -> Vec<String> {
    let (_, json) = folder.json(&[&["check"], args].concat());
    codes(&json["files"][0]["report"])
}

#[test]
fn what_is_meant_is_held_against_the_image() {
    let folder = Folder::new();
    folder.write("good.zvhd2", imsprep_testdata::golden("zstd_k_uniform.zvhd2"));
    folder.sparse("disk.raw", 2 * GIB, &[0]);
    let has = |args: &[&str], code: &str| codes_of(&folder, args).contains(&code.to_owned());
    assert!(has(&["--bms", "disk.raw"], "IMS-041") && !has(&["--bms", "good.zvhd2"], "IMS-041"));
    assert!(
        has(&["--min-disk", "1", "disk.raw"], "IMS-042") && has(&["--min-disk", "2", "disk.raw"], "IMS-043")
    );
    assert!(
        !has(&["--min-disk", "3", "disk.raw"], "IMS-043")
            && has(&["--min-disk", "2000", "disk.raw"], "IMS-044")
    );
    assert!(has(&["--min-disk", "3", "disk.raw"], "IMS-045"));
    assert!(!has(&["--min-disk", "3", "--purpose", "data", "disk.raw"], "IMS-045"));
    assert!(has(&["disk.raw"], "IMS-005") && !has(&["--purpose", "data", "disk.raw"], "IMS-005"));
    assert!(has(&["--prefix", "my images", "disk.raw"], "IMS-010"));
    assert!(has(&["--prefix", &"x".repeat(1024), "disk.raw"], "IMS-040"));
    assert!(!has(&["--prefix", "images/2026", "disk.raw"], "IMS-011"));
    let (_, json) = folder.json(&["check", "--prefix", "images", "disk.raw"]);
    assert_eq!(json["files"][0]["key"], "images/disk.raw");
    assert_eq!(check(&folder, &["--purpose", "toy", "disk.raw"]).status, 2);
}

#[test]
fn an_allowed_rule_stays_in_sight_and_does_not_count() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 50 * GIB, &[0]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    assert_eq!(check(&folder, &["--strict", "disk.raw"]).status, 1);
    let run = check(&folder, &["--strict", "--allow", "bm-005", "--allow", "IMS-014", "disk.raw"]);
    assert_eq!(run.status, 0, "{}", run.out);
    assert!(run.out.contains("2 allowed") && run.out.contains("allowed BM-005: "), "{}", run.out);
    let (_, json) = folder.json(&["check", "--allow", "BM-005", "disk.raw"]);
    let report = &json["files"][0]["report"];
    assert_eq!(report["counts"]["allowed"], 1);
    let found = report["findings"].as_array().unwrap().iter().find(|f| f["code"] == "BM-005").unwrap();
    assert_eq!((&found["severity"], &found["allowed"]["instead_of"]), (&json!("allowed"), &json!("warning")));
}

#[test]
fn an_allowed_error_leaves_a_reservation_and_a_denied_note_is_an_error() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 50 * GIB, &[0]);
    let (status, json) = folder.json(&["check", "--allow", "BM-003", "disk.raw"]);
    assert_eq!((status, &json["files"][0]["verdict"]), (0, &json!("importable")));
    assert_eq!(json["files"][0]["reservations"], json!(["errors-allowed"]));
    let text = check(&folder, &["--allow", "BM-003", "disk.raw"]).out;
    assert!(text.starts_with("disk.raw: IMPORTABLE, except for the allowed errors ("), "{text}");
    folder.run(&["bitmap", "create", "disk.raw"]);
    assert_eq!(check(&folder, &["disk.raw"]).status, 0);
    let run = check(&folder, &["--deny", "IMS-006", "disk.raw"]);
    assert_eq!(run.status, 1);
    assert!(run.out.contains("error IMS-006"), "{}", run.out);
}

#[test]
fn a_container_by_itself_is_judged_so_too() {
    let folder = Folder::new();
    // HEAD's checksum, which the index reader does not look at.
    let mut bytes = imsprep_testdata::golden("zstd_k_uniform.zvhd2").to_vec();
    bytes[300] ^= 1;
    folder.write("odd.zvhd2", &bytes);
    let run = |args: &[&str]| folder.run(&[&["zvhd2", "check", "odd.zvhd2"], args].concat());
    let codes = codes(&folder.json(&["zvhd2", "check", "odd.zvhd2"]).1["report"]);
    assert!(!codes.is_empty() && run(&[]).status == 0 && run(&["--strict"]).status == 1, "{codes:?}");
    let allow = codes.iter().flat_map(|code| ["--allow", code]).collect::<Vec<_>>();
    assert_eq!(run(&[&["--strict"], &allow[..]].concat()).status, 0);
    assert_eq!(run(&["--deny", &codes[0]]).status, 1);
}

#[test]
fn a_mistyped_code_is_a_usage_error_that_names_the_nearest() {
    let folder = Folder::new();
    folder.sparse("disk.raw", GIB, &[0]);
    for flag in ["--allow", "--deny"] {
        let run = check(&folder, &[flag, "BM-O05", "disk.raw"]);
        assert_eq!((run.status, run.out.as_str()), (2, ""));
        assert!(run.err.contains("no rule BM-O05; the nearest is BM-005"), "{}", run.err);
    }
    let run = check(&folder, &["--allow", "BM-005", "--deny", "BM-005", "disk.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("BM-005 is both allowed and denied"), "{}", run.err);
}

#[test]
fn the_project_file_is_read_beaten_by_flags_and_may_be_left_out() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 50 * GIB, &[0]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let text =
        "profile = \"otc\"\nstrict = true\ndeny = [\"IMS-006\"]\n\n[allow]\nBM-005 = \"proven on Monday\"\n";
    folder.write("imsprep.toml", text.as_bytes());
    let run = check(&folder, &["disk.raw"]);
    assert_eq!((run.status, run.err.as_str()), (1, ""));
    assert!(
        run.out.contains("error IMS-006") && run.out.contains("allowed: proven on Monday"),
        "{}",
        run.out
    );
    assert!(run.out.contains("--profile otc"), "{}", run.out);
    assert_eq!(check(&folder, &["-v", "disk.raw"]).err, "note: settings of imsprep.toml\n");
    let (_, json) = folder.json(&["check", "disk.raw"]);
    assert_eq!((&json["config"]["path"], &json["profile"]), (&json!("imsprep.toml"), &json!("otc")));

    let run =
        check(&folder, &["--allow", "IMS-006", "--allow", "IMS-014", "--profile", "huawei", "disk.raw"]);
    assert_eq!(run.status, 0, "{}", run.out);
    assert!(run.out.contains("--profile huawei"), "{}", run.out);
    let run = check(&folder, &["--no-config", "disk.raw"]);
    assert!(run.status == 0 && run.out.contains("note IMS-006"), "{}", run.out);

    folder.write("other.toml", b"strikt = true\n");
    let run = check(&folder, &["--config", "other.toml", "disk.raw"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    assert!(run.err.starts_with("error: other.toml:1:1: unknown field `strikt`"), "{}", run.err);
    assert_eq!(check(&folder, &["--config", "none.toml", "disk.raw"]).status, 2);
}

#[test]
fn ndjson_is_a_document_on_a_line_for_each_file() {
    let folder = mixed();
    let run = check(&folder, &[&["--format", "ndjson"], &MIXED[..]].concat());
    assert_eq!(run.status, 2);
    let lines = run.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    assert_eq!(lines.len(), 4);
    let verdicts = lines.iter().map(|line| line["verdict"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(verdicts, ["importable", "not-importable", "not-importable", "could-not-tell"]);
    for (line, status) in lines.iter().zip([0, 1, 1, 2]) {
        assert_eq!((&line["schema"], &line["version"]), (&json!("imsprep.check.file"), &json!(1)));
        assert_eq!((line["exit_status"].as_i64(), line["profile"].as_str()), (Some(status), Some("huawei")));
    }
    // What a line says of a file is what the one document says of it.
    let (_, mut json) = folder.json(&["check", "good.zvhd2"]);
    let file = json["files"][0].take();
    for (field, value) in file.as_object().unwrap().iter().filter(|(field, _)| *field != "seconds") {
        assert_eq!(lines[0][field], *value, "{field}");
    }
    assert!(lines.iter().all(|line| line["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0)));
}

#[test]
fn json_is_the_short_form_of_its_format_and_formats_do_not_mix() {
    let folder = mixed();
    let timeless = |args| {
        let out = check(&folder, args).out;
        let lines = out.lines().filter(|line| !line.trim_start().starts_with("\"seconds\": "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let long = timeless(&["--format", "json", "cut.zvhd2"]);
    assert!(long.len() > 10);
    assert_eq!(long, timeless(&["--json", "cut.zvhd2"]));
    for flags in [&["--json", "--format", "sarif"], &["-q", "--format=junit"][..]] {
        assert_eq!(check(&folder, &[flags, &["good.zvhd2"]].concat()).status, 2, "{flags:?}");
    }
    let text = check(&folder, &["--format", "text", "-v", "cut.zvhd2"]);
    assert_eq!(text.out, check(&folder, &["-v", "cut.zvhd2"]).out);
}

#[test]
fn sarif_is_valid_by_the_standards_schema() {
    let folder = mixed();
    let args = ["--format", "sarif", "--allow", "BM-003", "--deny", "IMS-006"];
    let run = check(&folder, &[&args, &MIXED[..]].concat());
    assert_eq!(run.status, 2);
    let log = serde_json::from_str::<Value>(&run.out).unwrap();
    let schema = std::fs::read_to_string(imsprep_testdata::folder().join("sarif-schema-2.1.0.json")).unwrap();
    let mut schema = serde_json::from_str::<Value>(&schema).unwrap();
    // A pattern with a bracket too many, which a strict reader of patterns refuses. We write no language.
    for part in ["run", "toolComponent"] {
        let language = schema["definitions"][part]["properties"]["language"].as_object_mut().unwrap();
        assert!(language.remove("pattern").is_some());
    }
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let errors = validator.iter_errors(&log).map(|error| format!("{error} at {}", error.instance_path()));
    assert_eq!(errors.collect::<Vec<_>>(), [""; 0]);
    // The validator refuses what is wrong.
    let mut wrong = log.clone();
    wrong["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(!validator.is_valid(&wrong));

    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let result = |code: &str| results.iter().find(|result| result["ruleId"] == code).unwrap();
    let place = |code: &str| result(code)["locations"][0]["physicalLocation"].clone();
    assert_eq!(place("ZV-003")["artifactLocation"], json!({ "uri": "cut.zvhd2", "index": 1 }));
    assert_eq!(place("ZV-003")["region"]["byteOffset"], 570_000 - 4096);
    assert_eq!(result("ZV-003")["level"], "error");
    assert_eq!(place("IMS-010")["artifactLocation"]["uri"], "my%20%1Bdisk.raw");
    assert_eq!(result("IMS-006")["level"], "error", "denied");
    assert_eq!(
        (&result("BM-003")["level"], &result("BM-003")["suppressions"][0]["kind"]),
        (&json!("error"), &json!("external"))
    );
    assert!(result("IMS-010").get("suppressions").is_none());
    let invocation = &run["invocations"][0];
    assert_eq!((&invocation["executionSuccessful"], &invocation["exitCode"]), (&json!(false), &json!(2)));
    let notes = invocation["toolExecutionNotifications"].as_array().unwrap();
    let texts = |level: &str| {
        let of_level = notes.iter().filter(|note| note["level"] == level);
        of_level.map(|note| note["message"]["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(texts("error").len() == 1 && texts("error")[0].contains("none.raw"), "{notes:?}");
    assert!(
        texts("note").iter().any(|text| text.starts_with("not checked: the operating system")),
        "{notes:?}"
    );
    let length = std::fs::metadata(folder.path("good.zvhd2")).unwrap().len();
    assert_eq!(run["artifacts"][0]["length"].as_u64(), Some(length));
}

#[test]
fn junit_is_what_build_servers_read() {
    use roxmltree::{Document, Node};

    let children = |node: &Node<'_, '_>, name: &str| {
        node.children().filter(|child| child.has_tag_name(name)).map(|child| child.id()).collect::<Vec<_>>()
    };
    let number = |node: &Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<usize>().unwrap();
    let folder = mixed();
    let run = check(&folder, &[&["--format", "junit"], &MIXED[..]].concat());
    assert_eq!(run.status, 2);
    let document = Document::parse(&run.out).unwrap();
    let report = document.root_element();
    let suites = children(&report, "testsuite").into_iter().map(|id| document.get_node(id).unwrap());
    let suites = suites.collect::<Vec<_>>();
    let cases = |suite: &Node<'_, '_>| {
        let cases = children(suite, "testcase").into_iter();
        cases.map(|id| document.get_node(id).unwrap()).collect::<Vec<_>>()
    };
    let part = |case: &Node<'_, '_>, name: &str| {
        children(case, name).first().map(|id| document.get_node(*id).unwrap())
    };
    assert_eq!((report.tag_name().name(), report.attribute("name")), ("testsuites", Some("imsprep")));
    let names = suites.iter().map(|suite| suite.attribute("name").unwrap()).collect::<Vec<_>>();
    assert_eq!(names, ["good.zvhd2", "cut.zvhd2", "my \\u{1b}disk.raw", "none.raw"]);
    let counts = ["tests", "failures", "errors", "skipped"];
    let mut sums = [0; 4];
    for suite in &suites {
        let cases = cases(suite);
        let with = |name| cases.iter().filter(|case| part(case, name).is_some()).count();
        let counted = [cases.len(), with("failure"), with("error"), with("skipped")];
        assert_eq!(counted, counts.map(|name| number(suite, name)));
        sums.iter_mut().zip(counted).for_each(|(sum, count)| *sum += count);
        assert_eq!(cases[0].attribute("name"), Some("may be imported"));
        for case in cases {
            // One outcome for each case, and what the schema of JUnit's authors asks for.
            let outcomes = ["failure", "error", "skipped"].map(|name| children(&case, name).len());
            assert!(outcomes.iter().sum::<usize>() <= 1, "{case:?}");
            assert!(case.attribute("classname").is_some() && case.attribute("time").is_some(), "{case:?}");
        }
    }
    assert_eq!(sums, counts.map(|name| number(&report, name)));
    assert_eq!(sums[2], 1);

    let [good, cut, raw, none] = suites[..] else { panic!("{suites:?}") };
    assert!(number(&good, "failures") == 0 && number(&good, "skipped") > 0);
    let failed = |suite: &Node<'_, '_>| {
        let failed = cases(suite).into_iter().filter(|case| part(case, "failure").is_some()).skip(1);
        failed
            .map(|case| {
                case.attribute("name").unwrap()[..case.attribute("name").unwrap().find(':').unwrap()]
                    .to_owned()
            })
            .collect::<Vec<_>>()
    };
    let text =
        |case: &Node<'_, '_>, name: &str| part(case, name).unwrap().text().unwrap_or_default().to_owned();
    assert_eq!(text(&cases(&cut)[0], "failure"), "not importable: ZV-003");
    assert_eq!(failed(&cut), ["ZV-003"]);
    let failure = text(&cases(&cut)[1], "failure");
    assert!(failure.contains("at offset 565904") && failure.contains("fix:"), "{failure}");
    assert_eq!(failed(&raw), ["BM-003", "IMS-010"]);
    assert!(text(&cases(&raw)[0], "system-out").contains("IMS-006"));
    let error = part(&cases(&none)[0], "error").unwrap();
    assert!(error.attribute("message").unwrap().contains("none.raw"), "{error:?}");

    // Warnings fail where they count.
    let run = check(&folder, &["--format", "junit", "--strict", "my \u{1b}disk.raw"]);
    let strict = Document::parse(&run.out).unwrap();
    let is_failed = |node: &Node<'_, '_>| {
        let name = node.attribute("name").unwrap_or_default();
        node.has_tag_name("testcase") && name.starts_with("IMS-011:") && !children(node, "failure").is_empty()
    };
    assert!(strict.descendants().any(|node| is_failed(&node)), "{}", run.out);
}

#[test]
fn a_manifest_holds_size_and_hash_of_image_and_bitmap() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 64 << 20, &[0, 33 << 20]);
    folder.write("good.zvhd2", imsprep_testdata::golden("zstd_k_uniform.zvhd2"));
    folder.sparse("odd.qcow2", 3 << 20, &[1]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let names = ["disk.raw", "good.zvhd2", "odd.qcow2"];
    let args = ["check", "--manifest", "sums.json", "--prefix", "images"];
    let (_, json) = folder.json(&[&args, &names[..]].concat());
    let manifest =
        serde_json::from_slice::<Value>(&std::fs::read(folder.path("sums.json")).unwrap()).unwrap();
    assert_eq!((&manifest["schema"], &manifest["version"]), (&json!("imsprep.manifest"), &json!(1)));
    let images = manifest["images"].as_array().unwrap();
    assert_eq!(images.len(), 3);
    let held = |entry: &Value, name: &str| {
        let bytes = std::fs::read(folder.path(name)).unwrap();
        let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!((entry["path"].as_str(), entry["size"].as_u64()), (Some(name), Some(bytes.len() as u64)));
        assert_eq!(entry["sha256"].as_str(), Some(hash.as_str()), "{name}");
        assert_eq!(entry["key"].as_str(), Some(format!("images/{name}").as_str()));
    };
    for (image, name) in images.iter().zip(names) {
        held(image, name);
    }
    held(&images[0]["bitmap"], "disk.mf");
    assert_eq!(images[1]["bitmap"], Value::Null);
    // The pass that hashes is the one that scans.
    assert_eq!(json["files"][0]["scan"]["data_blocks"], 2);
    assert_eq!(json["files"][0]["bitmap"]["compared"], true);
}

#[test]
fn a_manifest_takes_the_place_of_nothing_and_is_whole_or_not_there() {
    let folder = Folder::new();
    folder.sparse("disk.raw", 8 << 20, &[0]);
    folder.run(&["bitmap", "create", "disk.raw"]);
    let bitmap = std::fs::read(folder.path("disk.mf")).unwrap();
    for out in ["disk.raw", "disk.mf", "./disk.mf"] {
        let run = check(&folder, &["--manifest", out, "--force", "disk.raw"]);
        assert_eq!((run.status, run.out.as_str()), (2, ""), "{out}");
        assert!(run.err.contains("the same file as the input"), "{}", run.err);
    }
    assert_eq!(std::fs::read(folder.path("disk.mf")).unwrap(), bitmap);
    // The bitmap that this very run writes.
    folder.sparse("new.raw", 8 << 20, &[0]);
    let run = check(&folder, &["--manifest", "new.mf", "--force", "--write-bitmap", "new.raw"]);
    assert_eq!(run.status, 2, "{}", run.err);
    assert_eq!(std::fs::read(folder.path("new.mf")).unwrap().len(), 4096);

    folder.write("sums.json", b"old");
    let run = check(&folder, &["--manifest", "sums.json", "disk.raw"]);
    assert_eq!((run.status, run.out.as_str()), (2, ""));
    let run = check(&folder, &["--manifest", "none.json", "disk.raw", "none.raw"]);
    assert_eq!(run.status, 2);
    assert!(run.err.contains("none.json: not written"), "{}", run.err);
    assert!(!folder.path("none.json").exists());
    assert_eq!(check(&folder, &["--manifest", "sums.json", "--force", "disk.raw"]).status, 0);
    assert!(std::fs::read(folder.path("sums.json")).unwrap().starts_with(b"{"));
    assert_eq!(check(&folder, &["--quick", "--manifest", "x.json", "disk.raw"]).status, 2);
}

/// A disk of 50 GiB with an MBR that has these partitions (first sector, sectors, type, active), and these bytes.
fn disk(folder: &Folder, name: &str, partitions: &[(u32, u32, u8, bool)], bytes: &[(u64, &[u8])]) {
    use std::os::unix::fs::FileExt;
    let path = folder.sparse(name, 50 * GIB, &[]);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let mut sector = [0; 512];
    for (entry, (first, count, kind, active)) in sector[446..].chunks_mut(16).zip(partitions) {
        entry[0] = if *active { 0x80 } else { 0 };
        entry[4] = *kind;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..16].copy_from_slice(&count.to_le_bytes());
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    file.write_all_at(&sector, 0).unwrap();
    for (offset, bytes) in bytes {
        file.write_all_at(bytes, *offset).unwrap();
    }
}

#[test]
fn what_is_inside_the_disk_counts_in_raw_and_in_zvhd2() {
    let folder = Folder::new();
    disk(&folder, "sound.raw", &[(2048, 1 << 20, 0x83, false)], &[]);
    let luks = b"LUKS\xba\xbe\0\x02";
    disk(&folder, "luks.raw", &[(2048, 1 << 20, 0x83, false)], &[(1 << 20, luks)]);
    disk(&folder, "cut.raw", &[(2048, 200 << 21, 0x83, false)], &[]);
    let signature = b"SWAPSPACE2";
    let header = [&1_u32.to_le_bytes()[..], &255_u32.to_le_bytes()].concat();
    let swap: &[(u64, &[u8])] = &[((1 << 20) + 4086, signature), ((1 << 20) + 1024, &header)];
    disk(&folder, "swap.raw", &[(2048, 1 << 20, 0x82, false)], swap);
    for (name, code, offset) in [
        ("luks", Some("IMS-009"), Some(1 << 20)),
        ("cut", Some("IMS-051"), None),
        ("sound", None, None),
        ("swap", None, None),
    ] {
        for extension in ["raw", "zvhd2"] {
            let file = format!("{name}.{extension}");
            if extension == "zvhd2" {
                let source = format!("{name}.raw");
                assert_eq!(folder.run(&["convert", &source, &file, "--allow", "IMS-051"]).status, 0);
            }
            let (_, json) = folder.json(&["check", &file]);
            let findings = json["files"][0]["report"]["findings"].as_array().unwrap();
            let inside = ["IMS-009", "IMS-014", "IMS-05", "IMS-060"];
            let found = findings
                .iter()
                .filter(|f| inside.iter().any(|code| f["code"].as_str().unwrap().starts_with(code)));
            let found =
                found.map(|f| (f["code"].as_str().unwrap(), f["offset"].as_u64(), f["block"].as_u64()));
            // In a container a place on the disk is no place in the file.
            let place = |code| match extension {
                "raw" => (code, offset, None),
                _ => (code, None, offset.map(|offset| offset >> 21)),
            };
            assert_eq!(found.collect::<Vec<_>>(), code.map(place).into_iter().collect::<Vec<_>>(), "{file}");
            assert_eq!(json["files"][0]["inside"]["table"], "MBR", "{file}");
        }
    }
    let has = |args: &[&str], code: &str| codes_of(&folder, args).contains(&code.to_owned());
    // By inspection it is a data disk; what is said beats that.
    assert!(!has(&["swap.raw"], "IMS-059") && has(&["--purpose", "system", "swap.raw"], "IMS-059"));
    let text = check(&folder, &["swap.zvhd2"]).out;
    assert!(text.contains("  content: MBR, 1 partition; data disk, Linux\n"), "{text}");
}

#[test]
fn a_file_system_of_a_running_machine_is_a_warning_and_a_moved_gpt_too() {
    need_tools(["sfdisk", "mkfs.ext4", "debugfs"]);
    let folder = Folder::new();
    let script = "truncate -s 50G disk.raw
        printf 'label: gpt\\nstart=2048, size=131072, type=L\\n' | sfdisk -q disk.raw
        truncate -s 64M root; mkfs.ext4 -q -F root; cp root clean
        debugfs -w -R 'feature needs_recovery' root 2>/dev/null
        cp --sparse=always disk.raw sound.raw
        dd if=root of=disk.raw bs=1M seek=1 conv=notrunc,sparse status=none
        dd if=clean of=sound.raw bs=1M seek=1 conv=notrunc,sparse status=none
        cp --sparse=always sound.raw grown.raw; truncate -s 60G grown.raw
        cp --sparse=always sound.raw lost.raw; truncate -s 49G lost.raw; truncate -s 50G lost.raw";
    let output = command("sh").args(["-ec", script]).current_dir(folder.path(".")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (name, expected) in
        [("sound", None), ("disk", Some("IMS-056")), ("grown", Some("IMS-050")), ("lost", Some("IMS-052"))]
    {
        let mut codes = codes_of(&folder, &[&format!("{name}.raw")]);
        codes.retain(|code| code.starts_with("IMS-05"));
        codes.dedup();
        assert_eq!(codes, expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
    let text = check(&folder, &["grown.raw"]).out;
    assert!(text.contains("at offset 53687091200") || text.contains("offset 53687090688"), "{text}");
}
