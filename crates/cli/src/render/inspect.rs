//! `imsprep inspect`

use std::fmt::Write as _;

use anstyle::Style;
use imsprep_inspect::{
    Inspection, Lost, Partition, Reasons, State, Summary, TableKind, Volume, VolumeGroup, VolumeKind,
};
use imsprep_rules::{Profile, Size};

use super::guest;
use super::table::{Align, Cell, table};
use crate::outcome::{InspectedFile, Outcome};
use crate::setup::Detail;
use crate::style;
use crate::terminal::shown;
use crate::words::counted;
use crate::words::disk_choice::choice_note;
use crate::words::inspect::{content, kind_of, min_disk_of, state};
use crate::words::quantity::bytes;
use crate::words::space::volume_line;

/// Everything about one disk: a table of what it holds, what follows from it, and what is noteworthy.
pub(crate) fn text(
    outcome: &Outcome<InspectedFile>,
    is_first: bool,
    profile: &Profile,
    detail: Detail,
) -> String {
    let Ok(InspectedFile { found, .. }) = &outcome.result else { return String::new() };
    let bold = style::BOLD;
    let name = outcome.path.display().to_string();
    let disk = &found.inspection;
    let gap = if is_first { "" } else { "\n" };
    let mut text =
        format!("{gap}{bold}{}{bold:#}: {}, disk of {}\n", shown(&name), found.format, Size(disk.disk_size));
    if let Some(member) = &found.member {
        let _ = writeln!(text, "  disk {}{}", shown(&member.name), choice_note(member));
    }
    text += &table_line(disk);
    let whole = disk.whole.iter().map(|volume| row(None, volume));
    let rows =
        whole.chain(disk.partitions.iter().map(|one| row(Some(one), &one.content))).collect::<Vec<_>>();
    if !rows.is_empty() {
        text.push('\n');
        text += &table(HEAD, &rows);
    }
    if detail == Detail::Verbose {
        text += &details(disk);
        for volume in &found.space.volumes {
            let _ = writeln!(text, "  {}", shown(&volume_line(volume, "free space not known")));
        }
    }
    text.push('\n');
    text += &answers(&disk.summary);
    let _ = writeln!(text, "  min_disk      {} or more (GB), for a quick import", min_disk_of(disk, profile));
    let system = guest::text(&found.guest, detail);
    if !system.is_empty() {
        text.push('\n');
        text += &system;
    }
    let remarks = remarks(disk);
    if !remarks.is_empty() {
        text.push('\n');
    }
    for (style, remark) in remarks {
        let _ = writeln!(text, "  {style}noteworthy{style:#}    {}", shown(&remark));
    }
    text
}

const HEAD: [(&str, Align); 8] = [
    ("NO", Align::Right),
    ("START", Align::Right),
    ("SIZE", Align::Right),
    ("TYPE", Align::Left),
    ("CONTENT", Align::Left),
    ("LABEL", Align::Left),
    ("UUID", Align::Left),
    ("STATE", Align::Left),
];

fn table_line(disk: &Inspection) -> String {
    let Some(table) = &disk.table else { return "  table         none\n".into() };
    let identity = match table.kind {
        TableKind::Gpt { guid } => format!("GPT {guid}"),
        TableKind::Mbr { signature } => format!("MBR {signature:08x}"),
    };
    let alignment = match table.alignment {
        Some(alignment) => format!(", partitions aligned to {}", bytes(alignment)),
        None => ", no partitions".into(),
    };
    format!("  table         {identity}, sectors of {} bytes{alignment}\n", table.sector)
}

fn row(partition: Option<&Partition>, volume: &Volume) -> [Cell; 8] {
    let plain = |text: &str| Cell::from(shown(text).to_string());
    let (number, start, size, kind) = match partition {
        Some(partition) => (
            partition.number.to_string(),
            partition.start.to_string(),
            bytes(partition.length),
            kind_of(partition),
        ),
        None => ("disk".into(), "0".into(), String::new(), String::new()),
    };
    let (state, state_style) = state(volume);
    [
        number.into(),
        start.into(),
        size.into(),
        plain(&kind),
        plain(&content(volume)),
        plain(volume.label.as_deref().unwrap_or_default()),
        plain(volume.uuid.as_deref().unwrap_or_default()),
        Cell::new(state, state_style),
    ]
}

/// With `-v`: identities, attributes, what a volume says of its size, boot code and loaders.
fn details(disk: &Inspection) -> String {
    let mut text = String::from("\n");
    if let Some(whole) = disk.whole.as_ref().map(volume_details).filter(|whole| !whole.is_empty()) {
        let _ = writeln!(text, "  disk:{whole}");
    }
    for partition in &disk.partitions {
        let Partition { number, start, length, .. } = partition;
        let _ = write!(text, "  partition {number}: {} from offset {start}, type ", Size(*length));
        let _ = write!(text, "{}", partition.kind.code());
        if let Some(guid) = partition.guid {
            let _ = write!(text, ", GUID {guid}, attributes {:#x}", partition.attributes);
        }
        let _ = writeln!(text, "{}", volume_details(&partition.content));
    }
    if let Some(code) = disk.boot.code {
        let _ = writeln!(text, "  boot code: {code}");
    }
    for system in &disk.boot.efi {
        for loader in &system.loaders {
            let machine = loader.machine.map_or("no program".into(), |machine| machine.to_string());
            let _ = writeln!(text, "  boot loader: {}, {machine}", shown(&loader.path));
        }
    }
    text
}

/// What a volume says of itself, each on a line of its own.
fn volume_details(volume: &Volume) -> String {
    let mut text = String::new();
    if let Some(size) = volume.size {
        let _ = write!(text, "\n      {} of {}", volume.kind.name(), Size(size));
    }
    if let VolumeKind::Lvm(lvm) = &volume.kind
        && let Some(group) = &lvm.group
    {
        let _ = write!(text, "\n      {}", shown(&group_text(group)));
    }
    text
}

/// `volume group vg0, UUID, 2 physical volumes, logical volumes root, swap`
fn group_text(group: &VolumeGroup) -> String {
    let count = counted(group.physical.len() as u64, "physical volume");
    let logical = match group.logical.as_slice() {
        [] => "no logical volume".to_owned(),
        names => format!("logical volumes {}", names.join(", ")),
    };
    format!("volume group {}, UUID {}, {count}, {logical}", group.name, group.uuid)
}

fn answers(summary: &Summary) -> String {
    let Reasons { firmware, architecture, purpose, system } = &summary.reasons;
    let mut text = String::new();
    for (what, is, because) in [
        ("firmware", summary.firmware.name(), firmware),
        ("architecture", summary.architecture.name(), architecture),
        ("purpose", summary.purpose.name(), purpose),
        ("system", summary.system.name(), system),
    ] {
        let bold = style::BOLD;
        let _ = writeln!(text, "  {what:12}  {bold}{is}{bold:#}: {}", shown(&because.join("; ")));
    }
    text
}

/// What a user should know before the import of the disk, the most severe first as far as the order of the disk allows.
fn remarks(disk: &Inspection) -> Vec<(Style, String)> {
    let problems = disk.table.iter().flat_map(|table| &table.problems);
    let mut remarks = problems.map(|problem| (style::DOUBTFUL, problem.to_string())).collect::<Vec<_>>();
    for (partition, volume) in disk.volumes() {
        let place = match partition {
            Some(partition) => format!("partition {}", partition.number),
            None => "the disk".into(),
        };
        remarks.extend(of_volume(&place, volume).into_iter().map(|text| (style::DOUBTFUL, text)));
        let room = disk.space_of(partition);
        if let Some(Lost::Content { end: size } | Lost::Tail { end: size }) = volume.lost_in(room) {
            let (kind, size, left) = (volume.kind.name(), Size(size), Size(room));
            remarks.push((style::BAD, format!("{place}, {kind}: its size is {size}, but only {left} exist")));
        }
    }
    if disk.table.is_some()
        && let Some(whole) = &disk.whole
        && whole.kind != VolumeKind::Iso9660
    {
        let text = format!(
            "in addition to the partitions there are signatures of {} on the complete disk",
            whole.kind.name()
        );
        remarks.push((style::DOUBTFUL, text));
    }
    remarks
}

fn of_volume(place: &str, volume: &Volume) -> Vec<String> {
    let kind = volume.kind.name();
    let mut remarks = Vec::new();
    if let State::Dirty(dirt) = volume.state {
        remarks.push(format!("{place}, {kind}: {dirt}"));
    }
    if volume.kind.is_encrypted() {
        remarks.push(format!("{place} is encrypted: {kind}"));
    }
    match &volume.kind {
        VolumeKind::Lvm(lvm) => {
            if let Some(why) = lvm.unread {
                remarks.push(format!("{place}, {kind}: {why}"));
            }
            if let Some(group) = lvm.group.as_ref().filter(|group| !group.missing.is_empty()) {
                remarks.push(format!(
                    "{place}: {} of volume group {}; not on this disk: {}",
                    counted(group.physical.len() as u64, "physical volume"),
                    group.name,
                    group.missing.join(", ")
                ));
            }
        }
        VolumeKind::Btrfs { devices } if *devices != 1 => {
            remarks.push(format!("{place}, {kind}: the file system is spread over {devices} devices"));
        }
        VolumeKind::MdRaid(raid) if raid.devices != 1 => {
            remarks.push(format!("{place}, {kind}: the array has {} devices", raid.devices));
        }
        _ => {}
    }
    if !volume.also.is_empty() {
        remarks.push(format!("{place}, {kind}: there are also signatures of {}", volume.also.join(", ")));
    }
    remarks
}
