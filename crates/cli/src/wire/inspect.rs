//! `imsprep inspect --json`

use imsprep_inspect::{
    Boot, EfiSystem, Inspection, Loader, Partition, State, Summary, Table, TableProblem, Volume, VolumeGroup,
    VolumeKind,
};
use imsprep_rules::Profile;
use schemars::JsonSchema;
use serde::Serialize;

use super::guest::WireGuest;
use super::space::{WireVolumeSpace, volumes};
use super::{Document, UnderPolicy, WirePath};
use crate::exit::Status;
use crate::failure::failure_text;
use crate::outcome::{InspectedFile, Outcome};
use crate::policy::Policy;
use crate::words::disk_choice::choice_name;
use crate::words::inspect::{boot_code_name, min_disk_of, variant};

/// All files of a call.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Files {
    files: Vec<Row>,
}

/// One file: what is on its disk, or why that is unknown.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    path: WirePath,
    #[serde(flatten)]
    found: Option<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// The document on all files.
pub(crate) fn all(
    outcomes: &[Outcome<InspectedFile>],
    policy: &Policy,
    status: Status,
) -> Document<UnderPolicy<Files>> {
    let files = outcomes.iter().map(|outcome| Row::new(outcome, policy.profile)).collect();
    Document::under(policy, "imsprep.inspect", status, Files { files })
}

/// The document on one file alone.
pub(crate) fn one(outcome: &Outcome<InspectedFile>, policy: &Policy) -> Document<UnderPolicy<Row>> {
    Document::under(policy, "imsprep.inspect.file", outcome.status, Row::new(outcome, policy.profile))
}

impl Row {
    fn new(outcome: &Outcome<InspectedFile>, profile: &Profile) -> Self {
        let path = outcome.path.as_path().into();
        match &outcome.result {
            Ok(InspectedFile { found, .. }) => {
                let inspection = WireInspection::new(&found.inspection, profile);
                Self {
                    path,
                    found: Some(Found {
                        format: found.format.name(),
                        member: found.member.as_ref().map(|member| member.name.clone()),
                        disk_choice: found.member.as_ref().map(|member| choice_name(member.choice)),
                        inspection,
                        guest: (&found.guest).into(),
                        space: volumes(&found.space),
                    }),
                    error: None,
                }
            }
            Err(error) => Self { path, found: None, error: Some(failure_text(error)) },
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct Found {
    /// The name of the disk's file in an archive; else null.
    member: Option<String>,
    /// Why that disk was selected: `requested`, `only`, or `only-system-disk`; null if there is no archive.
    disk_choice: Option<&'static str>,
    format: &'static str,
    #[serde(flatten)]
    inspection: WireInspection,
    /// The system in the image, read from its files.
    guest: WireGuest,
    /// The volumes on the disk, and how much of each is free.
    space: Vec<WireVolumeSpace>,
}

/// What is on a disk.
#[derive(Debug, JsonSchema, Serialize)]
pub(crate) struct WireInspection {
    disk_size: u64,
    table: Option<WireTable>,
    partitions: Vec<WirePartition>,
    whole: Option<WireVolume>,
    boot: WireBoot,
    firmware: Answer,
    architecture: Answer,
    purpose: Answer,
    system: Answer,
    /// GB, for a quick import.
    min_disk: u64,
}

impl WireInspection {
    fn new(found: &Inspection, profile: &Profile) -> Self {
        let Summary { firmware, architecture, purpose, system, reasons } = &found.summary;
        let answer = |is: &'static str, because: &Vec<String>| Answer { is, because: because.clone() };
        Self {
            disk_size: found.disk_size,
            table: found.table.as_ref().map(WireTable::from),
            partitions: found.partitions.iter().map(WirePartition::from).collect(),
            whole: found.whole.as_ref().map(WireVolume::from),
            boot: (&found.boot).into(),
            firmware: answer(firmware.name(), &reasons.firmware),
            architecture: answer(architecture.name(), &reasons.architecture),
            purpose: answer(purpose.name(), &reasons.purpose),
            system: answer(system.name(), &reasons.system),
            min_disk: min_disk_of(found, profile),
        }
    }
}

/// What follows, and why.
#[derive(Debug, JsonSchema, Serialize)]
struct Answer {
    is: &'static str,
    because: Vec<String>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireTable {
    kind: &'static str,
    id: String,
    sector: u64,
    alignment: Option<u64>,
    problems: Vec<WireProblem>,
}

impl From<&Table> for WireTable {
    fn from(table: &Table) -> Self {
        Self {
            kind: match table.kind {
                imsprep_inspect::TableKind::Gpt { .. } => "gpt",
                imsprep_inspect::TableKind::Mbr { .. } => "mbr",
            },
            id: table.kind.id(),
            sector: table.sector,
            alignment: table.alignment,
            problems: table.problems.iter().map(WireProblem::from).collect(),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireProblem {
    problem: &'static str,
    /// Where on the disk, if it is in one place.
    offset: Option<u64>,
    /// Numbers of the partitions that it is about.
    partitions: Vec<u32>,
    text: String,
}

impl From<&TableProblem> for WireProblem {
    fn from(problem: &TableProblem) -> Self {
        use TableProblem as P;
        let (name, offset, partitions) = match problem {
            P::HeaderMissing { at, .. } => ("header-missing", Some(*at), vec![]),
            P::HeaderCrc { at, .. } => ("header-crc", Some(*at), vec![]),
            P::HeaderInvalid { at, .. } => ("header-invalid", Some(*at), vec![]),
            P::EntriesCrc { at, .. } => ("entries-crc", Some(*at), vec![]),
            P::EntriesPastEnd { at, .. } => ("entries-past-end", Some(*at), vec![]),
            P::HeadersDisagree { .. } => ("headers-disagree", None, vec![]),
            P::BackupNotAtEnd { at, .. } => ("backup-not-at-end", Some(*at), vec![]),
            P::NotProtective => ("not-protective", Some(0), vec![]),
            P::Hybrid => ("hybrid", Some(0), vec![]),
            P::ProtectsNothing => ("protects-nothing", Some(0), vec![]),
            P::UnprotectedGpt => ("unprotected-gpt", Some(0), vec![]),
            P::PastEnd { number, end, .. } => ("past-end", Some(*end), vec![*number]),
            P::OutsideUsable { number, start, .. } => ("outside-usable", Some(*start), vec![*number]),
            P::Backwards { number } => ("backwards", None, vec![*number]),
            P::Overlap { first, second, at } => ("overlap", Some(*at), vec![*first, *second]),
            P::SameGuid { first, second } => ("same-guid", None, vec![*first, *second]),
            P::Misaligned { number, start } => ("misaligned", Some(*start), vec![*number]),
            P::SeveralActive { numbers } => ("several-active", None, numbers.clone()),
            P::SeveralExtended => ("several-extended", None, vec![]),
            P::ExtendedLoop { at } => ("extended-loop", Some(*at), vec![]),
            P::ExtendedBroken { at } => ("extended-broken", Some(*at), vec![]),
            P::ExtendedPastEnd { at, .. } => ("extended-past-end", Some(*at), vec![]),
            P::TooManyPartitions { .. } => ("too-many-partitions", None, vec![]),
            _ => ("other", None, vec![]),
        };
        Self { problem: name, offset, partitions, text: problem.to_string() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WirePartition {
    number: u32,
    start: u64,
    length: u64,
    /// GUID or type byte, and what it is called.
    r#type: String,
    type_name: Option<&'static str>,
    name: Option<String>,
    guid: Option<String>,
    active: bool,
    attributes: u64,
    logical: bool,
    content: WireVolume,
}

impl From<&Partition> for WirePartition {
    fn from(partition: &Partition) -> Self {
        Self {
            number: partition.number,
            start: partition.start,
            length: partition.length,
            r#type: partition.kind.code(),
            type_name: partition.kind.name(),
            name: partition.name.clone(),
            guid: partition.guid.map(|guid| guid.to_string()),
            active: partition.active,
            attributes: partition.attributes,
            logical: partition.logical,
            content: (&partition.content).into(),
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireVolume {
    kind: &'static str,
    variant: Option<String>,
    label: Option<String>,
    uuid: Option<String>,
    state: &'static str,
    /// Why it is dirty.
    dirty: Option<String>,
    size: Option<u64>,
    also: Vec<&'static str>,
    /// For an LVM physical volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    lvm: Option<WireLvm>,
    /// For a RAID member.
    #[serde(skip_serializing_if = "Option::is_none")]
    raid: Option<WireRaid>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireLvm {
    group: Option<WireGroup>,
    unread: Option<&'static str>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireGroup {
    name: String,
    uuid: String,
    physical: Vec<String>,
    missing: Vec<String>,
    logical: Vec<String>,
}

impl From<&VolumeGroup> for WireGroup {
    fn from(group: &VolumeGroup) -> Self {
        let VolumeGroup { name, uuid, physical, missing, logical, layout: _, unmapped: _ } = group.clone();
        Self { name, uuid, physical, missing, logical }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireRaid {
    version: &'static str,
    level: i32,
    devices: u32,
}

impl From<&Volume> for WireVolume {
    fn from(volume: &Volume) -> Self {
        let (state, dirty) = match volume.state {
            State::Clean => ("clean", None),
            State::Dirty(dirt) => ("dirty", Some(dirt.to_string())),
            State::Unknown => ("unknown", None),
            State::NotRecorded => ("not-told", None),
        };
        let lvm = match &volume.kind {
            VolumeKind::Lvm(lvm) => {
                Some(WireLvm { group: lvm.group.as_ref().map(WireGroup::from), unread: lvm.unread })
            }
            _ => None,
        };
        let raid = match &volume.kind {
            VolumeKind::MdRaid(raid) => {
                Some(WireRaid { version: raid.version, level: raid.level, devices: raid.devices })
            }
            _ => None,
        };
        Self {
            kind: volume.kind.name(),
            variant: variant(&volume.kind),
            label: volume.label.clone(),
            uuid: volume.uuid.clone(),
            state,
            dirty,
            size: volume.size,
            also: volume.also.clone(),
            lvm,
            raid,
        }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireBoot {
    code: Option<&'static str>,
    efi: Vec<WireEfiSystem>,
}

impl From<&Boot> for WireBoot {
    fn from(boot: &Boot) -> Self {
        Self { code: boot.code.map(boot_code_name), efi: boot.efi.iter().map(WireEfiSystem::from).collect() }
    }
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireEfiSystem {
    partition: Option<u32>,
    loaders: Vec<WireLoader>,
    unread: Option<&'static str>,
}

#[derive(Debug, JsonSchema, Serialize)]
struct WireLoader {
    path: String,
    machine: Option<String>,
    default: bool,
}

impl From<&EfiSystem> for WireEfiSystem {
    fn from(system: &EfiSystem) -> Self {
        let EfiSystem { partition, loaders, unread } = system;
        Self {
            partition: *partition,
            loaders: loaders.iter().map(WireLoader::from).collect(),
            unread: *unread,
        }
    }
}

impl From<&Loader> for WireLoader {
    fn from(loader: &Loader) -> Self {
        Self {
            path: loader.path.clone(),
            machine: loader.machine.map(|machine| machine.to_string()),
            default: loader.is_default(),
        }
    }
}
