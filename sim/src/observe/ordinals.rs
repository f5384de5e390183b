//! Sets of (key, ordinal) that are nearly always filled in order: one number a key, and holes where order failed.

use super::sparse::Sparse;
use crate::engine::index::to_usize;
use crate::record::KeyId;
use std::collections::VecDeque;

/// A set of record identities. Memory: eight bytes a key, and one range for each run of missing ordinals.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ordinals {
    /// By key: the ordinal after the highest in the set.
    next: Vec<u32>,
    /// Missing ordinals below `next`, by key: disjoint ascending ranges with members between them, no empty lists.
    holes: Sparse<VecDeque<(u32, u32)>>,
}

/// What an insertion found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inserted {
    /// The next of its key.
    InOrder,
    /// Beyond the next of its key: a hole opened.
    Ahead,
    /// It fills a hole.
    Late,
    /// It was there already.
    Again,
}

impl Ordinals {
    /// The empty set over so many keys.
    pub fn new(keys: usize) -> Self {
        Self {
            next: vec![0; keys],
            holes: Sparse::new(keys),
        }
    }
    /// Adds an identity.
    #[inline]
    pub fn insert(&mut self, key: KeyId, ordinal: u32) -> Inserted {
        let next = &mut self.next[to_usize(key.0)];
        if ordinal == *next {
            *next += 1;
            return Inserted::InOrder;
        }
        self.insert_out_of_order(key, ordinal)
    }
    #[cold]
    #[inline(never)]
    fn insert_out_of_order(&mut self, key: KeyId, ordinal: u32) -> Inserted {
        let next = &mut self.next[to_usize(key.0)];
        if ordinal > *next {
            self.holes.obtain(key.0).push_back((*next, ordinal));
            *next = ordinal + 1;
            return Inserted::Ahead;
        }
        let Some(holes) = self.holes.get_mut(key.0) else {
            return Inserted::Again;
        };
        let filled = fill(holes, ordinal);
        if holes.is_empty() {
            self.holes.release(key.0);
        }
        if filled { Inserted::Late } else { Inserted::Again }
    }
    /// The ordinal after the highest of the key.
    #[inline]
    pub fn next(&self, key: KeyId) -> u32 {
        self.next[to_usize(key.0)]
    }
    /// True if the identity is in the set.
    pub fn contains(&self, key: KeyId, ordinal: u32) -> bool {
        ordinal < self.next(key) && self.missing_within(key, ordinal, ordinal + 1) == 0
    }
    /// How many ordinals of `from..until` are below the key's highest and missing.
    pub fn missing_within(&self, key: KeyId, from: u32, until: u32) -> u32 {
        let beyond = until.saturating_sub(from.max(self.next(key)));
        let Some(holes) = self.holes.get(key.0) else {
            return beyond;
        };
        let first = holes.partition_point(|&(_, end)| end <= from);
        holes
            .range(first..)
            .take_while(|&&(start, _)| start < until)
            .map(|&(start, end)| end.min(until) - start.max(from))
            .sum::<u32>()
            + beyond
    }
    /// The lowest ordinal of `from..until` that is in the set.
    pub fn first_within(&self, key: KeyId, from: u32, until: u32) -> Option<u32> {
        let hole = self.holes.get(key.0).and_then(|holes| {
            let at = holes.partition_point(|&(_, end)| end <= from);
            holes.get(at).filter(|&&(start, _)| start <= from)
        });
        let first = hole.map_or(from, |&(_, end)| end);
        (first < until.min(self.next(key))).then_some(first)
    }
    /// How many ordinals of the key are in the set.
    pub fn count(&self, key: KeyId) -> u32 {
        let missing = self
            .holes
            .get(key.0)
            .map_or(0, |holes| holes.iter().map(|(start, end)| end - start).sum::<u32>());
        self.next(key) - missing
    }
}

/// Removes a number from ascending disjoint ranges; false if it is in none.
fn fill(ranges: &mut VecDeque<(u32, u32)>, number: u32) -> bool {
    let at = ranges.partition_point(|&(_, end)| end <= number);
    match ranges.get_mut(at) {
        Some(range) if range.0 <= number => {
            let (start, end) = *range;
            match (start == number, end == number + 1) {
                (true, true) => {
                    ranges.remove(at);
                }
                (true, false) => range.0 = number + 1,
                (false, true) => range.1 = number,
                (false, false) => {
                    range.1 = number;
                    ranges.insert(at + 1, (number + 1, end));
                }
            }
            true
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_compact_set_agrees_with_a_plain_one(inserts in prop::collection::vec((0_u32..3, 0_u32..40), 0..200)) {
            let mut compact = Ordinals::new(3);
            let mut plain = BTreeSet::new();
            for &(key, ordinal) in &inserts {
                let highest = plain.range((key, 0)..=(key, u32::MAX)).next_back().map_or(0, |&(_, last): &(u32, u32)| last + 1);
                let expected = match (plain.insert((key, ordinal)), ordinal.cmp(&highest)) {
                    (false, _) => Inserted::Again,
                    (true, core::cmp::Ordering::Less) => Inserted::Late,
                    (true, core::cmp::Ordering::Equal) => Inserted::InOrder,
                    (true, core::cmp::Ordering::Greater) => Inserted::Ahead,
                };
                prop_assert_eq!(compact.insert(KeyId(key), ordinal), expected);
            }
            for key in 0..3 {
                for ordinal in 0..45 {
                    prop_assert_eq!(compact.contains(KeyId(key), ordinal), plain.contains(&(key, ordinal)));
                }
                let missing = (10..30).filter(|ordinal| !plain.contains(&(key, *ordinal))).count();
                prop_assert_eq!(usize::try_from(compact.missing_within(KeyId(key), 10, 30)), Ok(missing));
                let first = (10..30).find(|ordinal| plain.contains(&(key, *ordinal)));
                prop_assert_eq!(compact.first_within(KeyId(key), 10, 30), first);
            }
        }
    }
}
