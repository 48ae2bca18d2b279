//! Facts in, findings out, for both profiles.

use std::path::Path;

use imsprep_detect::{Detection, Evidence, Fact, Format};
use imsprep_findings::Report;
use imsprep_rules::{HUAWEI, OTC, PROFILES, Profile, RULES, check_image, not_checkable};

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

fn codes_for(name: &str, detection: &Detection, profile: &Profile) -> Vec<&'static str> {
    let mut report = Report::new();
    check_image(Path::new(name), detection, profile, &mut report);
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
    assert_eq!(codes("a.raw", &raw(TIB + 1)), ["IMS-002", "IMS-003"]);
    // A small file may hold a disk that is too large.
    let zvhd2 = Detection { format: Format::Zvhd2, file_size: GIB, virtual_size: Some(TIB + 1), ..raw(0) };
    assert_eq!(codes("a.zvhd2", &zvhd2), ["IMS-003"]);
}

#[test]
fn small_disks_warn_below_one_gib_and_note_below_forty() {
    assert_eq!(codes("a.raw", &raw(GIB - 1)), ["IMS-004", "IMS-006"]);
    assert_eq!(codes("a.raw", &raw(GIB)), ["IMS-005", "IMS-006"]);
    assert_eq!(codes("a.raw", &raw(40 * GIB)), ["IMS-006"]);
    assert_eq!(codes("a.raw", &raw(128 * GIB)), ["IMS-006"]);
    assert_eq!(codes("a.raw", &raw(128 * GIB + 1)), [""; 0]);
}

#[test]
fn the_way_out_fits_format_and_size() {
    let advice = |detection: &Detection| {
        let mut report = Report::new();
        check_image(Path::new("a.x"), detection, &HUAWEI, &mut report);
        let finding = report.findings().iter().find(|f| f.rule.code == "IMS-001").unwrap();
        finding.advice().to_owned()
    };
    for format in
        [Format::Qcow2, Format::Vmdk, Format::Vhd, Format::Vhdx, Format::Vdi, Format::Qed, Format::Qcow]
    {
        let small = advice(&other(format, 128 * GIB, vec![]));
        assert!(
            small.starts_with("use the common import") && small.contains("imsprep prepare a.x"),
            "{small}"
        );
        let large = advice(&other(format, 128 * GIB + 1, vec![]));
        assert!(large.starts_with("convert it to ZVHD2 in one step: imsprep prepare a.x"), "{large}");
        let part = advice(&other(format, GIB, vec![Fact::BackingFile("base".into())]));
        assert!(part.starts_with("convert it to RAW"), "{part}");
    }
    let zvhd = advice(&other(Format::Zvhd, 200 * GIB, vec![]));
    assert!(zvhd.contains("imsprep prepare a.x"), "{zvhd}");
    for format in [Format::Gzip, Format::Xz, Format::Zstd, Format::Bzip2, Format::Zip, Format::Tar] {
        let way = advice(&other(format, GIB, vec![]));
        assert!(way.starts_with("unpack it") || way.contains("imsprep prepare a.x"), "{way}");
    }
    assert!(advice(&other(Format::Other("dmg"), GIB, vec![])).contains("dmg"));
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
        (Fact::Corrupt, "IMS-016", "corrupt"),
        (Fact::Dirty, "IMS-017", "dirty"),
        (Fact::UnknownIncompatibleFeatures(0x80), "IMS-016", "0x80"),
        (Fact::Damaged("odd header".into()), "IMS-016", "odd header"),
    ];
    for (fact, code, word) in cases {
        let mut report = Report::new();
        check_image(Path::new("a.qcow2"), &other(Format::Qcow2, GIB, vec![fact]), &OTC, &mut report);
        let finding = report.findings().iter().find(|f| f.rule.code == code).unwrap();
        assert!(finding.message.contains(word), "{}", finding.message);
    }
}

#[test]
fn a_gpt_wants_whole_gibibytes() {
    let gpt = |size| Detection { evidence: vec![Evidence::Gpt], ..raw(size) };
    assert_eq!(codes("a.raw", &gpt(200 * GIB)), [""; 0]);
    assert_eq!(codes("a.raw", &gpt(200 * GIB + 512)), ["IMS-018"]);
    assert_eq!(codes("a.raw", &gpt(200 * GIB - 512)), ["IMS-018"]);
    assert_eq!(codes("a.raw", &raw(200 * GIB + 512)), [""; 0]);
    // Another format is refused anyway, and converted by a tool that may do better.
    let qcow2 = Detection { format: Format::Qcow2, ..gpt(GIB + 1) };
    assert!(!codes("a.qcow2", &qcow2).contains(&"IMS-018"));
    let mut report = Report::new();
    check_image(Path::new("a.raw"), &gpt(200 * GIB - 512), &HUAWEI, &mut report);
    assert!(report.findings()[0].advice().contains("truncate -s 200G"), "{}", report.findings()[0].advice());
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
fn polyglots_empty_files_and_unknown_content() {
    let polyglot = Detection { also: vec![Format::Vhd], ..raw(200 * GIB) };
    assert_eq!(codes("a.raw", &polyglot), ["IMS-013"]);
    let unknown = Detection { evidence: vec![], ..raw(200 * GIB) };
    assert_eq!(codes("a.raw", &unknown), ["IMS-014"]);
    let empty = Detection { format: Format::Empty, evidence: vec![], ..raw(0) };
    assert_eq!(codes("a.raw", &empty), ["IMS-015"]);
    let no_disk = Detection { format: Format::Zvhd2, virtual_size: Some(0), ..raw(4096) };
    assert_eq!(codes("a.zvhd2", &no_disk), ["IMS-015"]);
}

#[test]
fn the_windows_doubt_is_huaweis_alone_and_nothing_is_shown_as_passed() {
    let listed = |profile| {
        let mut report = Report::new();
        not_checkable(profile, &mut report);
        report.not_checked().iter().map(|n| n.what.clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&HUAWEI).len(), listed(&OTC).len() + 1);
    assert!(listed(&HUAWEI).iter().any(|what| what.contains("Windows")));
    assert!(listed(&OTC).iter().all(|what| !what.contains("Windows")));
}

#[test]
fn codes_are_unique_and_in_order() {
    assert!(RULES.windows(2).all(|w| w[0].code < w[1].code));
}
