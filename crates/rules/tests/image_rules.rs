//! Facts in, findings out, for both profiles.

use std::path::Path;

use imsprep_detect::{Content, Detection, Evidence, Fact, Format, Inside};
use imsprep_findings::{Report, Severity};
use imsprep_rules::{
    CONTENT_RULES, Facts, HUAWEI, INTENT_RULES, Inspected, Intent, OTC, PROFILES, Profile, Purpose, RULES,
    SystemSeen, check_detection, check_image, not_checkable, rule_of,
};

const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

fn raw(size: u64) -> Detection {
    Detection {
        format: Format::Raw,
        variant: None,
        file_size: size,
        virtual_size: Some(size),
        facts: vec![],
        also: vec![],
        evidence: vec![Evidence::Mbr],
    }
}

fn other(format: Format, file_size: u64, facts: Vec<Fact>) -> Detection {
    Detection { format, file_size, virtual_size: Some(100 * GIB), facts, evidence: vec![], ..raw(0) }
}

fn facts<'a>(name: &'a str, detection: &'a Detection) -> Facts<'a> {
    Facts { path: Path::new(name), detection, inside: None, all_zeros: false }
}

fn codes_for(name: &str, detection: &Detection, profile: &Profile) -> Vec<&'static str> {
    codes_meant(name, detection, profile, &Intent::default())
}

fn codes_meant(name: &str, detection: &Detection, profile: &Profile, intent: &Intent) -> Vec<&'static str> {
    let mut report = Report::new();
    check_image(&facts(name, detection), profile, intent, &mut report);
    report.findings().iter().map(|f| f.rule.code).collect()
}

fn codes(name: &str, detection: &Detection) -> Vec<&'static str> {
    let huawei = codes_for(name, detection, &HUAWEI);
    // The profiles differ in nothing that these tests look at.
    for profile in PROFILES {
        assert_eq!(codes_for(name, detection, profile), huawei);
    }
    huawei
}

#[test]
fn a_tebibyte_passes_and_one_byte_more_fails() {
    assert_eq!(codes("a.raw", &raw(TIB)), [""; 0]);
    assert_eq!(codes("a.raw", &raw(TIB + 1)), ["IMS-002", "IMS-036", "IMS-003"]);
    // A small file may hold a disk that is too large.
    let zvhd2 = Detection { format: Format::Zvhd2, file_size: GIB, virtual_size: Some(TIB + 1), ..raw(0) };
    assert_eq!(codes("a.zvhd2", &zvhd2), ["IMS-003"]);
}

#[test]
fn small_disks_warn_below_one_gib_and_note_below_forty() {
    assert_eq!(codes("a.raw", &raw(GIB - 512)), ["IMS-004", "IMS-006"]);
    assert_eq!(codes("a.raw", &raw(GIB - 1)), ["IMS-036", "IMS-004", "IMS-006"]);
    assert_eq!(codes("a.raw", &raw(GIB)), ["IMS-005", "IMS-006"]);
    assert_eq!(codes("a.raw", &raw(40 * GIB)), ["IMS-006"]);
    assert_eq!(codes("a.raw", &raw(128 * GIB)), ["IMS-006"]);
    assert_eq!(codes("a.raw", &raw(128 * GIB + 512)), [""; 0]);
}

#[test]
fn the_way_out_fits_format_and_size() {
    let advice = |detection: &Detection| {
        let mut report = Report::new();
        check_image(&facts("a.x", detection), &HUAWEI, &Intent::default(), &mut report);
        let finding = report.findings().iter().find(|f| f.rule.code == "IMS-001").unwrap();
        finding.advice().to_owned()
    };
    for format in
        [Format::Qcow2, Format::Vmdk, Format::Vhd, Format::Vhdx, Format::Vdi, Format::Qed, Format::Qcow]
    {
        let small = advice(&other(format, 128 * GIB, vec![]));
        assert!(
            small.starts_with("use the common import") && small.contains("`imsprep prepare a.x`"),
            "{small}"
        );
        assert!(small.contains("this file has exactly that size"), "{small}");
        assert!(!advice(&other(format, 128 * GIB - 1, vec![])).contains("exactly"));
        let large = advice(&other(format, 128 * GIB + 1, vec![]));
        assert!(large.starts_with("convert it to ZVHD2 in one step: `imsprep prepare a.x`"), "{large}");
        let part = advice(&other(format, GIB, vec![Fact::BackingFile("base".into())]));
        assert_eq!(part, "apply the fix of IMS-007 first; then prepare the result");
        // What may be allowed is; a log that must be replayed is part of the disk.
        let open = advice(&other(format, GIB, vec![Fact::Dirty, Fact::Snapshots(2)]));
        match format {
            Format::Vhdx => assert!(open.starts_with("apply the fix of IMS-017 first"), "{open}"),
            _ => assert!(open.contains("`imsprep prepare a.x --allow IMS-017 --allow IMS-008`"), "{open}"),
        }
    }
    let zvhd = advice(&other(Format::Zvhd, 200 * GIB, vec![]));
    assert!(zvhd.contains("imsprep prepare a.x"), "{zvhd}");
    for (format, word) in [
        (Format::Dmg, "imsprep prepare a.x"),
        (Format::Parallels, "imsprep prepare a.x"),
        (Format::Bochs, "imsprep prepare a.x"),
        (Format::Cloop, "imsprep prepare a.x"),
        (Format::AndroidSparse, "simg2img"),
        (Format::Ewf, "tools of that format"),
        (Format::Aff, "tools of that format"),
        (Format::Wim, "not a disk"),
    ] {
        let text = advice(&other(format, GIB, vec![]));
        assert!(text.contains(word) && !text.contains("common import"), "{text}");
    }
    assert!(advice(&other(Format::Iso9660, GIB, vec![])).contains("ISO"));
    assert!(advice(&other(Format::Luks, GIB, vec![])).contains("decrypt"));
}

#[test]
fn facts_that_forbid_an_import_are_errors_with_the_names_they_carry() {
    let cases = [
        (Fact::BackingFile("base.qcow2".into()), "IMS-007", "base.qcow2"),
        (Fact::ExternalDataFile(Some("d.raw".into())), "IMS-007", "d.raw"),
        (Fact::ExternalDataFile(None), "IMS-007", "another file"),
        (Fact::Parent(Some("p.vhd".into())), "IMS-007", "p.vhd"),
        (Fact::Parent(None), "IMS-007", "parent"),
        (Fact::ExtentFiles((1..=5).map(|n| format!("s{n}")).collect()), "IMS-007", "and 2 more"),
        (Fact::Snapshots(2), "IMS-008", "snapshots"),
        (Fact::Encrypted("LUKS"), "IMS-009", "LUKS"),
        (Fact::ExtentFiles(vec![]), "IMS-007", "without the name"),
        (Fact::ExtentOf(Some("d.vmdk".into())), "IMS-007", "d.vmdk"),
        (Fact::ExtentOf(None), "IMS-007", "no descriptor in its folder"),
        (Fact::Corrupt, "IMS-021", "corrupt"),
        (Fact::Dirty, "IMS-017", "dirty"),
        (Fact::UnknownIncompatibleFeatures(0x80), "IMS-022", "0x80"),
        (Fact::UnknownRequired("region x".into()), "IMS-022", "region x"),
        (Fact::OutsideFile("the table ends at 9".into()), "IMS-020", "ends at 9"),
        (Fact::SizeDisputed(512, 1024), "IMS-025", "1024 bytes"),
        (Fact::BackingFile("/etc/shadow".into()), "IMS-026", "/etc/shadow"),
        (Fact::ExtentFiles(vec!["a".into(), "../b".into()]), "IMS-026", "../b"),
        (Fact::Damaged("odd header".into()), "IMS-016", "odd header"),
    ];
    for (fact, code, word) in cases {
        let mut report = Report::new();
        let detection = other(Format::Qcow2, GIB, vec![fact]);
        check_image(&facts("a.qcow2", &detection), &OTC, &Intent::default(), &mut report);
        let finding = report.findings().iter().find(|f| f.rule.code == code).unwrap();
        assert!(finding.message.contains(word), "{}", finding.message);
    }
}

fn inside(name: &str, content: Content) -> Fact {
    Fact::Inside(Inside { name: Some(name.into()), size: Some(10 << 20), content })
}

#[test]
fn a_wrapper_breaks_a_rule_of_its_own_and_says_what_is_in_it() {
    let disk = |format, facts| Content::Found {
        format,
        variant: None,
        virtual_size: Some(GIB),
        evidence: vec![],
        facts,
    };
    let messages = |detection: &Detection| {
        let mut report = Report::new();
        check_image(&facts("a.gz", detection), &HUAWEI, &Intent::default(), &mut report);
        assert!(report.findings().iter().all(|f| f.rule.code != "IMS-001"), "{report:?}");
        let not_checked = report.not_checked().iter().map(|item| item.why.clone()).collect::<Vec<_>>();
        let shown = report.findings().iter().filter(|f| ["IMS-023", "IMS-024"].contains(&f.rule.code));
        (shown.map(|f| f.message.clone()).collect::<Vec<_>>(), not_checked)
    };
    let overlay = disk(Format::Qcow2, vec![Fact::BackingFile("base".into())]);
    let gzip = Detection { virtual_size: None, ..other(Format::Gzip, GIB, vec![inside("d.img", overlay)]) };
    assert_eq!(
        messages(&gzip).0,
        [
            "the file is compressed with gzip; in it: \"d.img\", 10485760 bytes (10 MiB), qcow2 (a disk of 1 GiB)"
        ]
    );
    // What is in the wrapper breaks its rules when it is out.
    assert!(!codes("a.gz", &gzip).contains(&"IMS-007"));
    let facts = (0..10).map(|n| inside(&format!("{n}.vmdk"), disk(Format::Vmdk, vec![])));
    let facts = facts.chain([Fact::NotLookedAt("members after the first 16".into())]).collect();
    let ova = Detection { variant: Some("ova"), ..other(Format::Tar, GIB, facts) };
    let (found, unseen) = messages(&ova);
    assert!(found[0].starts_with("the file is an OVA, a tar archive; in it: \"0.vmdk\""), "{found:?}");
    assert!(found[0].ends_with("; and 2 more"), "{found:?}");
    assert_eq!(unseen, ["members after the first 16"]);
    let nothing = Detection { facts: vec![inside("x", Content::Nothing)], ..gzip };
    assert!(messages(&nothing).0[0].ends_with("not recognised by its first bytes"));
}

#[test]
fn the_way_out_of_a_wrapper_is_a_command_that_replaces_nothing() {
    for (name, format, advice) in [
        ("d.raw.gz", Format::Gzip, "`gzip -dk d.raw.gz`, and check the result, d.raw"),
        ("my d.xz", Format::Xz, "`xz -dk 'my d.xz'`, and check the result, 'my d'"),
        ("d.zst", Format::Zstd, "`zstd -d d.zst`"),
        ("d.bz2", Format::Bzip2, "`bzip2 -dk d.bz2`"),
        ("d.lz4", Format::Lz4, "`lz4 -d d.lz4 d`"),
        ("d.raw", Format::Gzip, "`(set -C; gzip -dc < d.raw > d.unpacked.raw)`"),
        ("d.zip", Format::Zip, "`unzip -n d.zip`"),
        ("d.7z", Format::SevenZip, "`7z x -aos d.7z`"),
        ("d.ova", Format::Tar, "`tar -xkf d.ova`"),
    ] {
        let mut report = Report::new();
        let detection = other(format, GIB, vec![]);
        check_image(&facts(name, &detection), &HUAWEI, &Intent::default(), &mut report);
        let finding = report.findings().iter().find(|f| ["IMS-023", "IMS-024"].contains(&f.rule.code));
        let found = finding.unwrap().advice();
        assert!(found.contains(advice), "{found}");
    }
}

#[test]
fn the_codes_of_a_detection_are_those_of_its_content() {
    let found = |detection: &Detection| {
        let mut report = Report::new();
        check_detection(Path::new("a"), detection, &HUAWEI, &mut report);
        report.findings().iter().map(|finding| finding.rule.code).collect::<Vec<_>>()
    };
    let qcow2 = other(Format::Qcow2, GIB, vec![Fact::Snapshots(1), Fact::Corrupt]);
    assert_eq!(found(&qcow2), ["IMS-008", "IMS-021"]);
    assert_eq!(found(&other(Format::Gzip, GIB, vec![])), ["IMS-023"]);
    assert_eq!(found(&Detection { also: vec![Format::Vhd], ..raw(GIB) }), ["IMS-013"]);
    assert_eq!(rule_of(&Fact::Dirty).map(|rule| rule.code), Some("IMS-017"));
    assert_eq!(rule_of(&inside("x", Content::Nothing)), None);
}

#[test]
fn names() {
    let disk = raw(200 * GIB);
    for (name, expected) in [
        ("a.raw", &[][..]),
        ("A-1_b.v2.RAW", &[]),
        ("/home/me/my images/a.raw", &[]),
        ("my image.raw", &["IMS-010"]),
        ("a+b.raw", &["IMS-011"]),
        ("grün.raw", &["IMS-011"]),
        ("a.img", &["IMS-012"]),
        ("a", &["IMS-012"]),
        ("a.qcow2", &["IMS-012"]),
        ("a b+c.img", &["IMS-010", "IMS-011", "IMS-012"]),
    ] {
        assert_eq!(codes(name, &disk), expected, "{name}");
    }
    assert_eq!(codes(&format!("{}.raw", "x".repeat(124)), &disk), [""; 0]);
    assert_eq!(codes(&format!("{}.raw", "x".repeat(125)), &disk), ["IMS-011"]);
}

#[test]
fn names_are_those_of_the_object_with_its_prefix() {
    let disk = raw(200 * GIB);
    let codes = |prefix: &str, name: &str| {
        let intent = Intent { prefix: Some(prefix.into()), ..Intent::default() };
        codes_meant(name, &disk, &HUAWEI, &intent)
    };
    assert_eq!(codes("images/2026", "a.raw"), [""; 0]);
    assert_eq!(codes("my images/", "a.raw"), ["IMS-010"]);
    assert_eq!(codes("grün/", "a.raw"), ["IMS-011"]);
    assert_eq!(codes(&"x".repeat(122), "a.raw"), [""; 0]);
    assert_eq!(codes(&"x".repeat(123), "a.raw"), ["IMS-011"]);
    // 1024 bytes of UTF-8 with slash and name, and one more.
    assert_eq!(codes(&"x".repeat(1018), "a.raw"), ["IMS-011"]);
    assert_eq!(codes(&"x".repeat(1019), "a.raw"), ["IMS-040"]);
    assert_eq!(codes(&"ü".repeat(509), "a.raw"), ["IMS-011", "IMS-011"]);
    assert_eq!(codes(&"ü".repeat(510), "a.raw"), ["IMS-040", "IMS-011"]);
    // The slash of a local folder is none of the object's.
    assert_eq!(codes("images", &format!("{}/a.raw", "y".repeat(2000))), [""; 0]);
}

#[test]
fn min_disk_holds_the_disk_and_has_room() {
    let codes = |size, min_disk, profile| {
        let intent = Intent { min_disk: Some(min_disk), ..Intent::default() };
        codes_meant("a.raw", &raw(size), profile, &intent)
    };
    for profile in PROFILES {
        assert_eq!(codes(200 * GIB, 199, profile), ["IMS-042"]);
        assert_eq!(codes(200 * GIB, 200, profile), ["IMS-043"]);
        assert_eq!(codes(200 * GIB, 201, profile), [""; 0]);
        assert_eq!(codes(200 * GIB + 512, 200, profile), ["IMS-042"]);
        // What a request is filled with.
        assert_eq!(codes(200 * GIB + 512, 201, profile), [""; 0]);
        assert_eq!(codes(TIB, 1024, profile), ["IMS-043"]);
        assert_eq!(codes(TIB, 1025, profile), ["IMS-044"]);
        assert_eq!(codes(200 * GIB, 0, profile), ["IMS-044", "IMS-042"]);
    }
    // A file that is larger than the disk in it, as older pages count.
    let padded =
        Detection { format: Format::Zvhd2, file_size: 201 * GIB, virtual_size: Some(200 * GIB), ..raw(0) };
    let intent = Intent { min_disk: Some(201), ..Intent::default() };
    assert_eq!(codes_meant("a.zvhd2", &padded, &HUAWEI, &intent), ["IMS-043"]);
}

#[test]
fn small_system_disks_are_huaweis_doubt_and_data_disks_nobodys() {
    let small = |profile, min_disk, purpose| {
        let intent = Intent { min_disk: Some(min_disk), purpose, ..Intent::default() };
        codes_meant("a.raw", &raw(GIB), profile, &intent).contains(&"IMS-045")
    };
    assert!(small(&HUAWEI, 9, None) && small(&HUAWEI, 9, Some(Purpose::System)));
    assert!(!small(&HUAWEI, 10, None) && !small(&HUAWEI, 9, Some(Purpose::Data)) && !small(&OTC, 9, None));
    // The console's minimum is one of system disks, too.
    let data = Intent { purpose: Some(Purpose::Data), ..Intent::default() };
    assert_eq!(codes_meant("a.raw", &raw(2 * GIB), &HUAWEI, &data), ["IMS-006"]);
}

#[test]
fn bare_metal_is_zvhd2_alone() {
    let intent = Intent { bare_metal: true, ..Intent::default() };
    let zvhd2 = Detection { format: Format::Zvhd2, ..raw(200 * GIB) };
    assert_eq!(codes_meant("a.zvhd2", &zvhd2, &OTC, &intent), [""; 0]);
    assert_eq!(codes_meant("a.raw", &raw(200 * GIB), &OTC, &intent), ["IMS-041"]);
    let qcow2 = other(Format::Qcow2, 200 * GIB, vec![]);
    assert_eq!(codes_meant("a.qcow2", &qcow2, &OTC, &intent), ["IMS-001", "IMS-041"]);
}

#[test]
fn polyglots_empty_files_and_unknown_content() {
    let polyglot = Detection { also: vec![Format::Vhd], ..raw(200 * GIB) };
    assert_eq!(codes("a.raw", &polyglot), ["IMS-013"]);
    let unknown = Detection { evidence: vec![], ..raw(200 * GIB) };
    assert_eq!(codes("a.raw", &unknown), ["IMS-014"]);
    // A data disk that was never used is no reason to worry.
    let (data, mut report) = (Intent { purpose: Some(Purpose::Data), ..Intent::default() }, Report::new());
    check_image(&facts("a.raw", &unknown), &HUAWEI, &data, &mut report);
    assert_eq!((report.count(Severity::Note), report.count(Severity::Warning)), (1, 0));
    let empty = Detection { format: Format::Empty, evidence: vec![], ..raw(0) };
    assert_eq!(codes("a.raw", &empty), ["IMS-015"]);
    let no_disk = Detection { format: Format::Zvhd2, virtual_size: Some(0), ..raw(4096) };
    assert_eq!(codes("a.zvhd2", &no_disk), ["IMS-015"]);
}

#[test]
fn the_windows_doubt_is_huaweis_alone_and_nothing_is_shown_as_passed() {
    let listed = |profile| {
        let mut report = Report::new();
        not_checkable(
            Inspected::Nothing("quick"),
            SystemSeen::Nothing("quick"),
            profile,
            &Intent::default(),
            &mut report,
        );
        report.not_checked().iter().map(|n| n.what.clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&HUAWEI).len(), listed(&OTC).len() + 1);
    assert!(listed(&HUAWEI).iter().any(|what| what.contains("Windows")));
    assert!(listed(&OTC).iter().all(|what| !what.contains("Windows")));
}

#[test]
fn codes_are_unique_and_in_order() {
    for table in [RULES, INTENT_RULES, CONTENT_RULES] {
        assert!(table.windows(2).all(|w| w[0].code < w[1].code));
    }
}

#[test]
fn what_shows_nothing_is_no_disk_an_empty_one_or_unknown_and_that_is_one_finding() {
    let nothing = |size| Detection { evidence: vec![], ..raw(size) };
    let text = |size| Detection { facts: vec![Fact::OnlyText], ..nothing(size) };
    let mib = 1 << 20;
    for (name, detection, all_zeros, expected) in [
        ("a.raw", nothing(mib), false, &["IMS-014", "IMS-004", "IMS-006"][..]),
        ("a.raw", nothing(mib - 512), false, &["IMS-035"]),
        ("a.raw", nothing(mib - 512), true, &["IMS-037", "IMS-004", "IMS-006"]),
        ("a.raw", nothing(40 * GIB), true, &["IMS-037", "IMS-006"]),
        ("a.raw", text(mib + 3), false, &["IMS-035"]),
        ("notes.txt", text(40 * GIB), false, &["IMS-035"]),
        ("a.qcow2", nothing(40 * GIB), false, &["IMS-034"]),
        ("a.qcow2", nothing(40 * GIB), true, &["IMS-034"]),
        ("page.vmdk", text(300), false, &["IMS-034"]),
        ("a.OVA", nothing(3 * mib), false, &["IMS-034"]),
        ("a-flat.vmdk", nothing(40 * GIB), false, &["IMS-014", "IMS-006", "IMS-012"]),
        // What shows a disk is a RAW under a wrong name.
        ("a.qcow2", raw(40 * GIB), false, &["IMS-006", "IMS-012"]),
        ("a.raw", raw(512), false, &["IMS-004", "IMS-006"]),
    ] {
        let facts = Facts { path: Path::new(name), detection: &detection, inside: None, all_zeros };
        let mut report = Report::new();
        check_image(&facts, &HUAWEI, &Intent::default(), &mut report);
        let found = report.findings().iter().map(|finding| finding.rule.code).collect::<Vec<_>>();
        assert_eq!(found, expected, "{name} {}", detection.file_size);
        let is_no_disk = expected.iter().any(|code| ["IMS-034", "IMS-035"].contains(code));
        assert_eq!(report.has_errors(), is_no_disk, "{name}");
        assert!(report.findings().iter().all(|f| !is_no_disk || !f.advice().contains("rename it")));
    }
    // An empty data disk is as it should be.
    let intent = Intent { purpose: Some(Purpose::Data), ..Intent::default() };
    let empty = nothing(GIB);
    let mut report = Report::new();
    let facts = Facts { path: Path::new("a.raw"), detection: &empty, inside: None, all_zeros: true };
    check_image(&facts, &HUAWEI, &intent, &mut report);
    let finding = report.findings().iter().find(|finding| finding.rule.code == "IMS-037").unwrap();
    assert_eq!(finding.severity, Severity::Note);
}

#[test]
fn formats_that_are_not_read_are_named_with_what_to_do() {
    for other in imsprep_detect::OTHERS {
        let detection =
            Detection { virtual_size: None, facts: vec![], ..other_format(Format::Other(other), GIB) };
        let mut report = Report::new();
        check_image(&facts("a.x", &detection), &HUAWEI, &Intent::default(), &mut report);
        let [finding] = report.findings() else { panic!("{report:?}") };
        assert!(["IMS-001", "IMS-023", "IMS-024"].contains(&finding.rule.code), "{finding:?}");
        assert!(finding.message.contains(other.title), "{finding:?}");
        assert_eq!(finding.advice(), imsprep_rules::other_advice(other));
    }
}

fn other_format(format: Format, size: u64) -> Detection {
    other(format, size, vec![])
}
