//! A picture of a disk for the terminal: where there is data.

use imsprep_source::BlockMap;

/// Rows of a picture at most.
const ROWS: u64 = 8;
/// Where the width is not known.
const USUAL_WIDTH: usize = 80;
/// Beyond this a picture is no easier to read.
const WIDEST: usize = 160;

/// How much of what a cell stands for is data: none, less than half, half and more, all.
const CELLS: [char; 4] = ['·', '░', '▓', '█'];

/// Columns of the terminal that standard output is, or the usual number.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0)).clamp(20, WIDEST)
}

/// What the cells of a picture mean.
pub(crate) const LEGEND: &str = "· zeros, ░ less than half data, ▓ half and more, █ all data";

/// The disk in rows of `columns` cells, from its beginning on. Each cell stands for as many blocks as any other, but for
/// the last.
pub(crate) fn rows(map: &BlockMap, columns: usize) -> (u64, Vec<String>) {
    let columns = (columns as u64).max(1);
    let blocks = map.block_count();
    let per_cell = blocks.div_ceil(columns * ROWS).max(1);
    let cells = blocks.div_ceil(per_cell);
    let mut data = vec![0u64; usize::try_from(cells).unwrap_or(0)];
    for run in map.runs().filter(|run| run.data) {
        let (mut at, end) = (run.first, run.first + run.count);
        while at < end {
            let cell = at / per_cell;
            let upto = ((cell + 1) * per_cell).min(end);
            if let Some(count) = usize::try_from(cell).ok().and_then(|cell| data.get_mut(cell)) {
                *count += upto - at;
            }
            at = upto;
        }
    }
    let cell = |(number, count): (u64, u64)| {
        let all = per_cell.min(blocks - number * per_cell);
        let kind = match count {
            0 => 0,
            count if count == all => 3,
            count if count * 2 < all => 1,
            _ => 2,
        };
        CELLS.get(kind).copied().unwrap_or(' ')
    };
    let cells = (0u64..).zip(data).map(cell).collect::<Vec<_>>();
    let columns = usize::try_from(columns).unwrap_or(1);
    (per_cell, cells.chunks(columns).map(|row| row.iter().collect()).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use imsprep_source::BlockSize;

    use super::*;

    fn map(blocks: u64, data: impl IntoIterator<Item = u64>) -> BlockMap {
        let mut map = BlockMap::zeroed(Path::new("x"), blocks << 21, BlockSize::MIB_2).unwrap();
        data.into_iter().for_each(|block| map.set(block, true));
        map
    }

    #[test]
    fn small_disks_have_a_cell_for_each_block() {
        assert_eq!(rows(&map(7, [0, 3, 6]), 5), (1, vec!["█··█·".into(), "·█".into()]));
        assert_eq!(rows(&map(0, []), 5), (1, vec![]));
    }

    #[test]
    fn large_disks_have_shades_and_never_more_rows_than_eight() {
        // 100 blocks in 16 cells of 7: the last has two.
        let (per_cell, rows) = rows(&map(100, (0..7).chain([8]).chain(14..18).chain(98..100)), 2);
        assert_eq!((per_cell, rows.len()), (7, 8));
        assert_eq!(rows.concat(), "█░▓···········█".to_owned());
    }

    #[test]
    fn one_data_block_of_a_million_shows() {
        let (_, rows) = rows(&map(1 << 20, [777_777]), 70);
        assert_eq!(rows.concat().matches('░').count(), 1);
    }
}
