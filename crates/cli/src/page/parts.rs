//! What pages are put together from.

use maud::{Markup, html};

use super::text;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words, at the left.
    Text,
    /// A quantity, at the right, digit below digit.
    Number,
}

impl Kind {
    fn class(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Number => Some("n"),
        }
    }
}

/// A line of a table. Its first cell is the line's heading.
pub(super) struct Line<const N: usize> {
    pub(super) cells: [Markup; N],
    /// Whether it stands out as one of ours.
    pub(super) ours: bool,
}

/// A table that a screen reader can find its way in; wider than the window, it scrolls by itself.
pub(super) fn table<const N: usize>(caption: &str, head: [(&str, Kind); N], lines: &[Line<N>]) -> Markup {
    let cells = |line: &Line<N>| {
        let cells = line.cells.iter().zip(head.map(|(_, kind)| kind.class())).enumerate();
        html! {
            @for (column, (cell, class)) in cells {
                @if column == 0 {
                    th scope="row" class=[class] { (cell) }
                } @else {
                    td class=[class] { (cell) }
                }
            }
        }
    };
    html! {
        div class="scroll" role="region" tabindex="0" aria-label=(text(caption)) {
            table {
                caption { (text(caption)) }
                thead {
                    tr {
                        @for (title, kind) in head {
                            th scope="col" class=[kind.class()] { (title) }
                        }
                    }
                }
                tbody {
                    @for line in lines {
                        tr class=[line.ours.then_some("ours")] { (cells(line)) }
                    }
                }
            }
        }
    }
}

/// A part of a page with its heading, that can be linked to.
pub(super) fn section(id: &str, heading: &str, body: &Markup) -> Markup {
    let heading_id = format!("{id}-heading");
    html! {
        section id=(id) aria-labelledby=(heading_id) {
            h2 id=(heading_id) { (text(heading)) }
            (body)
        }
    }
}

/// Names and what they stand for.
pub(super) fn facts(facts: &[(String, String)]) -> Markup {
    html! {
        dl {
            @for (name, value) in facts {
                dt { (text(name)) }
                dd { (text(value)) }
            }
        }
    }
}
