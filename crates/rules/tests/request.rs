//! Requests: the service's own examples, bodies that each break one rule, and bodies filled from what an image shows.

use std::collections::BTreeSet;

use imsprep_detect::{Detection, Evidence, Format};
use imsprep_findings::{Report, Severity};
use imsprep_rules::{
    Architecture, BodyKind, BootsBy, Detected, Endpoint, Firmware, GuestSystem, HUAWEI, ImageFacts, ImageTag,
    MAX_BODY, OTC, OsType, OsVersions, Profile, Purpose, REQUEST_RULES, Request, RequestOptions, ServerType,
    Tool, ValidateOptions, fill_request, tool_values, validate_body,
};
use proptest::prelude::*;

const GIB: u64 = 1 << 30;

fn folder(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = imsprep_testdata::folder().join("requests").join(name);
    let mut files = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(path).expect("its bytes"))
        })
        .collect::<Vec<_>>();
    files.sort();
    files
}

fn validate_with(
    bytes: &[u8],
    profile: &'static Profile,
    endpoint: Option<Endpoint>,
    facts: Option<&ImageFacts>,
) -> (Option<BodyKind>, Report) {
    let mut report = Report::new();
    let os_versions = OsVersions::built_in(profile);
    let options = ValidateOptions { profile, os_versions: &os_versions, endpoint, facts };
    let kind = validate_body(bytes, &options, &mut report);
    (kind, report)
}

fn validate(text: &str) -> (Option<BodyKind>, Report) {
    validate_with(text.as_bytes(), &HUAWEI, None, None)
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings().iter().map(|finding| finding.rule.code).collect()
}

#[test]
fn the_four_examples_of_the_api_page_break_no_rule() {
    for (name, bytes) in folder("examples") {
        let (kind, report) = validate_with(&bytes, &HUAWEI, None, None);
        let (expected_kind, expected) = match name.as_str() {
            "system-tags" | "system-image_tags" | "system-tags-chinese" => (BodyKind::QuickSystem, &[][..]),
            "data-tags" | "data-image_tags" => (BodyKind::QuickData, &[][..]),
            "data-tags-qcow2" | "data-image_tags-qcow2" => (BodyKind::QuickData, &["IMS-135"][..]),
            "v1-dataimage-tags" | "v1-dataimage-image_tags" => (BodyKind::CommonData, &[][..]),
            other => panic!("{other} is not expected here"),
        };
        assert_eq!((kind, codes(&report)), (Some(expected_kind), expected.to_vec()), "{name}");
    }
}

#[test]
fn the_telekoms_pages_disagree_on_descriptions_alone() {
    for (name, bytes) in folder("examples") {
        let (_, report) = validate_with(&bytes, &OTC, None, None);
        let mut codes = codes(&report);
        codes.retain(|code| *code != "IMS-135");
        assert_eq!(codes, ["IMS-116"], "{name}");
    }
}

#[test]
fn each_broken_body_breaks_the_one_rule_that_it_is_named_after() {
    for (name, bytes) in folder("broken") {
        let (_, report) = validate_with(&bytes, &HUAWEI, None, None);
        let code = name.get(..7).unwrap();
        assert_eq!(codes(&report), [code], "{name}: {:#?}", report.findings());
    }
}

#[test]
fn every_rule_of_the_request_is_broken_by_some_test() {
    let by_files = folder("broken").into_iter().map(|(name, _)| name.get(..7).unwrap().to_owned());
    let mut broken = by_files.collect::<BTreeSet<_>>();
    // By the tests below, with an image or for the other cloud.
    let by_tests = [
        "IMS-116", "IMS-124", "IMS-128", "IMS-137", "IMS-138", "IMS-139", "IMS-140", "IMS-148", "IMS-149",
        "IMS-161", "IMS-163", "IMS-173", "IMS-174", "IMS-175", "IMS-176", "IMS-177", "IMS-178",
    ];
    broken.extend(by_tests.map(str::to_owned));
    let all = REQUEST_RULES.iter().map(|rule| rule.code.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(all, broken);
    assert!(REQUEST_RULES.is_sorted_by_key(|rule| rule.code));
}

#[test]
fn findings_name_the_field_and_the_place() {
    let finding = |text: &str| validate(text).1.findings().first().cloned().unwrap();
    let body = |more: &str| {
        format!(
            r#"{{"name": "a", "type": "ECS", "os_version": "CentOS 7.0 64bit", "image_url": "abc:a.raw", "min_disk": 40, {more}}}"#
        )
    };
    let syntax = finding("{\n  \"name\": \"a\"\n  \"min_disk\": 1\n}");
    assert!(syntax.message.starts_with("line 3, column 3: "), "{}", syntax.message);
    // The places are those in the file, whatever could not be read before them.
    let report = validate(&body(r#""tags": [1, "a.b", "nodot"]"#)).1;
    let fields = report.findings().iter().filter_map(|f| f.field.as_deref()).collect::<Vec<_>>();
    assert_eq!(fields, ["tags[0]", "tags[2]"]);
    let twice = finding(&body(r#""image_tags": [{"key": "a", "value": "b", "key": "a"}]"#));
    assert_eq!((twice.rule.code, twice.field.as_deref()), ("IMS-103", Some("image_tags[0].key")));
    let unknown = finding(&body(r#""min_disc": 40"#));
    assert!(unknown.advice().contains("min_disk"), "{}", unknown.advice());
    let hostile = finding(&body(&format!(r#""\u001b[2J{}": 1"#, "x".repeat(1000))));
    assert!(!hostile.message.contains('\u{1b}') && hostile.message.len() < 200, "{}", hostile.message);
}

#[test]
fn which_request_a_body_is_for_its_fields_tell_unless_somebody_says() {
    let kind = |text: &str, endpoint| validate_with(text.as_bytes(), &HUAWEI, endpoint, None).0;
    for (text, told) in [
        (r#"{"os_version": "x"}"#, BodyKind::QuickSystem),
        (r#"{"type": "ECS"}"#, BodyKind::QuickSystem),
        (r#"{"type": "DataImage"}"#, BodyKind::QuickData),
        (r#"{"name": "x"}"#, BodyKind::CommonData),
        (r#"{"name": "x", "cmk_id": "x"}"#, BodyKind::CommonData),
        (r#"{"os_version": "x", "cmk_id": "x"}"#, BodyKind::CommonSystem),
        (r#"{"os_version": "x", "is_config": true}"#, BodyKind::CommonSystem),
    ] {
        assert_eq!(kind(text, None), Some(told), "{text}");
    }
    let text = r#"{"name": "x", "os_type": "Linux"}"#;
    assert_eq!(kind(text, Some(Endpoint::QuickImport)), Some(BodyKind::QuickData));
    assert_eq!(kind(text, Some(Endpoint::Image)), Some(BodyKind::CommonSystem));
    let (_, report) = validate_with(text.as_bytes(), &HUAWEI, Some(Endpoint::QuickImport), None);
    assert!(
        codes(&report).contains(&"IMS-160"),
        "a data disk of quick import must say so: {:?}",
        codes(&report)
    );
}

#[test]
fn what_is_not_text_or_too_long_is_told_and_not_read() {
    let first = |bytes: &[u8]| {
        let (kind, report) = validate_with(bytes, &HUAWEI, None, None);
        (kind, report.findings().first().unwrap().message.clone())
    };
    let (kind, message) = first(&vec![b' '; MAX_BODY + 1]);
    assert!(kind.is_none() && message.contains("1048577 bytes"), "{message}");
    assert!(first(b"\xff\xfe{\0}\0").1.contains("UTF-16"));
    assert!(first(b"{\"name\": \"\xff\"}").1.contains("not UTF-8 from byte 10 on"));
    let (kind, message) = first(b"\xef\xbb\xbf{\"os_version\": \"x\"}");
    assert!(kind.is_some() && message.contains("byte order mark"), "{message}");
    let deep = "[".repeat(100_000);
    assert!(first(deep.as_bytes()).1.contains("recursion limit"));
}

#[test]
fn a_hundred_thousand_unknown_fields_are_counted_and_a_hundred_kept() {
    let members = (0..100_000).map(|i| format!("\"{i}\":1")).collect::<Vec<_>>().join(",");
    let (_, report) = validate(&format!("{{{members}}}"));
    let unknown = report.tallies().find(|tally| tally.rule.code == "IMS-104").unwrap();
    assert_eq!((unknown.total, unknown.kept), (100_000, Report::KEPT));
}

proptest! {
    #[test]
    fn no_bytes_make_it_stop(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        validate_with(&bytes, &OTC, None, None);
    }

    #[test]
    fn no_values_of_the_known_fields_make_it_stop(
        fields in proptest::collection::vec((0..22usize, "[ -~ü漢]{0,20}"), 0..8),
        number in any::<i64>(),
    ) {
        let names = ["name", "description", "os_type", "os_version", "image_url", "min_disk", "type", "architecture",
            "hw_firmware_type", "license_type", "tags", "image_tags", "enterprise_project_id", "cmk_id", "is_config",
            "is_config_init", "is_quick_import", "min_ram", "max_ram", "instance_id", "volume_id", "data_images"];
        let members = fields.iter().enumerate().map(|(i, (field, text))| {
            let value = match i % 4 {
                0 => serde_json::json!(text),
                1 => serde_json::json!(number),
                2 => serde_json::json!([text]),
                _ => serde_json::json!([{"key": text, "value": text}]),
            };
            format!("{}: {value}", serde_json::json!(names[*field]))
        }).collect::<Vec<_>>();
        let text = format!("{{{}}}", members.join(", "));
        let facts = linux(41 * GIB);
        for facts in [None, Some(&facts)] {
            let (kind, _) = validate_with(text.as_bytes(), &HUAWEI, None, facts);
            prop_assert_eq!(kind.is_some(), !members.is_empty());
        }
    }
}

fn detection(format: Format, file_size: u64, virtual_size: u64) -> Detection {
    Detection {
        format,
        variant: None,
        file_size,
        virtual_size: Some(virtual_size),
        facts: vec![],
        also: vec![],
        evidence: vec![Evidence::Gpt],
    }
}

/// A RAW of this size of which nothing more is known.
fn raw(size: u64) -> ImageFacts {
    ImageFacts::of_detection("images/disk.raw", detection(Format::Raw, size, size))
}

/// The same with a Linux for x86 that starts by UEFI.
fn linux(size: u64) -> ImageFacts {
    ImageFacts {
        purpose: Some(Detected::new(Purpose::System, "there is a boot loader")),
        boots_by: Some(Detected::new(BootsBy::Uefi, "there is an EFI boot loader, and no BIOS boot code")),
        architecture: Some(Detected::new(Architecture::X86, "EFI/BOOT/BOOTX64.EFI")),
        os: Some(Detected::new(OsType::Linux, "there is an ext4")),
        ..raw(size)
    }
}

fn options() -> RequestOptions {
    RequestOptions {
        bucket: "my-images".into(),
        prefix: Some("linux".into()),
        name: "web-01".into(),
        os_version: Some("CentOS 7.0 64bit".into()),
        ..RequestOptions::default()
    }
}

fn fill(options: &RequestOptions, facts: &ImageFacts, profile: &'static Profile) -> (Request, Report) {
    let mut report = Report::new();
    let request = fill_request(options, facts, profile, &OsVersions::built_in(profile), &mut report);
    (request, report)
}

#[test]
fn a_body_is_filled_from_what_the_image_shows() {
    let (request, report) = fill(&options(), &linux(200 * GIB), &HUAWEI);
    assert_eq!(codes(&report), [""; 0]);
    let body = serde_json::to_value(&request.body).unwrap();
    let expected = serde_json::json!({
        "name": "web-01",
        "os_version": "CentOS 7.0 64bit",
        "image_url": "my-images:linux/disk.raw",
        "min_disk": 201,
        "type": "ECS",
        "architecture": "x86",
        "hw_firmware_type": "uefi",
    });
    assert_eq!(body, expected);
    assert_eq!((request.kind, request.why.as_deref()), (BodyKind::QuickSystem, None));
    // What was found out is told with its reason.
    let filled = request.filled.iter().map(|filled| filled.field).collect::<Vec<_>>();
    assert_eq!(filled, ["type", "architecture", "hw_firmware_type", "min_disk"]);
    // What is made is what a check of it by itself passes.
    let text = serde_json::to_vec(&request.body).unwrap();
    let (kind, report) = validate_with(&text, &HUAWEI, None, Some(&linux(200 * GIB)));
    assert_eq!((kind, codes(&report)), (Some(BodyKind::QuickSystem), vec![]));
}

/// A Linux whose files name this system.
fn with_system(wanted: Option<&str>, lacking: Option<&'static str>, has_points: bool) -> ImageFacts {
    let by = "partition 2: /etc/os-release names it";
    let system = GuestSystem {
        os: OsType::Linux,
        product: "a system".into(),
        wanted: wanted.map(str::to_owned),
        lacking,
        has_points,
        like: vec!["rhel".into(), "centos".into()],
        by: by.into(),
    };
    ImageFacts { boots_by: None, system: Some(system), ..linux(200 * GIB) }
}

#[test]
fn the_system_in_the_image_is_filled_in_if_a_value_names_it() {
    let nothing = RequestOptions { os_version: None, ..options() };
    for (wanted, points, value, code) in [
        ("CentOS 7.4 64bit", false, "CentOS 7.4 64bit", None),
        ("Debian 10.0 64bit", true, "Debian GNU/Linux 10.0.0 64bit", None),
        ("Debian 12.15 64bit", true, "Linux 12.0.0 64bit", Some("IMS-128")),
    ] {
        let (request, report) = fill(&nothing, &with_system(Some(wanted), None, points), &HUAWEI);
        assert_eq!(request.body.os_version.as_deref(), Some(value), "{wanted}");
        assert!(!report.has_errors(), "{wanted}: {:?}", codes(&report));
        assert_eq!(codes(&report).contains(&"IMS-128"), code.is_some(), "{wanted}: {:?}", codes(&report));
        let filled = request.filled.iter().find(|filled| filled.field == "os_version").unwrap();
        assert!(filled.why.starts_with("partition 2: /etc/os-release"), "{}", filled.why);
    }
    // What can't be told is not filled in: the error has the values that come near.
    for (wanted, lacking, offered) in [
        (Some("CentOS 7 64bit"), Some("its minor version"), "\"CentOS 7.9 64bit\""),
        (Some("Rocky Linux 9.3 64bit"), None, "\"Other(64 bit)\""),
        (Some("Red Hat Enterprise Linux 9.4 64bit"), None, "\"Red Hat Linux Enterprise 9.1 64bit\""),
        (None, None, "\"Other(64 bit)\""),
    ] {
        let (request, report) = fill(&nothing, &with_system(wanted, lacking, false), &HUAWEI);
        assert_eq!(request.body.os_version, None, "{wanted:?}");
        let finding = report.findings().iter().find(|finding| finding.rule.code == "IMS-120").unwrap();
        assert!(report.has_errors() && finding.message.contains("/etc/os-release"), "{}", finding.message);
        assert!(lacking.is_none_or(|lacking| finding.message.contains(lacking)), "{}", finding.message);
        let fix = finding.fix.as_deref().unwrap();
        assert!(fix.contains(offered), "{wanted:?}: {fix}");
    }
    let why = Some("partition 2: is encrypted".to_owned());
    let (_, report) = fill(&nothing, &ImageFacts { no_system: why, ..linux(200 * GIB) }, &HUAWEI);
    assert!(report.findings().iter().any(|finding| finding.message.contains("is encrypted")));
}

#[test]
fn what_the_user_says_wins_and_what_the_image_contradicts_is_a_finding() {
    for (wanted, lacking, given, code) in [
        ("CentOS 7.4 64bit", None, "CentOS 7.4 64bit", None),
        ("CentOS 7.4 64bit", None, "Other(64 bit)", None),
        ("CentOS 7.4 64bit", None, "CentOS 7.0 64bit", Some("IMS-128")),
        ("CentOS 7.4 64bit", None, "CentOS 6.9 64bit", Some("IMS-124")),
        ("CentOS 7.4 64bit", None, "CentOS 7.0 32bit", Some("IMS-124")),
        ("CentOS 7.4 64bit", None, "Ubuntu 20.04 server 64bit", Some("IMS-124")),
        ("CentOS 7.4 64bit", None, "Windows Server 2016 Standard 64bit", Some("IMS-124")),
        // The minor version is not known: any may be right.
        ("CentOS 7 64bit", Some("its minor version"), "CentOS 7.0 64bit", None),
        ("CentOS 7 64bit", Some("its minor version"), "CentOS 8.0 64bit", Some("IMS-124")),
        // No value names the system: that of a relative may be given, and one that was offered.
        ("Rocky Linux 8.5 64bit", None, "CentOS 8.0 64bit", Some("IMS-128")),
        ("Rocky Linux 8.5 64bit", None, "Debian GNU/Linux 10.0.0 64bit", Some("IMS-124")),
        ("Red Hat Enterprise Linux 8.9 64bit", None, "Redhat Linux Enterprise 8.0 64bit", Some("IMS-128")),
        ("Fedora 41 64bit", None, "Fedora 39 64bit", Some("IMS-128")),
        ("Fedora 41 64bit", None, "Fedora 22 64bit", Some("IMS-124")),
        ("Ubuntu 22.04.4 server 64bit", None, "Ubuntu 22.04 server 64bit", None),
        ("Debian 12.15 64bit", None, "Linux 12.0.0 64bit", Some("IMS-128")),
    ] {
        let options = RequestOptions { os_version: Some(given.into()), ..options() };
        let facts = with_system(Some(wanted), lacking, wanted.starts_with("Debian"));
        let (request, report) = fill(&options, &facts, &HUAWEI);
        assert_eq!(request.body.os_version.as_deref(), Some(given), "{wanted}");
        let found = codes(&report).into_iter().find(|code| ["IMS-124", "IMS-128"].contains(code));
        assert_eq!(found, code, "{wanted}, {given}: {:?}", codes(&report));
        let text = serde_json::to_vec(&request.body).unwrap();
        let (_, again) = validate_with(&text, &HUAWEI, None, Some(&facts));
        assert_eq!(
            codes(&again).contains(&"IMS-124"),
            code == Some("IMS-124"),
            "a body is held against it, too"
        );
    }
}

#[test]
fn what_the_image_does_not_tell_is_left_to_the_service() {
    let (request, report) = fill(&options(), &raw(200 * GIB), &HUAWEI);
    assert_eq!(codes(&report), [""; 0]);
    assert_eq!((request.body.architecture, request.body.hw_firmware_type), (None, None));
}

#[test]
fn a_data_disk_has_the_fields_of_a_data_disk() {
    let options = RequestOptions { os_version: None, purpose: Some(Purpose::Data), ..options() };
    let (request, report) = fill(&options, &raw(200 * GIB), &HUAWEI);
    assert_eq!(codes(&report), [""; 0]);
    let body = serde_json::to_value(&request.body).unwrap();
    let expected = serde_json::json!({
        "name": "web-01",
        "os_type": "Linux",
        "image_url": "my-images:linux/disk.raw",
        "min_disk": 201,
        "type": "DataImage",
    });
    assert_eq!(body, expected);
    for wrong in [
        RequestOptions { os_version: Some("CentOS 7.0 64bit".into()), ..options.clone() },
        RequestOptions { machine: Some(ServerType::Ecs), ..options.clone() },
        RequestOptions { firmware: Some(Firmware::Uefi), ..options.clone() },
        RequestOptions { architecture: Some(Architecture::X86), ..options.clone() },
        RequestOptions { license_type: Some("byol".into()), ..options.clone() },
        RequestOptions { cmk_id: Some("117b0e6e-6ec7-4f76-b0c9-6b0e1b1f5c3a".into()), ..options.clone() },
    ] {
        assert_eq!(codes(&fill(&wrong, &raw(200 * GIB), &HUAWEI).1), ["IMS-105"], "{wrong:?}");
    }
}

#[test]
fn other_formats_go_to_the_common_import_and_are_refused_above_128_gib() {
    let qcow2 = |file| ImageFacts {
        path: "disk.qcow2".into(),
        ..ImageFacts::of_detection("", detection(Format::Qcow2, file, 60 * GIB))
    };
    let (request, report) = fill(&options(), &qcow2(GIB), &HUAWEI);
    assert_eq!((request.kind, codes(&report)), (BodyKind::CommonSystem, vec![]));
    assert_eq!(request.endpoint().path(), "/v2/cloudimages/action");
    assert!(request.why.unwrap().contains("qcow2"), "the reason is told");
    let data = RequestOptions { os_version: None, purpose: Some(Purpose::Data), ..options() };
    let (request, report) = fill(&data, &qcow2(GIB), &HUAWEI);
    assert_eq!((request.kind, codes(&report)), (BodyKind::CommonData, vec![]));
    assert_eq!(request.body.image_type, None);

    // Of this size the file is larger than the disk as well, which older pages compare min_disk with.
    assert_eq!(codes(&fill(&options(), &qcow2(128 * GIB), &HUAWEI).1), ["IMS-149", "IMS-140"]);
    let (_, report) = fill(&options(), &qcow2(128 * GIB + 1), &HUAWEI);
    assert_eq!(codes(&report), ["IMS-149", "IMS-139"]);
    let finding = report.findings().iter().find(|finding| finding.rule.code == "IMS-139").unwrap();
    assert!(finding.advice().contains("imsprep prepare disk.qcow2"), "the way out: {}", finding.advice());
    // What no import takes.
    let iso = ImageFacts {
        path: "a.iso".into(),
        ..ImageFacts::of_detection("", detection(Format::Iso9660, GIB, GIB))
    };
    assert_eq!(codes(&fill(&options(), &iso, &HUAWEI).1), ["IMS-147", "IMS-138"]);
}

#[test]
fn a_flag_against_the_image_is_an_error_with_what_the_image_has() {
    let bios =
        ImageFacts { boots_by: Some(Detected::new(BootsBy::Bios, "GRUB in the MBR")), ..linux(200 * GIB) };
    let both = ImageFacts { boots_by: Some(Detected::new(BootsBy::Both, "both")), ..linux(200 * GIB) };
    let arm = ImageFacts {
        architecture: Some(Detected::new(Architecture::Arm, "EFI/BOOT/BOOTAA64.EFI")),
        ..linux(200 * GIB)
    };
    let windows = ImageFacts {
        os: Some(Detected::new(OsType::Windows, "there is a boot manager of Windows")),
        ..linux(200 * GIB)
    };
    let with = |firmware, architecture| RequestOptions { firmware, architecture, ..options() };
    for (options, facts, expected) in [
        (with(Some(Firmware::Bios), None), &linux(200 * GIB), &["IMS-173"][..]),
        (with(Some(Firmware::Uefi), None), &bios, &["IMS-173"]),
        (with(Some(Firmware::Uefi), None), &both, &[]),
        (with(Some(Firmware::Bios), None), &both, &[]),
        (with(None, Some(Architecture::Arm)), &linux(200 * GIB), &["IMS-174"]),
        (with(None, Some(Architecture::X86)), &arm, &["IMS-174"]),
        (with(None, None), &arm, &[]),
        (with(Some(Firmware::Bios), None), &arm, &["IMS-172", "IMS-173"]),
        (options(), &windows, &["IMS-124"]),
        (
            RequestOptions { os_version: None, purpose: Some(Purpose::Data), ..options() },
            &linux(200 * GIB),
            &["IMS-163"],
        ),
    ] {
        let (_, report) = fill(&options, facts, &HUAWEI);
        assert_eq!(codes(&report), expected, "{options:?}");
    }
    let (_, report) = fill(&with(Some(Firmware::Bios), None), &linux(200 * GIB), &HUAWEI);
    let finding = report.findings().first().unwrap();
    assert_eq!(finding.rule.shown_code().to_string(), "IMS-173 (IMG.0141)");
    assert!(finding.message.contains("no BIOS boot code"), "{}", finding.message);
    // A body that leaves the firmware out says bios.
    let text =
        br#"{"name": "a", "os_version": "CentOS 7.0 64bit", "image_url": "abc:disk.raw", "min_disk": 201}"#;
    assert_eq!(codes(&validate_with(text, &HUAWEI, None, Some(&linux(200 * GIB))).1), ["IMS-173"]);
}

#[test]
fn min_disk_must_hold_the_disk_and_should_be_greater() {
    let code = |min_disk, size| {
        codes(&fill(&RequestOptions { min_disk: Some(min_disk), ..options() }, &raw(size), &HUAWEI).1)
    };
    assert_eq!(code(199, 200 * GIB), ["IMS-148"]);
    assert_eq!(code(200, 200 * GIB), ["IMS-149"]);
    assert_eq!(code(201, 200 * GIB), [""; 0]);
    assert_eq!(code(200, 200 * GIB - 1), [""; 0]);
    assert_eq!(code(200, 200 * GIB + 1), ["IMS-148"]);
    assert_eq!(code(-1, 200 * GIB), ["IMS-145", "IMS-148"]);
    // A tebibyte can't be exceeded: filled in, it is 1024, and told.
    let (request, report) = fill(&options(), &raw(1024 * GIB), &HUAWEI);
    assert_eq!((request.body.min_disk, codes(&report)), (Some(1024), vec!["IMS-149"]));
    // Older pages compare with the file, which may be larger than the disk.
    let mut zvhd2 = ImageFacts::of_detection("disk.zvhd2", detection(Format::Zvhd2, 42 * GIB, 40 * GIB));
    assert_eq!(codes(&fill(&options(), &zvhd2, &HUAWEI).1), ["IMS-149"]);
    zvhd2.detection.virtual_size = None;
    assert_eq!(codes(&fill(&options(), &zvhd2, &HUAWEI).1), ["IMS-145"]);
}

#[test]
fn given_the_image_its_content_decides_and_not_the_name() {
    let validate = |url: &str, facts: &ImageFacts| {
        let text = format!(
            r#"{{"name": "a", "os_version": "CentOS 7.0 64bit", "image_url": "abc:{url}", "min_disk": 201, "type": "ECS"}}"#
        );
        codes(&validate_with(text.as_bytes(), &HUAWEI, None, Some(facts)).1)
    };
    let named = |name: &str| ImageFacts { path: name.into(), ..raw(200 * GIB) };
    assert_eq!(validate("disk.raw", &named("disk.raw")), [""; 0]);
    assert_eq!(validate("disk.qcow2", &named("disk.qcow2")), ["IMS-136"]);
    assert_eq!(validate("other.raw", &named("disk.raw")), ["IMS-137"]);
    let vmdk = ImageFacts::of_detection("disk.raw", detection(Format::Vmdk, GIB, 40 * GIB));
    assert_eq!(validate("disk.raw", &vmdk), ["IMS-136", "IMS-138"]);
}

#[test]
fn bare_metal_takes_zvhd2_only() {
    let options = RequestOptions { machine: Some(ServerType::Bms), ..options() };
    assert_eq!(codes(&fill(&options, &raw(200 * GIB), &HUAWEI).1), ["IMS-161"]);
    let zvhd2 = ImageFacts::of_detection("disk.zvhd2", detection(Format::Zvhd2, GIB, 40 * GIB));
    assert_eq!(codes(&fill(&options, &zvhd2, &HUAWEI).1), [""; 0]);
}

#[test]
fn the_clouds_differ_in_letters_licences_and_ranges() {
    let chinese = RequestOptions { name: "镜像-01".into(), ..options() };
    assert_eq!(codes(&fill(&chinese, &raw(200 * GIB), &HUAWEI).1), [""; 0]);
    assert_eq!(codes(&fill(&chinese, &raw(200 * GIB), &OTC).1), ["IMS-112"]);
    let tags =
        RequestOptions { image_tags: vec![ImageTag { key: "k".into(), value: "1.2".into() }], ..options() };
    assert_eq!(codes(&fill(&tags, &raw(200 * GIB), &HUAWEI).1), [""; 0]);
    assert_eq!(codes(&fill(&tags, &raw(200 * GIB), &OTC).1), ["IMS-157"]);
    let described = RequestOptions { description: Some("A web server.".into()), ..options() };
    assert_eq!(codes(&fill(&described, &raw(200 * GIB), &HUAWEI).1), [""; 0]);
    assert_eq!(codes(&fill(&described, &raw(200 * GIB), &OTC).1), ["IMS-116"]);
    let uefi = RequestOptions { firmware: Some(Firmware::Uefi), ..options() };
    assert_eq!(codes(&fill(&uefi, &raw(200 * GIB), &OTC).1), ["IMS-175"]);
    let windows =
        RequestOptions { os_version: Some("Windows Server 2016 Standard 64bit".into()), ..options() };
    assert_eq!(codes(&fill(&windows, &raw(200 * GIB), &HUAWEI).1), ["IMS-125"]);
    assert_eq!(codes(&fill(&windows, &raw(200 * GIB), &OTC).1), [""; 0]);
    let licensed = RequestOptions { license_type: Some("byol".into()), ..windows };
    assert_eq!(codes(&fill(&licensed, &raw(200 * GIB), &HUAWEI).1), ["IMS-125"]);
    assert_eq!(codes(&fill(&licensed, &raw(200 * GIB), &OTC).1), ["IMS-167"]);
}

#[test]
fn a_tag_whose_key_has_a_dot_would_be_split_elsewhere() {
    let dotted = RequestOptions { tags: vec![("a.b".into(), "c".into())], ..options() };
    let (request, report) = fill(&dotted, &raw(200 * GIB), &HUAWEI);
    assert_eq!((request.body.tags, codes(&report)), (Some(vec!["a.b.c".into()]), vec!["IMS-157"]));
    let tags = RequestOptions { tags: vec![("a".into(), "1".into())], ..options() };
    let both = RequestOptions { image_tags: vec![ImageTag { key: "b".into(), value: "2".into() }], ..tags };
    assert_eq!(codes(&fill(&both, &raw(200 * GIB), &HUAWEI).1), ["IMS-155"]);
}

/// What is found about os_version, and the advice.
fn os_version(value: &str, profile: &'static Profile) -> (Vec<(&'static str, Severity)>, String) {
    let (_, report) =
        fill(&RequestOptions { os_version: Some(value.into()), ..options() }, &raw(200 * GIB), profile);
    let findings = report.findings();
    let text = findings.iter().map(|finding| format!("{}\n{}", finding.message, finding.advice())).collect();
    (findings.iter().map(|finding| (finding.rule.code, finding.severity)).collect(), text)
}

#[test]
fn an_unknown_operating_system_warns_with_the_nearest_of_its_family() {
    for (value, near) in [
        ("ubuntu 22.04", "\"Ubuntu 22.04 Server 64bit\""),
        ("Ubuntu 25.10 64bit", "\"Ubuntu 24.04 server 64bit\""),
        ("AlmaLinux 9 64bit", "\"Alma 8 64bit\""),
        ("Windows Server 2025 Standard 64bit", "\"Windows Server 2022 Standard 64bit\""),
        ("NeoKylin 8 64bit", "\"NeoKylin 7.4 64bit\""),
    ] {
        let (codes, text) = os_version(value, &HUAWEI);
        assert!(codes.contains(&("IMS-121", Severity::Warning)), "{value}: {codes:?}");
        assert!(
            text.contains(near)
                && text.contains("not on any known page") != value.starts_with("ubuntu")
                && text.contains("\"Other(64 bit)\""),
            "{value}: {text}"
        );
    }
    for (value, told) in
        [("Rocky 9", "has a value for Rocky Linux"), ("TempleOS 5", "not similar to any known system")]
    {
        let (codes, text) = os_version(value, &HUAWEI);
        assert_eq!(codes, [("IMS-121", Severity::Warning)], "{value}");
        assert!(
            text.contains(told) && text.contains("\"Other(64 bit)\"") && !text.contains("NeoKylin"),
            "{text}"
        );
    }
    let (codes, text) = os_version("ubuntu 22.04 server 64bit", &HUAWEI);
    assert_eq!(codes, [("IMS-121", Severity::Warning)]);
    assert!(
        text.contains("differs only in spelling from") && text.contains("write \"Ubuntu 22.04 64bit\""),
        "{text}"
    );
    let (_, text) = os_version("Redhat Enterprise Linux 7.5 64bit", &OTC);
    assert!(text.contains("differs only in spelling from \"Redhat Linux Enterprise 7.5 64bit\""), "{text}");
}

#[test]
fn systems_of_today_are_a_note_and_those_of_the_table_nothing() {
    for value in [
        "Ubuntu 22.04 Server 64bit",
        "Ubuntu 24.04 server 64bit",
        "Linux 12.0.0 64bit",
        "CentOS Stream 9.6 64bit",
        "Other_Linux(64_bit)",
    ] {
        for profile in [&HUAWEI, &OTC] {
            assert_eq!(os_version(value, profile).0, [("IMS-126", Severity::Note)], "{value}");
        }
    }
    for value in ["CentOS 7.0 64bit", "Other(64 bit)", "Other(32 bit)"] {
        assert_eq!(os_version(value, &OTC).0, [], "{value}");
    }
    let (found, text) = os_version("Ubuntu 18.04 Server 64bit", &HUAWEI);
    assert_eq!(found, [("IMS-126", Severity::Note)]);
    assert!(text.contains("\"Ubuntu 18.04 server 64bit\""), "the API's spelling: {text}");
    let windows = ImageFacts { os: Some(Detected::new(OsType::Windows, "a boot manager")), ..raw(200 * GIB) };
    for (value, expected) in [
        ("Other(64 bit)", &[][..]),
        ("Other_Windows(64_bit)", &["IMS-125", "IMS-126"]),
        ("Other_Linux(64_bit)", &["IMS-126", "IMS-124"]),
    ] {
        let (_, report) =
            fill(&RequestOptions { os_version: Some(value.into()), ..options() }, &windows, &HUAWEI);
        let (mut found, mut expected) = (codes(&report), expected.to_vec());
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{value}");
    }
}

#[test]
fn a_system_that_is_not_in_the_table_for_uefi_is_a_warning() {
    let uefi = |value: &str, firmware| {
        let options =
            RequestOptions { os_version: Some(value.into()), firmware: Some(firmware), ..options() };
        codes(&fill(&options, &raw(200 * GIB), &HUAWEI).1)
    };
    assert_eq!(uefi("CentOS 7.1 64bit", Firmware::Uefi), ["IMS-127"]);
    assert_eq!(uefi("CentOS 7.1 64bit", Firmware::Bios), [""; 0]);
    assert_eq!(uefi("CentOS 7.4 64bit", Firmware::Uefi), [""; 0]);
    // The table spells it otherwise.
    assert_eq!(uefi("Debian GNU/Linux 8.8.0 64bit", Firmware::Uefi), [""; 0]);
    assert_eq!(uefi("Rocky Linux 9 64bit", Firmware::Uefi), ["IMS-121", "IMS-127"]);
}

#[test]
fn go_sends_an_empty_os_version_with_a_data_disk() {
    let body = |more: &str| format!(r#"{{"name": "a", "image_url": "abc:a.zvhd2", "min_disk": 40, {more}}}"#);
    let (kind, report) = validate(&body(r#""type": "DataImage", "os_type": "Linux", "os_version": """#));
    assert_eq!((kind, codes(&report)), (Some(BodyKind::QuickData), vec!["IMS-106"]));
    assert_eq!(report.findings()[0].severity, Severity::Note);
    let (kind, report) = validate(&body(r#""os_type": "Linux", "os_version": """#));
    assert_eq!((kind, codes(&report)), (Some(BodyKind::QuickData), vec!["IMS-106", "IMS-160"]));
    // No client sends these.
    let (_, report) = validate(&body(r#""type": "DataImage", "os_type": "Linux", "is_config": true"#));
    assert_eq!(codes(&report), ["IMS-105"]);
}

#[test]
fn values_for_tools_leave_nothing_out_unsaid() {
    let of = |tool, options: &RequestOptions, facts: &ImageFacts, profile: &'static Profile| {
        let (request, mut report) = fill(options, facts, profile);
        let before = report.findings().len();
        let values = tool_values(tool, &request, facts, profile, &mut report);
        (values, codes(&report).split_off(before))
    };
    let zvhd2 = |file| ImageFacts {
        path: "disk.zvhd2".into(),
        detection: detection(Format::Zvhd2, file, 60 * GIB),
        ..linux(GIB)
    };
    let tagged = RequestOptions {
        tags: vec![("team".into(), "web".into())],
        description: Some("${x}".into()),
        ..options()
    };
    let (values, codes) = of(Tool::Terraform, &tagged, &zvhd2(GIB), &HUAWEI);
    assert_eq!((values.taker, codes), ("huaweicloud_ims_quickimport_system_image", vec![]));
    let text = values.to_string();
    assert!(text.contains("hw_firmware_type = \"uefi\"") && text.contains("= \"$${x}\""), "{text}");
    assert!(text.ends_with("\ntags = {\n  \"team\" = \"web\"\n}\n"), "{text}");

    let (values, codes) = of(Tool::Packer, &tagged, &zvhd2(GIB), &HUAWEI);
    assert_eq!((values.taker, codes), ("huaweicloud-import", vec!["IMS-177"]), "no hw_firmware_type");
    let text = values.to_string();
    assert!(
        text.contains("obs_object_name    = \"linux/disk.zvhd2\"")
            && text.contains("quick_import       = true"),
        "{text}"
    );
    let templated = RequestOptions { description: Some("{{timestamp}}".into()), ..options() };
    let text = of(Tool::Packer, &templated, &zvhd2(GIB), &HUAWEI).0.to_string();
    assert!(text.contains(r#""{{\"{{\"}}timestamp}}""#), "{text}");

    let raw_linux = linux(200 * GIB);
    let data = RequestOptions { os_version: None, purpose: Some(Purpose::Data), ..options() };
    for (tool, options, facts, profile, expected) in [
        // The plugin uploads no bitmap file, and its file has the format's suffix.
        (Tool::Packer, &options(), &raw_linux, &HUAWEI, &["IMS-177", "IMS-176"][..]),
        (Tool::Packer, &data, &ImageFacts { purpose: None, ..zvhd2(GIB) }, &HUAWEI, &["IMS-176"]),
        (Tool::Terraform, &options(), &zvhd2(GIB), &OTC, &["IMS-178"]),
        (Tool::Terraform, &options(), &zvhd2(129 * GIB), &OTC, &["IMS-176"]),
        (Tool::Terraform, &data, &ImageFacts { purpose: None, ..zvhd2(GIB) }, &OTC, &["IMS-178"]),
        (Tool::Terraform, &data, &ImageFacts { purpose: None, ..zvhd2(GIB) }, &HUAWEI, &[]),
    ] {
        let (values, codes) = of(tool, options, facts, profile);
        assert_eq!(codes, expected, "{}", values.taker);
    }
}
