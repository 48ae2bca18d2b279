//! Which of the records that were found are taken, each on its own evidence.

use std::collections::BTreeMap;

use imsprep_findings::{Finding, Report, Rule};

use crate::evidence::{Evidence, Testimony, shift};
use crate::footer::Placed;
use crate::guard::Guard;
use crate::index::RecordLocation;
use crate::rules;

/// A record that was found and expands to one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) place: RecordLocation,
    /// Where it ends by its own header.
    pub(crate) end: u64,
    /// What stands guard over its payload.
    pub(crate) guard: Guard,
    /// CRC-32 of the block.
    pub(crate) checksum: u32,
}

/// The records to be taken, by block, each block once; the others are reported.
pub(crate) fn select(
    found: &[Found],
    mid: Option<&Placed>,
    blocks: u32,
    evidence: &Evidence,
    report: &mut Report,
) -> Vec<RecordLocation> {
    let mut taken = if evidence.index_sound {
        by_sound_index(found, mid, blocks, evidence, report)
    } else {
        by_themselves(found.iter().map(|found| found.place), blocks, evidence, report)
    };
    taken.sort_unstable_by_key(|place| place.block);
    taken
}

/// That a record is not taken.
fn refuse(report: &mut Report, place: &RecordLocation, rule: &'static Rule, what: &str) {
    let message = format!("the record of block {} is skipped: {what}", place.block);
    report.push(Finding::new(rule, message).at(place.offset).in_block(place.block.into()));
}

/// By an index that is sound: it has every record, at an offset that may differ from the one in this file. A record that lies
/// elsewhere has to be as long as it says.
fn by_sound_index(
    found: &[Found],
    mid: Option<&Placed>,
    blocks: u32,
    evidence: &Evidence,
    report: &mut Report,
) -> Vec<RecordLocation> {
    let by_offset =
        evidence.places().iter().map(|told| (told.offset, told.block)).collect::<BTreeMap<_, _>>();
    let mut kept = Vec::with_capacity(found.len());
    for found in found {
        let place = &found.place;
        let told = evidence.place(place.block);
        let by = told.and_then(|(_, told)| shift(place.offset, told.offset));
        let other = by_offset.get(&place.offset);
        match (told, by) {
            _ if place.block >= blocks => {
                refuse(report, place, &rules::RECORD_BLOCK, &format!("the disk has {blocks} blocks"));
            }
            (Some((number, told)), Some(by))
                if by == 0 || found.end - place.offset == u64::from(told.length) =>
            {
                kept.push((*found, number, by));
            }
            _ => match other {
                Some(other) => {
                    let what = format!("according to the index it belongs to block {other}");
                    refuse(report, place, &rules::RECORD_BLOCK, &what);
                }
                None => {
                    refuse(
                        report,
                        place,
                        &rules::RECORD_GAP,
                        "the index, which is intact, does not contain it",
                    );
                }
            },
        }
    }
    refuse_joined(&mut kept, found, mid, evidence, report);
    refuse_doubled(&mut kept, mid, evidence, report);
    // What lies where the index has it is confirmed. Others are so as far as they follow one another as the index has them.
    let confirmed = |by: i64| by == 0;
    let ascending = ascending(&kept.iter().map(|(found, ..)| found.place.block).collect::<Vec<_>>());
    let mut taken = Vec::with_capacity(kept.len());
    for (number, (found, _, by)) in kept.iter().enumerate() {
        if confirmed(*by) || ascending.binary_search(&number).is_ok() {
            taken.push(found.place);
        } else {
            let what = "it is out of order, and not at the offset in the index";
            refuse(report, &found.place, &rules::RECORD_ORDER, what);
        }
    }
    taken
}

/// Where whole records are gone, or stand twice, the one before them may be two halves, joined where the file lost bytes or
/// got some. Of compressed data that shows when it is expanded; of plain data it does not.
fn refuse_joined(
    kept: &mut Vec<(Found, usize, i64)>,
    found: &[Found],
    mid: Option<&Placed>,
    evidence: &Evidence,
    report: &mut Report,
) {
    let starts =
        found.iter().map(|found| (found.place.offset, found.place.block)).collect::<BTreeMap<_, _>>();
    kept.retain(|(found, number, by)| {
        if found.guard != Guard::Plain {
            return true;
        }
        let next = evidence.places().get(number + 1);
        let goes_on = match next {
            Some(next) => {
                let at = next.offset.checked_add_signed(*by);
                at.is_some_and(|at| starts.get(&at) == Some(&next.block))
            }
            None => mid.is_some_and(|mid| evidence.shift_of_mid(mid) == Some(*by)),
        };
        let something_follows =
            starts.contains_key(&found.end) || mid.is_some_and(|mid| mid.offset == found.end);
        let joined = !goes_on && something_follows;
        if joined {
            let what = "the next record is not the one in the index, so it may consist of parts of two records, and \
             there is no checksum";
            refuse(report, &found.place, &rules::RECORD_GAP, what);
        }
        !joined
    });
}

/// Of several records for one block the one is taken that lies as far from where the index has it as others do; of those that
/// hold the same, one.
fn refuse_doubled(
    kept: &mut Vec<(Found, usize, i64)>,
    mid: Option<&Placed>,
    evidence: &Evidence,
    report: &mut Report,
) {
    let mut claims: BTreeMap<u32, Vec<(u64, i64, u32)>> = BTreeMap::new();
    for (found, _, by) in kept.iter() {
        claims.entry(found.place.block).or_default().push((found.place.offset, *by, found.checksum));
    }
    let mut shifts = mid.and_then(|mid| evidence.shift_of_mid(mid)).into_iter().collect::<Vec<_>>();
    shifts.extend(claims.values().filter_map(|claims| match claims.as_slice() {
        [(_, by, _)] => Some(*by),
        _ => None,
    }));
    shifts.sort_unstable();
    kept.retain(|(found, _, by)| {
        let claims = claims.get(&found.place.block).map(Vec::as_slice).unwrap_or_default();
        if claims.len() == 1 {
            return true;
        }
        let likely = |by: i64| shifts.is_empty() || shifts.binary_search(&by).is_ok();
        let mut rivals = claims.iter().filter(|(_, by, _)| likely(*by));
        let first = rivals.next();
        let same = first.is_some_and(|(_, _, first)| rivals.all(|(_, _, other)| other == first));
        let is_first = first.is_some_and(|(offset, ..)| *offset == found.place.offset);
        if same && is_first {
            return true;
        }
        let what = if same && likely(*by) {
            "there is another record with the same data".to_owned()
        } else if same {
            "the index has another record for that block".to_owned()
        } else {
            format!("there are {} for that block, and no evidence which one is correct", claims.len())
        };
        refuse(report, &found.place, &rules::RECORD_BLOCK, &what);
        false
    });
}

/// By what each says of itself, and what bitmap and remains of an index say of it.
fn by_themselves(
    found: impl Iterator<Item = RecordLocation>,
    blocks: u32,
    evidence: &Evidence,
    report: &mut Report,
) -> Vec<RecordLocation> {
    let mut kept = Vec::new();
    for place in found {
        let block = place.block;
        match evidence.ask_about(place.offset, block) {
            _ if block >= blocks => {
                refuse(report, &place, &rules::RECORD_BLOCK, &format!("the disk has {blocks} blocks"));
            }
            Testimony::Denies { block } => {
                let what = format!("according to the index it belongs to block {block}");
                refuse(report, &place, &rules::RECORD_BLOCK, &what);
            }
            Testimony::Silent
                if evidence.blocks.as_ref().is_some_and(|blocks| blocks.binary_search(&block).is_err()) =>
            {
                let what = "the bitmap, which is intact, does not mark that block";
                refuse(report, &place, &rules::RECORD_BLOCK, what);
            }
            testimony => kept.push((place, testimony)),
        }
    }
    // Of several for one block the one that the index has.
    let mut claims: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
    for (place, testimony) in &kept {
        let (all, confirmed) = claims.entry(place.block).or_default();
        *all += 1;
        *confirmed += u32::from(*testimony == Testimony::Confirms);
    }
    kept.retain(|(place, testimony)| {
        let (all, confirmed) = claims.get(&place.block).copied().unwrap_or_default();
        let taken = all == 1 || (confirmed == 1 && *testimony == Testimony::Confirms);
        if !taken {
            let what = if confirmed == 1 {
                "the index has another record for that block".to_owned()
            } else {
                format!("there are {all} for that block, and no evidence which one is correct")
            };
            refuse(report, place, &rules::RECORD_BLOCK, &what);
        }
        taken
    });
    // Files of the reference ascend; what stands out of order with nothing to confirm it may name a wrong block.
    let ascending = ascending(&kept.iter().map(|(place, _)| place.block).collect::<Vec<_>>());
    let mut number = 0;
    kept.retain(|(place, testimony)| {
        let in_order = ascending.binary_search(&number).is_ok();
        number += 1;
        let taken = in_order || *testimony != Testimony::Silent;
        if !taken {
            let what = "it is out of order, and there is no index to confirm it";
            refuse(report, place, &rules::RECORD_ORDER, what);
        }
        taken
    });
    kept.into_iter().map(|(place, _)| place).collect()
}

/// The positions of a longest ascending subsequence, ascending.
fn ascending(numbers: &[u32]) -> Vec<usize> {
    // For each length the position of the smallest last number, and for each position the one before it.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (position, number) in numbers.iter().enumerate() {
        let length = tails.partition_point(|tail| numbers.get(*tail).is_some_and(|last| last < number));
        before.push(length.checked_sub(1).and_then(|shorter| tails.get(shorter).copied()));
        match tails.get_mut(length) {
            Some(tail) => *tail = position,
            None => tails.push(position),
        }
    }
    let mut chosen = Vec::with_capacity(tails.len());
    let mut next = tails.last().copied();
    while let Some(position) = next {
        chosen.push(position);
        next = before.get(position).copied().flatten();
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ascending;

    #[test]
    fn one_that_is_out_of_order_is_left_out() {
        assert_eq!(ascending(&[5, 6, 3, 8]), [0, 1, 3]);
        assert_eq!(ascending(&[5, 900, 6, 8]), [0, 2, 3]);
        assert_eq!(ascending(&[]), [0_usize; 0]);
    }

    proptest! {
        #[test]
        fn it_ascends_and_none_is_longer(numbers in prop::collection::vec(0_u32..12, 0..12)) {
            let chosen = ascending(&numbers);
            prop_assert!(chosen.is_sorted_by(|a, b| a < b && numbers[*a] < numbers[*b]));
            // All subsequences, by the bits of a mask.
            let longest = (0_u32..1 << numbers.len())
                .filter(|mask| {
                    let part = (0..numbers.len()).filter(|i| mask >> i & 1 == 1).map(|i| numbers[i]);
                    part.collect::<Vec<_>>().is_sorted_by(|a, b| a < b)
                })
                .map(u32::count_ones)
                .max();
            prop_assert_eq!(Some(u32::try_from(chosen.len()).unwrap()), longest);
        }
    }
}
