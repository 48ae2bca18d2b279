//! The next data of a file whose system lists allocated ranges, a few at a time, as Windows does. Apart from the system's
//! calls, so that every system tests it.

use std::io;

use crate::Extent;

/// Some of the allocated ranges of a file, in order.
pub(super) struct Ranges {
    pub(super) ranges: Vec<Extent>,
    /// Whether there are more after these.
    pub(super) more: bool,
}

/// The first data at or after `offset` in a file of `size` bytes. `ask` lists ranges from a place on; it may begin with
/// ranges that begin or even end before that place, since NTFS rounds the place down.
pub(super) fn next_data(
    offset: u64,
    size: u64,
    mut ask: impl FnMut(u64) -> io::Result<Ranges>,
) -> io::Result<Option<Extent>> {
    let mut from = offset;
    loop {
        let answer = ask(from)?;
        if let Some(found) = answer.ranges.iter().find(|range| range.end > offset) {
            let (start, end) = (found.start.max(offset), found.end.min(size));
            return Ok((start < end).then_some(Extent { start, end }));
        }
        if !answer.more {
            return Ok(None);
        }
        match answer.ranges.last() {
            Some(last) if last.end > from => from = last.end,
            // More, but nothing further on: it does not know what it says.
            _ => return Ok(Some(Extent { start: offset, end: size })),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNIT: u64 = 16;

    /// A file system of 64 units of 16 bytes, that rounds down to `grain` units where it is asked, and answers with
    /// `most` ranges.
    fn list(allocated: &[bool], from: u64, grain: u64, most: usize) -> Ranges {
        let first = from / UNIT / grain * grain;
        let mut ranges: Vec<Extent> = Vec::new();
        for unit in (first..).take_while(|unit| *unit < allocated.len() as u64) {
            if !allocated[usize::try_from(unit).unwrap()] {
                continue;
            }
            let (start, end) = (unit * UNIT, (unit + 1) * UNIT);
            match ranges.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => ranges.push(Extent { start, end }),
            }
        }
        let more = ranges.len() > most;
        ranges.truncate(most);
        Ranges { ranges, more }
    }

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_byte_finds(
            allocated in prop::collection::vec(any::<bool>(), 64),
            grain in 1u64..8, most in 1usize..4, offset in 0u64..1024, size in 1u64..1024,
        ) {
            prop_assume!(offset < size);
            let is_data = |at: u64| allocated[usize::try_from(at / UNIT).unwrap()];
            let naive = (offset..size).find(|at| is_data(*at));
            let naive = naive.map(|start| Extent {
                start,
                end: (start..size).find(|at| !is_data(*at)).unwrap_or(size),
            });
            // With a few ranges at a time, all of them before the place, there may be no way on: then all is data.
            let found = next_data(offset, size, |from| Ok(list(&allocated, from, grain, most))).unwrap();
            if found != naive {
                prop_assert!(most < usize::try_from(grain).unwrap());
                prop_assert_eq!(found, Some(Extent { start: offset, end: size }));
            }
        }
    }

    #[test]
    fn more_that_never_comes_is_data() {
        let stuck = |_| Ok(Ranges { ranges: vec![Extent { start: 0, end: 5 }], more: true });
        assert_eq!(next_data(7, 100, stuck).unwrap(), Some(Extent { start: 7, end: 100 }));
        let empty = |_| Ok(Ranges { ranges: Vec::new(), more: true });
        assert_eq!(next_data(0, 100, empty).unwrap(), Some(Extent { start: 0, end: 100 }));
    }

    #[test]
    fn what_lies_past_the_end_is_no_data() {
        let beyond = |_| Ok(Ranges { ranges: vec![Extent { start: 64, end: 128 }], more: false });
        assert_eq!(next_data(0, 50, beyond).unwrap(), None);
    }
}
