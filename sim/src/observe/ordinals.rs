//! Sets of (key, ordinal) that are nearly always filled in order: one number a key, and holes where order failed.

use super::holes::Holes;
use super::sparse::Sparse;
use crate::engine::index::to_usize;
use crate::record::{KeyId, Record};

/// A set of record identities. Memory: eight bytes a key, and about a bit an ordinal from a key's lowest hole on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ordinals {
    /// By key: the ordinal after the highest in the set.
    next: Vec<u32>,
    /// Missing ordinals below `next`, by key; none without a hole.
    holes: Sparse<Holes>,
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
        if ordinal > *next {
            self.insert_ahead(key, ordinal);
            return Inserted::Ahead;
        }
        if self.insert_late(key, ordinal) {
            Inserted::Late
        } else {
            Inserted::Again
        }
    }
    #[inline(never)]
    fn insert_ahead(&mut self, key: KeyId, ordinal: u32) {
        let next = core::mem::replace(&mut self.next[to_usize(key.0)], ordinal + 1);
        self.holes.obtain(key.0).open(next, ordinal);
    }
    /// False if it is in the set already.
    #[inline(never)]
    fn insert_late(&mut self, key: KeyId, ordinal: u32) -> bool {
        let Some(holes) = self.holes.get_mut(key.0) else {
            return false;
        };
        let filled = holes.fill(ordinal);
        if holes.is_empty() {
            self.holes.release(key.0);
        }
        filled
    }
    /// Adds what is stored of the entries of a put; returns how many of these were in the set already.
    #[inline]
    pub(super) fn insert_stored(&mut self, mut entries: &[Record]) -> u64 {
        let mut again = 0;
        loop {
            let at = insert_in_order(&mut self.next, entries);
            let Some((entry, rest)) = entries.get(at..).and_then(<[Record]>::split_first) else {
                return again;
            };
            again += u64::from(self.insert(entry.key, entry.ordinal) == Inserted::Again);
            entries = rest;
        }
    }
    /// By key: the ordinal after its highest.
    pub(super) fn ends(&self) -> &[u32] {
        &self.next
    }
    /// The ordinal after the highest of the key.
    #[inline]
    pub fn next(&self, key: KeyId) -> u32 {
        self.next[to_usize(key.0)]
    }
    /// True if the identity is in the set.
    #[inline]
    pub fn contains(&self, key: KeyId, ordinal: u32) -> bool {
        ordinal < self.next(key) && !self.holes.get(key.0).is_some_and(|holes| holes.contains(ordinal))
    }
    /// How many ordinals of `from..until` are missing.
    pub fn missing_within(&self, key: KeyId, from: u32, until: u32) -> u32 {
        let next = self.next(key);
        let beyond = until.saturating_sub(from.max(next));
        let holes = self.holes.get(key.0);
        beyond + holes.map_or(0, |holes| holes.count_within(from, until.min(next)))
    }
    /// The lowest ordinal of `from..until` that is in the set.
    pub fn first_within(&self, key: KeyId, from: u32, until: u32) -> Option<u32> {
        let first = self.holes.get(key.0).map_or(from, |holes| holes.first_present(from));
        (first < until.min(self.next(key))).then_some(first)
    }
    /// How many ordinals of the key are in the set.
    pub fn count(&self, key: KeyId) -> u32 {
        self.next(key) - self.holes.get(key.0).map_or(0, Holes::len)
    }
}

/// For each outcome whether it is of use to ask whether the entry comes in order: all bits, or none.
const STORED: [u32; 4] = [u32::MAX, 0, 0, 0];

/// Adds what is stored of the entries up to the first that is out of order; returns how many entries that are.
///
/// Nobody can predict which entries a hot shard refuses: only those out of order take a branch.
#[inline]
fn insert_in_order(next: &mut [u32], entries: &[Record]) -> usize {
    for (index, entry) in entries.iter().enumerate() {
        let next = &mut next[to_usize(entry.key.0)];
        let (outcome, apart) = (entry.outcome_number(), entry.ordinal ^ *next);
        *next += u32::from(outcome | apart == 0);
        if apart & STORED[to_usize(outcome)] > 0 {
            return index;
        }
    }
    entries.len()
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
