//! The page of `imsprep bench`.

use imsprep_bench::{BenchReport, MapState, Measured, Presence, Row};
use imsprep_rules::Size;
use maud::{Markup, html};

use super::parts::{Kind, Line, facts, section, table};
use super::plot::{Bar, Mark, Note, Plot, plot};
use super::{Page, text};
use crate::words::bench::{
    OwnMaps, cache_name, content_text, is_about_maps, limit_text, machine_facts, map_is_bad, map_text,
    program_name, row_name,
};
use crate::words::{counted, quantity};

/// How the plots and tables are to be read.
const READING: [(&str, &str); 6] = [
    (
        "Bar",
        "the median of the samples; the thin line across its end reaches from the shortest to the longest",
    ),
    (
        "Dashed line",
        "the least time in which memory (warm) or the disk (cold) can deliver all allocated data of the image; a \
         program that needs less time did not read all of it",
    ),
    ("Read", "bytes read from the disk, in the median"),
    ("Memory", "the peak memory of a program, including mapped files"),
    (
        "Ratio",
        "the median divided by that of the first line, imsprep as it runs by default; above 1 is slower",
    ),
    (
        "Map",
        "whether the program found the blocks that hold data; a program that makes no map has less to do; - where \
         there is no map",
    ),
];

/// The whole document; `made` is the time of the run's end in Unix seconds.
pub(crate) fn page(report: &BenchReport, made: u64) -> String {
    let rows = report.rows.iter().enumerate();
    let body = html! {
        (section("summary", "Summary", &summary(report)))
        @for (index, row) in rows {
            (section(&row_id(index), &row_name(row), &row_markup(row)))
        }
        @if !report.rivals.is_empty() {
            (section("rivals", "Rivals", &rivals(report)))
        }
        (section("machine", "Machine", &facts(&machine_facts(&report.machine))))
        @if !report.not_measured.is_empty() {
            (section("not-measured", "Not measured", &not_measured(report)))
        }
    };
    let machine = &report.machine;
    let processor = machine.processor.iter().map(|name| format!("{name}, "));
    let lead = format!(
        "Speed of finding zero blocks in disk images, and of writing and checking ZVHD2: {}{}, {}",
        processor.collect::<String>(),
        counted(machine.threads as u64, "thread"),
        machine.system
    );
    Page { title: "imsprep bench", lead: &lead, body, made, extra: None }.into_html()
}

fn row_id(index: usize) -> String {
    format!("row-{}", index + 1)
}

fn summary(report: &BenchReport) -> Markup {
    let maps = OwnMaps::of(report);
    let class = match maps {
        OwnMaps { wrong: 0, right: 0 } => "soft",
        OwnMaps { wrong: 0, .. } => "good",
        OwnMaps { .. } => "bad",
    };
    let rows = counted(report.rows.len() as u64, "row");
    let head = [
        ("Image", Kind::Text),
        ("Size", Kind::Number),
        ("Cache", Kind::Text),
        ("imsprep", Kind::Number),
        ("Limit", Kind::Number),
        ("Fastest rival", Kind::Text),
        ("Its time", Kind::Number),
        ("Ratio", Kind::Number),
    ];
    let lines = report.rows.iter().enumerate().map(|(index, row)| summary_line(index, row));
    html! {
        p {
            (rows) ": " span class=(class) { (maps.text()) } "."
            @if !report.is_complete() {
                " Not everything was measured: "
                @if report.not_measured.is_empty() {
                    a href="#rivals" { "a program is missing" } "."
                } @else {
                    a href="#not-measured" { "see what was omitted" } "."
                }
            }
        }
        (table("Summary of all rows", head, &lines.collect::<Vec<_>>()))
        div class="reading" { (facts(&READING.map(|(name, meaning)| (name.to_owned(), meaning.to_owned())))) }
    }
}

/// Ours against the fastest rival. One with a wrong map answered another question: it is named only beside the others.
fn summary_line(index: usize, row: &Row) -> Line<8> {
    let ours = row.programs.iter().find(|program| program.ours);
    let rivals = row.programs.iter().filter(|program| !program.ours);
    let (wrong, fit) = rivals.partition::<Vec<_>, _>(|rival| matches!(rival.map, MapState::Wrong(_)));
    let fastest =
        |rivals: &[&Measured]| rivals.iter().copied().min_by_key(|rival| rival.time.median).cloned();
    let rival = fastest(&fit);
    let is_faster =
        |wrong: &Measured| rival.as_ref().is_none_or(|rival| wrong.time.median < rival.time.median);
    let faster = fastest(&wrong).filter(is_faster);
    let time = |program: Option<&Measured>| program.map_or("-".into(), |it| quantity::time(it.time.median));
    let limit = row.limit.filter(|limit| !limit.is_zero()).map_or("-".into(), quantity::time);
    let cells = [
        html! { a href={ "#" (row_id(index)) } { (text(&row.case)) } },
        html! { (Size(row.image_size).scaled()) },
        html! { (cache_name(row.cache)) },
        html! { (time(ours)) },
        html! { (limit) },
        html! {
            @match &rival {
                Some(rival) => {
                    (text(&rival.program))
                    @if rival.map == MapState::None && is_about_maps(row) { " (makes no map)" }
                }
                None => { "none" }
            }
            @if let Some(wrong) = &faster {
                span class="note" { (text(&wrong.program)) " in " (quantity::time(wrong.time.median)) ", with a wrong map" }
            }
        },
        html! { (time(rival.as_ref())) },
        html! { (rival.as_ref().map_or("-".into(), |rival| quantity::ratio(rival.ratio))) },
    ];
    Line { cells, ours: false }
}

fn row_markup(row: &Row) -> Markup {
    let name = row_name(row);
    let with_map = is_about_maps(row);
    let bars = row.programs.iter().map(|program| bar(program, with_map)).collect::<Vec<_>>();
    let mark = limit_text(row).zip(row.limit);
    let mark = mark.map(|(label, limit)| Mark { value: limit.as_secs_f64(), label });
    html! {
        p { (text(&row.title)) }
        p class="soft" { (content_text(row)) "; " (cache_name(row.cache)) ": " (text(row.prepared_by)) "." }
        @if !bars.is_empty() {
            (plot(&Plot { title: &format!("Median times, {name}"), bars: &bars, mark }))
        }
        (table(
            &format!("Measurements, {name}"),
            [
                ("Program", Kind::Text),
                ("Median", Kind::Number),
                ("Shortest", Kind::Number),
                ("Longest", Kind::Number),
                ("Read", Kind::Number),
                ("CPU", Kind::Number),
                ("Memory", Kind::Number),
                ("Ratio", Kind::Number),
                ("Map", Kind::Text),
            ],
            &row.programs.iter().map(|program| program_line(program, with_map)).collect::<Vec<_>>(),
        ))
    }
}

fn bar(program: &Measured, with_map: bool) -> Bar {
    let note = match &program.map {
        MapState::Right => None,
        MapState::None if !with_map => None,
        MapState::None => Some(Note { words: "no map", alarm: false }),
        MapState::Wrong(faults) if faults.data_called_zeros > 0 => {
            Some(Note { words: "loses data", alarm: true })
        }
        MapState::Wrong(_) => Some(Note { words: "wrong map", alarm: map_is_bad(program) }),
    };
    Bar {
        label: program_name(program),
        value: program.time.median.as_secs_f64(),
        ends: (program.time.min.as_secs_f64(), program.time.max.as_secs_f64()),
        written: quantity::time(program.time.median),
        note,
        ours: program.ours,
    }
}

fn program_line(program: &Measured, with_map: bool) -> Line<9> {
    let bad = map_is_bad(program).then_some("bad");
    let cells = [
        html! { (text(&program_name(program))) },
        html! { (quantity::time(program.time.median)) },
        html! { (quantity::time(program.time.min)) },
        html! { (quantity::time(program.time.max)) },
        html! { (quantity::bytes(program.device_read)) },
        html! { (quantity::time(program.cpu.median)) },
        html! { (quantity::bytes(program.peak_memory)) },
        html! { (quantity::ratio(program.ratio)) },
        html! { span class=[bad] { @if with_map { (map_text(&program.map)) } @else { "-" } } },
    ];
    Line { cells, ours: program.ours }
}

fn rivals(report: &BenchReport) -> Markup {
    let lines = report.rivals.iter().map(|rival| Line {
        cells: [
            html! { (text(rival.name)) },
            html! { (text(rival.what)) },
            match &rival.presence {
                Presence::Found { version } => html! { (text(version)) },
                Presence::Absent { remedy } => html! { "absent: " (text(remedy)) },
            },
        ],
        ours: false,
    });
    let head = [("Program", Kind::Text), ("What it does", Kind::Text), ("Version", Kind::Text)];
    table("Rivals", head, &lines.collect::<Vec<_>>())
}

fn not_measured(report: &BenchReport) -> Markup {
    let lines = report
        .not_measured
        .iter()
        .map(|item| Line { cells: [html! { (text(&item.what)) }, html! { (text(&item.why)) }], ours: false });
    table("Not measured", [("What", Kind::Text), ("Why", Kind::Text)], &lines.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};

    use super::*;
    use crate::page::tests::as_xml;
    use crate::sample;

    fn whole_text(node: Node<'_, '_>) -> String {
        node.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
    }

    fn named<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Vec<Node<'a, 'i>> {
        node.descendants().filter(|node| node.tag_name().name() == name).collect()
    }

    #[test]
    fn the_page_needs_no_network_and_no_script() {
        let page = page(&sample::report(), 0);
        for word in ["http://", "https://", "<script", "<link", "<img", "src=", "url("] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn every_number_of_every_program_stands_in_a_cell_of_its_own() {
        let report = sample::report();
        let page = as_xml(&page(&report, 0));
        let document = Document::parse(&page).unwrap();
        let tables = named(document.root(), "table");
        // The summary, a table for each row, rivals, what was not measured.
        assert_eq!(tables.len(), 1 + report.rows.len() + 2);
        for (row, table) in report.rows.iter().zip(&tables[1..]) {
            let lines = named(*table, "tr");
            assert_eq!(lines.len(), 1 + row.programs.len());
            for (program, line) in row.programs.iter().zip(&lines[1..]) {
                let cells = line.children().map(whole_text).collect::<Vec<_>>();
                let expected = [
                    program_name(program),
                    quantity::time(program.time.median),
                    quantity::time(program.time.min),
                    quantity::time(program.time.max),
                    quantity::bytes(program.device_read),
                    quantity::time(program.cpu.median),
                    quantity::bytes(program.peak_memory),
                    quantity::ratio(program.ratio),
                    map_text(&program.map),
                ];
                assert_eq!(cells, expected);
            }
        }
    }

    #[test]
    fn every_line_and_column_of_a_table_has_its_heading() {
        let page = as_xml(&page(&sample::report(), 0));
        let document = Document::parse(&page).unwrap();
        for table in named(document.root(), "table") {
            assert_eq!(named(table, "caption").len(), 1);
            let columns =
                named(table, "th").into_iter().filter(|th| th.attribute("scope") == Some("col")).count();
            for line in &named(table, "tr")[1..] {
                assert_eq!(line.children().count(), columns);
                assert_eq!(line.first_element_child().unwrap().attribute("scope"), Some("row"));
            }
        }
    }

    #[test]
    fn every_plot_tells_its_numbers_without_being_seen() {
        let report = sample::report();
        let page = as_xml(&page(&report, 0));
        let document = Document::parse(&page).unwrap();
        let plots = named(document.root(), "svg");
        assert_eq!(plots.len(), report.rows.len());
        for (row, plot) in report.rows.iter().zip(&plots) {
            assert_eq!(plot.attribute("role"), Some("img"));
            let title = plot.first_element_child().unwrap();
            assert_eq!(title.tag_name().name(), "title");
            let told = plot.attribute("aria-label").unwrap();
            let drawn = named(*plot, "text").into_iter().map(whole_text).collect::<Vec<_>>();
            for program in &row.programs {
                let time = quantity::time(program.time.median);
                assert!(told.contains(&format!("{} {time}", text(&program_name(program)))), "{told}");
                assert!(drawn.contains(&time) && drawn.contains(&text(&program_name(program))), "{drawn:?}");
            }
            assert_eq!(told.contains("memory allows 31 ms"), row.limit.is_some());
            assert_eq!(drawn.contains(&"memory allows 31 ms".to_owned()), row.limit.is_some());
        }
        assert!(plots[1].attribute("aria-label").unwrap().contains("<i>rival</i> & co 322 ms (loses data)"));
    }

    #[test]
    fn names_from_outside_stay_text() {
        let mut report = sample::report();
        report.machine.system = sample::EVIL.into();
        report.rows[0].title = sample::EVIL.into();
        report.rows[0].programs[0].detail = Some(sample::EVIL.into());
        report.rivals[1].presence = Presence::Absent { remedy: sample::EVIL.into() };
        report.not_measured[0].why = sample::EVIL.into();
        let page = as_xml(&page(&report, 0));
        let document = Document::parse(&page).unwrap();
        assert!(named(document.root(), "b").is_empty() && named(document.root(), "i").is_empty());
        assert!(!page.contains('\u{1b}'));
        let all = whole_text(document.root());
        assert!(all.matches(&text(sample::EVIL)).count() >= 9, "{all}");
    }

    #[test]
    fn every_link_leads_somewhere() {
        for report in [sample::report(), empty()] {
            let page = as_xml(&page(&report, 0));
            let document = Document::parse(&page).unwrap();
            let ids = document.descendants().filter_map(|node| node.attribute("id")).collect::<Vec<_>>();
            for link in named(document.root(), "a") {
                let target = link.attribute("href").unwrap().strip_prefix('#').unwrap();
                assert_eq!(ids.iter().filter(|id| **id == target).count(), 1, "{target}");
            }
            for section in named(document.root(), "section") {
                assert!(ids.contains(&section.attribute("aria-labelledby").unwrap()));
            }
        }
    }

    #[test]
    fn a_rival_with_a_wrong_map_is_not_the_fastest_rival() {
        let page = as_xml(&page(&sample::report(), 0));
        let document = Document::parse(&page).unwrap();
        let summary = named(named(document.root(), "table")[0], "tr");
        let cells = summary[1].children().map(whole_text).collect::<Vec<_>>();
        assert_eq!(cells[3..5], ["33 ms", "31 ms"]);
        assert_eq!(cells[5], "qemu-img convert (makes no map)qemu-img map in 4.1 ms, with a wrong map");
        assert_eq!(cells[6..], ["5.34 s", "160"]);
    }

    /// Nothing was measured, and nothing is said to be left out.
    fn empty() -> BenchReport {
        let mut report = sample::report();
        report.rows.clear();
        report.not_measured.clear();
        report
    }
}
