//! `imsprep os-versions`

use std::fmt::Write as _;

use imsprep_rules::{KnownSystem, Page};

use super::table::{Align, Cell, table};
use crate::setup::Detail;
use crate::words::counted;

/// A line for each value, then the pages that name them with how many each has; with `-v` also those that name none.
pub(crate) fn text(systems: &[&KnownSystem], detail: Detail) -> String {
    let head =
        [("VALUE", Align::Left), ("FAMILY", Align::Left), ("BITS", Align::Right), ("NAMED IN", Align::Left)];
    let rows = systems.iter().map(|known| {
        let pages = known.pages.iter().map(|page| page.name()).collect::<Vec<_>>().join(", ");
        [known.value.into(), known.family.into(), known.bits.to_string().into(), Cell::from(pages)]
    });
    let mut text = table(head, &rows.collect::<Vec<_>>());
    let _ = writeln!(text, "\n{}", counted(systems.len() as u64, "value"));
    for page in Page::ALL {
        let count = systems.iter().filter(|known| known.pages.contains(&page)).count();
        if count > 0 || detail == Detail::Verbose {
            let _ = writeln!(text, "  {count:3}  {page:10}  {}", page.title());
        }
    }
    text
}
