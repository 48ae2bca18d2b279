//! `imsprep bench`: a table for each row, and what has to be known to read them.

use std::fmt::Write as _;

use imsprep_bench::{BenchReport, MapState, Measured, Presence, RivalState, Row};

use super::table::{Align, Cell, table};
use crate::policy::Warnings;
use crate::style;
use crate::terminal::shown;
use crate::words::bench::{
    OwnMaps, content_text, is_about_maps, limit_text, machine_facts, map_is_bad, map_text, program_name,
    row_name,
};
use crate::words::{counted, quantity};

/// One image in one state of the cache: every program on a line.
pub(crate) fn row(row: &Row) -> String {
    let bold = style::BOLD;
    let mut text = format!("{bold}{}{bold:#}", shown(&row_name(row)));
    let _ = write!(text, " ({})", shown(row.prepared_by));
    if let Some(limit) = limit_text(row) {
        let _ = write!(text, "; {limit}");
    }
    let _ = writeln!(text, "\n  {}\n  {}", shown(&row.title), content_text(row));
    let with_map = is_about_maps(row);
    let spread = SpreadWidths::of(&row.programs);
    let lines = row.programs.iter().map(|program| line(program, spread, with_map)).collect::<Vec<_>>();
    let (left, right) = (Align::Left, Align::Right);
    let head = [
        ("PROGRAM", left),
        ("MEDIAN", right),
        ("SPREAD", right),
        ("READ", right),
        ("CPU", right),
        ("MEMORY", right),
        ("RATIO", right),
        ("MAP", left),
    ];
    text += &table(head, &lines);
    text
}

fn line(program: &Measured, spread: SpreadWidths, with_map: bool) -> [Cell; 8] {
    let name = shown(&program_name(program)).to_string();
    [
        if program.ours { Cell::new(name, style::BOLD) } else { name.into() },
        quantity::time(program.time.median).into(),
        spread.text(program).into(),
        quantity::bytes(program.device_read).into(),
        quantity::time(program.cpu.median).into(),
        quantity::bytes(program.peak_memory).into(),
        quantity::ratio(program.ratio).into(),
        Cell::new(if with_map { map_text(&program.map) } else { "-".into() }, map_style(program)),
    ]
}

/// The ends of the spreads of a row stand below each other.
#[derive(Clone, Copy)]
struct SpreadWidths {
    min: usize,
    max: usize,
}

impl SpreadWidths {
    fn of(programs: &[Measured]) -> Self {
        let width = |time| quantity::time(time).chars().count();
        Self {
            min: programs.iter().map(|program| width(program.time.min)).max().unwrap_or(0),
            max: programs.iter().map(|program| width(program.time.max)).max().unwrap_or(0),
        }
    }

    fn text(self, program: &Measured) -> String {
        let (min, max) = (quantity::time(program.time.min), quantity::time(program.time.max));
        format!("{min:>0$} .. {max:>1$}", self.min, self.max)
    }
}

fn map_style(program: &Measured) -> anstyle::Style {
    match program.map {
        _ if map_is_bad(program) => style::BAD,
        MapState::None => style::DIM,
        MapState::Right | MapState::Wrong(_) => anstyle::Style::new(),
    }
}

/// What is said once, below all rows: the machine and its limits, the rivals, what is missing, and the result.
pub(crate) fn closing(report: &BenchReport, warnings: Warnings) -> String {
    let mut text = String::new();
    section(&mut text, "machine", machine_facts(&report.machine));
    let rivals = report.rivals.iter().map(|rival| (rival.name.to_owned(), rival_text(rival)));
    section(&mut text, "rivals", rivals.collect());
    let missing = report.not_measured.iter().map(|item| (item.what.clone(), item.why.clone()));
    section(&mut text, "not measured", missing.collect());
    let maps = OwnMaps::of(report);
    let style = if maps.wrong > 0 { style::BAD } else { style::BOLD };
    let rows = counted(report.rows.len() as u64, "row");
    let _ = writeln!(text, "{rows}; {style}{}{style:#}", maps.text());
    if warnings == Warnings::Count && !report.is_complete() {
        let bad = style::BAD;
        let _ = writeln!(text, "{bad}not everything was measured{bad:#} (--strict)");
    }
    text
}

fn section(text: &mut String, title: &str, facts: Vec<(String, String)>) {
    if facts.is_empty() {
        return;
    }
    let bold = style::BOLD;
    let _ = writeln!(text, "{bold}{title}{bold:#}");
    let facts = facts.iter().map(|(name, value)| [shown(name).to_string(), shown(value).to_string()]);
    let facts = facts.collect::<Vec<_>>();
    let width = facts.iter().map(|[name, _]| name.chars().count()).max().unwrap_or(0);
    for [name, value] in facts {
        let _ = writeln!(text, "  {name:width$}  {value}");
    }
}

/// Its version and what it does, or where it is available.
fn rival_text(rival: &RivalState) -> String {
    match &rival.presence {
        Presence::Found { version } => format!("{version}; {}", rival.what),
        Presence::Absent { remedy } => format!("absent: {remedy}"),
    }
}

#[cfg(test)]
mod tests {
    use imsprep_bench::CacheState;

    use super::*;
    use crate::sample;

    #[test]
    fn rows_and_closing_word_for_word() {
        let report = sample::report();
        let mut text = report.rows.iter().map(row).collect::<Vec<_>>().join("\n");
        text += "\n";
        text += &closing(&report, Warnings::Count);
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("bench_text", plain);
        });
    }

    #[test]
    fn lost_data_and_wrong_maps_of_ours_are_red_and_nothing_else_is() {
        let red = style::BAD.render().to_string();
        let report = sample::report();
        let lines = |index: usize| row(&report.rows[index]).lines().map(str::to_owned).collect::<Vec<_>>();
        for (line, is_red) in lines(0).iter().zip([false; 8]) {
            assert_eq!(line.contains(&red), is_red, "{line}");
        }
        for (line, is_red) in lines(1).iter().zip([false, false, false, false, true, true, false]) {
            assert_eq!(line.contains(&red), is_red, "{line}");
        }
    }

    #[test]
    fn nothing_from_outside_moves_the_cursor() {
        let mut report = sample::report();
        report.machine.system = sample::EVIL.into();
        report.rows[0].title = sample::EVIL.into();
        report.rows[0].programs[0].detail = Some(sample::EVIL.into());
        report.rivals[1].presence = Presence::Absent { remedy: sample::EVIL.into() };
        let text = row(&report.rows[0]) + &row(&report.rows[1]) + &closing(&report, Warnings::Pass);
        assert_eq!(text.matches(r"\u{1b}[2Jco\n").count(), 6, "{text}");
        assert!(!text.contains("\u{1b}[2J") && !text.contains("co\n"), "{text}");
    }

    #[test]
    fn a_limit_is_told_where_there_is_one() {
        let mut row = sample::report().rows.remove(0);
        assert_eq!(limit_text(&row).as_deref(), Some("memory allows 31 ms"));
        row.cache = CacheState::Cold;
        assert_eq!(limit_text(&row).as_deref(), Some("the disk allows 31 ms"));
        row.limit = Some(std::time::Duration::ZERO);
        assert_eq!(limit_text(&row), None, "nothing allocated, nothing to read");
    }

    #[test]
    fn samples_that_differ_and_none_at_all() {
        let mut row = sample::report().rows.remove(0);
        assert!(content_text(&row).ends_with(", 3 samples of each program"));
        row.programs[1].time.samples = 1;
        assert!(content_text(&row).ends_with(", 1 to 3 samples of each program"));
        row.programs.clear();
        assert!(content_text(&row).ends_with(", no program was measured"));
    }

    #[test]
    fn a_row_without_maps_does_not_speak_of_them() {
        let mut of_zvhd2 = sample::report().rows.remove(0);
        assert!(is_about_maps(&of_zvhd2) && row(&of_zvhd2).contains("none"));
        of_zvhd2.programs.iter_mut().for_each(|program| program.map = MapState::None);
        let text = row(&of_zvhd2);
        assert!(!is_about_maps(&of_zvhd2) && !text.contains("none"), "{text}");
    }

    #[test]
    fn maps_of_ours_are_counted_as_what_they_are() {
        let mut report = sample::report();
        assert_eq!(OwnMaps::of(&report), OwnMaps { right: 2, wrong: 1 });
        assert_eq!(OwnMaps::of(&report).text(), "MAPS OF IMSPREP ARE WRONG: 1 of 3");
        report.rows.truncate(1);
        assert_eq!(OwnMaps::of(&report).text(), "maps of imsprep: all 2 right");
        report.rows.clear();
        assert_eq!(OwnMaps::of(&report).text(), "no map of imsprep was compared with the image");
    }
}
