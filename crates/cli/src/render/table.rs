//! Aligned tables for a terminal.

use std::fmt::Write as _;

use anstyle::Style;

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Text in a table, with its colour. What comes from outside has to be fit for a terminal already.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Style::new())
    }
}

/// Columns of one width each, two spaces apart, each line two spaces from the edge. No line ends in spaces.
pub(crate) fn table<const N: usize>(head: [(&str, Align); N], rows: &[[Cell; N]]) -> String {
    let mut widths = head.map(|(title, _)| title.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.chars().count());
        }
    }
    let aligns = head.map(|(_, align)| align);
    let mut text = String::new();
    write_line(&mut text, &head.map(|(title, _)| Cell::new(title, crate::style::DIM)), widths, aligns);
    for row in rows {
        write_line(&mut text, row, widths, aligns);
    }
    text
}

fn write_line<const N: usize>(text: &mut String, cells: &[Cell; N], widths: [usize; N], aligns: [Align; N]) {
    // Spaces are held back until something follows them.
    let mut gap = 0;
    for ((cell, width), align) in cells.iter().zip(widths).zip(aligns) {
        let space = width - cell.text.chars().count();
        let (before, after) = match align {
            Align::Left => (0, space),
            Align::Right => (space, 0),
        };
        if cell.text.is_empty() {
            gap += 2 + space;
            continue;
        }
        let (indent, style) = (gap + 2 + before, cell.style);
        let _ = write!(text, "{:indent$}{style}{}{style:#}", "", cell.text);
        gap = after;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_no_line_ends_in_spaces() {
        let rows: [[Cell; 3]; 3] = [
            ["über".into(), "1".into(), "x".into()],
            ["b".into(), "".into(), "".into()],
            ["cc".into(), "12345".into(), "a longer end".into()],
        ];
        let text = table([("NAME", Align::Left), ("NO", Align::Right), ("END", Align::Left)], &rows);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, "  NAME     NO  END\n  über      1  x\n  b\n  cc    12345  a longer end\n");
    }
}
