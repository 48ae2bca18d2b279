//! What is inside a disk, each thing wrong by itself.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::path::Path;

use imsprep_detect::{Detection, Evidence, Format};
use imsprep_findings::{Overrides, Report, Severity};
use imsprep_inspect::{
    Architecture, Boot, DiskUse, Firmware, GptLayout, Guid, Header, Inspection, Lvm, MdRaid, OsFamily,
    Partition, PartitionType, Reasons, State, Summary, Table, TableKind, TableProblem, UncleanReason, Volume,
    VolumeGroup, VolumeKind,
};
use imsprep_rules::{
    CONTENT_RULES, DiskChecks, DiskPart, Facts, HUAWEI, Inside, Inspected, Intent, Medium, MediumKind, OTC,
    Profile, Purpose, SystemSeen, check_disk_convertible, check_image, not_checkable,
};

const GIB: u64 = 1 << 30;
const SIZE: u64 = 200 * GIB;

/// A sound system disk: GPT, an ext4 in partition 2, starts by either firmware.
fn sound() -> Inspection {
    let partition = Partition {
        number: 2,
        start: 1 << 20,
        length: GIB,
        kind: PartitionType::Gpt(Guid([0; 16])),
        name: None,
        guid: None,
        active: false,
        attributes: 0,
        logical: false,
        content: Volume { state: State::Clean, ..Volume::new(VolumeKind::Ext4) },
    };
    let table = Table {
        kind: TableKind::Gpt { guid: Guid([0; 16]) },
        sector: 512,
        alignment: Some(1 << 20),
        gpt: Some(GptLayout::USUAL),
        records: vec![],
        problems: vec![],
    };
    let reasons =
        Reasons { firmware: vec!["a loader".into()], system: vec!["ext4".into()], ..Reasons::default() };
    Inspection {
        disk_size: SIZE,
        source_size: SIZE,
        table: Some(table),
        partitions: vec![partition],
        whole: None,
        boot: Boot::default(),
        summary: Summary {
            firmware: Firmware::Both,
            architecture: Architecture::X86,
            purpose: DiskUse::System,
            system: OsFamily::Linux,
            reasons,
        },
    }
}

fn medium(path: &str, is_raw: bool) -> Medium<'_> {
    Medium {
        path: Path::new(path),
        kind: if is_raw { MediumKind::Raw } else { MediumKind::Other },
        number: None,
    }
}

fn report_for(inspection: &Inspection, profile: &Profile, intent: &Intent) -> Report {
    let detection = Detection {
        format: Format::Raw,
        variant: None,
        file_size: SIZE,
        virtual_size: Some(SIZE),
        facts: vec![],
        also: vec![],
        evidence: vec![Evidence::Mbr],
    };
    let inside = Some(Inside { inspection, medium: medium("a.raw", true), part: DiskPart::Whole });
    let mut report = Report::new();
    check_image(
        &Facts { path: Path::new("a.raw"), detection: &detection, inside, all_zeros: false },
        profile,
        intent,
        &mut report,
    );
    report
}

/// Code and offset of what is wrong, by the profile otc, with nothing said.
fn found(inspection: &Inspection) -> Vec<(&'static str, Option<u64>)> {
    let report = report_for(inspection, &OTC, &Intent::default());
    report.findings().iter().map(|finding| (finding.rule.code, finding.offset)).collect()
}

fn codes(inspection: &Inspection, profile: &Profile, intent: &Intent) -> Vec<&'static str> {
    let report = report_for(inspection, profile, intent);
    report.findings().iter().map(|finding| finding.rule.code).collect()
}

fn with_volume(kind: VolumeKind, state: State) -> Inspection {
    let mut inspection = sound();
    inspection.partitions[0].content = Volume { state, ..Volume::new(kind) };
    inspection
}

fn with_problem(problem: TableProblem) -> Inspection {
    let mut inspection = sound();
    inspection.table.as_mut().unwrap().problems = vec![problem];
    inspection
}

fn meant(purpose: Purpose) -> Intent {
    Intent { purpose: Some(purpose), ..Intent::default() }
}

#[test]
fn a_sound_disk_has_no_findings() {
    assert_eq!(found(&sound()), []);
}

#[test]
fn each_problem_of_a_table_has_its_rule() {
    let which = Header::Primary;
    for (problem, expected) in [
        (TableProblem::BackupNotAtEnd { at: GIB, end: SIZE - 512 }, Some(("IMS-050", Some(GIB)))),
        (TableProblem::PastEnd { number: 1, end: SIZE + 1, limit: SIZE }, Some(("IMS-051", None))),
        (
            TableProblem::HeaderMissing { which: Header::Backup, at: SIZE - 512 },
            Some(("IMS-052", Some(SIZE - 512))),
        ),
        (TableProblem::HeaderMissing { which: Header::Backup, at: SIZE }, Some(("IMS-062", None))),
        (TableProblem::ExtendedPastEnd { at: SIZE, limit: SIZE }, Some(("IMS-051", None))),
        (TableProblem::HeaderCrc { which, at: 512, stored: 1, computed: 2 }, Some(("IMS-052", Some(512)))),
        (TableProblem::HeaderInvalid { which, at: 512, what: "x" }, Some(("IMS-052", Some(512)))),
        (TableProblem::EntriesCrc { which, at: 1024, stored: 1, computed: 2 }, Some(("IMS-052", Some(1024)))),
        (TableProblem::EntriesPastEnd { which, at: SIZE }, Some(("IMS-051", None))),
        (TableProblem::EntriesPastEnd { which: Header::Backup, at: SIZE }, Some(("IMS-052", Some(SIZE)))),
        (TableProblem::HeadersDisagree { what: "x" }, Some(("IMS-052", None))),
        (TableProblem::Overlap { first: 1, second: 2, at: 7 }, Some(("IMS-052", Some(7)))),
        (TableProblem::Backwards { number: 1 }, Some(("IMS-052", None))),
        (TableProblem::ExtendedLoop { at: 9 }, Some(("IMS-052", Some(9)))),
        (TableProblem::ProtectsNothing, Some(("IMS-052", None))),
        (TableProblem::Misaligned { number: 1, start: 512 }, None),
        (TableProblem::Hybrid, None),
    ] {
        let found = found(&with_problem(problem.clone()));
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{problem:?}");
    }
}

/// What the findings of a rule say of how to fix it.
fn advice(report: &Report, code: &str) -> String {
    report.findings().iter().find(|finding| finding.rule.code == code).unwrap().advice().to_owned()
}

#[test]
fn a_file_system_that_is_not_all_there_is_an_error() {
    let ext = |size, content_end| {
        let mut inspection = with_volume(VolumeKind::Ext4, State::Clean);
        let content = &mut inspection.partitions[0].content;
        (content.size, content.content_end) = (Some(size), content_end);
        inspection
    };
    let severity = |inspection: &Inspection| {
        let report = report_for(inspection, &OTC, &Intent::default());
        report.findings().iter().map(|finding| (finding.rule.code, finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(found(&ext(GIB, None)), []);
    assert_eq!(found(&ext(GIB + 1, None)), [("IMS-061", Some(1 << 20))]);
    assert_eq!(severity(&ext(GIB + 1, None)), [("IMS-061", Severity::Error)]);
    // Only what holds nothing is missing.
    assert_eq!(severity(&ext(GIB + 512, Some(GIB))), [("IMS-061", Severity::Warning)]);
    assert_eq!(severity(&ext(GIB, Some(GIB + 1))), [("IMS-061", Severity::Error)]);
    // A partition that is cut is told once, unless its file system would not have fit into it either.
    let cut = |size| {
        let mut cut = ext(size, None);
        cut.source_size = GIB;
        cut.table.as_mut().unwrap().problems =
            vec![TableProblem::PastEnd { number: 2, end: GIB + (1 << 20), limit: GIB }];
        cut
    };
    assert_eq!(severity(&cut(GIB)), [("IMS-051", Severity::Error)]);
    assert_eq!(severity(&cut(GIB + 1)), [("IMS-051", Severity::Error), ("IMS-061", Severity::Error)]);
    // What is left over where no file system is made proves nothing.
    let mut left_over = ext(GIB + 1, None);
    left_over.partitions[0].kind = PartitionType::Gpt(Guid(*b"Hah!IdontNeedEFI"));
    assert_eq!(found(&left_over), []);
    // On a whole disk only where there are no partitions.
    let mut whole = sound();
    whole.whole = Some(Volume { size: Some(SIZE + 1), ..Volume::new(VolumeKind::Xfs) });
    assert_eq!(found(&whole), []);
    whole.table = None;
    whole.partitions.clear();
    assert_eq!(found(&whole), [("IMS-061", Some(0))]);
}

#[test]
fn a_gpt_wants_whole_gibibytes() {
    for (size, expected) in
        [(SIZE, &[][..]), (SIZE + 512, &[("IMS-018", None)]), (SIZE - 512, &[("IMS-018", None)])]
    {
        let mut disk = sound();
        disk.source_size = size;
        assert_eq!(found(&disk), expected, "{size}");
        disk.table.as_mut().unwrap().kind = TableKind::Mbr { signature: 0 };
        assert_eq!(found(&disk), []);
    }
}

#[test]
fn a_backup_gpt_is_moved_by_a_command_that_fits_the_table() {
    let mut disk = sound();
    disk.source_size = SIZE - 512;
    let fix = |disk: &Inspection, medium: Medium<'_>| {
        let mut report = Report::new();
        let inside = Inside { inspection: disk, medium, part: DiskPart::Whole };
        check_disk_convertible(&inside, DiskChecks::All, &mut report);
        advice(&report, "IMS-018")
    };
    let same = |fix: &str, command: &str| {
        assert!(fix.ends_with(&format!(": `{command}`")), "{fix}");
    };
    same(&fix(&disk, medium("a b.raw", true)), "imsprep convert --fit 'a b.raw' 'a b.fit.raw'");
    same(&fix(&disk, medium("a.qcow2", false)), "imsprep convert --fit a.qcow2 a.fit.zvhd2");
    let member = fix(&disk, Medium { number: Some(2), ..medium("a.ova", false) });
    same(&member, "imsprep convert --fit --disk 2 a.ova a.fit.zvhd2");
    same(&fix(&disk, medium("a.raw.gz", false)), "imsprep convert --fit a.raw.gz a.fit.zvhd2");
    // The copy of what is no file, such as a device, goes into the current folder.
    same(&fix(&disk, medium("/dev", true)), "imsprep convert --fit /dev dev.fit.raw");
    // Any sound table can be moved.
    for alter in [
        |table: &mut Table| table.sector = 4096,
        |table: &mut Table| table.gpt.as_mut().unwrap().entry_size = 256,
        |table: &mut Table| table.gpt.as_mut().unwrap().entries = 4096,
        |table: &mut Table| table.problems = vec![TableProblem::NotProtective],
        |table: &mut Table| {
            table.problems = vec![TableProblem::HeaderMissing { which: Header::Backup, at: 512 }];
        },
    ] {
        let mut other = disk.clone();
        alter(other.table.as_mut().unwrap());
        same(&fix(&other, medium("a.raw", true)), "imsprep convert --fit a.raw a.fit.raw");
    }
    for problem in [
        TableProblem::HeaderMissing { which: Header::Primary, at: 512 },
        TableProblem::HeadersDisagree { what: "the partitions" },
        TableProblem::Overlap { first: 1, second: 2, at: 0 },
    ] {
        let mut other = disk.clone();
        other.table.as_mut().unwrap().problems = vec![problem];
        let fix = fix(&other, medium("a.raw", true));
        assert!(fix.starts_with("repair the partition table first") && !fix.contains('`'), "{fix}");
    }
    // What was cut off is not to be enlarged.
    let mut cut = disk.clone();
    cut.table.as_mut().unwrap().problems =
        vec![TableProblem::PastEnd { number: 2, end: SIZE, limit: SIZE - 512 }];
    assert_eq!(found(&cut), [("IMS-051", None)]);
    disk.table.as_mut().unwrap().problems =
        vec![TableProblem::HeaderMissing { which: Header::Backup, at: SIZE }];
    assert_eq!(found(&disk), [("IMS-062", None)]);
}

#[test]
fn a_lost_end_may_be_allowed_in_a_conversion_alone() {
    let disk = with_problem(TableProblem::PastEnd { number: 2, end: SIZE + 1, limit: SIZE });
    let inside = Inside { inspection: &disk, medium: medium("a.raw", true), part: DiskPart::Whole };
    let severity = |allowed: &str| {
        let mut overrides = Overrides::new().of_conversion();
        let rules = CONTENT_RULES.iter().copied().filter(|rule| rule.code == allowed);
        rules.for_each(|rule| overrides.allow(rule, None));
        let mut report = Report::under(overrides);
        check_disk_convertible(&inside, DiskChecks::Lost, &mut report);
        (report.findings()[0].severity, report.findings()[0].advice().to_owned())
    };
    let (refused, fix) = severity("");
    assert!(refused == Severity::Error && fix.contains("--allow IMS-051"), "{fix}");
    assert_eq!(severity("IMS-051").0, Severity::Allowed);
    assert_eq!(severity("IMS-061").0, Severity::Error);
}

#[test]
fn sectors_of_4096_bytes_are_a_warning_and_an_assumption() {
    let mut disk = sound();
    disk.table.as_mut().unwrap().sector = 4096;
    assert_eq!(found(&disk), [("IMS-063", None)]);
    let report = report_for(&disk, &OTC, &Intent::default());
    assert!(report.findings()[0].rule.source.contains("assumption"));
    // An MBR has no other sectors.
    disk.table.as_mut().unwrap().kind = TableKind::Mbr { signature: 0 };
    assert_eq!(found(&disk), []);
}

#[test]
fn what_is_encrypted_inside_is_an_error() {
    let at = Some(1 << 20);
    assert_eq!(found(&with_volume(VolumeKind::Luks { version: 2 }, State::NotRecorded)), [("IMS-009", at)]);
    assert_eq!(found(&with_volume(VolumeKind::BitLocker, State::NotRecorded)), [("IMS-009", at)]);
}

#[test]
fn what_was_not_left_in_order_is_a_warning() {
    for dirt in [
        UncleanReason::Journal,
        UncleanReason::Mounted,
        UncleanReason::Errors,
        UncleanReason::Damaged,
        UncleanReason::Hibernated,
    ] {
        let dirty = with_volume(VolumeKind::Ntfs, State::Dirty(dirt));
        assert_eq!(found(&dirty), [("IMS-056", Some(1 << 20))], "{dirt:?}");
    }
    assert_eq!(
        found(&with_volume(VolumeKind::Hibernation, State::NotRecorded)),
        [("IMS-056", Some(1 << 20))]
    );
    assert_eq!(found(&with_volume(VolumeKind::Xfs, State::Unknown)), []);
}

#[test]
fn lvm_is_a_warning_on_system_disks_alone() {
    let lvm = with_volume(VolumeKind::Lvm(Lvm::default()), State::NotRecorded);
    assert_eq!(found(&lvm), [("IMS-055", Some(1 << 20))]);
    assert_eq!(codes(&lvm, &OTC, &meant(Purpose::Data)), ["IMS-060"]);
    let mut unknown = lvm.clone();
    unknown.summary.purpose = DiskUse::Unknown;
    assert_eq!(found(&unknown), []);
    assert_eq!(codes(&unknown, &OTC, &meant(Purpose::System)), ["IMS-055"]);
}

#[test]
fn volumes_on_several_disks_are_not_whole() {
    let group = VolumeGroup {
        name: "vg".into(),
        uuid: "u".into(),
        physical: vec!["a".into(), "b".into()],
        missing: vec!["b".into()],
        logical: vec![],
        layout: vec![],
        unmapped: Ok(vec![]),
    };
    let whole = VolumeGroup { missing: vec![], ..group.clone() };
    let lvm = |group| VolumeKind::Lvm(Lvm { group: Some(group), unread: None });
    let raid = |devices| {
        VolumeKind::MdRaid(MdRaid { version: "1.2", level: 1, devices, data_start: 0, doubt: None })
    };
    for (kind, expected) in [
        (lvm(group), true),
        (lvm(whole), false),
        (VolumeKind::Btrfs { devices: 2 }, true),
        (VolumeKind::Btrfs { devices: 1 }, false),
        (raid(2), true),
        (raid(1), false),
        (VolumeKind::ExtJournal, true),
    ] {
        let codes = codes(&with_volume(kind.clone(), State::NotRecorded), &OTC, &Intent::default());
        assert_eq!(codes.contains(&"IMS-057"), expected, "{kind:?}");
    }
}

#[test]
fn firmware_and_purpose() {
    let mut uefi = sound();
    uefi.summary.firmware = Firmware::Uefi;
    assert_eq!(codes(&uefi, &OTC, &Intent::default()), ["IMS-053"]);
    assert_eq!(codes(&uefi, &OTC, &meant(Purpose::System)), ["IMS-053"]);
    assert_eq!(codes(&uefi, &OTC, &meant(Purpose::Data)), ["IMS-060"]);
    let mut uncertain = sound();
    uncertain.summary.firmware = Firmware::UncertainBios { uefi: true };
    assert_eq!(codes(&uncertain, &OTC, &Intent::default()), ["IMS-064"]);
    assert_eq!(codes(&uncertain, &OTC, &meant(Purpose::Data)), ["IMS-060"]);
    uncertain.summary.firmware = Firmware::UncertainBios { uefi: false };
    uncertain.summary.purpose = DiskUse::Unknown;
    for intent in [Intent::default(), meant(Purpose::System), meant(Purpose::Data)] {
        assert_eq!(codes(&uncertain, &OTC, &intent), [""; 0]);
    }
    let mut none = sound();
    none.summary.firmware = Firmware::Unknown;
    none.summary.purpose = DiskUse::Data;
    assert_eq!(found(&none), []);
    assert_eq!(codes(&none, &OTC, &meant(Purpose::System)), ["IMS-059"]);
    assert_eq!(codes(&none, &OTC, &meant(Purpose::Data)), [""; 0]);
}

#[test]
fn windows_is_huaweis_doubt_on_system_disks() {
    let mut windows = sound();
    windows.summary.system = OsFamily::Windows;
    assert_eq!(codes(&windows, &HUAWEI, &Intent::default()), ["IMS-058"]);
    assert_eq!(codes(&windows, &OTC, &Intent::default()), [""; 0]);
    windows.summary.firmware = Firmware::Unknown;
    windows.summary.purpose = DiskUse::Data;
    assert_eq!(codes(&windows, &HUAWEI, &Intent::default()), [""; 0]);
    // Its min_disk begins later.
    windows.summary.purpose = DiskUse::System;
    let small = Intent { min_disk: Some(15), ..Intent::default() };
    assert!(codes(&windows, &HUAWEI, &small).contains(&"IMS-045"));
    assert!(!codes(&sound(), &HUAWEI, &small).contains(&"IMS-045"));
}

#[test]
fn nothing_known_is_told_of_any_disk_that_was_looked_into() {
    let mut nothing = sound();
    nothing.table = None;
    nothing.partitions.clear();
    nothing.whole = Some(Volume::new(VolumeKind::Empty));
    let zvhd2 = Detection {
        format: Format::Zvhd2,
        variant: None,
        file_size: GIB,
        virtual_size: Some(SIZE),
        facts: vec![],
        also: vec![],
        evidence: vec![],
    };
    let codes = |inspection: &Inspection, intent: &Intent| {
        let inside = Some(Inside { inspection, medium: medium("a.zvhd2", false), part: DiskPart::Whole });
        let facts = Facts { path: Path::new("a.zvhd2"), detection: &zvhd2, inside, all_zeros: false };
        let mut report = Report::new();
        check_image(&facts, &OTC, intent, &mut report);
        report.findings().iter().map(|f| (f.rule.code, f.severity)).collect::<Vec<_>>()
    };
    assert_eq!(codes(&nothing, &Intent::default()), [("IMS-014", Severity::Warning)]);
    assert_eq!(codes(&sound(), &Intent::default()), []);
    nothing.summary.firmware = Firmware::Unknown;
    assert_eq!(codes(&nothing, &meant(Purpose::Data)), [("IMS-014", Severity::Note)]);
}

#[test]
fn what_could_not_be_read_is_listed() {
    let listed = |inspection: &Inspection| {
        let mut report = Report::new();
        not_checkable(
            Inspected::Inside(inspection),
            SystemSeen::Judged,
            &HUAWEI,
            &Intent::default(),
            &mut report,
        );
        report.not_checked().iter().map(|item| item.what.clone()).collect::<Vec<_>>()
    };
    let sound = listed(&sound());
    assert!(sound.iter().all(|what| !what.contains("partition") && !what.contains("Windows")), "{sound:?}");
    let unknown = listed(&with_volume(VolumeKind::Xfs, State::Unknown));
    assert!(unknown.iter().any(|what| what.contains("cleanly unmounted")), "{unknown:?}");
    let lvm = Lvm { group: None, unread: Some("odd") };
    let lvm = listed(&with_volume(VolumeKind::Lvm(lvm), State::NotRecorded));
    assert!(lvm.iter().any(|what| what.contains("volume group")), "{lvm:?}");
}
