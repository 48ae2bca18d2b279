//! What is read back is what was written; what was not is refused.

use std::path::Path as FilePath;
use std::time::Duration;

use imsprep_findings::Severity::{Error, Note, Warning};
use imsprep_source::{Cancel, Work};
use imsprep_toolkit::{CheckOptions, ConvertOptions, Target, check_image_file, prepare_image};

use super::*;
use imsprep_findings::Overrides;
use imsprep_rules::{HUAWEI, Intent};

use crate::exit::Status;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::policy::Warnings;
use crate::wire;

fn outcome(path: &FilePath) -> Outcome {
    let result =
        check_image_file(&Target::new(path), &CheckOptions::default(), Work::new(&(), &Cancel::new()));
    let status =
        result.as_ref().map_or(Status::CouldNotLook, |checked| Warnings::Pass.status(&checked.report));
    let elapsed = Duration::from_millis(1500);
    Outcome { path: path.into(), status, elapsed, result: result.map_err(anyhow::Error::new) }
}

/// One that passes with warnings, one that is broken in several ways, one that is not there.
fn outcomes(folder: &FilePath) -> Vec<Outcome> {
    let good = imsprep_testdata::golden("zstd_k_uniform.zvhd2");
    let files = [("good.zvhd2", good), ("cut.zvhd2", &good[..570_000])];
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    ["good.zvhd2", "cut.zvhd2", "none.raw"].map(|name| outcome(&folder.join(name))).into()
}

/// What a document must be read as, from what it is made of.
fn expected(outcome: &Outcome) -> ReportedImage {
    let (verdict, reservations, bytes, tallies, finding) = match &outcome.result {
        Err(_) => (SaidVerdict::CouldNotTell, vec![], None, vec![], None),
        Ok(checked) => {
            let report = &checked.report;
            let verdict =
                if report.has_errors() { SaidVerdict::NotImportable } else { SaidVerdict::Importable };
            let tallies = report.tallies().map(|tally| SaidTally {
                code: tally.rule.code.into(),
                severity: tally.severity,
                total: tally.total,
            });
            let gravest = report.findings().iter().map(|finding| finding.severity).max();
            let finding = report.findings().iter().find(|finding| Some(finding.severity) == gravest);
            let finding = finding.map(|finding| SaidFinding {
                code: finding.rule.code.into(),
                severity: finding.severity,
                message: finding.message.clone(),
                fix: finding.advice().into(),
            });
            (verdict, vec![], Some(checked.detection.file_size), tallies.collect(), finding)
        }
    };
    ReportedImage {
        path: outcome.path.as_os_str().as_encoded_bytes().to_vec(),
        verdict,
        exit_status: outcome.status.number(),
        reservations,
        bytes,
        seconds: Some(1.5),
        error: outcome.result.as_ref().err().map(crate::failure::failure_text),
        tallies,
        finding,
    }
}

fn policy() -> Policy {
    Policy {
        profile: &HUAWEI,
        warnings: Warnings::Pass,
        intent: Intent::default(),
        overrides: Overrides::new(),
        layout: None,
        config: None,
        ignored_config: None,
    }
}

#[test]
fn what_check_writes_is_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let outcomes = outcomes(folder.path());
    let statuses = outcomes.iter().map(|outcome| outcome.status).collect::<Vec<_>>();
    assert_eq!(statuses, [Status::Fine, Status::Wrong, Status::CouldNotLook]);
    let policy = policy();
    let expected = outcomes.iter().map(expected).collect::<Vec<_>>();
    let run = Run {
        tool_version: env!("CARGO_PKG_VERSION").into(),
        rule_set: imsprep_rules::RULE_SET_DATE.into(),
        profile: "huawei".into(),
    };
    for (outcome, expected) in outcomes.iter().zip(&expected) {
        let line = serde_json::to_vec(&wire::check::Document::of_file(outcome, &policy)).unwrap();
        let said = read(&line).unwrap();
        assert_eq!((said.run, &said.images[..]), (run.clone(), std::slice::from_ref(expected)));
    }
    let document = wire::check::Document::new_check(&outcomes, &policy, Status::CouldNotLook);
    let said = read(&serde_json::to_vec(&document).unwrap()).unwrap();
    assert_eq!((said.run, said.images), (run, expected));
}

#[test]
fn what_prepare_writes_is_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let qcow2 = folder.path().join("disk.qcow2");
    std::fs::copy(imsprep_testdata::folder().join("disk.qcow2"), &qcow2).unwrap();
    let options = ConvertOptions::default();
    let prepared =
        prepare_image(&qcow2, &options, &CheckOptions::default(), Work::new(&(), &Cancel::new())).unwrap();
    let (policy, elapsed) = (policy(), Duration::from_millis(1500));
    let say = |body| {
        let document = wire::Document::under(&policy, "imsprep.prepare", Status::Fine, body);
        serde_json::to_vec_pretty(&document).unwrap()
    };
    let said = read(&say(wire::prepare::Body::new(&prepared, &policy, Status::Fine, elapsed))).unwrap();
    let [image] = &said.images[..] else { panic!("{said:?}") };
    // By the name that was requested, with the verdict on what came of it.
    assert_eq!(image.path, qcow2.as_os_str().as_encoded_bytes());
    assert_eq!((image.verdict, image.exit_status), (SaidVerdict::Importable, 0));
    assert_eq!((image.seconds, image.error.as_deref()), (Some(1.5), None));
    let length = std::fs::metadata(folder.path().join("disk.zvhd2")).unwrap().len();
    assert_eq!(image.bytes, Some(length));
    // The output is there by now.
    let error = anyhow::Error::new(
        prepare_image(&qcow2, &options, &CheckOptions::default(), Work::new(&(), &Cancel::new()))
            .unwrap_err(),
    );
    let body = wire::prepare::Body::failed(&qcow2, &error, elapsed);
    let document = wire::Document::under(&policy, "imsprep.prepare", Status::CouldNotLook, body);
    let said = read(&serde_json::to_vec(&document).unwrap()).unwrap();
    let [image] = &said.images[..] else { panic!("{said:?}") };
    assert_eq!((image.verdict, image.exit_status), (SaidVerdict::CouldNotTell, 2));
    assert!(image.error.as_deref().is_some_and(|error| error.contains("disk.zvhd2")), "{image:?}");
    // A source that must not be converted.
    let overlay = folder.path().join("overlay.qcow2");
    let mut bytes = std::fs::read(&qcow2).unwrap();
    // The name of a backing file, within the first cluster.
    bytes[8..16].copy_from_slice(&0x200_u64.to_be_bytes());
    bytes[16..20].copy_from_slice(&4_u32.to_be_bytes());
    bytes[0x200..0x204].copy_from_slice(b"base");
    std::fs::write(&overlay, bytes).unwrap();
    let prepared =
        prepare_image(&overlay, &options, &CheckOptions::default(), Work::new(&(), &Cancel::new())).unwrap();
    let body = wire::prepare::Body::new(&prepared, &policy, Status::Wrong, elapsed);
    let document = wire::Document::under(&policy, "imsprep.prepare", Status::Wrong, body);
    let said = read(&serde_json::to_vec(&document).unwrap()).unwrap();
    let [image] = &said.images[..] else { panic!("{said:?}") };
    assert_eq!((image.verdict, image.exit_status), (SaidVerdict::NotImportable, 1));
    assert_eq!(image.finding.as_ref().map(|finding| finding.severity), Some(Error), "{image:?}");
    assert!(image.tallies.iter().any(|tally| tally.severity == Error));
}

/// A document with some of its parts put differently.
fn line(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut line = serde_json::json!({
        "schema": "imsprep.check.file", "version": 1, "tool": {"name": "imsprep", "version": "9.9.9"},
        "exit_status": 1, "rule_set": "2040-01-01", "profile": "other", "path": "a\u{fffd}.raw",
        "path_bytes": "61ff2e726177", "verdict": "not-importable", "reservations": [], "seconds": 2.5,
        "error": null, "detection": {"format": "new", "file_size": u64::MAX}, "more": {"than": ["known"]},
        "report": {
            "findings": [
                {"code": "NEW-001", "severity": "error", "message": "m", "fix": "f", "new": 1},
                {"this": "one is not read"},
            ],
            "totals": [
                {"code": "NEW-001", "severity": "error", "total": 7, "listed": 1},
                {"code": "IMS-005", "severity": "note", "total": 1, "listed": 1},
                {"code": "IMS-004", "severity": "warning", "total": 1, "listed": 1},
            ],
        },
    });
    change(&mut line);
    serde_json::to_vec(&line).unwrap()
}

#[test]
fn a_later_programs_codes_and_fields_are_no_hindrance() {
    let said = read(&line(|_| {})).unwrap();
    let image = &said.images[0];
    assert_eq!(image.path, b"a\xff.raw");
    assert_eq!((image.bytes, image.seconds), (Some(u64::MAX), Some(2.5)));
    let severities = image.tallies.iter().map(|tally| (tally.severity, tally.total)).collect::<Vec<_>>();
    assert_eq!(severities, [(Error, 7), (Note, 1), (Warning, 1)]);
    // Version 1 had no times at first.
    let said = read(&line(|line| _ = line.as_object_mut().unwrap().remove("seconds"))).unwrap();
    assert_eq!(said.images[0].seconds, None);
}

/// One part of the document, replaced.
fn with(pointer: &str, value: serde_json::Value) -> Vec<u8> {
    line(|line| *line.pointer_mut(pointer).unwrap() = value)
}

#[test]
fn what_is_not_ours_or_not_whole_says_so() {
    use serde_json::json;
    let whole = line(|_| {});
    let why = |text: &[u8]| read(text).unwrap_err().to_string();
    // Behind the point of a number the parser misses a digit, and not the end.
    for length in (1..whole.len()).filter(|length| whole[length - 1] != b'.') {
        assert_eq!(why(&whole[..length]), "truncated JSON", "{length}");
    }
    let twice = [&whole[..], &whole].concat();
    for text in [&b"no JSON"[..], b"{\"schema\": \xff}", b"{]", &twice] {
        assert!(why(text).starts_with("not JSON: "), "{}", why(text));
    }
    for text in [
        &b"[]"[..],
        b"7",
        b"{}",
        b"{\"schema\": 1}",
        b"{\"schema\": \"x\"}",
        b"{\"schema\":\"a\",\"schema\":\"b\"}",
    ] {
        assert_eq!(why(text), "valid JSON, but not an imsprep report");
    }
    assert!(why(&with("/schema", json!("imsprep.detect"))).starts_with("imsprep.detect has no verdict"));
    assert!(
        why(&with("/version", json!(2))).starts_with("version 2 of imsprep.check.file needs a newer imsprep")
    );
    let many = vec![json!({"code": "A-1", "severity": "note", "total": 1}); ITEMS + 1];
    for (pointer, value) in [
        ("/version", json!(0)),
        ("/version", json!(null)),
        ("/tool", json!(null)),
        ("/exit_status", json!(0)),
        ("/exit_status", json!(2)),
        ("/exit_status", json!(256)),
        ("/verdict", json!("importable ")),
        ("/path", json!(7)),
        ("/path_bytes", json!("6")),
        ("/path_bytes", json!("6é")),
        ("/seconds", json!(-1.0)),
        ("/seconds", json!("1")),
        ("/detection/file_size", json!(-1)),
        ("/detection/file_size", json!(1.5)),
        ("/report/totals/0/total", json!(1e300)),
        ("/report/totals/0/severity", json!("fatal")),
        ("/report/findings/0/fix", json!(null)),
        ("/report/totals", json!(many)),
    ] {
        let why = why(&with(pointer, value));
        assert!(why.starts_with("not valid: "), "{pointer}: {why}");
        assert!(!why.contains(" at line "), "{why}");
    }
}

#[test]
fn nesting_and_numbers_without_end_are_refused_or_passed_over() {
    let deep = |field: &str, depth| {
        let text = String::from_utf8(line(|_| {})).unwrap();
        let start = text.strip_suffix('}').unwrap();
        format!("{start},\"{field}\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
    };
    // In a field that nobody reads any depth is passed over; in one that is read it is refused.
    assert!(read(&deep("unknown", 1_000_000)).is_ok());
    assert!(read(&deep("files", 1_000_000)).is_ok());
    assert!(read(&deep("error", 1_000_000)).is_err());
    let text = String::from_utf8(line(|_| {})).unwrap();
    for number in ["1e999999999", &"9".repeat(1_000_000), "-0", "1e-400"] {
        let text = text.replace("\"seconds\":2.5", &format!("\"seconds\":{number}"));
        let said = read(text.as_bytes());
        assert!(said.is_err() || said.unwrap().images[0].seconds == Some(0.0));
    }
}
