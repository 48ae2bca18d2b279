//! What is inside a disk, each thing wrong by itself.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop there"
)]

use std::path::Path;

use imsprep_detect::{Detection, Evidence, Format};
use imsprep_findings::{Report, Severity};
use imsprep_inspect::{
    Architecture, Boot, Dirt, Firmware, Guid, Header, Inspection, Lvm, MdRaid, OsFamily, Partition,
    PartitionType, Purpose as Looks, Reasons, State, Summary, Table, TableKind, TableProblem, Volume,
    VolumeGroup, VolumeKind,
};
use imsprep_rules::{
    Facts, HUAWEI, Inside, Intent, OTC, Profile, Purpose, Sight, check_image, not_checkable,
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
        problems: vec![],
    };
    let reasons =
        Reasons { firmware: vec!["a loader".into()], system: vec!["ext4".into()], ..Reasons::default() };
    Inspection {
        disk_size: SIZE,
        table: Some(table),
        partitions: vec![partition],
        whole: None,
        boot: Boot::default(),
        summary: Summary {
            firmware: Firmware::Both,
            architecture: Architecture::X86,
            purpose: Looks::System,
            system: OsFamily::Linux,
            min_disk: SIZE / GIB,
            reasons,
        },
    }
}

fn report_for(inspection: &Inspection, source_size: u64, profile: &Profile, intent: &Intent) -> Report {
    let detection = Detection {
        format: Format::Raw,
        variant: None,
        file_size: SIZE,
        virtual_size: Some(SIZE),
        facts: vec![],
        also: vec![],
        evidence: vec![Evidence::Mbr],
    };
    let inside = Some(Inside { inspection, source_size, is_file: true });
    let mut report = Report::new();
    check_image(
        &Facts { path: Path::new("a.raw"), detection: &detection, inside },
        profile,
        intent,
        &mut report,
    );
    report
}

/// Code and offset of what is wrong, by the profile otc, with nothing said.
fn found(inspection: &Inspection) -> Vec<(&'static str, Option<u64>)> {
    let report = report_for(inspection, SIZE, &OTC, &Intent::default());
    report.findings().iter().map(|finding| (finding.rule.code, finding.offset)).collect()
}

fn codes(inspection: &Inspection, profile: &Profile, intent: &Intent) -> Vec<&'static str> {
    let report = report_for(inspection, SIZE, profile, intent);
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
        (TableProblem::HeaderCrc { which, at: 512, stored: 1, computed: 2 }, Some(("IMS-052", Some(512)))),
        (TableProblem::HeaderInvalid { which, at: 512, what: "x" }, Some(("IMS-052", Some(512)))),
        (TableProblem::EntriesCrc { which, at: 1024, stored: 1, computed: 2 }, Some(("IMS-052", Some(1024)))),
        (TableProblem::EntriesPastEnd { which, at: SIZE }, Some(("IMS-052", Some(SIZE)))),
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

#[test]
fn a_container_that_goes_on_after_its_source_has_its_backup_where_it_was() {
    let codes = |problem, source_size| {
        let report = report_for(&with_problem(problem), source_size, &OTC, &Intent::default());
        report.findings().iter().map(|finding| finding.rule.code).collect::<Vec<_>>()
    };
    let source = SIZE - 4096;
    let (at, end) = (source - 512, SIZE - 512);
    assert_eq!(codes(TableProblem::BackupNotAtEnd { at, end }, source), [""; 0]);
    assert_eq!(codes(TableProblem::BackupNotAtEnd { at: at - 512, end }, source), ["IMS-050"]);
    assert_eq!(codes(TableProblem::HeaderMissing { which: Header::Backup, at: end }, source), [""; 0]);
    assert_eq!(codes(TableProblem::HeaderMissing { which: Header::Primary, at: 512 }, source), ["IMS-052"]);
}

#[test]
fn what_is_encrypted_inside_is_an_error() {
    let at = Some(1 << 20);
    assert_eq!(found(&with_volume(VolumeKind::Luks { version: 2 }, State::NotTold)), [("IMS-009", at)]);
    assert_eq!(found(&with_volume(VolumeKind::BitLocker, State::NotTold)), [("IMS-009", at)]);
}

#[test]
fn what_was_not_left_in_order_is_a_warning() {
    for dirt in [Dirt::Journal, Dirt::Mounted, Dirt::Errors, Dirt::Damaged, Dirt::Hibernated] {
        let dirty = with_volume(VolumeKind::Ntfs, State::Dirty(dirt));
        assert_eq!(found(&dirty), [("IMS-056", Some(1 << 20))], "{dirt:?}");
    }
    assert_eq!(found(&with_volume(VolumeKind::Hibernation, State::NotTold)), [("IMS-056", Some(1 << 20))]);
    assert_eq!(found(&with_volume(VolumeKind::Xfs, State::Unknown)), []);
}

#[test]
fn lvm_is_a_warning_on_system_disks_alone() {
    let lvm = with_volume(VolumeKind::Lvm(Lvm::default()), State::NotTold);
    assert_eq!(found(&lvm), [("IMS-055", Some(1 << 20))]);
    assert_eq!(codes(&lvm, &OTC, &meant(Purpose::Data)), ["IMS-060"]);
    let mut unknown = lvm.clone();
    unknown.summary.purpose = Looks::Unknown;
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
    };
    let whole = VolumeGroup { missing: vec![], ..group.clone() };
    let lvm = |group| VolumeKind::Lvm(Lvm { group: Some(group), unread: None });
    let raid = |devices| VolumeKind::MdRaid(MdRaid { version: "1.2", level: 1, devices });
    for (kind, expected) in [
        (lvm(group), true),
        (lvm(whole), false),
        (VolumeKind::Btrfs { devices: 2 }, true),
        (VolumeKind::Btrfs { devices: 1 }, false),
        (raid(2), true),
        (raid(1), false),
        (VolumeKind::ExtJournal, true),
    ] {
        let codes = codes(&with_volume(kind.clone(), State::NotTold), &OTC, &Intent::default());
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
    let mut none = sound();
    none.summary.firmware = Firmware::Unknown;
    none.summary.purpose = Looks::Data;
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
    windows.summary.purpose = Looks::Data;
    assert_eq!(codes(&windows, &HUAWEI, &Intent::default()), [""; 0]);
    // Its min_disk begins later.
    windows.summary.purpose = Looks::System;
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
        let inside = Some(Inside { inspection, source_size: SIZE, is_file: false });
        let facts = Facts { path: Path::new("a.zvhd2"), detection: &zvhd2, inside };
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
        not_checkable(Sight::Inside(inspection), &HUAWEI, &Intent::default(), &mut report);
        report.not_checked().iter().map(|item| item.what.clone()).collect::<Vec<_>>()
    };
    let sound = listed(&sound());
    assert!(sound.iter().all(|what| !what.contains("partition") && !what.contains("Windows")), "{sound:?}");
    let unknown = listed(&with_volume(VolumeKind::Xfs, State::Unknown));
    assert!(unknown.iter().any(|what| what.contains("left in order")), "{unknown:?}");
    let lvm = Lvm { group: None, unread: Some("odd") };
    let lvm = listed(&with_volume(VolumeKind::Lvm(lvm), State::NotTold));
    assert!(lvm.iter().any(|what| what.contains("volume group")), "{lvm:?}");
}
