//! Which of the records that were found are taken, each on its own evidence.

use std::collections::BTreeMap;

use imsprep_findings::{Finding, Report, Rule};

use crate::contents::Place;
use crate::rules;
use crate::witness::{Testimony, Witness};

/// The records to be taken, by block, each block once; the others are reported.
pub(crate) fn choose(found: Vec<Place>, blocks: u32, witness: &Witness, report: &mut Report) -> Vec<Place> {
    let mut refuse = |place: &Place, rule: &'static Rule, what: String| {
        let message = format!("the record of block {} is not taken: {what}", place.block);
        report.push(Finding::new(rule, message).at(place.offset).in_block(place.block.into()));
    };
    // By what each says of itself, and what the index and the bitmap say of it.
    let mut kept = Vec::with_capacity(found.len());
    for place in found {
        let block = place.block;
        match witness.ask_about(place.offset, block) {
            _ if block >= blocks => {
                refuse(&place, &rules::RECORD_BLOCK, format!("the disk has {blocks} blocks"));
            }
            Testimony::Denies { block } => {
                refuse(&place, &rules::RECORD_BLOCK, format!("by the index it is block {block}'s"));
            }
            Testimony::Silent if witness.index_sound => {
                refuse(&place, &rules::RECORD_GAP, "the index, which is sound, does not have it".into());
            }
            Testimony::Silent
                if witness.blocks.as_ref().is_some_and(|blocks| blocks.binary_search(&block).is_err()) =>
            {
                refuse(
                    &place,
                    &rules::RECORD_BLOCK,
                    "the bitmap, which is sound, does not mark that block".into(),
                );
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
                "the index has another one for that block".to_owned()
            } else {
                format!("there are {all} for that block, and nothing says which one is right")
            };
            refuse(place, &rules::RECORD_BLOCK, what);
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
            refuse(
                place,
                &rules::RECORD_ORDER,
                "it stands out of order, and there is no index to confirm it".into(),
            );
        }
        taken
    });
    let mut taken = kept.into_iter().map(|(place, _)| place).collect::<Vec<_>>();
    taken.sort_unstable_by_key(|place| place.block);
    taken
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
